"""Random-effects pooling as published meta-analyses do it: one mean, its interval, and the heterogeneity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack, get_args

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import checked_choice, checked_counts, checked_level
from bcma_decide.workshop.meta_analysis.effect_sizes import (
    Measure,
    back_transform,
    effect_sizes,
    harmonic_mean,
    mean_proportion,
)
from bcma_decide.workshop.meta_analysis.heterogeneity import (
    METHODS,
    Method,
    checked_effects,
)
from bcma_decide.workshop.meta_analysis.random_effects import (
    TESTS,
    Interval,
    MeanTest,
    RandomEffects,
    fit_random_effects,
    interval,
)
from bcma_decide.workshop.meta_analysis.weighted_regression import intercept_only

__all__ = [
    "PREDICTION_DFS",
    "TESTS",
    "MeanTest",
    "PoolOptions",
    "Pooled",
    "PooledProportion",
    "PredictionDf",
    "checked_options",
    "pool",
    "pool_proportions",
]

PredictionDf = Literal["k-2", "k-1", "normal"]
PREDICTION_DFS: tuple[PredictionDf, ...] = get_args(PredictionDf)


class PoolOptions(TypedDict, total=False):
    """Keyword options of `pool`, handed on by the functions that pool proportions."""

    method: Method
    test: MeanTest
    level: float
    prediction_df: PredictionDf


@dataclass(frozen=True)
class Pooled:
    """A pooled effect on the analysis scale.

    With one study tau2 cannot be known: the estimate is the study's own, the interval is normal whatever test
    was asked for, and everything about heterogeneity is ``None``. With method ``EE`` tau2 is 0 by assumption,
    so ``se_tau2``, ``tau2_ci`` and ``prediction`` are ``None``. ``prediction`` is also ``None`` where its
    degrees of freedom are used up (two studies and ``k-2``). ``i2`` is a percentage, as are ``weights``, one
    per study. ``df`` are the degrees of freedom of ``ci``, ``None`` where it is normal.
    """

    estimate: float
    se: float
    ci: Interval
    prediction: Interval | None
    tau2: float | None
    se_tau2: float | None
    tau2_ci: Interval | None
    i2: float | None
    h2: float | None
    q: float
    q_df: int
    q_p: float | None
    weights: tuple[float, ...]
    k: int
    method: Method
    test: MeanTest
    level: float
    df: float | None


@dataclass(frozen=True)
class PooledProportion:
    """A pooled proportion: ``pooled`` on the analysis scale, the rest back-transformed to proportions.

    ``estimate`` is the back-transform of the pooled mean: on the logit scale the rate of the typical study,
    not the mean of the studies' rates. That is ``mean``, which is ``None`` for the other measures and where tau2
    is not known. ``n_used`` is the harmonic mean of the study sizes, at which
    Freeman-Tukey is read back, and ``None`` for the other measures.
    """

    estimate: float
    ci: Interval
    prediction: Interval | None
    pooled: Pooled
    measure: Measure
    events: float
    total: float
    n_used: float | None
    mean: float | None


def pool(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    *,
    method: Method = "REML",
    test: MeanTest = "z",
    level: float = 0.95,
    prediction_df: PredictionDf = "k-2",
) -> Pooled:
    """Inverse-variance random-effects mean of k effects.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effects and their sampling variances.
    method : str
        Estimator of tau2, see `heterogeneity.estimate_tau2`.
    test : {"z", "t", "knapp_hartung", "floored_knapp_hartung", "kenward_roger"}
        How the mean's interval is made: normal; t with k - 1 degrees of freedom; the same with the standard
        error scaled by the weighted residual variance (Hartung and Knapp 2001; Sidik and Jonkman 2002); with
        that scale not allowed below 1 (Knapp and Hartung 2003), so the interval is never narrower than that
        of "t"; or, with REML only, widened for the error of tau2, with degrees of freedom of its own
        (Kenward and Roger 1997; Partlett and Riley 2017).
    level : float
        Of the intervals of the mean and of tau2 and of the prediction interval.
    prediction_df : {"k-2", "k-1", "normal"}
        Distribution of the prediction interval ``estimate +- q sqrt(tau2 + se^2)``: t with one degree of
        freedom fewer than a t interval of the mean has, t with as many, or normal. ``se`` is the one the test
        uses. "k-2" is the interval as Higgins, Thompson and Spiegelhalter (2009) proposed it, which spends a
        degree of freedom on the mean and one on tau2; it is the widest of the three and so the default.

    Notes
    -----
    The prediction intervals of the literature, by name:

    ==================================================  =====================  =============
    name                                                test                   prediction_df
    ==================================================  =====================  =============
    Higgins, Thompson and Spiegelhalter (2009), HTS     z                      k-2
    Veroniki et al. (2019), V                           z                      k-1
    Skipka (2006), S                                    z                      normal
    Hartung-Knapp, HK                                   knapp_hartung          k-1
    Partlett and Riley (2017), HK-PR                    knapp_hartung          k-2
    Kenward-Roger, KR                                   kenward_roger          k-1
    Partlett and Riley (2017), KR-PR                    kenward_roger          k-2
    ==================================================  =====================  =============

    Raises
    ------
    SynthesisError
        If the effects are not valid (see `checked_effects`), an option is unknown, Kenward-Roger is asked for
        with another method than REML, the level is not between 0 and 1, or an iteration does not converge.
    """
    y, v = checked_effects(yi, vi)
    checked_options(method, test)
    checked_choice("prediction_df", prediction_df, PREDICTION_DFS)
    k = y.size
    used: MeanTest = test if k > 1 else "z"
    model = fit_random_effects(y, v, intercept_only(k), method, used, checked_level(level))
    estimate, se = float(model.coefficients[0]), float(np.sqrt(model.covariance[0, 0]))
    estimated = k > 1 and method != "EE"
    w = model.fit.weights
    return Pooled(
        estimate=estimate,
        se=se,
        ci=interval(estimate, se, model.df, level),
        prediction=_prediction(model, estimate, se, level, prediction_df) if estimated else None,
        tau2=model.tau2.value if k > 1 else None,
        se_tau2=model.tau2.se,
        tau2_ci=model.tau2_ci,
        i2=model.i2,
        h2=model.h2,
        q=model.q.q,
        q_df=model.q.df,
        q_p=model.q.p,
        weights=tuple((100 * w / w.sum()).tolist()),
        k=k,
        method=method,
        test=used,
        level=level,
        df=model.df,
    )


def checked_options(method: str, test: str) -> None:
    """Raise SynthesisError if either is unknown or they do not go together."""
    checked_choice("method", method, METHODS)
    checked_choice("test", test, TESTS)
    if test == "kenward_roger" and method != "REML":
        raise SynthesisError(f"test kenward_roger is made for tau2 by REML, not by {method}: use method REML")


def _prediction(
    model: RandomEffects, estimate: float, se: float, level: float, prediction_df: PredictionDf
) -> Interval | None:
    # The quantile is t because tau2 is estimated, also where the mean's own test is normal and takes it as known.
    as_mean = float(model.q.df) if model.df is None else model.df
    df = {"k-2": as_mean - 1, "k-1": as_mean, "normal": None}[prediction_df]
    if df is not None and df <= 0:
        return None
    return interval(estimate, float(np.sqrt(model.tau2.value + se**2)), df, level)


def pool_proportions(
    events: npt.ArrayLike, total: npt.ArrayLike, *, measure: Measure = "logit", **options: Unpack[PoolOptions]
) -> PooledProportion:
    """Pool single proportions on the scale of ``measure`` and return them as proportions.

    Parameters
    ----------
    events, total : array_like, shape (k,)
    measure : {"logit", "raw", "arcsine", "freeman_tukey", "log"}
        Analysis scale. Freeman-Tukey is read back at the harmonic mean of ``total``
        (Miller 1978), which can mislead (Schwarzer et al. 2019): use it only to reproduce a paper.
    **options
        ``method``, ``test``, ``level`` and ``prediction_df``, as in `pool`.

    Raises
    ------
    SynthesisError
        If the counts are not valid (see `checked_counts`) or for any reason `pool` gives.
    """
    effects = effect_sizes(events, total, measure)
    e, n = checked_counts(events, total)
    pooled = pool(effects.yi, effects.vi, **options)
    size = harmonic_mean(n)

    def proportions(interval: Interval) -> Interval:
        low, high = back_transform(interval, measure, size).tolist()
        return low, high

    return PooledProportion(
        estimate=float(back_transform(pooled.estimate, measure, size)),
        ci=proportions(pooled.ci),
        prediction=proportions(pooled.prediction) if pooled.prediction else None,
        pooled=pooled,
        measure=measure,
        events=float(e.sum()),
        total=float(n.sum()),
        n_used=size if measure == "freeman_tukey" else None,
        # The variance between studies alone: the mean over studies, not over what is uncertain about their centre.
        mean=mean_proportion(pooled.estimate, pooled.tau2) if measure == "logit" and pooled.tau2 is not None else None,
    )
