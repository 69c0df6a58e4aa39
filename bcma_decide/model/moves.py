"""What single traits do to the numbers: how far an unknown one could move them, and the known ones step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.alike import KEPT, Known, acting_traits, acting_values
from bcma_decide.model.by_patient import rates_by_patient
from bcma_decide.model.kept import Kept
from bcma_decide.model.numbers import PatientNumbers, all_tables, family_patients
from bcma_decide.model.population import Patients
from bcma_decide.model.rates import cell_means
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import CLASSES, MODEL_TRAIT_IDS, MODEL_TRAITS, TRAIT_KINDS, natural_scale

Array = NDArray[np.float64]


@dataclass(frozen=True)
class TraitMove:
    """How one unknown trait moves one cell: mean rate and natural value of the trait at the low and the high end."""

    outcome: str
    option: str
    low: float
    high: float
    low_value: float
    high_value: float


_kept: Final = Kept[tuple[PooledEvidence, str, str, tuple[Known, ...]], dict[str, tuple[TraitMove, ...]]](KEPT)


def trait_moves(numbers: PatientNumbers, traits: Sequence[str]) -> dict[str, tuple[TraitMove, ...]]:
    """Mean rate of every class-level cell if an unknown trait were known to be at either end.

    Yes/no traits: absent and present; numeric ones: the lowest and highest fifth of patients like this one. A trait
    that no patient like this one varies in has no moves.
    """
    pooled = numbers.pooled
    moves: dict[str, list[TraitMove]] = {trait: [] for trait in traits}
    for family in dict.fromkeys(cell.family for cell in pooled.cells):
        if acting_traits(pooled, (family,)).any():
            key = pooled, numbers.setting, family, acting_values(numbers, family)
            for trait, found in _kept.get(key, partial(_family_moves, numbers, family)).items():
                if trait in moves:
                    moves[trait] += found
    return {trait: tuple(found) for trait, found in moves.items() if found}


def _family_moves(numbers: PatientNumbers, family: str) -> dict[str, tuple[TraitMove, ...]]:
    """Moves of every class-level cell of a family by every trait that acts there and is not fixed."""
    pooled, patients = numbers.pooled, numbers.patients[family]
    used = pooled.used[pooled.family_index[family]].tolist()
    cells = {i: cell for i, cell in enumerate(pooled.cells) if cell.family == family and cell.option in CLASSES}
    rates = rates_by_patient(pooled, numbers.setting, cells, patients)
    drawn = np.stack([rates[index] for index in cells]) if cells else np.empty((0, patients.weight.size))
    moves = {}
    for place in np.flatnonzero(acting_traits(pooled, (family,))).tolist():
        trait = MODEL_TRAIT_IDS[place]
        found = ends(trait, drawn, patients)
        if found is not None:
            moves[trait] = tuple(
                TraitMove(cell.outcome, cell.option, *own)
                for cell, own in zip(cells.values(), found, strict=True)
                if used[cell.class_index][place]
            )
    return moves


def ends(trait: str, rates: Array, patients: Patients) -> Sequence[tuple[float, float, float, float]] | None:
    """Means of some rates (rates, draws) at the low and the high end of a trait, and the trait's natural values there.

    None where the patients do not vary in it.
    """
    values, weight = patients.values[:, MODEL_TRAIT_IDS.index(trait)], patients.weight
    binary = TRAIT_KINDS[trait] == "binary"
    low, high = (0.5, 0.5) if binary else _weighted_quantiles(values, weight, (0.2, 0.8))
    groups = np.stack([values <= low, values > high if binary else values >= high])
    if not groups.any(axis=1).all():
        return None
    mass = groups * weight
    mass /= mass.sum(axis=1, keepdims=True)
    natural = (0.0, 1.0) if binary else tuple(natural_scale(trait, end) for end in (mass @ values).tolist())
    found = []
    for at in (rates @ mass.T).tolist():
        first, second = (0, 1) if at[0] <= at[1] else (1, 0)
        found.append((at[first], at[second], natural[first], natural[second]))
    return found


def _weighted_quantiles(values: Array, weight: Array, shares: tuple[float, float]) -> tuple[float, float]:
    """Values (draws,) below which these shares of the weight lie."""
    order = np.argsort(values, kind="stable")
    place = np.searchsorted(np.cumsum(weight[order]), shares)
    low, high = values[order[np.minimum(place, values.size - 1)]].tolist()
    return low, high


def cumulative_means(numbers: PatientNumbers) -> tuple[Sequence[str | None], Array]:
    """Mean rate of every cell as the known traits are taken into account one after the other.

    Returns
    -------
    traits, means
        ``traits[0]`` is None (an average patient of the evidence), then the known traits in the model's order;
        means have shape (steps, cells).
    """
    pooled = numbers.pooled
    known = [trait.id for trait in MODEL_TRAITS if numbers.traits[trait.id].modelled is not None]
    steps: list[str | None] = [None, *known]
    means = []
    for count in range(len(steps)):
        shown = set(known[:count])
        values = {trait.id: numbers.traits[trait.id].modelled if trait.id in shown else None for trait in MODEL_TRAITS}
        tables = all_tables(pooled, numbers.levels, family_patients(pooled, values), {})
        means.append(cell_means(pooled, tables))
    return steps, np.array(means)
