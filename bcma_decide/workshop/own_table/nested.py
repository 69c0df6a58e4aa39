"""Rows that are arms of studies: two levels of spread, and standard errors that hold if the levels are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import study_table
from bcma_decide.workshop.meta_analysis.coefficients import CoefficientTest
from bcma_decide.workshop.meta_analysis.meta_regression import Coefficient, ModeratorTest
from bcma_decide.workshop.meta_analysis.moderators import DroppedRow, Moderators, code_new
from bcma_decide.workshop.meta_analysis.multilevel import Multilevel, fit_multilevel, predict_multilevel
from bcma_decide.workshop.meta_analysis.multilevel_profile import variance_intervals
from bcma_decide.workshop.meta_analysis.pooled import Pooled, prediction_interval
from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.meta_analysis.robust import robust_coefficients
from bcma_decide.workshop.meta_analysis.study_table import StudyTable
from bcma_decide.workshop.own_table.model_terms import Terms, design_of, place_of
from bcma_decide.workshop.own_table.regression import Expected
from bcma_decide.workshop.own_table.rows import coefficient_rows, pairs
from bcma_decide.workshop.synthesis.model import PoolingMethod
from bcma_decide.workshop.synthesis.studies import Studies

__all__ = ["Nested", "nested_of"]


@dataclass(frozen=True)
class Nested:
    """Arms in studies: variance ``between`` studies and ``within`` them, ``i2`` in percent of each.

    The variances have their intervals by profile likelihood. ``robust`` are the same coefficients with cluster-robust
    errors (CR2); ``None``, with the ``reason``, where too few studies allow none. With moderators, ``coefficients`` are
    theirs too, ``moderators`` the test of all of them, ``dropped`` the rows without a value and ``expected`` the effect
    at stated values, with where that of an arm of a further study would lie.
    """

    column: str
    studies: int
    between: float
    within: float
    between_ci: Interval
    within_ci: Interval
    i2: tuple[float, float]
    coefficients: tuple[Coefficient, ...]
    robust: tuple[Coefficient, ...] | None
    reason: str
    moderators: ModeratorTest | None = None
    dropped: tuple[DroppedRow, ...] = ()
    expected: tuple[Expected, ...] = ()


def nested_of(
    table: StudyTable,
    studies: Studies,
    model: PoolingMethod,
    column: str,
    terms: Terms,
    at: Sequence[Mapping[str, str]] = (),
) -> tuple[Pooled, Nested]:
    """Pool arms nested in studies, and regress them on moderators if there are any.

    Parameters
    ----------
    table, studies
        The user's table and its rows.
    model
        Method ML or REML, test z or t.
    column
        Names the study each row belongs to.
    terms
        Columns to regress on, and interactions.
    at
        Values of every moderator at which the effect is predicted, as text.

    Returns
    -------
    The pooled result, its tau2 being that of both levels together, and the parts.

    Raises
    ------
    SynthesisError
        For another method or test, a column that cannot be used, or a model that cannot be fitted.
    """
    if model.method not in ("ML", "REML"):
        raise SynthesisError(f"--nested goes with --method REML or ML, not {model.method}")
    if model.test not in ("z", "t"):
        raise SynthesisError(f"--nested goes with --test z or t, not {model.test}; robust errors come with it anyway")
    names = study_table.factor(table, column)
    test: CoefficientTest = "t" if model.test == "t" else "z"
    fit = fit_multilevel(studies.yi, studies.vi, names, method=model.method, test=test, level=model.level)
    [mean] = coefficient_rows(fit.coefficients)
    tau2 = fit.between + fit.within
    result = Pooled(
        k=fit.k,
        method=model.method,
        test=test,
        level=model.level,
        estimate=mean.estimate,
        se=mean.se,
        df=mean.df,
        ci=mean.ci,
        statistic=mean.statistic,
        p=mean.p,
        prediction=prediction_interval(mean.estimate, mean.se, tau2, fit.k - 1.0, model.prediction, model.level),
        # Arms of one study are no independent draws of either level, so neither tau2's error nor H2 has one meaning
        # here; the two variances have their own intervals.
        tau2=tau2,
        i2=sum(fit.i2),
        q=fit.q.q,
        q_df=fit.q.df,
        q_p=fit.q.p,
    )
    dropped: tuple[DroppedRow, ...] = ()
    expected: tuple[Expected, ...] = ()
    if not terms:
        rows, matrix, columns = np.arange(studies.k), None, None
    else:
        design = design_of(table, studies, terms)
        dropped = design.dropped
        rows, matrix, columns = np.array(design.rows), design.matrix, design.names
        used = [names[row] for row in rows]
        fit = fit_multilevel(
            studies.yi[rows], studies.vi[rows], used, matrix, columns, method=model.method, test=test, level=model.level
        )
        expected = tuple(_expected(fit, design, place_of(design, each), model) for each in at)
    # The working model of the sandwich is the fit itself: what arms of a study share goes in as shared, the rest beside
    # the sampling variances. CR2, as the plain sandwich is too narrow with as few studies as reviews have (Tipton
    # 2015).
    robust, reason = None, ""
    try:
        sandwich = robust_coefficients(
            studies.yi[rows], studies.vi[rows] + fit.within, [names[row] for row in rows], matrix, columns,
            shared=fit.between, correction="CR2", level=model.level,
        )  # fmt: skip
        robust = coefficient_rows(sandwich)
    except SynthesisError as error:
        reason = error.message
    between_ci, within_ci = variance_intervals(fit, level=model.level)
    return result, Nested(
        column=column,
        studies=fit.studies,
        between=fit.between,
        within=fit.within,
        between_ci=between_ci,
        within_ci=within_ci,
        i2=fit.i2,
        coefficients=coefficient_rows(fit.coefficients),
        robust=robust,
        reason=reason,
        moderators=None if not terms else _test_of_all(fit),
        dropped=dropped,
        expected=expected,
    )


def _test_of_all(fit: Multilevel) -> ModeratorTest:
    tested = fit.moderators
    df2 = None if tested.df_residual is None else int(tested.df_residual)
    return ModeratorTest(tested.statistic, tested.df, df2, tested.p)


def _expected(fit: Multilevel, design: Moderators, at: Mapping[str, float | str], model: PoolingMethod) -> Expected:
    """The mean at a place, and where an arm of a further study would lie, with both variances about it."""
    found = predict_multilevel(fit, code_new(design, {name: [value] for name, value in at.items()}))
    [estimate], [se], [ci] = found.estimate.tolist(), found.se.tolist(), pairs(found.ci)
    left = float(fit.k - len(design.names))
    spread = fit.between + fit.within
    return Expected(at, estimate, ci, prediction_interval(estimate, se, spread, left, model.prediction, model.level))
