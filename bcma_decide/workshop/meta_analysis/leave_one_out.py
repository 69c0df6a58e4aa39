"""The pooled result without each study in turn."""

from __future__ import annotations

import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.heterogeneity import Method, checked_effects
from bcma_decide.workshop.meta_analysis.pooling import MeanTest
from bcma_decide.workshop.meta_analysis.subset_fits import SubsetFits, fit_growing

__all__ = ["leave_one_out"]


def leave_one_out(
    yi: npt.ArrayLike, vi: npt.ArrayLike, *, method: Method = "REML", test: MeanTest = "z", level: float = 0.95
) -> SubsetFits:
    """Pool k times, each time without one study (Viechtbauer and Cheung 2010).

    Parameters
    ----------
    yi, vi : array_like, shape (k,), k >= 3
        Effects and their sampling variances.
    method, test, level
        As in `pooling.pool`.

    Returns
    -------
    SubsetFits
        Row i is the result without study i.

    Raises
    ------
    SynthesisError
        If the effects are not valid, there are fewer than three studies, an option is unknown, or the estimator of
        tau2 does not converge.
    """
    y, v = checked_effects(yi, vi)
    if y.size < 3:
        raise SynthesisError(f"leaving one study out needs at least three studies, not {y.size}")
    return fit_growing(y, v, "without", method=method, test=test, level=level)
