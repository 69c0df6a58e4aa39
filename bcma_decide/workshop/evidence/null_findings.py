"""Published effects without an interval: a standard error from the p value, and "no difference" as a wide zero.

A published "no significant difference" with group sizes enters as a log odds ratio of 0 with 1.5 times the standard
error that these groups have at the stated rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from statistics import NormalDist
from typing import Final

from bcma_decide.vocabulary import CLASSES, FAMILIES, MODEL_TRAIT_IDS, ClassId
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.reviews import ReviewEffect
from bcma_decide.workshop.evidence.split_levels import LevelBounds

WIDENING: Final = 1.5
"""Factor on the standard error: *not significant* is less than *equal*."""


@dataclass(frozen=True)
class NullContrast:
    """A trait that was said to make no difference, as a contrast on the log odds."""

    id: str
    study: str | None
    """Whose patients these are, so that they are not counted twice."""
    class_id: ClassId
    products: tuple[str, ...]
    trait: str
    outcome: str
    high_n: int
    low_n: int
    high_bounds: LevelBounds
    low_bounds: LevelBounds
    rate: float
    """Rate (0 to 1) at which the standard error is worked out."""
    log_odds_ratio: float
    standard_error: float
    adjusted: bool


def log_standard_error(effect: ReviewEffect) -> float | None:
    """Return the standard error of a published ratio on the log scale: from its interval, else from its p value.

    The interval is taken as symmetric on the log scale (width over 2 x 1.96), the p value as two-sided from a Wald
    test. None where the row has neither, or its measure is no ratio.
    """
    if effect.measure not in ("OR", "HR", "RR") or effect.value is None or effect.value <= 0:
        return None
    if effect.ci95 is not None and effect.ci95[0] and effect.ci95[1]:
        return (log(effect.ci95[1]) - log(effect.ci95[0])) / (2.0 * NormalDist().inv_cdf(0.975))
    if effect.p is not None and 0.0 < effect.p < 1.0 and effect.value != 1.0:
        return abs(log(effect.value)) / NormalDist().inv_cdf(1.0 - effect.p / 2.0)
    return None


def null_standard_error(high_n: int, low_n: int, rate: float) -> float:
    """Return 1.5 x sqrt(1 / (n p q) + 1 / (m p q)): two groups of n and m patients at one rate p."""
    return WIDENING * sqrt((1.0 / high_n + 1.0 / low_n) / (rate * (1.0 - rate)))


def null_contrasts(catalogue: Catalogue, family_id: str) -> tuple[NullContrast, ...]:
    """Return every "no difference" of a trait of the model on the outcomes of one family, in the order of the file.

    Recalled rows stay out. The check of the evidence holds each row to one trait, one outcome and two groups.
    """
    outcomes = {threshold.id for family in FAMILIES if family.id == family_id for threshold in family.thresholds}
    return tuple(
        _contrast(effect)
        for effect in catalogue.adjusted_effects.effects
        if effect.measure == "no_difference"
        and effect.basis != "recalled"
        and effect.class_id in CLASSES
        and effect.traits[0] in MODEL_TRAIT_IDS
        and effect.outcomes[0] in outcomes
    )


def _contrast(effect: ReviewEffect) -> NullContrast:
    high, low = effect.groups
    rate = (effect.rate_pct or 0.0) / 100.0
    high_n, low_n = high.n or 0, low.n or 0
    return NullContrast(
        id=effect.id,
        study=effect.study,
        class_id="car_t" if effect.class_id == "car_t" else "bite",
        products=effect.products,
        trait=effect.traits[0],
        outcome=effect.outcomes[0],
        high_n=high_n,
        low_n=low_n,
        high_bounds=LevelBounds(high.at_least, high.below),
        low_bounds=LevelBounds(low.at_least, low.below),
        rate=rate,
        log_odds_ratio=0.0,
        standard_error=null_standard_error(high_n, low_n, rate),
        adjusted=effect.adjustment in ("multivariable", "propensity"),
    )
