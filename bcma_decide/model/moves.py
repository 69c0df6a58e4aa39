"""What single traits do to the numbers: how far an unknown one could move them, and the known ones step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.numbers import PatientNumbers, all_tables, family_patients, rates_by_draw
from bcma_decide.model.population import Patients
from bcma_decide.model.rates import cell_means
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


def trait_moves(numbers: PatientNumbers, traits: Sequence[str]) -> dict[str, tuple[TraitMove, ...]]:
    """Mean rate of every class-level cell if an unknown trait were known to be at either end.

    Yes/no traits: absent and present; numeric ones: the lowest and highest fifth of patients like this one. A trait
    that no patient like this one varies in has no moves.
    """
    pooled = numbers.pooled
    moves: dict[str, list[TraitMove]] = {trait: [] for trait in traits}
    moved: dict[str, dict[int, Sequence[str]]] = {}
    for index, cell in enumerate(pooled.cells):
        used = pooled.used[pooled.family_index[cell.family], cell.class_index]
        acting = [trait for trait in traits if used[MODEL_TRAIT_IDS.index(trait)]]
        if acting and cell.option in CLASSES:
            moved.setdefault(cell.family, {})[index] = acting
    for family, cells in moved.items():
        patients = numbers.patients[family]
        for index, rate in rates_by_draw(numbers, cells, patients).items():
            cell = pooled.cells[index]
            for trait in cells[index]:
                found = ends(trait, rate, patients)
                if found is not None:
                    moves[trait].append(TraitMove(cell.outcome, cell.option, *found))
    return {trait: tuple(found) for trait, found in moves.items() if found}


def ends(trait: str, rate: Array, patients: Patients) -> tuple[float, float, float, float] | None:
    """Mean of a rate (draws,) at the low and the high end of a trait, and the trait's natural values there.

    None where the patients do not vary in it.
    """
    values, weight = patients.values[:, MODEL_TRAIT_IDS.index(trait)], patients.weight
    binary = TRAIT_KINDS[trait] == "binary"
    low, high = (0.5, 0.5) if binary else _weighted_quantiles(values, weight, (0.2, 0.8))
    groups = (values <= low, values > high) if binary else (values <= low, values >= high)
    if not all(group.any() for group in groups):
        return None
    means = [float(np.average(values[group], weights=weight[group])) for group in groups]
    at = [float(np.average(rate[group], weights=weight[group])) for group in groups]
    first, second = (0, 1) if at[0] <= at[1] else (1, 0)
    natural = means if binary else [natural_scale(trait, end) for end in means]
    return at[first], at[second], natural[first], natural[second]


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
