"""Where a patient lies outside what was studied, told only where it bears on a number."""

from __future__ import annotations

from collections.abc import Mapping

from bcma_decide.model.beside import kept_beside
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import MODEL_TRAIT_IDS, MODEL_TRAITS

LIKELIER = 0.5
"""Of a trait that a measured value near its cut leaves open: from which chance on it is spoken of as there."""


def outside_reasons(numbers: PatientNumbers) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """By family, per class, the reasons why the patient lies outside the evidence.

    A trait that acts in neither class moves no number of the family, so that it was seen in few patients is no remark
    there; an age beyond the ages studied always is one.
    """
    outside = [[each for each in found if each.chance > LIKELIER] for found in numbers.outside]
    return {
        family: tuple(tuple(each.reason for each in found if each.trait in bearing) for found in outside)
        for family, bearing in _bearing(numbers.pooled).items()
    }


@kept_beside(4)
def _bearing(pooled: PooledEvidence) -> Mapping[str, frozenset[str]]:
    """By family, the traits of which it is told."""
    ages = {trait.id for trait in MODEL_TRAITS if trait.kind == "age"}
    acting = {family: pooled.used[index].any(axis=0).tolist() for family, index in pooled.family_index.items()}
    return {
        family: frozenset(ages | {trait for trait, acts in zip(MODEL_TRAIT_IDS, own, strict=True) if acts})
        for family, own in acting.items()
    }
