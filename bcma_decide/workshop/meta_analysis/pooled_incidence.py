"""The Poisson-normal model of rates per person-time: exact counts, log link, a random intercept per study.

    events_i ~ Poisson(time_i exp(mu + u_i)),   u_i ~ N(0, tau2)

(Stijnen, Hamza and Özdemir 2010). A Poisson count is a binomial one of so many trials that each has next to no chance:
the model is fitted as the binomial-normal one with the time cut that finely.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.heterogeneity import QTest, q_test
from bcma_decide.workshop.meta_analysis.incidence_rates import PersonTime
from bcma_decide.workshop.meta_analysis.pooled import Pooled, PredictionDf
from bcma_decide.workshop.meta_analysis.pooled_rates import pool_rates
from bcma_decide.workshop.meta_analysis.pooling import MeanTest

__all__ = ["pool_incidence"]

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
    events, time = float(e.sum()), float(t.sum())
    if events == 0:
        upper = -np.log((1 - level) / 2) / time
        raise SynthesisError(
            f"no study has an event, so the log rate has no finite estimate; all counted together, the exact interval "
            f"of the rate ends at {upper:.3g}"
        )
    if float(t.max() / t.min()) > _WIDEST:
        raise SynthesisError("the times of the studies differ by more than any real ones: give all in one unit")
    pieces = events / time / _CHANCE
    fit = pool_rates(e, t * pieces, method="GLMM", test=test, level=level, prediction_df=prediction_df, profile=profile)
    shift = float(np.log(pieces))

    def back(ends: tuple[float, float] | None) -> tuple[float, float] | None:
        return None if ends is None else (ends[0] + shift, ends[1] + shift)

    estimate = fit.estimate + shift
    deviance = _deviance(e, t * (events / time))
    return Pooled(
        **vars(fit)
        | {
            "estimate": estimate,
            "ci": back(fit.ci),
            "prediction": back(fit.prediction),
            "statistic": None,
            "p": None,
            "q": deviance.q,
            "q_df": deviance.df,
            "q_p": deviance.p,
            "average_rate": None,
        }
    )


def _deviance(events: FloatArray, expected: FloatArray) -> QTest:
    """Likelihood ratio of a rate for each study against one for all."""
    # Exact here: of the finely cut time it would be the difference of numbers that agree in all digits.
    return q_test(max(0.0, 2 * float((special.xlogy(events, events / expected)).sum())), events.size - 1)
