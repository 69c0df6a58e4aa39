"""A few base profiles, one trait said or one field measured beside them, and their numbers from the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
from msgspec import structs

from bcma_decide.comparing.compare import load_pooled
from bcma_decide.facts.traits import Traits, TraitValue, derive
from bcma_decide.model.numbers import PatientNumbers, patient_numbers
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import MODEL_TRAIT_IDS

Profile = Mapping[str, Any]

BASES: dict[str, Profile] = {
    "nothing known": {},
    "age and lines": {"age": 71, "prior_lines": 4},
    "extramedullary, lines not known": {"age": 60, "extramedullary_disease": "yes", "high_risk_cytogenetics": "no"},
    "much known": {"age": 66, "prior_lines": 6, "prior_bcma": "yes", "high_risk_cytogenetics": "yes", "sex": "female"},
}


@cache
def shipped() -> PooledEvidence:
    return load_pooled()


def derived(profile: Profile, pooled: PooledEvidence | None = None) -> Traits:
    return derive(Patient(**profile), (pooled or shipped()).definitions)


def numbers(traits: Traits, pooled: PooledEvidence | None = None) -> PatientNumbers:
    return patient_numbers(pooled or shipped(), traits, "real_world")


def means(traits: Traits, pooled: PooledEvidence | None = None) -> np.ndarray:
    """Headlines of every cell, (cells,)."""
    return np.array([rates.mean for rates in numbers(traits, pooled).rates])


def with_trait(traits: Traits, trait: str, value: float | bool | None) -> Traits:
    """The same patient with one trait said, and nothing that would follow from it."""
    said = TraitValue(trait, "unknown" if value is None else "given", value, str(value), "said")
    return structs.replace(traits, values=tuple(said if each.trait == trait else each for each in traits))


def acting(pooled: PooledEvidence, family: str) -> tuple[str, ...]:
    """Traits that move a family in either class."""
    used = pooled.used[pooled.family_index[family]].any(axis=0)
    return tuple(trait for trait, moves in zip(MODEL_TRAIT_IDS, used.tolist(), strict=True) if moves)


def with_effects(effects: Mapping[str, float]) -> PooledEvidence:
    """The shipped evidence with further traits acting on every family, in both classes."""
    pooled = shipped()
    values, used = pooled.effects.copy(), pooled.used.copy()
    for trait, effect in effects.items():
        position = MODEL_TRAIT_IDS.index(trait)
        values[:, :, position], used[:, :, position] = effect, True
    return structs.replace(pooled, effects=values, used=used)


def steps(low: float, high: float, step: float) -> Iterator[float]:
    """Values as a laboratory prints them."""
    count = round((high - low) / step)
    digits = max(-int(np.floor(np.log10(step))), 0)
    return (round(low + index * step, digits) for index in range(count + 1))
