"""Random-effects pooling as published meta-analyses do it: one mean, its interval, and the heterogeneity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.synthesis.effect_sizes import (
    FloatArray,
    Measure,
    back_transform,
    checked_counts,
    effect_sizes,
    harmonic_mean,
)
from bcma_decide.synthesis.heterogeneity import (
    METHODS,
    Method,
    QTest,
    Tau2,
    checked_effects,
    checked_level,
    cochran_q,
    estimate_tau2,
    h_squared,
    i_squared,
    tau2_interval,
    weighted_mean,
)

__all__ = [
    "PREDICTION_DFS",
    "TESTS",
    "MeanTest",
    "PoolOptions",
    "Pooled",
    "PooledProportion",
    "PredictionDf",
    "Subgroups",
    "between_groups",
    "pool",
    "pool_by",
    "pool_proportions",
]

Interval = tuple[float, float]
MeanTest = Literal["z", "t", "knapp_hartung", "floored_knapp_hartung"]
PredictionDf = Literal["k-2", "k-1", "normal"]
TESTS: tuple[MeanTest, ...] = get_args(MeanTest)
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
    per study.
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


@dataclass(frozen=True)
class PooledProportion:
    """A pooled proportion: ``pooled`` on the analysis scale, the rest back-transformed to proportions.

    ``estimate`` is the back-transform of the pooled mean: on the logit scale the rate of the typical study,
    not the mean of the studies' rates. ``n_used`` is the harmonic mean of the study sizes, at which
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


@dataclass(frozen=True)
class Subgroups:
    """Pooled proportions by group, in order of first appearance; the test between them needs two groups."""

    groups: Mapping[str, PooledProportion]
    between: QTest | None


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
        Estimator of tau2, see `bcma_decide.synthesis.heterogeneity.estimate_tau2`.
    test : {"z", "t", "knapp_hartung", "floored_knapp_hartung"}
        How the mean's interval is made: normal; t with k - 1 degrees of freedom; the same with the standard
        error scaled by the weighted residual variance (Hartung and Knapp 2001; Sidik and Jonkman 2002); or
        with that scale not allowed below 1 (Knapp and Hartung 2003), so the interval is never narrower than
        that of "t".
    level : float
        Of the intervals of the mean and of tau2 and of the prediction interval.
    prediction_df : {"k-2", "k-1", "normal"}
        Distribution of the prediction interval ``estimate +- q sqrt(tau2 + se^2)``: t with k - 2 degrees of
        freedom (Higgins, Thompson and Spiegelhalter 2009), t with k - 1, or normal. ``se`` is the one the
        test uses.

    Raises
    ------
    SynthesisError
        If the effects are not valid (see `checked_effects`), an option is unknown, the level is not between 0
        and 1, or REML or ML do not converge.
    """
    y, v = checked_effects(yi, vi)
    _checked_options(method, test, prediction_df)
    tail = 1 - (1 - checked_level(level)) / 2
    k = y.size
    tau2 = estimate_tau2(y, v, method) if k > 1 else Tau2(0.0, None)
    w = 1 / (v + tau2.value)
    estimate = weighted_mean(y, w)
    used: MeanTest = test if k > 1 else "z"
    se = _standard_error(y, w, estimate, used)
    half_width = _quantile(tail, None if used == "z" else k - 1) * se
    q_test = cochran_q(y, v)
    i2, h2 = _heterogeneity(v, tau2.value, q_test, method)
    estimated = k > 1 and method != "EE"
    return Pooled(
        estimate=estimate,
        se=se,
        ci=(estimate - half_width, estimate + half_width),
        prediction=_prediction(estimate, se, tau2.value, k, tail, prediction_df) if estimated else None,
        tau2=tau2.value if k > 1 else None,
        se_tau2=tau2.se,
        tau2_ci=tau2_interval(y, v, level) if estimated else None,
        i2=i2,
        h2=h2,
        q=q_test.q,
        q_df=q_test.df,
        q_p=q_test.p,
        weights=tuple((100 * w / w.sum()).tolist()),
        k=k,
        method=method,
        test=used,
        level=level,
    )


def _checked_options(method: str, test: str, prediction_df: str) -> None:
    options: tuple[tuple[str, str, Sequence[str]], ...] = (
        ("method", method, METHODS),
        ("test", test, TESTS),
        ("prediction_df", prediction_df, PREDICTION_DFS),
    )
    for name, value, allowed in options:
        if value not in allowed:
            raise SynthesisError(f"{name} is {value!r}, but must be one of {', '.join(allowed)}")


def _standard_error(y: FloatArray, w: FloatArray, estimate: float, test: MeanTest) -> float:
    scale = 1.0
    if test in ("knapp_hartung", "floored_knapp_hartung"):
        scale = float(w @ np.square(y - estimate)) / (y.size - 1)
    if test == "floored_knapp_hartung":
        scale = max(1.0, scale)
    return float(np.sqrt(scale / w.sum()))


def _quantile(p: float, df: int | None) -> float:
    """Quantile of t with ``df`` degrees of freedom, or of the normal without."""
    return float(special.ndtri(p) if df is None else special.stdtrit(df, p))


def _heterogeneity(v: FloatArray, tau2: float, q_test: QTest, method: Method) -> tuple[float | None, float | None]:
    """I2 and H2: from tau2 where it is estimated, from Q where it is assumed to be 0, as in metafor."""
    if v.size == 1:
        return None, None
    if method == "EE":
        excess = max(0.0, q_test.q - q_test.df)
        return (100 * excess / q_test.q if excess else 0.0), q_test.q / q_test.df
    return i_squared(tau2, v), h_squared(tau2, v)


def _prediction(
    estimate: float, se: float, tau2: float, k: int, tail: float, prediction_df: PredictionDf
) -> Interval | None:
    df = {"k-2": k - 2, "k-1": k - 1, "normal": None}[prediction_df]
    if df == 0:
        return None
    half_width = _quantile(tail, df) * float(np.sqrt(tau2 + se**2))
    return estimate - half_width, estimate + half_width


def pool_proportions(
    events: npt.ArrayLike, total: npt.ArrayLike, *, measure: Measure = "logit", **options: Unpack[PoolOptions]
) -> PooledProportion:
    """Pool single proportions on the scale of ``measure`` and return them as proportions.

    Parameters
    ----------
    events, total : array_like, shape (k,)
    measure : {"logit", "raw", "arcsine", "freeman_tukey"}
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
    )


