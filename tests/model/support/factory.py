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
from bcma_decide.pooled.file import PooledEvidence, pooled_from_document
from bcma_decide.pooled.location import pooled_path
from bcma_decide.pooled.seal import POOLED_SCHEMA_VERSION, SETTINGS, sealed
from bcma_decide.vocabulary import CLASSES, FAMILIES, MODEL_TRAIT_IDS, MODEL_TRAITS, OUTCOMES, model_scale

T = len(MODEL_TRAIT_IDS)
DRAWS = 512

OPTIONS = (
    {"id": "car_t", "label": "CAR-T", "long_label": "CAR-T cells", "class_id": "car_t", "kind": "class"},
    {"id": "bite", "label": "Bispecific", "long_label": "bispecifics", "class_id": "bite", "kind": "class"},
    {"id": "alpha-cel", "label": "Alpha-cel", "long_label": "alpha", "class_id": "car_t", "kind": "product"},
)

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
    "large_effect_odds_ratio": 2.0,
    "unstable_move": 0.1,
    "evidence_months": 12.0,
}


class Level(NamedTuple):
    """One option at one outcome: log odds at the reference profile, and the grid of the spread between studies.

    ``nodes``: (weight, mean, variance, squared spread) each; by default one node at the level's own mean and variance.
    """

    mean: float
    variance: float = 0.05
    slope: Mapping[str, float] = {}
    nodes: tuple[tuple[float, float, float, float], ...] = ()
    spread2: float = 0.25
    studies: int = 8
    patients: int = 800


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


def _level(level: Level) -> dict[str, Any]:
    nodes = level.nodes or ((1.0, level.mean, level.variance, level.spread2),)
    weight, mean, variance, spread2 = (list(column) for column in zip(*nodes, strict=True))
    return {
        "mean": level.mean,
        "variance": level.variance,
        "node_weight": weight,
        "node_mean": mean,
        "node_variance": variance,
        "node_spread2": spread2,
    }


def _entry(level: Level | None, option: str) -> dict[str, Any]:
    if level is None:
        return {"state": "no_evidence", "reason": f"nothing on {option}"}
    return {
        "state": "estimated",
        "n_studies": level.studies,
        "n_patients": level.patients,
        "follow_up_months": 12.0,
        "sources": ["invented:S1"],
        "slope": [level.slope.get(trait, 0.0) for trait in MODEL_TRAIT_IDS],
        "levels": {setting: _level(level) for setting in SETTINGS},
    }


def document(
    levels: Mapping[tuple[str, str], Level],
    effects: Mapping[str, Sequence[Effect]] | None = None,
    covariance: Mapping[str, Any] | None = None,
    prevalence: Mapping[str, float] | None = None,
    correlation: Mapping[tuple[str, str], float] | None = None,
    seen: Mapping[str, int | None] | None = None,
    assumptions: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """A pooled document: levels by (outcome, option), effects with their covariance by family.

    Traits without a prevalence have 0.3; traits without a correlation are independent; age is normal around 65 years
    with SD 10, prior lines around 4 with SD 0.5 doublings. The reference is 65 years, 4 lines, every trait absent.
    """
    shares = dict.fromkeys(MODEL_TRAIT_IDS, 0.3) | dict(prevalence or {})
    matrix = np.eye(T)
    for (first, second), rho in (correlation or {}).items():
        i, j = MODEL_TRAIT_IDS.index(first), MODEL_TRAIT_IDS.index(second)
        matrix[i, j] = matrix[j, i] = rho
    families = {}
    for family in FAMILIES:
        rows = list((effects or {}).get(family.id, ()))
        families[family.id] = {
            "effects": [row._asdict() for row in rows],
            "covariance": np.asarray((covariance or {}).get(family.id, np.zeros((len(rows),) * 2))).ravel().tolist(),
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
            "noise": points[:, T:].tolist(),
        },
        "families": families,
        "outcomes": {
            outcome: {str(o["id"]): _entry(levels.get((outcome, str(o["id"]))), str(o["id"])) for o in OPTIONS}
            for outcome in OUTCOMES
        },
        "assumptions": ASSUMPTIONS | dict(assumptions or {}),
        "definitions": copy.deepcopy(shipped_document()["definitions"]),
        "rules": copy.deepcopy(shipped_document()["rules"]),
        "published": {"limits": [], "options": [], "sources": {}},
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


def patients(found: PooledEvidence, **values: float | bool | None) -> Patients:
    """Virtual patients with these traits, in natural units."""
    return conditional_patients(found.population, [model_scale(t, values.get(t)) for t in MODEL_TRAIT_IDS])


def ask(found: PooledEvidence, given: Traits) -> PatientNumbers:
    return patient_numbers(found, given, "real_world")


def simulated_traits(plain: Mapping[str, Any], count: int, seed: int = 1) -> np.ndarray:
    """Patients of a document's population by plain Monte Carlo, shape (count, traits), on the model's scale."""
    population = plain["population"]
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((count, T)) @ np.linalg.cholesky(np.array(population["correlation"])).T
    numeric = np.array(population["location"]) + np.array(population["spread"]) * latent
    return np.where(population["binary"], latent > np.array(population["cut"]), numeric)
