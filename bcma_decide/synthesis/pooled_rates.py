"""A pooled rate by any method: inverse variances on a scale, or the binomial-normal model, in one shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.synthesis.checks import checked_counts
from bcma_decide.synthesis.coefficients import CoefficientTest
from bcma_decide.synthesis.effect_sizes import Measure, inverse_logit
from bcma_decide.synthesis.glmm import fit_binomial_normal, predict_rates
from bcma_decide.synthesis.heterogeneity import Method
from bcma_decide.synthesis.pooling import MeanTest, pool_proportions
from bcma_decide.synthesis.random_effects import Interval

__all__ = ["RATE_METHODS", "PooledRate", "RateMethod", "pool_rates"]

RateMethod = Method | Literal["GLMM"]
RATE_METHODS: tuple[RateMethod, ...] = (*get_args(Method), "GLMM")


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
        As in `bcma_decide.synthesis.pooling.pool_proportions`; with ``GLMM`` the measure is logit and the test z or t.

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
    found = pool_proportions(events, total, measure=measure, method=weighted, test=test, level=level)
    pooled = found.pooled
    return PooledRate(
        found.estimate, found.ci, found.prediction, pooled.estimate, pooled.se, pooled.tau2, pooled.tau2_ci, pooled.i2,
        pooled.h2, pooled.q, pooled.q_df, pooled.q_p, pooled.weights,
    )  # fmt: skip


def _binomial_normal(events: npt.ArrayLike, total: npt.ArrayLike, test: CoefficientTest, level: float) -> PooledRate:
    fit = fit_binomial_normal(events, total, test=test, level=level)
    on_logit = predict_rates(fit).log_odds

    def rates(ends: npt.ArrayLike) -> Interval:
        low, high = inverse_logit(ends).tolist()
        return low, high

    mean = float(on_logit.estimate[0])
    return PooledRate(
        estimate=float(inverse_logit(mean)),
        ci=rates(on_logit.ci[0]),
        prediction=None if on_logit.prediction is None else rates(on_logit.prediction[0]),
        mean=mean,
        se=float(on_logit.se[0]),
        tau2=fit.tau2,
        tau2_ci=None,
        i2=fit.i2,
        h2=fit.h2,
        q=fit.q_wald.q,
        q_df=fit.q_wald.df,
        q_p=fit.q_wald.p,
        weights=None,
    )
