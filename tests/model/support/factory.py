"""A small pooled document with numbers chosen by hand, and the `PooledEvidence` it makes."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm, qmc

from bcma_decide.facts.traits import Traits, TraitValue, derive
from bcma_decide.model.numbers import PatientNumbers, patient_numbers
from bcma_decide.model.population import Patients, conditional_patients
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.pooled.file import pooled_from_document
from bcma_decide.pooled.location import pooled_path
from bcma_decide.pooled.seal import POOLED_SCHEMA_VERSION, SETTINGS, sealed
from bcma_decide.vocabulary import (
    CLASSES,
    FAMILIES,
    MODEL_TRAIT_IDS,
    MODEL_TRAITS,
    OUTCOMES,
    PFS_FAMILY,
    STAGE_IDS,
    STAGES,
    model_scale,
)

T = len(MODEL_TRAIT_IDS)
DRAWS = 512

OPTIONS = (
    {"id": "car_t", "label": "CAR-T", "long_label": "CAR-T cells", "class_id": "car_t", "kind": "class"},
    {"id": "bite", "label": "Bispecific", "long_label": "bispecifics", "class_id": "bite", "kind": "class"},
    {"id": "alpha-cel", "label": "Alpha-cel", "long_label": "alpha", "class_id": "car_t", "kind": "product"},
    {"id": "beta-cel", "label": "Beta-cel", "long_label": "beta", "class_id": "car_t", "kind": "product"},
    {"id": "gamma-mab", "label": "Gamma-mab", "long_label": "gamma", "class_id": "bite", "kind": "product"},
)
ONLY = {"car_t": ("alpha-cel",), "bite": ("gamma-mab",)}
"""The products behind a level that is given for a class as a whole."""

ASSUMPTIONS = {
    "unanchored_sd": 0.3,
    "outside_evidence_sd": 0.5,
    "minimum_patients_with_trait": 20.0,
    "numeric_reach_sd": 4.0,
    "follow_up_ratio": 1.5,
    "few_studies": 5.0,
    "few_patients": 300.0,
    "imprecision_width": 0.2,
    "inconsistency_width": 0.4,
    "many_studies": 8.0,
    "many_patients": 900.0,
    "narrow_width": 0.1,
    "consistent_width": 0.2,
    "large_effect_odds_ratio": 2.0,
    "unstable_move": 0.1,
    "evidence_months": 12.0,
}


class Level(NamedTuple):
    """One product at one stage, or all of a class: log odds at the reference profile, and the grid of the spread.

    ``nodes``: (weight, mean, variance, tau) each; by default one node. The products of a class share weights and taus.
    """

    mean: float
    variance: float = 0.05
    slope: Mapping[str, float] = {}
    nodes: tuple[tuple[float, float, float, float], ...] = ()
    tau: float = 0.5
    studies: int = 8
    patients: int = 800
    further: bool = False

    @property
    def grid(self) -> tuple[tuple[float, float, float, float], ...]:
        return self.nodes or ((1.0, self.mean, self.variance, self.tau),)


class Effect(NamedTuple):
    """One trait effect of one class."""

    class_id: str
    trait: str
    mean: float
    borrowed: bool = False


@cache
def _points(seed: int = 7) -> np.ndarray:
    return norm.ppf(qmc.Sobol(T + 3, seed=seed).random(DRAWS))


@cache
def shipped_document() -> dict[str, Any]:
    return json.loads(pooled_path().read_text(encoding="utf-8"))


def _products(levels: Mapping[tuple[str, str], Level], stage: str, class_id: str) -> dict[str, Level]:
    """The levels of a class's products at one stage."""
    if (stage, class_id) in levels:
        return dict.fromkeys(ONLY[class_id], levels[stage, class_id])
    named = (str(o["id"]) for o in OPTIONS if o["class_id"] == class_id and o["kind"] == "product")
    return {product: levels[stage, product] for product in named if (stage, product) in levels}


