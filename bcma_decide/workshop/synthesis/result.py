"""One pooled result of some studies, by inverse variances, a model of exact counts or summed tables."""

from __future__ import annotations

from typing import get_args

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.coefficients import CoefficientTest
from bcma_decide.workshop.meta_analysis.correlated import (
    CORRELATED_METHODS,
    CorrelatedMethod,
    CorrelatedTest,
    pool_correlated,
)
from bcma_decide.workshop.meta_analysis.effect_sizes import EffectSizes
from bcma_decide.workshop.meta_analysis.incidence_rates import (
    PersonTime,
    RatePairs,
    mantel_haenszel_rates,
)
from bcma_decide.workshop.meta_analysis.pooled import Pooled, mean_of, prediction_interval
from bcma_decide.workshop.meta_analysis.pooled_incidence import pool_incidence
from bcma_decide.workshop.meta_analysis.pooled_rates import pool_rates
from bcma_decide.workshop.meta_analysis.pooled_tables import CommonEffect, mantel_haenszel, peto
from bcma_decide.workshop.meta_analysis.pooling import pool
from bcma_decide.workshop.meta_analysis.two_group_models import EXACT_MODELS, fit_odds_ratio
from bcma_decide.workshop.meta_analysis.two_groups import Tables
from bcma_decide.workshop.synthesis.model import PoolingMethod
from bcma_decide.workshop.synthesis.studies import GROUPS, PROPORTIONS, Studies

__all__ = ["check_method", "correlated_options", "require_counts", "result_of"]


def require_counts(studies: Studies, model: PoolingMethod) -> tuple[FloatArray, FloatArray]:
    """Events and patients for the binomial-normal model.

    Raises
    ------
    SynthesisError
        When the measure is another than logit, or the test one that goes with weights.
    """
    if studies.events is None or studies.total is None or studies.scale.measure != "logit":
        instead = "UM.FS or CM.EL for odds ratios" if studies.groups is not None else "--measure logit"
        raise SynthesisError(
            f"--method GLMM pools counts of single arms on the logit scale; measure is {studies.scale.measure!r}: "
            f"take {instead}, or another method"
        )
    _check_test(model)
    return studies.events, studies.total


def check_method(studies: Studies, model: PoolingMethod) -> None:
    """Refuse a method or a test for studies, or beside one another, that it is not made for.

    Raises
    ------
    SynthesisError
        With what it is made for.
    """
    if model.method == "GLMM" and isinstance(studies.rates, PersonTime):
        _check_test(model)
    elif model.method == "GLMM":
        require_counts(studies, model)
    elif model.is_exact:
        if studies.groups is None or studies.scale.measure != "OR":
            raise SynthesisError(
                f"--method {model.method} pools odds ratios of two groups; measure is {studies.scale.measure!r}: take "
                "--measure OR with events1, n1, events2, n2, or another method"
            )
        _check_test(model)
    elif model.test == "kenward-roger" and model.method != "REML":
        raise SynthesisError(
            f"--test kenward-roger is made for --method REML, not {model.method}: take that, or another test"
        )


def _check_test(model: PoolingMethod) -> None:
    if model.test not in get_args(CoefficientTest):
        raise SynthesisError(f"--test {model.test} goes with weighted methods; with {model.method} take z or t")


def result_of(studies: Studies, model: PoolingMethod, *, profile: bool = True) -> Pooled:
    """Pool the studies.

    Parameters
    ----------
    studies
    model
    profile
        Whether a model of exact counts gets the interval of tau2 too, which takes some twenty fits.

    Raises
    ------
    SynthesisError
        Where the method does not go with the studies, two groups fared alike in every study so that nothing can be said
        of their ratio, or an iteration does not converge.
    """
    check_method(studies, model)
    if studies.tells_nothing:
        raise SynthesisError("nobody, or everybody, had the event in both groups of every study: there is no ratio")
    if studies.covariance is not None:
        method, test = correlated_options(model)
        return pool_correlated(
            studies.yi,
            studies.covariance,
            method=method,
            test=test,
            level=model.level,
            prediction_df=model.prediction,
        )
    if model.method == "GLMM" and isinstance(studies.rates, PersonTime):
        return pool_incidence(
            studies.rates,
            test=model.mean_test,
            level=model.level,
            prediction_df=model.prediction,
            profile=profile,
        )
    if model.method == "MH" or model.method == "PETO":
        return _summed(studies, model)
    if studies.groups is not None and model.is_exact:
        return _modelled(studies.groups, model, profile=profile)
    if studies.events is not None and studies.total is not None:
        return pool_rates(
            studies.events,
            studies.total,
            measure=PROPORTIONS[studies.scale.measure],
            method=model.weighted if model.has_weights else "GLMM",
            test=model.mean_test,
            level=model.level,
            prediction_df=model.prediction,
            effects=EffectSizes(studies.yi, studies.vi),
            profile=profile,
        )
    return pool(
        studies.yi,
        studies.vi,
        method=model.weighted,
        test=model.mean_test,
        level=model.level,
        prediction_df=model.prediction,
    )


