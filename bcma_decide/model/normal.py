"""The standard normal for arrays, without scipy: table look-up of the distribution function and mixture quantiles.

The bedside may not import scipy (its import alone costs more than the whole answer); the distribution function comes
from a table filled once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Array = NDArray[np.float64]

Z95 = 1.959963984540054
"""Half-width of a 95 % interval in standard deviations: the normal quantile of 0.975."""

_REACH = 8.0
"""End of the table: what lies beyond it, 6e-16, is rounding beside 1."""
_STEP = 0.004
"""Three terms of Taylor's series from the nearest place err by up to h^4 / 384 times the largest fourth derivative
(1.38), 1e-12."""

_MOST_STEPS = 50
_MOST_HALLEY_STEPS = 12
_SETTLED = 1e-4
"""A move in standard deviations after which the next one, of the third power, is rounding."""
_LARGEST_STEP = 0.7
"""In standard deviations of the mixture."""
_BRACKET = 7.0
"""Standard deviations around every component that a quantile is looked for in: 1e-12 of a component lies beyond."""
_LEAST_DENSITY = 1e-12
_NORMAL = 1.0 / np.sqrt(2.0 * np.pi)


@cache
def _table() -> tuple[Array, Array]:
    """Distribution function and density at every step, ends included."""
    from math import erfc, sqrt

    half = round(_REACH / _STEP)
    # Only the lower half is computed: erfc keeps its digits in the lower tail and 1 - F would lose them in the upper
    # one; the mirror image also makes F(x) + F(-x) = 1, so swapping two options swaps their probabilities.
    lower = np.array([0.5 * erfc(_STEP * place / sqrt(2.0)) for place in range(half, -1, -1)])
    x = np.arange(-half, half + 1) * _STEP
    return np.concatenate([lower, 1.0 - lower[-2::-1]]), _NORMAL * np.exp(-0.5 * x * x)


def density(x: Array) -> Array:
    """Standard normal density, any shape."""
    return np.asarray(_NORMAL * np.exp(-0.5 * x * x))


def distribution(x: Array) -> Array:
    """Standard normal distribution function, any shape."""
    return distribution_and_density(x)[0]


def distribution_and_density(x: Array) -> tuple[Array, Array]:
    """Standard normal distribution function, to 1e-12, and density, to 2e-9; any shape."""
    values, densities = _table()
    inside = np.maximum(x, -_REACH)
    np.minimum(inside, _REACH, out=inside)
    at = np.rint(inside * (1.0 / _STEP))
    index = at.astype(np.intp)
    index += values.size // 2
    at *= _STEP
    inside -= at
    by_density = densities.take(index)
    bent = (at * at - 1.0) * inside
    at *= 0.5
    risen = bent * (1.0 / 6.0) - at
    risen *= inside
    risen += 1.0
    risen *= inside
    risen *= by_density
    risen += values.take(index)
    bent *= 0.5
    at += at
    bent -= at
    bent *= inside
    bent += 1.0
    bent *= by_density
    return risen, bent


_TAIL = (
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806,
    0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277,
)  # fmt: skip


def upper_tail(x: Array) -> Array:
    """P(standard normal > x), any shape, with its digits kept far out: relative error below 1.2e-7.

    Press WH, Teukolsky SA, Vetterling WT, Flannery BP. Numerical Recipes, 2nd edition, 1992, section 6.2 (erfcc).
    """
    z = np.abs(x) / np.sqrt(2.0)
    t = 1.0 / (1.0 + 0.5 * z)
    tail = 0.5 * t * np.exp(_horner(_TAIL, t) - z * z)
    return np.asarray(np.where(x >= 0.0, tail, 1.0 - tail))


_CENTRAL = (3.3871327179, 5.0434271938e1, 1.5929113202e2, 5.9109374720e1)
_CENTRAL_BELOW = (1.0, 1.7895169469e1, 7.8757757664e1, 6.7187563600e1)
_MIDDLE = (1.4234372777, 2.7568153900, 1.3067284816, 1.7023821103e-1)
_MIDDLE_BELOW = (1.0, 7.3700164250e-1, 1.2021132975e-1)
_FAR = (6.6579051150, 3.0812263860, 4.2868294337e-1, 1.7337203997e-2)
_FAR_BELOW = (1.0, 2.4197894225e-1, 1.2258202635e-2)


def quantile(probability: Array) -> Array:
    """Quantiles of the standard normal, any shape, probabilities between 0 and 1: relative error below 1e-6.

    Wichura MJ. Appl Stat 1988;37:477-484, algorithm AS 241, PPND7.
    """
    q = probability - 0.5
    near = 0.180625 - q * q
    found = np.asarray(q * _horner(_CENTRAL, near) / _horner(_CENTRAL_BELOW, near))
    # the tails hold few, and cost more
    tails = np.abs(q) > 0.425
    p = np.asarray(probability)[tails]
    r = np.sqrt(-np.log(np.minimum(p, 1.0 - p)))
    middle = _horner(_MIDDLE, r - 1.6) / _horner(_MIDDLE_BELOW, r - 1.6)
    far = _horner(_FAR, r - 5.0) / _horner(_FAR_BELOW, r - 5.0)
    found[tails] = np.sign(q[tails]) * np.where(r <= 5.0, middle, far)
    return found


def _horner(coefficients: tuple[float, ...], x: Array) -> Array:
    """A polynomial, lowest power first."""
    total = coefficients[-1] * x + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        total *= x
        total += coefficient
    return total


def mixture_quantiles(weights: Array, means: Array, sds: Array, probabilities: Array) -> Array:
    """Quantiles of mixtures of normals.

    Parameters
    ----------
    weights, means, sds
        Shape (cells, components); weights of a cell sum to 1, sds positive.
    probabilities
        Shape (quantiles,).

    Returns
    -------
    numpy.ndarray
        Shape (cells, quantiles).
    """
    rows = MixtureRows.of(probabilities.tolist(), len(weights))
    return np.asarray(quantiles_of_mixtures(weights, means[None], sds[None], rows)[0].reshape(len(weights), -1))


class MixtureRows(Struct, frozen=True):
    """Which quantiles of which mixtures: ``cell``, ``probability`` and its normal quantile ``z``, (rows,) each.

    ``z`` is where to start from, to 1e-6.
    """

    cell: NDArray[np.intp]
    probability: Array
    z: Array

    @classmethod
    def of(cls, probabilities: Sequence[float], cells: int) -> MixtureRows:
        """The same ones of every cell, cell by cell."""
        z = quantile(np.asarray(probabilities, dtype=float))
        return cls(np.repeat(np.arange(cells), z.size), np.tile(probabilities, cells), np.tile(z, cells))

    def followed_by(self, other: MixtureRows, cells: int) -> MixtureRows:
        """These and those of further mixtures, which stand after so many ``cells``."""
        return MixtureRows(
            np.concatenate([self.cell, other.cell + cells]),
            np.concatenate([self.probability, other.probability]),
            np.concatenate([self.z, other.z]),
        )


def quantiles_of_mixtures(weights: Array, means: Array, sds: Array, rows: MixtureRows) -> Array:
    """Quantiles of mixtures of normals, for many patients.

    Halley's steps (Traub JF. Iterative Methods for the Solution of Equations, 1964, section 5.2) from the expansion of
    Cornish and Fisher (Rev Inst Int Stat 1938;5:307-320) in skewness and kurtosis. What has not settled after a few,
    narrow and far components, is bracketed.

    Parameters
    ----------
    weights
        (cells, components); those of a cell sum to 1.
    means, sds
        (profiles, cells, components); sds positive.
    rows
        What is wanted.

    Returns
    -------
    numpy.ndarray
        (profiles, rows).
    """
    centre = np.einsum("ck,nck->nc", weights, means)
    away = means - centre[..., None]
    variance, square = sds * sds, away * away
    spread = np.sqrt(np.einsum("ck,nck->nc", weights, variance + square))
    third = np.einsum("ck,nck->nc", weights, away * (square + 3.0 * variance))
    fourth = np.einsum("ck,nck->nc", weights, square * (square + 6.0 * variance) + 3.0 * variance * variance)
    skewness, excess = third / spread**3, fourth / spread**4 - 3.0
    z, cell = rows.z, rows.cell
    bent = skewness[:, cell] * ((z * z - 1.0) / 6.0) + excess[:, cell] * ((z * z - 3.0) * z / 24.0)
    most = spread[:, cell]
    x = centre[:, cell] + most * (z + np.minimum(np.maximum(bent, -1.0), 1.0))
    inverse = (1.0 / sds)[:, cell].reshape(-1, weights.shape[1])
    shift = means[:, cell].reshape(inverse.shape) * inverse
    own = np.broadcast_to(weights[cell], (len(means), *weights[cell].shape)).reshape(inverse.shape)
    probability = np.broadcast_to(rows.probability, x.shape).ravel()
    return _solved(x.ravel(), most.ravel(), own, shift, inverse, probability).reshape(x.shape)


def _solved(x: Array, spread: Array, weights: Array, shift: Array, inverse: Array, probability: Array) -> Array:
    """Quantiles from starting values ``x`` (rows,).

    Of a component (rows, components) ``inverse`` is one over the standard deviation, ``shift`` the mean times that.
    """
    scale = weights * inverse
    open_: NDArray[np.intp] | None = None
    for _ in range(_MOST_HALLEY_STEPS):
        rows = slice(None) if open_ is None else open_
        at, most, inv = x[rows], spread[rows], inverse[rows]
        standard = at[:, None] * inv - shift[rows]
        below, dense = distribution_and_density(standard)
        dense *= scale[rows]
        gap = np.einsum("rk,rk->r", weights[rows], below) - probability[rows]
        slope = np.maximum(np.einsum("rk->r", dense), _LEAST_DENSITY)
        step = gap / slope
        # Halley's factor, held where a far step would turn it round
        curve = 0.5 * step * np.einsum("rk,rk,rk->r", dense, standard, inv) / slope
        step = step / np.minimum(np.maximum(1.0 + curve, 0.5), 2.0)
        step = np.minimum(np.maximum(step, -_LARGEST_STEP * most), _LARGEST_STEP * most)
        x[rows] = at - step
        moving = np.abs(step) > _SETTLED * most
        if not moving.any():
            return x
        # what has settled stays where it is, whoever else is worked out beside it
        open_ = np.flatnonzero(moving) if open_ is None else open_[moving]
    sds = 1.0 / inverse[open_]
    x[open_] = _bracketed(weights[open_], shift[open_] * sds, sds, probability[open_])
    return x


def _bracketed(weights: Array, means: Array, sds: Array, probabilities: Array) -> Array:
    """Quantiles by halving; (cells, components) and (cells,)."""
    low, high = (means - _BRACKET * sds).min(axis=1), (means + _BRACKET * sds).max(axis=1)
    for _ in range(_MOST_STEPS):
        x = 0.5 * (low + high)
        under = (weights * distribution((x[:, None] - means) / sds)).sum(axis=1) < probabilities
        low, high = np.where(under, x, low), np.where(under, high, x)
    return np.asarray(0.5 * (low + high))


@cache
def hermite(points: int) -> tuple[Array, Array]:
    """Nodes and weights for the standard normal (Golub GH, Welsch JH. Math Comput 1969;23:221-230)."""
    beside = np.sqrt(np.arange(1.0, points))
    nodes, vectors = np.linalg.eigh(np.diag(beside, 1) + np.diag(beside, -1))
    return nodes, vectors[0] ** 2


def expected_logistic(means: Array, sds: Array, points: int = 9) -> Array:
    """E[logistic(X)] for X normal, elementwise, by Gauss-Hermite quadrature."""
    nodes, weights = hermite(points)
    return np.asarray(logistic(means[..., None] + sds[..., None] * nodes) @ weights)


def logistic(x: Array) -> Array:
    """Logistic function, any shape, without overflow warnings."""
    # exp(-x) overflows below -709, where the rate is 0 to the last digit in any case
    return np.asarray(1.0 / (1.0 + np.exp(-np.maximum(x, -700.0))))
