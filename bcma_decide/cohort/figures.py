"""The figures that move with a patient, for many at once, and those that are the same for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bcma_decide.cohort.layout import MEDIAN, Figures
from bcma_decide.model.batch import BatchNumbers, Profiles, batch_numbers, compared_outcomes
from bcma_decide.model.survival_batch import BatchSurvival, survival_of_kinds
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.time_course import LANDMARKS
from bcma_decide.vocabulary import PFS, Design

Array = NDArray[np.float64]

_DECIMALS: Final = 6
"""Of every number that leaves the program (`bcma_decide.value.rounded`)."""
_AT_ONCE: Final = 2048
"""Patients whose figures are held at the same time."""


def figures_of(pooled: PooledEvidence, setting: Design, profiles: Profiles, wanted: Sequence[Figures]) -> Array:
    """Some figures of some patients, in the order of their names, rounded as every answer is, (figures, profiles)."""
    rows = len(profiles)
    ends = np.cumsum([0, *(len(each.names) for each in wanted)]).tolist()
    places = [slice(*pair) for pair in pairwise(ends)]
    found = np.empty((ends[-1], rows))
    if any(each.outcome == PFS for each in wanted):
        survival, kind_of = survival_of_kinds(pooled, setting, profiles)
        for place, each in zip(places, wanted, strict=True):
            if each.outcome == PFS:
                found[place] = _of_survival(survival, each).T[:, kind_of]
    for start in range(0, rows, _AT_ONCE):
        of = slice(start, start + _AT_ONCE)
        numbers = batch_numbers(pooled, setting, profiles[of])
        for place, each in zip(places, wanted, strict=True):
            if each.outcome != PFS:
                found[place, of] = _of_rates(pooled, numbers, each).T
    return np.round(found, _DECIMALS, out=found) + 0.0


def _of_rates(pooled: PooledEvidence, numbers: BatchNumbers, each: Figures) -> Array:
    if len(each.options) > 1:
        place = compared_outcomes(pooled).index(each.outcome)
        return np.column_stack([numbers.risk_difference[:, place], numbers.first_higher[:, place]])
    cell = pooled.place[each.outcome, each.options[0]]
    return np.column_stack(
        [numbers.mean[:, cell], numbers.median[:, cell], numbers.credible[:, cell], numbers.prediction[:, cell]]
    )


def _of_survival(survival: BatchSurvival, each: Figures) -> Array:
    if len(each.options) > 1:
        return np.column_stack([survival.risk_difference, survival.first_higher])
    option = survival.options.index(each.options[0])
    if each.duration:
        return np.asarray((survival.median if each.duration == MEDIAN else survival.restricted_mean)[:, option])
    return np.asarray(survival.share[:, option, LANDMARKS.index(each.month)])
