"""Many patients at once: headlines, intervals and class differences of every outcome, as each has them alone.

Patients who are alike in what acts in a family of outcomes share its numbers. The others are worked out together, those
with the same number of a trait that stands for itself (earlier lines of treatment) side by side: for them the table of
kinds of patients is summed over that trait once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from bcma_decide.model.batch_normal import distribution_and_density
from bcma_decide.model.batch_rates import MixtureQuantiles, expected_rate
from bcma_decide.model.batch_sheets import BatchSheet, BatchValues, Compared
from bcma_decide.model.beside import beside
from bcma_decide.model.contrast import Nodes, crossed, joint_differences
from bcma_decide.model.kernel import fixed_differences, kernel
from bcma_decide.model.kinds import Likeness
from bcma_decide.model.normal import logistic
from bcma_decide.model.outside import extra_variances
from bcma_decide.model.prediction import numeric_range
from bcma_decide.model.profiles import Profiles
from bcma_decide.model.rates import HIGH, LOW, MEAN, MEDIAN, NEXT_HIGH, NEXT_LOW, Order, in_order
from bcma_decide.model.sheets import Sheet, likeness
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import CLASSES, OUTCOMES, Design

__all__ = ["BatchNumbers", "Profiles", "batch_numbers", "compared_outcomes"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Levels = tuple[float, ...]

_AT_ONCE: Final = 256
"""Profiles whose components are held at the same time, about 70 kB each."""
_WORTH_SUMMING: Final = 32
"""Profiles with the same number from which on a table that is summed for them is less work."""
_SUMMED: Final = 16
"""Such tables that are kept, a megabyte each."""
_FITTED: Final = 512
"""Patients that starting values are fitted to."""
_CREDIBLE: Final = (0.5, 0.025, 0.975)
_NEXT: Final = (0.025, 0.975)


@dataclass(frozen=True)
class BatchNumbers:
    """Numbers of some patients in one setting, as fractions.

    ``mean``, ``median`` (profiles, cells), ``credible``, ``prediction`` (profiles, cells, 2): cells in the order of
    `PooledEvidence.cells`. ``risk_difference`` (profiles, outcomes, 3): mean and 95 % interval of first class minus
    second, bias term included; ``first_higher`` (profiles, outcomes); for the outcomes of :func:`compared_outcomes`.
    """

    mean: Array
    median: Array
    credible: Array
    prediction: Array
    risk_difference: Array
    first_higher: Array


def compared_outcomes(pooled: PooledEvidence) -> Sequence[str]:
    """Outcomes at which both classes have a number, in their order."""
    return tuple(o for o in OUTCOMES if all((o, option) in pooled.place for option in CLASSES))


def batch_numbers(pooled: PooledEvidence, setting: Design, profiles: Profiles) -> BatchNumbers:
    """Compute the numbers of some patients; each is what the patient alone has, to 1e-9.

    What limits of the evidence withhold is not taken out here (:mod:`bcma_decide.comparing.published`).
    """
    place = {outcome: index for index, outcome in enumerate(compared_outcomes(pooled))}
    rates = np.repeat(kernel(pooled, setting).table[None], len(profiles), axis=0)
    gaps = np.empty((len(profiles), len(place), 4))
    for outcome, difference in fixed_differences(pooled, setting).items():
        gaps[:, place[outcome]] = difference[0, :4]
    for family in _families(pooled, setting):
        first, of_row = family.different(profiles)
        found = family.numbers(pooled, _chosen(profiles, first))
        rates[:, family.places] = found.table[of_row]
        if family.compared:
            gaps[:, [place[outcome] for outcome in family.compared]] = found.gaps[of_row]
    return BatchNumbers(
        mean=rates[..., MEAN],
        median=rates[..., MEDIAN],
        credible=rates[..., LOW : HIGH + 1],
        prediction=rates[..., NEXT_LOW : NEXT_HIGH + 1],
        risk_difference=gaps[..., :3],
        first_higher=gaps[..., 3],
    )


class _Found(Struct, frozen=True):
    """``table`` (profiles, cells, 6), columns as in `bcma_decide.model.rates`; ``gaps`` (profiles, outcomes, 4)."""

    table: Array
    gaps: Array


class _Class(Struct, frozen=True):
    """One class of a family: its sheet as it is and laid out.

    ``parts`` of the likeness make its kinds, so many of each, ``shape``. ``quantiles`` as :func:`_mixtures` has them.
    """

    sheet: Sheet
    laid_out: BatchSheet
    parts: tuple[int, ...]
    shape: tuple[int, ...]
    quantiles: tuple[MixtureQuantiles, ...] = ()

    @classmethod
    def of(cls, sheet: Sheet, whole: Likeness, compared: Compared | None) -> _Class:
        summed = {index: axes for index, axes in enumerate(sheet.kinds.summed) if axes is not None}
        sizes = [np.array(whole.parts[index].shape) for index in summed]
        gone = [np.array(axes, dtype=int) - 1 for axes in summed.values()]
        shape = tuple(int(np.delete(size, axes).prod()) for size, axes in zip(sizes, gone, strict=True))
        return cls(sheet, BatchSheet.of(sheet, compared), tuple(summed), shape)

    def with_starts(self, values: BatchValues) -> _Class:
        """The same, with quantiles that start from what was found for some patients."""
        quantiles = (MixtureQuantiles.fitted(*each) for each in _mixtures(self.laid_out, values))
        return replace(self, quantiles=tuple(quantiles))

    def weights(self, parts: Sequence[Array], without: int | None) -> Array:
        """Weight of every kind, (kinds, profiles), of the parts but one."""
        found = np.ones((1, len(parts[0])))
        for index in self.parts:
            if index != without:
                part, axes = parts[index], self.sheet.kinds.summed[index]
                own = (part.sum(axis=axes) if axes else part).reshape(len(part), -1).T
                found = (found[:, None] * own[None]).reshape(-1, found.shape[1])
        return np.ascontiguousarray(found)

    def cells(self, values: BatchValues) -> Array:
        """Numbers of the cells, (cells, 6, profiles), not yet in order."""
        (_, _, *own), *following = _mixtures(self.laid_out, values)
        averages, *next_ = self.quantiles
        found = np.empty((averages.weight.shape[1], 6, values.logit.shape[2]))
        found[:, MEAN] = expected_rate(averages.weight, *own)
        found[:, MEDIAN : HIGH + 1] = averages.of(*own).swapaxes(0, 1)
        places = self.laid_out.single[0], self.laid_out.several[0]
        for cells, each, (_, _, *mixtures) in zip(places, next_, following, strict=True):
            found[cells, NEXT_LOW:] = each.of(*mixtures).swapaxes(0, 1)
        found[:, MEDIAN:] = logistic(found[:, MEDIAN:])
        return found

    def summed(self, part: int, weights: Array) -> Array:
        """The table summed over a part with the ``weights`` of its kinds, (columns, other kinds)."""
        if part not in self.parts:
            return self.laid_out.table
        whole = self.laid_out.table.reshape(-1, *self.shape)
        left = np.tensordot(whole, weights, (self.parts.index(part) + 1, 0))
        return np.ascontiguousarray(left.reshape(len(whole), -1))


class _Family(Struct, frozen=True, dict=True):
    """Outcomes in which the same traits act: its classes, their ``places`` among all cells and the ``order`` of these.

    ``in_order`` leaves thresholds as they are. ``acting`` (traits,). ``alone`` is a part of the likeness that is one
    number, by which patients are sorted.
    """

    name: str
    likeness: Likeness
    classes: tuple[_Class, ...]
    places: Places
    order: Order
    in_order: Order
    compared: tuple[str, ...]
    acting: NDArray[np.bool_]
    alone: int | None

    @classmethod
    def of(cls, pooled: PooledEvidence, setting: Design, name: str, sheets: Sequence[Sheet]) -> _Family:
        whole, meeting = likeness(pooled, name), kernel(pooled, setting).meetings.get(name)
        sides: list[Compared | None] = [None] * len(sheets)
        if meeting is not None:
            covariance = meeting.covariance
            sides = [Compared(*meeting.first, covariance), Compared(*meeting.second, np.eye(covariance.shape[1]))]
        places = np.concatenate([sheet.places for sheet in sheets])
        own = np.zeros(len(pooled.cells), dtype=np.intp)
        own[places] = np.arange(len(places))
        order = in_order(pooled, sheets)
        numbers = [index for index, part in enumerate(whole.parts) if len(part.numbers) == 1 and not part.binaries]
        found = cls(
            name=name,
            likeness=whole,
            classes=tuple(_Class.of(*each) for each in zip(sheets, [whole] * len(sheets), sides, strict=True)),
            places=places,
            order=Order(tuple(own[rows] for rows in order.thresholds), own[order.classes], order.products[:, places]),
            in_order=Order((), own[order.classes], order.products[:, places]),
            compared=() if meeting is None else meeting.names,
            acting=pooled.used[pooled.family_index[name]].any(axis=0),
            alone=numbers[0] if numbers and len(whole.parts) > 1 else None,
        )
        values = found._values(pooled, _of_every_kind(pooled), None)
        classes = (each.with_starts(own) for each, own in zip(found.classes, values, strict=True))
        return replace(found, classes=tuple(classes))

    def different(self, profiles: Profiles) -> tuple[Places, Places]:
        """The first of those who are alike, and which of them each profile is like."""
        parts = np.nan_to_num(profiles.number, nan=np.inf, posinf=np.inf), profiles.yes, profiles.no
        key = np.ascontiguousarray(np.concatenate([part[:, self.acting] for part in parts], axis=1))
        found: dict[bytes, int] = {}
        of_row = np.array([found.setdefault(row.tobytes(), len(found)) for row in key], dtype=np.intp)
        first = np.zeros(len(found), dtype=np.intp)
        first[of_row[::-1]] = np.arange(len(key))[::-1]
        return first, of_row

    def numbers(self, pooled: PooledEvidence, profiles: Profiles) -> _Found:
        """The numbers of every profile."""
        count = len(profiles)
        table, gaps = np.empty((count, len(self.places), 6)), np.empty((count, len(self.compared), 4))
        for rows, number in self._together(profiles):
            values = self._values(pooled, _chosen(profiles, rows), number)
            found = np.concatenate([each.cells(own) for each, own in zip(self.classes, values, strict=True)])
            apart = any((found[cells[:, :-1]] < found[cells[:, 1:]]).any() for cells in self.order.thresholds)
            found = np.ascontiguousarray(found.transpose(2, 0, 1))
            # hardly ever is a stricter threshold more frequent, and to sort takes longer than to look
            (self.order if apart else self.in_order).put(found)
            table[rows] = found
            if self.compared:
                gaps[rows] = self._gaps(values, found, pooled.assumptions["unanchored_sd"])
        return _Found(table, gaps)

    def _values(self, pooled: PooledEvidence, profiles: Profiles, number: float | None) -> list[BatchValues]:
        """What numbers are made of, by class; all profiles have the same ``number`` of what stands alone, if any."""
        count = len(profiles)
        parts = [
            np.broadcast_to(part, (count, *part.shape[1:]))
            for part in self.likeness.weights(profiles.number, profiles.yes, profiles.no)
        ]
        extra, values = extra_variances(pooled, profiles), []
        for each, table in zip(self.classes, self._tables(number, parts), strict=True):
            widened = extra.get((self.name, each.sheet.class_index))
            weights = each.weights(parts, without=None if number is None else self.alone)
            values.append(each.laid_out.evaluated(table, weights, np.zeros(count) if widened is None else widened))
        return values

    def _together(self, profiles: Profiles) -> Iterator[tuple[Places, float | None]]:
        """Profiles that are worked out together, and their number of the part that stands alone if it is one."""
        everyone = np.arange(len(profiles))
        if self.alone is None:
            yield from ((rows, None) for rows in _pieces(everyone))
            return
        number = profiles.number[:, self.likeness.parts[self.alone].numbers[0]]
        sorted_ = np.argsort(number, kind="stable")
        at = number[sorted_]
        ends = np.flatnonzero((at[1:] != at[:-1]) & ~(np.isnan(at[1:]) & np.isnan(at[:-1]))) + 1
        few = []
        for rows in np.split(sorted_, ends):
            if len(rows) < _WORTH_SUMMING:
                few.append(rows)
            else:
                yield from ((piece, float(number[rows[0]])) for piece in _pieces(rows))
        if few:
            yield from ((rows, None) for rows in _pieces(np.concatenate(few)))

    def _tables(self, number: float | None, parts: Sequence[Array]) -> Sequence[Array]:
        if number is None or self.alone is None:
            return [each.laid_out.table for each in self.classes]
        key = "unknown" if np.isnan(number) else number
        if key not in self._summed:
            if len(self._summed) >= _SUMMED:
                self._summed.clear()
            weights = parts[self.alone][0]
            self._summed[key] = [each.summed(self.alone, weights) for each in self.classes]
        return self._summed[key]

    @cached_property
    def _summed(self) -> dict[float | str, list[Array]]:
        """Tables summed over the part that stands alone, by its number."""
        return {}

    def _gaps(self, values: Sequence[BatchValues], table: Array, bias_sd: float) -> Array:
        """Class differences at the outcomes compared, (profiles, outcomes, 4)."""
        outcomes, count = len(self.compared), len(table)
        nodes: list[Nodes] = []
        means = []
        for index, (each, own) in enumerate(zip(self.classes, values, strict=True)):
            cells = each.laid_out.class_cells
            weight = np.broadcast_to(each.laid_out.weight[:, None, cells], (len(own.logit), count, outcomes))
            sides = weight, own.logit[:, cells].swapaxes(1, 2), own.variance[:, cells].swapaxes(1, 2)
            nodes.append(Nodes(*(np.ascontiguousarray(side.T).reshape(outcomes * count, -1) for side in sides)))
            begin = sum(len(before.sheet.places) for before in self.classes[:index])
            means.append(table[:, begin + cells, MEAN])
        between = np.einsum("okqn,olqn->onkl", values[0].by_trait, values[1].by_trait)
        between = np.ascontiguousarray(between).reshape(outcomes * count, *between.shape[2:])
        joint = crossed(nodes[0], nodes[1], between)
        found = joint_differences(*joint, np.square([bias_sd]), distribution_and_density)
        low, high, higher = found[:, 0, :3].reshape(outcomes, count, 3).T
        mean = means[0] - means[1]
        return np.stack([mean, np.minimum(low, mean), np.maximum(high, mean), higher], axis=2)


def _families(pooled: PooledEvidence, setting: Design) -> Sequence[_Family]:
    """Families in which a trait acts."""
    sheets: dict[str, list[Sheet]] = {}
    for sheet in kernel(pooled, setting).moving:
        sheets.setdefault(sheet.family, []).append(sheet)
    made = partial(_made, pooled, setting, sheets)
    return beside(pooled, ("batch families", setting), made)


def _made(pooled: PooledEvidence, setting: Design, sheets: Mapping[str, Sequence[Sheet]]) -> Sequence[_Family]:
    return [_Family.of(pooled, setting, name, own) for name, own in sheets.items()]


def _of_every_kind(pooled: PooledEvidence) -> Profiles:
    """Patients in whom anything may be known, unknown, or known by its chance; the same ones every time."""
    random, shape = np.random.default_rng(0), (_FITTED, pooled.trait_count)
    low, high = numeric_range(pooled)
    binary = pooled.population.binary
    reach = np.where(binary, 0.0, high - low)
    number = np.where(binary, 0.0, low) + reach * random.uniform(-0.3, 1.3, shape)
    number[binary | (random.random(shape) < 0.2)] = np.nan
    kind, chance = random.integers(0, 4, shape), random.random(shape)
    yes, no = np.where(kind == 1, chance, kind == 2), np.where(kind == 1, 1.0 - chance, kind == 3)
    return Profiles(number, np.where(binary, yes, 0.0), np.where(binary, no, 0.0))


def _chosen(profiles: Profiles, rows: Places) -> Profiles:
    return Profiles(profiles.number[rows], profiles.yes[rows], profiles.no[rows])


def _pieces(rows: Places) -> Iterator[Places]:
    return (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE))


def _mixtures(laid_out: BatchSheet, values: BatchValues) -> Iterator[tuple[Array, Levels, Array, Array]]:
    """Mixtures whose quantiles are wanted: weights, which, log odds and standard deviations (components, cells, N).

    Cells over centres, the next centre of those of one product, and of those that average several.
    """
    spread = np.sqrt(values.variance)
    count = laid_out.weight.shape[1]
    yield laid_out.weight, _CREDIBLE, values.logit[:, :count], spread[:, :count]
    cells, targets = laid_out.single
    yield laid_out.weight[:, cells], _NEXT, values.logit[:, targets], spread[:, targets]
    cells, members, weight = laid_out.several
    centre, sd = (
        each[:, members].transpose(2, 0, 1, 3).reshape(-1, len(cells), each.shape[2]) for each in (values.logit, spread)
    )
    yield weight, _NEXT, centre, sd
