"""Interval of the spread between studies in the binomial-normal model, by profile likelihood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import checked_counts, checked_level
from bcma_decide.workshop.meta_analysis.coefficients import checked_design
from bcma_decide.workshop.meta_analysis.glmm_search import highest_at, inner_maximum
from bcma_decide.workshop.meta_analysis.logistic import fit_logistic
from bcma_decide.workshop.meta_analysis.random_effects import Interval

__all__ = ["FARTHEST", "likelihood_interval", "tau_interval"]

FARTHEST: Final = 20.0
"""Standard deviations between studies on the log-odds scale beyond which an interval is called endless: two thirds of
the studies would lie outside of 0.005 % to 99.995 % already at 10."""
_EXACT: Final = 1e-8
"""Of the ends, relatively."""


def tau_interval(
    events: npt.ArrayLike, total: npt.ArrayLike, design: npt.ArrayLike | None = None, *, level: float = 0.95
) -> Interval:
    """Standard deviations between studies that a likelihood-ratio test does not refuse.

    The ends are where twice the profile log-likelihood, that of the coefficients that go with each tau, has fallen by
    the quantile of chi-squared with one degree of freedom from its maximum (Venzon and Moolgavkar 1988; for variances
    between studies Hardy and Thompson 1996).

    Parameters
    ----------
    events, total : array_like, shape (k,)
    design : array_like, shape (k, p), optional
        As in `glmm.fit_binomial_normal`.
    level : float

    Returns
    -------
    Lower and upper end; the lower is 0 where no spread is not refused, the upper infinite beyond `FARTHEST`.

    Raises
    ------
    SynthesisError
        As `glmm.fit_binomial_normal`.
    """
    e, n = checked_counts(events, total)
    checked_level(level)
    Q, _ = np.linalg.qr(checked_design(design, e.size).X)
    common = fit_logistic(e, n, Q)
    inner = inner_maximum(e, n, Q)
    if inner is not None and inner.log_likelihood > common.log_likelihood:
        top, height = abs(float(inner.theta[-1])), inner.log_likelihood
        theta, centre = inner.theta[:-1], inner.centre
    else:
        top, height = 0.0, common.log_likelihood
        theta, centre = Q.T @ (Q @ common.estimate), np.zeros_like(e)

    def height_at(tau: float) -> float:
        # At 0 the model is logistic regression, which the quadrature need not be asked for.
        return common.log_likelihood if tau == 0 else highest_at(e, n, Q, tau, theta, centre).log_likelihood

    return likelihood_interval(height_at, top, height, level)


def likelihood_interval(height_at: Callable[[float], float], top: float, height: float, level: float) -> Interval:
    """Standard deviations at which a profile log-likelihood has fallen no further than chance makes it fall.

    Parameters
    ----------
    height_at
        The profile log-likelihood of a standard deviation of 0 or more.
    top, height
        Where it is highest, and how high.
    level

    Returns
    -------
    As `tau_interval`.
    """
    fall = float(special.chdtri(1, 1 - checked_level(level))) / 2

    def too_low(tau: float) -> float:
        return height - fall - height_at(tau)

    low = 0.0
    if top > 0 and too_low(0.0) > 0:
        low = _crossing(too_low, 0.0, top)
    reach = max(2 * top, 1.0)
    while reach < FARTHEST and too_low(reach) < 0:
        reach = min(2 * reach, FARTHEST)
    if too_low(reach) < 0:
        return low, float("inf")
    return low, _crossing(too_low, top, reach)


def _crossing(function: Callable[[float], float], left: float, right: float) -> float:
    found = optimize.brentq(function, left, right, xtol=_EXACT * right, rtol=_EXACT)
    if not np.isfinite(found):
        raise SynthesisError("the profile likelihood of the spread between studies has no end that can be found")
    return float(found)
