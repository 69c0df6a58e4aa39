"""One patient's numbers: everything computed, before it is put into words.

`PatientNumbers` is what the assembly of the `Comparison` reads; nothing here formats or judges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bcma_decide.facts.traits import Traits
from bcma_decide.logic import Chance
from bcma_decide.model.contrast import Difference, Side, difference
from bcma_decide.model.normal import Z95, logistic
from bcma_decide.model.population import Patients, conditional_patients
from bcma_decide.model.prediction import draw_rates, held, option_average, outcome_rates, stage_rates, strata
from bcma_decide.model.rates import Rates, Tables, all_rates, cell_means
from bcma_decide.pooled.file import Levels, PooledEvidence
from bcma_decide.vocabulary import (
    CLASSES,
    MODEL_TRAIT_IDS,
    MODEL_TRAITS,
    OUTCOMES,
    TRAIT_KINDS,
    TRAIT_LABELS,
    Design,
    model_scale,
    natural_scale,
)

Array = NDArray[np.float64]


class OutsideTrait(NamedTuple):
    """A trait outside the evidence of a class: why, and the chance that the patient has it."""

    trait: str
    reason: str
    chance: float


@dataclass(frozen=True)
class PatientNumbers:
    """All numbers of one patient in one setting, cell by cell as the pooled evidence has them."""

    pooled: PooledEvidence
    levels: Sequence[Levels]
    traits: Traits
    patients: Mapping[str, Patients]
    """By family: the virtual patients like this one in what is known and acts there."""
    tables: Tables
    """Rates by outcome and class."""
    rates: tuple[Rates, ...]
    """One for each cell."""
    outside: tuple[tuple[OutsideTrait, ...], ...]
    """Per class: where the patient lies outside its evidence."""

    @property
    def place(self) -> Mapping[tuple[str, str], int]:
        """Where the cell of an outcome and an option stands."""
        return self.pooled.place

    def difference(self, outcome: str, options: tuple[str, str], bias_sd: float) -> Difference:
        """First option minus second at one outcome; both need a number there."""
        sides = []
        for option in options:
            index = self.place[outcome, option]
            cell = self.pooled.cells[index]
            average = option_average(self.tables[outcome, cell.class_index], cell.members)
            sides.append(Side(average, self.rates[index].mean, cell.class_index))
        return difference(sides[0], sides[1], self.pooled.outcome_covariance[outcome], bias_sd)

    @cached_property
    def class_differences(self) -> Mapping[bool, Mapping[str, Difference]]:
        """First class minus second, for every outcome at which both have a number: with the bias term, and without."""
        both = [o for o in OUTCOMES if all((o, option) in self.place for option in CLASSES)]
        sd = self.pooled.assumptions["unanchored_sd"]
        return {biased: {o: self.difference(o, CLASSES, sd * biased) for o in both} for biased in (True, False)}


def outside_evidence(
    pooled: PooledEvidence, values: Mapping[str, bool | float | Chance | None]
) -> tuple[tuple[OutsideTrait, ...], ...]:
    """Per class, the traits that lie outside what was studied.

    A trait that no study of the class reports is as far outside as one seen in few: silence is no evidence.
    """
    return tuple(tuple(_outside(pooled, index, values)) for index in range(len(CLASSES)))


def _outside(
    pooled: PooledEvidence, class_index: int, values: Mapping[str, bool | float | Chance | None]
) -> Iterator[OutsideTrait]:
    few = pooled.assumptions["minimum_patients_with_trait"]
    for position, trait in enumerate(MODEL_TRAITS):
        value = values[trait.id]
        if value is None:
            continue
        if trait.kind == "age":
            low, high = pooled.age_range[class_index]
            if not isinstance(value, Chance) and not low <= float(value) <= high:
                yield OutsideTrait(trait.id, f"age {float(value):g}, studied {low:g} to {high:g}", 1.0)
        elif trait.kind == "binary":
            chance = value.yes if isinstance(value, Chance) else float(value)
            seen = pooled.patients_with_trait[class_index, position]
            if chance > 0.0 and not seen >= few:
                counted = "not reported by these studies" if np.isnan(seen) else f"seen in {seen:.0f} patients"
                yield OutsideTrait(trait.id, f"{TRAIT_LABELS[trait.id]}: {counted}", chance)


def patient_numbers(pooled: PooledEvidence, traits: Traits, setting: Design) -> PatientNumbers:
    """Compute all numbers of one patient."""
    values = {trait.id: traits[trait.id].modelled for trait in MODEL_TRAITS}
    levels = pooled.levels[setting]
    outside = outside_evidence(pooled, values)
    patients = family_patients(pooled, values)
    tables = all_tables(pooled, levels, patients, _extra_variance(pooled, outside))
    return PatientNumbers(
        pooled=pooled,
        levels=levels,
        traits=traits,
        patients=patients,
        tables=tables,
        rates=all_rates(pooled, tables),
        outside=outside,
    )


def _extra_variance(
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
        acting = _acting(pooled, family)
        key = acting.tobytes()
        if key not in found:
            found[key] = conditional_patients(pooled.population, _scaled(values), acting)
        result[family] = found[key]
    return result


def _acting(pooled: PooledEvidence, *families: str) -> NDArray[np.bool_]:
    """Traits that act in any of the families, in either class, (traits,)."""
    used = [pooled.used[pooled.family_index[family]].any(axis=0) for family in families]
    return np.asarray(np.any(used, axis=0))


def _scaled(values: Mapping[str, bool | float | Chance | None]) -> list[float | Chance | None]:
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


def from_decision(numbers: PatientNumbers) -> dict[int, tuple[float, float, float]]:
    """Response rates of CAR-T counted from apheresis: mean and 95 % interval, by the index of their cell.

    The mean over patients of reaching the infusion and responding, never the product of the two means: the headlines
    of both times what their going together in the patients adds. Its interval is linearised on the log-odds scale;
    chance of infusion and response have no parameter in common. Cells of other classes and families, and those without
    known attrition, are not in the result.
    """
    pooled, result = numbers.pooled, {}
    values = {trait.id: numbers.traits[trait.id].modelled for trait in MODEL_TRAITS}
    acting = _acting(pooled, "response", "apheresed_not_infused")
    # One set of patients for both rates: those of response know nothing of a trait that acts before the infusion only.
    patients = conditional_patients(pooled.population, _scaled(values), acting)
    for index, cell in enumerate(pooled.cells):
        if CLASSES[cell.class_index] != "car_t" or cell.family != "response":
            continue
        lost = numbers.place.get(("apheresed_not_infused", cell.option))
        lost = numbers.place.get(("apheresed_not_infused", "car_t")) if lost is None else lost
        if lost is None:
            continue
        away = pooled.cells[lost]
        response, not_infused = _by_draw(numbers, index, patients), _by_draw(numbers, lost, patients)
        weight = patients.weight
        responding, infused = float(weight @ response), float(weight @ (1.0 - not_infused))
        # The patients' rates are those at the mean parameters; their means are not the headlines, which are posterior
        # means. Only how far the two go together is taken from them, so that the rows printed beside it agree with it.
        together = float(weight @ (response * (1.0 - not_infused))) / (responding * infused)
        rate = numbers.rates[index].mean * (1.0 - numbers.rates[lost].mean) * together
        variance = 0.0
        for at, one, other in ((index, cell, infused), (lost, away, responding)):
            average = option_average(numbers.tables[one.outcome, one.class_index], one.members)
            covariance = pooled.outcome_covariance[one.outcome][one.class_index, :, one.class_index, :]
            logit_variance, centre = average.variance(covariance), average.logit()
            own = numbers.rates[at].mean
            spread = float(average.weight @ (logit_variance + centre**2)) - float(average.weight @ centre) ** 2
            variance += (own * (1.0 - own) * other) ** 2 * spread
        logit, reach = np.log(rate / (1.0 - rate)), Z95 * np.sqrt(variance) / (rate * (1.0 - rate))
        low, high = logistic(np.array([logit - reach, logit + reach])).tolist()
        result[index] = (rate, low, high)
    return result


def _by_draw(numbers: PatientNumbers, index: int, patients: Patients) -> Array:
    """Average rate of a cell for each of the virtual patients, over centres, (draws,)."""
    pooled, cell = numbers.pooled, numbers.pooled.cells[index]
    deviation = held(pooled, patients.values) - pooled.reference
    first, later = pooled.effects_of(cell.outcome)[:, cell.class_index] @ deviation.T
    offsets = [later if position else first for position in range(len(cell.stages))]
    return draw_rates([numbers.levels[stage] for stage in cell.stages], cell.members, offsets)


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
    for index, cell in enumerate(pooled.cells):
        if cell.option not in CLASSES:
            continue
        used = pooled.used[pooled.family_index[cell.family], cell.class_index]
        acting = [trait for trait in traits if used[MODEL_TRAIT_IDS.index(trait)]]
        if not acting:
            continue
        rate = _by_draw(numbers, index, numbers.patients[cell.family])
        weight = numbers.patients[cell.family].weight
        for trait in acting:
            values = numbers.patients[cell.family].values[:, MODEL_TRAIT_IDS.index(trait)]
            binary = TRAIT_KINDS[trait] == "binary"
            low, high = (0.5, 0.5) if binary else _weighted_quantiles(values, weight, (0.2, 0.8))
            groups = (values <= low, values > high) if binary else (values <= low, values >= high)
            if not all(group.any() for group in groups):
                continue
            ends = [float(np.average(values[group], weights=weight[group])) for group in groups]
            at = [float(np.average(rate[group], weights=weight[group])) for group in groups]
            first, second = (0, 1) if at[0] <= at[1] else (1, 0)
            natural = ends if binary else [natural_scale(trait, end) for end in ends]
            moves[trait].append(
                TraitMove(cell.outcome, cell.option, at[first], at[second], natural[first], natural[second])
            )
    return {trait: tuple(found) for trait, found in moves.items() if found}


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
