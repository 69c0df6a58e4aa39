"""The pooled result without each study, and as studies are added, by the model that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.cumulative import Cumulative, adding_order, cumulative
from bcma_decide.workshop.meta_analysis.leave_one_out import leave_one_out
from bcma_decide.workshop.meta_analysis.pooled import Pooled
from bcma_decide.workshop.meta_analysis.subset_fits import SubsetFits
from bcma_decide.workshop.synthesis.model import PoolingMethod
from bcma_decide.workshop.synthesis.result import result_of
from bcma_decide.workshop.synthesis.studies import Studies

__all__ = ["MOST_REFITS", "refitted", "up_to_each", "without_each"]

MOST_REFITS: Final = 300
MOST_REFITS_OF_TABLES: Final = 60
"""Studies up to which a model of exact counts is fitted again for each; a fit takes milliseconds for a hundred,
and tens of them for 2-by-2 tables."""


def refitted(studies: Studies, model: PoolingMethod) -> bool:
    """Whether leaving out and adding are by the model itself: else by REML, whose refits cost next to nothing."""
    return not model.is_exact or studies.k <= (MOST_REFITS if studies.groups is None else MOST_REFITS_OF_TABLES)


def _by_weights(studies: Studies, model: PoolingMethod) -> bool:
    """Whether all subsets are pooled at once, by inverse variances."""
    return studies.covariance is None and (model.has_weights or not refitted(studies, model))


def without_each(studies: Studies, model: PoolingMethod) -> SubsetFits:
    """The pooled result without each of at least three studies (Viechtbauer and Cheung 2010).

    Raises
    ------
    SynthesisError
        As `leave_one_out`.
    """
    if _by_weights(studies, model):
        return leave_one_out(studies.yi, studies.vi, method=model.weighted, test=model.mean_test, level=model.level)
    every = range(studies.k)
    return _fits(studies, model, ([row for row in every if row != out] for out in every))


def up_to_each(studies: Studies, order: npt.ArrayLike, model: PoolingMethod) -> Cumulative:
    """The pooled result as studies are added, lowest ``order`` (k,) first (Lau et al. 1992).

    Raises
    ------
    SynthesisError
        As `cumulative`.
    """
    if _by_weights(studies, model):
        y, v = studies.yi, studies.vi
        return cumulative(y, v, order, method=model.weighted, test=model.mean_test, level=model.level)
    added = adding_order(order, studies.k)
    return Cumulative(added, _fits(studies, model, (added[: size + 1].tolist() for size in range(studies.k))))


def _fits(studies: Studies, model: PoolingMethod, subsets: Iterable[list[int]]) -> SubsetFits:
    """A subset that the model cannot be fitted to, as studies without any event, has no numbers."""
    results: list[tuple[int, Pooled | None]] = []
    for rows in subsets:
        try:
            results.append((len(rows), result_of(studies.of(rows), model, profile=False)))
        except SynthesisError:
            results.append((len(rows), None))

    def column(of: Callable[[Pooled], float | None]) -> FloatArray:
        found = (None if result is None else of(result) for _, result in results)
        return np.array([np.nan if value is None else value for value in found])

    return SubsetFits(
        k=np.array([k for k, _ in results]),
        estimate=column(lambda result: result.estimate),
        se=column(lambda result: result.se),
        se_normal=column(lambda result: result.se),
        statistic=column(lambda result: result.statistic),
        p=column(lambda result: result.p),
        ci_low=column(lambda result: result.ci[0]),
        ci_high=column(lambda result: result.ci[1]),
        q=column(lambda result: result.q),
        q_p=column(lambda result: result.q_p),
        tau2=column(lambda result: result.tau2),
        i2=column(lambda result: result.i2),
        h2=column(lambda result: result.h2),
    )
