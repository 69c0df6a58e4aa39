"""Rates of each virtual patient at the parameters' means, over centres: what a mean over patients cannot tell.

Two rates go together as far as the same patients have both; a trait moves a rate by the difference between those who
have it and those who do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.beside import kept_beside
from bcma_decide.model.offset_tables import RATE, OffsetAxis, offset_axis, stage_table
from bcma_decide.model.population import Patients
from bcma_decide.model.prediction import held, made_up
from bcma_decide.pooled.evidence import Cell, PooledEvidence
from bcma_decide.vocabulary import Design

Array = NDArray[np.float64]


class _Stages(NamedTuple):
    """Stages of one class with one set of effects: ``rates`` (rows, count) on ``axis``, averaged over nodes.

    ``row`` says where the products of a stage begin.
    """

    axis: OffsetAxis
    effects: Array
    rates: Array
    row: dict[int, int]


def rates_by_patient(
    pooled: PooledEvidence, setting: Design, cells: Iterable[int], patients: Patients
) -> dict[int, Array]:
    """Average rate of some cells for each of the virtual patients, (draws,), by the index of the cell."""
    outcomes: dict[tuple[int, ...], Array] = {}
    result = {}
    for index in cells:
        cell = pooled.cells[index]
        if cell.stages not in outcomes:
            each_stage = [_stage(pooled, setting, cell, position, patients) for position in range(len(cell.stages))]
            outcomes[cell.stages] = made_up(each_stage)[0]
        each = outcomes[cell.stages]
        result[index] = each[cell.members[0]] if len(cell.members) == 1 else each[list(cell.members)].mean(axis=0)
    return result


def _stage(pooled: PooledEvidence, setting: Design, cell: Cell, position: int, patients: Patients) -> Array:
    """Rates of all products at one stage of a cell, (products, draws)."""
    of_effects = cell.family, cell.class_index, position > 0
    begin = _stages(pooled, setting, *of_effects).row[cell.stages[position]]
    products = len(pooled.blocks[cell.stages[position]].products)
    return _drawn(pooled, setting, *of_effects, patients)[begin : begin + products]


@kept_beside(8)
def _drawn(
    pooled: PooledEvidence, setting: Design, family: str, class_index: int, later: bool, patients: Patients
) -> Array:
    """Rates of all stages with the same effects, (rows, draws); kept for what asks next of the same patients."""
    stages = _stages(pooled, setting, family, class_index, later)
    return np.asarray(stages.rates @ stages.axis.basis(_deviation(pooled, patients) @ stages.effects).T)


@kept_beside(2)
def _deviation(pooled: PooledEvidence, patients: Patients) -> Array:
    return held(pooled, patients.values) - pooled.reference


@kept_beside(64)
def _stages(pooled: PooledEvidence, setting: Design, family: str, class_index: int, later: bool) -> _Stages:
    cells = [cell for cell in pooled.cells if (cell.family, cell.class_index) == (family, class_index)]
    stages = dict.fromkeys(stage for cell in cells for stage in (cell.stages[1:] if later else cell.stages[:1]))
    effects = pooled.effects_of(cells[0].outcome)[int(later), class_index]
    axis, row, rates, width = offset_axis(pooled, effects), {}, [], 0
    for stage in stages:
        levels = pooled.levels[setting][stage]
        row[stage] = width
        rates.append(np.einsum("ckp,k->pc", stage_table(levels, axis)[:, RATE], levels.weight))
        width += len(rates[-1])
    return _Stages(axis, effects, np.concatenate(rates), row)
