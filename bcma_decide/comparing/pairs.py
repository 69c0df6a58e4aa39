"""Two options at a time: the differences of a pair that was asked for, and which products the data tell apart."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from bcma_decide.comparing.outcomes import contrast_value
from bcma_decide.comparing.survival import survival_contrast
from bcma_decide.comparison import Apart, Contrast, Outcome, PairContrast
from bcma_decide.errors import Problem, ProfileError, closest
from bcma_decide.model.contrast import Side, higher_of_pairs
from bcma_decide.model.kernel import fixed_higher
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.time_course import Survival
from bcma_decide.vocabulary import PFS

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
    products = [option.id for option in pooled.options if option.kind == "product"]
    survival = {product: at_one_year[product] for product in products if product in at_one_year}
    rows = [(o.id, [product for product in products if _has_own_number(o, product)]) for o in outcomes]
    rows = [(outcome, compared) for outcome, compared in [*rows, (PFS, list(survival))] if len(compared) > 1]
    return tuple(
        Apart(
            outcome=outcome,
            compared=tuple(compared),
            pairs=tuple(_told_apart(compared, _higher(numbers, outcome, compared, survival))),
        )
        for outcome, compared in rows
    )


def _higher(
    numbers: PatientNumbers, outcome: str, compared: Sequence[str], survival: Mapping[str, Side]
) -> Mapping[tuple[str, str], float]:
    """How likely the first of two products has the higher rate: at least for all pairs of those ``compared``."""
    pooled = numbers.pooled
    bias = pooled.assumptions["unanchored_sd"]
    if outcome == PFS:
        return higher_of_pairs(survival, pooled.effect_blocks[pooled.family_index[PFS]], bias)
    if not numbers.moves(outcome):
        return fixed_higher(pooled, numbers.setting, bias)[outcome]
    sides = {each: numbers.side(outcome, each) for each in compared}
    return higher_of_pairs(sides, pooled.outcome_covariance[outcome], bias)


def _has_own_number(outcome: Outcome, product: str) -> bool:
    estimate = outcome.estimates[product]
    return estimate.state == "estimated" and not estimate.further_product


def _told_apart(compared: Sequence[str], higher: Mapping[tuple[str, str], float]) -> Iterator[tuple[str, str]]:
    for pair in combinations(compared, 2):
        if higher[pair] > 1.0 - _TAIL:
            yield pair
        elif higher[pair] < _TAIL:
            yield pair[1], pair[0]
