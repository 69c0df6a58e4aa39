"""Binomial-normal model for proportions: exact counts, logit link, a random intercept per study.

    events_i ~ Binomial(total_i, expit(x_i'beta + u_i)),   u_i ~ N(0, tau2)

fitted by maximum likelihood (Hamza, van Houwelingen and Stijnen 2008; Stijnen, Hamza and Özdemir 2010). Studies with
no events or only events need no correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.coefficients import (
    Coefficients,
    CoefficientTest,
    Predictions,
    WaldTest,
    checked_design,
    checked_test,
    coefficients,
    predictions,
    wald_test,
)
from bcma_decide.workshop.meta_analysis.effect_sizes import FloatArray, checked_counts, logit
from bcma_decide.workshop.meta_analysis.glmm_search import Maximum, inner_maximum
from bcma_decide.workshop.meta_analysis.heterogeneity import QTest, q_test
from bcma_decide.workshop.meta_analysis.logistic import LogisticFit, fit_logistic, refuse_separation
from bcma_decide.workshop.meta_analysis.quadrature import log_binomial_coefficients, mean_of_logistic

__all__ = ["BinomialNormal", "GlmmModel", "PredictedRates", "fit_binomial_normal", "predict_rates"]

GlmmModel = Literal["random", "common"]


@dataclass(frozen=True, eq=False)
class BinomialNormal:
    """A fitted binomial-normal model; coefficients are log odds (ratios).

    ``tau2`` is 0 by assumption where the model is ``common``, and by estimation where ``at_boundary``; there the
    standard errors of tau and the covariance with it, ``vcov_with_tau`` (p + 1, p + 1), are ``None``. Standard errors
    are from the observed information of beta and tau together, that of ``tau2`` by the delta method.

    ``spread`` tests tau = 0 by the likelihood ratio with its half-and-half reference (Self and Liang 1987). ``q_wald``
    and ``q_likelihood_ratio`` compare logistic regression with a rate of its own for every study, ``moderators`` tests
    all columns but the constant one. ``i2`` (a percentage) and ``h2`` set tau2 against the typical variance of an
    empirical logit, as metafor does; they are ``None`` in the common model.
    """

    coefficients: Coefficients
    tau2: float
    tau: float
    se_tau2: float | None
    se_tau: float | None
    vcov_with_tau: FloatArray | None
    at_boundary: bool
    log_likelihood: float
    spread: QTest | None
    q_wald: QTest
    q_likelihood_ratio: QTest
    moderators: WaldTest
    i2: float | None
    h2: float | None
    k: int
    model: GlmmModel
    test: CoefficientTest


@dataclass(frozen=True, eq=False)
class PredictedRates:
    """Rates at m rows of moderators: ``log_odds`` with its intervals, ``median`` and ``mean`` (m,).

    ``median`` is the rate of the typical study, ``mean`` the average rate over studies.
    """

    log_odds: Predictions
    median: FloatArray
    mean: FloatArray


def fit_binomial_normal(
    events: npt.ArrayLike,
    total: npt.ArrayLike,
    design: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    *,
    model: GlmmModel = "random",
    test: CoefficientTest = "z",
    level: float = 0.95,
) -> BinomialNormal:
    """Fit the binomial-normal model by maximum likelihood.

    The marginal likelihood is integrated by adaptive Gauss-Hermite quadrature with as many points as the estimate
    needs to stay (see `glmm_search`). The estimate is the higher of the inner maximum and
    logistic regression, which is the model at tau = 0.

    Parameters
    ----------
    events, total : array_like, shape (k,)
    design : array_like, shape (k, p), optional
        Moderators with a column of ones if an intercept is wanted; an intercept alone without.
    names : sequence of str, length p, optional
        Of the columns.
    model : {"random", "common"}
        With a random intercept per study, or logistic regression.
    test : {"z", "t"}
        Normal, or t with k - p degrees of freedom, for tests and intervals of the coefficients.
    level : float

    Raises
    ------
    SynthesisError
        If counts or design are not valid, an option is unknown, there are too few studies for the model, the estimate
        is infinite (only studies without events, only studies with events, or a moderator that tells such studies
        apart), or the search does not settle.
    """
    e, n = checked_counts(events, total)
    X = checked_design(design, e.size, names)
    df = checked_test(test, e.size - X.p)
    if model not in get_args(GlmmModel):
        raise SynthesisError(f"model is {model!r}, but must be one of {', '.join(get_args(GlmmModel))}")
    if model == "random" and e.size <= X.p:
        raise SynthesisError(
            f"{X.p} coefficients and tau2 cannot be estimated from {e.size} studies: leave out columns, or report the "
            "studies themselves"
        )
    refuse_separation(e, n, X)
    if model == "random" and ((e == 0) | (e == n)).all():
        raise SynthesisError(
            "every study has no events or only events, so tau2 has no finite estimate: pool on the logit scale with "
            "REML (--method REML)"
        )
    # On orthonormal columns, so that one tolerance fits all directions whatever the units; taken back by R at the end.
    Q, R = np.linalg.qr(X.X)
    common = fit_logistic(e, n, Q)
    inner = inner_maximum(e, n, Q) if model == "random" else None
    # The search comes from above and may rest on a lower peak than the edge is: the model at tau = 0 is then the
    # maximum.
    if inner is not None and inner.log_likelihood <= common.log_likelihood:
        inner = None
    back = np.linalg.inv(R)
    beta, vcov, with_tau = _on_columns(common, inner, back)
    tau = float(inner.theta[-1]) if inner else 0.0
    se_tau = float(np.sqrt(with_tau[-1, -1])) if with_tau is not None else None
    constant = float(log_binomial_coefficients(e, n).sum())
    reached = inner.log_likelihood if inner else common.log_likelihood
    i2, h2 = _share_between(e, n, X.X, tau**2) if model == "random" else (None, None)
    return BinomialNormal(
        coefficients=coefficients(X.names, beta, vcov, df, level),
        tau2=tau**2,
        tau=tau,
        se_tau2=None if se_tau is None else 2 * tau * se_tau,
        se_tau=se_tau,
        vcov_with_tau=with_tau,
        at_boundary=model == "random" and inner is None,
        log_likelihood=reached + constant,
        spread=_spread_test(reached - common.log_likelihood) if model == "random" else None,
        q_wald=_wald_q(e, n, X.X),
        q_likelihood_ratio=_likelihood_ratio_q(e, n, X.p, common),
        moderators=wald_test(beta, vcov, X.moderators, df),
        i2=i2,
        h2=h2,
        k=e.size,
        model=model,
        test=test,
    )


def _on_columns(
    common: LogisticFit, inner: Maximum | None, back: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Coefficients, their covariance, and that with tau, on the columns of the design; ``back`` is R inverse."""
    if inner is None:
        return back @ common.estimate, back @ common.vcov @ back.T, None
    p = back.shape[0]
    all_back = np.eye(p + 1)
    all_back[:p, :p] = back
    with_tau = all_back @ np.linalg.inv(inner.information) @ all_back.T
    return back @ inner.theta[:-1], with_tau[:p, :p], with_tau


