"""One patient's numbers: everything computed, before it is put into words.

`PatientNumbers` is what the assembly of the `Comparison` reads; nothing here formats or judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bcma_decide.facts.traits import Traits
from bcma_decide.logic import Chance
from bcma_decide.model.contrast import Difference, Side, differences
from bcma_decide.model.outside import OutsideTrait, outside_evidence
from bcma_decide.model.population import Patients, conditional_patients
from bcma_decide.model.prediction import Average, outcome_rates, stage_rates, strata
from bcma_decide.model.rates import Rates, Tables, all_averages, all_rates
from bcma_decide.pooled.evidence import Levels, PooledEvidence
from bcma_decide.vocabulary import (
    CLASSES,
    MODEL_TRAIT_IDS,
    MODEL_TRAITS,
    OUTCOMES,
    Design,
    model_scale,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PatientNumbers:
    """All numbers of one patient in one setting, cell by cell as the pooled evidence has them."""

    pooled: PooledEvidence
    setting: Design
    levels: Sequence[Levels]
    traits: Traits
    patients: Mapping[str, Patients]
    """By family: the virtual patients like this one in what is known and acts there."""
    tables: Tables
    """Rates by outcome and class."""
    averages: tuple[Average, ...]
    """One for each cell, over centres and patients."""
    rates: tuple[Rates, ...]
    """One for each cell."""
    outside: tuple[tuple[OutsideTrait, ...], ...]
    """Per class: where the patient lies outside its evidence."""
    extra_variance: Mapping[tuple[str, int], float]
    """Variance of the level for that, by family and class."""

    @property
    def place(self) -> Mapping[tuple[str, str], int]:
        """Where the cell of an outcome and an option stands."""
        return self.pooled.place

    def difference(self, outcome: str, options: tuple[str, str], bias_sd: float) -> Difference:
        """First option minus second at one outcome; both need a number there."""
        return self.differences(outcome, options, (bias_sd,))[0]

    def differences(self, outcome: str, options: tuple[str, str], bias_sds: Sequence[float]) -> tuple[Difference, ...]:
        """The same for each size of the bias."""
        first, second = (self.side(outcome, option) for option in options)
        return differences(first, second, self.pooled.outcome_covariance[outcome], bias_sds)

    def side(self, outcome: str, option: str) -> Side:
        """One option at one outcome, to be compared with another; it needs a number there."""
        index = self.place[outcome, option]
        return Side(self.averages[index], self.rates[index].mean, self.pooled.cells[index].class_index)

    @cached_property
    def class_differences(self) -> Mapping[bool, Mapping[str, Difference]]:
        """First class minus second, for every outcome at which both have a number: with the bias term, and without."""
        both = [o for o in OUTCOMES if all((o, option) in self.place for option in CLASSES)]
        sds = self.pooled.assumptions["unanchored_sd"], 0.0
        found = {o: self.differences(o, CLASSES, sds) for o in both}
        return {biased: {o: found[o][place] for o in both} for place, biased in enumerate((True, False))}


def patient_numbers(pooled: PooledEvidence, traits: Traits, setting: Design) -> PatientNumbers:
    """Compute all numbers of one patient."""
    values = {trait.id: traits[trait.id].modelled for trait in MODEL_TRAITS}
    levels = pooled.levels[setting]
    outside = outside_evidence(pooled, values)
    patients = family_patients(pooled, values)
    extra = extra_variance(pooled, outside)
    tables = all_tables(pooled, levels, patients, extra)
    averages = all_averages(pooled, tables)
    return PatientNumbers(
        pooled=pooled,
        setting=setting,
        levels=levels,
        traits=traits,
        patients=patients,
        tables=tables,
        averages=averages,
        rates=all_rates(pooled, tables, averages),
        outside=outside,
        extra_variance=extra,
    )


def extra_variance(
    pooled: PooledEvidence, outside: Sequence[Sequence[OutsideTrait]]
) -> Mapping[tuple[str, int], float]:
    """Variance of the level by family and class, for every trait that acts in the family and lies outside the class.

    A trait that acts in neither class moves no number of the family, so it widens none either; a measured value near a
    cut widens by its chance, not by a jump.
    """
    own = pooled.assumptions["outside_evidence_sd"] ** 2
    return {
        (family, index): own
        * sum(each.chance for each in found if pooled.used[f, :, MODEL_TRAIT_IDS.index(each.trait)].any())
        for family, f in pooled.family_index.items()
        for index, found in enumerate(outside)
    }


def family_patients(pooled: PooledEvidence, values: Mapping[str, bool | float | Chance | None]) -> dict[str, Patients]:
    """Virtual patients for each family, alike in those known traits that act for it in either class.

    One distribution for both classes: what acts in neither is left aside, exactly.
    """
    found: dict[bytes, Patients] = {}
    result = {}
    for family in pooled.family_index:
        acting = acting_in(pooled, family)
        key = acting.tobytes()
        if key not in found:
            found[key] = conditional_patients(pooled.population, on_model_scale(values), acting)
        result[family] = found[key]
    return result


def acting_in(pooled: PooledEvidence, *families: str) -> NDArray[np.bool_]:
    """Traits that act in any of the families, in either class, (traits,)."""
    used = [pooled.used[pooled.family_index[family]].any(axis=0) for family in families]
    return np.asarray(np.any(used, axis=0))


def on_model_scale(values: Mapping[str, bool | float | Chance | None]) -> list[float | Chance | None]:
    """Values on the model's scale; chances as they are."""
    return [value if isinstance(value, Chance) else model_scale(trait, value) for trait, value in values.items()]


def all_tables(
    pooled: PooledEvidence,
    levels: Sequence[Levels],
    patients: Mapping[str, Patients],
    extra: Mapping[tuple[str, int], float],
) -> Tables:
    """Rates of every outcome and class.

    ``extra``: variance by family and class for lying outside the evidence; none where it is not named.
    """
    groups, stages, tables = {}, {}, {}
    for cell in pooled.cells:
        key = cell.outcome, cell.class_index
        if key in tables:
            continue
        of_class = cell.family, cell.class_index
        if of_class not in groups:
            effects = pooled.effects_of(cell.outcome)[:, cell.class_index]
            groups[of_class] = strata(pooled, patients[cell.family], effects)
        group = groups[of_class]
        for position, index in enumerate(cell.stages):
            if index not in stages:
                # what lies outside the evidence is counted once, at the first stage
                first = position == 0
                stages[index] = stage_rates(
                    pooled.blocks[index],
                    levels[index],
                    group.offset[0 if first else 1],
                    extra.get(of_class, 0.0) if first else 0.0,
                )
        tables[key] = outcome_rates([stages[index] for index in cell.stages], group, pooled.depth.share)
    return tables


def patients_of(numbers: PatientNumbers, *families: str) -> Patients:
    """Virtual patients like this one in what is known and acts in any of these families."""
    pooled = numbers.pooled
    acting = acting_in(pooled, *families)
    for family in families:
        if (acting == acting_in(pooled, family)).all():
            return numbers.patients[family]
    values = {trait.id: numbers.traits[trait.id].modelled for trait in MODEL_TRAITS}
    return conditional_patients(pooled.population, on_model_scale(values), acting)
