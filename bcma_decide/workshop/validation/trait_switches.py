"""Which traits act, how that hangs on the priors, and what evidence would switch another one on.

A trait acts in a class where the contrasts of that class carry enough information (`family_fit.acting_traits`); what is
missing is told as patients of new studies whose two groups are equally large.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from bcma_decide.vocabulary import CLASSES, FAMILIES, MODEL_TRAIT_IDS, ClassId, Family
from bcma_decide.workshop.evidence.assumptions import Assumptions
from bcma_decide.workshop.evidence.selection import select
from bcma_decide.workshop.patient_model.contrasts import FamilyContrasts, family_contrasts
from bcma_decide.workshop.patient_model.family_fit import fit_every_trait, trait_prior
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop, prepare
from bcma_decide.workshop.patient_model.trait_effects import TraitEffects
from bcma_decide.workshop.validation.sensitivity import scaled_priors

Fits = Mapping[str, tuple[TraitEffects, NDArray[np.bool_]]]
"""By family: the fit of all its traits, and which act, (classes, traits)."""

HALF = 0.5
"""A new study is asked for no more than half of the information that endless patients of one study would give."""


@dataclass(frozen=True)
class Switch:
    """What would switch one trait on in one class of one family.

    ``information`` of the class's own contrasts, and ``needed``. ``studies`` new ones of ``patients`` each, half of
    them with the trait, would carry the rest; both None where no study of the class counts the family.
    """

    family: str
    class_id: ClassId
    trait: str
    information: float
    needed: float
    studies: int | None
    patients: int | None

    @property
    def missing(self) -> float:
        """Information that is missing."""
        return self.needed - self.information


@dataclass(frozen=True)
class Switches:
    """Acting traits by family and class, at the priors as stated, halved and doubled, and what is not acting."""

    acting: dict[tuple[str, ClassId], tuple[str, ...]]
    halved: dict[tuple[str, ClassId], tuple[str, ...]]
    doubled: dict[tuple[str, ClassId], tuple[str, ...]]
    off: tuple[Switch, ...]
    """The nearest to acting first: by patients, then by information."""


def trait_switches(inputs: Inputs) -> Switches:
    """Fit the trait effects of every family under three sets of priors.

    Raises
    ------
    SynthesisError
        When a fit does not settle.
    """
    workshop = prepare(inputs)
    contrasts = {family.id: family_contrasts(inputs, workshop, family) for family in FAMILIES}
    stated = _fits(inputs.assumptions, workshop, contrasts)
    off = [switch for family in FAMILIES for switch in _off(inputs, family, *stated[family.id])]
    return Switches(
        acting=_acting(stated),
        halved=_acting(_fits(scaled_priors(inputs.assumptions, 0.5), workshop, contrasts)),
        doubled=_acting(_fits(scaled_priors(inputs.assumptions, 2.0), workshop, contrasts)),
        off=tuple(sorted(off, key=_distance)),
    )


def _fits(assumptions: Assumptions, workshop: Workshop, contrasts: dict[str, FamilyContrasts]) -> Fits:
    return {
        family.id: fit_every_trait(assumptions, workshop, family, contrasts[family.id].contrasts) for family in FAMILIES
    }


def _acting(fits: Fits) -> dict[tuple[str, ClassId], tuple[str, ...]]:
    return {
        (family.id, class_id): tuple(
            trait for trait, acts in zip(MODEL_TRAIT_IDS, fits[family.id][1][index].tolist(), strict=True) if acts
        )
        for family in FAMILIES
        for index, class_id in enumerate(CLASSES)
        if class_id in family.classes
    }


def _off(inputs: Inputs, family: Family, every: TraitEffects, acting: NDArray[np.bool_]) -> Iterator[Switch]:
    share = inputs.assumptions.trait_effects.information_share.value
    needed: NDArray[np.float64] = share / (every.trait_sd**2 + every.class_difference_sd**2)
    prior = trait_prior(inputs.assumptions, family.id)
    contrast_sd = prior.contrast_sd if prior.contrast_sd_fixed else every.contrast_sd
    for index, class_id in enumerate(CLASSES):
        if class_id not in family.classes:
            continue
        rate = class_rate(inputs, family, class_id)
        for position, trait in enumerate(MODEL_TRAIT_IDS):
            information, threshold = float(every.information[index, position]), float(needed[position])
            if acting[index, position] or information >= threshold:
                continue
            missing = threshold - information
            studies, patients = (None, None) if rate is None else studies_needed(missing, rate, contrast_sd)
            yield Switch(family.id, class_id, trait, information, threshold, studies, patients)


def class_rate(inputs: Inputs, family: Family, class_id: ClassId) -> float | None:
    """Crude rate of the class at the threshold of a family that tells most, the one nearest to one half."""
    rates = []
    for threshold in family.thresholds:
        rows = [row for row in select(inputs.catalogue, threshold.id).rows if row.class_id == class_id]
        if rows:
            events, patients = sum(row.events for row in rows), sum(row.n for row in rows)
            rates.append((events + 0.5) / (patients + 1.0))
    return min(rates, key=lambda rate: abs(rate - 0.5)) if rates else None


def studies_needed(missing: float, rate: float, contrast_sd: float) -> tuple[int, int]:
    """Fewest new studies, and patients of each, half of them with the trait, that carry the missing information.

    A contrast of n patients in two equal groups has the variance v = 4 / (n p (1 - p)) and carries 1 / (v + tau_b^2).

    Parameters
    ----------
    missing
        Information, one over a squared log odds ratio.
    rate
        Rate in both groups.
    contrast_sd
        tau_b, the spread of one trait's effect between studies; it bounds what one study can say.
    """
    studies = max(1, ceil(missing * contrast_sd**2 / HALF))
    variance = studies / missing - contrast_sd**2
    return studies, 2 * ceil(2.0 / (rate * (1.0 - rate) * variance))


def _distance(switch: Switch) -> tuple[bool, int, float, str, str, str]:
    total = 0 if switch.studies is None or switch.patients is None else switch.studies * switch.patients
    return switch.studies is None, total, switch.missing, switch.family, switch.class_id, switch.trait


def nearest(switches: Sequence[Switch]) -> tuple[Switch, ...]:
    """Of each family and class the trait that is nearest to acting, in the order given."""
    first: dict[tuple[str, str], Switch] = {}
    for switch in switches:
        first.setdefault((switch.family, switch.class_id), switch)
    return tuple(first.values())
