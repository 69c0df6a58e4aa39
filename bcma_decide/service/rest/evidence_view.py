"""What ``GET /evidence`` says: which evidence, how much of it, and what may be asked and answered."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel

from bcma_decide.comparing.compare import evidence_stamp
from bcma_decide.comparison import SCHEMA_VERSION, EvidenceStamp, Option, SoftwareStamp
from bcma_decide.patient.fields import FIELDS, definition_text
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.version import __version__
from bcma_decide.vocabulary import FAMILIES, INTENDED_USE


class Counts(BaseModel):
    """How much stands behind the numbers."""

    studies: int
    references: int
    rules: int
    products_with_labels: int


class OutcomeLine(BaseModel):
    """An outcome that is compared."""

    id: str
    label: str
    family: str
    direction: str
    horizon: str


class FieldLine(BaseModel):
    """A field of a profile and how it is answered."""

    id: str
    label: str
    kind: str
    panel: str
    answer: str
    units: list[str]
    choices: list[str]
    example: str
    definition: str
    findings_only: bool


class EvidenceView(BaseModel):
    """Everything about the evidence that is not about a patient."""

    intended_use: str
    software: SoftwareStamp
    evidence: EvidenceStamp
    labels_seen_until: str
    counts: Counts
    regions: list[str]
    settings: list[str]
    options: list[Option]
    outcomes: list[OutcomeLine]
    fields: list[FieldLine]


def evidence_view(pooled: PooledEvidence, today: date) -> EvidenceView:
    """Describe the evidence as of today."""
    return EvidenceView(
        intended_use=INTENDED_USE,
        software=SoftwareStamp(name="bcma-decide", version=__version__, schema_version=SCHEMA_VERSION),
        evidence=evidence_stamp(pooled, today),
        labels_seen_until=pooled.rules.as_of,
        counts=Counts(
            studies=len(pooled.studies),
            references=len(pooled.references),
            rules=len(pooled.rules.rules),
            products_with_labels=len(pooled.rules.products),
        ),
        regions=list(pooled.rules.regions),
        settings=list(pooled.levels),
        options=list(pooled.options),
        outcomes=[
            OutcomeLine(
                id=threshold.id,
                label=threshold.label,
                family=family.id,
                direction=family.direction,
                horizon=family.horizon,
            )
            for family in FAMILIES
            for threshold in family.thresholds
        ],
        fields=[
            FieldLine(
                id=field.id,
                label=field.label,
                kind=field.kind,
                panel=field.panel,
                answer=field.answer,
                units=[unit.name for unit in field.units],
                choices=[name for name, _ in field.choices],
                example=field.example,
                definition=definition_text(field, pooled.definitions),
                findings_only=field.findings_only,
            )
            for field in FIELDS.values()
        ],
    )
