"""One class at one threshold: its rows, the fitted levels of its products, and how they enter the document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bcma_decide.pooled.seal import SETTINGS
from bcma_decide.vocabulary import FAMILY_OF, ClassId, Family
from bcma_decide.workshop.evidence.schema import Study
from bcma_decide.workshop.evidence.selection import SelectedRow, select
from bcma_decide.workshop.patient_model.baselines import Arms, BaselinePrior, Baselines, fit_baselines
from bcma_decide.workshop.patient_model.nodes import compress_nodes
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop
from bcma_decide.workshop.patient_model.virtual_cohort import cohort

Array = NDArray[np.float64]

BASELINE_POINTS = 256
"""Virtual patients per arm: the first quarter of the points, itself balanced as the number is a power of two."""
NODES = 6
"""How many nodes of the spread between centres the pooled file carries per option and setting."""


@dataclass(frozen=True)
class ClassFit:
    """One class at one threshold: the rows used, the product of each option, and the fitted levels."""

    rows: tuple[SelectedRow, ...]
    products: tuple[str, ...]
    baselines: Baselines


def model_rows(inputs: Inputs, outcome: str, include_unverified: bool) -> tuple[list[SelectedRow], list[str]]:
    """Rows of one outcome for the patient-level model, and what was left out with the reason.

    Beyond the selection's own rules, only single-target products count: the options compared are.
    """
    selection = select(inputs.catalogue, outcome, purpose="model", include_unverified=include_unverified)
    studies = inputs.studies
    rows, left = [], [f"{studies[item.study].name}: {item.reason}" for item in selection.left_out]
    for row in selection.rows:
        if row.class_id not in FAMILY_OF[outcome].classes:
            left.append(f"{studies[row.study].name}: not an outcome of this class")
        elif len(studies[row.study].targets) > 1:
            left.append(f"{studies[row.study].name}: two targets ({', '.join(studies[row.study].targets)})")
        else:
            rows.append(row)
    return rows, sorted(left)


def fit_class(workshop: Workshop, inputs: Inputs, rows: Sequence[SelectedRow], effects: Array) -> ClassFit:
    """Levels of all products of one class at one threshold from its selected rows; ``effects`` (traits,)."""
    studies = inputs.studies
    products = tuple(sorted({product for row in rows for product in row.products}))
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
    priors = inputs.assumptions.priors
    arms = Arms(
        events=np.array([row.events for row in rows], dtype=float),
        total=np.array([row.n for row in rows], dtype=float),
        # Per randomised patient only those infused can respond, so the rate among them is what the arm's level is
        # about.
        share=np.array([row.infused_share or 1.0 for row in rows]),
        real_world=np.array([float(row.design == "real_world") for row in rows]),
        # An arm of several products counts for each in equal parts: who had which is not printed.
        products=np.array([[(p in row.products) / len(row.products) for p in products] for row in rows]),
        patients=np.array(patients),
        extra_variance=np.array(extra),
        trials=tuple(studies[row.study].trial or row.study for row in rows),
        class_mix=_class_mix(inputs, rows, products),
    )
    prior = BaselinePrior(
        intercept_sd=priors.intercept_sd.value,
        real_world_sd=priors.real_world_sd.value,
        product_sd_scale=priors.product_sd_scale.value,
        study_sd_scale=priors.study_sd_scale.value,
        same_trial_correlation=priors.same_trial_correlation.value,
    )
    return ClassFit(tuple(rows), products, fit_baselines(arms, effects, prior))


def _class_mix(inputs: Inputs, rows: Sequence[SelectedRow], products: Sequence[str]) -> Array:
    """Equal weights of the offered products that have rows of their own: the class as a clinic meets it."""
    words = inputs.catalogue.vocabulary.ids.products
    offered = np.array([float(words[p].option and any(row.products == (p,) for row in rows)) for p in products])
    # All zero where none is offered: the class is then the level of a typical product, with the full product spread.
    return offered / offered.sum() if offered.any() else offered


def weighted_median(values: Sequence[float], weights: Sequence[float]) -> float:
    """The value at which half of the weight is reached (the lower weighted median)."""
    order = np.argsort(values)
    cumulative = np.cumsum(np.asarray(weights, dtype=float)[order])
    return float(np.asarray(values)[order][np.searchsorted(cumulative, 0.5 * cumulative[-1])])


def option_entry(
    family: Family, option: Mapping[str, Any], class_id: ClassId, class_fit: ClassFit | None, inputs: Inputs
) -> dict[str, Any]:
    """One option at one outcome as it stands in the document: its levels, or the state and reason for none."""
    if class_id not in family.classes:
        return {"state": "not_applicable", "reason": "does not occur with this class by its nature"}
    if class_fit is None:
        return {"state": "too_thin", "reason": "no study with a usable count"}
    return _levels_entry(class_fit, option["id"], option["kind"] == "class", inputs)


def _levels_entry(class_fit: ClassFit, option: str, is_class: bool, inputs: Inputs) -> dict[str, Any]:
    """One option at one outcome as it stands in the document."""
    rows = [row for row in class_fit.rows if is_class or row.products == (option,)]
    limits = inputs.assumptions.limits
    patients = sum(row.n for row in rows)
    if is_class and (len(rows) < limits.minimum_studies.value or patients < limits.minimum_patients.value):
        counted = f"{len(rows)} {'study' if len(rows) == 1 else 'studies'}, {patients} patients" if rows else "no study"
        return {"state": "too_thin", "reason": f"too few studies with a usable count: {counted}"}
    if not rows:
        return {"state": "no_evidence", "reason": "no usable count for this product"}
    base, count = class_fit.baselines, len(class_fit.products) + 1
    place = 0 if is_class else 1 + class_fit.products.index(option)
    follow_up = [(row.follow_up_months, row.n) for row in rows if row.follow_up_months is not None]
    levels = {}
    for setting_index, setting in enumerate(SETTINGS):
        o = setting_index * count + place
        # The next centre of a class may use any of its products, the next centre of a product uses that one.
        spread2 = base.node_tau**2 + (base.node_product_variance if is_class else 0.0)
        nodes = compress_nodes(base.node_weight, base.node_mean[:, o], base.node_variance[:, o], spread2, NODES)
        levels[setting] = {
            "mean": base.mean[o],
            "variance": base.covariance[o, o],
            "node_weight": nodes.weight,
            "node_mean": nodes.mean,
            "node_variance": nodes.variance,
            "node_spread2": nodes.spread2,
        }
    return {
        "state": "estimated",
        "n_studies": len({row.study for row in rows}),
        "n_patients": patients,
        "follow_up_months": weighted_median(*zip(*follow_up, strict=True)) if follow_up else None,
        "sources": sorted({f"{row.study}:{row.source}" for row in rows if row.source}),
        # One slope for both settings: they differ only by the real-world term, which no trait effect enters.
        "slope": 0.5 * (base.slope[place] + base.slope[count + place]),
        "levels": levels,
        "tau": float(base.node_weight @ base.node_tau),
    }


def study_lines(class_fit: ClassFit, class_id: ClassId, studies: Mapping[str, Study]) -> list[dict[str, Any]]:
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
        for row, weight in zip(class_fit.rows, class_fit.baselines.weights, strict=True)
    ]
