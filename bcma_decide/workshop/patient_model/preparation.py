"""What all families and outcomes of a fit share: the inputs, the virtual population, every arm's margins."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.kept import Kept
from bcma_decide.pooled.seal import SETTINGS
from bcma_decide.vocabulary import CLASSES, MODEL_TRAIT_IDS, scaled
from bcma_decide.workshop.evidence.assumptions import (
    Assumptions,
    CorrelationPair,
    CorrelationPrior,
    PooledEffects,
    TraitCorrelations,
)
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.eligibility import against_study
from bcma_decide.workshop.evidence.schema import Study
from bcma_decide.workshop.evidence.splits import ROLES
from bcma_decide.workshop.patient_model.baselines import NodeLevels
from bcma_decide.workshop.patient_model.margins import (
    FEWEST_ARMS,
    Reported,
    Spreads,
    arm_margins,
    evidence_margin,
    evidence_margins,
    reported_margins,
)
from bcma_decide.workshop.patient_model.virtual_cohort import (
    Margin,
    correlated_points,
    nearest_correlation,
    tetrachoric,
)

Array = NDArray[np.float64]

LEVELS_KEPT = 8
"""Fitted levels at hand, about a megabyte each: those of the stages of one family."""
COHORTS_KEPT = 400
"""Virtual patients of arms at hand, 35 kB each: those of all studies there are."""
COHORT_POINTS = 1024
"""Virtual patients of a contrast: enough that a level of one in fifty has about twenty of them."""


@dataclass(frozen=True)
class Inputs:
    """Everything the fit reads."""

    catalogue: Catalogue
    assumptions: Assumptions
    correlations: TraitCorrelations
    pooled_effects: PooledEffects
    definitions: Mapping[str, Any]
    rules: Mapping[str, Any]
    published: Mapping[str, Any]
    way: Mapping[str, Any]
    order: Mapping[str, Any]
    codes: Mapping[str, Any]
    assumed_correlations: bool = False
    """For sensitivity: whether correlations that no table shows enter too."""

    @cached_property
    def studies(self) -> Mapping[str, Study]:
        """Studies by id."""
        return {study.id: study for study in self.catalogue.studies}


@dataclass(frozen=True)
class Workshop:
    """What all families share: correlation, latent points, margins, the evidence population.

    ``levels`` and ``patients`` keep what several outcomes, and fits that leave a study out, ask for again.
    """

    correlation: Array
    latent: Array
    reference: Array
    reported: Mapping[str, Mapping[str, Reported]]
    margins: Mapping[tuple[str, str], Mapping[str, Margin]]
    population: Mapping[str, Margin]
    levels: Kept[Hashable, NodeLevels] = field(default_factory=lambda: Kept(LEVELS_KEPT), repr=False, compare=False)
    patients: Kept[Hashable, tuple[Array, Array]] = field(
        default_factory=lambda: Kept(COHORTS_KEPT), repr=False, compare=False
    )

    def margins_of(self, study: Study) -> list[Margin]:
        """Margins of a study's patients, in the model's trait order."""
        return arm_margins(self.reported[study.id], self.margins[study.class_id, study.design])


def trait_correlation(correlations: TraitCorrelations, prior: CorrelationPrior, *, assumed: bool = False) -> Array:
    """Latent correlation matrix of the model's traits, positive definite.

    Only what was seen counts: a published table without an empty cell, shrunk towards zero by its sampling error and
    the spread between cohorts. Every other pair is taken as uncorrelated; with ``assumed``, which is for sensitivity
    only, stated judgements and the other tables enter too, as they are.
    """
    matrix = np.eye(len(MODEL_TRAIT_IDS))
    for pair in correlations.pairs:
        seen = _seen(pair)
        if not (assumed or seen):
            continue
        i, j = MODEL_TRAIT_IDS.index(pair.a), MODEL_TRAIT_IDS.index(pair.b)
        value = pair.assumed if pair.assumed is not None else tetrachoric(pair.table or ())
        if seen:
            value *= _kept(pair, value, prior)
        matrix[i, j] = matrix[j, i] = value
    # Each pair comes from a table of other patients; together they need not be the correlations of anyone. Those seen
    # are, with the assumed ones the smallest eigenvalue is -0.39 and the repair moves single pairs by up to 0.17.
    # the last digits depend on the processor, and a pooled file is to be the same on every one
    return np.round(nearest_correlation(matrix), 12)


def _kept(pair: CorrelationPair, value: float, prior: CorrelationPrior) -> float:
    """Share of a seen correlation that is kept: prior variance over itself, sampling and the spread between cohorts.

    Sampling by the delta method from that of the log odds ratio, with the correlation as its function
    ``(OR^(3/4) - 1) / (OR^(3/4) + 1)`` (Digby PGN. Biometrics 1983;39:753-757).
    """
    sampling = sum(1.0 / count for row in pair.table or () for count in row) * (0.375 * (1.0 - value**2)) ** 2
    variance = prior.sd.value**2
    return variance / (variance + sampling + prior.between_sd.value**2)


def _seen(pair: CorrelationPair) -> bool:
    # an empty cell puts the tetrachoric correlation at its bound, however few the patients
    return pair.table is not None and all(count > 0 for row in pair.table for count in row)


def eligible(study: Study) -> bool:
    """Whether a study's patients belong to the evidence population: single-agent BCMA, relapsed or refractory."""
    return against_study(study) is None and study.pooling.role in ROLES


def prepare(inputs: Inputs) -> Workshop:
    """Correlation, points, margins and population, before any family is fitted."""
    spreads = Spreads(
        prevalence=inputs.assumptions.unreported_margins.prevalence_sd.value,
        age=scaled("age", inputs.assumptions.unreported_margins.age_sd_years.value),
        prior_lines=inputs.assumptions.unreported_margins.prior_lines_log2_sd.value,
    )
    reported = {study.id: reported_margins(study, spreads) for study in inputs.catalogue.studies}
    eligible_studies = [study for study in inputs.catalogue.studies if eligible(study)]
    population = evidence_margins([reported[study.id] for study in eligible_studies], spreads)
    margins: dict[tuple[str, str], dict[str, Margin]] = {}
    for class_id in CLASSES:
        for design in SETTINGS:
            chosen: dict[str, Margin] = {}
            for trait in MODEL_TRAIT_IDS:
                of_class = [s for s in eligible_studies if s.class_id == class_id and trait in reported[s.id]]
                of_design = [s for s in of_class if s.design == design]
                # The nearest group that is large enough: trials choose other patients than practice has.
                group = next((g for g in (of_design, of_class) if len(g) >= FEWEST_ARMS), None)
                chosen[trait] = (
                    population[trait]
                    if group is None
                    else evidence_margin(trait, [reported[s.id] for s in group], spreads)
                )
            margins[class_id, design] = chosen
    correlation = trait_correlation(
        inputs.correlations, inputs.assumptions.trait_correlations, assumed=inputs.assumed_correlations
    )
    profile = inputs.assumptions.reference_profile
    numeric = {"age": profile.age, "prior_lines": profile.prior_lines}
    # One reference for both classes, so that the difference of their levels is that of like patients.
    reference = np.array([scaled(trait, numeric[trait]) if trait in numeric else 0.0 for trait in MODEL_TRAIT_IDS])
    return Workshop(
        correlation=correlation,
        latent=correlated_points(correlation, COHORT_POINTS),
        reference=reference,
        reported=reported,
        margins=margins,
        population=population,
    )
