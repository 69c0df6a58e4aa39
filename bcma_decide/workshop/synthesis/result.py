"""One pooled result of some studies, by inverse variances, the binomial-normal model or summed tables."""

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
from bcma_decide.workshop.meta_analysis.incidence_rates import PersonTime, RatePairs, mantel_haenszel_rates
from bcma_decide.workshop.meta_analysis.pooled import Pooled, tested
from bcma_decide.workshop.meta_analysis.pooled_incidence import pool_incidence
from bcma_decide.workshop.meta_analysis.pooled_rates import pool_rates
from bcma_decide.workshop.meta_analysis.pooled_tables import CommonEffect, mantel_haenszel, peto
from bcma_decide.workshop.meta_analysis.pooling import MeanTest, pool
from bcma_decide.workshop.synthesis.model import PoolingMethod
from bcma_decide.workshop.synthesis.studies import GROUPS, PROPORTIONS, Studies

__all__ = ["correlated_options", "require_counts", "require_wald", "result_of"]


def require_counts(studies: Studies, model: PoolingMethod) -> tuple[FloatArray, FloatArray]:
    """Events and patients for the binomial-normal model.

    Raises
    ------
    SynthesisError
        When the measure is another than logit, or the test one that goes with weights.
    """
    if studies.events is None or studies.total is None or studies.scale.measure != "logit":
        raise SynthesisError(
            f"--method GLMM pools counts of single arms on the logit scale; measure is {studies.scale.measure!r}: "
            "take --measure logit, or another method"
        )
    require_wald(model)
    return studies.events, studies.total


def require_wald(model: PoolingMethod) -> MeanTest:
    """The test of an exact model; raises SynthesisError for one that goes with weights."""
    if model.test not in get_args(CoefficientTest):
        raise SynthesisError(f"--test {model.test} goes with weighted methods; with GLMM take z or t")
    return model.mean_test


def result_of(studies: Studies, model: PoolingMethod, *, profile: bool = True) -> Pooled:
    """Pool the studies.

    Parameters
    ----------
    studies
    model
    profile
        Whether the binomial-normal model gets the interval of tau2 too, which takes some twenty fits.

    Raises
    ------
    SynthesisError
        Where the method does not go with the studies, or an iteration does not converge.
    """
    if model.method == "GLMM" and isinstance(studies.rates, PersonTime):
        return pool_incidence(
            studies.rates,
            test=require_wald(model),
            level=model.level,
            prediction_df=model.prediction,
            profile=profile,
        )
    if model.method == "GLMM":
        require_counts(studies, model)
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
    if model.method == "MH" or model.method == "PETO":
        return _summed(studies, model)
    if studies.events is not None and studies.total is not None:
        return pool_rates(
            studies.events,
            studies.total,
            measure=PROPORTIONS[studies.scale.measure],
            method=model.method,
            test=model.mean_test,
            level=model.level,
            prediction_df=model.prediction,
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
    statistic, p = tested(effect.estimate, effect.se, None)
    # No I2 and no H2: they set a variance between studies beside that within, and here there is none to set.
    return Pooled(
        k=studies.k,
        method="MH" if model.method == "MH" else "PETO",
        test="z",
        level=model.level,
        estimate=effect.estimate,
        se=effect.se,
        df=None,
        ci=effect.ci,
        statistic=statistic,
        p=p,
        tau2=0.0,
        q=effect.q.q,
        q_df=effect.q.df,
        q_p=effect.q.p,
    )
