"""Graphical display of study heterogeneity: the pooled result of every subset of the studies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.heterogeneity import Method, checked_effects
from bcma_decide.workshop.meta_analysis.subset_fits import BoolArray, SubsetFits, fit_subsets, joined, row_blocks

__all__ = ["MOST_SUBSETS", "Gosh", "gosh"]

MOST_SUBSETS = 2**16
"""Up to 16 studies every subset is pooled unless told otherwise; with more, this many drawn at random."""


@dataclass(frozen=True, eq=False)
class Gosh:
    """``included`` (m, k): the studies of each subset; ``fits``: its result; ``complete``: whether none is missing."""

    included: BoolArray
    fits: SubsetFits
    complete: bool


def gosh(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    *,
    method: Method = "DL",
    most: int = MOST_SUBSETS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Gosh:
    """Pool every subset of the studies, or a random sample of the subsets (Olkin, Dahabreh and Trikalinos 2012).

    A sampled subset holds each study with probability one half, so that all subsets are equally likely; the empty
    one is drawn again. A subset can be drawn twice.

    Parameters
    ----------
    yi, vi : array_like, shape (k,), k >= 2
        Effects and their sampling variances.
    method : str
        Estimator of tau2. EE, DL and REML are fast; the others take as long as that many single fits.
    most : int
        All ``2^k - 1`` subsets are pooled if there are no more than this, otherwise as many are drawn.
    seed : int
        Of the draws: same seed, same subsets.
    progress : callable, optional
        Called with the number of subsets done and their total, every few thousand.

    Raises
    ------
    SynthesisError
        If the effects are not valid, there are fewer than two studies, ``most`` is below 1, the method is unknown,
        or it does not converge for a subset.
    """
    y, v = checked_effects(yi, vi)
    if y.size < 2:
        raise SynthesisError("subsets need at least two studies")
    if most < 1:
        raise SynthesisError(f"most is {most}, but at least one subset has to be pooled")
    complete = 2**y.size - 1 <= most
    included = _all_subsets(y.size) if complete else _drawn_subsets(y.size, most, seed)
    return Gosh(included, joined(_fitted(y, v, included, method, progress)), complete)


def _fitted(
    y: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    included: BoolArray,
    method: Method,
    progress: Callable[[int, int], None] | None,
) -> Iterator[SubsetFits]:
    total = included.shape[0]
    for block in row_blocks(total, y.size):
        yield fit_subsets(y, v, included[block], method=method)
        if progress:
            progress(block.stop, total)


def _all_subsets(k: int) -> BoolArray:
    """Subset number j, from 1, holds the studies whose bit is set in j."""
    numbers = np.arange(1, 2**k, dtype=np.int64)
    return (numbers[:, None] >> np.arange(k) & 1).astype(np.bool_)


def _drawn_subsets(k: int, count: int, seed: int) -> BoolArray:
    generator = np.random.default_rng(seed)
    included = generator.random((count, k)) < 0.5
    # Drawn again rather than left out: the number of subsets is the one that was wanted.
    while (empty := ~included.any(axis=1)).any():
        included[empty] = generator.random((int(empty.sum()), k)) < 0.5
    return included
