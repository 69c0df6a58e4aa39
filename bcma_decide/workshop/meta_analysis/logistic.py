"""Logistic regression of event counts: what the binomial-normal model is when studies do not differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.coefficients import NamedDesignMatrix
from bcma_decide.workshop.meta_analysis.effect_sizes import FloatArray, logit

__all__ = ["LogisticFit", "fit_logistic", "refuse_separation"]

_MAX_STEPS = 100
"""Of 500 fits on drawn tables none took more than 8 steps."""
_TOLERANCE = 1e-9
"""Of a step, in standard errors: far below the 1e-6 to which quadrature settles what starts here."""
_LONGEST = 5.0
"""Longest step on the log-odds scale, from one half to 0.7 %: a quadratic cannot be trusted further."""
_ROUNDING = 1e-13
"""Of the log-likelihood, relatively: a sum over studies, which rounding may lower at its top."""
_SEPARATED = 1e-6
"""Least sum of the separating combination: the linear program is solved to about 1e-7, and a true one is of order 1."""


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """Maximum likelihood estimate (p,), its covariance (p, p) and the log-likelihood without coefficients."""

    estimate: FloatArray
    vcov: FloatArray
    log_likelihood: float


def refuse_separation(events: FloatArray, total: FloatArray, design: NamedDesignMatrix) -> None:
    """Refuse data whose maximum likelihood estimate is at infinity (Albert and Anderson 1984).

    That is so when some combination of the columns is 0 in every study with events and non-events, and nowhere
    negative in studies with only events nor positive in those with none, but not 0 in all. Such a combination is
    looked for by linear programming (Konis 2007). It moves the likelihood of the model with random intercepts up
    for ever as well, whatever tau.

    Parameters
    ----------
    events, total : numpy.ndarray, shape (k,)
    design : Design

    Raises
    ------
    SynthesisError
        With the column that the combination weights most.
    """
    none, full = events == 0, events == total
    if not (none | full).any():
        return
    if none.all() or full.all():
        raise SynthesisError(
            f"every study has {'no events' if none.all() else 'only events'}: the maximum likelihood estimate is "
            "infinite: pool without moderators, where an exact limit is given, or by --method REML"
        )
    extreme = none | full
    # Columns of size 1, so that the bounds of the program, which are there only to keep it finite, hold all alike.
    scaled = design.X / np.abs(design.X).max(axis=0)
    between = scaled[~extreme]
    if len(between) and np.linalg.matrix_rank(between) == design.p:  # before numpy 2.4 there is no rank of no rows
        return  # only the combination of zeros is 0 in every study with events and non-events
    from scipy.optimize import linprog

    signed = np.where(full, 1.0, -1.0)[:, None] * scaled
    program = linprog(
        -signed[extreme].sum(axis=0),
        A_ub=-signed[extreme],
        b_ub=np.zeros(int(extreme.sum())),
        A_eq=scaled[~extreme] if (~extreme).any() else None,
        b_eq=np.zeros(int((~extreme).sum())) if (~extreme).any() else None,
        bounds=(-1, 1),
    )
    if program.status == 0 and -program.fun > _SEPARATED:
        column = design.names[int(np.argmax(np.abs(program.x)))]
        apart = "the moderators together" if column == "intercept" else column
        raise SynthesisError(
            f"studies with no events or only events are told apart by {apart}: the maximum likelihood estimate is "
            "infinite; leave it out, join its levels, or take --method REML"
        )


def fit_logistic(events: FloatArray, total: FloatArray, X: FloatArray) -> LogisticFit:
    """Newton's method from least squares on the empirical logits; the likelihood is concave.

    Iteratively reweighted least squares (McCullagh and Nelder 1989), with steps halved until the likelihood rises.

    Parameters
    ----------
    events, total : numpy.ndarray, shape (k,)
    X : numpy.ndarray, shape (k, p)
        Of full column rank and without separation (see `refuse_separation`).

    Raises
    ------
    SynthesisError
        If the search does not settle.
    """
    others = total - events

    # Events and others each by a logarithm of their own: the difference of two sums as large as the studies would lose
    # the digits that large studies of rare outcomes leave.
    def log_likelihood(eta: FloatArray) -> float:
        return -float(events @ np.logaddexp(0, -eta) + others @ np.logaddexp(0, eta))

    start = logit(events, total)
    weighted = X / start.vi[:, None]
    estimate = np.linalg.solve(weighted.T @ X, weighted.T @ start.yi)
    eta = X @ estimate
    reached = log_likelihood(eta)
    for _ in range(_MAX_STEPS):
        p, q = special.expit(eta), special.expit(-eta)
        information = X.T @ ((total * p * q)[:, None] * X)
        score = X.T @ (events * q - others * p)
        step = np.linalg.solve(information, score)
        decrement = float(score @ step)
        # The decrement is the squared length of the step in standard errors: the same limit whatever the units. The
        # last step is still taken, and is exact to the square of the limit.
        if decrement < _TOLERANCE**2:
            return LogisticFit(np.asarray(estimate + step), np.linalg.inv(information), reached)
        # From far off Newton's step leads beyond the answer to where the likelihood is flat in floating-point numbers.
        step *= min(1.0, _LONGEST / float(np.abs(X @ step).max()))
        while True:
            moved = X @ (estimate + step)
            value = log_likelihood(moved)
            if value >= reached - _ROUNDING * (1 + abs(reached)):
                break
            step = step / 2
        estimate, eta, reached = estimate + step, moved, value
    raise SynthesisError(
        f"logistic regression did not settle in {_MAX_STEPS} steps; look for a column that tells studies with no "
        "events or only events apart"
    )
