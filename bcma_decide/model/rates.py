"""The numbers of every cell at once: mean, median, interval of the average, interval at the next centre."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.normal import MixtureRows, expected_logistic, logistic, quantiles_of_mixtures
from bcma_decide.model.sheets import Sheet, SheetValues
from bcma_decide.pooled.evidence import PooledEvidence

Array = NDArray[np.float64]
Places = NDArray[np.intp]

MEAN, MEDIAN, LOW, HIGH, NEXT_LOW, NEXT_HIGH = range(6)
"""Columns of the numbers of a cell: posterior mean and median of the average, its 95 % interval, the next centre's."""
_CREDIBLE: Final = (0.5, 0.025, 0.975)
_NEXT: Final = (0.025, 0.975)


class Rates(Struct, frozen=True):
    """One option's numbers as fractions: posterior mean and median of the average, its interval, the next centre's."""

    mean: float
    median: float
    credible: tuple[float, float]
    prediction: tuple[float, float]


def rates_of(row: Sequence[float]) -> Rates:
    """Numbers of a cell from its row of the table."""
    mean, median, low, high, next_low, next_high = row
    return Rates(mean, median, (low, high), (next_low, next_high))


def cell_table(values: Sequence[SheetValues]) -> Array:
    """Numbers of the cells of some sheets, one after the other, (profiles, cells, 6), not yet in order."""
    averages = [_averages(each) for each in values]
    weight, centre, spread = _joined(averages)
    mean = np.einsum("ck,nck->nc", weight, expected_logistic(centre, spread))
    cells = len(weight)
    single = [_next_centres(each, several=False) for each in values]
    several = [_next_centres(each, several=True) for each in values]
    alone = sum(len(each[0]) for each in single)
    together = [(weight, centre, spread), *single]
    if len(mean) == 1:
        # of one patient it is the calls that cost, of many the components with which shorter mixtures are filled up
        found = _quantiles([*together, *several], cells)
    else:
        found = np.concatenate([_quantiles(together, cells), _quantiles(several, 0)], axis=1)
    found = logistic(found)
    table = np.empty((len(mean), cells, 6))
    table[..., MEAN] = mean
    table[..., MEDIAN : HIGH + 1] = found[:, : 3 * cells].reshape(len(mean), cells, 3)
    of_one = np.concatenate([each.sheet.next_centres(several=False).of for each in values])
    following = found[:, 3 * cells :].reshape(len(mean), -1, 2)
    table[:, of_one, NEXT_LOW:] = following[:, :alone]
    table[:, ~of_one, NEXT_LOW:] = following[:, alone:]
    return table


Components = tuple[Array, Array, Array]
"""Weights (cells, components), log odds and standard deviations (profiles, cells, components)."""


def _quantiles(parts: Sequence[Components], cells: int) -> Array:
    """Log odds of the ends of an average for so many of the first ``cells``, of the next centre for the others."""
    weight, centre, spread = _joined(parts)
    return quantiles_of_mixtures(weight, centre, spread, _rows(cells, len(weight) - cells))


@lru_cache(maxsize=64)
def _rows(cells: int, following: int) -> MixtureRows:
    return MixtureRows.of(_CREDIBLE, cells).followed_by(MixtureRows.of(_NEXT, following), cells)


def _averages(values: SheetValues) -> Components:
    outcome, option = values.sheet.filled
    centre, variance = (np.swapaxes(each, 2, 3)[:, outcome, option] for each in (values.logit, values.variance))
    return values.sheet.weight[outcome], centre, np.sqrt(variance)


def _next_centres(values: SheetValues, *, several: bool) -> Components:
    """One centre with one of the products, for cells of one product or those that average several."""
    wanted = values.sheet.next_centres(several=several)
    found = []
    for each in (values.middle, values.middle_variance):
        # advanced indices beside a slice stand first: cells, members, profiles, nodes
        own = each[:, wanted.outcome, :, wanted.product]
        found.append(own.transpose(2, 0, 1, 3).reshape(len(each), len(wanted.weight), wanted.weight.shape[1]))
    return wanted.weight, found[0], np.sqrt(found[1])


def _joined(parts: Sequence[Components]) -> Components:
    """Mixtures of different lengths one after the other, the shorter ones filled up with components of no weight."""
    longest = max(weight.shape[1] for weight, _, _ in parts)
    weights, centres, spreads = zip(*(_padded(part, longest) for part in parts), strict=True)
    return np.concatenate(weights), np.concatenate(centres, axis=1), np.concatenate(spreads, axis=1)


def _padded(part: Components, longest: int) -> Components:
    weight, centre, spread = part
    lacking = longest - weight.shape[1]
    if not lacking:
        return part
    if not len(weight):
        empty = np.zeros((len(centre), 0, longest))
        return np.zeros((0, longest)), empty, empty
    filled = [np.concatenate([each, np.repeat(each[..., :1], lacking, axis=-1)], axis=-1) for each in (centre, spread)]
    return np.concatenate([weight, np.zeros((len(weight), lacking))], axis=1), filled[0], filled[1]


class Order(Struct, frozen=True):
    """Which cells are put in order, and which are averages of others.

    ``thresholds``: cells (options, thresholds), loosest threshold first. ``classes`` (classes,), the cells of classes,
    and ``products`` (classes, cells) the share of every cell in them.
    """

    thresholds: tuple[Places, ...]
    classes: Places
    products: Array

    @classmethod
    def of(cls, pooled: PooledEvidence, cells: NDArray[np.bool_]) -> Order:
        """Of some of the cells, (cells,)."""
        by_length: dict[int, list[list[int]]] = {}
        for rows in pooled.threshold_rows:
            if cells[rows[0]]:
                by_length.setdefault(len(rows), []).append(rows)
        averaged = [(members, row) for members, row in pooled.product_rows if cells[row]]
        products = np.zeros((len(averaged), len(cells)))
        for place, (members, _) in enumerate(averaged):
            products[place, members] = 1.0 / len(members)
        return cls(
            tuple(np.array(rows) for rows in by_length.values()),
            np.array([row for _, row in averaged], dtype=np.intp),
            products,
        )

    def put(self, table: Array) -> None:
        """Put numbers (profiles, cells, 6) in order, in place.

        A stricter threshold is never more frequent than a looser one: those that are fitted apart are put in order,
        product by product (rearrangement: Chernozhukov V et al. Econometrica 2010;78:1093-1125). The mean of a class is
        the average of its products' means; no centre is surer than the average.
        """
        for rows in self.thresholds:
            table[:, rows] = -np.sort(-table[:, rows], axis=2)
        if self.classes.size:
            table[:, self.classes, MEAN] = table[:, :, MEAN] @ self.products.T
        np.minimum(table[..., NEXT_LOW], table[..., LOW], out=table[..., NEXT_LOW])
        np.maximum(table[..., NEXT_HIGH], table[..., HIGH], out=table[..., NEXT_HIGH])


def in_order(pooled: PooledEvidence, sheets: Sequence[Sheet]) -> Order:
    """The order of the cells of some sheets."""
    cells = np.zeros(len(pooled.cells), dtype=bool)
    for sheet in sheets:
        cells[sheet.places] = True
    return Order.of(pooled, cells)
