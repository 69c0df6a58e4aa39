"""Which traits of a patient lie outside what was studied, class by class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcma_decide.logic import Chance
from bcma_decide.model.beside import beside
from bcma_decide.model.profiles import Profiles
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import CLASSES, MODEL_TRAITS, TRAIT_LABELS, scaled

Array = NDArray[np.float64]


class OutsideTrait(NamedTuple):
    """A trait outside the evidence of a class: why, and the chance that the patient has it."""

    trait: str
    reason: str
    chance: float


def outside_evidence(
    pooled: PooledEvidence, values: Mapping[str, bool | float | Chance | None]
) -> tuple[tuple[OutsideTrait, ...], ...]:
    """Per class, the traits that lie outside what was studied.

    A trait that no study of the class reports is as far outside as one seen in few: silence is no evidence.
    """
    seen = beside(pooled, "who was studied", lambda: (pooled.age_range.tolist(), pooled.patients_with_trait.tolist()))
    few = pooled.assumptions["minimum_patients_with_trait"]
    return tuple(tuple(_outside(ages, with_trait, few, values)) for ages, with_trait in zip(*seen, strict=True))


def _outside(
    ages: tuple[float, float],
    with_trait: Sequence[float],
    few: float,
    values: Mapping[str, bool | float | Chance | None],
) -> Iterator[OutsideTrait]:
    """Of one class: ``ages`` from and to; how many were studied ``with_trait`` (traits,), NaN where not reported."""
    for seen, trait in zip(with_trait, MODEL_TRAITS, strict=True):
        value = values[trait.id]
        if value is None:
            continue
        if trait.kind == "age":
            low, high = ages
            if not isinstance(value, Chance) and not low <= float(value) <= high:
                yield OutsideTrait(trait.id, f"age {float(value):g}, studied {low:g} to {high:g}", 1.0)
        elif trait.kind == "binary":
            chance = value.yes if isinstance(value, Chance) else float(value)
            if chance > 0.0 and not seen >= few:
                counted = "not reported by these studies" if isnan(seen) else f"seen in {seen:.0f} patients"
                yield OutsideTrait(trait.id, f"{TRAIT_LABELS[trait.id]}: {counted}", chance)


def extra_variances(pooled: PooledEvidence, profiles: Profiles) -> dict[tuple[str, int], Array]:
    """Variance of the level by family and class, (profiles,), for every acting trait that lies outside the class.

    A trait that acts in neither class moves no number of the family, so it widens none either; a measured value near a
    cut widens by its chance, not by a jump.
    """
    few, own = pooled.assumptions["minimum_patients_with_trait"], pooled.assumptions["outside_evidence_sd"] ** 2
    acting = pooled.used.any(axis=1).astype(float)  # families, traits
    result = {}
    for index in range(len(CLASSES)):
        outside = profiles.yes * ~(pooled.patients_with_trait[index] >= few)
        for place, trait in enumerate(MODEL_TRAITS):
            if trait.kind == "age":
                low, high = (scaled(trait.id, float(end)) for end in pooled.age_range[index])
                number = profiles.number[:, place]
                outside[:, place] = (number < low) | (number > high)
        for family, f in pooled.family_index.items():
            if acting[f].any():
                result[family, index] = own * (outside @ acting[f])
    return result
