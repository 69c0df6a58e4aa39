"""One pooled effect in one shape, whatever pooled it, with its test of 0 and its prediction interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypedDict, get_args

from scipy import special

from bcma_decide.workshop.meta_analysis.heterogeneity import Method, QTest
from bcma_decide.workshop.meta_analysis.random_effects import Interval, MeanTest, interval

__all__ = [
    "PREDICTION_DFS",
    "HeterogeneityTest",
    "Mean",
    "Pooled",
    "PoolingMethodName",
    "PredictionDf",
    "mean_of",
    "prediction_interval",
    "tested",
]

PredictionDf = Literal["k-2", "k-1", "normal"]
PREDICTION_DFS: Final[tuple[PredictionDf, ...]] = get_args(PredictionDf)
PoolingMethodName = Literal[Method, "GLMM", "UM.FS", "UM.RS", "CM.EL", "CM.AL", "MH", "PETO", "exact"]
HeterogeneityTest = Literal["inverse variance", "likelihood ratio"]


@dataclass(frozen=True)
class Pooled:
    """A pooled effect of k studies on the analysis scale; one shape for every method.

    ``estimate`` is the pooled effect: with random effects that of the typical study. ``average_rate`` is the average of
    the studies' rates instead, a fraction; ``None`` where the effects are no log odds or tau2 is not known. ``se`` and
    ``ci`` are as ``test`` has them, with ``df`` degrees of freedom (``None``: normal); ``statistic`` and ``p`` test an
    effect of 0 on the analysis scale. ``prediction`` is where the effect of a further study is expected: ``None`` where
    tau2 is 0 by assumption, and where its degrees of freedom are used up.

    ``tau2`` has its standard error and interval where the method gives them: by Q-profile with inverse variances
    (Viechtbauer 2007), by profile likelihood with models of exact counts; ``i2`` (percent) and ``h2`` follow it.
    ``q`` is the test of heterogeneity that ``q_by`` names; ``q_wald`` stands beside a likelihood ratio where it can.
    ``weights`` are percentages, one for each study; ``None`` with methods that have none.

    With one study tau2 cannot be known: the estimate is the study's own, the interval is normal whatever test was asked
    for, and everything about heterogeneity is ``None``. ``method`` "exact" is a count of all studies together, with the
    interval of Clopper and Pearson (1934): it stands where nobody or everybody had the event. There the log odds and
    their standard error are infinite.
    """

    k: int
    method: PoolingMethodName
    test: MeanTest
    level: float
    estimate: float
    se: float
    df: float | None
    ci: Interval
    statistic: float | None
    p: float | None
    prediction: Interval | None = None
    tau2: float | None = None
    se_tau2: float | None = None
    tau2_ci: Interval | None = None
    i2: float | None = None
    h2: float | None = None
    i2_ci: Interval | None = None
    h2_ci: Interval | None = None
    q: float | None = None
    q_df: int = 0
    q_p: float | None = None
    q_by: HeterogeneityTest = "inverse variance"
    q_wald: QTest | None = None
    weights: tuple[float, ...] | None = None
    average_rate: float | None = None


class Mean(TypedDict):
    """The fields of `Pooled` that follow from an estimate and its error."""

    estimate: float
    se: float
    df: float | None
    level: float
    ci: Interval
    statistic: float
    p: float


def mean_of(estimate: float, se: float, df: float | None, level: float) -> Mean:
    """An estimate with its interval and its test of 0: by t with ``df``, or normal where it is ``None``."""
    statistic, p = tested(estimate, se, df)
    return Mean(
        estimate=estimate, se=se, df=df, level=level, ci=interval(estimate, se, df, level), statistic=statistic, p=p
    )


def tested(estimate: float, se: float, df: float | None) -> tuple[float, float]:
    """Statistic of an effect of 0, and its two-sided p-value: by t with ``df``, or normal where it is ``None``."""
    if se == 0:
        # Studies that agree to the last digit: nothing is left to tell chance from.
        return (0.0, 1.0) if estimate == 0 else (float("inf") if estimate > 0 else -float("inf"), 0.0)
    statistic = estimate / se
    tail = special.ndtr(-abs(statistic)) if df is None else special.stdtr(df, -abs(statistic))
    return statistic, 2 * float(tail)


def prediction_interval(
    estimate: float, se: float, tau2: float, df: float, prediction_df: PredictionDf, level: float
) -> Interval | None:
    """Where the effect of a further study is expected: ``estimate +- q sqrt(tau2 + se^2)``.

    Parameters
    ----------
    estimate, se, tau2
        The mean, its standard error, and the variance of true effects about it.
    df
        Degrees of freedom that a t interval of the mean has.
    prediction_df : {"k-2", "k-1", "normal"}
        The quantile: t with one degree of freedom fewer than ``df``, for tau2 (Higgins, Thompson and Spiegelhalter
        2009); t with ``df`` (Veroniki et al. 2019); or normal (Skipka 2006).
    level

    Returns
    -------
    ``None`` where the degrees of freedom are used up.
    """
    left = {"k-2": df - 1, "k-1": df, "normal": None}[prediction_df]
    if left is not None and left <= 0:
        return None
    return interval(estimate, float((tau2 + se**2) ** 0.5), left, level)