def _block(products: Mapping[str, Level], common: float) -> dict[str, Any]:
    grids = [level.grid for level in products.values()]
    weight, tau = ([node[at] for node in grids[0]] for at in (0, 3))
    assert all([node[0] for node in grid] == weight and [node[3] for node in grid] == tau for grid in grids)
    setting = {
        "weight": weight,
        "tau": tau,
        "mean": [[grid[k][1] for grid in grids] for k in range(len(weight))],
        "covariance": [
            (np.diag([grid[k][2] - common for grid in grids]) + common).tolist() for k in range(len(weight))
        ],
    }
    return {
        "products": list(products),
        "own": [not level.further for level in products.values()],
        "slope": [[level.slope.get(trait, 0.0) for trait in MODEL_TRAIT_IDS] for level in products.values()],
        "settings": dict.fromkeys(SETTINGS, setting),
    }


def _entry(levels: Mapping[tuple[str, str], Level], outcome: str, option: Mapping[str, object]) -> dict[str, Any]:
    stages = [_products(levels, stage, str(option["class_id"])) for stage in STAGES[outcome]]
    wanted = [option["id"]] if option["kind"] == "product" else list(stages[0])
    if not all(stages) or not all(product in products for products in stages for product in wanted):
        return {"state": "no_evidence", "reason": f"nothing on {option['id']}"}
    last = stages[-1][str(wanted[0])]
    return {
        "state": "estimated",
        "further_product": option["kind"] == "product" and last.further,
        "n_studies": last.studies,
        "n_patients": last.patients,
        "follow_up_months": 12.0,
        "sources": ["invented:S1"],
    }


def document(
    levels: Mapping[tuple[str, str], Level],
    effects: Mapping[str, Sequence[Effect]] | None = None,
    covariance: Mapping[str, Any] | None = None,
    prevalence: Mapping[str, float] | None = None,
    correlation: Mapping[tuple[str, str], float] | None = None,
    seen: Mapping[str, int | None] | None = None,
    assumptions: Mapping[str, float] | None = None,
    common: float = 0.0,
    depth: tuple[float, Sequence[float], Any] | None = None,
) -> dict[str, Any]:
    """A pooled document: levels by (stage, product or class), effects with their covariance by family.

    ``common``: covariance of the levels of two products of a class. ``depth``: share, deviations and their covariance,
    in the order of the effects on response.

    Traits without a prevalence have 0.3; traits without a correlation are independent; age is normal around 65 years
    with SD 10, prior lines around 4 with SD 0.5 doublings. The reference is 65 years, 4 lines, every trait absent.
    """
    shares = dict.fromkeys(MODEL_TRAIT_IDS, 0.3) | dict(prevalence or {})
    matrix = np.eye(T)
    for (first, second), rho in (correlation or {}).items():
        i, j = MODEL_TRAIT_IDS.index(first), MODEL_TRAIT_IDS.index(second)
        matrix[i, j] = matrix[j, i] = rho
    families = {}
    for family in (*FAMILIES, PFS_FAMILY):
        rows = list((effects or {}).get(family.id, ()))
        families[family.id] = {
            "effects": [row._asdict() for row in rows],
            "covariance": np.asarray((covariance or {}).get(family.id, np.zeros((len(rows),) * 2))).ravel().tolist(),
        }
        if family.id == "response":
            share, deviation, spread = depth or (0.6, [0.0] * len(rows), np.zeros((len(rows),) * 2))
            families[family.id]["depth"] = {
                "share": share,
                "deviation": list(deviation),
                "covariance": np.asarray(spread).ravel().tolist(),
            }
    binary = [trait.kind == "binary" for trait in MODEL_TRAITS]
    points = _points()
    return {
        "schema_version": POOLED_SCHEMA_VERSION,
        "evidence": {"hash": "0" * 64, "date": "2026-01-01", "version": "test", "includes_unverified": False},
        "options": [dict(option) for option in OPTIONS],
        "traits": {
            "ids": list(MODEL_TRAIT_IDS),
            "reference": [6.5, 2.0] + [0.0] * (T - 2),
            "age_range": [[30.0, 85.0], [30.0, 90.0]],
            "patients_with_trait": [[(seen or {}).get(trait, 500) for trait in MODEL_TRAIT_IDS] for _ in CLASSES],
        },
        "population": {
            "binary": binary,
            "cut": [float(norm.isf(shares[t])) if b else 0.0 for t, b in zip(MODEL_TRAIT_IDS, binary, strict=True)],
            "location": [6.5, 2.0] + [0.0] * (T - 2),
            "spread": [1.0, 0.5] + [1.0] * (T - 2),
            "correlation": matrix.tolist(),
            "points": points[:, :T].tolist(),
        },
        "families": families,
        "outcomes": {outcome: {str(o["id"]): _entry(levels, outcome, o) for o in OPTIONS} for outcome in OUTCOMES},
        "levels": {
            stage: {
                class_id: _block(products, common)
                for class_id in CLASSES
                if (products := _products(levels, stage, class_id))
            }
            for stage in STAGE_IDS
        },
        "assumptions": shipped_document()["assumptions"] | ASSUMPTIONS | dict(assumptions or {}),
        "definitions": copy.deepcopy(shipped_document()["definitions"]),
        "rules": copy.deepcopy(shipped_document()["rules"]),
        "published": {"limits": [], "options": [], "survival": {"groups": [], "rows": []}, "sources": {}},
        "way": {"ways": [], "sources": {}},
        "survival": {
            "study_slope_sd": 0.2,
            "levels": {},
            "options": {str(o["id"]): {"state": "no_evidence", "reason": "no curve"} for o in OPTIONS},
            "studies": [],
            "left_out": [],
        },
        "order": {"entries": [], "findings": [], "not_known": [], "sources": {}},
        "codes": copy.deepcopy(shipped_document()["codes"]),
        "provenance": {
            "outcomes": {outcome: {"studies": [], "left_out": []} for outcome in OUTCOMES},
            "families": {
                family.id: {"contrasts": [], "left_out": [], "proportional_odds": None} for family in FAMILIES
            },
        },
        "sources": {"invented:S1": {"citation": "Doe J. 2024", "pmid": None, "doi": None, "url": None}},
        "not_known": [],
    }


