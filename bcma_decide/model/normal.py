"""The standard normal for arrays, without scipy: table look-up of the distribution function and mixture quantiles.

The bedside may not import scipy (its import alone costs more than the whole answer). The standard library's
``statistics.NormalDist`` inverts single probabilities (Wichura MJ. Appl Stat 1988;37:477-484, algorithm AS 241); the
distribution function comes from a table filled once, in which linear interpolation is accurate to 5e-7.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Z95 = NormalDist().inv_cdf(0.975)
"""Half-width of a 95 % interval in standard deviations."""

_REACH = 8.0
"""End of the table: what lies beyond it, 6e-16, is rounding beside 1."""
_STEP = 0.004
"""Linear interpolation errs by up to h^2 / 8 times the largest second derivative (0.242), 4.8e-7."""

_BRACKET = 7.0
"""Standard deviations around every component that a quantile is looked for in: 1e-12 of a component lies beyond."""
_MOST_STEPS = 50
_SETTLED = 1e-5
"""A move on the log-odds scale, so at most 2.5e-6 in a rate."""
_SMALL_MOVE = 1e-6
"""Below this a Newton step need not be half of the one before: what moves it is the error of the table."""
_LEAST_DENSITY = 1e-12


@cache
def _table() -> tuple[Array, Array]:
    from math import erfc, sqrt

    x = np.arange(-_REACH, _REACH + _STEP, _STEP)
    # Only the lower half is computed: erfc keeps its digits in the lower tail and 1 - F would lose them in the upper
    # one; the mirror image also makes F(x) + F(-x) = 1 to 1e-12, so swapping two options swaps their probabilities.
    half = [0.5 * erfc(-value / sqrt(2.0)) for value in x[: x.size // 2 + 1].tolist()]
    lower = np.array(half)
    return x, np.concatenate([lower, 1.0 - lower[-2::-1]])[: x.size]


def distribution(x: Array) -> Array:
    """Standard normal distribution function, any shape."""
    grid, values = _table()
    # A hair short of the last place, so that there is a next one to interpolate to; beyond the ends F is 0 or 1.
    position = np.clip((x + _REACH) / _STEP, 0.0, grid.size - 1.000001)
    index = position.astype(np.intp)
    below = values[index]
    return np.asarray(below + (position - index) * (values[index + 1] - below))


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
    central = q * _horner(_CENTRAL, near) / _horner(_CENTRAL_BELOW, near)
    r = np.sqrt(-np.log(np.minimum(probability, 1.0 - probability)))
    middle = _horner(_MIDDLE, r - 1.6) / _horner(_MIDDLE_BELOW, r - 1.6)
    far = _horner(_FAR, r - 5.0) / _horner(_FAR_BELOW, r - 5.0)
    return np.asarray(np.where(np.abs(q) <= 0.425, central, np.sign(q) * np.where(r <= 5.0, middle, far)))


def _horner(coefficients: tuple[float, ...], x: Array) -> Array:
    """A polynomial, lowest power first."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
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
        Shape (cells, quantiles), by Newton steps kept inside a shrinking bracket.
    """
    low = np.repeat((means - _BRACKET * sds).min(axis=1)[:, None], probabilities.size, axis=1)
    high = np.repeat((means + _BRACKET * sds).max(axis=1)[:, None], probabilities.size, axis=1)
    # Start from the normal with the mixture's own mean and variance: exact for one component, near for alike ones.
    centre = (weights * means).sum(axis=1)
    spread = np.sqrt((weights * (sds**2 + means**2)).sum(axis=1) - centre**2)
    z = np.array([NormalDist().inv_cdf(p) for p in probabilities.tolist()])
    x = centre[:, None] + spread[:, None] * z
    w, m, s = weights[:, None, :], means[:, None, :], sds[:, None, :]
    scale = w / (s * np.sqrt(2.0 * np.pi))
    moved = high - low
    for _ in range(_MOST_STEPS):
        standard = (x[:, :, None] - m) / s
        gap = (w * distribution(standard)).sum(axis=2) - probabilities
        density = (scale * np.exp(-0.5 * standard * standard)).sum(axis=2)
        low, high = np.where(gap < 0, x, low), np.where(gap < 0, high, x)
        # Between far components the density is 0 to the last digit; the floor sends Newton out of the bracket instead
        # of dividing by it, and out there the bracket is halved.
        proposal = x - gap / np.maximum(density, _LEAST_DENSITY)
        # Halve the bracket where Newton leaves it or does not settle: a narrow component can make it swing for ever.
        settles = np.abs(proposal - x) <= np.maximum(0.5 * moved, _SMALL_MOVE)
        inside = (proposal >= low) & (proposal <= high)
        update = np.where(inside & settles, proposal, 0.5 * (low + high))
        moved = np.abs(update - x)
        x = update
        if moved.max() < _SETTLED:
            break
    return np.asarray(x)


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
    # exp(-x) overflows below -709; tanh runs into its limits instead.
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))
