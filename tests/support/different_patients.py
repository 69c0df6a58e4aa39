"""Patients of whom none is like another, as a clinic sees them: what is measured of one must not help the next."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

__all__ = ["different_patients"]

_WORDS = {
    "extramedullary_disease": 0.8, "high_risk_cytogenetics": 0.6, "prior_bcma": 0.5, "triple_class_refractory": 0.5,
    "penta_drug_refractory": 0.3, "active_infection": 0.3, "dialysis": 0.2, "caregiver": 0.4,
}  # fmt: skip
"""Traits of yes or no, and how often they are known."""
_NUMBERS = {
    "creatinine": (0.6, 3.0, "mg/dL"), "hemoglobin": (7.0, 14.0, "g/dL"), "platelets": (30.0, 300.0, "10^9/L"),
    "neutrophils": (0.8, 6.0, "10^9/L"), "ferritin": (20.0, 2000.0, "ng/mL"), "crp": (0.1, 12.0, "mg/dL"),
    "albumin": (2.5, 4.8, "g/dL"), "ldh": (0.5, 3.0, "x ULN"), "beta2_microglobulin": (1.5, 12.0, "mg/L"),
}  # fmt: skip
"""Laboratory values, each known of two patients in three."""


def different_patients(seed: int) -> Iterator[dict[str, Any]]:
    """Profiles as JSON holds them, without end; the same for one seed."""
    draw = Random(seed)  # no secret
    while True:
        yes_no = {name: draw.choice(("yes", "no")) for name, known in _WORDS.items() if draw.random() < known}
        values = {
            name: f"{draw.uniform(low, high):.3g} {unit}"
            for name, (low, high, unit) in _NUMBERS.items()
            if draw.random() < 2 / 3
        }
        yield {
            "age": draw.randint(40, 88),
            "prior_lines": draw.randint(1, 9),
            "ecog": draw.randint(0, 3),
            **yes_no,
            **values,
        }
