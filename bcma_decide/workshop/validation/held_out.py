"""Every study left out with all that overlaps it, and its arm totals predicted from the others.

The baselines are refitted without the study's rows, the trait effects without its contrasts; the arm is then predicted
at a new centre for its own reported patients. What stays as it was: the margins of traits that arms do not report, and
the correlation of the traits, which no outcome informs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bcma_decide.errors import SynthesisError
from bcma_decide.model.kept import Kept
from bcma_decide.vocabulary import CLASSES, FAMILIES, FAMILY_OF, OUTCOMES, STAGES, Family
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.selection import SelectedRow
from bcma_decide.workshop.patient_model.class_fit import arm_patients, baseline_prior, model_rows
from bcma_decide.workshop.patient_model.contrasts import FamilyContrasts, family_contrasts
from bcma_decide.workshop.patient_model.depth import depth_contrasts, fit_depth
from bcma_decide.workshop.patient_model.effect_contrast import EffectContrast
from bcma_decide.workshop.patient_model.family_fit import fit_family
from bcma_decide.workshop.patient_model.family_levels import FamilyRows, StageEffects, arm_levels, stage_effects
from bcma_decide.workshop.patient_model.fit import has_later_stages
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop, prepare
from bcma_decide.workshop.validation.arm_forecast import StageForecast, arm_forecast
from bcma_decide.workshop.validation.forecast import Forecast

Array = NDArray[np.float64]

EFFECTS_KEPT = 40
"""Fits of trait effects without some studies at hand: as many as there are, a hundred kilobytes each."""
FEWEST_OTHERS = 2
"""Rows of a class from which another is predicted."""


@dataclass(frozen=True)
class Evidence:
    """What one run works on, read once: rows by outcome, contrasts by family, and who belongs together."""

    inputs: Inputs
    workshop: Workshop
    rows: Mapping[str, tuple[SelectedRow, ...]]
    contrasts: Mapping[str, FamilyContrasts]
    depth_contrasts: tuple[EffectContrast, ...]
    """Complete response among responders by a trait."""
    together: Mapping[str, frozenset[str]]
    """Study -> the studies that share patients or a trial with it, itself included."""
    effects: Kept[Hashable, HeldOutEffects] = field(
        default_factory=lambda: Kept(EFFECTS_KEPT), repr=False, compare=False
    )
    """Trait effects by family and the studies they were fitted without."""


def gather(inputs: Inputs) -> Evidence:
    """Select rows and contrasts as the fit does."""
    workshop = prepare(inputs)
    return Evidence(
        inputs=inputs,
        workshop=workshop,
        rows={outcome: tuple(model_rows(inputs, outcome, include_unverified=False)[0]) for outcome in OUTCOMES},
        contrasts={family.id: family_contrasts(inputs, workshop, family) for family in FAMILIES},
        depth_contrasts=tuple(depth_contrasts(inputs, workshop)),
        together=_together(inputs.catalogue),
    )


def _together(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    groups = {}
    for study in catalogue.studies:
        mates = {study.id, *study.overlaps_with}
        mates |= {
            other.id
            for other in catalogue.studies
            if study.id in other.overlaps_with or (study.trial is not None and other.trial == study.trial)
        }
        groups[study.id] = frozenset(mates)
    return groups


Predict = Callable[[Sequence[SelectedRow], SelectedRow], Forecast]
"""Other rows of the class at this outcome, and the row to predict -> its forecast."""


@dataclass(frozen=True)
class HeldOutEffects:
    """Trait effects of a family without some studies.

    ``of_class`` by class; ``covariance`` (classes, traits, classes, traits) at the first and at the later stages.
    """

    of_class: tuple[StageEffects, ...]
    covariance: tuple[Array, Array]


def effects_without(evidence: Evidence, family: Family, without: frozenset[str]) -> HeldOutEffects:
    """Trait effects of a family without some studies, fitted once and kept with the evidence.

    Raises
    ------
    SynthesisError
        When the fit does not settle.
    """
    return evidence.effects.get((family.id, without), lambda: _fitted_without(evidence, family, without))


def _fitted_without(evidence: Evidence, family: Family, without: frozenset[str]) -> HeldOutEffects:
    contrasts = [c for c in evidence.contrasts[family.id].contrasts if c.patients not in without]
    response = fit_family(evidence.inputs.assumptions, evidence.workshop, family, contrasts)
    depth, covariance = None, response.covariance
    if has_later_stages(family):
        among = [c for c in evidence.depth_contrasts if c.patients not in without]
        depth = fit_depth(evidence.inputs, evidence.workshop, response, among)
        covariance = depth.share**2 * response.covariance + depth.covariance
    shape = (len(CLASSES), response.mean.shape[1]) * 2
    return HeldOutEffects(
        of_class=stage_effects(response, depth),
        covariance=(response.covariance.reshape(shape), covariance.reshape(shape)),
    )


def model_forecast(
    evidence: Evidence,
    outcome: str,
    target: SelectedRow,
    effects: HeldOutEffects,
) -> Forecast:
    """Predict one arm by the patient-level model, without every study that belongs together with its own.

    Raises
    ------
    SynthesisError
        When a fit does not converge.
    """
    family = FAMILY_OF[outcome]
    class_index = CLASSES.index(target.class_id)
    rows = {threshold.id: others(evidence, threshold.id, target) for threshold in family.thresholds}
    of_class = effects.of_class[class_index]
    inputs = evidence.inputs
    data = FamilyRows(evidence.workshop, inputs, family, rows, of_class, baseline_prior(inputs.assumptions))
    levels = arm_levels(data, outcome, target)
    patients, unreported = arm_patients(evidence.workshop, inputs.studies[target.study])
    stages = []
    for position, (stage, fitted) in enumerate(zip(STAGES[outcome], levels, strict=True)):
        if fitted is None:
            raise SynthesisError(f"{outcome}: no other study counts {stage}")
        base, own = fitted.baselines, of_class.of(stage)
        gradient = base.slope[0] + patients.mean(axis=0)
        covariance = effects.covariance[min(position, 1)][class_index, :, class_index, :]
        extra = float(gradient @ covariance @ gradient) + float(((own * unreported) ** 2).sum())
        variance = base.node_covariance[:, 0, 0] + base.node_tau**2 + extra
        stages.append(StageForecast(base.node_weight, base.node_mean[:, 0], variance, patients @ own))
    return arm_forecast(stages, target.infused_share or 1.0)


def others(evidence: Evidence, outcome: str, target: SelectedRow) -> list[SelectedRow]:
    """Rows of the target's class at an outcome, without every study that belongs together with its own."""
    mates = evidence.together[target.study]
    return [row for row in evidence.rows[outcome] if row.class_id == target.class_id and row.study not in mates]


def held_out_cells(evidence: Evidence) -> list[tuple[str, SelectedRow, list[SelectedRow]]]:
    """(outcome, row, the rows it is predicted from) of every row that has enough others of its class."""
    cells = [(outcome, row, others(evidence, outcome, row)) for outcome in OUTCOMES for row in evidence.rows[outcome]]
    return [(outcome, row, rest) for outcome, row, rest in cells if len(rest) >= FEWEST_OTHERS]
