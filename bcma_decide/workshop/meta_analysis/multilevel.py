"""Two-level random effects: arms nested in studies.

    y_ij = x_ij'beta + u_j + w_ij + e_ij,   u_j ~ N(0, between),  w_ij ~ N(0, within),  e_ij ~ N(0, v_ij)

by maximum or restricted maximum likelihood (van den Noortgate and Onghena 2003; Konstantopoulos 2011).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.clustered import ClusteredEffects, Evaluation
from bcma_decide.workshop.meta_analysis.coefficients import (
    Coefficients,
    CoefficientTest,
    Predictions,
    WaldTest,
    checked_design,
    checked_test,
    coefficients,
    predictions,
    wald_test,
)
from bcma_decide.workshop.meta_analysis.heterogeneity import QTest, checked_effects, q_test
from bcma_decide.workshop.meta_analysis.multilevel_search import Likelihood, highest, starts

__all__ = [
    "Multilevel",
    "checked_clusters",
    "fit_multilevel",
    "predict_multilevel",
]

_NOTHING_LEFT: Final = 1e-10
"""Of the square of an indicator: rounding leaves about 1e-15 of it."""


@dataclass(frozen=True, eq=False)
class Multilevel:
    """A fitted two-level model.

    ``between`` and ``within`` are variances between studies and between arms of a study, with their standard errors
    from the expected information, ``None`` for one that is not in the model. ``score`` (2,) is the slope of the
    likelihood in the two: 0, or negative where the variance is 0. ``q`` is the weighted sum of squares with both at 0
    (QE of metafor), ``moderators`` tests all columns but the constant one. ``i2`` are the percentages of variation
    between and within studies, against the typical sampling variance (Cheung 2014). ``effects`` has the design on
    orthonormal columns.
    """

    coefficients: Coefficients
    between: float
    within: float
    se_between: float
    se_within: float | None
    score: tuple[float, float]
    log_likelihood: float
    q: QTest
    moderators: WaldTest
    i2: tuple[float, float]
    k: int
    studies: int
    method: Likelihood
    test: CoefficientTest
    effects: ClusteredEffects


def checked_clusters(clusters: Sequence[Hashable], k: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows in the order of their clusters (k,), and the number of rows of each cluster (m,), by first appearance.

    Raises
    ------
    SynthesisError
        If there is not one name for every row, or a name is missing.
    """
    if len(clusters) != k:
        raise SynthesisError(f"studies has {len(clusters)} rows but there are {k} effects")
    numbers: dict[Hashable, int] = {}
    for row, name in enumerate(clusters):
        if name is None or name == "" or name != name:
            raise SynthesisError(f"studies[{row}] is {name!r}, but every row needs the name of its study")
        numbers.setdefault(name, len(numbers))
    index = np.array([numbers[name] for name in clusters])
    return np.argsort(index, kind="stable"), np.bincount(index)


