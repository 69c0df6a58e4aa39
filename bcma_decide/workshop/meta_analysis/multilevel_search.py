"""Maximum of the two-level likelihood over the variances between and within studies."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.clustered import ClusteredEffects, Evaluation
from bcma_decide.workshop.meta_analysis.effect_sizes import FloatArray

__all__ = ["Likelihood", "highest", "starts"]

Likelihood = Literal["REML", "ML"]

_MAX_STEPS = 100
"""Of 1,700 climbs on drawn tables none took more than 18."""
_MAX_HALVINGS = 40
"""Leave 1e-12 of a step: shorter ones are rounding."""
_ROUGHLY = 1e-2
_EXACTLY = 1e-10
"""Of the next step, in standard errors: near enough to tell which peak is the highest; and the end of the search."""
_ROUNDING = 1e-12
"""Of the log-likelihood, relatively, which is a sum over studies."""
_LEAST_EXCESS = 0.1
"""Of the typical sampling variance: a start at 0 on both sides would be the edge, where a climb can rest."""
_SHARES = (0.5, 0.95, 0.05)
"""Of the excess that lies between studies: the middle and next to either edge, as each edge can have a maximum."""


def starts(effects: ClusteredEffects, free: npt.NDArray[np.bool_]) -> list[FloatArray]:
    """Splits of the excess of the residual variance over the sampling variance."""
    k, p = effects.X.shape
    residual = effects.yi - effects.X @ np.linalg.lstsq(effects.X, effects.yi, rcond=None)[0]
    typical = float(effects.vi.mean())
    excess = max(float(residual @ residual) / (k - p) - typical, _LEAST_EXCESS * typical)
    shares = _SHARES if free.all() else (1.0,)
    return [excess * np.array([share, 1 - share]) for share in shares]


def highest(
    effects: ClusteredEffects, begin: list[FloatArray], free: npt.NDArray[np.bool_], method: Likelihood
) -> Evaluation:
    """Climb roughly from every start, and to the top from the highest end: there can be a maximum on either edge.

    Parameters
    ----------
    effects : ClusteredEffects
    begin : list of numpy.ndarray, shape (2,)
        Variances between and within studies; those that are not free stay as they are.
    free : numpy.ndarray of bool, shape (2,)
    method : {"REML", "ML"}

    Raises
    ------
    SynthesisError
        If the search does not settle.
    """
    ends = [_climb(effects, start, free, method, _ROUGHLY) for start in begin]
    return _climb(effects, max(ends, key=lambda end: end.log_likelihood).variances, free, method, _EXACTLY)


def _climb(
    effects: ClusteredEffects,
    start: FloatArray,
    free: npt.NDArray[np.bool_],
    method: Likelihood,
    tolerance: float,
) -> Evaluation:
    """Newton's method over the free variances, none below 0: one at 0 with a falling likelihood stays there.

    The search ends when the next step is below ``tolerance`` standard errors.
    """
    restricted = method == "REML"
    here = effects.evaluate(start, restricted=restricted)
    for _ in range(_MAX_STEPS):
        moving = free & ~((here.variances == 0) & (here.score <= 0))
        if not moving.any():
            return here
        block, score = np.ix_(moving, moving), here.score[moving]
        observed = here.observed[block]
        # Newton where the likelihood is concave, Fisher scoring elsewhere: the expected information is positive
        # definite everywhere, so its step is uphill. A stop is accepted only on the concave side, where it is a top.
        curved = float(np.linalg.eigvalsh(observed)[0]) > 0
        step = np.zeros(2)
        step[moving] = np.linalg.solve(observed if curved else here.expected[block], score)
        if curved and float(score @ step[moving]) < tolerance**2:
            return here
        for _ in range(_MAX_HALVINGS):
            there = effects.evaluate(np.maximum(here.variances + step, 0.0), restricted=restricted)
            if there.log_likelihood >= here.log_likelihood - _ROUNDING * (1 + abs(here.log_likelihood)):
                break
            step = step / 2
        here = there
    raise SynthesisError(
        f"{method} did not settle on the variances in {_MAX_STEPS} steps (last {here.variances[0]:g} between and "
        f"{here.variances[1]:g} within studies): leave out moderators, or "
        "pool one row of each study (without --nested)"
    )
