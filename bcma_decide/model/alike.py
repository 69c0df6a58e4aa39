"""Patients who are alike in everything that moves a number: what is worked out for one of them holds for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcma_decide.logic import Chance
from bcma_decide.model.beside import kept_beside
from bcma_decide.model.kept import KEPT
from bcma_decide.model.numbers import PatientNumbers, acting_in
from bcma_decide.model.population import Patients, conditional_patients
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import CLASSES, MODEL_TRAIT_IDS, PFS, Design, model_scale

Known = float | Chance | None
"""A trait on the model's scale; None: unknown."""

NOT_INFUSED: Final = "apheresed_not_infused"
CURVES: Final = (PFS,)
"""Family of the curves from the infusion."""
FROM_DECISION: Final = (PFS, NOT_INFUSED)
"""Families of those from the decision."""


class Alike(NamedTuple):
    """What of a patient moves curves from the infusion.

    ``values`` (traits,): of those that act on progression-free survival, the others None. ``extra_variance`` of its
    level (classes,), for lying outside the evidence.
    """

    setting: Design
    values: tuple[Known, ...]
    extra_variance: tuple[float, ...]


def alike(
    pooled: PooledEvidence,
    setting: Design,
    values: Mapping[str, bool | float | Chance | None],
    extra_variance: Mapping[tuple[str, int], float],
) -> Alike:
    """Of one patient's values in natural units, and extra variances by family and class."""
    return Alike(setting, _acting_values(pooled, CURVES, lambda trait: values[trait]), _extra(extra_variance))


def alike_in_curves(numbers: PatientNumbers) -> Alike:
    """Of a patient whose numbers are there."""
    return Alike(numbers.setting, acting_values(numbers, *CURVES), _extra(numbers.extra_variance))


def _extra(variance: Mapping[tuple[str, int], float]) -> tuple[float, ...]:
    return tuple(variance.get((PFS, index), 0.0) for index in range(len(CLASSES)))


def acting_values(numbers: PatientNumbers, *families: str) -> tuple[Known, ...]:
    """What is known of the traits that act in any of these families, (traits,); of the others None."""
    return _acting_values(numbers.pooled, families, lambda trait: numbers.traits[trait].modelled)


def _acting_values(
    pooled: PooledEvidence, families: tuple[str, ...], value_of: Callable[[str], bool | float | Chance | None]
) -> tuple[Known, ...]:
    found: list[Known] = [None] * pooled.trait_count
    for place, trait in _acting_places(pooled, families):
        value = value_of(trait)
        found[place] = value if isinstance(value, Chance) else model_scale(trait, value)
    return tuple(found)


@kept_beside(16)
def _acting_places(pooled: PooledEvidence, families: tuple[str, ...]) -> list[tuple[int, str]]:
    """Places and names of the traits that act in any of the families."""
    return [(place, MODEL_TRAIT_IDS[place]) for place in np.flatnonzero(acting_traits(pooled, families)).tolist()]


def patients_alike(pooled: PooledEvidence, values: tuple[Known, ...], families: tuple[str, ...] = CURVES) -> Patients:
    """Virtual patients of the evidence with these values of the traits that act in some families."""
    return _patients_alike(pooled, values, acting_traits(pooled, families).tobytes())


@kept_beside(KEPT)
def _patients_alike(pooled: PooledEvidence, values: tuple[Known, ...], acting: bytes) -> Patients:
    return conditional_patients(pooled.population, values, np.frombuffer(acting, dtype=np.bool_))


@kept_beside(16)
def acting_traits(pooled: PooledEvidence, families: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which traits act in any of the families, in either class, (traits,)."""
    # evidence that was cut down to a few outcomes has fewer families
    return acting_in(pooled, *(family for family in families if family in pooled.family_index))
