"""The one way from a question to the answer of the service.

Every face goes through :func:`answer`, which records the answer where the service keeps an audit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeVar

from bcma_decide.comparing.compare import answer_question
from bcma_decide.comparing.question import Question
from bcma_decide.comparison import Comparison, result_bytes
from bcma_decide.service.audit.audit_record import record_of, time_ordered_id

if TYPE_CHECKING:
    from bcma_decide.service.service import Service


AUDIT_HEADER: Final = "Audit-Id"
"""Header of a response that names its record in the audit."""
Drawn = TypeVar("Drawn")


@dataclass(frozen=True)
class Answered:
    """A comparison that may leave the service."""

    question: Question
    comparison: Comparison
    audit_id: str = ""
    """Of its record in the audit; empty where none is kept."""

    @cached_property
    def document(self) -> bytes:
        """The comparison as JSON, as it is sent."""
        return result_bytes(self.comparison)

    @cached_property
    def identity(self) -> str:
        """SHA-256 of that document."""
        return sha256(self.document).hexdigest()

    @property
    def headers(self) -> dict[str, str]:
        """What goes into the headers of the response, whatever its form."""
        return {AUDIT_HEADER: self.audit_id} if self.audit_id else {}


async def answer(
    service: Service,
    asks: Callable[[], Question],
    draws: Callable[[Answered], Drawn],
    *,
    face: str,
    issuer: str = "",
    size: int = 0,
) -> tuple[Answered, Drawn]:
    """Compare for a face of the service; with an audit, the answer is on its disk before it is given.

    What is asked, the comparison and what is drawn from it are made in one go in one thread; while it draws, the record
    is on its way to the disk.

    Parameters
    ----------
    service
        The running service.
    asks
        Makes the question.
    draws
        Makes what is sent.
    face
        Which face asks: ``rest``, ``patient-view``, ``order-select`` and so on.
    issuer
        Who signed the token of the caller; empty where there is none.
    size
        Bytes of the request: who sent little does not wait for who sent much.

    Raises
    ------
    ProfileError, NoEvidenceError
        As :func:`answer_question`; and whatever ``asks`` and ``draws`` raise.
    AuditError
        When the answer cannot be recorded.
    """
    answered, drawn, recorded = await service.threads.run_sized(size, _answered, service, asks, draws, face, issuer)
    if recorded is not None:
        await asyncio.wrap_future(recorded)
    return answered, drawn


def nothing(answered: Answered) -> None:
    """Draw nothing yet."""


def _answered(
    service: Service, asks: Callable[[], Question], draws: Callable[[Answered], Drawn], face: str, issuer: str
) -> tuple[Answered, Drawn, Future[None] | None]:
    question = asks()
    comparison = answer_question(question, service.pooled)
    answered, recorded = Answered(question, comparison, "" if service.audit is None else str(time_ordered_id())), None
    if service.audit is not None:
        record = record_of(
            question, comparison, record_id=answered.audit_id, identity=answered.identity, face=face, issuer=issuer
        )
        recorded = service.audit.add(record)
    return answered, draws(answered), recorded
