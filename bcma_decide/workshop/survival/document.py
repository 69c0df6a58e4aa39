"""Fitted curves as they stand in the pooled file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bcma_decide.pooled.seal import SETTINGS
from bcma_decide.workshop.evidence.assumptions import Assumptions
from bcma_decide.workshop.patient_model.nodes import compress_nodes
from bcma_decide.workshop.survival.fit import ClassCurves, Counted, SurvivalFit

NODES = 4


def survival_block(
    fitted: SurvivalFit, assumptions: Assumptions, options: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Levels by class, what is behind each option, and the studies."""
    of_class = {each.class_id: each for each in fitted.classes}
    return {
        "study_slope_sd": assumptions.survival.study_slope_sd.value,
        "levels": {each.class_id: _levels(each) for each in fitted.classes if each.counted},
        "options": {option["id"]: _option(option, of_class[option["class_id"]]) for option in options},
        "studies": [line for each in fitted.classes for line in _study_lines(each)],
        "left_out": list(fitted.curves.left_out),
    }


def _levels(fitted: ClassCurves) -> dict[str, Any]:
    count = 2 * len(fitted.products)
    levels = fitted.levels
    settings = {}
    for index, setting in enumerate(SETTINGS):
        at = slice(index * count, (index + 1) * count)
        kept = compress_nodes(levels.weight, levels.mean[:, at], levels.covariance[:, at, at], levels.tau**2, NODES)
        settings[setting] = {
            "weight": kept.weight,
            "tau": np.sqrt(kept.spread2),
            "mean": kept.mean,
            "covariance": kept.covariance,
        }
    return {
        "products": list(fitted.products),
        "slope": 0.5 * (levels.slope[:count] + levels.slope[count : 2 * count]),
        "settings": settings,
    }


def own_curves(fitted: ClassCurves, option: str) -> list[Counted]:
    """The curves of one product alone; of a class, those of its offered products."""
    if option == fitted.class_id:
        return [each for each in fitted.counted if set(each.curve.products) <= set(fitted.products)]
    return [each for each in fitted.counted if each.curve.products == (option,)]


def _option(option: Mapping[str, Any], fitted: ClassCurves) -> dict[str, Any]:
    own = own_curves(fitted, option["id"])
    if not own:
        return {"state": "no_evidence", "reason": "no published curve of progression-free survival that could be used"}
    followed = [each.curve.follow_up_months for each in own if each.curve.follow_up_months is not None]
    return {
        "state": "estimated",
        "reason": None,
        "n_studies": len({each.curve.study.id for each in own}),
        "n_patients": sum(each.curve.n for each in own),
        "follow_up_months": float(np.median(followed)) if followed else None,
        "end_of_follow_up": _end_of_follow_up(own, fitted.products),
        "sources": sorted({source for each in own for source in each.curve.source.split(", ")}),
    }


def _end_of_follow_up(own: Sequence[Counted], products: Sequence[str]) -> float:
    """Of a product, that of its longest curve; an average of products is known as far as each of them is."""
    of_product = [[_reach(each) for each in own if each.curve.products == (product,)] for product in products]
    return min((max(reached) for reached in of_product if reached), default=max(_reach(each) for each in own))


def _reach(counted: Counted) -> float:
    """How far a curve is known, in months from the infusion or first dose: its last point or its median follow-up."""
    curve = counted.curve
    wait = curve.wait.months if curve.wait else 0.0
    return max(curve.points[-1].month, curve.follow_up_months or 0.0) - wait


def _study_lines(fitted: ClassCurves) -> list[dict[str, Any]]:
    return [
        {
            "study": each.curve.study.id,
            "name": each.curve.study.name,
            "products": list(each.curve.products),
            "class_id": fitted.class_id,
            "design": each.curve.design,
            "n": each.curve.n,
            "origin": each.curve.origin,
            "points": [
                {"month": p.month, "pct": p.pct, "ci95": p.ci95, "interval_months": p.interval_months}
                for p in each.curve.points
            ],
            "weight_pct": 100.0 * float(share),
            "basis": each.curve.basis,
            "source": each.curve.source,
        }
        for each, share in zip(fitted.counted, fitted.levels.share, strict=True)
    ]
