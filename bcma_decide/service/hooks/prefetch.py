"""What a CDS client sent along: for each key one of five states, and all resources as one Bundle for the reader.

A key may be absent (the client does not do it), null or an empty Bundle (there is no such data), an OperationOutcome
(it could not be read), a Bundle with more pages than were sent, or the data. What is absent, could not be read or has
more pages may be read from the client's FHIR server, in the same states. Only the patient and the diagnoses are
required; of everything else, missing is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from bcma_decide.errors import Problem
from bcma_decide.fhir.reading.bundle import has_more
from bcma_decide.fhir.reading.resource_reading import subject_of
from bcma_decide.service.http.problems import Refusal

PartState = Literal["absent", "nothing", "error", "first page", "complete"]

PATIENT_ID: Final = "{{context.patientId}}"
_OF_PATIENT: Final = f"?patient={PATIENT_ID}"
TEMPLATES: Final = {
    "patient": f"Patient/{PATIENT_ID}",
    "conditions": f"Condition{_OF_PATIENT}",
    "observations": f"Observation{_OF_PATIENT}&_sort=-date&_count=500",
    "medicationRequests": f"MedicationRequest{_OF_PATIENT}&_count=500",
    "medicationAdministrations": f"MedicationAdministration{_OF_PATIENT}&_count=500",
    "medicationStatements": f"MedicationStatement{_OF_PATIENT}&_count=500",
    "procedures": f"Procedure{_OF_PATIENT}&_count=500",
}
"""What is asked for; without tokens or parameters that came with CDS Hooks 3.0."""
REQUIRED: Final = ("patient", "conditions")
NAMES: Final = {
    "patient": "patient",
    "conditions": "diagnoses",
    "observations": "observations",
    "medicationRequests": "prescriptions",
    "medicationAdministrations": "administrations of medicines",
    "medicationStatements": "statements on medicines",
    "procedures": "procedures",
}
_WORDS: Final[dict[PartState, str]] = {
    "absent": "not sent",
    "nothing": "none in the record",
    "error": "the record could not be read",
    "first page": "only a first part was read",
    "complete": "read",
}


@dataclass(frozen=True)
class Part:
    """One key: its state and the resources that came under it."""

    state: PartState
    resources: tuple[Mapping[str, Any], ...] = ()


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
        texts = [
            f"{NAMES[key]}: {_WORDS[part.state]}"
            for key, part in self.parts.items()
            if part.state in ("absent", "error", "first page")
        ]
        if self.foreign:
            texts.append(f"{self.foreign} entries of another patient, left out")
        return tuple(texts)


def sent_parts(prefetch: Mapping[str, Any]) -> dict[str, Part]:
    """Sort what came along by key; raises Refusal (400) for what is no FHIR."""
    return {key: part_of(prefetch[key], key) if key in prefetch else Part("absent") for key in TEMPLATES}


def not_complete(parts: Mapping[str, Part]) -> tuple[str, ...]:
    """Keys of which there may be more than is there; that the record has none of something is complete."""
    return tuple(key for key, part in parts.items() if part.state in ("absent", "error", "first page"))


def completed(parts: Mapping[str, Part], fetched: Mapping[str, Part]) -> dict[str, Part]:
    """Parts with what was read afterwards; a beginning that came along stays where no more than that was read."""

    def fuller(sent: Part, read: Part) -> Part:
        shorter = read.state != "complete" and len(read.resources) <= len(sent.resources)
        return sent if sent.resources and shorter else read

    return {key: fuller(part, fetched[key]) if key in fetched else part for key, part in parts.items()}


def prefetched_record(parts: Mapping[str, Part], patient_id: str) -> PrefetchedRecord:
    """Put a record together; raises Refusal: 412 where what is required is missing, 400 for the wrong patient."""
    missing = [key for key in REQUIRED if parts[key].state in ("absent", "error")]
    if parts["patient"].state == "nothing":
        missing.insert(0, "patient")
    if missing:
        problems = [Problem(f"prefetch.{key}", _WORDS[parts[key].state], f"send {TEMPLATES[key]}") for key in missing]
        raise Refusal(412, "the patient and the diagnoses are needed", problems)
    _check_patient(parts["patient"], patient_id)
    return own_record(parts, patient_id)


def own_record(parts: Mapping[str, Part], patient_id: str) -> PrefetchedRecord:
    """Leave out what says that it belongs to another patient."""
    own = {
        key: Part(part.state, tuple(each for each in part.resources if not _is_foreign(each, patient_id)))
        for key, part in parts.items()
    }
    return PrefetchedRecord(own, sum(len(parts[key].resources) - len(own[key].resources) for key in parts))


def part_of(value: object, key: str) -> Part:
    """What one key holds; raises Refusal (400) for what is no FHIR."""
    if value is None:
        return Part("nothing")
    kind = value.get("resourceType") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(kind, str):
        raise Refusal(400, "malformed", [Problem(f"prefetch.{key}", "is no FHIR resource")])
    if kind == "OperationOutcome":
        return Part("error")
    if kind != "Bundle":
        return Part("complete", (value,))
    resources = tuple(_resources(value, key))
    wanted = tuple(each for each in resources if each["resourceType"] != "OperationOutcome")
    if has_more(value):
        return Part("first page", wanted)
    if not wanted:
        return Part("error" if resources else "nothing")
    return Part("complete", wanted)


def _resources(bundle: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise Refusal(400, "malformed", [Problem(f"prefetch.{key}.entry", "is not a list")])
    found = []
    for place, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if not isinstance(resource, Mapping) or not isinstance(resource.get("resourceType"), str):
            raise Refusal(400, "malformed", [Problem(f"prefetch.{key}.entry.{place}", "holds no FHIR resource")])
        found.append(resource)
    return found


def _check_patient(part: Part, patient_id: str) -> None:
    """Refuse the wrong patient: the one sent must be the one the client names."""
    first = part.resources[0] if len(part.resources) == 1 else {}
    if first.get("resourceType") != "Patient" or first.get("id", patient_id) != patient_id:
        raise Refusal(400, "malformed", [Problem("prefetch.patient", "is not the patient of the context")])


def _is_foreign(resource: Mapping[str, Any], patient_id: str) -> bool:
    """Whether a resource says that it belongs to another patient."""
    return subject_of(resource) not in (None, f"Patient/{patient_id}")
