"""What a CDS client sent along: for each key one of five states, and all resources as one Bundle for the reader.

A key may be absent (the client does not do it), null or an empty Bundle (there is no such data), an OperationOutcome or
anything else that is no FHIR (it could not be read), a Bundle with more pages than were sent, or the data. What is
absent, could not be read or has more pages may be read from the client's FHIR server, in the same states. Only the
patient and the diagnoses are required; of everything else, missing is unknown, and one bad key spoils no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from bcma_decide.errors import Problem
from bcma_decide.fhir.reading.bundle import has_more
from bcma_decide.fhir.reading.datatypes import objects
from bcma_decide.fhir.reading.resource_reading import subject_of
from bcma_decide.service.fetching.searches import KINDS
from bcma_decide.service.http.problems import Refusal

OUTCOME: Final = "OperationOutcome"
PartState = Literal["absent", "nothing", "error", "first page", "complete"]

REQUIRED: Final = ("patient", "conditions")
NAMES: Final = {
    "patient": "patient",
    "conditions": "diagnoses",
    "observations": "observations",
    "diagnosticReports": "reports",
    "medicationRequests": "prescriptions",
    "medicationAdministrations": "administrations of medicines",
    "medicationStatements": "statements on medicines",
    "medicationDispenses": "medicines handed out",
    "procedures": "procedures",
}
_WORDS: Final[dict[PartState, str]] = {
    "absent": "not sent",
    "nothing": "none in the record",
    "error": "the record could not be read",
    "first page": "only a first part was read",
    "complete": "read",
}


_INCOMPLETE: Final[tuple[PartState, ...]] = ("absent", "error", "first page")
"""States of a part of which there may be more."""
_NOTICES: Final = ("success", "information", "warning")
"""Severities of an OperationOutcome that comes with an answer, not in the place of one."""


@dataclass(frozen=True)
class Part:
    """One key: its state and the resources that came under it."""

    state: PartState
    resources: tuple[Mapping[str, Any], ...] = ()
    why: str = ""
    """What a server said of a part that could not be read, where it is plain."""

    @property
    def words(self) -> str:
        """Its state for people."""
        return f"{_WORDS[self.state]}: {self.why}" if self.why else _WORDS[self.state]


@dataclass(frozen=True)
class PrefetchedRecord:
    """Everything that came along."""

    parts: Mapping[str, Part]
    foreign: int = 0
    """Resources of another patient, left out."""

    @property
    def bundle(self) -> dict[str, Any]:
        """All resources as one Bundle."""
        entries = [{"resource": resource} for part in self.parts.values() for resource in part.resources]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}

    @property
    def not_read(self) -> tuple[str, ...]:
        """What did not come, in words; that the record has none of something is not among it."""
        texts = [f"{NAMES[key]}: {part.words}" for key, part in self.parts.items() if part.state in _INCOMPLETE]
        if self.foreign:
            texts.append(f"{self.foreign} entries of another patient, left out")
        return tuple(texts)


def size_of(parts: Mapping[str, Part]) -> int:
    """Bytes of all resources, about: as many thousands as there are."""
    return 1_000 * sum(len(part.resources) for part in parts.values())


def sent_parts(prefetch: Mapping[str, Any]) -> dict[str, Part]:
    """Sort what came along by key."""
    return {key: part_of(prefetch[key], key) if key in prefetch else Part("absent") for key in KINDS}


def not_complete(parts: Mapping[str, Part]) -> tuple[str, ...]:
    """Keys of which there may be more than is there; that the record has none of something is complete."""
    return tuple(key for key, part in parts.items() if part.state in _INCOMPLETE)


def completed(parts: Mapping[str, Part], fetched: Mapping[str, Part]) -> dict[str, Part]:
    """Parts with what was read afterwards; a beginning that came along stays where no more than that was read."""

    def fuller(sent: Part, read: Part) -> Part:
        shorter = read.state != "complete" and len(read.resources) <= len(sent.resources)
        return sent if sent.resources and shorter else read

    return {key: fuller(part, fetched[key]) if key in fetched else part for key, part in parts.items()}


def prefetched_record(parts: Mapping[str, Part], patient_id: str, templates: Mapping[str, str]) -> PrefetchedRecord:
    """Put a record together; raises Refusal: 412 where what is required is missing, 400 for the wrong patient."""
    missing = [key for key in REQUIRED if parts[key].state in ("absent", "error")]
    if parts["patient"].state == "nothing":
        missing.insert(0, "patient")
    if missing:
        problems = [Problem(f"prefetch.{key}", parts[key].words, f"send {templates[key]}") for key in missing]
        raise Refusal(412, "the patient and the diagnoses are needed", problems)
    _check_patient(parts["patient"], patient_id)
    return own_record(parts, patient_id)


def own_record(parts: Mapping[str, Part], patient_id: str) -> PrefetchedRecord:
    """Leave out what says that it belongs to another patient."""
    own = {
        key: replace(part, resources=tuple(each for each in part.resources if not _is_foreign(each, patient_id)))
        for key, part in parts.items()
    }
    return PrefetchedRecord(own, sum(len(parts[key].resources) - len(own[key].resources) for key in parts))


def part_of(value: object, key: str) -> Part:
    """What one key holds; what is no FHIR is an error of the key."""
    if value is None:
        return Part("nothing")
    kind = value.get("resourceType") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(kind, str) or kind == OUTCOME:
        return Part("error")
    if kind != "Bundle":
        return Part("complete", (value,))
    entries = value.get("entry", [])
    if not isinstance(entries, list):
        return Part("error")
    held = [each for each in map(_held, entries) if each is not None]
    outcomes = [each for each in held if each["resourceType"] == OUTCOME]
    # a patient under another key is one that was sent along with what names it
    wanted = tuple(each for each in held if each["resourceType"] != OUTCOME and _fits(each, key))
    spoiled = len(held) < len(entries) or not all(map(_is_notice, outcomes)) or (not held and _counts_some(value))
    if has_more(value) or (spoiled and wanted):
        return Part("first page", wanted)
    return Part("complete", wanted) if wanted else Part("error" if spoiled else "nothing")


def _held(entry: object) -> Mapping[str, Any] | None:
    resource = entry.get("resource") if isinstance(entry, Mapping) else None
    return resource if isinstance(resource, Mapping) and isinstance(resource.get("resourceType"), str) else None


def _fits(resource: Mapping[str, Any], key: str) -> bool:
    is_patient: bool = resource["resourceType"] == "Patient"
    return is_patient == (KINDS[key] == "Patient")


def _is_notice(outcome: Mapping[str, Any]) -> bool:
    """Whether an OperationOutcome says nothing worse than that nothing was found, or that something was passed over."""
    issues = list(objects(outcome.get("issue")))
    return bool(issues) and all(issue.get("severity") in _NOTICES for issue in issues)


def _counts_some(bundle: Mapping[str, Any]) -> bool:
    """Whether a Bundle without entries says that there are some: a count of them is not they themselves."""
    total = bundle.get("total")
    return isinstance(total, int) and total > 0


def _check_patient(part: Part, patient_id: str) -> None:
    """Refuse the wrong patient: the one sent must be the one the client names."""
    first = part.resources[0] if len(part.resources) == 1 else {}
    if first.get("resourceType") != "Patient" or first.get("id", patient_id) != patient_id:
        raise Refusal(400, "malformed", [Problem("prefetch.patient", "is not the patient of the context")])


def has_died(patient: Mapping[str, Any]) -> bool:
    """Whether a Patient resource says that the patient has died, be the day known or not."""
    dated = any(patient.get(name) is not None for name in ("deceasedDateTime", "_deceasedDateTime"))
    return dated or patient.get("deceasedBoolean") is True


def _is_foreign(resource: Mapping[str, Any], patient_id: str) -> bool:
    """Whether a resource says that it belongs to another patient."""
    return subject_of(resource) not in (None, f"Patient/{patient_id}")
