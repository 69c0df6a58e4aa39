"""One class at one outcome as it stands in the document: options, levels, and the studies behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bcma_decide.pooled.seal import SETTINGS
from bcma_decide.vocabulary import ClassId, Family
from bcma_decide.workshop.evidence.schema import Study
from bcma_decide.workshop.evidence.selection import SelectedRow
from bcma_decide.workshop.patient_model.class_fit import ClassFit
from bcma_decide.workshop.patient_model.nodes import compress_nodes
from bcma_decide.workshop.patient_model.preparation import Inputs

NODES = 6
LATER_NODES = 1
"""Of a later stage of an outcome: with both spreads mixed a cell has six times the nodes and no end moves a point."""


def weighted_median(values: Sequence[float], weights: Sequence[float]) -> float:
    """The value at which half of the weight is reached (the lower weighted median)."""
    order = np.argsort(values)
    cumulative = np.cumsum(np.asarray(weights, dtype=float)[order])
    return float(np.asarray(values)[order][np.searchsorted(cumulative, 0.5 * cumulative[-1])])


def option_entry(
    family: Family,
    option: Mapping[str, Any],
    class_id: ClassId,
    rows: Sequence[SelectedRow],
    fits: Sequence[ClassFit | None],
    inputs: Inputs,
) -> dict[str, Any]:
    """One option at one outcome as it stands in the document: what is behind it, or the state and reason for none.

    ``rows`` are those of the class at this outcome, ``fits`` its stages.
    """
    if class_id not in family.classes:
        return {"state": "not_applicable", "reason": "does not occur with this class by its nature"}
    if not rows or any(fit is None for fit in fits):
        return {"state": "too_thin", "reason": "no study with a usable count"}
    limits = inputs.assumptions.limits
    patients = sum(row.n for row in rows)
    if len(rows) < limits.minimum_studies.value or patients < limits.minimum_patients.value:
        counted = f"{len(rows)} {'study' if len(rows) == 1 else 'studies'}, {patients} patients"
        return {"state": "too_thin", "reason": f"too few studies with a usable count: {counted}"}
    own = rows if option["kind"] == "class" else [row for row in rows if row.products == (option["id"],)]
    behind = own or rows
    follow_up = [(row.follow_up_months, row.n) for row in behind if row.follow_up_months is not None]
    return {
        "state": "estimated",
        "further_product": not own,
        "n_studies": len({row.study for row in behind}),
        "n_patients": sum(row.n for row in behind),
        "follow_up_months": weighted_median(*zip(*follow_up, strict=True)) if follow_up else None,
        "sources": sorted({f"{row.study}:{row.source}" for row in behind if row.source}),
    }


def levels_block(fitted: ClassFit, nodes: int) -> dict[str, Any]:
    """The joint levels of a class's offered products at one stage, by setting, over ``nodes`` of the spread's grid."""
    base, count = fitted.baselines, len(fitted.products)
    settings = {}
    for index, setting in enumerate(SETTINGS):
        at = slice(index * count, (index + 1) * count)
        kept = compress_nodes(
            base.node_weight, base.node_mean[:, at], base.node_covariance[:, at, at], base.node_tau**2, nodes
        )
        settings[setting] = {
            "weight": kept.weight,
            "tau": np.sqrt(kept.spread2),
            "mean": kept.mean,
            "covariance": kept.covariance,
        }
    return {
        "products": list(fitted.products),
        "own": list(fitted.own),
        "slope": 0.5 * (base.slope[:count] + base.slope[count : 2 * count]),
        "settings": settings,
    }


def study_lines(
    rows: Sequence[SelectedRow], fitted: ClassFit, class_id: ClassId, studies: Mapping[str, Study]
) -> list[dict[str, Any]]:
    """The studies behind one class at one outcome, with their share of the information about the class level.

    ``fitted`` is the outcome's last stage; a row that does not enter it has no share.
    """
    weights = {
        (each.row.study, each.row.arm): float(weight)
        for each, weight in zip(fitted.counted, fitted.baselines.weights, strict=True)
    }
    return [
        {
            "study": row.study,
            "name": studies[row.study].name,
            "option": class_id,
            "design": row.design,
            "events": row.events,
            "n": row.n,
            "follow_up_months": row.follow_up_months,
            "weight_pct": 100.0 * weights.get((row.study, row.arm), 0.0),
            "basis": row.basis,
            "source": f"{row.study}:{row.source}",
        }
        for row in rows
    ]
