"""What can be given a weight: outcomes of the model, shares free of progression, burdens of the products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.pooled.rule_book import Burden
from bcma_decide.preference_shapes import OF_100
from bcma_decide.time_course import LANDMARKS
from bcma_decide.vocabulary import FAMILY_OF, OUTCOMES, THRESHOLDS, Direction


@dataclass(frozen=True)
class Criterion:
    """One thing that can be given a weight.

    ``scale``: its least and its most attractive end, where it has ends of its own; a burden has none.
    """

    id: str
    label: str
    plain: str
    """How the sentence "from x to y of 100 patients ..." or "from x to y ..." goes on."""
    unit: str
    direction: Direction
    kind: Literal["outcome", "progression_free", "burden"]
    scale: tuple[float, float] | None
    month: int | None = None
    """Of a share free of progression."""
    burden: Burden | None = None


def criteria_of(pooled: PooledEvidence) -> Mapping[str, Criterion]:
    """Everything that can be given a weight, by its id: what is hoped for first, then harms, then burdens."""
    outcomes = [_of_outcome(outcome) for outcome in OUTCOMES]
    shares = [
        Criterion(
            id=f"pfs_{month}m",
            label=f"No progression after {month} months",
            plain=f"live without progression after {month} months",
            unit=OF_100,
            direction="benefit",
            kind="progression_free",
            scale=(0.0, 100.0),
            month=month,
        )
        for month in LANDMARKS
    ]
    burdens = [
        Criterion(
            id=burden.id,
            label=burden.label,
            plain=burden.label[0].lower() + burden.label[1:],
            unit=burden.unit,
            direction="harm",
            kind="burden",
            scale=None,
            burden=burden,
        )
        for burden in pooled.rules.burdens
    ]
    hoped = [each for each in outcomes if each.direction == "benefit"]
    feared = [each for each in outcomes if each.direction == "harm"]
    return {each.id: each for each in (*hoped, *shares, *feared, *burdens)}


def _of_outcome(outcome: str) -> Criterion:
    family, threshold = FAMILY_OF[outcome], THRESHOLDS[outcome]
    return Criterion(
        id=outcome,
        label=threshold.label,
        plain=threshold.plain,
        unit=OF_100,
        direction=family.direction,
        kind="outcome",
        scale=(0.0, 100.0) if family.direction == "benefit" else (100.0, 0.0),
    )
