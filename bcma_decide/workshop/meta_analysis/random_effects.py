"""The random-effects model of k effects on p coefficients: estimates, their errors, and the heterogeneity left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import special

from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.heterogeneity import Method, QTest, Tau2, q_test, shares
from bcma_decide.workshop.meta_analysis.tau2 import estimated, q_profile
from bcma_decide.workshop.meta_analysis.weighted_regression import DesignMatrix, WeightedFit, random_effects_fit

__all__ = [
    "TESTS",
    "Interval",
    "MeanTest",
    "RandomEffects",
    "errors_of",
    "fit_random_effects",
    "interval",
    "quantile",
]

Interval = tuple[float, float]
MeanTest = Literal["z", "t", "knapp_hartung", "floored_knapp_hartung", "kenward_roger"]
TESTS: tuple[MeanTest, ...] = get_args(MeanTest)


@dataclass(frozen=True, eq=False)
class RandomEffects:
    """A fitted model.

    ``coefficients`` (p,) and their ``covariance`` (p, p) as the test has it, with ``df`` degrees of freedom (``None``
    for a normal test); ``tau2_ci`` is ``None`` where tau2 is assumed, and so are ``i2`` and ``h2`` for one study.
    """

    coefficients: FloatArray
    covariance: FloatArray
    df: float | None
    tau2: Tau2
    tau2_ci: Interval | None
    i2: float | None
    h2: float | None
    q: QTest
    fit: WeightedFit


def fit_random_effects(
    y: FloatArray, v: FloatArray, design: DesignMatrix, method: Method, test: MeanTest, level: float
) -> RandomEffects:
    """Fit checked effects (k,) by inverse-variance weights; options are known ones, and one study has test "z".

    Raises
    ------
    SynthesisError
        If an iteration for tau2 does not converge.
    """
    several = y.size > 1
    tau2 = estimated(y, v, design, method) if several else Tau2(0.0, None)
    fit = random_effects_fit(y, v, tau2.value, design)
    covariance, df = errors_of(fit, test)
    q = q_test(random_effects_fit(y, v, 0.0, design).sum_of_squares, y.size - design.columns)
    i2, h2 = _heterogeneity(v, tau2.value, q, method, design) if several else (None, None)
    return RandomEffects(
        coefficients=fit.coefficients(),
        covariance=covariance,
        df=df,
        tau2=tau2,
        tau2_ci=q_profile(y, v, design, level) if several and method != "EE" else None,
        i2=i2,
        h2=h2,
        q=q,
        fit=fit,
    )


def errors_of(fit: WeightedFit, test: MeanTest) -> tuple[FloatArray, float | None]:
    """Covariance of the coefficients and degrees of freedom, as the test has them (Knapp and Hartung 2003)."""
    df = fit.design.rows - fit.design.columns
    if test == "z":
        return fit.covariance(), None
    if test == "kenward_roger":
        return _kenward_roger(fit)
    # The floor: studies that agree by chance more than their sampling errors allow would else give an interval shorter
    # than a common effect has (Röver, Knapp and Friede 2015).
    scale = 1.0 if test == "t" else fit.sum_of_squares / df
    return fit.covariance() * (max(1.0, scale) if test == "floored_knapp_hartung" else scale), float(df)


def _kenward_roger(fit: WeightedFit) -> tuple[FloatArray, float]:
    """Variance of a mean widened for the error of tau2, and its degrees of freedom (Partlett and Riley 2017).

    Kenward and Roger (1997) for one coefficient and one variance: with S_j = sum(w^j) and I = tr P^2 / 2, the expected
    information on tau2, the variance is ``(1 + 2 (S3 / S1 - (S2 / S1)^2) / I) / S1`` and the degrees of freedom are
    ``2 I / (variance S2)^2``.
    """
    w = fit.weights
    s1, s2, s3 = (float((w**power).sum()) for power in (1, 2, 3))
    information = fit.traces()[1] / 2
    variance = (1 + 2 * (s3 / s1 - (s2 / s1) ** 2) / information) / s1
    return np.array([[variance]]), 2 * information / (variance * s2) ** 2


def _heterogeneity(v: FloatArray, tau2: float, q: QTest, method: Method, design: DesignMatrix) -> tuple[float, float]:
    """I2 and H2: from tau2 where it is estimated, from Q where it is 0 by assumption (Higgins and Thompson 2002)."""
    if method == "EE":
        excess = max(0.0, q.q - q.df)
        return (100 * excess / q.q if excess else 0.0), q.q / q.df
    return shares(tau2, v, design)


def quantile(p: float, df: float | None) -> float:
    """Quantile of t with ``df`` degrees of freedom, or of the normal without."""
    return float(special.ndtri(p) if df is None else special.stdtrit(df, p))


def interval(centre: float, spread: float, df: float | None, level: float) -> Interval:
    """``centre`` plus and minus ``spread`` times the quantile of t, or of the normal where ``df`` is ``None``."""
    half_width = quantile(1 - (1 - level) / 2, df) * spread
    return centre - half_width, centre + half_width
