"""Random-effects models of effects whose sampling errors are correlated, as those of arms that share a control.

    y = X beta + u + e,   u ~ N(0, tau2 I),  e ~ N(0, V)

by generalised least squares (Gleser and Olkin 2009). With K an orthonormal basis of what X leaves, K'VK has eigenvalues
``a`` and K'y has coordinates ``z`` along its eigenvectors: independent, each with variance ``a + tau2``. All that is
asked of tau2 is about these numbers alone: ``y'P y`` is the sum of ``z^2 / (a + tau2)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, get_args

import numpy as np
from scipy import optimize, special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.coefficients import NamedDesignMatrix
from bcma_decide.workshop.meta_analysis.heterogeneity import QTest, q_test
from bcma_decide.workshop.meta_analysis.pooled import Pooled, PredictionDf, mean_of, prediction_interval
from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.meta_analysis.tau2 import Tau2

__all__ = [
    "CORRELATED_METHODS",
    "CorrelatedFit",
    "CorrelatedMethod",
    "CorrelatedTest",
    "fit_correlated",
    "pool_correlated",
]

CorrelatedMethod = Literal["EE", "DL", "PM", "EB", "ML", "REML"]
CORRELATED_METHODS: Final[tuple[CorrelatedMethod, ...]] = get_args(CorrelatedMethod)
CorrelatedTest = Literal["z", "t", "knapp_hartung", "floored_knapp_hartung"]
_GRID: Final = 60
_EXACT: Final = 1e-13
"""Of tau2 plus the smallest variance."""


@dataclass(frozen=True, eq=False)
class _Contrasts:
    """``z`` and ``a`` (k - p,), and the eigenvalues ``v`` (k,) of V."""

    z: FloatArray
    a: FloatArray
    v: FloatArray

    def q(self, tau2: float) -> float:
        """``y'P y``."""
        return float((np.square(self.z) / (self.a + tau2)).sum())

    @cached_property
    def trace(self) -> float:
        """Of P at tau2 = 0."""
        return float((1 / self.a).sum())

    def tau2(self, method: CorrelatedMethod) -> Tau2:
        left = self.z.size
        match method:
            case "EE":
                return Tau2(0.0, None)
            case "DL":
                value = max(0.0, (self.q(0.0) - left) / self.trace)
                return Tau2(value, float(np.sqrt(2 * np.square(1 + value / self.a).sum())) / self.trace)
            case "PM" | "EB":
                value = self.root(left)
                return Tau2(value, float(np.sqrt(2 * left) / (1 / (self.a + value)).sum()))
            case "ML" | "REML":
                return self._most_likely(self.a if method == "REML" else self.v)

    def root(self, target: float) -> float:
        """Where ``y'P y`` has fallen to the target; 0 if it starts below."""
        return _crossing(lambda tau2: self.q(tau2) - target, float(np.square(self.z).sum()) / target, self.a)

    def _most_likely(self, d: FloatArray) -> Tau2:
        """The highest of all peaks of the likelihood, of which ``d`` are the eigenvalues in the determinant."""

        def slope(tau2: float) -> float:
            return float((np.square(self.z / (self.a + tau2))).sum() - (1 / (d + tau2)).sum())

        def height(tau2: float) -> float:
            return -float(np.log(d + tau2).sum()) - self.q(tau2)

        # Beyond the largest square every term of the slope falls: a is no smaller than d, one by one (Cauchy).
        reach = float(np.square(self.z).max())
        first = min(float(self.a.min()), reach) / 10
        grid = [0.0]
        if first > 0:
            grid += (first * (2 * reach / first) ** np.linspace(0.0, 1.0, _GRID)).tolist()
        slopes = [slope(tau2) for tau2 in grid]
        peaks = [] if slopes[0] > 0 else [0.0]
        for low, high, rises, falls in zip(grid[:-1], grid[1:], slopes[:-1], slopes[1:], strict=True):
            if rises > 0 >= falls:
                peaks.append(float(optimize.brentq(slope, low, high, xtol=_EXACT * (low + float(self.a.min())))))
        value = max(peaks, key=height)
        return Tau2(value, float(np.sqrt(2 / np.square(1 / (d + value)).sum())))


def _crossing(function: Callable[[float], float], reach: float, a: FloatArray) -> float:
    if function(0.0) <= 0:
        return 0.0
    return float(optimize.brentq(function, 0.0, reach, xtol=_EXACT * float(a.min()), rtol=1e-14))


