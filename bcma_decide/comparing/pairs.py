"""Two options at a time: the differences of a pair that was asked for, and which products the data tell apart."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from bcma_decide.comparing.outcomes import contrast_value
from bcma_decide.comparing.published import Withheld
from bcma_decide.comparing.survival import higher_at_one_year, survival_contrast
from bcma_decide.comparison import Apart, Contrast, Outcome, PairContrast
from bcma_decide.errors import Problem, ProfileError, closest
from bcma_decide.model.apart import fixed_higher
from bcma_decide.model.beside import beside
from bcma_decide.model.contrast import Side
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.time_course import Survival
from bcma_decide.vocabulary import OUTCOMES, PFS

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
    numbers: PatientNumbers, withheld: Mapping[tuple[str, str], Withheld], at_one_year: Mapping[str, Side]
) -> tuple[Apart, ...]:
    """Which products the data tell apart, at every outcome where at least two have a number of their own.

    ``withheld`` has the numbers that are not given, by outcome and option; ``at_one_year`` as in `pair_contrast`.
    """
    pooled = numbers.pooled
    rows = beside(pooled, "products with a number", lambda: list(_products_with_a_number(pooled)))
    if withheld:
        rows = [(o, tuple(product for product in own if (o, product) not in withheld)) for o, own in rows]
    products = (option.id for option in pooled.options if option.kind == "product")
    rows = [*rows, (PFS, tuple(product for product in products if product in at_one_year))]
    moving = _higher(numbers)
    return tuple(
        _apart(outcome, compared, moving[outcome]) if outcome in moving else _still_apart(numbers, outcome, compared)
        for outcome, compared in rows
        if len(compared) > 1
    )


def _apart(outcome: str, compared: tuple[str, ...], higher: Mapping[tuple[str, str], float]) -> Apart:
    return Apart(outcome=outcome, compared=compared, pairs=tuple(_told_apart(compared, higher)))


def _still_apart(numbers: PatientNumbers, outcome: str, compared: tuple[str, ...]) -> Apart:
    """At an outcome that no trait moves: the same for every patient of whom the same products have a number."""

    def made() -> Apart:
        bias = numbers.pooled.assumptions["unanchored_sd"]
        return _apart(outcome, compared, fixed_higher(numbers.pooled, numbers.setting, bias)[outcome])

    return beside(numbers.pooled, ("apart", numbers.setting, outcome, compared), made)


def _higher(numbers: PatientNumbers) -> Mapping[str, Mapping[tuple[str, str], float]]:
    """How likely the first of two options has the higher rate, by outcome that any trait moves."""
    found: dict[str, Mapping[tuple[str, str], float]] = {**numbers.shared.higher}
    if PFS in numbers.pooled.family_index:
        found[PFS] = higher_at_one_year(numbers)
    return found


def _products_with_a_number(pooled: PooledEvidence) -> Iterator[tuple[str, tuple[str, ...]]]:
    """By outcome, the products with a number of their own, not that of the class for a further product."""
    products = [option.id for option in pooled.options if option.kind == "product"]
    for outcome in OUTCOMES:
        places = [(product, pooled.place.get((outcome, product))) for product in products]
        own = [product for product, at in places if at is not None and not pooled.cells[at].further_product]
        yield outcome, tuple(own)


def _told_apart(compared: Sequence[str], higher: Mapping[tuple[str, str], float]) -> Iterator[tuple[str, str]]:
    for pair in combinations(compared, 2):
        if higher[pair] > 1.0 - _TAIL:
            yield pair
        elif higher[pair] < _TAIL:
            yield pair[1], pair[0]
