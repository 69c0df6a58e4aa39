"""The one way from a question to the answer of the service.

Every face goes through :func:`answer`, which records the answer where the service keeps an audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bcma_decide.comparing.compare import answer_question
from bcma_decide.comparing.question import Question
from bcma_decide.comparison import Comparison, result_json
from bcma_decide.service.audit.audit_record import record_of

if TYPE_CHECKING:
    from bcma_decide.service.service import Service


AUDIT_HEADER: Final = "Audit-Id"
"""Header of a response that names its record in the audit."""


@dataclass(frozen=True)
class Answered:
    """A comparison that may leave the service."""

    comparison: Comparison
    audit_id: str = ""
    """Of its record in the audit; empty where none is kept."""
    written: str = ""
    """Its JSON, where that was needed before."""

    def document(self) -> str:
        """The comparison as JSON, as it is sent."""
        return self.written or result_json(self.comparison)

    @property
    def headers(self) -> dict[str, str]:
        """What goes into the headers of the response, whatever its form."""
        return {AUDIT_HEADER: self.audit_id} if self.audit_id else {}


async def answer(service: Service, question: Question, *, face: str, issuer: str = "") -> Answered:
    """Compare for a face of the service; with an audit, the answer is on its disk before it is given.

    Parameters
    ----------
    service
        The running service.
    question
        What is asked.
    face
        Which face asks: ``rest``, ``patient-view``, ``order-select`` and so on.
    issuer
        Who signed the token of the caller; empty where there is none.

    Raises
    ------
    ProfileError, NoEvidenceError
        As :func:`answer_question`.
    AuditError
        When the answer cannot be recorded.
    """
    return await service.workers.run(_answered, service, question, face, issuer)


def _answered(service: Service, question: Question, face: str, issuer: str) -> Answered:
    comparison = answer_question(question, service.pooled)
    if service.audit is None:
        return Answered(comparison)
    document = result_json(comparison)
    record = record_of(question, comparison, document, face=face, issuer=issuer)
    service.audit.write(record)
    return Answered(comparison, record.id, document)
