"""What is asked of the service, as a plain value, and the one way from there to a comparison.

Every face goes through :func:`answer`, which records the answer where the service keeps an audit. What is asked holds
all that the comparison depends on besides program and evidence, so that it can be written down and repeated to the
same bytes. A FHIR record is not part of it: only what was read from it is, the profile and the ledger.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date as Day  # noqa: N812  # a field is called date
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

from bcma_decide.assemble import compare
from bcma_decide.comparison import Comparison, InputLine, UnmappedLine
from bcma_decide.definitions import Definitions
from bcma_decide.model.artefact import Model
from bcma_decide.patient import Patient
from bcma_decide.render.sheet import result_json
from bcma_decide.vocabulary import DEFAULT_REGION, Design

if TYPE_CHECKING:
    from bcma_decide.clinic.service import Service


AUDIT_HEADER: Final = "Audit-Id"
"""Header of a response that names its record in the audit."""


class Asked(BaseModel):
    """For whom to compare, and how; where the profile comes from a record, what the record held."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    patient: Patient
    setting: Design = "real_world"
    region: str = DEFAULT_REGION
    date: Day | None = None
    """As of which day; None: the date of the evidence."""
    explain: tuple[str, ...] = ()
    name: str | None = None
    """Of a shipped example; never a person's."""
    inputs: tuple[InputLine, ...] = ()
    unmapped: tuple[UnmappedLine, ...] = ()
    record_date: Day | None = None
    """The day the ages in ``inputs`` are counted to."""

    def written(self) -> str:
        """As canonical JSON: names sorted, what was not asked left out, ASCII only."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True), sort_keys=True, separators=(",", ":"))

    @classmethod
    def read(cls, text: str, definitions: Definitions) -> Asked:
        """Read what :meth:`written` gave; raises ProfileError or ValueError where it gave something else."""
        return cls.model_validate(json.loads(text), context=definitions)


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


def compared(asked: Asked, model: Model) -> Comparison:
    """Compare as asked: the same request, evidence and version of the program give the same bytes.

    Raises
    ------
    ProfileError
        When the region has no label.
    NoEvidenceError
        When ``explain`` names an outcome that does not exist.
    """
    return compare(
        asked.patient,
        setting=asked.setting,
        region=asked.region,
        date=asked.date,
        explain=asked.explain,
        name=asked.name,
        model=model,
        inputs=asked.inputs,
        unmapped=asked.unmapped,
        record_date=asked.record_date,
    )


async def answer(service: Service, asked: Asked, *, face: str, issuer: str = "") -> Answered:
    """Compare for a face of the service; with an audit, the answer is on its disk before it is given.

    Parameters
    ----------
    service
        The running service.
    asked
        What is asked.
    face
        Which face asks: ``rest``, ``patient-view``, ``order-select`` and so on.
    issuer
        Who signed the token of the caller; empty where there is none.

    Raises
    ------
    ProfileError, NoEvidenceError
        As :func:`compared`.
    AuditError
        When the answer cannot be recorded.
    """
    return await service.workers.run(_answered, service, asked, face, issuer)


def _answered(service: Service, asked: Asked, face: str, issuer: str) -> Answered:
    comparison = compared(asked, service.model)
    if service.audit is None:
        return Answered(comparison)
    from bcma_decide.clinic.audit_record import record_of

    document = result_json(comparison)
    record = record_of(asked, comparison, document, face=face, issuer=issuer)
    service.audit.write(record)
    return Answered(comparison, record.id, document)
