"""Effects pooled by their inverse variances: one mean, its interval, and the heterogeneity."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import checked_choice, checked_level
from bcma_decide.workshop.meta_analysis.heterogeneity import METHODS, Method, checked_effects, shares
from bcma_decide.workshop.meta_analysis.pooled import (
    PREDICTION_DFS,
    Pooled,
    PredictionDf,
    mean_of,
    prediction_interval,
)
from bcma_decide.workshop.meta_analysis.random_effects import TESTS, MeanTest, fit_random_effects
from bcma_decide.workshop.meta_analysis.weighted_regression import intercept_only

__all__ = ["TESTS", "MeanTest", "checked_options", "pool"]


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
    w = model.fit.weights
    beyond = None
    if k > 1 and method != "EE":
        # By t because tau2 is estimated, also where the mean's own test is normal and takes it as known.
        df = float(model.q.df) if model.df is None else model.df
        beyond = prediction_interval(estimate, se, model.tau2.value, df, prediction_df, level)
    i2_ci = h2_ci = None
    if model.tau2_ci is not None:
        # I2 and H2 rise with tau2 at fixed variances: the ends of its interval are the ends of theirs.
        low, high = (shares(end, v, intercept_only(k)) for end in model.tau2_ci)
        i2_ci, h2_ci = (low[0], high[0]), (low[1], high[1])
    return Pooled(
        k=k,
        method=method,
        test=used,
        **mean_of(estimate, se, model.df, level),
        prediction=beyond,
        tau2=model.tau2.value if k > 1 else None,
        se_tau2=model.tau2.se,
        tau2_ci=model.tau2_ci,
        i2=model.i2,
        h2=model.h2,
        i2_ci=i2_ci,
        h2_ci=h2_ci,
        q=model.q.q,
        q_df=model.q.df,
        q_p=model.q.p,
        weights=tuple((100 * w / w.sum()).tolist()),
    )


def checked_options(method: str, test: str) -> None:
    """Raise SynthesisError if either is unknown or they do not go together."""
    checked_choice("method", method, METHODS)
    checked_choice("test", test, TESTS)
    if test == "kenward_roger" and method != "REML":
        raise SynthesisError(f"test kenward_roger is made for tau2 by REML, not by {method}: use method REML")
