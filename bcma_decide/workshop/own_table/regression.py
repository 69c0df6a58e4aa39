"""Effects along moderators: by inverse variances or by the binomial-normal model, in one shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.coefficients import CoefficientTest
from bcma_decide.workshop.meta_analysis.glmm import BinomialNormal, fit_binomial_normal, predict_rates
from bcma_decide.workshop.meta_analysis.glmm_profile import tau_interval
from bcma_decide.workshop.meta_analysis.incidence_rates import PersonTime
from bcma_decide.workshop.meta_analysis.meta_regression import (
    Coefficient,
    RegressionTest,
    meta_regression,
)
from bcma_decide.workshop.meta_analysis.moderators import DroppedRow, Moderators, code_new
from bcma_decide.workshop.meta_analysis.permutation import PermutationTest, permutation_test
from bcma_decide.workshop.meta_analysis.pooled import HeterogeneityTest, PredictionDf, prediction_interval
from bcma_decide.workshop.meta_analysis.pooled_incidence import fit_poisson_normal
from bcma_decide.workshop.meta_analysis.predictions import Prediction, RegressionPredictionDf, predict
from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.meta_analysis.study_table import StudyTable
from bcma_decide.workshop.own_table.correlated_regression import CorrelatedRegression
from bcma_decide.workshop.own_table.model_terms import Terms, design_of, place_of
from bcma_decide.workshop.own_table.rows import coefficient_rows, pairs
from bcma_decide.workshop.synthesis.model import PoolingMethod
from bcma_decide.workshop.synthesis.result import check_method, require_counts
from bcma_decide.workshop.synthesis.studies import Studies

__all__ = ["Expected", "Line", "Regression", "regression_of"]

_PLACES: Final = 50
"""Places along a numeric moderator at which its line is worked out."""
_TESTS: Final[dict[str, RegressionTest]] = {
    "z": "z", "t": "t", "knha": "knapp_hartung", "knha-floored": "floored_knapp_hartung",
}  # fmt: skip
_PREDICTION_DFS: Final[dict[PredictionDf, RegressionPredictionDf]] = {"k-2": "k-p-1", "k-1": "k-p", "normal": "normal"}
"""With p coefficients in place of the one of a plain mean."""


@dataclass(frozen=True)
class Line:
    """The mean effect along one numeric moderator, with its interval and that of a new study."""

    x: tuple[float, ...]
    fitted: tuple[float, ...]
    ci: tuple[Interval, ...]
    prediction: tuple[Interval, ...] | None


@dataclass(frozen=True)
class Expected:
    """The mean effect ``at`` values of the moderators, on the analysis scale, and where a new such study would lie."""

    at: Mapping[str, float | str]
    estimate: float
    ci: Interval
    prediction: Interval | None


@dataclass(frozen=True)
class Regression:
    """A regression on moderators, on the analysis scale.

    ``statistic`` tests all of them: chi-squared with ``df1``, or F with ``df1`` and ``df2``. ``q`` is what they leave,
    by the test that ``q_by`` names, ``r2`` the percentage of the variance between studies that they explain. ``values``
    are those of a numeric moderator that stands alone, for the rows used; ``line`` leads along it.
    """

    names: tuple[str, ...]
    rows: tuple[int, ...]
    dropped: tuple[DroppedRow, ...]
    coefficients: tuple[Coefficient, ...]
    statistic: float
    df1: int
    df2: float | None
    p: float
    tau2: float
    tau2_ci: Interval | None
    i2: float | None
    h2: float | None
    r2: float | None
    q: float
    q_df: int
    q_p: float | None
    permutation: PermutationTest | None
    values: tuple[float, ...] | None
    line: Line | None
    expected: tuple[Expected, ...] = ()
    q_by: HeterogeneityTest = "inverse variance"


def regression_of(
    table: StudyTable,
    studies: Studies,
    model: PoolingMethod,
    terms: Terms,
    permutations: int = 0,
    at: Sequence[Mapping[str, str]] = (),
) -> Regression:
    """Regress the studies on columns of their table; a study without a value is left out and named.

    Parameters
    ----------
    table, studies
        The user's table and its studies.
    model
        How studies are pooled.
    terms
        Columns and interactions: numbers enter as they are, texts as factors.
    permutations
        How many deals the permutation test looks at; 0 makes none.
    at
        Values of every moderator at which the effect is predicted, as text.

    Raises
    ------
    SynthesisError
        For a column that is missing or cannot be used, or a model that cannot be fitted.
    """
    design = design_of(table, studies, terms)
    places = _Places(design, tuple(place_of(design, each) for each in at))
    if studies.covariance is not None:
        return _sharing_controls(studies, model, design, places)
    if model.test not in _TESTS:
        raise SynthesisError(f"--test {model.test} is made for a plain mean: with --mods take {', '.join(_TESTS)}")
    y, v, test = studies.yi, studies.vi, _TESTS[model.test]
    tested = None
    if permutations:
        tested = permutation_test(y, v, design, method=model.weighted, test=test, at_most=permutations)
    if model.method == "GLMM":
        return _by_counts(studies, model, design, places, tested)
    fit = meta_regression(y, v, design, method=model.weighted, test=test, level=model.level)
    line, expected = places.predicted(partial(predict, fit, prediction_df=_PREDICTION_DFS[model.prediction]))
    return Regression(
        names=design.names,
        rows=design.rows,
        dropped=design.dropped,
        coefficients=fit.coefficients,
        statistic=fit.moderator_test.statistic,
        df1=fit.moderator_test.df1,
        df2=fit.moderator_test.df2,
        p=fit.moderator_test.p,
        tau2=fit.tau2,
        tau2_ci=fit.tau2_ci,
        i2=fit.i2,
        h2=fit.h2,
        r2=fit.r2,
        q=fit.q.q,
        q_df=fit.q.df,
        q_p=fit.q.p,
        permutation=tested,
        values=places.values,
        line=line,
        expected=expected,
    )


@dataclass(frozen=True)
class _Places:
    """Where effects are predicted: ``stated`` places, and along a numeric moderator that stands alone."""

    design: Moderators
    stated: tuple[Mapping[str, float | str], ...]

    @property
    def alone(self) -> str | None:
        terms = self.design.terms
        return next((term for term in terms if len(terms) == 1 and isinstance(term, str)), None)

    @property
    def values(self) -> tuple[float, ...] | None:
        return None if self.alone is None else tuple(self.design.matrix[:, 1].tolist())

    def predicted(
        self, predict_at: Callable[[Mapping[str, Sequence[float | str]]], Sequence[Prediction]]
    ) -> tuple[Line | None, tuple[Expected, ...]]:
        """The line, if there is one, and the effects at the stated places."""
        expected = tuple(
            Expected(each, one.estimate, one.ci, one.prediction)
            for each in self.stated
            for one in predict_at({name: [value] for name, value in each.items()})
        )
        if self.alone is None or self.values is None:
            return None, expected
        # Over the values studied and not beyond: the line is not known to go on.
        along = np.linspace(min(self.values), max(self.values), _PLACES).tolist()
        found = predict_at({self.alone: along})
        beyond = tuple(each.prediction for each in found if each.prediction is not None)
        line = Line(
            tuple(along),
            tuple(each.estimate for each in found),
            tuple(each.ci for each in found),
            beyond if len(beyond) == len(along) else None,
        )
        return line, expected


def _sharing_controls(studies: Studies, model: PoolingMethod, design: Moderators, places: _Places) -> Regression:
    found = CorrelatedRegression(studies, design, model)
    fit, tested = found.fit, found.moderators
    i2, h2 = fit.shares(fit.tau2.value)
    line, expected = places.predicted(found.expected)
    return Regression(
        names=design.names,
        rows=design.rows,
        dropped=design.dropped,
        coefficients=found.rows,
        statistic=tested.statistic,
        df1=tested.df,
        df2=tested.df_residual,
        p=tested.p,
        tau2=fit.tau2.value,
        tau2_ci=fit.tau2_ci,
        i2=None if fit.tau2_ci is None else i2,
        h2=None if fit.tau2_ci is None else h2,
        r2=found.r2,
        q=fit.q.q,
        q_df=fit.q.df,
        q_p=fit.q.p,
        permutation=None,
        values=places.values,
        line=line,
        expected=expected,
    )


def _by_counts(
    studies: Studies, model: PoolingMethod, design: Moderators, places: _Places, tested: PermutationTest | None
) -> Regression:
    """By the binomial-normal model or, of events in person-time, the Poisson-normal one."""
    used = studies.of(design.rows)
    test: CoefficientTest = "t" if model.test == "t" else "z"
    if isinstance(used.rates, PersonTime):
        check_method(used, model)
        fit, ends = fit_poisson_normal(used.rates, design.matrix, design.names, test=test, level=model.level)
    else:
        events, total = require_counts(used, model)
        fit = fit_binomial_normal(events, total, design.matrix, design.names, test=test, level=model.level)
        ends = tau_interval(events, total, design.matrix, level=model.level)
    line, expected = places.predicted(partial(_expected_on_model_scale, fit, design, model))
    return Regression(
        names=design.names,
        rows=design.rows,
        dropped=design.dropped,
        coefficients=coefficient_rows(fit.coefficients),
        statistic=fit.moderators.statistic,
        df1=fit.moderators.df,
        df2=fit.moderators.df_residual,
        p=fit.moderators.p,
        tau2=fit.tau2,
        tau2_ci=(ends[0] ** 2, ends[1] ** 2),
        i2=fit.i2,
        h2=fit.h2,
        r2=None,
        q=fit.q_likelihood_ratio.q,
        q_df=fit.q_likelihood_ratio.df,
        q_p=fit.q_likelihood_ratio.p,
        permutation=tested,
        values=places.values,
        line=line,
        expected=expected,
        q_by="likelihood ratio",
    )


def _expected_on_model_scale(
    fit: BinomialNormal, design: Moderators, model: PoolingMethod, at: Mapping[str, Sequence[float | str]]
) -> tuple[Prediction, ...]:
    """Log odds, or log rates of events in person-time."""
    expected = predict_rates(fit, code_new(design, at)).log_odds
    left = float(fit.k - len(design.names))
    return tuple(
        Prediction(estimate, se, ends, prediction_interval(estimate, se, fit.tau2, left, model.prediction, model.level))
        for estimate, se, ends in zip(expected.estimate.tolist(), expected.se.tolist(), pairs(expected.ci), strict=True)
    )
