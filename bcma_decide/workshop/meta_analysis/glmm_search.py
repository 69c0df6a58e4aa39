"""Maximum of the binomial-normal likelihood over the coefficients and the between-study standard deviation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.effect_sizes import FloatArray, logit
from bcma_decide.workshop.meta_analysis.quadrature import POINTS, integrate, integrate_evenly, modes

__all__ = ["NO_SPREAD", "Maximum", "highest_at", "inner_maximum"]

NO_SPREAD = 1e-5
"""Standard deviations between studies below this are none."""

_MAX_STEPS = 30
"""Of 1,500 climbs on drawn tables 99.9 % took 20 or fewer; one that is not at the top then goes on by the next rule."""
_MAX_HALVINGS = 30
"""Leave 1e-9 of a step: shorter ones are below the limit of the search."""
_ROUGHLY = 1e-2
_EXACTLY = 1e-9
"""The first rule is left as soon as it is near; a finer one moves the maximum anyway. Both in standard errors."""
_STAYS = 1e-6
"""Of a standard error: what a finer rule may move a maximum by that counts as found."""
_ROUNDING = 1e-10
"""Of the log-likelihood, relatively: a sum over studies of logarithms of sums, flat at the top."""
_FLAT = 1e-10
"""Least curvature a step is divided by, as a share of the largest: a flat direction must not give an endless step."""
_LARGE = 1e4
"""Events of a study above which its size may be what no rule is fine enough for."""
_LONGEST = 5.0
"""Longest step on the log-odds scale: 5 leads from one half to 0.7 %, further than a quadratic can be trusted."""
_SMALLEST_START = 0.2
"""Least tau to start from: at 0 the score of tau vanishes by symmetry, and the search would rest there."""


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where a search ended: ``theta`` (p + 1,), the coefficients and tau.

    ``log_likelihood`` is without binomial coefficients, ``score`` (p + 1,) its gradient and ``information``
    (p + 1, p + 1) observed; ``centre`` (k,) are modes of the random intercepts.
    """

    theta: FloatArray
    log_likelihood: float
    information: FloatArray
    score: FloatArray
    centre: FloatArray


@dataclass(frozen=True, eq=False)
class _Likelihood:
    events: FloatArray
    total: FloatArray
    Q: FloatArray

    def at(self, theta: FloatArray, start: FloatArray, points: int | None) -> Maximum:
        """By a Gauss-Hermite rule, or by the trapezoidal rule without ``points``."""
        tau = float(theta[-1])
        eta = self.Q @ theta[:-1]
        centre = modes(self.events, self.total, eta, tau, start)
        if points is None:
            integrals = integrate_evenly(self.events, self.total, eta, tau, centre)
        else:
            integrals = integrate(self.events, self.total, eta, tau, centre, points)
        p = theta.size - 1
        information = np.empty((p + 1, p + 1))
        information[:p, :p] = -self.Q.T @ (integrals.d_eta_eta[:, None] * self.Q)
        information[:p, p] = information[p, :p] = -self.Q.T @ integrals.d_eta_tau
        information[p, p] = -integrals.d_tau_tau.sum()
        score = np.append(self.Q.T @ integrals.d_eta, integrals.d_tau.sum())
        return Maximum(theta, float(integrals.log_likelihood.sum()), information, score, centre)


def _climb(
    likelihood: _Likelihood, theta: FloatArray, centre: FloatArray, points: int, tolerance: float
) -> tuple[Maximum, bool]:
    """Newton's method with observed information; whether it settled in the steps it has is returned too.

    Directions of wrong curvature are turned uphill, and steps are halved until the likelihood rises. The search has
    settled when the next step is below ``tolerance`` standard errors.
    """
    here = likelihood.at(theta, centre, points)
    for _ in range(_MAX_STEPS):
        values, vectors = np.linalg.eigh(here.information)
        along = vectors.T @ here.score
        bend = np.maximum(np.abs(values), _FLAT * np.abs(values).max())
        if float(along @ (along / bend)) < tolerance**2:
            return here, bool(values[0] > 0)
        step = vectors @ (along / bend)
        # Bounded on the predictors, not on the coefficients: these depend on the columns, those are log odds.
        step *= min(1.0, _LONGEST / max(float(np.abs(likelihood.Q @ step[:-1]).max()), abs(float(step[-1]))))
        for _ in range(_MAX_HALVINGS):
            there = likelihood.at(here.theta + step, here.centre, points)
            if there.log_likelihood >= here.log_likelihood - _ROUNDING * (1 + abs(here.log_likelihood)):
                break
            step /= 2
        here = there
    return here, False


