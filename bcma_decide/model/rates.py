"""The numbers of every cell at once: mean, median, interval of the average, interval at the next centre."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.normal import expected_logistic, logistic, mixture_quantiles
from bcma_decide.model.prediction import Average, OutcomeRates, next_centre, option_average
from bcma_decide.pooled.evidence import Cell, PooledEvidence

Array = NDArray[np.float64]
Tables = Mapping[tuple[str, int], OutcomeRates]
"""(outcome, class index) -> its rates."""

Components = tuple[Array, Array, Array]
"""Weight, log odds and standard deviation of a mixture, (components,) or (cells, components) each."""

_CREDIBLE = np.array([0.025, 0.5, 0.975])
_NEXT = np.array([0.025, 0.975])
_SMALLEST_VARIANCE = 1e-12
"""A quantile of a mixture needs a positive spread."""


@dataclass(frozen=True)
class Rates:
    """One option's numbers as fractions: posterior mean and median of the average, its interval, the next centre's."""

    mean: float
    median: float
    credible: tuple[float, float]
    prediction: tuple[float, float]


def cell_means(pooled: PooledEvidence, tables: Tables) -> Array:
    """Posterior mean of every cell, (cells,); that of a class is the average of its products' means.

    A stricter threshold is never more frequent than a looser one: those that are fitted apart are put in order, product
    by product (rearrangement: Chernozhukov V et al. Econometrica 2010;78:1093-1125).
    """
    return _means(pooled, _components(pooled, all_averages(pooled, tables)))


def all_averages(pooled: PooledEvidence, tables: Tables) -> tuple[Average, ...]:
    """The average of every cell."""
    return tuple(option_average(tables[cell.outcome, cell.class_index], cell.members) for cell in pooled.cells)


def all_rates(pooled: PooledEvidence, tables: Tables, averages: Sequence[Average]) -> tuple[Rates, ...]:
    """Numbers of every cell; ``averages`` are those of :func:`all_averages`."""
    average = _components(pooled, averages)
    each: dict[tuple[str, int, int], tuple[Array, Array]] = {}  # a class is made of its products' own
    following = _stacked([_next_centre(pooled, cell, tables, each) for cell in pooled.cells])
    inside = logistic(mixture_quantiles(*average, _CREDIBLE))
    beyond = logistic(mixture_quantiles(*following, _NEXT))
    table = np.column_stack([inside, beyond])
    for rows in pooled.threshold_rows:
        table[rows] = -np.sort(-table[rows], axis=0)
    return tuple(
        Rates(mean, median, (low, high), (min(low, next_low), max(high, next_high)))
        for mean, (low, median, high, next_low, next_high) in zip(
            _means(pooled, average).tolist(), table.tolist(), strict=True
        )
    )


def _means(pooled: PooledEvidence, average: Components) -> Array:
    weight, centre, spread = average
    return _ordered_means(pooled, (weight * expected_logistic(centre, spread)).sum(axis=1))


def _ordered_means(pooled: PooledEvidence, means: Array) -> Array:
    ordered = means.copy()
    for rows in pooled.threshold_rows:
        ordered[rows] = -np.sort(-ordered[rows])
    for members, row in pooled.product_rows:
        ordered[row] = ordered[members].mean()
    return ordered


def _components(pooled: PooledEvidence, averages: Sequence[Average]) -> Components:
    variances = [
        average.variance(own_covariance(pooled, cell)) for cell, average in zip(pooled.cells, averages, strict=True)
    ]
    return _stacked(
        [
            (average.weight, average.logit, np.sqrt(np.maximum(variance, _SMALLEST_VARIANCE)))
            for average, variance in zip(averages, variances, strict=True)
        ]
    )


def _next_centre(
    pooled: PooledEvidence, cell: Cell, tables: Tables, found: dict[tuple[str, int, int], tuple[Array, Array]]
) -> Components:
    """One centre with one of the products; ``found`` keeps those of each product."""
    table = tables[cell.outcome, cell.class_index]
    for product in cell.members:
        key = cell.outcome, cell.class_index, product
        if key not in found:
            found[key] = next_centre(table, product, own_covariance(pooled, cell))
    each = [found[cell.outcome, cell.class_index, product] for product in cell.members]
    return (
        np.tile(table.weight / len(each), len(each)),
        np.concatenate([centre for centre, _ in each]),
        np.sqrt(np.maximum(np.concatenate([variance for _, variance in each]), _SMALLEST_VARIANCE)),
    )


def own_covariance(pooled: PooledEvidence, cell: Cell) -> Array:
    """Covariance of what moves a cell's rate within its class, (parameters, parameters)."""
    return np.asarray(pooled.outcome_covariance[cell.outcome][cell.class_index, :, cell.class_index, :])


def _stacked(components: Sequence[Components]) -> Components:
    """Mixtures of different lengths as one table, the shorter ones filled up with components of no weight."""
    longest = max(weight.size for weight, _, _ in components)
    weight = np.zeros((len(components), longest))
    centre, spread = np.empty_like(weight), np.empty_like(weight)
    for row, (w, c, s) in enumerate(components):
        weight[row, : w.size] = w
        centre[row], spread[row] = c[0], s[0]
        centre[row, : w.size], spread[row, : w.size] = c, s
    return weight, centre, spread