@dataclass(frozen=True, eq=False)
class CorrelatedFit:
    """A fitted model: ``estimate`` (p,) with ``vcov`` (p, p) as the test has it, and ``df`` (``None``: normal).

    ``i2`` (percent) and ``h2`` set tau2 against the typical sampling variance ``(k - p) / trace(P)``. ``weights`` (k,)
    are the sums of rows of the inverse covariance, in percent.
    """

    estimate: FloatArray
    vcov: FloatArray
    df: float | None
    tau2: Tau2
    tau2_ci: Interval | None
    q: QTest
    typical: float
    weights: FloatArray
    names: tuple[str, ...]

    def shares(self, tau2: float) -> tuple[float, float]:
        """I2 in percent and H2 with a tau2."""
        return 100 * tau2 / (tau2 + self.typical), (tau2 + self.typical) / self.typical


def fit_correlated(
    y: FloatArray, V: FloatArray, X: NamedDesignMatrix, *, method: CorrelatedMethod, test: CorrelatedTest, level: float
) -> CorrelatedFit:
    """Fit k effects on p columns.

    Parameters
    ----------
    y : numpy.ndarray, shape (k,)
    V : numpy.ndarray, shape (k, k)
        Sampling covariance, positive definite.
    X
    method
        Estimator of tau2: none; moments with the inverse of V as weights; ``y'P y = k - p``; or (restricted) maximum
        likelihood.
    test
        As in `pooling.pool`, by ``y'P y / (k - p)`` with Knapp and Hartung's.
    level

    Raises
    ------
    SynthesisError
        If there are not more effects than coefficients.
    """
    k, p = X.X.shape
    if k <= p:
        raise SynthesisError(f"{k} studies are too few for {p} coefficients: leave a moderator out")
    # On orthonormal columns, whatever the units; taken back at the end.
    Q, R = np.linalg.qr(X.X, mode="complete")
    a, U = np.linalg.eigh(Q[:, p:].T @ V @ Q[:, p:])
    contrasts = _Contrasts(U.T @ (Q[:, p:].T @ y), a, np.asarray(np.linalg.eigvalsh(V), dtype=np.float64))
    tau2 = contrasts.tau2(method)
    inverse = np.linalg.inv(V + tau2.value * np.eye(k))
    phi = np.linalg.inv(Q[:, :p].T @ inverse @ Q[:, :p])
    back = np.linalg.inv(R[:p])
    scale = 1.0 if test in ("z", "t") else contrasts.q(tau2.value) / (k - p)
    if test == "floored_knapp_hartung":
        scale = max(1.0, scale)
    ends = None
    if method != "EE":
        tail = (1 - level) / 2
        ends = tuple(contrasts.root(float(special.chdtri(k - p, each))) for each in (tail, 1 - tail))
    sums = inverse.sum(axis=0)
    return CorrelatedFit(
        estimate=back @ (phi @ (Q[:, :p].T @ (inverse @ y))),
        vcov=back @ phi @ back.T * scale,
        df=None if test == "z" else float(k - p),
        tau2=tau2,
        tau2_ci=None if ends is None else (ends[0], ends[1]),
        q=q_test(contrasts.q(0.0), k - p),
        typical=(k - p) / contrasts.trace,
        weights=100 * sums / sums.sum(),
        names=X.names,
    )


def pool_correlated(
    y: FloatArray,
    V: FloatArray,
    *,
    method: CorrelatedMethod = "REML",
    test: CorrelatedTest = "z",
    level: float = 0.95,
    prediction_df: PredictionDf = "k-2",
) -> Pooled:
    """Pool at least two effects (k,) with sampling covariance V (k, k); else as `fit_correlated` and `pooling.pool`."""
    k = y.size
    fit = fit_correlated(
        y, V, NamedDesignMatrix(np.ones((k, 1)), ("intercept",)), method=method, test=test, level=level
    )
    estimate, se, tau2 = float(fit.estimate[0]), float(np.sqrt(fit.vcov[0, 0])), fit.tau2.value
    beyond = None
    if method != "EE":
        beyond = prediction_interval(estimate, se, tau2, float(k - 1), prediction_df, level)
    i2, h2 = fit.shares(tau2)
    low, high = (fit.shares(end) for end in fit.tau2_ci or (0.0, 0.0))
    estimated = fit.tau2_ci is not None
    return Pooled(
        k=k,
        method=method,
        test=test,
        **mean_of(estimate, se, fit.df, level),
        prediction=beyond,
        tau2=tau2,
        se_tau2=fit.tau2.se,
        tau2_ci=fit.tau2_ci,
        i2=i2 if estimated else None,
        h2=h2 if estimated else None,
        i2_ci=(low[0], high[0]) if estimated else None,
        h2_ci=(low[1], high[1]) if estimated else None,
        q=fit.q.q,
        q_df=fit.q.df,
        q_p=fit.q.p,
        weights=tuple(fit.weights.tolist()),
    )
