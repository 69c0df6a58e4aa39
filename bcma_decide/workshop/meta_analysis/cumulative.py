"""The pooled result as studies are added one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import checked_vector
from bcma_decide.workshop.meta_analysis.heterogeneity import Method, checked_effects
from bcma_decide.workshop.meta_analysis.pooling import MeanTest
from bcma_decide.workshop.meta_analysis.subset_fits import SubsetFits, fit_growing

__all__ = ["Cumulative", "adding_order", "cumulative"]


@dataclass(frozen=True, eq=False)
class Cumulative:
    """``added`` (k,): which study each step adds, by its place in the input; ``fits``: the result after it."""

    added: npt.NDArray[np.intp]
    fits: SubsetFits


def cumulative(
    yi: npt.ArrayLike,
    vi: npt.ArrayLike,
    order: npt.ArrayLike,
    *,
    method: Method = "REML",
    test: MeanTest = "z",
    level: float = 0.95,
) -> Cumulative:
    """Cumulative meta-analysis (Lau, Antman, Jimenez-Silva, Kupelnick, Mosteller and Chalmers 1992).

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effects and their sampling variances.
    order : array_like, shape (k,)
        What the studies are sorted by, lowest first, for example the year; ties stay in the order of the input.
    method, test, level
        As in `pooling.pool`.

    Raises
    ------
    SynthesisError
        If the effects or the order are not valid, an option is unknown, or the estimator of tau2 does not converge.
    """
    y, v = checked_effects(yi, vi)
    added = adding_order(order, y.size)
    return Cumulative(added, fit_growing(y[added], v[added], "up_to", method=method, test=test, level=level))


def adding_order(order: npt.ArrayLike, k: int) -> npt.NDArray[np.intp]:
    """Places of k studies, lowest ``order`` first; ties stay in the order of the input.

    Raises
    ------
    SynthesisError
        If the order is not one finite number for each study.
    """
    key = checked_vector(order, "order")
    if key.size != k:
        raise SynthesisError(f"order has {key.size} rows but yi has {k}")
    # Stable, as documented: studies of one year must not come in another order on another machine.
    return np.argsort(key, kind="stable")