def between_groups(pooled: Sequence[Pooled]) -> QTest:
    """Test that groups pooled apart share one mean: Q of their estimates with weights ``1 / se^2``.

    Each group keeps its own tau2 (mixed-effects subgroup analysis, Borenstein, Hedges, Higgins and Rothstein
    2009). The chi-squared reference takes the standard errors as known: it is meant for groups pooled with
    test "z".

    Parameters
    ----------
    pooled : sequence of Pooled
        One per group, at least two.

    Returns
    -------
    QTest
        With one degree of freedom fewer than groups.

    Raises
    ------
    SynthesisError
        If there are fewer than two groups, or a standard error is 0 (identical studies under
        "knapp_hartung").
    """
    if len(pooled) < 2:
        raise SynthesisError(f"a test between groups needs at least two groups, not {len(pooled)}")
    return cochran_q([group.estimate for group in pooled], [group.se**2 for group in pooled])


def pool_by(
    events: npt.ArrayLike,
    total: npt.ArrayLike,
    groups: Sequence[str],
    *,
    measure: Measure = "logit",
    **options: Unpack[PoolOptions],
) -> Subgroups:
    """Pool single proportions apart in each group, each with its own tau2, and test between the groups.

    Parameters
    ----------
    events, total : array_like, shape (k,)
    groups : sequence of str, length k
        The group each study belongs to.
    measure, **options
        As in `pool_proportions`.

    Raises
    ------
    SynthesisError
        If a study has no group, or for any reason `pool_proportions` or `between_groups` gives.
    """
    e, n = checked_counts(events, total)
    if len(groups) != e.size:
        raise SynthesisError(f"groups has {len(groups)} rows but events has {e.size}")
    for row, label in enumerate(groups):
        if not isinstance(label, str) or not label:
            raise SynthesisError(f"groups[{row}] is {label!r}, but every study needs the name of its group")
    labels = np.asarray(groups)
    by_group = {
        label: pool_proportions(e[labels == label], n[labels == label], measure=measure, **options)
        for label in dict.fromkeys(groups)
    }
    between = between_groups([group.pooled for group in by_group.values()]) if len(by_group) > 1 else None
    return Subgroups(by_group, between)
