"""Estimators of tau2, the variance between studies that the design does not explain.

Throughout ``w = 1 / (v + tau2)`` and ``Q(tau2) = y'P y``, the weighted sum of squared residuals; ``P`` as in
`weighted_regression`. The general formulas for k studies and p coefficients are those of
Raudenbush (2009) and Viechtbauer (2005); with one column of ones they are the familiar ones of a mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.likelihood import most_likely
from bcma_decide.workshop.meta_analysis.weighted_regression import (
    DesignMatrix,
    WeightedFit,
    random_effects_fit,
    weighted_fit,
)

__all__ = ["METHODS", "Method", "Tau2", "estimated", "q_profile", "q_root"]

Method = Literal["DL", "REML", "ML", "PM", "EB", "SJ", "HE", "HS", "EE", "PMM", "HSk", "DLIT"]
METHODS: tuple[Method, ...] = get_args(Method)

_MAX_STEPS = 100
"""Of 4,500 equations on drawn tables none took more than 12 steps."""
_LAST_DIGITS = 4 * float(np.finfo(float).eps)
"""A step below this share of tau2 changes nothing any more: Newton from below has no other sign that it has arrived."""


@dataclass(frozen=True)
class Tau2:
    """Between-study variance and its standard error (``None`` where it is assumed and not estimated)."""

    value: float
    se: float | None


def q_root(y: FloatArray, v: FloatArray, target: float, design: DesignMatrix) -> float:
    """Solve ``Q(tau2) = target``; Q falls as tau2 grows, and the answer is 0 if it starts below.

    ``Q`` is a sum of terms ``c / (l + tau2)`` with positive c and l, so ``1 / Q`` is increasing and concave, and
    Newton's steps on it climb to the root from below and never pass it.
    """
    tau2 = 0.0
    for _ in range(_MAX_STEPS):
        fit = random_effects_fit(y, v, tau2, design)
        q, pull = fit.sum_of_squares, fit.weights * fit.residuals
        if q <= target:
            return tau2
        # Newton on 1 / Q, not on Q: on Q itself, convex and steep at 0, it would creep where studies differ much.
        step = q * (q / target - 1) / float(pull @ pull)
        tau2 += step
        if step <= _LAST_DIGITS * tau2:
            return tau2
    raise SynthesisError(f"the equation Q(tau2) = {target:g} was not solved in {_MAX_STEPS} steps; use DL or HE")


def q_profile(y: FloatArray, v: FloatArray, design: DesignMatrix, level: float) -> tuple[float, float]:
    """Interval of tau2 on which Q lies between the chi-squared quantiles with k - p degrees of freedom."""
    tail, df = (1 - level) / 2, y.size - design.columns
    upper_quantile, lower_quantile = (float(special.chdtri(df, p)) for p in (tail, 1 - tail))
    return q_root(y, v, upper_quantile, design), q_root(y, v, lower_quantile, design)


def _from_moments(fit: WeightedFit, v: FloatArray, less: float, divisor: float) -> Tau2:
    """Moment estimate ``(y'P y - less) / divisor`` cut at 0, with the error of a normal quadratic form."""
    # The error is that at the estimate after the cut, as in metafor; the trace is a sum of squares and below 0 only by
    # rounding.
    tau2 = max(0.0, (fit.sum_of_squares - less) / divisor)
    return Tau2(tau2, float(np.sqrt(2 * max(0.0, fit.traces(v + tau2)[1]))) / divisor)


def _dersimonian_laird(y: FloatArray, v: FloatArray, design: DesignMatrix) -> Tau2:
    """DerSimonian and Laird (1986)."""
    fit = weighted_fit(y, 1 / v, design)
    return _from_moments(fit, v, y.size - design.columns, fit.traces()[0])


def _dersimonian_laird_iterated(y: FloatArray, v: FloatArray, design: DesignMatrix) -> Tau2:
    """DerSimonian and Laird's step repeated with the weights it leads to, as metafor defines it.

    It rests where ``Q(tau2) = k - p + tau2 trace(P)``. The steps themselves can swing about that place for ever. The
    difference of both sides falls and is convex, so Newton's steps from 0 lead there from one side. The standard error
    is metafor's too.
    """
    left, tau2 = y.size - design.columns, 0.0
    for _ in range(_MAX_STEPS):
        fit = random_effects_fit(y, v, tau2, design)
        trace, squared = fit.traces()
        pull = fit.weights * fit.residuals
        step = max(0.0, (fit.sum_of_squares - left - tau2 * trace) / (float(pull @ pull) + trace - tau2 * squared))
        tau2 += step
        if step <= _LAST_DIGITS * tau2:
            return Tau2(tau2, float(np.sqrt(2 * left + 4 * tau2 * trace + 2 * tau2**2 * squared)) / trace)
    raise SynthesisError(f"DLIT was not settled in {_MAX_STEPS} steps; use DL or PM")


def _hunter_schmidt(y: FloatArray, v: FloatArray, design: DesignMatrix) -> Tau2:
    """Hunter and Schmidt, as in Viechtbauer (2005)."""
    fit = weighted_fit(y, 1 / v, design)
    return _from_moments(fit, v, y.size, float(fit.weights.sum()))


def _hunter_schmidt_corrected(y: FloatArray, v: FloatArray, design: DesignMatrix) -> Tau2:
    """Hunter and Schmidt with Q raised by ``k / (k - p)``, the small-sample form of Brannick et al. (2019)."""
    fit = weighted_fit(y, 1 / v, design)
    df = y.size - design.columns
    return _from_moments(fit, v, df, float(fit.weights.sum()) * df / y.size)


def _hedges(y: FloatArray, v: FloatArray, design: DesignMatrix) -> Tau2:
    """Hedges and Olkin (1985): unweighted."""
    fit = weighted_fit(y, np.ones_like(v), design)
    return _from_moments(fit, v, fit.traces(v)[0], y.size - design.columns)


def _sidik_jonkman(y: FloatArray, v: FloatArray, design: DesignMatrix) -> Tau2:
    """Sidik and Jonkman (2005), started from the variance of yi with divisor k."""
    # With moderators too, as in metafor: the crude variance, which the estimator corrects in one step.
    start = float(y.var())
    if start == 0:
        return Tau2(0.0, 0.0)
    return _from_moments(random_effects_fit(y, v, start, design), v, 0.0, (y.size - design.columns) / start)


def _paule_mandel(y: FloatArray, v: FloatArray, design: DesignMatrix) -> Tau2:
    """Paule and Mandel (1982): Q(tau2) = k - p, its mean, as does empirical Bayes (Morris 1983)."""
    return _at_root(y, v, design, y.size - design.columns)


def _paule_mandel_median(y: FloatArray, v: FloatArray, design: DesignMatrix) -> Tau2:
    """Q(tau2) at its median, so that tau2 is as often too large as too small (Viechtbauer 2021)."""
    return _at_root(y, v, design, float(special.chdtri(y.size - design.columns, 0.5)))


def _at_root(y: FloatArray, v: FloatArray, design: DesignMatrix, target: float) -> Tau2:
    k = y.size
    tau2 = q_root(y, v, target, design)
    return Tau2(tau2, float(np.sqrt(2 * k**2 / (k - design.columns)) / (1 / (v + tau2)).sum()))


def _maximum_likelihood(y: FloatArray, v: FloatArray, design: DesignMatrix) -> Tau2:
    """Maximum likelihood, Hardy and Thompson (1996)."""
    return Tau2(*most_likely(y, v, design, restricted=False))


def _restricted_maximum_likelihood(y: FloatArray, v: FloatArray, design: DesignMatrix) -> Tau2:
    """Restricted maximum likelihood, Raudenbush (2009)."""
    return Tau2(*most_likely(y, v, design, restricted=True))


_ESTIMATORS: dict[Method, Callable[[FloatArray, FloatArray, DesignMatrix], Tau2]] = {
    "DL": _dersimonian_laird,
    "REML": _restricted_maximum_likelihood,
    "ML": _maximum_likelihood,
    "PM": _paule_mandel,
    "EB": _paule_mandel,
    "SJ": _sidik_jonkman,
    "HE": _hedges,
    "HS": _hunter_schmidt,
    "EE": lambda y, v, design: Tau2(0.0, None),
    "PMM": _paule_mandel_median,
    "HSk": _hunter_schmidt_corrected,
    "DLIT": _dersimonian_laird_iterated,
}


def estimated(y: FloatArray, v: FloatArray, design: DesignMatrix, method: Method) -> Tau2:
    """tau2 of checked effects by a known method."""
    return _ESTIMATORS[method](y, v, design)
