"""The Poisson-normal model of rates per person-time: exact counts, log link, a random intercept per study.

    events_i ~ Poisson(time_i exp(x_i'beta + u_i)),   u_i ~ N(0, tau2)

(Stijnen, Hamza and Özdemir 2010). A Poisson count is a binomial one of so many trials that each has next to no chance:
the model is fitted as the binomial-normal one with the time cut that finely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.coefficients import CoefficientTest, coefficients
from bcma_decide.workshop.meta_analysis.glmm import BinomialNormal, fit_binomial_normal
from bcma_decide.workshop.meta_analysis.glmm_profile import tau_interval
from bcma_decide.workshop.meta_analysis.heterogeneity import QTest, q_test
from bcma_decide.workshop.meta_analysis.incidence_rates import PersonTime
from bcma_decide.workshop.meta_analysis.pooled import Pooled, PredictionDf, tested
from bcma_decide.workshop.meta_analysis.pooled_rates import pool_rates
from bcma_decide.workshop.meta_analysis.pooling import MeanTest
from bcma_decide.workshop.meta_analysis.random_effects import Interval

__all__ = ["fit_poisson_normal", "pool_incidence"]

_CHANCE: Final = 1e-9
"""Of an event in a piece of time, at the mean rate: what binomial and Poisson differ by, relatively."""
_WIDEST: Final = 1e12
"""Ratio of the longest to the shortest time that leaves the finely cut ones their digits."""


def pool_incidence(
    counted: PersonTime,
    *,
    test: MeanTest = "z",
    level: float = 0.95,
    prediction_df: PredictionDf = "k-2",
    profile: bool = True,
) -> Pooled:
    """Pool rates of single arms by maximum likelihood; studies without events need no correction.

    Parameters
    ----------
    counted
    test, level, prediction_df, profile
        As in `pooled_rates.pool_rates` with ``GLMM``.

    Returns
    -------
    Pooled
        On the log scale. Q is the likelihood-ratio test of one rate for all studies.

    Raises
    ------
    SynthesisError
        If no study has an event, or as `pool_rates`.
    """
    e, t = counted.events, counted.time
    pieces, shift = _pieces(counted, level)
    fit = pool_rates(e, t * pieces, method="GLMM", test=test, level=level, prediction_df=prediction_df, profile=profile)

    def back(ends: Interval | None) -> Interval | None:
        return None if ends is None else (ends[0] + shift, ends[1] + shift)

    deviance = _deviance(e, t * (e.sum() / t.sum()), 1)
    statistic, p = tested(fit.estimate + shift, fit.se, fit.df)
    return Pooled(
        **vars(fit)
        | {
            "estimate": fit.estimate + shift,
            "ci": back(fit.ci),
            "prediction": back(fit.prediction),
            "statistic": statistic,
            "p": p,
            "q": deviance.q,
            "q_df": deviance.df,
            "q_p": deviance.p,
            "average_rate": None,
        }
    )


def fit_poisson_normal(
    counted: PersonTime, design: FloatArray, names: Sequence[str], *, test: CoefficientTest = "z", level: float = 0.95
) -> tuple[BinomialNormal, Interval]:
    """Fit the model on columns, of which the first is constant.

    Parameters
    ----------
    counted
    design : numpy.ndarray, shape (k, p)
    names : sequence of str, length p
    test, level
        As in `glmm.fit_binomial_normal`.

    Returns
    -------
    The fit with its coefficients on the log scale (its log-likelihood is that of the finely cut times), and the
    interval of tau by profile likelihood.

    Raises
    ------
    SynthesisError
        As `pool_incidence` and `glmm.fit_binomial_normal`.
    """
    e, t = counted.events, counted.time
    pieces, shift = _pieces(counted, level)
    total = t * pieces
    fit = fit_binomial_normal(e, total, design, names, test=test, level=level)
    common = fit_binomial_normal(e, total, design, names, model="common").coefficients.estimate
    first = np.zeros(len(names))
    first[0] = shift
    found = fit.coefficients
    moved = replace(
        fit,
        coefficients=coefficients(names, found.estimate + first, found.vcov, found.df, level),
        q_likelihood_ratio=_deviance(e, t * np.exp(design @ (common + first)), len(names)),
    )
    return moved, tau_interval(e, total, design, level=level)


def _pieces(counted: PersonTime, level: float) -> tuple[float, float]:
    """Pieces that a unit of time is cut in, and the logarithm of their number."""
    t, events, time = counted.time, float(counted.events.sum()), float(counted.time.sum())
    if events == 0:
        upper = -np.log((1 - level) / 2) / time
        raise SynthesisError(
            f"no study has an event, so the log rate has no finite estimate; all counted together, the exact interval "
            f"of the rate ends at {upper:.3g}"
        )
    if float(t.max() / t.min()) > _WIDEST:
        raise SynthesisError("the times of the studies differ by more than any real ones: give all in one unit")
    pieces = events / time / _CHANCE
    return pieces, float(np.log(pieces))


def _deviance(events: FloatArray, expected: FloatArray, p: int) -> QTest:
    """Likelihood ratio of a rate for each study against those of p coefficients, one of them constant."""
    # Exact here: of the finely cut time it would be the difference of numbers that agree in all digits.
    return q_test(max(0.0, 2 * float(special.xlogy(events, events / expected).sum())), events.size - p)
