"""Covariance of comparisons that have their second group in common (Gleser and Olkin 2009).

What two comparisons with the same controls share is the sampling variance of these: ``1/c + 1/d`` of a log odds ratio
(c with and d without the event), ``1/c - 1/n`` of a log risk ratio, ``p (1 - p) / n`` of a risk difference, ``1/c`` of
a log rate ratio.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.continuity import HALF_A_PATIENT, Correction
from bcma_decide.workshop.meta_analysis.incidence_rates import RatePairs
from bcma_decide.workshop.meta_analysis.two_groups import GroupMeasure, Tables

__all__ = ["covariance", "of_controls", "of_controls_in_time"]


def of_controls(counted: Tables, measure: GroupMeasure, correction: Correction = HALF_A_PATIENT) -> FloatArray:
    """The controls' part of the sampling variance of each comparison, (k,), corrected as `two_groups` does."""
    padded = counted.padded(correction)
    c, d = padded.events2, padded.others2
    n = c + d
    parts = {"OR": 1 / c + 1 / d, "RR": 1 / c - 1 / n, "RD": c * d / n**3}
    return parts[measure]


def of_controls_in_time(pairs: RatePairs) -> FloatArray:
    """The same of log rate ratios."""
    half = np.where((pairs.first.events == 0) | (pairs.second.events == 0), 0.5, 0.0)
    return np.asarray(1 / (pairs.second.events + half))


def covariance(vi: FloatArray, parts: FloatArray, controls: Sequence[Hashable]) -> FloatArray:
    """Sampling covariance (k, k) of comparisons with variances ``vi`` and the controls' ``parts`` of them, (k,) each.

    ``controls`` names those of each comparison. Where a correction of empty cells makes two parts of the same controls
    differ, the smaller is shared: the matrix then stays positive definite.
    """
    number = {name: place for place, name in enumerate(dict.fromkeys(controls))}
    index = np.array([number[name] for name in controls])
    shared = np.where(index[:, None] == index, np.minimum(parts[:, None], parts), 0.0)
    np.fill_diagonal(shared, vi)
    return shared