def _spread_test(gain: float) -> QTest:
    """Likelihood ratio of tau = 0 on the edge (Self and Liang 1987): half the weight of the reference sits at 0."""
    ratio = max(0.0, 2 * gain)
    return QTest(ratio, 1, 0.5 * float(special.chdtrc(1, ratio)) if ratio > 0 else 1.0)


def _wald_q(e: FloatArray, n: FloatArray, X: FloatArray) -> QTest:
    """Wald test that the studies' own logits follow the design; a study with an empty cell has no weight in it."""
    # A logit that is infinite has weight 0; the degrees of freedom count its study all the same.
    inside = (e > 0) & (e < n)
    root_weight = np.sqrt(e * (n - e) / n)[inside]
    y = root_weight * np.log(e[inside] / (n - e)[inside])
    weighted = root_weight[:, None] * X[inside]
    residual = y - weighted @ np.linalg.lstsq(weighted, y, rcond=None)[0]
    return q_test(float(residual @ residual), e.size - X.shape[1])


def _likelihood_ratio_q(e: FloatArray, n: FloatArray, p: int, common: LogisticFit) -> QTest:
    """Deviance of logistic regression."""
    saturated = special.xlogy(e, e / n) + special.xlogy(n - e, (n - e) / n)
    return q_test(max(0.0, 2 * float(saturated.sum() - common.log_likelihood)), e.size - p)


def _share_between(e: FloatArray, n: FloatArray, X: FloatArray, tau2: float) -> tuple[float, float]:
    """I2 and H2 with the typical variance ``(k - p) / trace(P)`` of empirical logits (Higgins and Thompson 2002)."""
    w = 1 / logit(e, n).vi
    weighted = w[:, None] * X
    trace = float(w.sum() - np.trace(np.linalg.solve(X.T @ weighted, weighted.T @ weighted)))
    typical = (e.size - X.shape[1]) / trace
    return 100 * tau2 / (tau2 + typical), (tau2 + typical) / typical


def predict_rates(fit: BinomialNormal, design: npt.ArrayLike | None = None) -> PredictedRates:
    """Rates that a fitted model expects, with confidence and prediction intervals of the log odds.

    The prediction interval is ``x'beta +- q sqrt(tau2 + se^2)`` with the quantile of the fit's own test. Intervals of
    the rate of a typical, or of a further, study are the logistic of the ends.

    Parameters
    ----------
    fit : BinomialNormal
    design : array_like, shape (m, p), optional
        Rows in the columns of the fit; needed unless the fit has an intercept alone.

    Raises
    ------
    SynthesisError
        If the rows are not finite numbers or do not have the columns of the fit.
    """
    on_logit = predictions(fit.coefficients, design, fit.tau2 if fit.model == "random" else None)
    return PredictedRates(
        log_odds=on_logit,
        median=np.asarray(special.expit(on_logit.estimate)),
        mean=np.array([mean_of_logistic(value, fit.tau) for value in on_logit.estimate.tolist()]),
    )
