"""Random-effects meta-regression: effects that move with study characteristics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_choice, checked_level
from bcma_decide.workshop.meta_analysis.heterogeneity import (
    METHODS,
    Method,
    QTest,
    checked_effects,
    cochran_q,
)
from bcma_decide.workshop.meta_analysis.likelihood import log_likelihood
from bcma_decide.workshop.meta_analysis.moderators import Moderators
from bcma_decide.workshop.meta_analysis.random_effects import Interval, RandomEffects, fit_random_effects, interval
from bcma_decide.workshop.meta_analysis.tau2 import estimated
from bcma_decide.workshop.meta_analysis.weighted_regression import DesignMatrix, intercept_only, prepare

__all__ = [
    "REGRESSION_TESTS",
    "Coefficient",
    "MetaRegression",
    "ModeratorTest",
    "RegressionTest",
    "meta_regression",
    "used_effects",
]

_WIDEST = 1e8
"""Ratio of the largest to the smallest variance: a study that outweighs the others leaves products of columns as many
digits fewer, here eight of sixteen. A mean has no such products."""
_NOTHING = 1e-28
"""Of the weighted squares of the effects: residuals of 1e-14 of them are the rounding of an exact fit."""

RegressionTest = Literal["z", "t", "knapp_hartung", "floored_knapp_hartung"]
REGRESSION_TESTS: tuple[RegressionTest, ...] = get_args(RegressionTest)


@dataclass(frozen=True)
class Coefficient:
    """One coefficient, its test against 0 and its interval; ``df`` is ``None`` for a normal test."""

    name: str
    estimate: float
    se: float
    statistic: float
    df: float | None
    p: float
    ci: Interval


@dataclass(frozen=True)
class ModeratorTest:
    """Test of all moderators at once: chi-squared with ``df1``, or F with ``df1`` and ``df2`` where that is given."""

    statistic: float
    df1: int
    df2: int | None
    p: float


@dataclass(frozen=True, eq=False)
class MetaRegression:
    """A fitted meta-regression.

    ``covariance`` (p, p) is that of the coefficients, as the test has it. ``q`` is about what the moderators leave
    (QE), ``moderator_test`` about what they explain (QM). ``r2`` is the percentage of the variance between studies that
    they explain, ``100 max(0, tau2_0 - tau2) / tau2_0`` with tau2_0 by the same method without them (Raudenbush 2009),
    and ``None`` where tau2_0 is 0; with method EE, the adjusted R2 of the weighted regression. ``i2`` is a percentage.
    ``fitted`` (k,) are the predicted means of the studies used. The log-likelihoods are taken at tau2, whatever its
    method.
    """

    coefficients: tuple[Coefficient, ...]
    covariance: FloatArray
    moderator_test: ModeratorTest
    q: QTest
    r2: float | None
    tau2: float
    se_tau2: float | None
    tau2_ci: Interval | None
    i2: float
    h2: float
    fitted: FloatArray
    log_likelihood: float
    restricted_log_likelihood: float
    moderators: Moderators
    k: int
    method: Method
    test: RegressionTest
    level: float

    @property
    def estimates(self) -> FloatArray:
        """The coefficients alone, (p,)."""
        return np.array([coefficient.estimate for coefficient in self.coefficients])


def meta_regression(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    moderators: Moderators,
    *,
    method: Method = "REML",
    test: RegressionTest = "z",
    level: float = 0.95,
) -> MetaRegression:
    """Regression of k effects on moderators, with a variance between studies that the moderators do not explain.

    Parameters
    ----------
    yi, vi : array_like, shape (n,)
        Effects and their sampling variances of all rows the moderators were made from; those left out there are left
        out here.
    moderators : Moderators
        From `moderators.moderators`.
    method : str
        Estimator of tau2, see `heterogeneity.estimate_tau2`.
    test : {"z", "t", "knapp_hartung", "floored_knapp_hartung"}
        Of the coefficients: normal; t with k - p degrees of freedom; the same with the covariance scaled by the
        weighted residual variance (Knapp and Hartung 2003); or with that scale not allowed below 1. QM is chi-squared
        with the first and F with the others.
    level : float
        Of all intervals.

    Raises
    ------
    SynthesisError
        If the effects are not valid or are not one for each row of the moderators, an option is unknown, the level is
        not between 0 and 1, the coefficients have no error to test them against, or an iteration does not converge.
    """
    checked_choice("method", method, METHODS)
    checked_choice("test", test, REGRESSION_TESTS)
    checked_level(level)
    y, v, design = used_effects(yi, vi, moderators)
    model = fit_random_effects(y, v, design, method, test, level)
    # Squares, not residuals: of effects on a line rounding leaves 1e-16 of each.
    exact = test == "knapp_hartung" and model.fit.sum_of_squares <= _NOTHING * float(model.fit.weights @ np.square(y))
    if exact or not (np.diagonal(model.covariance) > 0).all():
        raise SynthesisError(
            "the studies lie on the line exactly, so the Knapp-Hartung test has no error to go by: use test z or t"
        )
    assert model.i2 is not None
    assert model.h2 is not None
    return MetaRegression(
        coefficients=_coefficients(model, moderators.names, level),
        covariance=model.covariance,
        moderator_test=_moderator_test(model),
        q=model.q,
        r2=_explained(y, v, model, method),
        tau2=model.tau2.value,
        se_tau2=model.tau2.se,
        tau2_ci=model.tau2_ci,
        i2=model.i2,
        h2=model.h2,
        fitted=y - model.fit.residuals,
        log_likelihood=log_likelihood(y, v, model.tau2.value, design, restricted=False),
        restricted_log_likelihood=log_likelihood(y, v, model.tau2.value, design, restricted=True),
        moderators=moderators,
        k=int(y.size),
        method=method,
        test=test,
        level=level,
    )


def used_effects(
    yi: npt.ArrayLike, vi: npt.ArrayLike, moderators: Moderators
) -> tuple[FloatArray, FloatArray, DesignMatrix]:
    """Effects and variances of the rows the moderators use, each (k,), and the design.

    Raises
    ------
    SynthesisError
        If the effects are not valid or are not one for each row the moderators were made from.
    """
    y, v = checked_effects(yi, vi)
    size = len(moderators.rows) + len(moderators.dropped)
    if y.size != size:
        raise SynthesisError(f"yi has {y.size} rows but the moderators were made from {size}")
    rows = list(moderators.rows)
    y, v = y[rows], v[rows]
    if v.max() > _WIDEST * v.min():
        raise SynthesisError(
            f"variances from {v.min():g} to {v.max():g}, more than {_WIDEST:g} times one another, leave a regression "
            "too few digits: check the units of vi, or leave out the studies with the largest"
        )
    return y, v, prepare(moderators.matrix, len(rows))


def _coefficients(model: RandomEffects, names: Sequence[str], level: float) -> tuple[Coefficient, ...]:
    rows = []
    errors = np.sqrt(np.diagonal(model.covariance)).tolist()
    for name, estimate, se in zip(names, model.coefficients.tolist(), errors, strict=True):
        statistic = estimate / se
        tail = special.ndtr(-abs(statistic)) if model.df is None else special.stdtr(model.df, -abs(statistic))
        ci = interval(estimate, se, model.df, level)
        rows.append(Coefficient(name, estimate, se, statistic, model.df, 2 * float(tail), ci))
    return tuple(rows)


def _moderator_test(model: RandomEffects) -> ModeratorTest:
    """Wald test of every coefficient but the intercept."""
    b = model.coefficients[1:]
    chi2, df1 = float(b @ np.linalg.solve(model.covariance[1:, 1:], b)), int(b.size)
    if model.df is None:
        return ModeratorTest(chi2, df1, None, float(special.chdtrc(df1, chi2)))
    df2 = int(model.df)
    return ModeratorTest(chi2 / df1, df1, df2, float(special.fdtrc(df1, df2, chi2 / df1)))


def _explained(y: FloatArray, v: FloatArray, model: RandomEffects, method: Method) -> float | None:
    # Without a tau2 there is no share of it to explain: the adjusted R2 of the weighted regression stands in, as in
    # metafor.
    if method == "EE":
        total = cochran_q(y, v)
        return max(0.0, 100 * (1 - (model.q.q / model.q.df) / (total.q / total.df))) if total.q else None
    without = estimated(y, v, intercept_only(y.size), method).value
    return 100 * max(0.0, without - model.tau2.value) / without if without else None
