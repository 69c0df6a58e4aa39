"""Pooling without each of many studies, or up to each of them, in time that grows with their number, not its square.

A subset has a tau2 of its own, and so its own weights 1 / (v + tau2): summed one by one, k subsets of k studies cost
k^2. The sums of w^j y^m over the studies are however smooth functions of tau2, and those of nearly all studies
differ from subset to subset by one term. So they are taken at Chebyshev's points of every octave of tau2 + min v that a
subset lies in, and read off between them. The only poles lie at tau2 = -v, at three half widths of the octave from its
middle or further: 24 points leave less than 6^-24 (Trefethen LN. Approximation Theory and Approximation Practice, 2013,
theorem 8.2), which is rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.heterogeneity import Method
from bcma_decide.workshop.meta_analysis.subset_peaks import lone_peak, slope_grid

__all__ = ["Kind", "Moments", "SubsetSums", "tau2_of_subsets"]

Kind = Literal["without", "up_to"]

_POINTS: Final = 24
"""Chebyshev's points of an octave, for the reason above: what they leave is rounding."""
_MOST_STEPS: Final = 100
"""What has not settled then, swinging between peaks, is fitted one by one."""
_SETTLED: Final = 1e-12
"""Of a step, relative to tau2 plus the smallest variance."""
_FLAT: Final = 0.1
"""Share of the expected information below which the observed one is not trusted for a step."""
_OWN: Final = 0.5
"""Share of a sum that one study may have where it is taken out of it: beyond, digits of the others are lost."""

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the studies of subsets, each (rows,): ``s`` of w, w^2 and w^3, ``y``, ``yy`` of these times y, y^2."""

    s: tuple[FloatArray, FloatArray, FloatArray]
    y: tuple[FloatArray, FloatArray, FloatArray]
    yy: tuple[FloatArray, FloatArray, FloatArray]

    @property
    def mean(self) -> FloatArray:
        """Weighted mean."""
        return self.y[0] / self.s[0]

    def squares(self, power: int) -> FloatArray:
        """Sum of ``w^power (y - mean)^2``; the first is Q at this tau2."""
        at, mean = power - 1, self.mean
        return np.maximum(0.0, self.yy[at] - 2 * mean * self.y[at] + np.square(mean) * self.s[at])

    @property
    def trace(self) -> FloatArray:
        """Trace of P."""
        return self.s[0] - self.s[1] / self.s[0]


@dataclass(frozen=True, eq=False)
class SubsetSums:
    """The sums over the studies of k subsets: all ``without`` the row's own, or those ``up_to`` it, itself included."""

    y: FloatArray
    v: FloatArray
    kind: Kind

    @property
    def sizes(self) -> FloatArray:
        """Studies of each subset, (k,)."""
        k = self.y.size
        return np.full(k, k - 1.0) if self.kind == "without" else np.arange(1.0, k + 1.0)

    def plain(self, values: FloatArray) -> FloatArray:
        """Sums of some values (k,) over each subset, (k,)."""
        return values.sum() - values if self.kind == "without" else np.cumsum(values)

    def at(self, tau2: FloatArray, rows: Rows) -> Moments:
        """Moments of some subsets (rows,), each at its own tau2 (rows,)."""
        octave = np.floor(np.log2(1.0 + tau2 / self.v.min()))
        found = np.empty((9, rows.size))
        for each in np.unique(octave):
            inside = np.flatnonzero(octave == each)
            found[:, inside] = self._in_octave(float(self.v.min() * 2.0**each), tau2[inside], rows[inside])
        if self.kind == "without":
            found -= _terms(1.0 / (self.v[rows] + tau2), self.y[rows])
        return Moments(*(tuple(found[at : at + 3]) for at in (0, 3, 6)))

    def at_all(self, tau2: float, rows: Rows) -> Moments:
        """Moments of some subsets (rows,), all at one tau2."""
        terms = _terms(1.0 / (self.v + tau2), self.y)
        without = self.kind == "without"
        found = terms.sum(axis=1)[:, None] - terms[:, rows] if without else np.cumsum(terms, axis=1)[:, rows]
        return Moments(*(tuple(found[at : at + 3]) for at in (0, 3, 6)))

    def _in_octave(self, low: float, tau2: FloatArray, rows: Rows) -> FloatArray:
        """The nine sums over all studies, or up to the row, for tau2 + min v between ``low`` and twice of it."""
        angle = np.pi * (np.arange(_POINTS) + 0.5) / _POINTS
        scaled = np.clip((tau2 + self.v.min()) / (0.5 * low) - 3.0, -1.0, 1.0)
        degree = np.arange(_POINTS)
        basis = np.cos(np.arccos(scaled)[:, None] * degree) * np.where(degree, 2.0, 1.0) / _POINTS
        basis = basis @ np.cos(degree[:, None] * angle)
        sums = np.zeros((9, rows.size))
        for point, x in enumerate(0.5 * low * (3.0 + np.cos(angle)) - self.v.min()):
            terms = _terms(1.0 / (self.v + x), self.y)
            taken = terms.sum(axis=1)[:, None] if self.kind == "without" else np.cumsum(terms, axis=1)[:, rows]
            sums += basis[:, point] * taken
        return sums

    def lost(self, tau2: FloatArray) -> Rows:
        """Subsets of which a study left out carries so much that what is left of the sums is rounding."""
        if self.kind == "up_to":
            return np.zeros(0, dtype=np.intp)
        rows = np.arange(self.y.size)
        own = _terms(1.0 / (self.v + tau2), self.y)[2]
        return np.flatnonzero(own > _OWN * (self.at(tau2, rows).s[2] + own))


