"""One class in one family: everything nonlinear at fixed kinds of patients, worked out once; a patient is its weights.

*Of 100 patients like this one* is a mean over patients (`bcma_decide.model.prediction`), so that a rate, its
derivatives in levels and trait effects, and the same at the middle centre are sums over kinds of patients
(`bcma_decide.model.kinds`) of what each kind has: a product of a row of weights and a table.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.beside import beside
from bcma_decide.model.kept import Kept
from bcma_decide.model.kinds import Kinds, Likeness, NumberAxis
from bcma_decide.model.offset_tables import OffsetAxis
from bcma_decide.model.prediction import Average, held, logit, made_up, numeric_range, stage_rates
from bcma_decide.pooled.evidence import Cell, PooledEvidence
from bcma_decide.vocabulary import Design

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_LEAST_VARIANCE = 1e-12
"""A quantile of a mixture needs a positive spread."""
_ERROR = 1e-6
"""Bound of the error between the points of a number; what is seen of it is some thousand times smaller."""
_LINEAR = 2
"""Points that a straight line needs."""
_FEW_KINDS: Final = 64
"""Up to which the values of a sheet are kept for other patients: of so few kinds some weigh the same for many."""
_KEPT: Final = 256
"""Of every sheet: some answers for every age."""
STILL: Final = "still"
"""Stands for all families in which no trait acts: their outcomes are the same for everyone, so that one sheet for a
class holds them together."""


class NextCentres(Struct, frozen=True):
    """What makes up the next centre of some cells of a sheet, one centre with one of the products.

    ``of`` (all cells,) marks them; ``outcome`` (cells, 1), ``product`` (cells, members), ``weight`` (cells, members *
    nodes).
    """

    of: Mask
    outcome: NDArray[np.intp]
    product: NDArray[np.intp]
    weight: Array


class Sheet(Struct, frozen=True, dict=True):
    """All outcomes of one family in one class, for every kind of patient; those of :data:`STILL` are of several.

    O outcomes, M options, K nodes of the spread, P products, S stages, Q parameters of the traits that move anything.
    ``cells`` (O, M), places among the cells, -1 where there is none; ``share`` (O, M, P) of each product in an option;
    ``weight`` (O, K); ``stages`` (O,), how many each has; ``covariance`` (O, K, S, P, P) of the levels; ``next_own``
    (O, K, P, S), variance of a level at the next centre; ``parameters`` (Q,), their places among those of the outcome
    with most stages, and ``trait_covariance`` (Q, Q) theirs; ``trait_count`` traits in all. ``table`` (kinds, columns).
    """

    family: str
    class_index: int
    kinds: Kinds
    outcomes: tuple[str, ...]
    options: tuple[str, ...]
    cells: NDArray[np.intp]
    share: Array
    weight: Array
    stages: tuple[int, ...]
    covariance: Array
    next_own: Array
    parameters: NDArray[np.intp]
    trait_covariance: Array
    trait_count: int
    table: Array

    @cached_property
    def filled(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Outcome and option of every cell that there is."""
        outcome, option = np.nonzero(self.cells >= 0)
        return outcome, option

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """Places of those cells."""
        return np.asarray(self.cells[self.filled])

    def next_centres(self, *, several: bool) -> NextCentres:
        """Of the cells that average several products, or of those of one."""
        return self._several if several else self._single

    @cached_property
    def _single(self) -> NextCentres:
        return self._next(several=False)

    @cached_property
    def _several(self) -> NextCentres:
        return self._next(several=True)

    def _next(self, *, several: bool) -> NextCentres:
        outcome, option = self.filled
        share = self.share[outcome, option]
        of = ((share > 0.0).sum(axis=1) > 1) == several
        outcome, share = outcome[of], share[of]
        # of members only: others have no share, and stand at the end
        longest = int((share > 0.0).sum(axis=1).max(initial=1))
        product = np.argsort(share == 0.0, axis=1, kind="stable")[:, :longest]
        weight = np.take_along_axis(share, product, axis=1)[:, :, None] * self.weight[outcome][:, None]
        return NextCentres(of, outcome[:, None], product, weight.reshape(len(share), longest * self.weight.shape[1]))

    @cached_property
    def level_share(self) -> Array:
        """By which the products of two levels make the variance of an option, (O, K, S * P * P, M)."""
        pairs = self.share[:, :, :, None] * self.share[:, :, None, :]  # O, M, P, P
        found = pairs[:, None, :, None] * self.covariance[:, :, None]  # O, K, M, S, P, P
        return np.ascontiguousarray(np.moveaxis(found.reshape(*found.shape[:3], -1), 2, 3))

    @cached_property
    def _kept(self) -> Kept[bytes, SheetValues]:
        return Kept(_KEPT)

    @cached_property
    def _columns(self) -> tuple[slice, ...]:
        """Rate, its derivatives in traits and levels, and the same at the next centre, in the table."""
        (outcomes, options, P), K = self.share.shape, self.weight.shape[1]
        S, Q = self.covariance.shape[2], self.parameters.size
        ends = np.cumsum([0, options, options * Q, P * S, P, P * Q, P * S]) * (outcomes * K)
        return tuple(slice(begin, end) for begin, end in pairwise(ends.tolist()))

    def evaluated(self, weights: Array, extra: Array) -> SheetValues:
        """For some patients: ``weights`` (profiles, kinds); ``extra`` (profiles,) variance of all levels together."""
        if len(weights) > 1 or weights.size > _FEW_KINDS:
            return self._evaluated(weights, extra)
        return self._kept.get(weights.tobytes() + extra.tobytes(), lambda: self._evaluated(weights, extra))

    def _evaluated(self, weights: Array, extra: Array) -> SheetValues:
        (outcomes, options, P), (N, K) = self.share.shape, (len(weights), self.weight.shape[1])
        S, Q = self.covariance.shape[2], self.parameters.size
        at = N, outcomes, K
        # of one patient not by the library of linear algebra: its threads would wait for each other for longer
        found = weights @ self.table if N > 1 else np.einsum("nk,kc->nc", weights, self.table)
        parts = [found[:, columns] for columns in self._columns]
        rate, trait = parts[0].reshape(*at, options), parts[1].reshape(*at, options, Q)
        level = parts[2].reshape(*at, S, P)
        scale = rate * (1.0 - rate)
        own = (_times(trait, self.trait_covariance) * trait).sum(axis=-1)
        pairs = (level[..., :, None] * level[..., None, :]).reshape(*at, -1)
        own += np.matmul(pairs.transpose(1, 2, 0, 3), self.level_share).transpose(2, 0, 1, 3)
        widened = bool(extra.any())
        if widened:
            first = np.matmul(level[:, :, :, 0], np.swapaxes(self.share, 1, 2))
            own += extra[:, None, None, None] * first**2
        middle, middle_trait = parts[3].reshape(*at, P), parts[4].reshape(*at, P, Q)
        middle_level = parts[5].reshape(*at, P, S)
        following = (_times(middle_trait, self.trait_covariance) * middle_trait).sum(axis=-1)
        following += (middle_level * middle_level * self.next_own).sum(axis=-1)
        if widened:
            following += extra[:, None, None, None] * middle_level[..., 0] ** 2
        middle_scale = middle * (1.0 - middle)
        return SheetValues(
            sheet=self,
            rate=rate,
            logit=logit(rate),
            variance=np.maximum(own / (scale * scale), _LEAST_VARIANCE),
            trait=trait / scale[..., None],
            level=level,
            middle=logit(middle),
            middle_variance=np.maximum(following / (middle_scale * middle_scale), _LEAST_VARIANCE),
            extra=extra,
        )


