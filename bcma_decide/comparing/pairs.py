"""Two options at a time: the differences of a pair that was asked for, and which products the data tell apart."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bcma_decide.comparing.outcomes import contrast_value
from bcma_decide.comparing.survival import survival_contrast
from bcma_decide.comparison import Apart, Contrast, Outcome, PairContrast
from bcma_decide.errors import Problem, ProfileError, closest
from bcma_decide.model.contrast import Side, differences
from bcma_decide.model.normal import Z95
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.time_course import Survival
from bcma_decide.vocabulary import PFS

Array = NDArray[np.float64]

_TAIL: Final = 0.025
"""Beyond it on either side the 95 % interval of a difference leaves out zero."""


def check_pair(pair: tuple[str, str] | None, options: Sequence[str]) -> None:
    """Refuse a pair of what is not compared here, or of one option twice; raises ProfileError."""
    for option in pair or ():
        if option not in options:
            hint = closest(option, list(options)) or f"one of {', '.join(options)}"
            raise ProfileError("the pair cannot be compared", [Problem("pair", f"{option!r} is not compared", hint)])
    if pair is not None and pair[0] == pair[1]:
        problem = Problem("pair", f"{pair[0]!r} is named twice", "name two options")
        raise ProfileError("the pair cannot be compared", [problem])


def pair_contrast(
    numbers: PatientNumbers,
    pair: tuple[str, str],
    outcomes: Collection[Outcome],
    at_one_year: Mapping[str, Side],
    survival: Sequence[Survival],
) -> PairContrast:
    """First minus second of a pair at every outcome where both have a number.

    ``at_one_year`` are the sides of progression-free survival, ``survival`` its computed rows.
    """
    found = {
        outcome.id: _contrast(numbers, pair, outcome)
        for outcome in outcomes
        if all(outcome.estimates[option].state == "estimated" for option in pair)
    }
    of_survival = survival_contrast(numbers, at_one_year, survival, pair)
    return PairContrast(options=pair, contrasts=found if of_survival is None else {**found, PFS: of_survival})


def _contrast(numbers: PatientNumbers, pair: tuple[str, str], outcome: Outcome) -> Contrast:
    bias = numbers.pooled.assumptions["unanchored_sd"]
    biased, unbiased = numbers.differences(outcome.id, pair, (bias, 0.0))
    return contrast_value(pair, biased, unbiased, bias, [outcome.estimates[option] for option in pair])


def apart_products(
    numbers: PatientNumbers, outcomes: Collection[Outcome], at_one_year: Mapping[str, Side]
) -> tuple[Apart, ...]:
    """Which products the data tell apart, at every outcome where at least two have a number of their own."""
    pooled = numbers.pooled
    bias, products = pooled.assumptions["unanchored_sd"], [o.id for o in pooled.options if o.kind == "product"]
    rows = [
        (
            outcome.id,
            {product: numbers.side(outcome.id, product) for product in products if _has_own_number(outcome, product)},
            pooled.outcome_covariance[outcome.id],
        )
        for outcome in outcomes
    ]
    of_survival = {product: at_one_year[product] for product in products if product in at_one_year}
    rows.append((PFS, of_survival, pooled.effect_blocks[pooled.family_index[PFS]]))
    return tuple(
        Apart(outcome=outcome, compared=tuple(sides), pairs=tuple(_told_apart(sides, covariance, bias)))
        for outcome, sides, covariance in rows
        if len(sides) > 1
    )


def _has_own_number(outcome: Outcome, product: str) -> bool:
    estimate = outcome.estimates[product]
    return estimate.state == "estimated" and not estimate.further_product


def _told_apart(sides: Mapping[str, Side], covariance: Array, bias: float) -> Iterator[tuple[str, str]]:
    centre = {product: float(side.average.weight @ side.average.logit) for product, side in sides.items()}
    for pair in combinations(sides, 2):
        # the bias term alone keeps a smaller gap of the log odds from being told apart
        if abs(centre[pair[0]] - centre[pair[1]]) < Z95 * bias:
            continue
        first_higher = differences(sides[pair[0]], sides[pair[1]], covariance, (bias,))[0].probability_first_higher
        if first_higher > 1.0 - _TAIL:
            yield pair
        elif first_higher < _TAIL:
            yield pair[1], pair[0]
