"""fit(): the evidence in, the pooled evidence out. The only door to the patient-level synthesis.

The result is a plain document (the content of pooled.json): estimates, covariances, the evidence population, and for
every estimate the study rows behind it. Deterministic: fixed quasi-random points, fixed grids, rounded floats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcma_decide.vocabulary import CLASSES, FAMILIES, FAMILY_OF, MODEL_TRAIT_IDS, OUTCOMES, Family
from bcma_decide.workshop.evidence.assumptions import Assumptions
from bcma_decide.workshop.patient_model.class_fit import fit_class, model_rows, option_entry, study_lines
from bcma_decide.workshop.patient_model.contrasts import FamilyContrasts, family_contrasts
from bcma_decide.workshop.patient_model.document import effects_block, make_document, options_of
from bcma_decide.workshop.patient_model.preparation import Inputs, prepare
from bcma_decide.workshop.patient_model.trait_effects import TraitEffects, TraitPrior, fit_trait_effects

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
    priors = inputs.assumptions.priors
    for family in FAMILIES:
        progress(f"trait effects: {family.label}")
        of_family = family_contrasts(inputs, workshop, family, include_unverified=include_unverified)
        contrasts_of[family.id] = of_family
        effects = fit_trait_effects(
            of_family.contrasts,
            len(MODEL_TRAIT_IDS),
            len(CLASSES),
            workshop.correlation,
            TraitPrior(
                priors.trait_sd_scale.value, priors.class_difference_sd_scale.value, priors.contrast_sd_scale.value
            ),
        )
        used = used_effects(family, effects, inputs.assumptions)
        # What stage 2 standardises by is what the bedside adds back: an effect that moves no patient must not move a
        # study either, or a patient like those of the study would not get the study's own rate.
        effects_of[family.id] = np.where(used, effects.mean, 0.0)
        families[family.id] = effects_block(effects, used)

    outcomes: dict[str, Any] = {}
    behind: dict[str, Any] = {}
    for outcome in OUTCOMES:
        progress(f"baselines: {outcome}")
        family = FAMILY_OF[outcome]
        rows, left_out = model_rows(inputs, outcome, include_unverified)
        entries: dict[str, Any] = {}
        lines: list[dict[str, Any]] = []
        for index, class_id in enumerate(CLASSES):
            of_class = [row for row in rows if row.class_id == class_id]
            # The effects go in as numbers and do not come back changed. If the arms' overall rates could update them,
            # differences between studies would speak about traits: the ecological fallacy that stage 1 leaves out.
            class_fit = fit_class(workshop, inputs, of_class, effects_of[family.id][index]) if of_class else None
            if class_fit:
                lines += study_lines(class_fit, class_id, studies)
            for option in (o for o in options if o["class_id"] == class_id):
                entries[option["id"]] = option_entry(family, option, class_id, class_fit, inputs)
            # A class too thin for a number has products that are thinner still: they say so in the words of the class.
            if entries[class_id]["state"] != "estimated":
                for option in (o for o in options if o["class_id"] == class_id and o["kind"] == "product"):
                    entries[option["id"]] = entries[class_id]
        outcomes[outcome] = entries
        behind[outcome] = {"studies": lines, "left_out": left_out}

    progress("writing")
    return make_document(inputs, workshop, options, families, contrasts_of, outcomes, behind, include_unverified)


def step_count() -> int:
    """How often :func:`fit` reports progress."""
    return 2 + len(FAMILIES) + len(OUTCOMES)


def used_effects(family: Family, effects: TraitEffects, assumptions: Assumptions) -> NDArray[np.bool_]:
    """Which effects may move numbers, shape (classes, traits): seen in the class, or borrowed where that is allowed."""
    used = effects.seen.copy()
    if family.id in assumptions.borrowing.families:
        for trait in assumptions.borrowing.traits:
            index = MODEL_TRAIT_IDS.index(trait)
            used[:, index] |= effects.seen[:, index].any()
    for index, class_id in enumerate(CLASSES):
        used[index] &= class_id in family.classes
    return used
