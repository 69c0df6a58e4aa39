"""Random profiles over all fields, the same for one seed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.profile import Patient

DRUGS = ("lenalidomide", "pomalidomide", "bortezomib", "carfilzomib", "daratumumab", "isatuximab", "talquetamab")
NOT_DRAWN = ("courses",)
"""Kinds of field that need a shape of their own."""


def value(field, rng: np.random.Generator) -> object:
    """Anything the field may hold."""
    if field.kind == "yes_no":
        return ("yes", "no", "unknown")[rng.integers(3)]
    if field.kind == "stage":
        return int(rng.integers(1, 4))
    if field.kind == "choice":
        return field.choices[rng.integers(len(field.choices))][0]
    if field.kind == "drugs":
        return list(rng.choice(DRUGS, size=rng.integers(1, 4), replace=False))
    if field.kind == "whole":
        return int(rng.integers(field.low, field.high + 1))
    return f"{rng.uniform(field.low, field.high):.3g} {field.unit}".strip()


def random_profiles(count: int, seed: int) -> Iterator[Patient]:
    """So many patients of whom a fifth to all of the fields that can be drawn are known."""
    rng = np.random.default_rng(seed)
    drawn = [field for field in FIELDS.values() if field.kind not in NOT_DRAWN]
    for _ in range(count):
        known = rng.random(len(drawn)) < rng.choice([0.05, 0.2, 0.5, 0.9])
        yield Patient(**{field.id: value(field, rng) for field, take in zip(drawn, known, strict=True) if take})
