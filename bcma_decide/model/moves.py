"""What single traits do to the numbers: how far an unknown one could move them, and the known ones step by step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.alike import Known, acting_traits, acting_values, patients_alike
from bcma_decide.model.beside import beside
from bcma_decide.model.by_patient import rates_by_patient
from bcma_decide.model.kept import KEPT, Kept
from bcma_decide.model.kernel import evaluated
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.model.population import Patients
from bcma_decide.model.profiles import Profiles
from bcma_decide.model.rates import MEAN
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import CLASSES, MODEL_TRAIT_IDS, MODEL_TRAITS, TRAIT_KINDS, natural_scale

Array = NDArray[np.float64]


class TraitMove(Struct, frozen=True):
    """How one unknown trait moves one cell: mean rate and natural value of the trait at the low and the high end."""

    outcome: str
    option: str
    low: float
    high: float
    low_value: float
    high_value: float


_Moves = dict[str, tuple[TraitMove, ...]]
"""By trait."""


def _kept(pooled: PooledEvidence) -> Kept[tuple[str, str, tuple[Known, ...]], _Moves]:
    return beside(pooled, "moves", lambda: Kept(KEPT))


def trait_moves(numbers: PatientNumbers, traits: Sequence[str]) -> dict[str, tuple[TraitMove, ...]]:
    """Mean rate of every class-level cell if an unknown trait were known to be at either end.

    Yes/no traits: absent and present; numeric ones: the lowest and highest fifth of patients like this one. A trait
    that no patient like this one varies in has no moves.
    """
    pooled = numbers.pooled
    moves: dict[str, list[TraitMove]] = {trait: [] for trait in traits}
    places = [MODEL_TRAIT_IDS.index(trait) for trait in traits]
    for family in dict.fromkeys(cell.family for cell in pooled.cells):
        if acting_traits(pooled, (family,))[places].any():
            key = numbers.setting, family, acting_values(numbers, family)
            for trait, found in _kept(pooled).get(key, partial(_family_moves, numbers, family)).items():
                if trait in moves:
                    moves[trait] += found
    return {trait: tuple(found) for trait, found in moves.items() if found}


def _family_moves(numbers: PatientNumbers, family: str) -> _Moves:
    """Moves of every class-level cell of a family by every trait that acts there and is not fixed."""
    pooled = numbers.pooled
    patients = patients_alike(pooled, acting_values(numbers, family), (family,))
    used = pooled.used[pooled.family_index[family]].tolist()
    cells = {i: cell for i, cell in enumerate(pooled.cells) if cell.family == family and cell.option in CLASSES}
    rates = rates_by_patient(pooled, numbers.setting, cells, patients)
    drawn = np.stack([rates[index] for index in cells]) if cells else np.empty((0, patients.weight.size))
    places = np.flatnonzero(acting_traits(pooled, (family,))).tolist()
    found = ends([MODEL_TRAIT_IDS[place] for place in places], drawn, patients)
    return {
        trait: tuple(
            TraitMove(cell.outcome, cell.option, *move)
            for cell, move in zip(cells.values(), own, strict=True)
            if used[cell.class_index][MODEL_TRAIT_IDS.index(trait)]
        )
        for trait, own in found.items()
    }


def ends(
    traits: Sequence[str], rates: Array, patients: Patients
) -> dict[str, Sequence[tuple[float, float, float, float]]]:
    """Means of some rates (rates, draws) at the low and the high end of each trait, and its natural values there.

    A trait in which the patients do not vary is not in the result.
    """
    if not traits:
        return {}
    groups = np.stack([_low_and_high(trait, patients) for trait in traits], axis=1)  # low and high, traits, draws
    varies = np.asarray(groups.any(axis=2).all(axis=0))
    mass = groups[:, varies] * patients.weight
    mass /= mass.sum(axis=2, keepdims=True)
    low, high = (mass @ rates.T).tolist()
    result: dict[str, Sequence[tuple[float, float, float, float]]] = {}
    for row, place in enumerate(np.flatnonzero(varies).tolist()):
        trait = traits[place]
        bottom, top = 0.0, 1.0
        if TRAIT_KINDS[trait] != "binary":
            values = patients.values[:, MODEL_TRAIT_IDS.index(trait)]
            bottom, top = (natural_scale(trait, end) for end in (mass[:, row] @ values).tolist())
        result[trait] = [
            (at_low, at_high, bottom, top) if at_low <= at_high else (at_high, at_low, top, bottom)
            for at_low, at_high in zip(low[row], high[row], strict=True)
        ]
    return result


def _low_and_high(trait: str, patients: Patients) -> NDArray[np.bool_]:
    """Who is at the low and who at the high end of a trait, (2, draws)."""
    place = MODEL_TRAIT_IDS.index(trait)
    values = patients.values[:, place]
    if TRAIT_KINDS[trait] != "binary" and patients.known[place]:
        return np.zeros((2, values.size), dtype=np.bool_)  # all have the same number: nobody is at an end
    if TRAIT_KINDS[trait] == "binary":
        present = values > 0.5
        return np.stack([~present, present])
    low, high = _weighted_quantiles(values, patients.weight, (0.2, 0.8))
    return np.stack([values <= low, values >= high])


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
    known = [trait.id for trait in MODEL_TRAITS if numbers.traits[trait.id].modelled is not None]
    steps: list[str | None] = [None, *known]
    values = {trait.id: numbers.traits[trait.id].modelled for trait in MODEL_TRAITS}
    shown = [set(known[:count]) for count in range(len(steps))]
    profiles = Profiles.of(
        {trait: value if trait in some else None for trait, value in values.items()} for some in shown
    )
    return steps, evaluated(numbers.pooled, numbers.setting, profiles, {}).table[..., MEAN]
