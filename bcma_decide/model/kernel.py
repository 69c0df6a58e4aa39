"""All numbers of some patients in one setting, one or a million: what no trait moves is worked out once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.beside import beside
from bcma_decide.model.contrast import Nodes, crossed, joint_differences
from bcma_decide.model.prediction import Average
from bcma_decide.model.profiles import Profiles
from bcma_decide.model.rates import MEAN, CellMixtures, Order, cell_table, in_order
from bcma_decide.model.sheets import STILL, Sheet, SheetValues, all_sheets, covariance_between, likeness
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import CLASSES, OUTCOMES, Design

Array = NDArray[np.float64]
_TABLE: Final = "table of the cells"
Extra = Mapping[tuple[str, int], Array]
"""Variance of all levels for lying outside the evidence, (profiles,) by family and class; none where not named."""


class Meeting(Struct, frozen=True):
    """The outcomes of a family, or of all in which no trait acts, at which both classes have a number.

    ``first``, ``second``: outcome and option in the sheet of either class, (outcomes,) each; ``names`` of the outcomes;
    ``covariance`` of the trait parameters of the first with those of the second, (Q, Q').
    """

    names: tuple[str, ...]
    first: tuple[NDArray[np.intp], NDArray[np.intp]]
    second: tuple[NDArray[np.intp], NDArray[np.intp]]
    covariance: Array


class Kernel(Struct, frozen=True):
    """What is worked out once for a setting.

    ``moving``: sheets of families in which a trait acts, ``order`` and ``places`` of their cells. ``table`` (cells, 6)
    has the numbers that are the same for every patient, ``fixed`` what they were made of. ``meetings`` by family.
    """

    moving: tuple[Sheet, ...]
    order: Order
    places: NDArray[np.intp]
    table: Array
    fixed: tuple[SheetValues, ...]
    meetings: Mapping[str, Meeting]


class Evaluated(Struct, frozen=True):
    """Numbers of some patients.

    ``table`` (profiles, cells, 6), columns as in `bcma_decide.model.rates`; ``values`` behind those that traits move,
    by family and class.
    """

    kernel: Kernel
    table: Array
    values: Mapping[tuple[str, int], SheetValues]

    def met(self) -> Iterator[tuple[Meeting, SheetValues, SheetValues]]:
        """Families in which a trait acts and both classes have a number."""
        for family, meeting in self.kernel.meetings.items():
            if (family, 0) in self.values:
                yield meeting, self.values[family, 0], self.values[family, 1]

    def average(self, cell: int, row: int = 0) -> Average:
        """One option's average, of one of the patients; of what is the same for everyone, that of everyone."""
        for values in (*self.values.values(), *self.kernel.fixed):
            outcome, option = np.nonzero(values.sheet.cells == cell)
            if outcome.size:
                moving = values.sheet.family in {family for family, _ in self.values}
                return values.average(int(outcome[0]), int(option[0]), row if moving else 0)
        raise IndexError(cell)


def kernel(pooled: PooledEvidence, setting: Design) -> Kernel:
    """Everything that is the same for every patient of a setting."""
    return beside(pooled, ("kernel", setting), lambda: _kernel(pooled, setting))


def _kernel(pooled: PooledEvidence, setting: Design) -> Kernel:
    sheets = all_sheets(pooled, setting)
    moving = tuple(sheet for sheet in sheets if sheet.family != STILL)
    still = [sheet for sheet in sheets if sheet.family == STILL]
    fixed = tuple(sheet.evaluated(np.ones((1, 1)), np.zeros(1)) for sheet in still)
    table = np.zeros((1, len(pooled.cells), 6))
    if fixed:
        table[:, np.concatenate([sheet.places for sheet in still])] = cell_table(fixed, CellMixtures.of(still))
        in_order(pooled, still).put(table)
    places = [sheet.places for sheet in moving]
    return Kernel(
        moving=moving,
        order=in_order(pooled, moving),
        places=np.concatenate(places) if places else np.zeros(0, dtype=np.intp),
        table=table[0],
        fixed=fixed,
        meetings=dict(_meetings(pooled, sheets)),
    )


def _meetings(pooled: PooledEvidence, sheets: Sequence[Sheet]) -> Iterator[tuple[str, Meeting]]:
    of = {(sheet.family, sheet.class_index): sheet for sheet in sheets}
    for family in (*pooled.family_index, STILL):
        pair = [of.get((family, index)) for index in range(len(CLASSES))]
        if pair[0] is None or pair[1] is None:
            continue
        both = [sheet for sheet in pair if sheet is not None]
        found = [_class_cells(sheet) for sheet in both]
        names = tuple(o for o in OUTCOMES if all(o in own for own in found))
        if names:
            one, two = (np.array([own[o] for o in names], dtype=np.intp).T for own in found)
            yield (
                family,
                Meeting(
                    names,
                    (one[0], one[1]),
                    (two[0], two[1]),
                    covariance_between(pooled, *both),
                ),
            )


def _class_cells(sheet: Sheet) -> dict[str, tuple[int, int]]:
    """Outcome and option of the cells of the class itself, by outcome."""
    option = CLASSES[sheet.class_index]
    if option not in sheet.options:
        return {}
    column = sheet.options.index(option)
    return {o: (row, column) for row, o in enumerate(sheet.outcomes) if sheet.cells[row, column] >= 0}


def evaluated(pooled: PooledEvidence, setting: Design, profiles: Profiles, extra: Extra) -> Evaluated:
    """Compute the numbers of some patients."""
    own = kernel(pooled, setting)
    table = np.repeat(own.table[None], len(profiles), axis=0)
    weights: dict[str, list[Array]] = {}
    values: dict[tuple[str, int], SheetValues] = {}
    for sheet in own.moving:
        if sheet.family not in weights:
            found = likeness(pooled, sheet.family)
            weights[sheet.family] = found.weights(profiles.number, profiles.yes, profiles.no)
        place = sheet.family, sheet.class_index
        widened = extra.get(place)
        values[place] = sheet.evaluated(
            sheet.kinds.weights(weights[sheet.family], len(profiles)),
            np.zeros(len(profiles)) if widened is None else widened,
        )
    if values:
        table[:, own.places] = _cells(pooled, setting, tuple(values.values()))
        own.order.put(table)
    return Evaluated(own, table, values)


def _cells(pooled: PooledEvidence, setting: Design, values: Sequence[SheetValues]) -> Array:
    """Numbers of the cells of some sheets, one after the other; of one patient those of a sheet that was kept are."""
    one = len(values[0].extra) == 1
    missing = [each for each in values if not one or _TABLE not in each.beside]
    if missing:
        name = "mixtures", setting, tuple([(each.sheet.family, each.sheet.class_index) for each in missing])
        sheets = [each.sheet for each in missing]
        found = cell_table(missing, beside(pooled, name, lambda: CellMixtures.of(sheets)))
        if not one:
            return found
        begin = 0
        for each in missing:
            end = begin + len(each.sheet.places)
            each.beside[_TABLE] = found[:, begin:end]
            begin = end
    return np.concatenate([each.beside[_TABLE] for each in values], axis=1)


def class_differences(
    meeting: Meeting, first: SheetValues, second: SheetValues, table: Array, bias_sds: Sequence[float]
) -> Array:
    """First class less second at the outcomes of one family.

    ``table`` (profiles, cells, 6) of the same patients. Returns (profiles, outcomes, biases, 6): mean and 95 % interval
    of the risk difference, P(first higher), mean log odds ratio and half of its interval.
    """
    profiles, outcomes, biases = len(table), len(meeting.names), len(bias_sds)
    sides = (first, *meeting.first), (second, *meeting.second)
    # advanced indices beside a slice stand first: outcomes, profiles, nodes
    logits, variances, traits = (
        [getattr(values, name)[:, outcome, :, option] for values, outcome, option in sides]
        for name in ("logit", "variance", "trait")
    )
    between = np.matmul(traits[0] @ meeting.covariance, np.swapaxes(traits[1], 2, 3))
    rows = outcomes * profiles
    nodes = []
    for (values, outcome, _), logit, variance in zip(sides, logits, variances, strict=True):
        weight = np.broadcast_to(values.sheet.weight[outcome][:, None], logit.shape)
        nodes.append(Nodes(*(each.reshape(rows, -1) for each in (weight, logit, variance))))
    joint = crossed(nodes[0], nodes[1], between.reshape(rows, *between.shape[2:]))
    found = joint_differences(*joint, np.square(bias_sds)).reshape(outcomes, profiles, biases, 5)
    means = [table[:, values.sheet.cells[outcome, option], MEAN] for values, outcome, option in sides]
    mean = np.broadcast_to((means[0] - means[1])[:, :, None], (profiles, outcomes, biases))
    low, high, *rest = np.moveaxis(np.swapaxes(found, 0, 1), 3, 0)
    return np.stack([mean, np.minimum(low, mean), np.maximum(high, mean), *rest], axis=3)


def fixed_differences(pooled: PooledEvidence, setting: Design) -> Mapping[str, Array]:
    """Class differences that are the same for every patient, by outcome: (2, 6), with the bias term and without."""
    return beside(pooled, ("differences", setting), lambda: dict(_fixed_differences(pooled, setting)))


def _fixed_differences(pooled: PooledEvidence, setting: Design) -> Iterator[tuple[str, Array]]:
    own = kernel(pooled, setting)
    values = {(each.sheet.family, each.sheet.class_index): each for each in own.fixed}
    sds = pooled.assumptions["unanchored_sd"], 0.0
    for family, meeting in own.meetings.items():
        if (family, 0) in values:
            pair = values[family, 0], values[family, 1]
            yield from zip(meeting.names, class_differences(meeting, *pair, own.table[None], sds)[0], strict=True)
