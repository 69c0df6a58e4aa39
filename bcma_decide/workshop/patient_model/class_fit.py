"""One class at one stage: its rows, and the fitted levels of its products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bcma_decide.vocabulary import FAMILY_OF
from bcma_decide.workshop.evidence.assumptions import Assumptions
from bcma_decide.workshop.evidence.schema import Study
from bcma_decide.workshop.evidence.selection import SelectedRow, select
from bcma_decide.workshop.patient_model.baselines import (
    Arms,
    Asked,
    BaselinePrior,
    Baselines,
    node_levels,
    read_levels,
)
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop
from bcma_decide.workshop.patient_model.stages import Counted
from bcma_decide.workshop.patient_model.virtual_cohort import cohort

Array = NDArray[np.float64]

BASELINE_POINTS = 256
"""Virtual patients per arm: the first quarter of the points, itself balanced as the number is a power of two."""
EARLY = "early_response"


@dataclass(frozen=True)
class ClassFit:
    """One class at one stage: the arms counted, its products, those with rows of their own, and the fitted levels.

    ``products``: the offered ones in the evidence's order, or the target alone. ``setting_difference``: posterior mean
    and variance of gamma, practice minus trials.
    """

    counted: tuple[Counted, ...]
    products: tuple[str, ...]
    own: tuple[bool, ...]
    baselines: Baselines
    setting_difference: tuple[float, float]


def model_rows(inputs: Inputs, outcome: str, include_unverified: bool) -> tuple[list[SelectedRow], list[str]]:
    """Rows of one outcome for the patient-level model, and what was left out with the reason.

    Beyond the selection's own rules, only single-target products count: the options compared are.
    """
    selection = select(inputs.catalogue, outcome, purpose="model", include_unverified=include_unverified, near=True)
    studies = inputs.studies
    rows, left = [], [f"{studies[item.study].name}: {item.reason}" for item in selection.left_out]
    for row in selection.rows:
        if row.near and row.definition == EARLY:
            left.append(f"{studies[row.study].name}: read early")
            continue
        if row.class_id not in FAMILY_OF[outcome].classes:
            left.append(f"{studies[row.study].name}: not an outcome of this class")
        elif len(studies[row.study].targets) > 1:
            left.append(f"{studies[row.study].name}: two targets ({', '.join(studies[row.study].targets)})")
        else:
            rows.append(row)
    return rows, sorted(left)


def fit_class(
    workshop: Workshop,
    inputs: Inputs,
    counted: Sequence[Counted],
    effects: Array,
    prior: BaselinePrior,
    target: SelectedRow | None = None,
) -> ClassFit:
    """Levels of the offered products of one class at one stage from its arms; ``effects`` (traits,).

    A product without an arm is a further product of the class: its own effect keeps the prior. With a ``target``, the
    only level is that of this arm.

    Raises
    ------
    SynthesisError
        When there is no arm or the fit does not converge.
    """
    rows = [each.row for each in counted]
    offered = offered_products(inputs, rows)
    wanted = target.products if target else offered
    products = tuple(sorted({product for row in rows for product in row.products} | set(wanted)))
    arms = class_arms(workshop, inputs, counted, effects, products)
    asked = _arm_asked(target, products, inputs) if target else levels_asked(offered, products)
    # The same arms are asked for the products' levels, and for those of arms that leave a figure out.
    key = (tuple(counted), effects.tobytes(), prior)
    levels = workshop.levels.get(key, lambda: node_levels(arms, effects, prior))
    baselines = read_levels(levels, arms, prior, asked)
    return ClassFit(
        counted=tuple(counted),
        products=wanted,
        own=tuple(any(row.products == (product,) for row in rows) for product in wanted),
        baselines=baselines,
        setting_difference=(float(baselines.mean[-1]), float(baselines.covariance[-1, -1])),
    )


def class_arms(
    workshop: Workshop, inputs: Inputs, counted: Sequence[Counted], effects: Array, products: Sequence[str]
) -> Arms:
    """The arms of one class at one stage as the baselines read them; ``effects`` (traits,)."""
    studies = inputs.studies
    rows = [each.row for each in counted]
    patients, extra = [], []
    for each in counted:
        own, spread = arm_patients(workshop, studies[each.row.study])
        patients.append(own)
        # An arm that does not print a trait is put at the mean of the others; how far its own mix may be from that
        # moves its level by effect times spread, trait by trait (first order), and makes the arm say less about the
        # level.
        extra.append(each.extra_variance + float(((effects * spread) ** 2).sum()))
    return Arms(
        events=np.array([each.events for each in counted], dtype=float),
        total=np.array([each.total for each in counted], dtype=float),
        share=np.array([each.share for each in counted]),
        floor=np.array([each.floor for each in counted]),
        real_world=np.array([_real_world(row) for row in rows]),
        products=np.array([_mix(row, products) for row in rows]),
        patients=np.array(patients),
        extra_variance=np.array(extra),
        trials=tuple(studies[row.study].trial or row.study for row in rows),
        region=np.array([float(in_east_asia(row, inputs)) for row in rows]),
        near=np.array([_near(row) for row in rows]),
        offered=np.array([bool(inputs.catalogue.vocabulary.ids.products[p].option) for p in products]),
    )


def arm_patients(workshop: Workshop, study: Study) -> tuple[Array, Array]:
    """Virtual patients of a study's arm as deviations from the reference, and how unsure its mix is.

    Shapes (patients, traits) and (traits,): the uncertainty of the margins that the study does not report, 0 elsewhere.
    """

    def made() -> tuple[Array, Array]:
        margins = workshop.margins_of(study)
        unreported = np.array([0.0 if margin.reported else margin.uncertainty for margin in margins])
        return cohort(workshop.latent[:BASELINE_POINTS], margins) - workshop.reference, unreported

    return workshop.patients.get(study.id, made)


def offered_products(inputs: Inputs, rows: Sequence[SelectedRow]) -> tuple[str, ...]:
    """The products of the class that a clinic can order, as the vocabulary lists them."""
    words = inputs.catalogue.vocabulary.ids.products
    return tuple(p for p, product in words.items() if product.option and product.class_id == rows[0].class_id)


def levels_asked(levels: Sequence[str], products: Sequence[str]) -> Asked:
    """Every level in trials, then in practice, outside East Asia and by the definition itself; then gamma alone."""
    count = len(levels)
    one = np.array([[float(p == level) for p in products] for level in levels])
    none = np.zeros(2 * count + 1)
    return Asked(
        level=np.append(np.ones(2 * count), 0.0),
        products=np.vstack([one, one, np.zeros(len(products))]),
        real_world=np.append(np.repeat([0.0, 1.0], count), 1.0),
        region=none,
        near=none,
        share=np.append(np.ones(2 * count), 0.0),
    )


def _arm_asked(target: SelectedRow, products: Sequence[str], inputs: Inputs) -> Asked:
    """The level of one arm as it is: its setting, region and definition; then gamma alone."""
    return Asked(
        level=np.array([1.0, 0.0]),
        products=np.array([_mix(target, products), [0.0] * len(products)]),
        real_world=np.array([_real_world(target), 1.0]),
        region=np.array([float(in_east_asia(target, inputs)), 0.0]),
        near=np.array([_near(target), 0.0]),
        share=np.array([1.0, 0.0]),
    )


def setting_prior(
    prior: BaselinePrior, assumptions: Assumptions, counted: Sequence[Counted], first: ClassFit | None
) -> BaselinePrior:
    """The prior with that of gamma as the arms allow.

    Wide where both settings have patients enough to tell it; else around that of the family's ``first`` stage; else,
    where there is none or it is this one, narrow around zero.
    """
    stated = assumptions.priors
    patients = [
        sum(each.total for each in counted if _real_world(each.row) == setting and not each.row.near)
        for setting in (0.0, 1.0)
    ]
    if min(patients) >= stated.real_world_minimum_patients.value:
        return prior
    if first is None:
        return replace(prior, real_world_sd=stated.real_world_unseen_sd.value)
    mean, variance = first.setting_difference
    return replace(
        prior,
        real_world_mean=mean,
        real_world_sd=float(np.hypot(np.sqrt(variance), stated.real_world_other_threshold_sd.value)),
    )


def baseline_prior(assumptions: Assumptions) -> BaselinePrior:
    """The priors of the baselines as the assumptions state them."""
    priors = assumptions.priors
    return BaselinePrior(
        intercept_sd=priors.intercept_sd.value,
        real_world_sd=priors.real_world_sd.value,
        product_sd_scale=priors.product_sd_scale.value,
        study_sd_scale=priors.study_sd_scale.value,
        same_trial_correlation=priors.same_trial_correlation.value,
        region_sd=priors.region_sd.value,
        construct_sd=priors.construct_sd.value,
        near_mean=priors.near_offset_mean.value,
        near_mean_sd=priors.near_offset_sd.value,
        near_row_sd=priors.near_row_sd.value,
    )


def _real_world(row: SelectedRow) -> float:
    return float(row.design == "real_world")


def _mix(row: SelectedRow, products: Sequence[str]) -> list[float]:
    return [(p in row.products) / len(row.products) for p in products]


def in_east_asia(row: SelectedRow, inputs: Inputs) -> bool:
    """Whether a row's patients were treated in a region that the assumptions count as East Asia."""
    return inputs.studies[row.study].region in inputs.assumptions.east_asia.regions


def _near(row: SelectedRow) -> float:
    return float(row.near and row.definition == "neurotoxicity_reported")