def fit_multilevel(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    studies: Sequence[Hashable],
    design: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    *,
    method: Likelihood = "REML",
    within_studies: bool = True,
    test: CoefficientTest = "z",
    level: float = 0.95,
) -> Multilevel:
    """Fit random effects of studies, and of arms within them, with any design.

    Variances are kept at or above 0, and the highest of several maxima is taken.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
    studies : sequence, length k
        The study each row belongs to.
    design : array_like, shape (k, p), optional
        With a column of ones if an intercept is wanted; an intercept alone without.
    names : sequence of str, length p, optional
        Of the columns.
    method : {"REML", "ML"}
    within_studies : bool
        Whether arms of one study differ by more than sampling error and moderators.
    test : {"z", "t"}
        Normal, or t with k - p degrees of freedom.
    level : float

    Raises
    ------
    SynthesisError
        If effects, studies or design are not valid, an option is unknown, the variances cannot be told apart, or the
        search does not settle.
    """
    y, v = checked_effects(yi, vi)
    X = checked_design(design, y.size, names)
    df = checked_test(test, y.size - X.p)
    if method not in get_args(Likelihood):
        raise SynthesisError(f"method is {method!r}, but must be one of {', '.join(get_args(Likelihood))}")
    order, size = checked_clusters(studies, y.size)
    if size.size < 2 or y.size <= X.p:
        raise SynthesisError(
            f"{X.p} coefficients and a variance between studies cannot be estimated from {y.size} rows of {size.size} "
            "studies; leave out columns or report the studies themselves"
        )
    if within_studies and size.max() == 1:
        raise SynthesisError(
            "no study has more than one row, so variances between and within studies cannot be told apart: pool them "
            "as they are (leave --nested out)"
        )
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    # On orthonormal columns, as calendar years beside a constant would cost the digits that the search settles by;
    # taken back by R at the end.
    Q, R = np.linalg.qr(X.X)
    effects = ClusteredEffects(y[order], v[order], Q[order], first, size)
    # What the columns leave of the indicator of each study.
    left_over = size - np.square(effects.sums(effects.X)).sum(axis=1)
    if (left_over <= _NOTHING_LEFT * size).all():
        raise SynthesisError(
            f"the columns {', '.join(X.names)} tell every study from the others, so no variance between studies is "
            "left to estimate: leave out moderators, or pool the rows as they are (leave --nested out)"
        )
    free = np.array([True, within_studies])
    end = _told_apart(effects, free, method)
    q, typical = _common_effect(effects)
    share = 100 / (float(end.variances.sum()) + typical)
    between, within = end.variances.tolist()
    se = np.zeros(2)
    se[free] = np.sqrt(np.diag(np.linalg.inv(end.expected[np.ix_(free, free)])))
    back = np.linalg.inv(R)
    estimate, vcov = back @ end.estimate, back @ end.vcov @ back.T
    return Multilevel(
        coefficients=coefficients(X.names, estimate, vcov, df, level),
        between=between,
        within=within,
        se_between=float(se[0]),
        se_within=float(se[1]) if within_studies else None,
        score=(float(end.score[0]), float(end.score[1]) if within_studies else 0.0),
        log_likelihood=end.log_likelihood,
        q=q,
        moderators=wald_test(estimate, vcov, X.moderators, df),
        i2=(share * between, share * within),
        k=y.size,
        studies=size.size,
        method=method,
        test=test,
        effects=effects,
    )


def _told_apart(effects: ClusteredEffects, free: npt.NDArray[np.bool_], method: Likelihood) -> Evaluation:
    """The maximum; raises SynthesisError where rounding leaves the variances no information of their own."""
    try:
        end = highest(effects, starts(effects, free), free, method)
        if (np.diag(np.linalg.inv(end.expected[np.ix_(free, free)])) > 0).all():
            return end
    except np.linalg.LinAlgError:
        pass
    raise SynthesisError(
        "the variances between and within studies cannot be told apart by these rows, a few of which carry nearly all "
        "weight: check the units of vi, or leave out columns"
    )


def predict_multilevel(fit: Multilevel, design: npt.ArrayLike | None = None) -> Predictions:
    """Expected effects; the prediction interval is that of an arm of a further study.

    Parameters
    ----------
    fit : Multilevel
    design : array_like, shape (m, p), optional
        Rows in the columns of the fit; needed unless it has an intercept alone.

    Raises
    ------
    SynthesisError
        If the rows are not finite numbers or do not have the columns of the fit.
    """
    return predictions(fit.coefficients, design, fit.between + fit.within)


def _common_effect(effects: ClusteredEffects) -> tuple[QTest, float]:
    """Sum of squares with no variance but that of sampling, and the typical sampling variance ``(k - p) / tr(P)``."""
    w = 1 / effects.vi
    weighted = w[:, None] * effects.X
    inverse = np.linalg.inv(effects.X.T @ weighted)
    residual = effects.yi - effects.X @ (inverse @ (weighted.T @ effects.yi))
    q, df = float(w @ residual**2), effects.yi.size - effects.X.shape[1]
    trace = float(w.sum() - np.trace(inverse @ (weighted.T @ weighted)))
    return q_test(q, df), df / trace
