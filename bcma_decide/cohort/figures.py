"""The figures of different patients, worked out once for what is known and acts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bcma_decide.cohort.layout import Figures
from bcma_decide.facts.traits import Traits
from bcma_decide.model.contrast import Difference, Side, differences
from bcma_decide.model.numbers import PatientNumbers, patient_numbers
from bcma_decide.model.survival import Curve, averages_at, survival_curves
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import CLASSES, PFS, Design

Array = NDArray[np.float64]

DECIMALS: Final = 6
"""Of every number that leaves the program."""


def figures_of(pooled: PooledEvidence, traits: Traits, setting: Design, wanted: Sequence[Figures]) -> Array:
    """All wanted figures of one patient in their order, rounded as every answer is, (figures,)."""
    numbers = patient_numbers(pooled, traits, setting)
    curves = survival_curves(numbers) if any(each.outcome == PFS for each in wanted) else {}
    found = [figure for each in wanted for figure in _values(numbers, curves, each)]
    return np.array(found, dtype=float).round(DECIMALS) + 0.0


def _values(numbers: PatientNumbers, curves: dict[str, Curve], each: Figures) -> Sequence[float]:
    if each.outcome == PFS:
        return _contrast(_at_one_year(numbers, curves, each.month)) if len(each.options) > 1 else _share(curves, each)
    if len(each.options) > 1:
        return _contrast(numbers.class_differences[True][each.outcome])
    rates = numbers.rates[numbers.place[each.outcome, each.options[0]]]
    return (rates.mean, rates.median, *rates.credible, *rates.prediction)


def _contrast(difference: Difference) -> Sequence[float]:
    return (*difference.risk_difference, difference.probability_first_higher)


def _share(curves: dict[str, Curve], each: Figures) -> Sequence[float]:
    curve, at = curves[each.options[0]], each.month - 1
    return (float(curve.mean[at]), *curve.credible[at].tolist(), *curve.prediction[at].tolist())


def _at_one_year(numbers: PatientNumbers, curves: dict[str, Curve], month: int) -> Difference:
    pooled = numbers.pooled
    averages = averages_at(numbers, CLASSES, float(month))
    first, second = (
        Side(averages[option], float(curves[option].mean[month - 1]), index) for index, option in enumerate(CLASSES)
    )
    covariance = pooled.effect_blocks[pooled.family_index[PFS]]
    (difference,) = differences(first, second, covariance, (pooled.assumptions["unanchored_sd"],))
    return difference
