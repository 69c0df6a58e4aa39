"""One patient's numbers: everything computed, before it is put into words.

`PatientNumbers` is what the assembly of the `Comparison` reads; nothing here formats or judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcma_decide.facts.traits import Traits
from bcma_decide.model.contrast import Difference, differences, sample_quantiles
from bcma_decide.model.normal import expected_logistic, logistic
from bcma_decide.model.population import Patients, conditional_patients
from bcma_decide.model.prediction import LinearPredictor, Rates, in_order, linear_predictor, rates
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


@dataclass(frozen=True)
class PatientNumbers:
    """All arrays of one patient in one setting, and where each cell stands in them."""

    pooled: PooledEvidence
    levels: Levels
    traits: Traits
    patients: Patients
    predictor: LinearPredictor
    rates: Rates
    outside: tuple[tuple[str, ...], ...]
    """Per class: why the patient lies outside its evidence."""
    extra: Array

    @property
    def place(self) -> Mapping[tuple[str, str], int]:
        """Where the cell of an outcome and an option stands in the arrays."""
        return self.pooled.place

    def differences(self, bias_sd: float) -> dict[str, Difference]:
        """First class minus second class, for every outcome at which both have a number."""
        pairs = {
            outcome: (self.place[outcome, CLASSES[0]], self.place[outcome, CLASSES[1]])
            for outcome in OUTCOMES
            if all((outcome, option) in self.place for option in CLASSES)
        }
        contrasts = differences(self.pooled, self.levels, self.predictor, tuple(pairs.values()), self.extra, bias_sd)
        return dict(zip(pairs, contrasts, strict=True))


def outside_evidence(pooled: PooledEvidence, values: Mapping[str, bool | float | None]) -> tuple[tuple[str, ...], ...]:
    """Per class, the reasons why these traits lie outside what was studied."""
    few = pooled.assumptions["minimum_patients_with_trait"]
    result = []
    for index in range(len(CLASSES)):
        reasons = []
        for position, trait in enumerate(MODEL_TRAITS):
            value = values[trait.id]
            if value is None:
                continue
            if trait.kind == "age":
                low, high = pooled.age_range[index]
                if not low <= float(value) <= high:
                    reasons.append(f"age {float(value):g}, studied {low:g} to {high:g}")
            elif trait.kind == "binary" and value:
                seen = pooled.patients_with_trait[index, position]
                if seen < few:  # never where the studies do not report the trait: the count is NaN then
                    reasons.append(f"{TRAIT_LABELS[trait.id]}: seen in {seen:.0f} patients")
        result.append(tuple(reasons))
    return tuple(result)


def patient_numbers(pooled: PooledEvidence, traits: Traits, setting: Design) -> PatientNumbers:
    """Compute all numbers of one patient."""
    values = {trait.id: traits[trait.id].value for trait in MODEL_TRAITS}
    levels = pooled.levels[setting]
    outside = outside_evidence(pooled, values)
    # Variances add: each reason is one more step outside, and none of them is known to be the same step as another.
    added = np.array([len(reasons) * pooled.assumptions["outside_evidence_sd"] ** 2 for reasons in outside])
    extra = added[pooled.cell_class]
    patients = conditional_patients(pooled.population, [model_scale(trait, value) for trait, value in values.items()])
    predictor = linear_predictor(pooled, levels, patients, extra)
    return PatientNumbers(
        pooled=pooled,
        levels=levels,
        traits=traits,
        patients=patients,
        predictor=predictor,
        rates=rates(pooled, levels, predictor),
        outside=outside,
        extra=extra,
    )


def from_decision(numbers: PatientNumbers) -> dict[int, tuple[float, float, float]]:
    """Response rates of CAR-T counted from apheresis: median and 95 % interval, by the index of their cell.

    The rate from infusion times the chance of reaching it, by the fixed quasi-random draws of both. Cells of other
    classes and families, and those without known attrition, are not in the result.
    """
    pairs = []
    for index, cell in enumerate(numbers.pooled.cells):
        if CLASSES[cell.class_index] == "car_t" and cell.family == "response":
            # Few products print who was apheresed and not infused; for the others the rate of the class stands in.
            own = numbers.place.get(("apheresed_not_infused", cell.option))
            lost = numbers.place.get(("apheresed_not_infused", "car_t")) if own is None else own
            if lost is not None:
                pairs.append((index, lost))
    if not pairs:
        return {}
    noise = numbers.pooled.population.noise
    sides = []
    # A column each, so that response and attrition are drawn apart; the third column, since the second is the other
    # class of the contrasts. Groups of patients stand beside those of like rank: attrition has no trait effect so far.
    for side, column in ((0, 0), (1, 2)):
        cells = [pair[side] for pair in pairs]
        mean, sd = numbers.predictor.mean[cells], np.sqrt(numbers.predictor.variance[cells])
        sides.append(logistic(mean[:, :, None] + sd[:, :, None] * noise[:, column]).reshape(len(cells), -1))
    # The whole table, with nothing in the cells that have no such rate: in_order knows thresholds by the place of
    # cells.
    table = np.full((len(numbers.pooled.cells), 3), np.nan)
    table[[pair[0] for pair in pairs]] = sample_quantiles(sides[0] * (1.0 - sides[1]), (0.5, 0.025, 0.975))
    table = in_order(numbers.pooled, table)
    return {index: (float(table[index, 0]), float(table[index, 1]), float(table[index, 2])) for index, _ in pairs}


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
    cells = [index for index, cell in enumerate(pooled.cells) if cell.option in CLASSES]
    family, klass = pooled.cell_family[cells], pooled.cell_class[cells]
    offset = numbers.predictor.offset[family, klass]
    # The variance of the mixture less that of the patients, who enter one by one through their offsets: what is left is
    # what the parameters leave open. The floor is for rounding where a cell has hardly any of that.
    total = numbers.predictor.variance[cells].mean(axis=1) + numbers.predictor.mean[cells].var(axis=1)
    sd = np.sqrt(np.maximum(total - offset.var(axis=1), 0.0))
    # Five nodes for every virtual patient: moves below a point are not listed, and nine nodes would take almost twice
    # the time.
    rate = expected_logistic(numbers.levels.mean[cells][:, None] + offset, sd[:, None], points=5)
    result = {}
    for trait in traits:
        position = MODEL_TRAIT_IDS.index(trait)
        values = numbers.patients.values[:, position]
        binary = TRAIT_KINDS[trait] == "binary"
        # Fifths, not the ends: the highest of 512 virtual ages is nobody whom a clinic is about to learn of.
        low, high = (0.5, 0.5) if binary else sample_quantiles(values, (0.2, 0.8)).tolist()
        groups = np.array([values <= low, values > high] if binary else [values <= low, values >= high], dtype=float)
        sizes = groups.sum(axis=1)
        if not sizes.all():
            continue
        ends = (groups @ values / sizes).tolist()
        ends = ends if binary else [natural_scale(trait, end) for end in ends]
        at = (rate @ groups.T / sizes).tolist()
        moves = []
        for row, index in enumerate(cells):
            if pooled.used[family[row], klass[row], position]:
                first, second = (0, 1) if at[row][0] <= at[row][1] else (1, 0)
                cell = pooled.cells[index]
                moves.append(
                    TraitMove(cell.outcome, cell.option, at[row][first], at[row][second], ends[first], ends[second])
                )
        result[trait] = tuple(moves)
    return result


def cumulative_means(numbers: PatientNumbers) -> tuple[Sequence[str | None], Array]:
    """Mean rate of every cell as the known traits are taken into account one after the other.

    Returns
    -------
    traits, means
        ``traits[0]`` is None (an average patient of the evidence), then the known traits in the model's order;
        means have shape (steps, cells).
    """
    pooled = numbers.pooled
    known = [trait.id for trait in MODEL_TRAITS if numbers.traits[trait.id].value is not None]
    steps: list[str | None] = [None, *known]
    means = []
    for count in range(len(steps)):
        so_far = set(known[:count])
        values = [
            model_scale(trait.id, numbers.traits[trait.id].value) if trait.id in so_far else None
            for trait in MODEL_TRAITS
        ]
        patients = conditional_patients(pooled.population, values)
        # Without the extra variance of lying outside the evidence: it is no trait's doing, and the last step of the
        # waterfall, to the patient's own numbers, takes it up.
        predictor = linear_predictor(pooled, numbers.levels, patients, np.zeros(len(pooled.cells)))
        means.append(rates(pooled, numbers.levels, predictor).mean)
    return steps, np.array(means)
