"""The sheet as it was printed: a DocumentReference with the PDF inside."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1
from typing import Final

from bcma_decide.fhir.writing.origin import DEVICE
from bcma_decide.fhir.writing.parts import Frame, Written
from bcma_decide.render.words import arrange

DOCUMENT: Final = "DocumentReference"


def document_reference(frame: Frame, pdf: bytes) -> Written:
    """Write the PDF with its size and its SHA-1, which is what R4 asks for."""
    names = " and ".join(option.label for option in arrange.class_options(frame.comparison))
    title = f"{names} side by side"
    return {
        "resourceType": "DocumentReference",
        "id": frame.id_of(DOCUMENT),
        "identifier": [frame.identifier],
        "status": "current",
        "docStatus": "final",
        "type": {"text": "Decision-support sheet"},
        "subject": dict(frame.subject),
        "date": frame.recorded,
        "author": [frame.link(DEVICE)],
        "description": frame.comparison.intended_use,
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
    }