class SheetValues(Struct, frozen=True, dict=True):
    """A sheet for some patients, N of them.

    Averages of the options over centres and patients: ``rate``, its log odds ``logit`` and what the parameters leave
    open of it, ``variance`` (N, O, K, M); derivatives of the log odds in the trait parameters ``trait`` (N, O, K, M,
    Q); of the products' rates in their levels ``level`` (N, O, K, S, P). At the next centre ``middle`` and
    ``middle_variance`` (N, O, K, P) of the log odds. ``extra`` (N,).
    """

    sheet: Sheet
    rate: Array
    logit: Array
    variance: Array
    trait: Array
    level: Array
    middle: Array
    middle_variance: Array
    extra: Array

    @cached_property
    def beside(self) -> dict[Hashable, Any]:
        """What was worked out from them, by name: it is dropped with them."""
        return {}

    def average(self, outcome: int, option: int, row: int = 0) -> Average:
        """One option of one patient, with all parameters of its outcome."""
        sheet, stages = self.sheet, self.sheet.stages[outcome]
        traits = sheet.trait_count if stages == 1 else 2 * sheet.trait_count
        rate = self.rate[row, outcome, :, option]
        by_trait = np.zeros((rate.size, traits))
        kept_ = sheet.parameters < traits
        by_trait[:, sheet.parameters[kept_]] = (
            self.trait[row, outcome, :, option][:, kept_] * (rate * (1.0 - rate))[:, None]
        )
        covariance = sheet.covariance[outcome, :, :stages].copy()
        covariance[:, 0] += self.extra[row]
        return Average(
            weight=sheet.weight[outcome],
            rate=rate,
            by_level=self.level[row, outcome, :, :stages] * sheet.share[outcome, option],
            by_trait=by_trait,
            level_covariance=covariance,
        )


