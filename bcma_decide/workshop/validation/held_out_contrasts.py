"""Every published contrast predicted from the others of its family: trait effects have to earn their size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bcma_decide.vocabulary import CLASSES, FAMILIES, MODEL_TRAIT_IDS
from bcma_decide.workshop.patient_model.effect_contrast import EffectContrast, linearised
from bcma_decide.workshop.patient_model.family_fit import FamilyEffects, fit_family
from bcma_decide.workshop.validation.held_out import Evidence
from bcma_decide.workshop.validation.shapes import ContrastGroup, HeldOutContrast

Array = NDArray[np.float64]

RESPONSE, TOXICITY = "response", "toxicity"
_FAMILIES: Final = {family.id: family for family in FAMILIES}


def contrast_sets(evidence: Evidence) -> list[tuple[str, str]]:
    """(family, patient set) of every contrast: those of one set are left out together."""
    return list(
        dict.fromkeys(
            (family, contrast.patients) for family, of in evidence.contrasts.items() for contrast in of.contrasts
        )
    )


def predict_contrasts(evidence: Evidence, family_id: str, patients: str) -> list[HeldOutContrast]:
    """Predict the contrasts of one patient set from those of studies that share nothing with it."""
    mates = evidence.together.get(patients, frozenset()) | {patients}
    contrasts = evidence.contrasts[family_id].contrasts
    rest = [contrast for contrast in contrasts if contrast.patients not in mates]
    effects = fit_family(evidence.inputs.assumptions, evidence.workshop, _FAMILIES[family_id], rest)
    held_out = [contrast for contrast in contrasts if contrast.patients == patients]
    return [_predicted(evidence, family_id, contrast, effects) for contrast in held_out]


def _predicted(evidence: Evidence, family: str, contrast: EffectContrast, effects: FamilyEffects) -> HeldOutContrast:
    expected, gradient = linearised(contrast, effects.mean[contrast.class_index])
    thresholds = contrast.difference.size
    # The spread between studies is one draw for all thresholds of a contrast, as in the fit.
    spread = effects.posterior.contrast_sd**2
    covariance = gradient @ _covariance(effects, contrast.class_index) @ gradient.T + contrast.covariance + spread
    gap = contrast.difference - expected
    square = float(gap @ np.linalg.solve(covariance, gap))
    log_density = -0.5 * (square + float(np.linalg.slogdet(2.0 * np.pi * covariance)[1]))
    return HeldOutContrast(
        family=family,
        group=_group(evidence, family),
        study=contrast.patients,
        class_id=CLASSES[contrast.class_index],
        trait=MODEL_TRAIT_IDS[contrast.trait_index],
        observed=tuple(contrast.difference.tolist()),
        predicted=tuple(expected.tolist()),
        squared_error=square / thresholds,
        log_score=-log_density / thresholds,
    )


def _covariance(effects: FamilyEffects, class_index: int) -> Array:
    """What is left open about the effects of one class, (traits, traits).

    A trait that does not act moves no number, but that its effect is 0 is not known: what the fit of all traits leaves
    open about it counts.
    """
    count = len(MODEL_TRAIT_IDS)
    of_class = slice(class_index * count, (class_index + 1) * count)
    silent = ~effects.acting[class_index]
    every = effects.every.covariance[of_class, of_class] * np.outer(silent, silent)
    return np.asarray(effects.covariance[of_class, of_class] + every)


def _group(evidence: Evidence, family: str) -> str:
    """Families that share the spread of their contrasts with response, and the others."""
    spreads = evidence.inputs.assumptions.trait_effects.contrast_spreads
    return RESPONSE if any({RESPONSE, family} <= set(spread.families) for spread in spreads) else TOXICITY


def contrast_groups(contrasts: Sequence[HeldOutContrast]) -> tuple[ContrastGroup, ...]:
    """Mean scores: response, toxicity, then every family with a contrast."""
    labels = {family.id: family.label for family in FAMILIES}
    parts = [(f"all {group} contrasts", [c for c in contrasts if c.group == group]) for group in (RESPONSE, TOXICITY)]
    parts += [
        (labels[family], [c for c in contrasts if c.family == family])
        for family in dict.fromkeys(c.family for c in contrasts)
    ]
    return tuple(
        ContrastGroup(
            label=label,
            contrasts=len(members),
            squared_error=float(np.mean([c.squared_error for c in members])),
            log_score=float(np.mean([c.log_score for c in members])),
        )
        for label, members in parts
        if members
    )
