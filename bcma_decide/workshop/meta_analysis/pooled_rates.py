"""A pooled rate by any method: inverse variances on a scale, or the binomial-normal model, in one shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_counts
from bcma_decide.workshop.meta_analysis.coefficients import CoefficientTest
from bcma_decide.workshop.meta_analysis.effect_sizes import Measure, inverse_logit
from bcma_decide.workshop.meta_analysis.glmm import fit_binomial_normal, predict_rates
from bcma_decide.workshop.meta_analysis.heterogeneity import Method
from bcma_decide.workshop.meta_analysis.pooling import MeanTest, pool_proportions
from bcma_decide.workshop.meta_analysis.random_effects import Interval

__all__ = ["ExactMean", "PooledRate", "RateMethod", "exact_mean", "pool_rates", "usual_method"]

RateMethod = Method | Literal["GLMM"]
RARE = 0.05
"""Share of patients with, or without, an outcome below which it counts as rare."""


@dataclass(frozen=True)
class PooledRate:
    """A pooled rate: ``estimate``, ``ci`` and ``prediction`` as fractions, ``mean`` and ``se`` on the analysis scale.

    ``weights`` are percentages, one per study; ``None`` with the binomial-normal model, which has none. Heterogeneity
    is ``None`` where the studies or the method do not tell it.
    """

    estimate: float
    ci: Interval
    prediction: Interval | None
    mean: float
    se: float
    tau2: float | None
    tau2_ci: Interval | None
    i2: float | None
    h2: float | None
    q: float
    q_df: int
    q_p: float | None
    weights: tuple[float, ...] | None


@dataclass(frozen=True)
class ExactMean:
    """The mean log odds of the binomial-normal model, and ``mean_rate``, the average rate over studies.

    The logistic of ``estimate`` is the rate of the typical study.
    """

    k: int
    estimate: float
    se: float
    ci: Interval
    prediction: Interval | None
    tau2: float
    se_tau2: float | None
    i2: float | None
    h2: float | None
    q: float
    q_df: int
    q_p: float | None
    mean_rate: float


def usual_method(
    events: npt.ArrayLike, total: npt.ArrayLike, *, measure: Measure = "logit", test: MeanTest = "z"
) -> Literal["REML", "GLMM"]:
    """How rates are pooled unless another method is asked for: the binomial-normal model where the outcome is rare.

    Rare is fewer than `RARE` of all patients with the outcome, or without it: there the added half patients and the
    normal errors of weighted methods mislead most (Stijnen, Hamza and Özdemir 2010). The model needs the logit scale, a
    test it has, and a study with and one without the outcome; else it is REML.

    Raises
    ------
    SynthesisError
        If the counts are not valid.
    """
    e, n = checked_counts(events, total)
    share = float(e.sum() / n.sum())
    fits = measure == "logit" and test in get_args(CoefficientTest) and e.size > 1
    return "GLMM" if fits and 0 < min(share, 1 - share) < RARE else "REML"


def pool_rates(
    events: npt.ArrayLike,
    total: npt.ArrayLike,
    *,
    measure: Measure = "logit",
    method: RateMethod = "REML",
    test: MeanTest = "z",
    level: float = 0.95,
) -> PooledRate:
    """Pool single proportions by an estimator of tau2 or by ``GLMM``, the binomial-normal model.

    One study stays itself whatever the method: its own rate on the scale of ``measure``, with a normal interval.

    Parameters
    ----------
    events, total : array_like, shape (k,)
    measure, method, test, level
        As in `pooling.pool_proportions`; with ``GLMM`` the measure is logit and the test z or t.

    Raises
    ------
    SynthesisError
        If the counts are not valid, an option is unknown or does not go with GLMM, or an iteration does not converge.
    """
    events, total = checked_counts(events, total)
    if method == "GLMM":
        if measure != "logit" or test not in get_args(CoefficientTest):
            raise SynthesisError(
                f"GLMM pools on the logit scale with test z or t, not on {measure} with {test}: take those, or REML"
            )
        if events.size > 1:
            return _binomial_normal(events, total, "t" if test == "t" else "z", level)
    weighted: Method = "REML" if method == "GLMM" else method
    proportion = pool_proportions(events, total, measure=measure, method=weighted, test=test, level=level)
    pooled = proportion.pooled
    return PooledRate(
        proportion.estimate, proportion.ci, proportion.prediction, pooled.estimate, pooled.se, pooled.tau2,
        pooled.tau2_ci, pooled.i2, pooled.h2, pooled.q, pooled.q_df, pooled.q_p, pooled.weights,
    )  # fmt: skip


def _binomial_normal(events: npt.ArrayLike, total: npt.ArrayLike, test: CoefficientTest, level: float) -> PooledRate:
    mean = exact_mean(events, total, test=test, level=level)

    def rates(ends: Interval) -> Interval:
        low, high = inverse_logit(ends).tolist()
        return low, high

    return PooledRate(
        estimate=float(inverse_logit(mean.estimate)),
        ci=rates(mean.ci),
        prediction=None if mean.prediction is None else rates(mean.prediction),
        mean=mean.estimate,
        se=mean.se,
        tau2=mean.tau2,
        tau2_ci=None,
        i2=mean.i2,
        h2=mean.h2,
        q=mean.q,
        q_df=mean.q_df,
        q_p=mean.q_p,
        weights=None,
    )


def exact_mean(events: npt.ArrayLike, total: npt.ArrayLike, *, test: CoefficientTest, level: float) -> ExactMean:
    """Fit the binomial-normal model without moderators; raises SynthesisError as `fit_binomial_normal` does.

    Parameters
    ----------
    events, total : array_like, shape (k,), k >= 2
    test, level
        As in `glmm.fit_binomial_normal`.
    """
    fit = fit_binomial_normal(events, total, test=test, level=level)
    rates = predict_rates(fit)
    expected = rates.log_odds

    def ends(rows: FloatArray) -> Interval:
        low, high = rows[0].tolist()
        return low, high

    return ExactMean(
        k=fit.k,
        estimate=float(expected.estimate[0]),
        se=float(expected.se[0]),
        ci=ends(expected.ci),
        prediction=None if expected.prediction is None else ends(expected.prediction),
        tau2=fit.tau2,
        se_tau2=fit.se_tau2,
        i2=fit.i2,
        h2=fit.h2,
        q=fit.q_wald.q,
        q_df=fit.q_wald.df,
        q_p=fit.q_wald.p,
        mean_rate=float(rates.mean[0]),
    )
