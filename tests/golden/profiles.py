"""The profiles of the kept figures: nothing known, extremes, every trait alone, the shipped examples, two records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

from bcma_decide import Comparison, Patient, compare
from bcma_decide.comparing.compare import load_pooled
from bcma_decide.fhir.reading.reader import read_bundle
from bcma_decide.patient.files import example_names, load_example
from tests.support.places import RECORDS

TYPED: dict[str, dict[str, Any]] = {
    "nothing-known": {},
    "youngest": {"age": 18, "prior_lines": 1, "ecog": 0},
    "oldest": {"age": 100, "prior_lines": 15, "ecog": 4, "frail": "yes", "sex": "female", "weight": "40 kg"},
    "everything-against": {
        "age": 84,
        "extramedullary_disease": "yes",
        "high_risk_cytogenetics": "yes",
        "prior_bcma_courses": ["car_t:3", "bispecific:1"],
        "refractory_to": ["lenalidomide", "pomalidomide", "bortezomib", "carfilzomib", "daratumumab"],
        "creatinine": "4.1 mg/dL",
        "ferritin": "2100 ng/mL",
        "platelets": "22 10^9/L",
        "neutrophils": "0.4 10^9/L",
        "crp": "60 mg/L",
        "hemoglobin": "7.2 g/dL",
        "active_infection": "yes",
    },
    "nothing-against": {
        "age": 52,
        "extramedullary_disease": "no",
        "high_risk_cytogenetics": "no",
        "prior_bcma": "no",
        "ecog": 0,
        "prior_lines": 2,
    },
    "contradictory": {"iss": 1, "beta2_microglobulin": "9 mg/L", "albumin": "30 g/L", "age": 63},
    "only-age": {"age": 75},
    "only-prior-lines": {"prior_lines": 8},
    "only-extramedullary-disease": {"extramedullary_disease": "yes"},
    "only-high-risk-cytogenetics": {"high_risk_cytogenetics": "yes"},
    "only-prior-bcma": {"prior_bcma": "yes"},
    "only-a-course-of-car-t": {"prior_bcma_courses": ["car_t:14"]},
    "only-refractory": {"refractory_to": ["lenalidomide", "bortezomib", "daratumumab"]},
    "only-ecog": {"ecog": 2},
    "only-frailty": {"frail": "yes"},
    "only-creatinine-clearance": {"creatinine_clearance": "28 mL/min"},
    "only-iss": {"iss": 3},
    "only-r-iss": {"r_iss": 3},
    "only-ferritin": {"ferritin": "900 ng/mL"},
    "only-platelets": {"platelets": "41 10^9/L"},
    "only-active-infection": {"active_infection": "yes"},
}
"""Every other profile, as a person would enter it."""

ASKED: dict[str, dict[str, Any]] = {
    "fit-58 in trials": {"example": "fit-58", "setting": "interventional"},
    "renal-74 in the EU in 2024": {"example": "renal-74", "region": "EU", "date": date(2024, 1, 15)},
    "prior-car-t-63 in China": {"example": "prior-car-t-63", "region": "China"},
}
"""The same patients, asked about otherwise."""

RECORD_NAMES = ("prior-car-t-63", "renal-74")
RECORD_DAY = date(2026, 11, 25)


def comparisons() -> Iterator[tuple[str, Comparison]]:
    """Every profile with its comparison, in the order of the file of figures."""
    for name, values in TYPED.items():
        yield name, compare(Patient.read(values))
    for name in example_names():
        yield f"example {name}", _of_example(name)
    for name, asked in ASKED.items():
        options = dict(asked)
        yield name, _of_example(options.pop("example"), **options)
    for name in RECORD_NAMES:
        record = json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))
        model = load_pooled()
        yield f"record {name}", compare(read_bundle(record, model.codes, model.definitions, RECORD_DAY).patient)


@cache
def _example(name: str) -> Patient:
    return load_example(name)


def _of_example(name: str, **options: Any) -> Comparison:
    return compare(_example(name), **options)
