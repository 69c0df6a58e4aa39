"""Normal likelihood of effects that are clustered in studies, by blocks: no matrix larger than the design.

    V_j = diag(v + within) + between 1 1'

for the rows of study j. With ``w = 1 / (v + within)`` its inverse is ``diag(w) - c w w'`` with
``c = between / (1 + between sum(w))`` (Woodbury). As in meta-analysis of single effects,
``P = V^-1 - V^-1 X (X'V^-1 X)^-1 X'V^-1``; its traces are sums over studies too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bcma_decide.workshop.meta_analysis.effect_sizes import FloatArray

__all__ = ["ClusteredEffects", "Evaluation", "LeastSquares"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The likelihood at ``variances`` (2,), between and within: its value and its derivatives in these two.

    ``estimate`` (p,) and ``vcov`` (p, p) are generalised least squares. ``expected`` and ``observed`` (2, 2) are
    the informations of the two variances.
    """

    variances: FloatArray
    log_likelihood: float
    estimate: FloatArray
    vcov: FloatArray
    score: FloatArray
    expected: FloatArray
    observed: FloatArray


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Generalised least squares: ``estimate`` (p,), ``information`` and its inverse ``vcov`` (p, p).

    ``F = V^-1 X`` (k, p) and ``r = V^-1 (y - X beta)`` (k,). V^-1 itself is kept as ``w`` (k,), its sums ``W`` (m,) by
    study, and ``shrink = 1 / (1 + between W)`` (m,).
    """

    w: FloatArray
    W: FloatArray
    shrink: FloatArray
    between: float
    F: FloatArray
    information: FloatArray
    vcov: FloatArray
    estimate: FloatArray
    r: FloatArray


@dataclass(frozen=True, eq=False)
class ClusteredEffects:
    """Effects (k,), sampling variances (k,) and design (k, p), rows sorted so that each study's stand together.

    ``first`` (m,) is the first row of each study and ``size`` (m,) its number of rows.
    """

    yi: FloatArray
    vi: FloatArray
    X: FloatArray
    first: npt.NDArray[np.intp]
    size: npt.NDArray[np.intp]

    @cached_property
    def _log_design(self) -> float:
        return float(np.linalg.slogdet(self.X.T @ self.X)[1])

    def sums(self, values: FloatArray) -> FloatArray:
        """Sums over the rows of each study: (k,) to (m,), (k, p) to (m, p)."""
        return np.asarray(np.add.reduceat(values, self.first, axis=0))

    def spread(self, values: FloatArray) -> FloatArray:
        """Values of studies on their rows: (m,) to (k,), (m, p) to (k, p)."""
        return np.repeat(values, self.size, axis=0)

    def log_likelihood(self, variances: FloatArray, *, restricted: bool) -> float:
        """Log-likelihood, restricted or not, with ``beta`` at its best (Harville 1977).

        Parameters
        ----------
        variances : numpy.ndarray, shape (2,)
            Between and within studies, neither negative.
        restricted : bool
        """
        return self._value(self.least_squares(variances), restricted)

    def evaluate(self, variances: FloatArray, *, restricted: bool) -> Evaluation:
        """The same with its first and second derivatives (Harville 1977, section 5)."""
        fit = self.least_squares(variances)
        p = len(fit.estimate)
        traces, crossed = self._traces(fit)
        # One product gives all quadratic forms at once: columns 0 to p belong to "between", the rest to "within".
        # The derivatives of V are blocks of ones (between) and the identity (within); here times F and r.
        held = np.column_stack([fit.F, fit.r])
        moved = np.concatenate([self.spread(self.sums(held)), held], axis=1)
        products = moved.T @ self._solve(fit.w, fit.between * fit.shrink, moved)
        on_design = fit.F.T @ moved
        of_r = [p, 2 * p + 1]
        curvature = products[np.ix_(of_r, of_r)] - on_design[:, of_r].T @ fit.vcov @ on_design[:, of_r]
        if restricted:
            # What P has less than V^-1 in the traces, by coefficients: (derivative, p, p) and pairs of derivatives.
            inner = (fit.vcov @ on_design).reshape(p, 2, p + 1)[:, :, :p].transpose(1, 0, 2)
            outer = products.reshape(2, p + 1, 2, p + 1)[:, :p, :, :p]
            traces = traces - np.trace(inner, axis1=1, axis2=2)
            crossed = crossed - 2 * np.einsum("ij,ajbi->ab", fit.vcov, outer) + np.einsum("aij,bji->ab", inner, inner)
        return Evaluation(
            variances=variances,
            log_likelihood=self._value(fit, restricted),
            estimate=fit.estimate,
            vcov=fit.vcov,
            score=(moved[:, of_r].T @ fit.r - traces) / 2,
            expected=crossed / 2,
            observed=curvature - crossed / 2,
        )

    def least_squares(self, variances: FloatArray) -> LeastSquares:
        """Coefficients given the variances (2,) between and within studies."""
        between, within = variances.tolist()
        w = 1 / (self.vi + within)
        W = self.sums(w)
        shrink = 1 / (1 + between * W)
        F = self._solve(w, between * shrink, self.X)
        information = self.X.T @ F
        vcov: FloatArray = np.asarray(np.linalg.inv(information))
        estimate = vcov @ (F.T @ self.yi)
        r = self._solve(w, between * shrink, (self.yi - self.X @ estimate)[:, None])[:, 0]
        return LeastSquares(w, W, shrink, between, F, information, vcov, estimate, r)

    def _value(self, fit: LeastSquares, restricted: bool) -> float:
        log_determinant = -float(np.log(fit.w).sum() + np.log(fit.shrink).sum())
        df = self.yi.size
        # Less the determinant of X'X, so that the restricted likelihood does not change with the units of a moderator.
        if restricted:
            log_determinant += float(np.linalg.slogdet(fit.information)[1]) - self._log_design
            df -= self.X.shape[1]
        return -0.5 * (df * float(np.log(2 * np.pi)) + log_determinant + float(self.yi @ fit.r))

    def _solve(self, w: FloatArray, c: FloatArray, z: FloatArray) -> FloatArray:
        """Product of V^-1 with z (k, q), where V^-1 has ``diag(w) - c w w'`` for each study."""
        weighted = w[:, None] * z
        return weighted - w[:, None] * self.spread(c[:, None] * self.sums(weighted))

    def _traces(self, fit: LeastSquares) -> tuple[FloatArray, FloatArray]:
        """Traces of V^-1 A_a (2,), and of V^-1 A_a V^-1 A_b (2, 2), with A the two derivatives of V."""
        w, shrink, c = fit.w, fit.shrink, fit.between * fit.shrink
        w2, w3 = self.sums(w**2), self.sums(w**3)
        both = float(w2 @ shrink**2)
        squared = float(w2.sum() - 2 * (c @ w3) + np.square(c * w2).sum())
        return (
            np.array([fit.W @ shrink, w.sum() - c @ w2]),
            np.array([[np.square(fit.W * shrink).sum(), both], [both, squared]]),
        )
