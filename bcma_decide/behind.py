"""What stands behind a number: studies with their weights, trait effects, and what an unknown trait would move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from bcma_decide.value import Interval, Number, Value
from bcma_decide.vocabulary import ClassId

TimeOrigin = Literal["randomisation", "apheresis", "infusion", "first_dose", "other", "not_stated"]

STARTS: Final[Mapping[ClassId, TimeOrigin]] = {"car_t": "infusion", "bite": "first_dose"}
"""What the computed curves of a class are counted from."""


class Move(Value):
    """How far one unknown trait could move one number."""

    outcome: str
    option: str
    low: Number
    high: Number
    low_when: str
    high_when: str
    unstable: bool = False
    """Whether it moves the number so far that the number is not to be read without the two."""


class StudyLine(Value):
    """A study behind a baseline, with its share of the information."""

    study: str
    name: str
    option: str
    design: Literal["real_world", "interventional"]
    events: int
    n: int
    follow_up_months: Number | None
    weight_pct: Number
    basis: Literal["verified", "derived", "recalled"]
    source: str


class EffectLine(Value):
    """A trait effect behind the numbers."""

    trait: str
    label: str
    class_id: Literal["car_t", "bite"]
    log_odds_ratio: Number
    interval: Interval
    unit: str
    """Per what: *present versus absent*, *per decade*, *per doubling of prior lines*."""
    origin: str
    """*seen in this class* or *borrowed from the other class*."""
    evidence: tuple[str, ...]
    """The contrasts behind it, one line each."""


class Explanation(Value):
    """Everything behind one outcome."""

    outcome: str
    studies: tuple[StudyLine, ...]
    effects: tuple[EffectLine, ...]
    same_effect_test: str | None = None
    """Whether a trait acts alike on all thresholds of the family, where contrasts on several thresholds can tell."""
    left_out: tuple[str, ...] = ()
    method: str


class PrintedPoint(Value):
    """A printed share free of progression at a month; a printed median is the month at which half are free of it."""

    month: Number
    share: Number
    interval: tuple[Number | None, Number | None] | None = None
    """95 %, of the share."""
    interval_months: tuple[Number | None, Number | None] | None = None
    """95 %, of the median."""


class SurvivalStudy(Value):
    """A study behind the computed curves of a class, with its share of the information."""

    study: str
    name: str
    products: tuple[str, ...]
    class_id: ClassId
    design: Literal["real_world", "interventional"]
    n: int
    origin: TimeOrigin
    points: tuple[PrintedPoint, ...]
    weight_pct: Number
    basis: Literal["verified", "derived", "recalled"]
    source: str


class SurvivalExplanation(Value):
    """Everything behind the computed curves; effects are log odds ratios of being free of progression."""

    endpoint: Literal["pfs"]
    studies: tuple[SurvivalStudy, ...]
    effects: tuple[EffectLine, ...]
    left_out: tuple[str, ...] = ()
    method: str