def all_sheets(pooled: PooledEvidence, setting: Design) -> tuple[Sheet, ...]:
    """The sheets of every family and class that have a number."""
    return beside(pooled, ("sheets", setting), lambda: tuple(_sheets(pooled, setting)))


def likeness(pooled: PooledEvidence, family: str) -> Likeness:
    """Who is like a patient in the traits that act in a family, in either class: one distribution for both."""
    acting = np.zeros(pooled.trait_count, dtype=bool)
    if family != STILL:
        acting = pooled.used[pooled.family_index[family]].any(axis=0)
    return beside(pooled, ("likeness", acting.tobytes()), lambda: Likeness.of(pooled.population, acting, _axes(pooled)))


def _axes(pooled: PooledEvidence) -> list[NumberAxis | None]:
    """Points of the numeric traits: as many as the largest of their effects asks for in any family."""
    low, high = numeric_range(pooled)
    later = [pooled.effects_of(outcome)[1] for outcome in pooled.outcome_covariance]
    largest = np.abs(np.concatenate([pooled.effects.reshape(-1, pooled.trait_count), *later])).max(axis=0)
    axes: list[NumberAxis | None] = []
    for trait, binary in enumerate(pooled.population.binary.tolist()):
        if binary:
            axes.append(None)
            continue
        count = OffsetAxis.between(0.0, float(largest[trait] * (high[trait] - low[trait])), _ERROR).count
        axes.append(NumberAxis(float(low[trait]), float(high[trait]), max(count, _LINEAR)))
    return axes


def _sheets(pooled: PooledEvidence, setting: Design) -> Iterator[Sheet]:
    grouped: dict[tuple[str, int], dict[str, list[int]]] = {}
    group = {family: family if pooled.used[f].any() else STILL for family, f in pooled.family_index.items()}
    for place, cell in enumerate(pooled.cells):
        grouped.setdefault((group[cell.family], cell.class_index), {}).setdefault(cell.outcome, []).append(place)
    for (family, class_index), outcomes in grouped.items():
        yield _sheet(pooled, setting, family, class_index, outcomes)


