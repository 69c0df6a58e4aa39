"""A predicted distribution of an arm's rate, and what its observed count says about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, xlog1py, xlogy
from scipy.stats import t as student

Array = NDArray[np.float64]

GRID_POINTS = 601
"""Points of the log-odds grid: with these the sum of densities is 1 to better than 1e-6 for every arm predicted."""
LEVELS = (0.5, 0.8, 0.95)


@dataclass(frozen=True)
class Forecast:
    """The distribution of an arm's true rate: ``rate`` with ``weight``, both (points,), rates in rising order."""

    rate: Array
    weight: Array


@dataclass(frozen=True)
class Verdict:
    """What one observed arm says of its forecast; rates and widths as fractions.

    ``intervals``: lower and upper end of the observed share's 50, 80 and 95 % intervals, sampling included.
    ``log_score``: minus the log probability of the observed count (lower is better). ``winkler``: interval score of
    the 95 % interval (Gneiting T, Raftery AE. J Am Stat Assoc 2007;102:359-378, equation 43). ``crps``: of the share.
    """

    mean: float
    observed: float
    intervals: tuple[tuple[float, float], ...]
    log_score: float
    winkler: float
    crps: float


def normal_mixture(weight: Array, mean: Array, variance: Array, rate_of: Array | None = None) -> Forecast:
    """Forecast whose log odds are a mixture of normals, each (components,).

    ``rate_of`` gives the rate at each point of :func:`grid`, where it is not the logistic function of it.
    """
    points = grid(float(mean.min()), float(mean.max()), float(np.sqrt(variance.max())))
    sd = np.sqrt(variance)
    density = (weight / sd * np.exp(-0.5 * ((points[:, None] - mean) / sd) ** 2)).sum(axis=1)
    return Forecast(expit(points) if rate_of is None else rate_of, density / density.sum())


def student_forecast(centre: float, scale: float, df: float) -> Forecast:
    """Forecast whose log odds follow a t distribution."""
    points = grid(centre, centre, scale if df > 4 else 3.0 * scale)
    density = student.pdf((points - centre) / scale, df)
    return Forecast(expit(points), density / density.sum())


def grid(low: float, high: float, sd: float) -> Array:
    """Log-odds points that hold all but a negligible part of a mixture between two means."""
    reach = 7.0 * max(sd, 0.05)
    return np.linspace(low - reach, high + reach, GRID_POINTS)


def judge(forecast: Forecast, events: int, total: int) -> Verdict:
    """Hold a forecast against an observed count."""
    rate = np.clip(forecast.rate, 1e-12, 1.0 - 1e-12)
    observed = events / total
    mean = float(forecast.weight @ forecast.rate)
    counts = np.arange(total + 1)
    probability = _count_distribution(rate, forecast.weight, total)
    below = np.cumsum(probability)
    ends = []
    for level in LEVELS:
        low, high = (1.0 - level) / 2.0, (1.0 + level) / 2.0
        ends.append((_quantile(below, total, low) / total, _quantile(below, total, high) / total))
    low, high = ends[-1]
    miss = max(low - observed, 0.0) + max(observed - high, 0.0)
    share = counts / total
    crps = float(((below - (share >= observed)) ** 2).sum() / total)
    return Verdict(
        mean=mean,
        observed=observed,
        intervals=tuple(ends),
        log_score=-float(np.log(max(probability[events], 1e-300))),
        winkler=high - low + 2.0 / 0.05 * miss,
        crps=crps,
    )


def _count_distribution(rate: Array, weight: Array, total: int) -> Array:
    """Probability of every count: binomial, averaged over the forecast; shape (total + 1,)."""
    counts = np.arange(total + 1)[:, None]
    choose = gammaln(total + 1) - gammaln(counts + 1) - gammaln(total - counts + 1)
    used = weight > 1e-12
    logs = choose + xlogy(counts, rate[used]) + xlog1py(total - counts, -rate[used])
    probability = np.exp(logs) @ weight[used]
    return np.asarray(probability / probability.sum())


def _quantile(below: Array, total: int, probability: float) -> float:
    """Quantile of a count, interpolated between whole numbers so that its coverage is not that of a coarser one."""
    place = min(int(np.searchsorted(below, probability)), total)
    before = below[place - 1] if place else 0.0
    mass = below[place] - before
    inside = (probability - before) / mass if mass > 0 else 0.5
    return float(np.clip(place - 0.5 + inside, 0.0, total))
