"""Virtual cohorts: quasi-random patients with an arm's own trait distribution.

A Gaussian copula joins the margins an arm reports (prevalences, median age, prior lines) with one correlation
matrix. It is used to turn marginal published contrasts into conditional effects and to integrate a rate over an
arm's case mix (Phillippo DM et al. J R Stat Soc A 2020;183:1189-1210, section 3: aggregate rows integrated by
quasi-Monte Carlo over a copula).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, owens_t

Array = NDArray[np.float64]

COHORT_SEED = 20241002
"""Seed of the scrambled Sobol points: the search date of the source meta-analysis."""


HIGHEST_CORRELATION = 0.95
"""Tetrachoric correlations are kept within this: a small table with an empty cell would make two traits one."""
EIGENVALUE_FLOOR = 1e-3
"""Of a correlation matrix: far above rounding, so that it has a factor and no trait is fixed by the others;
far below 1, so that what moves is due to the negative eigenvalues and not to the floor."""
SMALLEST_TAIL = 1e-9
"""Sobol points are kept this far from 0 and 1, at 6 standard deviations: at 0 itself the normal has no quantile."""
_NOT_ZERO = 1e-12


@dataclass(frozen=True)
class Margin:
    """One trait's distribution in an arm.

    ``binary``: ``location`` is the prevalence (0 to 1), ``spread`` unused. Numeric: mean and standard deviation on
    the model's scale (decades of age, log2 of prior lines). ``reported`` is False where the arm does not say and
    the value is the evidence-wide one; ``uncertainty`` is then the between-arm standard deviation of ``location``.
    """

    binary: bool
    location: float
    spread: float
    reported: bool = True
    uncertainty: float = 0.0


def bivariate_normal_cdf(h: float, k: float, rho: float) -> float:
    """P(X <= h, Y <= k) of a standard bivariate normal (Owen DB. Ann Math Stat 1956;27:1075-1090, eq. 2.1)."""
    if abs(rho) >= 1.0:
        return float(ndtr(min(h, k)) if rho > 0 else max(0.0, ndtr(h) + ndtr(k) - 1.0))
    root = np.sqrt(1.0 - rho * rho)
    # Owen's T is called at slopes that are divided by h and k. A cut at exactly 0 (half of the patients) is moved by
    # less than rounding, upwards, which also gives the sign convention of his equation where h k = 0.
    h = h if h != 0.0 else _NOT_ZERO
    k = k if k != 0.0 else _NOT_ZERO
    first = owens_t(h, (k - rho * h) / (h * root))
    second = owens_t(k, (h - rho * k) / (k * root))
    correction = 0.0 if h * k > 0.0 else 0.5
    return float(0.5 * ndtr(h) + 0.5 * ndtr(k) - first - second - correction)


def tetrachoric(table: Sequence[Sequence[float]]) -> float:
    """Tetrachoric correlation of a two-by-two table (Pearson K. Phil Trans A 1900;195:1-47).

    Parameters
    ----------
    table
        Counts ``[[a present & b present, a present & b absent], [a absent & b present, a absent & b absent]]``.
        0.5 is added to every cell when one is empty (Haldane JBS. Ann Hum Genet 1956;20:309-311).

    Returns
    -------
    float
        Latent correlation between -0.95 and 0.95.
    """
    cells = np.asarray(table, dtype=float)
    if (cells == 0).any():
        cells = cells + 0.5
    total = cells.sum()
    a_cut, b_cut = ndtri(cells[1].sum() / total), ndtri(cells[:, 1].sum() / total)
    both_absent = float(cells[1, 1] / total)

    def gap(rho: float) -> float:
        return bivariate_normal_cdf(float(a_cut), float(b_cut), rho) - both_absent

    # The probability rises with the correlation, so the ends tell whether there is a root between them.
    low, high = -HIGHEST_CORRELATION, HIGHEST_CORRELATION
    if gap(low) >= 0.0:
        return low
    if gap(high) <= 0.0:
        return high
    return float(brentq(gap, low, high, xtol=1e-10))


def nearest_correlation(matrix: Array, floor: float = EIGENVALUE_FLOOR) -> Array:
    """Positive definite correlation matrix next to ``matrix``: eigenvalues raised to ``floor``, diagonal reset.

    The spectral method of Rebonato R, Jaeckel P. J Risk 2000;2(2):17-27: near, but not the nearest in any norm.
    """
    values, vectors = np.linalg.eigh(matrix)
    raised = (vectors * np.maximum(values, floor)) @ vectors.T
    # Raising eigenvalues makes the diagonal larger than 1; dividing it out again keeps the matrix positive definite.
    scale = np.sqrt(np.diag(raised))
    return np.asarray(raised / np.outer(scale, scale))


def standard_normal_points(count: int, dimensions: int) -> Array:
    """Scrambled Sobol points mapped to standard normals, shape (count, dimensions); ``count`` a power of two."""
    from scipy.stats import qmc  # slow to import, and only the workshop comes here

    # Scrambled: plain Sobol points start at 0, which has no normal quantile, and their high dimensions (traits are 17)
    # are badly filled at a few hundred points. The seed makes every build the same.
    sampler = qmc.Sobol(d=dimensions, scramble=True, rng=np.random.default_rng(COHORT_SEED))
    uniform = sampler.random(count)
    return np.asarray(ndtri(np.clip(uniform, SMALLEST_TAIL, 1.0 - SMALLEST_TAIL)))


def correlated_points(correlation: Array, count: int) -> Array:
    """Latent points with the given correlation, shape (count, traits)."""
    return standard_normal_points(count, correlation.shape[0]) @ np.linalg.cholesky(correlation).T


def cohort(latent: Array, margins: Sequence[Margin]) -> Array:
    """Trait values of the virtual patients on the model's scale, shape (count, traits)."""
    columns = []
    for trait, margin in enumerate(margins):
        if margin.binary:
            # Above, not below, the cut: correlations are stated for having traits, so a high latent value is having it.
            columns.append((latent[:, trait] > ndtri(1.0 - margin.location)).astype(float))
        else:
            columns.append(margin.location + margin.spread * latent[:, trait])
    return np.column_stack(columns)
