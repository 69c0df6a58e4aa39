"""The sheet as it was printed: a DocumentReference with the PDF inside, which stands alone.

It refers to nothing of the Bundle, so that it can be written by itself, which is what most servers take (US Core,
writing clinical notes). Its author is a person; the program is named in words, for a document of a device is refused.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1
from typing import Final

from bcma_decide.fhir.writing.narrative import narrated
from bcma_decide.fhir.writing.parts import Frame, Written, coded, filled
from bcma_decide.render.words import arrange

DOCUMENT: Final = "DocumentReference"
_TYPE: Final = ("http://loinc.org", "11488-4", "Consult note")
"""Of the starter set of US Core (ValueSet us-core-clinical-note-type 8.0.0)."""
_CATEGORY: Final = (
    "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note", "Clinical Note",
)  # fmt: skip


def document_reference(frame: Frame, pdf: bytes) -> Written:
    """Write the PDF with its size and its SHA-1, which is what R4 asks for; preliminary until a person signs it."""
    names = " and ".join(option.label for option in arrange.class_options(frame.comparison))
    title, software = f"{names} side by side", frame.comparison.software
    made_by = f"Made by {software.name} {software.version}, evidence of {frame.comparison.evidence.date}."
    document = {
        "resourceType": DOCUMENT,
        "id": frame.id_of(DOCUMENT),
        "identifier": [frame.identifier],
        "status": "current",
        "docStatus": "preliminary",
        "type": coded(*_TYPE, "Decision-support sheet"),
        "category": [coded(*_CATEGORY, _CATEGORY[-1])],
        "subject": dict(frame.subject),
        "date": frame.recorded,
        "author": [{"reference": frame.author}] if frame.author else [],
        "description": f"{made_by} {frame.comparison.intended_use}",
        "content": [
            {
                "attachment": {
                    "contentType": "application/pdf",
                    "data": b64encode(pdf).decode(),
                    "size": len(pdf),
                    "hash": b64encode(sha1(pdf, usedforsecurity=False).digest()).decode(),
                    "title": title,
                    "creation": frame.recorded,
                }
            }
        ],
        "context": {
            **({"encounter": [{"reference": frame.encounter}]} if frame.encounter else {}),
            "period": {"start": frame.recorded, "end": frame.recorded},
        },
    }
    return narrated(filled(document), title, [made_by, frame.comparison.intended_use])