def correlated_options(model: PoolingMethod) -> tuple[CorrelatedMethod, CorrelatedTest]:
    """Method and test for rows that share a control.

    Raises
    ------
    SynthesisError
        When there is none of that name for them.
    """
    method = next((each for each in CORRELATED_METHODS if each == model.method), None)
    test = next((each for each in get_args(CorrelatedTest) if each == model.mean_test), None)
    if method is None or test is None:
        option = f"--method {model.method}" if method is None else f"--test {model.test}"
        raise SynthesisError(
            f"{option} takes rows for independent, and some share their control group: take --method "
            f"{', '.join(CORRELATED_METHODS)} with --test z, t, knha or knha-floored; or put the arms of such a study "
            "into one row, their events1 and n1 added up"
        )
    return method, test


def _modelled(t: Tables, model: PoolingMethod, *, profile: bool) -> Pooled:
    """By a model of exact counts of two groups."""
    exact = next(name for name in EXACT_MODELS if name == model.method)
    fit = fit_odds_ratio(t.events1, t.total1, t.events2, t.total2, exact, level=model.level, profile=profile)
    df = fit.k - 1.0 if model.test == "t" and fit.k > 1 else None
    beyond = None
    if fit.tau2 is not None:
        beyond = prediction_interval(fit.estimate, fit.se, fit.tau2, fit.k - 1.0, model.prediction, model.level)
    return Pooled(
        k=fit.k,
        method=exact,
        test="z" if df is None else "t",
        **mean_of(fit.estimate, fit.se, df, model.level),
        prediction=beyond,
        tau2=fit.tau2,
        se_tau2=fit.se_tau2,
        tau2_ci=fit.tau2_ci,
        i2=fit.i2,
        h2=fit.h2,
        q=fit.q.q,
        q_df=fit.q.df,
        q_p=fit.q.p,
        q_by="likelihood ratio",
        q_wald=fit.q_wald,
    )


def _summed(studies: Studies, model: PoolingMethod) -> Pooled:
    """Mantel-Haenszel or Peto; the test that one effect holds for all is about the studies that tell of one."""
    measure = studies.scale.measure
    if model.method == "MH" and isinstance(studies.rates, RatePairs):
        return _as_pooled(studies, model, mantel_haenszel_rates(studies.rates, level=model.level))
    wanted = ("OR",) if model.method == "PETO" else tuple(GROUPS)
    if studies.groups is None or measure not in wanted:
        raise SynthesisError(
            f"--method {model.method} pools counts of two groups; measure is {measure!r}: take --measure "
            f"{' or '.join(wanted)} with events1, n1, events2, n2, or another method"
        )
    t = studies.groups
    counts = (t.events1, t.total1, t.events2, t.total2)
    if model.method == "PETO":
        effect = peto(*counts, level=model.level)
    else:
        effect = mantel_haenszel(*counts, GROUPS[measure], level=model.level)
    return _as_pooled(studies, model, effect)


def _as_pooled(studies: Studies, model: PoolingMethod, effect: CommonEffect) -> Pooled:
    # No I2 and no H2: they set a variance between studies beside that within, and here there is none to set.
    return Pooled(
        k=studies.k,
        method="MH" if model.method == "MH" else "PETO",
        test="z",
        **mean_of(effect.estimate, effect.se, None, model.level),
        tau2=0.0,
        q=effect.q.q,
        q_df=effect.q.df,
        q_p=effect.q.p,
    )
