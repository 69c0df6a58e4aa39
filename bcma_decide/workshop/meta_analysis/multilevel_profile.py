"""Intervals of the variances between and within studies, by profile likelihood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy import optimize, special

from bcma_decide.workshop.meta_analysis.checks import checked_level
from bcma_decide.workshop.meta_analysis.multilevel import Multilevel
from bcma_decide.workshop.meta_analysis.multilevel_search import highest
from bcma_decide.workshop.meta_analysis.random_effects import Interval

__all__ = ["variance_intervals"]

_EXACT: Final = 1e-8
"""Of the ends, relatively."""
_FARTHEST: Final = 1e4
"""Times the largest of the estimate and the typical sampling variance: an end beyond is called endless."""


def variance_intervals(fit: Multilevel, *, level: float = 0.95) -> tuple[Interval, Interval]:
    """Variances between and within studies that a likelihood-ratio test does not refuse.

    The ends are where twice the profile of the (restricted) log-likelihood, with the other variance as it fits, has
    fallen by the quantile of chi-squared with one degree of freedom (Hardy and Thompson 1996; the restricted likelihood
    as in Viechtbauer 2007).

    Parameters
    ----------
    fit
        A model with both variances.
    level

    Returns
    -------
    Lower and upper end of each; the lower is 0 where no such variance is not refused, the upper infinite where the
    likelihood stays as high however large it is.

    Raises
    ------
    SynthesisError
        If the other variance does not settle.
    """
    fall = float(special.chdtri(1, 1 - checked_level(level))) / 2
    estimates = (fit.between, fit.within)
    return _interval(fit, 0, estimates, fall), _interval(fit, 1, estimates, fall)


def _interval(fit: Multilevel, place: int, estimates: tuple[float, float], fall: float) -> Interval:
    free = np.array([place != 0, place != 1])
    typical = float(fit.effects.vi.mean())

    def too_low(variance: float) -> float:
        begin = []
        # The other variance can have a maximum on its edge and one inside.
        for other in (estimates[1 - place], 0.1 * typical, typical):
            start = np.full(2, other)
            start[place] = variance
            begin.append(start)
        return fit.log_likelihood - fall - highest(fit.effects, begin, free, fit.method).log_likelihood

    estimate = estimates[place]
    low = _crossing(too_low, 0.0, estimate) if estimate > 0 and too_low(0.0) > 0 else 0.0
    reach = 2 * max(estimate, typical)
    farthest = _FARTHEST * reach
    while reach < farthest and too_low(reach) < 0:
        reach *= 2
    return low, _crossing(too_low, estimate, reach) if reach < farthest else float("inf")


def _crossing(function: Callable[[float], float], left: float, right: float) -> float:
    return float(optimize.brentq(function, left, right, xtol=_EXACT * right, rtol=_EXACT))
