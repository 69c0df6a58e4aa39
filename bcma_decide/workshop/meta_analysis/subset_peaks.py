"""Whether the likelihood of tau2 of a subset of studies has one peak, for many subsets at once.

As `likelihood` reads the slope of one set of studies on a grid, so here for all subsets, on one grid for all: between a
point where the likelihood rises and one where it falls lies a peak.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from bcma_decide.workshop.meta_analysis.checks import FloatArray

__all__ = ["BoolArray", "lone_peak", "slope_grid"]

BoolArray = npt.NDArray[np.bool_]

_STEP: Final = 1.5
"""Of one point of the grid to the next, at most; `likelihood` has some 1.3 with a hundredfold range of variances."""
_FEWEST: Final = 24
_MOST: Final = 96


def slope_grid(v: FloatArray, unweighted: float) -> FloatArray:
    """Values of tau2 at which slopes are read: 0, and geometrically to beyond where any likelihood can still rise.

    Parameters
    ----------
    v : numpy.ndarray, shape (k,)
    unweighted
        The largest variance of the effects of a subset about their plain mean. The bound is that of `likelihood`, with
        the variances of all studies in place of those of the subset, which makes it no smaller.
    """
    smallest, r = float(v.min()), unweighted
    reach = (r + float(np.sqrt(r * r + 4 * r * (float(v.max()) - smallest)))) / 2 - smallest
    if reach <= 0:
        return np.zeros(1)
    first = min(smallest, reach) / 10
    points = int(np.clip(np.ceil(np.log(2 * reach / first) / np.log(_STEP)), _FEWEST, _MOST))
    return np.append(0.0, first * (2 * reach / first) ** np.linspace(0.0, 1.0, points))


def lone_peak(slopes: FloatArray, grid: FloatArray, tau2: FloatArray) -> BoolArray:
    """Whether each of m subsets has one peak on the grid (g,), and its tau2 (m,) is there; ``slopes`` is (g, m)."""
    rising = slopes > 0
    falls = rising[:-1] & ~rising[1:]
    at_zero = ~rising[0]
    if grid.size == 1:
        return np.asarray(at_zero & (tau2 == 0))
    one = falls.sum(axis=0) + at_zero == 1
    # Where the peak is at 0, no interval of the grid holds one.
    left = np.where(at_zero, 0, falls.argmax(axis=0))
    low, high = np.where(at_zero, 0.0, grid[left]), np.where(at_zero, 0.0, grid[left + 1])
    return np.asarray(one & (tau2 >= low) & (tau2 <= high))