def model(levels: Mapping[tuple[str, str], Level], **parts: Any) -> PooledEvidence:
    return pooled_from_document(document(levels, **parts))


def written(plain: Mapping[str, Any]) -> str:
    """The text of a pooled file with a checksum that holds."""
    return sealed(json.dumps(plain)[1:] + "\n")


def traits(**values: float | bool | None) -> Traits:
    """Traits taken as given, the others unknown: the model's view of a patient, without the profile before it."""
    rows = []
    for trait in MODEL_TRAIT_IDS:
        value = values.get(trait)
        state = "unknown" if value is None else "given"
        rows.append(TraitValue(trait, state, value, "unknown" if value is None else str(value), "needs asking"))
    assert set(values) <= set(MODEL_TRAIT_IDS)
    return Traits(tuple(rows), (), (), derive(Patient(), shipped_document()["definitions"]).facts)


def all_known(**values: float | bool) -> Traits:
    """The reference patient (65 years, 4 lines, every trait absent) with some traits changed."""
    return traits(**dict.fromkeys(MODEL_TRAIT_IDS, False) | {"age": 65, "prior_lines": 4} | values)


def patients(found: PooledEvidence, *unknown: str, **values: float | bool | None) -> Patients:
    """Virtual patients with these traits, in natural units; they and the ``unknown`` ones act."""
    acting = np.array([trait in values or trait in unknown for trait in MODEL_TRAIT_IDS])
    return conditional_patients(found.population, [model_scale(t, values.get(t)) for t in MODEL_TRAIT_IDS], acting)


def ask(found: PooledEvidence, given: Traits) -> PatientNumbers:
    return patient_numbers(found, given, "real_world")
