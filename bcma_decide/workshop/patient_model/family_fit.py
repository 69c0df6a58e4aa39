"""Trait effects of one family: priors as the assumptions state them, and only the traits that act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcma_decide.vocabulary import CLASSES, MODEL_TRAIT_IDS, Family
from bcma_decide.workshop.evidence.assumptions import Assumptions
from bcma_decide.workshop.patient_model.effect_contrast import EffectContrast
from bcma_decide.workshop.patient_model.preparation import Workshop
from bcma_decide.workshop.patient_model.trait_effects import TraitEffects, TraitPrior, fit_trait_effects

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FamilyEffects:
    """Trait effects of one family.

    ``mean`` (classes, traits) and ``covariance`` (classes * traits, classes * traits) are zero where a trait does not
    act. ``acting`` marks the traits that move numbers. ``every`` is the fit of all traits, which ``acting`` was chosen
    from; ``posterior`` that of the acting ones.
    """

    mean: Array
    covariance: Array
    acting: NDArray[np.bool_]
    every: TraitEffects
    posterior: TraitEffects


def trait_prior(assumptions: Assumptions, family: str) -> TraitPrior:
    """The prior of one family's trait effects."""
    stated = assumptions.trait_effects
    groups = tuple((group.scale, _marked(group.traits)) for group in stated.groups if family in group.families)
    spread = next(each for each in stated.contrast_spreads if family in each.families)
    return TraitPrior(
        groups=groups,
        shared=_marked(stated.shared.traits if family in stated.shared.families else ()),
        class_difference_sd=stated.shared.class_difference_sd_scale.value,
        contrast_sd=spread.value,
        contrast_sd_fixed=spread.fixed,
    )


def fit_family(
    assumptions: Assumptions,
    workshop: Workshop,
    family: Family,
    contrasts: Sequence[EffectContrast],
    admitted: NDArray[np.bool_] | None = None,
) -> FamilyEffects:
    """Fit all traits, keep those that act, and fit these once more.

    ``admitted`` (classes, traits): which of them may act at all; default all.

    Raises
    ------
    SynthesisError
        When the repeated linearisation does not settle.
    """
    every, acting = fit_every_trait(assumptions, workshop, family, contrasts)
    if admitted is not None:
        acting &= admitted
    prior = trait_prior(assumptions, family.id)
    posterior = fit_trait_effects(
        contrasts, len(MODEL_TRAIT_IDS), len(CLASSES), workshop.correlation, prior, acting=acting
    )
    keep = acting.reshape(-1)
    return FamilyEffects(
        mean=np.where(acting, posterior.mean, 0.0),
        covariance=posterior.covariance * np.outer(keep, keep),
        acting=acting,
        every=every,
        posterior=posterior,
    )


def fit_every_trait(
    assumptions: Assumptions, workshop: Workshop, family: Family, contrasts: Sequence[EffectContrast]
) -> tuple[TraitEffects, NDArray[np.bool_]]:
    """The fit of all traits, and which of them act in which class, (classes, traits).

    A trait acts in a class by the information of that class's own contrasts (`acting_traits`); one that is shared
    between the classes acts in both as soon as it acts in one.

    Raises
    ------
    SynthesisError
        When the repeated linearisation does not settle.
    """
    prior = trait_prior(assumptions, family.id)
    every = fit_trait_effects(contrasts, len(MODEL_TRAIT_IDS), len(CLASSES), workshop.correlation, prior)
    acting = acting_traits(every, assumptions.trait_effects.information_share.value)
    acting |= acting.any(axis=0) & prior.shared
    acting &= np.array([class_id in family.classes for class_id in CLASSES])[:, None]
    return every, acting


def acting_traits(effects: TraitEffects, share: float) -> NDArray[np.bool_]:
    """Which traits act by themselves in which class: where the class's own contrasts say enough beside the prior.

    Their information exceeds ``share / (s_b^2 + s_d^2)``, the scales at their posterior means; shape (classes, traits).
    """
    return effects.seen & (effects.information > share / (effects.trait_sd**2 + effects.class_difference_sd**2))


def _marked(traits: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([trait in traits for trait in MODEL_TRAIT_IDS])
