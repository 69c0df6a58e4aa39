"""Where a patient lies outside what was studied, told only where it bears on a number."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bcma_decide.model.numbers import OutsideTrait, PatientNumbers
from bcma_decide.vocabulary import MODEL_TRAIT_IDS, MODEL_TRAITS

LIKELIER = 0.5


def outside_reasons(numbers: PatientNumbers) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """By family, per class, the reasons why the patient lies outside the evidence.

    A trait that acts in neither class moves no number of the family, so that it was seen in few patients is no remark
    there; an age beyond the ages studied always is one. A measured value near a cut counts by its likelier side.
    """
    ages = {trait.id for trait in MODEL_TRAITS if trait.kind == "age"}
    result = {}
    for family, index in numbers.pooled.family_index.items():
        acting = numbers.pooled.used[index].any(axis=0).tolist()
        bearing = ages | {trait for trait, acts in zip(MODEL_TRAIT_IDS, acting, strict=True) if acts}
        result[family] = tuple(_shown(each, bearing) for each in numbers.outside)
    return result


def _shown(found: Collection[OutsideTrait], bearing: Collection[str]) -> tuple[str, ...]:
    return tuple(each.reason for each in found if each.trait in bearing and each.chance > LIKELIER)
