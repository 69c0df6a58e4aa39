"""An interval for the mean that small studies cannot pull far: fixed weights, random-effects width."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.optimize import brentq

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_level
from bcma_decide.workshop.meta_analysis.heterogeneity import checked_effects, estimate_tau2, weighted_mean
from bcma_decide.workshop.meta_analysis.small_study_remarks import small_study_remarks

__all__ = ["HenmiCopas", "henmi_copas"]

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(200)
"""Fifty nodes already agree with 400 to 1e-14 for moderate weights; the rest is for very unequal ones."""
_NORMAL_END = 9.0
"""Beyond that many standard deviations the normal density is 1e-18: nothing."""
_LEAST_QUANTILE = 1e-3
"""Lower end of the search: any quantile of use is above it, and at 0 the bound on Q would be infinite."""
_EXACT = 1e-13
"""Of the quantile, relatively: three digits beyond the 1e-10 to which 200 nodes integrate the least smooth cases."""


@dataclass(frozen=True)
class HenmiCopas:
    """The mean with common-effect weights, its standard error, interval and DerSimonian-Laird's tau2."""

    estimate: float
    se: float
    ci: tuple[float, float]
    tau2: float
    level: float
    remarks: tuple[str, ...]


def henmi_copas(yi: npt.ArrayLike, vi: npt.ArrayLike, *, level: float = 0.95, proportions: bool = False) -> HenmiCopas:
    """Mean and interval less sensitive to publication bias (Henmi and Copas 2010).

    The weights are ``1 / vi``, so that small studies cannot gain weight from heterogeneity. The standard error allows
    for tau2 and the interval, which is wider than a normal one, also for the error in its estimate.

    Parameters
    ----------
    yi, vi : array_like, shape (k,), k >= 2
        Effects and their sampling variances.
    level : float
        Of the interval.
    proportions : bool
        Whether the effects are single proportions, which adds a remark.

    Raises
    ------
    SynthesisError
        If the effects or the level are not valid, or there are fewer than two studies.
    """
    y, v = checked_effects(yi, vi)
    if y.size < 2:
        raise SynthesisError("Henmi and Copas's interval needs at least two studies")
    checked_level(level)
    w = 1 / v
    tau2 = estimate_tau2(y, v, "DL").value
    estimate, total = weighted_mean(y, w), float(w.sum())
    se = float(np.sqrt((1 + tau2 * float(w @ w) / total) / total))
    half_width = _quantile(w, tau2, (1 - level) / 2) * se
    return HenmiCopas(
        estimate=estimate,
        se=se,
        ci=(estimate - half_width, estimate + half_width),
        tau2=tau2,
        level=level,
        remarks=small_study_remarks(y.size, proportions=proportions),
    )


def _quantile(w: FloatArray, tau2: float, tail: float) -> float:
    """Upper ``tail`` quantile of the mean's deviation over its estimated standard error.

    Let z be the deviation in true standard errors, a standard normal, ``g^2 = 1 + tau2 w2`` and Q Cochran's statistic.
    The estimated error replaces g by ``1 + w2 (Q - df) / (w1 - w2)``, so the ratio exceeds u where Q is at most
    ``(w1 / w2 - 1) ((g z / u)^2 - 1) + df``. Given z, Q is taken as gamma with its own mean and variance (Henmi and
    Copas 2010, section 3), which are those of a quadratic form in the normal effects given their weighted mean.
    Here ``w1 = sum(w)`` and ``w2``, ``w3``, ``w4`` are the sums of higher powers over w1.
    """
    df, w1 = w.size - 1, float(w.sum())
    w2, w3, w4 = (float((w**power).sum()) / w1 for power in (2, 3, 4))
    inflation, spread = 1 + tau2 * w2, w3 - w2**2

    def chance(z: FloatArray, u: float) -> FloatArray:
        """Chance that Q is small enough at each z."""
        off = (np.square(z) - 1) / inflation
        mean = df + tau2 * (w1 - w2) + tau2**2 * off * spread
        variance = (
            2 * df
            + 4 * tau2 * (w1 - w2)
            + 2 * tau2**2 * (w1 * w2 - 2 * w3 + w2**2)
            + 4 * tau2**2 * off * (spread + tau2 * (w4 - 2 * w2 * w3 + w2**3))
            + 2 * tau2**4 * (1 - 2 * np.square(z)) / inflation**2 * spread**2
        )
        bound = (w1 / w2 - 1) * (inflation * np.square(z / u) - 1) + df
        return np.asarray(special.gammainc(np.square(mean) / variance, bound * mean / variance))

    def excess(u: float) -> float:
        # The estimated error is never below that with tau2 = 0, where the estimate is cut: under u / g the ratio cannot
        # pass u, whatever Q, and there is nothing to integrate.
        z = u / np.sqrt(inflation) + (_NODES + 1) * _NORMAL_END / 2
        density = np.exp(-np.square(z) / 2) / np.sqrt(2 * np.pi)
        return float(_NODE_WEIGHTS @ (chance(z, u) * density)) * _NORMAL_END / 2 - tail

    # For the same reason the quantile is at most g times that of the normal; twice that surely brackets it.
    most = 2 * float(special.ndtri(1 - tail)) * np.sqrt(inflation)
    # By logarithms: where studies differ far beyond their errors the bracket is wide, the quantile near its low end.
    found = brentq(lambda log_u: excess(float(np.exp(log_u))), np.log(_LEAST_QUANTILE), np.log(most), xtol=_EXACT)
    return float(np.exp(found))
