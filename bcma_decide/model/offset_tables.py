"""A stage's rates as functions of what the traits add to the log odds, tabulated once for every patient.

A patient enters a rate only through the *offset* (x - x_ref) . b, which lies between two known ends. Averaged over
centres a rate is an analytic function of it, whose nearest poles are those of the logistic function, pi from the real
axis: a polynomial through Chebyshev points converges geometrically (Trefethen LN. Approximation Theory and
Approximation Practice, 2013, theorem 8.2). A rate at an offset, or its mean over many, is then a sum of a few products.
"""

from __future__ import annotations

from functools import cached_property
from math import ceil, log, pi, sqrt
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.kept import KEPT, Kept
from bcma_decide.model.prediction import numeric_range, stage_rates
from bcma_decide.pooled.evidence import Levels, PooledEvidence

Array = NDArray[np.float64]

RATE, DENSITY, MIDDLE_RATE, MIDDLE_DENSITY = range(4)
"""What is tabulated: averaged over centres, the rate and its derivative in the level; the same at the middle centre."""

_ERROR: Final = 1e-9
"""Bound of the error of a tabulated rate or derivative; what is seen of it is some thousand times smaller."""
_NEAREST: Final = 0.9 * pi
"""Distance from the real axis within which rates and derivatives are below :data:`_LARGEST` in absolute value."""
_FEW: Final = 64
"""Offsets up to which what was worked out of them is kept: effects of yes/no traits alone have the same for many."""
_LARGEST: Final = 11.0
"""1 / |1 + e^(0.9 pi i)|^2 = 10.2; a weighted mean over centres is no larger."""


class OffsetAxis(Struct, frozen=True, dict=True):
    """Chebyshev points between the lowest and the highest offset that any patient has."""

    low: float
    high: float
    count: int

    @classmethod
    def between(cls, low: float, high: float, error: float = _ERROR) -> OffsetAxis:
        """An axis with as many points as the bound of the error asks for; one point where there is one offset."""
        if high <= low:
            return cls(low, high, 1)
        steep = 2.0 * _NEAREST / (high - low)
        growth = steep + sqrt(1.0 + steep**2)
        return cls(low, high, ceil(log(4.0 * _LARGEST / ((growth - 1.0) * error)) / log(growth)) + 1)

    @cached_property
    def points(self) -> Array:
        """Offsets at which rates are tabulated, (count,)."""
        return 0.5 * (self.low + self.high) + 0.5 * (self.high - self.low) * np.cos(self._angles)

    def basis(self, offset: Array) -> Array:
        """The Chebyshev polynomials at some offsets, (..., count), of which tabulated values are sums.

        ``offset`` has any shape and lies between the ends, or by rounding beside them.
        """
        if offset.size > _FEW:
            return self._basis(offset)
        return self._kept.get((offset.shape, offset.tobytes()), lambda: self._basis(offset))

    @cached_property
    def _kept(self) -> Kept[tuple[tuple[int, ...], bytes], Array]:
        return Kept(KEPT)

    def _basis(self, offset: Array) -> Array:
        if self.count == 1:
            return np.ones((*offset.shape, 1))
        middle, half = 0.5 * (self.low + self.high), 0.5 * (self.high - self.low)
        x = np.clip((offset - middle) / half, -1.0, 1.0)
        polynomials = np.empty((self.count, *x.shape))
        polynomials[0], polynomials[1] = 1.0, x
        known = 1
        while known < self.count - 1:
            # T(m + j) = 2 T(m) T(j) - T(m - j): with the first m known, as many again
            more = min(known, self.count - 1 - known)
            upper = polynomials[known + 1 : known + more + 1]
            np.multiply(polynomials[1 : more + 1], 2.0 * polynomials[known], out=upper)
            upper -= polynomials[known - more : known][::-1]
            known += more
        return np.moveaxis(polynomials, 0, -1)

    @cached_property
    def _angles(self) -> Array:
        return np.asarray((np.arange(self.count) + 0.5) * (pi / self.count))

    def coefficients(self, values: Array) -> Array:
        """Coefficients (count, *rest) of the polynomials through ``values`` (count, *rest) at :attr:`points`."""
        share = np.cos(np.arange(self.count)[:, None] * self._angles) * (2.0 / self.count)
        share[0] *= 0.5
        return np.tensordot(share, values, 1)


def offset_axis(pooled: PooledEvidence, effects: Array) -> OffsetAxis:
    """The axis of the offsets that these effects (traits,) can make of any patient."""
    low, high = numeric_range(pooled)
    binary = pooled.population.binary
    ends = np.stack([np.where(binary, 0.0, low), np.where(binary, 1.0, high)]) - pooled.reference
    # A trait without an effect adds nothing, wherever it lies.
    moved = np.where(effects == 0.0, 0.0, ends * effects)
    return OffsetAxis.between(float(moved.min(axis=0).sum()), float(moved.max(axis=0).sum()))


def stage_table(levels: Levels, axis: OffsetAxis) -> Array:
    """Rates of every node of the spread and product as sums of the axis's polynomials, (count, 4, nodes, products).

    The second axis is :data:`RATE`, :data:`DENSITY`, :data:`MIDDLE_RATE`, :data:`MIDDLE_DENSITY`.
    """
    return axis.coefficients(np.moveaxis(np.stack(stage_rates(levels, axis.points)), -1, 0))


def interpolated(basis: Array, table: Array) -> Array:
    """Tabulated values at some offsets: ``basis`` (..., count), ``table`` (count, *rest) -> (..., *rest).

    A mean over patients is had of the mean of their bases.
    """
    return np.asarray((basis @ table.reshape(len(table), -1)).reshape(*basis.shape[:-1], *table.shape[1:]))
