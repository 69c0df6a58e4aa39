"""What stated weights make of the evidence: ranks out; the weights that go in stand in `patient.stated_weights`.

Nothing here is used unless weights were given. Shares of draws are fractions; values of options run from 0 (every
criterion at its least attractive end) to 100 (every one at its most attractive end).
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from bcma_decide.value import Interval, Number, Value
from bcma_decide.vocabulary import Certainty

OF_100 = "of 100"
"""Unit of every share of patients."""
MOST_CRITERIA = 12
"""More swings than a person can set against each other."""
MOST_POINTS = 1_000_000
"""More than anybody gives a change; sums of such points stay exact."""

WeightKind = Literal["points", "ranges", "order", "open"]
"""Points for every swing; a range of points for some; an order of the swings; no statement at all."""
Measure = Literal["computed", "fact", "by_nature"]
"""Computed for the patient; a practical fact; 0 because it cannot happen with that class."""


class Measured(Value):
    """One option at one criterion: of 100 patients, or in the unit of a fact; ``interval`` None for what is no share.

    ``further_product``: the value is the class's for a further product of it.
    """

    mean: Number
    interval: Interval | None = None
    kind: Measure = "computed"
    further_product: bool = False
    sources: tuple[str, ...] = ()


class CriterionLine(Value):
    """One criterion as it was used."""

    criterion: str
    label: str
    unit: str
    direction: Literal["benefit", "harm"]
    least: Number
    most: Number
    range_given: bool
    """Whether the ends were stated, or are the whole scale."""
    points: Interval | None = None
    """Least and most points as given."""
    rank: int | None = None
    weight: Number
    """Average weight; all weights add up to 1."""
    weight_interval: Interval | None = None
    """95 % of the weights, where what was said leaves them open."""
    measured: dict[str, Measured] = field(default_factory=dict)
    """By option, those with a number."""


class NotRanked(Value):
    """An option that is not ranked: it lacks a number on a chosen criterion, and none is filled in."""

    option: str
    reasons: tuple[str, ...]


class OptionRanks(Value):
    """How one option comes out.

    ``ranks``: shares of the draws in which it is first, second, and so on. ``central_weights``: average weights of the
    draws in which it is first; ``confidence``: share of draws in which it is first at those weights. Both only where
    the weights are open, and None for an option that is never first.
    """

    option: str
    ranks: tuple[Number, ...]
    value: Number
    value_interval: Interval
    central_weights: dict[str, Number] | None = None
    confidence: Number | None = None


class ValueDifference(Value):
    """Value of the first option minus that of the second."""

    options: tuple[str, str]
    mean: Number
    interval: Interval


class Turn(Value):
    """The weight of one criterion at which another option comes first, the others keeping their proportions.

    By the averages, not by single draws.
    """

    weight: Number
    option: str


class Turning(Value):
    """Where the first rank would change with one weight: below and above what it is now; None: nowhere."""

    criterion: str
    below: Turn | None = None
    above: Turn | None = None


class Ranking(Value):
    """Options of one kind against each other."""

    kind: Literal["class", "product"]
    options: tuple[OptionRanks, ...]
    """In the order of the comparison; empty where fewer than two have every number."""
    first: str | None = None
    """The option with the highest average value; None where two are equal."""
    not_ranked: tuple[NotRanked, ...] = ()
    difference: ValueDifference | None = None
    """Where there are two."""
    turnings: tuple[Turning, ...] = ()
    certainty: Certainty | None = None
    """The lowest of the numbers behind it."""


class PreferenceResult(Value):
    """What the stated weights make of the evidence; the evidence itself stands in the other fields."""

    kind: WeightKind
    criteria: tuple[CriterionLine, ...]
    rankings: tuple[Ranking, ...]
    draws: int
    largest_error: Number
    """Standard error of a share of draws at one half, where it is largest."""
    assumptions: tuple[str, ...]
