"""A record of the audit: what was asked and answered, by which program and evidence, so that it can be repeated."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from time import time_ns
from uuid import UUID

from bcma_decide.comparing.question import Question
from bcma_decide.comparison import Comparison


@dataclass(frozen=True)
class AuditRecord:
    """One answer; hashes are SHA-256 as hexadecimal digits."""

    id: str
    """A UUID whose order is that of time."""
    recorded: str
    """When, in UTC as ISO 8601."""
    face: str
    """Which face of the service was asked."""
    issuer: str
    """Who signed the token of the caller; empty where the service was open."""
    request: str
    """What was asked as canonical JSON: it holds values of the patient."""
    request_hash: str
    evidence_hash: str
    software_version: str
    schema_version: str
    output_hash: str
    """Of the comparison as JSON; its first twelve digits are the id on a sheet."""


def record_of(
    question: Question, comparison: Comparison, *, record_id: str, identity: str, face: str, issuer: str
) -> AuditRecord:
    """Record that ``question`` was answered now with ``comparison``; ``identity``: SHA-256 of its JSON."""
    request = question.written()
    return AuditRecord(
        id=record_id,
        recorded=datetime.now(UTC).isoformat(timespec="milliseconds"),
        face=face,
        issuer=issuer,
        request=request,
        request_hash=hash_of(request),
        evidence_hash=comparison.evidence.hash,
        software_version=comparison.software.version,
        schema_version=str(comparison.software.schema_version),
        output_hash=identity,
    )


def hash_of(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return sha256(text.encode()).hexdigest()


def time_ordered_id() -> UUID:
    """A UUID of version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, the rest random but version and variant."""
    milliseconds = time_ns() // 1_000_000
    number = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    number = number & ~(0xF << 76) | 7 << 76
    return UUID(int=number & ~(0b11 << 62) | 0b10 << 62)
