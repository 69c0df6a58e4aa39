"""Repeating a recorded answer: the same request to the same program and evidence must give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bcma_decide.comparing.compare import answer_question
from bcma_decide.comparing.question import Question
from bcma_decide.comparison import SCHEMA_VERSION, result_json
from bcma_decide.errors import BcmaDecideError
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.service.audit.audit_record import AuditRecord, hash_of
from bcma_decide.version import __version__

Verdict = Literal["same", "differs", "changed", "not repeatable"]


@dataclass(frozen=True)
class Replay:
    """What came of repeating one record."""

    record: AuditRecord
    verdict: Verdict
    reason: str = ""
    """What is behind it, and what to do."""
    document: str = ""
    """The comparison as JSON; empty where there is none to give."""

    @property
    def output_hash(self) -> str:
        """SHA-256 of the document; empty where there is none."""
        return hash_of(self.document) if self.document else ""


def replay(record: AuditRecord, pooled: PooledEvidence) -> Replay:
    """Repeat one record with the evidence of ``pooled``.

    The verdict is ``same`` (the same bytes), ``differs`` (other bytes from the same request, program and evidence),
    ``changed`` (the request is not the one that was recorded) or ``not repeatable`` (here: other program or evidence).
    """
    if hash_of(record.request) != record.request_hash:
        return Replay(record, "changed", "the stored request is not the one that was answered: it was changed since")
    if missing := _missing(record, pooled):
        return Replay(record, "not repeatable", "; ".join(missing))
    try:
        document = result_json(answer_question(Question.read(record.request, pooled.definitions), pooled))
    except (BcmaDecideError, ValueError):  # its message would show what was asked
        return Replay(record, "differs", "the stored request cannot be read, though its hash is right")
    if hash_of(document) != record.output_hash:
        return Replay(
            record, "differs", "other bytes than recorded: record, program or libraries were changed", document
        )
    return Replay(record, "same", "", document)


def _missing(record: AuditRecord, pooled: PooledEvidence) -> list[str]:
    """What it would take to repeat the record."""
    found = []
    if record.software_version != __version__:
        fix = f'pip install "bcma-decide=={record.software_version}"'
        found.append(f"made by version {record.software_version}, this is {__version__} (install: {fix})")
    elif record.schema_version != SCHEMA_VERSION:
        found.append(f"made with schema {record.schema_version}, this is {SCHEMA_VERSION}")
    if record.evidence_hash != pooled.hash:
        fix = "give the folder that holds it with --evidence"
        found.append(f"made from evidence {record.evidence_hash[:12]}, this is {pooled.hash[:12]} ({fix})")
    return found
