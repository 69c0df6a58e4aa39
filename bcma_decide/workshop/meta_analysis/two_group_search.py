"""Maximum of a likelihood of 2-by-2 tables over its parameters, some of which may be held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.two_group_likelihoods import Likelihood, Place

__all__ = ["climb"]

_MAX_STEPS: Final = 30
_MAX_HALVINGS: Final = 8
"""A rule that needs more is too coarse: its sums are not smooth in the parameters."""
_ROUGHLY: Final = 1e-2
_EXACTLY: Final = 1e-9
"""The first rule is left as soon as it is near; a finer one moves the maximum anyway. Both in standard errors."""
_SMALLEST_START: Final = 0.2
_ROUNDING: Final = 1e-11
_FLAT: Final = 1e-10
"""Least curvature a step is divided by, as a share of the largest: a flat direction must not give an endless step."""
_LONGEST: Final = 2.0
"""Longest step of a log odds (ratio) or of a standard deviation of them."""


def climb(
    model: Likelihood,
    theta: FloatArray,
    state: tuple[FloatArray, ...],
    free: Sequence[int],
    spreads: Sequence[int],
    *,
    stays: float = 1e-6,
) -> Place:
    """Newton's method by finer and finer rules until one moves the maximum no more.

    Parameters
    ----------
    model
    theta : numpy.ndarray, shape (p,)
        To start from; parameters that are not ``free`` stay.
    state
        To start from.
    free, spreads
        Places of the parameters that move, and of those that are standard deviations: the likelihood is even in them.
        A spread that moves starts at 0.2 at least: at 0 its score vanishes by symmetry, and the search would rest.
    stays
        Standard errors below which the maximum has not moved.

    Raises
    ------
    SynthesisError
        If the search does not settle.
    """
    moving = list(free)
    first, *finer = model.rules(theta)
    theta = theta.copy()
    loose = [each for each in spreads if each in moving]
    theta[loose] = np.maximum(np.abs(theta[loose]), _SMALLEST_START)
    here, _ = _newton(model, model.at(theta, state, first), moving, first, _ROUGHLY)
    for rule in finer:
        upright = here.theta.copy()
        upright[list(spreads)] = np.abs(upright[list(spreads)])
        before = upright[moving]
        here, settled = _newton(model, model.at(upright, here.state, rule), moving, rule, _EXACTLY)
        moved = here.theta[moving] - before
        if settled and float(moved @ here.information[np.ix_(moving, moving)] @ moved) < stays**2:
            return here
    raise SynthesisError(
        "the likelihood of these tables has no maximum that can be relied on: take --method REML, or MH for one odds "
        "ratio of all studies"
    )


def _newton(model: Likelihood, here: Place, free: list[int], rule: int, tolerance: float) -> tuple[Place, bool]:
    """With observed information; directions of wrong curvature are turned uphill, steps halved until it rises."""
    for _ in range(_MAX_STEPS):
        values, vectors = np.linalg.eigh(here.information[np.ix_(free, free)])
        along = vectors.T @ here.score[free]
        bend = np.maximum(np.abs(values), max(_FLAT * float(np.abs(values).max()), 1e-300))
        if float(along @ (along / bend)) < tolerance**2:
            return here, bool(values[0] > 0)
        step = np.zeros_like(here.theta)
        step[free] = vectors @ (along / bend)
        step *= min(1.0, _LONGEST / float(np.abs(step).max()))
        for _ in range(_MAX_HALVINGS):
            there = model.at(here.theta + step, here.state, rule)
            if there.log_likelihood >= here.log_likelihood - _ROUNDING * (1 + abs(here.log_likelihood)):
                here = there
                break
            step /= 2
        else:
            # Uphill leads nowhere: the rule is too coarse for the slope it gives to be that of its own sums.
            return here, False
    return here, False
