"""The numbers of every cell at once: mean, median, interval of the average, interval at the next centre."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
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


class _Mixtures(Struct, frozen=True):
    """Mixtures of normals out of what some sheets have: where each component stands in it, and how much it weighs.

    ``place``, ``weight`` (mixtures, components); shorter mixtures are filled up with components of no weight.
    """

    place: Places
    weight: Array

    @classmethod
    def joined(cls, parts: Sequence[_Mixtures]) -> _Mixtures:
        """Those of several, one after the other."""
        longest = max(part.place.shape[1] for part in parts)
        filled = [part._filled(longest) for part in parts]
        return cls(np.concatenate([each.place for each in filled]), np.concatenate([each.weight for each in filled]))

    def _filled(self, longest: int) -> _Mixtures:
        lacking = ((0, 0), (0, longest - self.place.shape[1]))
        first = np.repeat(self.place[:, :1], longest - self.place.shape[1], axis=1)
        return _Mixtures(np.concatenate([self.place, first], axis=1), np.pad(self.weight, lacking))


class CellMixtures(Struct, frozen=True, dict=True):
    """What the cells of some sheets are made up of, one sheet after the other.

    ``averages`` over centres; the next centre with one of the products, of cells of one product (``single``) and of
    those that average ``several``; ``of_one`` (cells,) marks the former.
    """

    averages: _Mixtures
    single: _Mixtures
    several: _Mixtures
    of_one: NDArray[np.bool_]

    @classmethod
    def of(cls, sheets: Sequence[Sheet]) -> CellMixtures:
        """Of some sheets, at least one."""
        places = np.arange(sum(sheet.weight.size * sum(sheet.share.shape[1:]) for sheet in sheets))
        averages: list[_Mixtures] = []
        single: list[_Mixtures] = []
        several: list[_Mixtures] = []
        begin = 0
        for sheet in sheets:
            size = sheet.weight.size * len(sheet.options)
            own = places[begin : begin + size].reshape(*sheet.weight.shape, -1)  # as `SheetValues.logit`
            outcome, option = sheet.filled
            averages.append(_Mixtures(own[outcome, :, option], sheet.weight[outcome]))
            begin += size
        for sheet in sheets:
            size = sheet.weight.size * sheet.share.shape[2]
            own = places[begin : begin + size].reshape(*sheet.weight.shape, -1)  # as `SheetValues.middle`
            for wanted, found in (
                (sheet.next_centres(several=False), single),
                (sheet.next_centres(several=True), several),
            ):
                # advanced indices beside a slice stand first: cells, members, nodes
                components = own[wanted.outcome, :, wanted.product].reshape(wanted.weight.shape)
                found.append(_Mixtures(components, wanted.weight))
            begin += size
        return cls(
            _Mixtures.joined(averages),
            _Mixtures.joined(single),
            _Mixtures.joined(several),
            np.concatenate([sheet.next_centres(several=False).of for sheet in sheets]),
        )

    @cached_property
    def together(self) -> _Mixtures:
        """All of them."""
        return _Mixtures.joined([self.averages, self.single, self.several])

    @cached_property
    def short(self) -> _Mixtures:
        """Those of few components."""
        return _Mixtures.joined([self.averages, self.single])

    @cached_property
    def order(self) -> Places:
        """Cells in the order in which their next centres are worked out."""
        return np.concatenate([np.flatnonzero(self.of_one), np.flatnonzero(~self.of_one)])


def cell_table(values: Sequence[SheetValues], mixtures: CellMixtures) -> Array:
    """Numbers of the cells of some sheets, one after the other, (profiles, cells, 6), not yet in order."""
    profiles, averages = len(values[0].logit), mixtures.averages
    parts = [[each.logit for each in values] + [each.middle for each in values]]
    parts += [[each.variance for each in values] + [each.middle_variance for each in values]]
    centre, variance = (np.concatenate([each.reshape(profiles, -1) for each in part], axis=1) for part in parts)
    spread = np.sqrt(variance)
    cells = len(averages.weight)
    table = np.empty((profiles, cells, 6))
    expected = expected_logistic(centre[:, averages.place], spread[:, averages.place])
    table[..., MEAN] = np.einsum("ck,nck->nc", averages.weight, expected)
    if profiles == 1:
        # of one patient it is the calls that cost, of many the components with which shorter mixtures are filled up
        found = _quantiles(centre, spread, mixtures.together, cells)
    else:
        groups = (mixtures.short, cells), (mixtures.several, 0)
        found = np.concatenate([_quantiles(centre, spread, group, own) for group, own in groups], axis=1)
    found = logistic(found)
    table[..., MEDIAN : HIGH + 1] = found[:, : 3 * cells].reshape(profiles, cells, 3)
    table[:, mixtures.order, NEXT_LOW:] = found[:, 3 * cells :].reshape(profiles, -1, 2)
    return table


def _quantiles(centre: Array, spread: Array, group: _Mixtures, cells: int) -> Array:
    """Log odds of the ends of an average for so many of the first ``cells``, of the next centre for the others."""
    place, weight = group.place, group.weight
    return quantiles_of_mixtures(weight, centre[:, place], spread[:, place], _rows(cells, len(weight) - cells))


@lru_cache(maxsize=64)
def _rows(cells: int, following: int) -> MixtureRows:
    return MixtureRows.of(_CREDIBLE, cells).followed_by(MixtureRows.of(_NEXT, following), cells)


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