def inner_maximum(events: FloatArray, total: FloatArray, Q: FloatArray) -> Maximum | None:
    """Maximum with a spread between studies, or ``None`` where the search falls to no spread.

    With few studies the likelihood can have a maximum at tau = 0 and a higher one inside. The search therefore comes
    from above: it starts at the spread of the empirical logits, which holds their sampling error too.

    Parameters
    ----------
    events, total : numpy.ndarray, shape (k,)
    Q : numpy.ndarray, shape (k, p)
        Design with orthogonal columns.

    Raises
    ------
    SynthesisError
        If the search does not settle, or no quadrature rule is fine enough.
    """
    likelihood = _Likelihood(events, total, Q)
    crude = logit(events, total).yi
    gamma = np.linalg.lstsq(Q, crude, rcond=None)[0]
    spread = max(_SMALLEST_START, float(np.sqrt(np.mean(np.square(crude - Q @ gamma)))))
    start, _ = _climb(likelihood, np.append(gamma, spread), np.zeros_like(events), POINTS[0], _ROUGHLY)
    end = _settle(likelihood, start)
    return end if abs(end.theta[-1]) > NO_SPREAD else None


def _settle(likelihood: _Likelihood, start: Maximum) -> Maximum:
    """Climb on by finer and finer rules until one moves the maximum by less than 1e-6 standard errors.

    Each rule has twice the points of the one before, and so more than the 1.4th power of its error: what is left
    after the last move is below 1e-8 standard errors.
    """
    theta, centre = start.theta.copy(), start.centre
    # The likelihood is even in tau; the search may cross 0 freely, which a bound there would have to stop. The modes of
    # the random intercepts change sign with it.
    if theta[-1] < 0:
        theta[-1], centre = -theta[-1], -centre
    for points in POINTS[1:]:
        here, settled = _climb(likelihood, theta, centre, points, _EXACTLY)
        moved = here.theta - theta
        theta, centre = here.theta, here.centre
        if abs(theta[-1]) < NO_SPREAD or (settled and float(moved @ here.information @ moved) < _STAYS**2):
            return here
    # Where events are few, what is large is a time cut into pieces, and no study.
    counted = float(np.minimum(likelihood.events, likelihood.total - likelihood.events).max())
    size = f", or are so large (up to {likelihood.total.max():g})," if counted > _LARGE else ""
    raise SynthesisError(
        f"studies differ so much (tau about {abs(theta[-1]):.1f}){size} that the binomial-normal likelihood has "
        "no maximum that can be relied on; explain the difference with a moderator, or pool with weights (--method "
        "REML)"
    )


def highest_at(
    events: FloatArray, total: FloatArray, Q: FloatArray, tau: float, theta: FloatArray, centre: FloatArray
) -> Maximum:
    """Maximum over the coefficients alone, with the spread between studies held at ``tau`` > 0.

    Parameters
    ----------
    events, total : numpy.ndarray, shape (k,)
    Q : numpy.ndarray, shape (k, p)
        Design with orthogonal columns.
    tau : float
    theta : numpy.ndarray, shape (p,)
        Coefficients to start from.
    centre : numpy.ndarray, shape (k,)
        Modes of the random intercepts to start from.

    Raises
    ------
    SynthesisError
        If the search does not settle.
    """
    # Concave in the coefficients at fixed tau, so Newton's method needs no guard but a bound on its steps.
    likelihood = _Likelihood(events, total, Q)
    here = likelihood.at(np.append(theta, tau), centre, None)
    for _ in range(_MAX_STEPS):
        step = np.linalg.solve(here.information[:-1, :-1], here.score[:-1])
        if float(step @ here.score[:-1]) < _EXACTLY:
            return here
        step *= min(1.0, _LONGEST / float(np.abs(likelihood.Q @ step).max()))
        for _ in range(_MAX_HALVINGS):
            there = likelihood.at(here.theta + np.append(step, 0.0), here.centre, None)
            if there.log_likelihood >= here.log_likelihood - _ROUNDING * (1 + abs(here.log_likelihood)):
                break
            step /= 2
        here = there
    raise SynthesisError(
        f"the binomial-normal likelihood at tau {tau:.1f} has no maximum that can be relied on; pool with "
        "weights (--method REML)"
    )
