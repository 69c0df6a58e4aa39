"""Where a patient lies outside what was studied, told only where it bears on a number."""

from __future__ import annotations

from collections.abc import Mapping

from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.vocabulary import MODEL_TRAIT_IDS, MODEL_TRAITS

LIKELIER = 0.5
"""Of a trait that a measured value near its cut leaves open: from which chance on it is spoken of as there."""


def outside_reasons(numbers: PatientNumbers) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """By family, per class, the reasons why the patient lies outside the evidence.

    A trait that acts in neither class moves no number of the family, so that it was seen in few patients is no remark
    there; an age beyond the ages studied always is one.
    """
    ages = {trait.id for trait in MODEL_TRAITS if trait.kind == "age"}
    result = {}
    for family, index in numbers.pooled.family_index.items():
        acting = numbers.pooled.used[index].any(axis=0).tolist()
        bearing = ages | {trait for trait, acts in zip(MODEL_TRAIT_IDS, acting, strict=True) if acts}
        result[family] = tuple(
            tuple(each.reason for each in found if each.trait in bearing and each.chance > LIKELIER)
            for found in numbers.outside
        )
    return result
