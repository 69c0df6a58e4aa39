"""A pooled rate by any method: inverse variances on a scale, the binomial-normal model, or an exact count."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_choice, checked_counts
from bcma_decide.workshop.meta_analysis.coefficients import CoefficientTest
from bcma_decide.workshop.meta_analysis.effect_sizes import EffectSizes, Measure, effect_sizes, mean_proportion
from bcma_decide.workshop.meta_analysis.glmm import fit_binomial_normal, predict_rates
from bcma_decide.workshop.meta_analysis.glmm_profile import tau_interval
from bcma_decide.workshop.meta_analysis.heterogeneity import Method
from bcma_decide.workshop.meta_analysis.pooled import (
    PREDICTION_DFS,
    Pooled,
    PredictionDf,
    prediction_interval,
    tested,
)
from bcma_decide.workshop.meta_analysis.pooling import MeanTest, pool
from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.meta_analysis.study_intervals import study_intervals

__all__ = ["RARE", "RateMethod", "pool_rates", "usual_method"]

RateMethod = Method | Literal["GLMM"]
RARE = 0.05
"""Share of patients with, or without, an outcome below which it counts as rare.

Between the rates at which two-step logits keep their coverage (20 %) and lose it (1 %; Lin and Chu 2020).
"""


def usual_method(
    events: npt.ArrayLike, total: npt.ArrayLike, *, measure: Measure = "logit", test: MeanTest = "z"
) -> Literal["REML", "GLMM"]:
    """How rates are pooled unless another method is asked for: the binomial-normal model where the outcome is rare.

    Rare is fewer than `RARE` of all patients with the outcome, or without it: there the added half patients and the
    normal errors of weighted methods mislead most (Stijnen, Hamza and Özdemir 2010). The model needs the logit scale, a
    test it has, and a study in which some had the outcome and some had not, or none at all: then all are counted
    together. Else it is REML.

    Raises
    ------
    SynthesisError
        If the counts are not valid.
    """
    e, n = checked_counts(events, total)
    share = float(e.sum() / n.sum())
    tells = share in (0, 1) or bool(((e > 0) & (e < n)).any())
    fits = measure == "logit" and test in get_args(CoefficientTest) and tells and e.size > 1
    return "GLMM" if fits and min(share, 1 - share) < RARE else "REML"


def pool_rates(
    events: npt.ArrayLike,
    total: npt.ArrayLike,
    *,
    measure: Measure = "logit",
    method: RateMethod = "REML",
    test: MeanTest = "z",
    level: float = 0.95,
    prediction_df: PredictionDf = "k-2",
    effects: EffectSizes | None = None,
    profile: bool = True,
) -> Pooled:
    """Pool single proportions by an estimator of tau2 or by ``GLMM``, the binomial-normal model.

    One study on the logit scale stays itself whatever the method: its own rate with the exact interval. So do studies
    in which nobody or everybody had the event, with ``GLMM``: they are counted together.

    Parameters
    ----------
    events, total : array_like, shape (k,)
    measure : {"logit", "raw", "arcsine", "freeman_tukey", "log"}
        Analysis scale. Freeman-Tukey has no one way back from a pooled value (Schwarzer et al. 2019): use it only to
        reproduce a paper.
    method, test, level, prediction_df
        As in `pooling.pool`; with ``GLMM`` the measure is logit and the test z or t.
    effects
        Effects of the same studies, where empty cells were corrected in another way than usual.
    profile
        Whether ``GLMM`` gets the interval of tau2, which costs some twenty fits.

    Raises
    ------
    SynthesisError
        If the counts are not valid, an option is unknown or does not go with GLMM, or an iteration does not converge.
    """
    e, n = checked_counts(events, total)
    checked_choice("prediction_df", prediction_df, PREDICTION_DFS)
    alone = e.size == 1 and measure == "logit"
    if method == "GLMM":
        if measure != "logit" or test not in get_args(CoefficientTest):
            raise SynthesisError(
                f"GLMM pools on the logit scale with test z or t, not on {measure} with {test}: take those, or REML"
            )
        if not alone and 0 < e.sum() < n.sum():
            return _binomial_normal(e, n, "t" if test == "t" else "z", level, prediction_df, profile=profile)
        return _exact(e, n, level)
    effects = effects or effect_sizes(e, n, measure)
    pooled = pool(effects.yi, effects.vi, method=method, test=test, level=level, prediction_df=prediction_df)
    if alone:
        return _exact(e, n, level)
    if measure != "logit" or pooled.tau2 is None:
        return pooled
    # The variance between studies alone: the mean over studies, not over what is uncertain about their centre.
    return replace(pooled, average_rate=mean_proportion(pooled.estimate, pooled.tau2))


def _exact(e: FloatArray, n: FloatArray, level: float) -> Pooled:
    """All studies counted together, with the interval of Clopper and Pearson (1934)."""
    events, total = float(e.sum()), float(n.sum())
    low, high = special.logit(study_intervals([events], [total], level=level)[0]).tolist()
    estimate = float(special.logit(events / total))
    se, statistic, p = float("inf"), None, None
    if 0 < events < total:
        se = float(np.sqrt(1 / events + 1 / (total - events)))
        statistic, p = tested(estimate, se, None)
    return Pooled(
        k=e.size,
        method="exact",
        test="z",
        level=level,
        estimate=estimate,
        se=se,
        df=None,
        ci=(low, high),
        statistic=statistic,
        p=p,
        average_rate=None if e.size == 1 else events / total,
    )


def _binomial_normal(
    e: FloatArray, n: FloatArray, test: CoefficientTest, level: float, prediction_df: PredictionDf, *, profile: bool
) -> Pooled:
    fit = fit_binomial_normal(e, n, test=test, level=level)
    rates = predict_rates(fit)
    expected = rates.log_odds
    [estimate], [se] = expected.estimate.tolist(), expected.se.tolist()
    [[low, high]] = expected.ci.tolist()
    df = None if fit.coefficients.df is None else float(fit.coefficients.df[0])
    statistic, p = tested(estimate, se, df)
    tau_ci: Interval | None = tau_interval(e, n, level=level) if profile else None
    # The Wald test leaves studies with an empty cell out but counts them in its degrees of freedom: only where there
    # are none is it worth a look.
    whole = bool(((e > 0) & (e < n)).all())
    return Pooled(
        k=fit.k,
        method="GLMM",
        test=test,
        level=level,
        estimate=estimate,
        se=se,
        df=df,
        ci=(low, high),
        statistic=statistic,
        p=p,
        prediction=prediction_interval(estimate, se, fit.tau2, fit.k - 1.0, prediction_df, level),
        tau2=fit.tau2,
        se_tau2=fit.se_tau2,
        tau2_ci=None if tau_ci is None else (tau_ci[0] ** 2, tau_ci[1] ** 2),
        i2=fit.i2,
        h2=fit.h2,
        q=fit.q_likelihood_ratio.q,
        q_df=fit.q_likelihood_ratio.df,
        q_p=fit.q_likelihood_ratio.p,
        q_by="likelihood ratio",
        q_wald=fit.q_wald if whole else None,
        average_rate=float(rates.mean[0]),
    )
