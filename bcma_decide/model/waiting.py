"""Waiting for the infusion: what a curve from the infusion is worth when counted from the decision.

A patient is waiting, or left without an infusion, or infused and free of progression, or had progression (or died)
after it; the four shares add up to 1. With w the wait, p the chance to be infused and S the share of those infused who
are free of progression,

    waiting(t)      1 - (1 - p) t / w        before w, then 0
    not infused(t)  (1 - p) min(t / w, 1)
    free(t)         0                        before w, then p S(t - w)

averaged over the spread of w: those who are not infused leave evenly over the wait. *Free of progression from the
decision* is waiting or free; who left without an infusion is not. Waiting and leaving compete (Putter H, Fiocco M,
Geskus RB. Stat Med 2007;26:2389-2430); that S is of those infused, and not of everybody, is what the patients' rates
are for (:mod:`bcma_decide.model.decision_clock`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.normal import Z95, logistic, quantile
from bcma_decide.model.prediction import logit

Array = NDArray[np.float64]

DAYS_A_MONTH = 365.25 / 12.0
POINTS = 9
"""Equally likely waits, an odd number so that the middle one is the median."""
_EDGE = 1e-9
"""A share of all or none has no log odds, and time 0 no log; they are taken as next to it."""


class Arm(Struct, frozen=True):
    """One product from the decision on.

    ``infused``: share of those apheresed. ``months`` (T,), positive and rising, and ``free`` (T,): share of those
    infused without progression that long after the infusion. ``wait`` (points,): equally likely waits, months.
    """

    infused: float
    months: Array
    free: Array
    wait: Array


class Shares(Struct, frozen=True):
    """Where all patients are at some times, (times,) each; they add up to 1."""

    waiting: Array
    not_infused: Array
    free: Array
    progressed: Array

    @property
    def without_progression(self) -> Array:
        """Waiting or free, (times,)."""
        return self.waiting + self.free


class Course(Struct, frozen=True):
    """One product at some times after the decision.

    ``by_infused`` (times,): derivative of the share without progression in the log odds of the chance to be infused;
    ``by_free`` (times, points): in those of being free ``past`` (times, points) months after each wait.
    """

    shares: Shares
    by_infused: Array
    by_free: Array
    past: Array


def wait_points(median: float, ends: tuple[float | None, float | None] | None, n: int | None) -> Array:
    """Equally likely waits, (points,), with this median, in its unit; the median alone without a range or ``n``.

    The log of the wait is normal on each side of the median, with the spread at which the printed ends are the
    smallest and largest of ``n`` expected (Blom G. Statistical estimates and transformed beta-variables, 1958:
    the largest of n normals is near the quantile (n - 3/8) / (n + 1/4)).
    """
    low, high = ends or (None, None)
    if low is None or high is None or n is None or n < 2 or not 0.0 < low <= median <= high:
        return np.array([median])
    furthest = float(quantile(np.array([(n - 0.375) / (n + 0.25)]))[0])
    normal = quantile(np.arange(0.5, POINTS) / POINTS)
    ratio: Array = np.where(normal < 0.0, median / low, high / median)
    return np.asarray(median * ratio ** (normal / furthest))


def free_at(months: Array, free: Array, at: Array) -> Array:
    """A curve between its positive months, any shape of ``at``; log odds are linear in log time, 1 at time 0.

    Exact for a log-logistic curve. Before the first month the line of the first two goes on.
    """
    known, odds = np.log(months), logit(free)
    wanted = np.log(np.maximum(at, _EDGE))
    early = odds[0] + (wanted - known[0]) * (odds[1] - odds[0]) / (known[1] - known[0])
    found = np.where(wanted < known[0], np.maximum(early, odds[0]), np.interp(wanted, known, odds))
    return np.asarray(np.where(at <= 0.0, 1.0, logistic(found)))


def course(arm: Arm, at: Array) -> Course:
    """Where the patients of one product are at the times ``at`` (times,), months from the decision."""
    infused, points = arm.infused, arm.wait.size
    past = at[:, None] - arm.wait
    gone = np.minimum(at[:, None] / arm.wait, 1.0)
    before = past < 0.0
    free = np.where(before, 0.0, free_at(arm.months, arm.free, past))
    waiting = np.where(before, 1.0 - (1.0 - infused) * gone, 0.0).mean(axis=1)
    not_infused = (1.0 - infused) * gone.mean(axis=1)
    kept = infused * free.mean(axis=1)
    return Course(
        shares=Shares(waiting, not_infused, kept, 1.0 - waiting - not_infused - kept),
        by_infused=infused * (1.0 - infused) * np.where(before, gone, free).mean(axis=1),
        by_free=infused * free * (1.0 - free) / points,
        past=past,
    )


def average_shares(courses: Sequence[Course]) -> Shares:
    """Where patients are on the average over some products."""
    every = [each.shares for each in courses]
    waiting, not_infused, free = (
        np.mean([getattr(each, name) for each in every], axis=0) for name in ("waiting", "not_infused", "free")
    )
    return Shares(waiting, not_infused, free, 1.0 - waiting - not_infused - free)


def interval(
    courses: Sequence[Course], middle: Array, months: Array, infused_sd: float, free_sd: Array
) -> tuple[Array, Array]:
    """Ends of the 95 % interval of the share without progression ``middle``, (times,) each, linearised on its log odds.

    ``infused_sd`` is of the log odds of the chance to be infused, ``free_sd`` (T,) of those of being free at
    ``months`` after the infusion. The two have no parameter in common; the times of one curve move together.
    """
    by_infused = np.mean([each.by_infused for each in courses], axis=0) * infused_sd
    by_free = np.mean([(each.by_free * np.interp(each.past, months, free_sd)).sum(axis=1) for each in courses], axis=0)
    inside = np.clip(middle, _EDGE, 1.0 - _EDGE)
    half = Z95 * np.sqrt(by_infused**2 + by_free**2) / (inside * (1.0 - inside))
    # Who progressed does not come back: an end that rises would say so.
    low, high = (np.minimum.accumulate(logistic(logit(middle) + side * half)) for side in (-1.0, 1.0))
    return np.minimum(low, middle), np.maximum(high, middle)


def adding_up(found: Shares) -> Shares:
    """The same to six decimals, still adding up to 1: running totals are rounded, so that nobody comes back either."""
    totals = np.cumsum([found.not_infused, found.progressed, found.free], axis=0).round(6)
    not_infused, progressed, free = np.diff(totals, axis=0, prepend=0.0).round(6)
    return Shares((1.0 - totals[-1]).round(6), not_infused, free, progressed)
