"""One pooled result of some studies, by inverse variances, the binomial-normal model or summed tables, in one shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.coefficients import Coefficients, CoefficientTest
from bcma_decide.workshop.meta_analysis.heterogeneity import Method as Tau2Method
from bcma_decide.workshop.meta_analysis.heterogeneity import h_squared, i_squared
from bcma_decide.workshop.meta_analysis.meta_regression import Coefficient
from bcma_decide.workshop.meta_analysis.pooled_rates import exact_mean, usual_method
from bcma_decide.workshop.meta_analysis.pooled_tables import mantel_haenszel, peto
from bcma_decide.workshop.meta_analysis.pooling import MeanTest, PredictionDf, pool
from bcma_decide.workshop.own_table.studies import GROUPS, Interval, Studies

__all__ = [
    "METHODS",
    "TESTS",
    "Method",
    "PooledResult",
    "PoolingMethod",
    "TestName",
    "coefficient_rows",
    "pairs",
    "require_counts",
    "result_of",
    "usual_model",
]

Method = Literal["EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM", "GLMM", "MH", "PETO"]
TestName = Literal["z", "t", "knha", "knha-floored"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
TESTS: Final[dict[TestName, MeanTest]] = {
    "z": "z", "t": "t", "knha": "knapp_hartung", "knha-floored": "floored_knapp_hartung",
}  # fmt: skip


@dataclass(frozen=True)
class PoolingMethod:
    """How studies are pooled: estimator of tau2 (or the binomial-normal model, or summed tables), test, intervals."""

    method: Method = "REML"
    test: TestName = "z"
    level: float = 0.95
    prediction: PredictionDf = "k-2"

    @property
    def weighted(self) -> Tau2Method:
        """The estimator of tau2 for what needs inverse variances: REML stands beside the binomial-normal model.

        Beside summed tables it is EE, which takes one effect for all studies as they do.
        """
        if self.method == "GLMM":
            return "REML"
        return "EE" if self.method == "MH" or self.method == "PETO" else self.method

    @property
    def sums_tables(self) -> bool:
        """Whether 2-by-2 tables are summed before they are divided (Mantel-Haenszel, Peto)."""
        return self.method in ("MH", "PETO")

    @property
    def mean_test(self) -> MeanTest:
        """The test as the synthesis names it; normal or t beside the binomial-normal model."""
        return TESTS[self.test]


@dataclass(frozen=True)
class PooledResult:
    """A pooled mean on the analysis scale; ``weights`` in percent.

    ``i2_ci`` and ``h2_ci`` are the Q-profile interval of tau2 on their scales (Viechtbauer 2007). With the
    binomial-normal model there are no weights and no such intervals, and ``mean_rate`` is the average rate
    over studies, where the estimate is that of the typical study. With summed tables tau2 is 0 by assumption, as with
    EE, and there are no weights, I2 or H2 either.
    """

    k: int
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
    i2_ci: Interval | None = None
    h2_ci: Interval | None = None
    weights: tuple[float, ...] | None = None
    mean_rate: float | None = None


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
    if model.test not in get_args(CoefficientTest):
        raise SynthesisError(f"--test {model.test} goes with weighted methods; with GLMM take z or t")
    return studies.events, studies.total


def result_of(studies: Studies, model: PoolingMethod) -> PooledResult:
    """Pool the studies; raises SynthesisError where that is not possible or an iteration does not converge."""
    if model.method == "GLMM":
        return _binomial_normal(studies, model)
    if model.sums_tables:
        return _summed(studies, model)
    pooled = pool(
        studies.yi,
        studies.vi,
        method=model.weighted,
        test=model.mean_test,
        level=model.level,
        prediction_df=model.prediction,
    )
    return PooledResult(
        k=pooled.k,
        estimate=pooled.estimate,
        se=pooled.se,
        ci=pooled.ci,
        prediction=pooled.prediction,
        tau2=pooled.tau2,
        se_tau2=pooled.se_tau2,
        tau2_ci=pooled.tau2_ci,
        i2=pooled.i2,
        h2=pooled.h2,
        q=pooled.q,
        q_df=pooled.q_df,
        q_p=pooled.q_p,
        i2_ci=_on_scale(i_squared, pooled.tau2_ci, studies),
        h2_ci=_on_scale(h_squared, pooled.tau2_ci, studies),
        weights=pooled.weights,
    )


def _on_scale(
    scale: Callable[[float, FloatArray], float], tau2_ci: Interval | None, studies: Studies
) -> Interval | None:
    # I2 and H2 rise with tau2 at fixed variances, so the ends of its interval are the ends of theirs (Viechtbauer
    # 2007).
    return None if tau2_ci is None else (scale(tau2_ci[0], studies.vi), scale(tau2_ci[1], studies.vi))


def usual_model(studies: Studies, test: TestName) -> Method:
    """How studies are pooled unless a method is asked for: the binomial-normal model where the outcome is rare."""
    if studies.events is None or studies.total is None or studies.scale.measure != "logit":
        return "REML"
    return usual_method(studies.events, studies.total, test=TESTS[test])


def pairs(ends: FloatArray) -> tuple[Interval, ...]:
    """Rows of an array (m, 2) as intervals."""
    return tuple((low, high) for low, high in ends.tolist())


def coefficient_rows(fitted: Coefficients) -> tuple[Coefficient, ...]:
    """Coefficients one by one."""
    dfs = [None] * len(fitted.names) if fitted.df is None else fitted.df.tolist()
    columns = (
        fitted.estimate.tolist(),
        fitted.se.tolist(),
        fitted.statistic.tolist(),
        dfs,
        fitted.p.tolist(),
        pairs(fitted.ci),
    )
    return tuple(Coefficient(name, *row) for name, *row in zip(fitted.names, *columns, strict=True))


def _binomial_normal(studies: Studies, model: PoolingMethod) -> PooledResult:
    events, total = require_counts(studies, model)
    mean = exact_mean(events, total, test="t" if model.test == "t" else "z", level=model.level)
    return PooledResult(**vars(mean), tau2_ci=None)


def _summed(studies: Studies, model: PoolingMethod) -> PooledResult:
    """Mantel-Haenszel or Peto; the test that one effect holds for all is about the studies that tell of one."""
    measure = studies.scale.measure
    wanted = ("OR",) if model.method == "PETO" else tuple(GROUPS)
    if studies.groups is None or measure not in wanted:
        raise SynthesisError(
            f"--method {model.method} pools tables of two groups; measure is {measure!r}: take --measure "
            f"{' or '.join(wanted)} with events1, n1, events2, n2, or another method"
        )
    t = studies.groups
    counts = (t.events1, t.total1, t.events2, t.total2)
    if model.method == "PETO":
        effect = peto(*counts, level=model.level)
    else:
        effect = mantel_haenszel(*counts, GROUPS[measure], level=model.level)
    # No I2 and no H2: they set a variance between studies beside that within, and here there is none to set.
    return PooledResult(
        k=studies.k,
        estimate=effect.estimate,
        se=effect.se,
        ci=effect.ci,
        prediction=None,
        tau2=0.0,
        se_tau2=None,
        tau2_ci=None,
        i2=None,
        h2=None,
        q=effect.q.q,
        q_df=effect.q.df,
        q_p=effect.q.p,
    )