def _terms(w: FloatArray, y: FloatArray) -> FloatArray:
    """Every study's part of the nine sums, (9, studies)."""
    powers = np.array([w, w * w, w * w * w])
    return np.concatenate([powers, powers * y, powers * np.square(y)])


def tau2_of_subsets(sums: SubsetSums, rows: Rows, method: Method) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Estimate tau2 of some subsets of two studies or more, (rows,), and whether the search for each has settled.

    The formulas are those of `tau2`, with one mean; the methods that search do so for all subsets together.
    """
    size, settled = sums.sizes[rows], np.ones(rows.size, dtype=np.bool_)
    left = size - 1
    if method == "EE":
        return np.zeros(rows.size), settled
    y, v = (sums.plain(each)[rows] for each in (sums.y, sums.v))
    around = np.maximum(0.0, sums.plain(np.square(sums.y))[rows] - np.square(y) / size)
    unweighted = np.maximum(0.0, around / left - v / size)
    if method == "HE":
        return unweighted, settled
    if method == "SJ":
        start = around / size
        return start * sums.at(start, rows).squares(1) / left, settled
    if method == "REML" or method == "ML":
        tau2, settled = _most_likely(sums, rows, unweighted, restricted=method == "REML")
        grid = slope_grid(sums.v, float((around / left).max()))
        slopes = [_slope(sums.at_all(each, rows), restricted=method == "REML") for each in grid.tolist()]
        return tau2, settled & lone_peak(np.array(slopes), grid, tau2)
    if method in ("PM", "EB", "PMM"):
        return _q_roots(sums, rows, special.chdtri(left, 0.5) if method == "PMM" else left)
    if method == "DLIT":
        return _iterated(sums, rows, left)
    at = sums.at(np.zeros(rows.size), rows)
    q = at.squares(1)
    if method == "DL":
        return np.maximum(0.0, (q - left) / at.trace), settled
    if method == "HS":
        return np.maximum(0.0, (q - size) / at.s[0]), settled
    return np.maximum(0.0, (q - left) / (at.s[0] * left / size)), settled


def _q_roots(sums: SubsetSums, rows: Rows, target: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Solve ``Q(tau2) = target`` by Newton's steps on 1 / Q from below, as `tau2.q_root` does."""
    tau2, settled = np.zeros(rows.size), np.zeros(rows.size, dtype=np.bool_)
    for _ in range(_MOST_STEPS):
        active = np.flatnonzero(~settled)
        if not active.size:
            break
        at = sums.at(tau2[active], rows[active])
        q = at.squares(1)
        step = np.maximum(0.0, q * (q / target[active] - 1) / at.squares(2))
        tau2[active] += step
        settled[active] = step <= _SETTLED * (tau2[active] + sums.v.min())
    return tau2, settled


def _iterated(sums: SubsetSums, rows: Rows, left: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Where DerSimonian and Laird's steps rest, by Newton's steps from below as in `tau2`."""
    tau2, settled = np.zeros(rows.size), np.zeros(rows.size, dtype=np.bool_)
    for _ in range(_MOST_STEPS):
        active = np.flatnonzero(~settled)
        if not active.size:
            break
        t = tau2[active]
        at = sums.at(t, rows[active])
        s1, s2, s3 = at.s
        falls = at.squares(2) + at.trace - t * (s2 - 2 * s3 / s1 + np.square(s2 / s1))
        step = np.maximum(0.0, (at.squares(1) - left[active] - t * at.trace) / falls)
        tau2[active] += step
        settled[active] = step <= _SETTLED * (tau2[active] + sums.v.min())
    return tau2, settled


def _most_likely(
    sums: SubsetSums, rows: Rows, start: FloatArray, *, restricted: bool
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """REML or ML by Newton's steps, those of Fisher scoring where the likelihood is not concave."""
    tau2, settled = start.copy(), np.zeros(rows.size, dtype=np.bool_)
    for _ in range(_MOST_STEPS):
        active = np.flatnonzero(~settled)
        if not active.size:
            break
        t = tau2[active]
        reached = np.maximum(0.0, t + _newton_step(sums.at(t, rows[active]), restricted=restricted))
        tau2[active] = reached
        settled[active] = np.abs(reached - t) <= _SETTLED * (t + sums.v.min())
    return tau2, settled


def _slope(at: Moments, *, restricted: bool) -> FloatArray:
    """Twice the slope of the likelihood."""
    return at.squares(2) - (at.trace if restricted else at.s[0])


def _newton_step(at: Moments, *, restricted: bool) -> FloatArray:
    s1, s2, s3 = at.s
    trace_squared = s2 - 2 * s3 / s1 + np.square(s2 / s1) if restricted else s2
    cubic = at.squares(3) - np.square(at.y[1] - at.mean * s2) / s1
    observed = 2 * cubic - trace_squared
    bend = np.where(observed > _FLAT * trace_squared, observed, trace_squared)
    step: FloatArray = _slope(at, restricted=restricted) / bend
    return step
