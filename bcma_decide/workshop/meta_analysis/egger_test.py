"""Funnel asymmetry by regression: effects that move with the precision or the size of their studies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_choice, checked_counts, checked_vector, refuse
from bcma_decide.workshop.meta_analysis.heterogeneity import Method, checked_effects
from bcma_decide.workshop.meta_analysis.meta_regression import RegressionTest, meta_regression
from bcma_decide.workshop.meta_analysis.moderators import moderators
from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.meta_analysis.small_study_remarks import small_study_remarks

__all__ = ["MODELS", "PREDICTORS", "AsymmetryModel", "AsymmetryTest", "FunnelPredictor", "egger_test", "peters_test"]

AsymmetryModel = Literal["mixed", "classical"]
FunnelPredictor = Literal["standard_error", "variance", "inverse_size", "inverse_root_size", "size"]
MODELS: tuple[AsymmetryModel, ...] = get_args(AsymmetryModel)
PREDICTORS: tuple[FunnelPredictor, ...] = get_args(FunnelPredictor)


@dataclass(frozen=True)
class AsymmetryTest:
    """Test of the slope of effects on ``predictor`` against 0; ``df`` is ``None`` for a normal test.

    ``limit`` and ``limit_ci``: the effect of an endlessly large study by that line, ``None`` where the line has none
    (predictor ``size``). ``remarks``: what a reader has to know before believing the test.
    """

    slope: float
    slope_se: float
    statistic: float
    df: float | None
    p: float
    limit: float | None
    limit_ci: Interval | None
    predictor: FunnelPredictor
    model: AsymmetryModel
    k: int
    remarks: tuple[str, ...]


def egger_test(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    *,
    predictor: FunnelPredictor = "standard_error",
    model: AsymmetryModel = "mixed",
    total: npt.ArrayLike | None = None,
    method: Method = "REML",
    level: float = 0.95,
    proportions: bool = False,
) -> AsymmetryTest:
    """Regression test for funnel asymmetry.

    Parameters
    ----------
    yi, vi : array_like, shape (k,), k >= 3
        Effects and their sampling variances.
    predictor : str
        ``standard_error`` (Egger, Davey Smith, Schneider and Minder 1997), ``variance``, or the size of the study: as
        it is (Macaskill, Walter and Irwig 2001), its inverse (Peters et al. 2006) or the inverse of its root (Tang and
        Liu 2000).
    model : {"mixed", "classical"}
        Meta-regression with a variance between studies and a normal test (Sterne and Egger 2005), or regression
        weighted by ``1 / vi`` with its residual variance and a t test, as Egger et al. have it.
    total : array_like, shape (k,), optional
        Patients of each study, in all its groups; needed for the sizes.
    method : str
        Estimator of tau2 in the mixed model.
    level : float
        Of the interval of the limit.
    proportions : bool
        Whether the effects are single proportions, which adds a remark.

    Raises
    ------
    SynthesisError
        If the effects are not valid, an option is unknown, sizes are needed and missing, all studies have the same
        predictor, there are fewer than three studies, or for any reason `meta_regression` gives.
    """
    y, v = checked_effects(yi, vi)
    checked_choice("predictor", predictor, PREDICTORS)
    checked_choice("model", model, MODELS)
    remarks = small_study_remarks(y.size, proportions=proportions)
    return _regressed(y, v, predictor, _predictor(v, predictor, total), model, method, level, remarks)


def peters_test(
    yi: npt.ArrayLike,
    events: npt.ArrayLike,
    total: npt.ArrayLike,
    *,
    level: float = 0.95,
    proportions: bool = False,
) -> AsymmetryTest:
    """Peters's test (Peters, Sutton, Jones, Abrams and Rushton 2006): effects of counts on the inverse study size.

    The weights are ``1 / (1 / e + 1 / (n - e))`` over all patients of a study, not its own variance, which is what
    spares log odds ratios the false alarms of Egger's test. A study of no events, or of nothing else, has no weight.

    Parameters
    ----------
    yi : array_like, shape (k,)
        Effects.
    events, total : array_like, shape (k,)
        Events and patients, in both groups together where two are compared.
    level : float
        Of the interval of the limit.
    proportions : bool
        Whether the effects are single proportions, which adds a remark.

    Raises
    ------
    SynthesisError
        If the effects or the counts are not valid, fewer than three studies have weight, or all these have one size.
    """
    y, (e, n) = checked_vector(yi, "yi"), checked_counts(events, total)
    if y.size != e.size:
        raise SynthesisError(f"yi has {y.size} rows but events has {e.size}")
    # No correction of empty cells: an added half patient weighs most in the smallest studies, which the test is about.
    used = (e > 0) & (e < n)
    if used.sum() < 3:
        raise SynthesisError(f"Peters's test needs three studies with events and with others, not {int(used.sum())}")
    y, e, n = y[used], e[used], n[used]
    remarks = small_study_remarks(y.size, proportions=proportions)
    if not used.all():
        remarks += (f"{int((~used).sum())} studies with no events, or with nothing else, have no weight in this test.",)
    return _regressed(y, 1 / e + 1 / (n - e), "inverse_size", 1 / n, "classical", "EE", level, remarks)


def _predictor(v: FloatArray, predictor: FunnelPredictor, total: npt.ArrayLike | None) -> FloatArray:
    if predictor in ("standard_error", "variance"):
        return np.sqrt(v) if predictor == "standard_error" else v
    if total is None:
        raise SynthesisError(f"predictor {predictor} needs the patients of each study: give total")
    n = checked_vector(total, "total")
    if n.size != v.size:
        raise SynthesisError(f"total has {n.size} rows but yi has {v.size}")
    refuse(n <= 0, lambda i: f"total[{i}] is {n[i]:g}, but a study needs at least one patient")
    if predictor == "size":
        return n
    return 1 / n if predictor == "inverse_size" else 1 / np.sqrt(n)


def _regressed(
    y: FloatArray,
    v: FloatArray,
    predictor: FunnelPredictor,
    x: FloatArray,
    model: AsymmetryModel,
    method: Method,
    level: float,
    remarks: tuple[str, ...],
) -> AsymmetryTest:
    """Effects on x; least squares weighted by 1 / v is meta-regression without tau2, its errors Knapp-Hartung's."""
    if np.ptp(x) == 0:
        name = predictor.replace("_", " ")
        raise SynthesisError(f"all studies have the same {name}, so effects cannot be seen to move with it")
    # Knapp and Hartung's scale at tau2 = 0 is the residual variance of the weighted line: Egger's own regression.
    way: tuple[Method, RegressionTest] = (method, "z") if model == "mixed" else ("EE", "knapp_hartung")
    fit = meta_regression(y, v, moderators({predictor: x.tolist()}), method=way[0], test=way[1], level=level)
    limit, slope = fit.coefficients
    reached = predictor != "size"
    return AsymmetryTest(
        slope=slope.estimate,
        slope_se=slope.se,
        statistic=slope.statistic,
        df=slope.df,
        p=slope.p,
        limit=limit.estimate if reached else None,
        limit_ci=limit.ci if reached else None,
        predictor=predictor,
        model=model,
        k=y.size,
        remarks=remarks,
    )
