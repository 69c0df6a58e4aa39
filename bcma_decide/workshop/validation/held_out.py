"""Every study left out with all that overlaps it, and its arm totals predicted from the others.

The baselines are refitted without the study's rows, the trait effects without its contrasts; the arm is then predicted
at a new centre for its own reported patients. What stays as it was: the margins of traits that arms do not report, and
the correlation of the traits, which no outcome informs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from bcma_decide.vocabulary import FAMILY_OF, OUTCOMES, Family
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.selection import SelectedRow
from bcma_decide.workshop.patient_model.baselines import BaselinePrior
from bcma_decide.workshop.patient_model.class_fit import BASELINE_POINTS, baseline_prior, fit_class, model_rows
from bcma_decide.workshop.patient_model.contrasts import FamilyContrasts, family_contrasts
from bcma_decide.workshop.patient_model.family_fit import FamilyEffects, fit_family
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop, prepare
from bcma_decide.workshop.patient_model.virtual_cohort import cohort
from bcma_decide.workshop.validation.forecast import Forecast, grid, normal_mixture

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """What one run works on, read once: rows by outcome, contrasts by family, and who belongs together."""

    inputs: Inputs
    workshop: Workshop
    rows: Mapping[str, tuple[SelectedRow, ...]]
    contrasts: Mapping[str, FamilyContrasts]
    together: Mapping[str, frozenset[str]]
    """Study -> the studies that share patients or a trial with it, itself included."""


def gather(inputs: Inputs) -> Evidence:
    """Select rows and contrasts as the fit does."""
    workshop = prepare(inputs)
    families = {FAMILY_OF[outcome].id: FAMILY_OF[outcome] for outcome in OUTCOMES}
    return Evidence(
        inputs=inputs,
        workshop=workshop,
        rows={outcome: tuple(model_rows(inputs, outcome, include_unverified=False)[0]) for outcome in OUTCOMES},
        contrasts={name: family_contrasts(inputs, workshop, family) for name, family in families.items()},
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


def family_effects(evidence: Evidence, family: Family, without: frozenset[str]) -> FamilyEffects:
    """Trait effects of a family without some studies."""
    contrasts = [c for c in evidence.contrasts[family.id].contrasts if c.patients not in without]
    return fit_family(evidence.inputs.assumptions, evidence.workshop, family, contrasts)


def patient_model(evidence: Evidence, effects: Array, covariance: Array, prior: BaselinePrior | None = None) -> Predict:
    """Predict by the patient-level model with these trait effects of one class: (traits,), (traits, traits)."""
    stated = prior or baseline_prior(evidence.inputs.assumptions)

    def predict(rows: Sequence[SelectedRow], target: SelectedRow) -> Forecast:
        base = fit_class(evidence.workshop, evidence.inputs, rows, effects, stated, target).baselines
        study = evidence.inputs.studies[target.study]
        margins = evidence.workshop.margins_of(study)
        patients = cohort(evidence.workshop.latent[:BASELINE_POINTS], margins) - evidence.workshop.reference
        offsets = patients @ effects
        gradient = base.slope[0] + patients.mean(axis=0)
        unreported = np.array([0.0 if margin.reported else margin.uncertainty for margin in margins])
        extra = float(gradient @ covariance @ gradient) + float(((effects * unreported) ** 2).sum())
        mean = base.node_mean[:, 0]
        variance = base.node_covariance[:, 0, 0] + base.node_tau**2 + extra
        points = grid(float(mean.min()), float(mean.max()), float(np.sqrt(variance.max())))
        share = target.infused_share or 1.0
        rate = share * expit(points[:, None] + offsets).mean(axis=1)
        return normal_mixture(base.node_weight, mean, variance, rate)

    return predict


def held_out_cells(evidence: Evidence) -> list[tuple[str, SelectedRow, list[SelectedRow]]]:
    """(outcome, row, the rows it is predicted from) of every row that has at least two others of its class."""
    cells = []
    for outcome in OUTCOMES:
        for row in evidence.rows[outcome]:
            mates = evidence.together[row.study]
            rest = [r for r in evidence.rows[outcome] if r.class_id == row.class_id and r.study not in mates]
            if len(rest) >= 2:
                cells.append((outcome, row, rest))
    return cells
