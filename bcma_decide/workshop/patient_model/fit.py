"""fit(): the evidence in, the pooled evidence out. The only door to the patient-level synthesis.

The result is a plain document (the content of pooled.json): estimates, covariances, the evidence population, and for
every estimate the study rows behind it. Deterministic: fixed quasi-random points, fixed grids, rounded floats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcma_decide.vocabulary import CLASSES, FAMILIES, FAMILY_OF, OUTCOMES
from bcma_decide.workshop.patient_model.class_fit import (
    baseline_prior,
    fit_class,
    levels_block,
    model_rows,
    option_entry,
    study_lines,
)
from bcma_decide.workshop.patient_model.contrasts import FamilyContrasts, family_contrasts
from bcma_decide.workshop.patient_model.document import effects_block, make_document, options_of
from bcma_decide.workshop.patient_model.family_fit import fit_family
from bcma_decide.workshop.patient_model.preparation import Inputs, prepare

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
    effects_of: dict[str, Array] = {}
    contrasts_of: dict[str, FamilyContrasts] = {}
    for family in FAMILIES:
        progress(f"trait effects: {family.label}")
        found = family_contrasts(inputs, workshop, family, include_unverified=include_unverified)
        contrasts_of[family.id] = found
        effects = fit_family(inputs.assumptions, workshop, family, found.contrasts)
        effects_of[family.id] = effects.mean
        families[family.id] = effects_block(effects)

    prior = baseline_prior(inputs.assumptions)
    outcomes: dict[str, Any] = {}
    behind: dict[str, Any] = {}
    blocks: dict[str, dict[str, Any]] = {}
    for outcome in OUTCOMES:
        progress(f"baselines: {outcome}")
        family = FAMILY_OF[outcome]
        rows, left_out = model_rows(inputs, outcome, include_unverified)
        entries: dict[str, Any] = {}
        blocks[outcome] = {}
        lines: list[dict[str, Any]] = []
        for index, class_id in enumerate(CLASSES):
            of_class = [row for row in rows if row.class_id == class_id]
            fitted = fit_class(workshop, inputs, of_class, effects_of[family.id][index], prior) if of_class else None
            if fitted:
                lines += study_lines(fitted, class_id, studies)
                if class_id in family.classes:
                    blocks[outcome][class_id] = levels_block(fitted)
            for option in (o for o in options if o["class_id"] == class_id):
                entries[option["id"]] = option_entry(family, option, class_id, fitted, inputs)
            # A class too thin for a number has products that are thinner still: they say so in the words of the class.
            if entries[class_id]["state"] != "estimated":
                for option in (o for o in options if o["class_id"] == class_id and o["kind"] == "product"):
                    entries[option["id"]] = entries[class_id]
        outcomes[outcome] = entries
        behind[outcome] = {"studies": lines, "left_out": left_out}

    progress("writing")
    return make_document(
        inputs, workshop, options, families, contrasts_of, outcomes, blocks, behind, include_unverified
    )


def step_count() -> int:
    """How often :func:`fit` reports progress."""
    return 2 + len(FAMILIES) + len(OUTCOMES)
