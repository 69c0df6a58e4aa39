"""What ``GET /evidence`` says: which evidence, how much of it, and what may be asked and answered."""

from __future__ import annotations

from datetime import date

from bcma_decide.comparing.compare import evidence_stamp
from bcma_decide.comparison import SCHEMA_VERSION, EvidenceStamp, Option, SoftwareStamp
from bcma_decide.patient.fields import FIELDS, definition_text
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.value import Value
from bcma_decide.version import __version__
from bcma_decide.vocabulary import FAMILIES, INTENDED_USE


class Counts(Value):
    """How much stands behind the numbers."""

    studies: int
    references: int
    rules: int
    products_with_labels: int


class OutcomeLine(Value):
    """An outcome that is compared."""

    id: str
    label: str
    family: str
    direction: str
    horizon: str


class FieldLine(Value):
    """A field of a profile and how it is answered."""

    id: str
    label: str
    kind: str
    panel: str
    answer: str
    units: tuple[str, ...]
    choices: tuple[str, ...]
    example: str
    definition: str
    findings_only: bool


class EvidenceView(Value):
    """Everything about the evidence that is not about a patient."""

    intended_use: str
    software: SoftwareStamp
    evidence: EvidenceStamp
    labels_seen_until: str
    counts: Counts
    regions: tuple[str, ...]
    settings: tuple[str, ...]
    options: tuple[Option, ...]
    outcomes: tuple[OutcomeLine, ...]
    fields: tuple[FieldLine, ...]


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
        regions=tuple(pooled.rules.regions),
        settings=tuple(pooled.levels),
        options=pooled.options,
        outcomes=tuple(
            OutcomeLine(
                id=threshold.id,
                label=threshold.label,
                family=family.id,
                direction=family.direction,
                horizon=family.horizon,
            )
            for family in FAMILIES
            for threshold in family.thresholds
        ),
        fields=tuple(
            FieldLine(
                id=field.id,
                label=field.label,
                kind=field.kind,
                panel=field.panel,
                answer=field.answer,
                units=tuple(unit.name for unit in field.units),
                choices=tuple(name for name, _ in field.choices),
                example=field.example,
                definition=definition_text(field, pooled.definitions),
                findings_only=field.findings_only,
            )
            for field in FIELDS.values()
        ),
    )
