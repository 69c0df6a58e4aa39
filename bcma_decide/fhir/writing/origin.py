"""Which program made the resources, from which evidence: Device and Provenance."""

from __future__ import annotations

from typing import Final

from bcma_decide.comparison import Comparison
from bcma_decide.fhir.writing.narrative import narrated
from bcma_decide.fhir.writing.parts import EVIDENCE, Frame, Written

DEVICE: Final = "Device"
PROVENANCE: Final = "Provenance"


def device(frame: Frame) -> Written:
    """The program as the device that did it, with its versions."""
    software, evidence = frame.comparison.software, frame.comparison.evidence
    made: Written = {
        "resourceType": "Device",
        "id": frame.id_of(DEVICE),
        "deviceName": [{"name": software.name, "type": "user-friendly-name"}],
        "type": {"text": "Decision-support software"},
        "version": [
            {"type": {"text": "software"}, "value": software.version},
            {"type": {"text": "evidence"}, "value": f"{evidence.version} of {evidence.date}"},
            {"type": {"text": "schema of the result"}, "value": software.schema_version},
        ],
        "note": [{"text": frame.comparison.intended_use}],
    }
    versions = [f"{each['type']['text']}: {each['value']}" for each in made["version"]]
    return narrated(made, software.name, [*versions, frame.comparison.intended_use])


def provenance(frame: Frame, parts: list[str]) -> Written:
    """Who made the other resources of the bundle, when, and from which evidence."""
    origin = {
        "resourceType": "Provenance",
        "id": frame.id_of(PROVENANCE),
        "target": [frame.link(part) for part in parts],
        "recorded": frame.recorded,
        "agent": [{"who": frame.link(DEVICE)}],
        "entity": [{"role": "source", "what": _evidence(frame.comparison)}],
    }
    software, evidence = frame.comparison.software, frame.comparison.evidence
    said = f"{software.name} {software.version}, from evidence {evidence.version} of {evidence.date} ({evidence.hash})."
    return narrated(origin, "Origin", [f"Made on {frame.recorded} by {said}"])


def _evidence(comparison: Comparison) -> dict[str, object]:
    """The evidence by its hash; there is no resource to point to."""
    evidence = comparison.evidence
    return {
        "identifier": {"system": EVIDENCE, "value": evidence.hash},
        "display": f"evidence {evidence.version} of {evidence.date}",
    }
