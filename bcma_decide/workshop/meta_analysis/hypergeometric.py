"""Noncentral hypergeometric distribution: events of group 1 where the events of both groups together are given.

With ``m`` events in two groups of ``n1`` and ``n2`` patients and log odds ratio ``x``, the chance of ``j`` in group 1
is ``C(n1, j) C(n2, m - j) exp(j x)`` over the sum of these (Fisher 1935). It is that of a sum of independent events
(Vatutin and Mikhailov 1982), so that derivatives of the log-likelihood bound each other as in logistic regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.two_groups import Tables

__all__ = ["Hypergeometric"]

_CELLS = 2**18
"""Terms that are worked on at a time, so that they stay in the processor's cache."""
_REACH = 5.2
"""Terms further from the largest than this many roots of the number of terms weigh less than 1e-17 (Hoeffding 1963)."""


@dataclass(frozen=True, eq=False)
class _Alike:
    """Studies whose sums have about as many terms: ``rows`` (b,), ``log_ways`` (b, terms) from ``lowest`` (b,) on.

    Terms beyond a study's own have no way to come about: minus infinity.
    """

    rows: np.ndarray
    lowest: FloatArray
    log_ways: FloatArray
    window: int


class Hypergeometric:
    """Log-likelihood of k tables, given their margins, as a function of their log odds ratios."""

    def __init__(self, t: Tables) -> None:
        """Number the terms of every table."""
        self._t = t
        m = t.events1 + t.events2
        self.lowest = np.maximum(0.0, m - t.total2)
        self.highest = np.minimum(t.total1, m)
        terms = self.highest - self.lowest + 1
        sizes = 2.0 ** np.ceil(np.log2(terms))
        self._parts = [self._part(np.flatnonzero(sizes == size), int(size)) for size in np.unique(sizes)]

    def _part(self, rows: np.ndarray, size: int) -> _Alike:
        t = self._t
        low = self.lowest[rows]
        j = low[:, None] + np.arange(size)
        n1, n2, m = (each[rows][:, None] for each in (t.total1, t.total2, t.events1 + t.events2))
        inside = j <= self.highest[rows][:, None]
        j = np.where(inside, j, low[:, None])
        ways = _log_choose(n1, j) + _log_choose(n2, m - j)
        ways -= ways.max(axis=1, keepdims=True)
        window = min(size, 2 * int(np.ceil(_REACH * size**0.5)) + 3)
        return _Alike(rows, low, np.where(inside, ways, -np.inf), window)

    def at(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log-likelihood and its first two derivatives at log odds ratios ``x`` (k, q), each (k, q)."""
        value, first, second = np.empty_like(x), np.empty_like(x), np.empty_like(x)
        for part in self._parts:
            step = max(1, _CELLS // (part.window * x.shape[1]))
            for begin in range(0, part.rows.size, step):
                block = slice(begin, begin + step)
                at = part.rows[block]
                value[at], first[at], second[at] = self._block(part, block, x[at])
        return value, first, second

    def _block(self, part: _Alike, block: slice, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        rows, low, ways = part.rows[block], part.lowest[block][:, None], part.log_ways[block]
        observed = (self._t.events1[rows][:, None] - low).astype(np.intp)
        if part.window == ways.shape[1]:
            offset, seen = np.arange(part.window, dtype=np.float64), ways[:, None, :]
        else:
            begin = np.clip(self._largest(rows, x) - low - part.window // 2, 0, ways.shape[1] - part.window)
            index = begin.astype(np.intp)[:, :, None] + np.arange(part.window)
            offset, seen = index.astype(np.float64), ways[np.arange(rows.size)[:, None, None], index]
        terms = seen + x[:, :, None] * offset
        highest = terms.max(axis=2, keepdims=True)
        weight = np.exp(terms - highest)
        total = weight.sum(axis=2)
        mean = (weight * offset).sum(axis=2) / total
        variance = (weight * np.square(offset - mean[:, :, None])).sum(axis=2) / total
        own = np.take_along_axis(ways, observed, axis=1) + x * observed
        return own - highest[:, :, 0] - np.log(total), observed - mean, -variance

    def _largest(self, rows: np.ndarray, x: FloatArray) -> FloatArray:
        """The most likely number of events, where a term is as large as the one before (Liao and Rosen 2001)."""
        n1, n2 = self._t.total1[rows][:, None], self._t.total2[rows][:, None]
        m = (self._t.events1 + self._t.events2)[rows][:, None]
        odds = np.exp(np.clip(x, -300, 300))
        b = odds * (n1 + m + 2) + n2 - m
        c = odds * (n1 + 1) * (m + 1)
        root = np.sqrt(np.maximum(b * b - 4 * (odds - 1) * c, 0))
        # The same root written in two ways: neither takes nearly equal numbers from each other.
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.floor(np.where(b >= 0, 2 * c / (b + root), (b - root) / (2 * (odds - 1)))))


def _log_choose(n: FloatArray, j: FloatArray) -> FloatArray:
    return np.asarray(special.gammaln(n + 1) - special.gammaln(j + 1) - special.gammaln(n - j + 1))
