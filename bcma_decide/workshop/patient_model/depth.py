"""Trait effects on the depth of a response: they follow those on response, with a small spread of their own.

Among responders the log odds of a complete response move by ``share`` times the effect on response, plus a deviation
that published counts of complete responses among responders may move (partial pooling).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bcma_decide.vocabulary import CLASSES, CR_GIVEN_RESPONSE, MODEL_TRAIT_IDS
from bcma_decide.workshop.evidence.splits import SplitContrast, select_splits
from bcma_decide.workshop.patient_model.contrasts import split_contrast
from bcma_decide.workshop.patient_model.effect_contrast import EffectContrast
from bcma_decide.workshop.patient_model.family_fit import FamilyEffects, trait_prior
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop
from bcma_decide.workshop.patient_model.trait_effects import fit_trait_effects

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DepthEffects:
    """Effects on depth among responders: ``share`` times the response effect plus a deviation.

    ``deviation`` (classes, traits), ``covariance`` (classes * traits, classes * traits) of the deviation.
    """

    share: float
    deviation: Array
    covariance: Array

    def effects(self, response: Array) -> Array:
        """The effects themselves, shape (classes, traits), at these effects on response."""
        return self.share * response + self.deviation


def depth_contrasts(inputs: Inputs, workshop: Workshop, *, include_unverified: bool = False) -> list[EffectContrast]:
    """Complete responses among the responders of both groups, where a study counted both of the same patients."""
    selection = select_splits(inputs.catalogue, "response", include_unverified=include_unverified)
    found: dict[tuple[str, str | None, str], dict[str, SplitContrast]] = {}
    for split in selection.contrasts:
        found.setdefault((split.study, split.arm, split.trait), {})[split.outcome] = split
    contrasts = []
    for _, splits in sorted(found.items(), key=lambda item: tuple(map(str, item[0]))):
        response, complete = splits.get("orr"), splits.get("cr_or_better")
        if response is None or complete is None or not _same_patients(response, complete):
            continue
        among = replace(complete, high_n=response.high_events, low_n=response.low_events)
        made = split_contrast([among], inputs.catalogue.study(among.study), workshop)
        contrasts.append(replace(made, thresholds=(CR_GIVEN_RESPONSE,)))
    return contrasts


def _same_patients(response: SplitContrast, complete: SplitContrast) -> bool:
    return (response.high_n, response.low_n) == (complete.high_n, complete.low_n) and all(
        0 < deep <= all_of
        for deep, all_of in (
            (complete.high_events, response.high_events),
            (complete.low_events, response.low_events),
        )
    )


def fit_depth(
    inputs: Inputs, workshop: Workshop, response: FamilyEffects, contrasts: Sequence[EffectContrast]
) -> DepthEffects:
    """Deviations of the acting traits, given the mean effects on response.

    Raises
    ------
    SynthesisError
        When the repeated linearisation does not settle.
    """
    stated = inputs.assumptions.trait_effects.depth
    everything = np.ones(len(MODEL_TRAIT_IDS), dtype=bool)
    prior = replace(
        trait_prior(inputs.assumptions, "response"),
        groups=((stated.deviation_sd_scale.value, everything),),
        shared=~everything,
    )
    centre = stated.share.value * response.mean
    usable = [c for c in contrasts if response.acting[c.class_index, c.trait_index]]
    fitted = fit_trait_effects(
        usable,
        len(MODEL_TRAIT_IDS),
        len(CLASSES),
        workshop.correlation,
        prior,
        acting=response.acting,
        prior_mean=centre,
    )
    keep = response.acting.reshape(-1)
    return DepthEffects(
        share=stated.share.value,
        deviation=np.where(response.acting, fitted.mean - centre, 0.0),
        covariance=fitted.covariance * np.outer(keep, keep),
    )
