"""One class at one threshold: its rows, the fitted levels of its products, and how they enter the document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcma_decide.pooled.seal import SETTINGS
from bcma_decide.vocabulary import FAMILY_OF, ClassId, Family
from bcma_decide.workshop.evidence.assumptions import Assumptions
from bcma_decide.workshop.evidence.schema import Study
from bcma_decide.workshop.evidence.selection import SelectedRow, select
from bcma_decide.workshop.patient_model.baselines import (
    Arms,
    Asked,
    BaselinePrior,
    Baselines,
    fit_baselines,
)
from bcma_decide.workshop.patient_model.nodes import compress_nodes
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop
from bcma_decide.workshop.patient_model.virtual_cohort import cohort

Array = NDArray[np.float64]

BASELINE_POINTS = 256
"""Virtual patients per arm: the first quarter of the points, itself balanced as the number is a power of two."""
NODES = 6
EARLY = "early_response"
FURTHER = ""
"""Instead of a product: a further product of the class, which has no arm of its own."""


@dataclass(frozen=True)
class ClassFit:
    """One class at one threshold: the rows used, the offered products that have a level, and the fitted levels."""

    rows: tuple[SelectedRow, ...]
    levels: tuple[str, ...]
    baselines: Baselines


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
    rows: Sequence[SelectedRow],
    effects: Array,
    prior: BaselinePrior,
    target: SelectedRow | None = None,
) -> ClassFit:
    """Levels of all products of one class at one threshold from its selected rows; ``effects`` (traits,).

    With a ``target``, the only level is that of this arm, whose product may have no row: then it is that of a further
    product of the class.
    """
    studies = inputs.studies
    wanted = set(target.products) if target else set()
    products = tuple(sorted({product for row in rows for product in row.products} | wanted))
    latent = workshop.latent[:BASELINE_POINTS]
    patients, extra = [], []
    for row in rows:
        margins = workshop.margins_of(studies[row.study])
        patients.append(cohort(latent, margins) - workshop.reference)
        # An arm that does not print a trait is put at the mean of the others; how far its own mix may be from that
        # moves its level by effect times spread, trait by trait (first order), and makes the arm say less about the
        # level.
        spread = np.array([0.0 if margin.reported else margin.uncertainty for margin in margins])
        extra.append(float(((effects * spread) ** 2).sum()))
    arms = Arms(
        events=np.array([row.events for row in rows], dtype=float),
        total=np.array([row.n for row in rows], dtype=float),
        # Per randomised patient only those infused can respond, so the rate among them is what the arm's level is
        # about.
        share=np.array([row.infused_share or 1.0 for row in rows]),
        real_world=np.array([_real_world(row) for row in rows]),
        products=np.array([_mix(row, products) for row in rows]),
        patients=np.array(patients),
        extra_variance=np.array(extra),
        trials=tuple(studies[row.study].trial or row.study for row in rows),
        region=np.array([_east_asia(row, inputs) for row in rows]),
        near=np.array([_near(row) for row in rows]),
        offered=np.array([bool(inputs.catalogue.vocabulary.ids.products[p].option) for p in products]),
    )
    levels = _offered(inputs, rows, products)
    asked = _arm_asked(target, products, inputs) if target else _levels_asked(levels, products)
    return ClassFit(tuple(rows), levels, fit_baselines(arms, effects, prior, asked))


def _offered(inputs: Inputs, rows: Sequence[SelectedRow], products: Sequence[str]) -> tuple[str, ...]:
    """The offered products that have rows of their own; without any, the class is a further product: an empty id."""
    words = inputs.catalogue.vocabulary.ids.products
    own = tuple(p for p in products if words[p].option and any(row.products == (p,) for row in rows))
    return own or (FURTHER,)


def _levels_asked(levels: Sequence[str], products: Sequence[str]) -> Asked:
    """Every level in trials, then in ordinary care, outside East Asia and by the definition itself."""
    count = len(levels)
    one = np.array([[float(p == level) for p in products] for level in levels])
    further = np.array([float(level == FURTHER) for level in levels])
    none = np.zeros(2 * count)
    return Asked(
        level=np.ones(2 * count),
        products=np.vstack([one, one]),
        real_world=np.repeat([0.0, 1.0], count),
        region=none,
        near=none,
        further=np.concatenate([further, further]),
        share=np.ones(2 * count),
    )


def _arm_asked(target: SelectedRow, products: Sequence[str], inputs: Inputs) -> Asked:
    """The level of one arm as it is: its setting, region and definition."""
    return Asked(
        level=np.ones(1),
        products=np.array([_mix(target, products)]),
        real_world=np.array([_real_world(target)]),
        region=np.array([_east_asia(target, inputs)]),
        near=np.array([_near(target)]),
        further=np.zeros(1),
        share=np.ones(1),
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


def _east_asia(row: SelectedRow, inputs: Inputs) -> float:
    return float(inputs.studies[row.study].region in inputs.assumptions.east_asia.regions)


def _near(row: SelectedRow) -> float:
    return float(row.near and row.definition == "neurotoxicity_reported")


def weighted_median(values: Sequence[float], weights: Sequence[float]) -> float:
    """The value at which half of the weight is reached (the lower weighted median)."""
    order = np.argsort(values)
    cumulative = np.cumsum(np.asarray(weights, dtype=float)[order])
    return float(np.asarray(values)[order][np.searchsorted(cumulative, 0.5 * cumulative[-1])])


def option_entry(
    family: Family, option: Mapping[str, Any], class_id: ClassId, fitted: ClassFit | None, inputs: Inputs
) -> dict[str, Any]:
    """One option at one outcome as it stands in the document: its levels, or the state and reason for none."""
    if class_id not in family.classes:
        return {"state": "not_applicable", "reason": "does not occur with this class by its nature"}
    if fitted is None:
        return {"state": "too_thin", "reason": "no study with a usable count"}
    return _levels_entry(fitted, option["id"], option["kind"] == "class", inputs)


def _levels_entry(fitted: ClassFit, option: str, is_class: bool, inputs: Inputs) -> dict[str, Any]:
    """One option at one outcome as it stands in the document."""
    rows = [row for row in fitted.rows if is_class or row.products == (option,)]
    limits = inputs.assumptions.limits
    patients = sum(row.n for row in rows)
    if is_class and (len(rows) < limits.minimum_studies.value or patients < limits.minimum_patients.value):
        counted = f"{len(rows)} {'study' if len(rows) == 1 else 'studies'}, {patients} patients" if rows else "no study"
        return {"state": "too_thin", "reason": f"too few studies with a usable count: {counted}"}
    if not rows:
        return {"state": "no_evidence", "reason": "no usable count for this product"}
    follow_up = [(row.follow_up_months, row.n) for row in rows if row.follow_up_months is not None]
    base = fitted.baselines
    return {
        "state": "estimated",
        "n_studies": len({row.study for row in rows}),
        "n_patients": patients,
        "follow_up_months": weighted_median(*zip(*follow_up, strict=True)) if follow_up else None,
        "sources": sorted({f"{row.study}:{row.source}" for row in rows if row.source}),
        "tau": float(base.node_weight @ base.node_tau),
    }


def levels_block(fitted: ClassFit) -> dict[str, Any]:
    """The joint levels of a class's offered products at one threshold, by setting, over the grid of the spread."""
    base, count = fitted.baselines, len(fitted.levels)
    settings = {}
    for index, setting in enumerate(SETTINGS):
        at = slice(index * count, (index + 1) * count)
        nodes = compress_nodes(
            base.node_weight, base.node_mean[:, at], base.node_covariance[:, at, at], base.node_tau**2, NODES
        )
        settings[setting] = {
            "weight": nodes.weight,
            "tau": np.sqrt(nodes.spread2),
            "mean": nodes.mean,
            "covariance": nodes.covariance,
        }
    return {
        "products": list(fitted.levels),
        "slope": 0.5 * (base.slope[:count] + base.slope[count:]),
        "settings": settings,
    }


def study_lines(fitted: ClassFit, class_id: ClassId, studies: Mapping[str, Study]) -> list[dict[str, Any]]:
    """The studies behind one class at one threshold, with their share of the information about the class level."""
    return [
        {
            "study": row.study,
            "name": studies[row.study].name,
            "option": class_id,
            "design": row.design,
            "events": row.events,
            "n": row.n,
            "follow_up_months": row.follow_up_months,
            "weight_pct": 100.0 * float(weight),
            "basis": row.basis,
            "source": f"{row.study}:{row.source}",
        }
        for row, weight in zip(fitted.rows, fitted.baselines.weights, strict=True)
    ]
