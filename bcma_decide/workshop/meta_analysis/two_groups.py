"""Two groups of patients compared: odds ratio, risk ratio and risk difference of 2-by-2 tables.

Ratios are on the log scale. Group 1 is compared with group 2: a positive value means more events in group 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_choice, checked_counts
from bcma_decide.workshop.meta_analysis.continuity import HALF_A_PATIENT, Correction
from bcma_decide.workshop.meta_analysis.effect_sizes import EffectSizes

__all__ = [
    "GROUP_MEASURES",
    "GroupMeasure",
    "Tables",
    "compare_groups",
    "ratio",
    "tables",
]

GroupMeasure = Literal["OR", "RR", "RD"]
GROUP_MEASURES: tuple[GroupMeasure, ...] = get_args(GroupMeasure)
_LARGEST_LOG = float(np.log(np.finfo(np.float64).max))


@dataclass(frozen=True, eq=False)
class Tables:
    """2-by-2 tables of k studies: events and other patients of group 1 and of group 2, each (k,)."""

    events1: FloatArray
    others1: FloatArray
    events2: FloatArray
    others2: FloatArray

    @property
    def total1(self) -> FloatArray:
        """Patients of group 1, (k,)."""
        return self.events1 + self.others1

    @property
    def total2(self) -> FloatArray:
        """Patients of group 2, (k,)."""
        return self.events2 + self.others2

    @property
    def empty(self) -> npt.NDArray[np.bool_]:
        """Studies with an empty cell, (k,)."""
        cells = (self.events1, self.others1, self.events2, self.others2)
        return np.asarray(np.any([each == 0 for each in cells], axis=0))

    @property
    def alike(self) -> npt.NDArray[np.bool_]:
        """Studies in which nobody, or everybody, had the event in both groups, (k,): they tell nothing of a ratio."""
        return np.asarray((self.events1 + self.events2 == 0) | (self.others1 + self.others2 == 0))

    def padded(self, correction: Correction) -> Tables:
        """The same with a correction of empty cells."""
        one, other = correction.shared(self.empty, self.total1, self.total2)
        return Tables(self.events1 + one, self.others1 + one, self.events2 + other, self.others2 + other)


def tables(events1: npt.ArrayLike, total1: npt.ArrayLike, events2: npt.ArrayLike, total2: npt.ArrayLike) -> Tables:
    """Checked 2-by-2 tables.

    Parameters
    ----------
    events1, total1, events2, total2 : array_like, shape (k,)

    Raises
    ------
    SynthesisError
        Naming the group and the first row that breaks a rule, counted from 0.
    """
    counts = []
    for group, events, total in (("group 1", events1, total1), ("group 2", events2, total2)):
        try:
            counts.append(checked_counts(events, total))
        except SynthesisError as error:
            raise SynthesisError(f"{group}: {error.message}") from error
    (a, n1), (c, n2) = counts
    if a.size != c.size:
        raise SynthesisError(f"group 1 has {a.size} rows but group 2 has {c.size}")
    return Tables(a, n1 - a, c, n2 - c)


def compare_groups(
    events1: npt.ArrayLike,
    total1: npt.ArrayLike,
    events2: npt.ArrayLike,
    total2: npt.ArrayLike,
    measure: GroupMeasure = "OR",
    *,
    correction: Correction = HALF_A_PATIENT,
) -> EffectSizes:
    """Log odds ratio, log risk ratio or risk difference of each study, and its variance.

    With events a of n1 and c of n2 and b, d the other patients (Fleiss and Berlin 2009):
    ``log(a d / (b c))``, ``1/a + 1/b + 1/c + 1/d``; ``log((a / n1) / (c / n2))``, ``1/a - 1/n1 + 1/c - 1/n2``;
    ``p1 - p2``, ``p1 (1 - p1) / n1 + p2 (1 - p2) / n2``.

    Studies with an empty cell get half a patient in all four, unless another correction is asked for. That is what
    metafor does, and it keeps studies without events, or with events only, in both groups: they enter an OR or RR as a
    comparison near 1 with a large variance (`Tables.alike` tells which they are).

    Parameters
    ----------
    events1, total1, events2, total2 : array_like, shape (k,)
    measure : {"OR", "RR", "RD"}
    correction

    Returns
    -------
    EffectSizes
        Ratios on the log scale; `ratio` goes back. Both are NaN where what was added leaves no effect, or one whose
        variance is 0 or without end.

    Raises
    ------
    SynthesisError
        If the counts are not valid (see `tables`) or the measure is unknown.
    """
    checked_choice("measure", measure, GROUP_MEASURES)
    t = tables(events1, total1, events2, total2).padded(correction)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _effects(t, measure).where_known()


def _effects(t: Tables, measure: GroupMeasure) -> EffectSizes:
    a, b, c, d = t.events1, t.others1, t.events2, t.others2
    n1, n2 = t.total1, t.total2
    if measure == "OR":
        # A difference of two logarithms, so that swapping the groups changes the sign and no digit.
        return EffectSizes(np.log(a / b) - np.log(c / d), 1 / a + 1 / b + 1 / c + 1 / d)
    if measure == "RR":
        return EffectSizes(np.log(a / n1) - np.log(c / n2), 1 / a - 1 / n1 + 1 / c - 1 / n2)
    p1, p2 = a / n1, c / n2
    return EffectSizes(p1 - p2, p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)


def ratio(y: npt.ArrayLike) -> FloatArray:
    """Odds ratios or risk ratios of their logarithms; same shape as ``y``.

    Raises
    ------
    SynthesisError
        For the logarithm of a ratio that no floating-point number holds; what is not known (nan) stays so.
    """
    logarithms = np.asarray(y, dtype=np.float64)
    largest = np.nanmax(logarithms, initial=0.0)
    if largest > _LARGEST_LOG:
        raise SynthesisError(
            f"a ratio of e^{largest:.0f}, as an estimate or the end of an interval, is beyond what numbers hold: take "
            "a lower --level, --prediction normal, --method MH in place of PETO, or --measure RD"
        )
    return np.exp(logarithms)
