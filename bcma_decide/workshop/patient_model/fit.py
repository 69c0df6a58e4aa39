"""fit(): the evidence in, the pooled evidence out. The only door to the patient-level synthesis.

The result is a plain document (the content of pooled.json): estimates, covariances, the evidence population, and for
every estimate the study rows behind it. Deterministic: fixed quasi-random points, fixed grids, rounded floats.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcma_decide.vocabulary import CLASSES, FAMILIES, PFS, STAGE_IDS, STAGES, Family
from bcma_decide.workshop.patient_model.class_fit import baseline_prior, model_rows
from bcma_decide.workshop.patient_model.contrasts import FamilyContrasts, family_contrasts
from bcma_decide.workshop.patient_model.depth import depth_contrasts, fit_depth
from bcma_decide.workshop.patient_model.document import depth_block, effects_block, make_document, options_of
from bcma_decide.workshop.patient_model.family_fit import fit_family
from bcma_decide.workshop.patient_model.family_levels import FamilyRows, StageEffects, product_levels, stage_effects
from bcma_decide.workshop.patient_model.option_blocks import LATER_NODES, NODES, levels_block, option_entry, study_lines
from bcma_decide.workshop.patient_model.preparation import Inputs, prepare
from bcma_decide.workshop.survival.document import survival_block
from bcma_decide.workshop.survival.fit import fit_survival

Array = NDArray[np.float64]
Progress = Callable[[str], None]


def fit(inputs: Inputs, *, include_unverified: bool = False, progress: Progress = lambda _: None) -> dict[str, Any]:
    """Fit everything and return the document of the pooled file.

    Parameters
    ----------
    inputs
        Catalogue, assumptions, correlations, pooled effects of other reviews, definitions.
    include_unverified
        Also use recalled figures; the document says so. For sensitivity only.
    progress
        Called with a line before each step; there are :func:`step_count` of them.

    Raises
    ------
    SynthesisError
        When a fit does not converge or a count is impossible.
    """
    progress("virtual cohorts")
    workshop = prepare(inputs)
    studies = inputs.studies
    options = options_of(inputs)
    families: dict[str, Any] = {}
    effects_of: dict[str, tuple[StageEffects, ...]] = {}
    contrasts_of: dict[str, FamilyContrasts] = {}
    for family in FAMILIES:
        progress(f"trait effects: {family.label}")
        found = family_contrasts(inputs, workshop, family, include_unverified=include_unverified)
        effects = fit_family(inputs.assumptions, workshop, family, found.contrasts)
        families[family.id] = effects_block(effects)
        depth = None
        if has_later_stages(family):
            among = depth_contrasts(inputs, workshop, include_unverified=include_unverified)
            depth = fit_depth(inputs, workshop, effects, among)
            families[family.id]["depth"] = depth_block(effects, depth)
            found = replace(found, contrasts=(*found.contrasts, *among))
        contrasts_of[family.id] = found
        effects_of[family.id] = stage_effects(effects, depth)

    prior = baseline_prior(inputs.assumptions)
    outcomes: dict[str, Any] = {}
    behind: dict[str, Any] = {}
    levels: dict[str, dict[str, Any]] = {stage: {} for stage in STAGE_IDS}
    for family in FAMILIES:
        progress(f"baselines: {family.label}")
        selected = {t.id: model_rows(inputs, t.id, include_unverified) for t in family.thresholds}
        lines: dict[str, list[dict[str, Any]]] = {outcome: [] for outcome in selected}
        outcomes |= {outcome: {} for outcome in selected}
        for index, class_id in enumerate(CLASSES):
            rows = {o: [row for row in found if row.class_id == class_id] for o, (found, _) in selected.items()}
            data = FamilyRows(workshop, inputs, family, rows, effects_of[family.id][index], prior)
            fitted = product_levels(data)
            for outcome in rows:
                fits = [fitted[stage] for stage in STAGES[outcome]]
                if fits[-1] is not None:
                    lines[outcome] += study_lines(rows[outcome], fits[-1], class_id, studies)
                for stage, fit_of_stage in zip(STAGES[outcome], fits, strict=True):
                    if fit_of_stage is not None and class_id in family.classes:
                        nodes = NODES if stage == STAGES[outcome][0] else LATER_NODES
                        levels[stage][class_id] = levels_block(fit_of_stage, nodes)
                for option in (o for o in options if o["class_id"] == class_id):
                    outcomes[outcome][option["id"]] = option_entry(
                        family, option, class_id, rows[outcome], fits, inputs
                    )
        for outcome, (_, left_out) in selected.items():
            behind[outcome] = {"studies": lines[outcome], "left_out": left_out}

    progress("progression-free survival")
    times = fit_survival(inputs, workshop, include_unverified=include_unverified)
    families[PFS] = effects_block(times.effects)
    contrasts_of[PFS] = FamilyContrasts(times.contrasts.contrasts, times.contrasts.left_out)
    survival = survival_block(times, inputs.assumptions, options)

    progress("writing")
    return make_document(
        inputs, workshop, options, families, contrasts_of, outcomes, levels, behind, survival, include_unverified
    )


def has_later_stages(family: Family) -> bool:
    """Whether an outcome of the family is made up of several stages."""
    return any(len(STAGES[threshold.id]) > 1 for threshold in family.thresholds)


def step_count() -> int:
    """How often :func:`fit` reports progress."""
    return 3 + 2 * len(FAMILIES)