def _sheet(
    pooled: PooledEvidence, setting: Design, family: str, class_index: int, outcomes: Mapping[str, Sequence[int]]
) -> Sheet:
    cells = pooled.cells
    first = {outcome: cells[places[0]] for outcome, places in outcomes.items()}
    most = max(first.values(), key=lambda cell: len(cell.stages))
    # an outcome of one stage has nothing of what traits do to later ones
    effects = pooled.effects_of(most.outcome)[: len(most.stages), class_index]
    covariance = own_covariance(pooled, most)
    T = pooled.trait_count
    moving = (np.diag(covariance).reshape(-1, T) > 0.0).any(axis=0) | (effects != 0.0).any(axis=0)
    parameters = np.flatnonzero(np.tile(moving, len(covariance) // T))
    kinds = likeness(pooled, family).kinds(moving)
    deviation = held(pooled, kinds.values) - pooled.reference
    offsets = deviation @ effects.T
    levels = pooled.levels[setting]
    options = tuple(dict.fromkeys(cells[place].option for places in outcomes.values() for place in places))
    stages = max(len(cell.stages) for cell in first.values())
    products = max(len(pooled.blocks[cell.stages[0]].products) for cell in first.values())
    nodes = max(levels[cell.stages[0]].weight.size for cell in first.values())
    shape = len(first), len(options)
    at, share = np.full(shape, -1, dtype=np.intp), np.zeros((*shape, products))
    weight = np.zeros((len(first), nodes))
    level_covariance = np.zeros((len(first), nodes, stages, products, products))
    next_own = np.zeros((len(first), nodes, products, stages))
    parts = _Parts.empty(len(kinds.values), len(first), nodes, len(options), products, stages, parameters.size)
    rates_at = {
        index: stage_rates(levels[index], offsets[:, min(position, 1)])
        for cell in first.values()
        for position, index in enumerate(cell.stages)
    }
    for row, (outcome, places) in enumerate(outcomes.items()):
        for place in places:
            at[row, options.index(cells[place].option)] = place
            share[row, options.index(cells[place].option), list(cells[place].members)] = 1.0 / len(cells[place].members)
        own = [rates_at[index] for index in first[outcome].stages]
        own_levels = [levels[index] for index in first[outcome].stages]
        count, K = own[0].rate.shape[1], own_levels[0].weight.size
        weight[row, :K] = own_levels[0].weight
        for position, level in enumerate(own_levels):
            level_covariance[row, :K, position, :count, :count] = level.covariance
            spread = np.diagonal(level.covariance, axis1=1, axis2=2) + np.square(level.tau)[:, None]
            next_own[row, :K, :count, position] = spread
        slopes = np.zeros((len(own), products, int(moving.sum())))
        slopes[:, :count] = [pooled.blocks[index].slope[:, moving] for index in first[outcome].stages]
        traits = _ByTrait(deviation[:, moving], slopes, pooled.depth.share, len(covariance) // T)
        rate, moved = _made_up([(stage.rate, stage.density) for stage in own], products, nodes)
        parts.rate[:, row] = np.where(at[row] < 0, 0.5, rate @ share[row].T)
        parts.level[:, row, :, : len(own)] = moved
        middle, middle_moved = _made_up([(each.middle_rate, each.middle_density) for each in own], products, nodes)
        parts.middle[:, row] = middle
        parts.middle_level[:, row, :, :, : len(own)] = np.swapaxes(middle_moved, 2, 3)
        if parameters.size:
            parts.trait[:, row] = traits.of(moved, share[row])
            parts.middle_trait[:, row] = traits.of(middle_moved, np.eye(products))
    return Sheet(
        family=family,
        class_index=class_index,
        kinds=kinds,
        outcomes=tuple(first),
        options=options,
        cells=at,
        share=share,
        weight=weight,
        stages=tuple(len(cell.stages) for cell in first.values()),
        covariance=level_covariance,
        next_own=next_own,
        parameters=parameters,
        trait_covariance=covariance[np.ix_(parameters, parameters)],
        trait_count=T,
        table=parts.table,
    )


class _Parts(Struct, frozen=True):
    """The table of a sheet and its columns, views of it; sizes as in :class:`Sheet`."""

    table: Array
    rate: Array
    """(kinds, O, K, M)"""
    trait: Array
    """(kinds, O, K, M, Q)"""
    level: Array
    """(kinds, O, K, S, P)"""
    middle: Array
    """(kinds, O, K, P)"""
    middle_trait: Array
    """(kinds, O, K, P, Q)"""
    middle_level: Array
    """(kinds, O, K, P, S)"""

    @classmethod
    def empty(cls, kinds: int, O: int, K: int, M: int, P: int, S: int, Q: int) -> _Parts:  # noqa: E741
        """Of nothing but zeros."""
        shapes = (M,), (M, Q), (S, P), (P,), (P, Q), (P, S)
        ends = np.cumsum([O * K * prod(shape) for shape in shapes])
        table = np.zeros((kinds, int(ends[-1])))
        views = np.split(table, ends[:-1], axis=1)
        return cls(table, *(view.reshape(kinds, O, K, *shape) for view, shape in zip(views, shapes, strict=True)))


def _made_up(stages: Sequence[tuple[Array, Array]], products: int, nodes: int) -> tuple[Array, Array]:
    """Rate of an outcome, and its derivatives in the levels of its stages, for every kind of patient.

    ``stages``: rate and density (own nodes, own products, kinds) of each. Returns (kinds, nodes, products) and (kinds,
    nodes, stages, products); products that the outcome does not have stand at the end, with one half and 0. Nodes that
    it does not have weigh nothing: they are its last one.
    """
    together, partial = made_up([rate for rate, _ in stages])
    own, count, kinds = together.shape
    rate, moved = np.full((kinds, nodes, products), 0.5), np.zeros((kinds, nodes, len(stages), products))
    rate[:, :own, :count] = together.transpose(2, 0, 1)
    for position, ((_, density), other) in enumerate(zip(stages, partial, strict=True)):
        moved[:, :own, position, :count] = (density if other is None else density * other).transpose(2, 0, 1)
    rate[:, own:], moved[:, own:] = rate[:, own - 1 : own], moved[:, own - 1 : own]
    return rate, moved


class _ByTrait(Struct, frozen=True):
    """How trait parameters move a rate through the levels of its stages.

    ``deviation`` (kinds, traits) from the reference, ``slope`` (stages, products, traits): a level was fitted at the
    mean of the trait effects and moves with them by its slope. ``later_share`` of the effects at the first stage are
    those of the later ones, which have deviations of their own where there are two ``blocks`` of parameters.
    """

    deviation: Array
    slope: Array
    later_share: float
    blocks: int

    def of(self, moved: Array, share: Array) -> Array:
        """Derivatives (kinds, nodes, options, parameters) from those in the levels (kinds, nodes, stages, products).

        ``share`` (options, products) of each product in an option.
        """
        kinds, nodes, stages, products = moved.shape
        options, traits = len(share), self.deviation.shape[1]
        acts = np.array([[1.0, *[self.later_share] * (stages - 1)], [0.0, *[1.0] * (stages - 1)]])[: self.blocks]
        by_level = np.einsum("bs,mp->spmb", acts, share)
        by_slope = by_level[..., None] * self.slope[:, :, None, None]
        flat, shape = moved.reshape(kinds * nodes, -1), (kinds, nodes, options, self.blocks)
        found = (flat @ by_slope.reshape(stages * products, -1)).reshape(*shape, traits)
        along = (flat @ by_level.reshape(stages * products, -1)).reshape(shape)
        found += along[..., None] * self.deviation[:, None, None, None]
        return np.asarray(found.reshape(kinds, nodes, options, -1))


def _times(rows: Array, matrix: Array) -> Array:
    """The last axis times a matrix, in one product."""
    return np.asarray((rows.reshape(-1, len(matrix)) @ matrix).reshape(rows.shape)) if len(matrix) else rows


def own_covariance(pooled: PooledEvidence, cell: Cell) -> Array:
    """Covariance of what moves a cell's rate within its class, (parameters, parameters)."""
    return np.asarray(pooled.outcome_covariance[cell.outcome][cell.class_index, :, cell.class_index, :])


def covariance_between(pooled: PooledEvidence, first: Sheet, second: Sheet) -> Array:
    """Covariance of the trait parameters of two classes in one family, (Q, Q')."""
    whole = max((pooled.outcome_covariance[outcome] for outcome in first.outcomes), key=lambda each: each.shape[1])
    own = whole[first.class_index, :, second.class_index, :]
    return np.asarray(own[np.ix_(first.parameters, second.parameters)])
