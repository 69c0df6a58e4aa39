"""Rates of events per person-time, of single arms and of two groups compared, on the log scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_level, checked_vector, refuse
from bcma_decide.workshop.meta_analysis.effect_sizes import EffectSizes
from bcma_decide.workshop.meta_analysis.pooled_tables import CommonEffect, common_effect

__all__ = ["PersonTime", "RatePairs", "compare_rates", "log_rates", "mantel_haenszel_rates"]


@dataclass(frozen=True, eq=False)
class PersonTime:
    """Events of k groups, (k,), and the time in which they were counted, (k,), in any unit."""

    events: FloatArray
    time: FloatArray

    def __post_init__(self) -> None:
        e, t = checked_vector(self.events, "events"), checked_vector(self.time, "time")
        if e.size != t.size:
            raise SynthesisError(f"events has {e.size} rows but time has {t.size}")
        refuse(t <= 0, lambda i: f"time[{i}] is {t[i]:g}, but events are counted in a time of more than 0")
        refuse(e < 0, lambda i: f"events[{i}] is {e[i]:g}, but a count cannot be negative")

    @property
    def empty(self) -> npt.NDArray[np.bool_]:
        """Which have no event, (k,)."""
        return np.asarray(self.events == 0)

    def of(self, rows: npt.NDArray[np.intp]) -> PersonTime:
        """Some of them."""
        return PersonTime(self.events[rows], self.time[rows])


@dataclass(frozen=True, eq=False)
class RatePairs:
    """Two groups of each of k studies."""

    first: PersonTime
    second: PersonTime

    @property
    def empty(self) -> npt.NDArray[np.bool_]:
        """Which have no event in one of the groups, or in both, (k,)."""
        return self.first.empty | self.second.empty

    def of(self, rows: npt.NDArray[np.intp]) -> RatePairs:
        """Some of the studies."""
        return RatePairs(self.first.of(rows), self.second.of(rows))


def log_rates(counted: PersonTime) -> EffectSizes:
    """Log rates ``log(e / t)`` with variances ``1 / e``; half an event is added where there is none, as in metafor."""
    events = np.where(counted.empty, 0.5, counted.events)
    return EffectSizes(np.log(events / counted.time), 1 / events)


def compare_rates(pairs: RatePairs) -> EffectSizes:
    """Log rate ratios of the first group to the second, with variances ``1/e1 + 1/e2`` (Rothman 2008).

    Half an event is added to both groups of a study where one has none, as in metafor.
    """
    one, two = pairs.first, pairs.second
    half = np.where(pairs.empty, 0.5, 0.0)
    e1, e2 = one.events + half, two.events + half
    return EffectSizes(np.log(e1 / one.time) - np.log(e2 / two.time), 1 / e1 + 1 / e2)


def mantel_haenszel_rates(pairs: RatePairs, *, level: float = 0.95) -> CommonEffect:
    """Mantel-Haenszel estimate of a common log rate ratio (Rothman, Greenland and Lash 2008).

    Studies without events in both groups tell nothing, and are not counted in Q.

    Raises
    ------
    SynthesisError
        If the level is not between 0 and 1, or one of the groups has no event in all studies together.
    """
    checked_level(level)
    (e1, t1), (e2, t2) = ((each.events, each.time) for each in (pairs.first, pairs.second))
    together = t1 + t2
    r, s = float((e1 * t2 / together).sum()), float((e2 * t1 / together).sum())
    if r <= 0 or s <= 0:
        raise SynthesisError("the studies together leave no rate ratio: one group has no event in all")
    estimate, informative = float(np.log(r / s)), e1 + e2 > 0
    variance = float((t1 * t2 * (e1 + e2) / np.square(together)).sum() / (r * s))
    effects = compare_rates(pairs)
    return common_effect(estimate, variance, effects.yi[informative], effects.vi[informative], informative, level)
