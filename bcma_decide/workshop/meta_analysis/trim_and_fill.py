"""Trim and fill: studies that would make the funnel symmetric, and the mean with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.egger_test import egger_test
from bcma_decide.workshop.meta_analysis.heterogeneity import Method, checked_effects, estimate_tau2, weighted_mean
from bcma_decide.workshop.meta_analysis.pooled import Pooled
from bcma_decide.workshop.meta_analysis.pooling import MeanTest, pool
from bcma_decide.workshop.meta_analysis.small_study_remarks import small_study_remarks

__all__ = ["Side", "TrimAndFill", "trim_and_fill"]

Side = Literal["left", "right"]

_MAX_STEPS = 100
"""As in metafor; the number is whole and settles in a few steps or goes in circles."""


@dataclass(frozen=True, eq=False)
class TrimAndFill:
    """``missing`` studies on ``side``; ``pooled`` with them; ``filled_yi`` and ``filled_vi``, shape (missing,)."""

    missing: int
    side: Side
    pooled: Pooled
    filled_yi: FloatArray
    filled_vi: FloatArray
    remarks: tuple[str, ...]


def trim_and_fill(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    *,
    side: Side | None = None,
    method: Method = "REML",
    test: MeanTest = "z",
    level: float = 0.95,
    proportions: bool = False,
) -> TrimAndFill:
    """Trim and fill with the estimator L0 (Duval and Tweedie 2000).

    A look at what asymmetry may hide, not a corrected result: it takes every asymmetry for suppressed studies.

    Parameters
    ----------
    yi, vi : array_like, shape (k,), k >= 3
        Effects and their sampling variances.
    side : {"left", "right"}, optional
        Where studies may be missing. Without it, the side towards which effects do not spread as precision falls, by
        the slope of `egger_test` in the mixed model.
    method, test, level
        As in `pooling.pool`, in every step.
    proportions : bool
        Whether the effects are single proportions, which adds a remark.

    Raises
    ------
    SynthesisError
        If the effects are not valid, there are fewer than three studies, the side is unknown or cannot be told (all
        variances equal), the number of missing studies goes in circles, or for any reason `pool` gives.
    """
    y, v = checked_effects(yi, vi)
    if y.size < 3:
        raise SynthesisError(f"trim and fill needs at least three studies, not {y.size}")
    if side not in (None, "left", "right"):
        raise SynthesisError(f"side is {side!r}, but must be left or right")
    if side is None:
        side = "right" if egger_test(y, v, method=method).slope < 0 else "left"
    sign = -1.0 if side == "right" else 1.0
    order = np.argsort(sign * y, kind="stable")
    missing, mean = _missing(sign * y[order], v[order], method)
    mirrored = order[y.size - missing :]
    filled_yi, filled_vi = sign * (2 * mean - sign * y[mirrored]), v[mirrored]
    pooled = pool(np.append(y, filled_yi), np.append(v, filled_vi), method=method, test=test, level=level)
    return TrimAndFill(
        missing, side, pooled, filled_yi, filled_vi, small_study_remarks(y.size, proportions=proportions)
    )


def _missing(y: FloatArray, v: FloatArray, method: Method) -> tuple[int, float]:
    """Number of studies missing on the left of rising effects, and the mean about which they are mirrored.

    L0 is ``(4 T - k (k + 1)) / (2 k - 1)`` with T the sum of the ranks, by distance from the mean, of the effects
    above it (Duval and Tweedie 2000, section 3.2); the mean is taken without as many of the highest, until the
    number stays.
    """
    k, missing = y.size, 0
    for _ in range(_MAX_STEPS):
        kept_y, kept_v = y[: k - missing], v[: k - missing]
        # Trimming may leave one study, of which no spread can be told.
        tau2 = estimate_tau2(kept_y, kept_v, method).value if kept_y.size > 1 else 0.0
        mean = weighted_mean(kept_y, 1 / (kept_v + tau2))
        deviation = y - mean
        ranks = np.empty(k)
        ranks[np.argsort(np.abs(deviation), kind="stable")] = np.arange(1, k + 1)
        above = float(ranks[deviation > 0].sum())
        estimate = max(0, round((4 * above - k * (k + 1)) / (2 * k - 1)))
        # The number, not the mean, has to stay: it is whole, so it either stays to the digit or goes in circles.
        if estimate == missing:
            return missing, mean
        missing = estimate
    raise SynthesisError(
        f"trim and fill did not settle on a number of missing studies in {_MAX_STEPS} steps; use another method"
    )
