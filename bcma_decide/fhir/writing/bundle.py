"""A comparison as one FHIR R4 Bundle: what is expected with each option, what is missing, who made it from what.

It is plain data, ready to be written; nothing is fetched and no clock is read. The tests hold it against an
independent model of the standard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bcma_decide.comparison import Comparison
from bcma_decide.fhir.reading.record import open_record
from bcma_decide.fhir.writing.document import DOCUMENT, document_reference
from bcma_decide.fhir.writing.guidance import GUIDANCE, guidance_response
from bcma_decide.fhir.writing.notes import findings_of
from bcma_decide.fhir.writing.origin import device, provenance
from bcma_decide.fhir.writing.parts import Written, frame_of, is_reference
from bcma_decide.fhir.writing.risk import assessed, part_of, risk_assessment
from bcma_decide.pooled.codes import Codes


def fhir_bundle(
    comparison: Comparison,
    codes: Codes,
    *,
    recorded: datetime,
    subject: str | None = None,
    pdf: bytes | None = None,
    author: str = "",
    encounter: str = "",
) -> dict[str, Any]:
    """Write a comparison as a Bundle of type ``transaction``: every resource is to be created.

    Parameters
    ----------
    comparison
        What to write; probabilities become per cent.
    codes
        Those of the evidence, ``load_model().codes``: what missing inputs are asked for by.
    recorded
        When it was made, with its time zone.
    subject
        Reference to the patient, as in ``Patient/1``; without one the patient is named in words only.
    pdf
        The printed sheet, to go inside.
    author
        Reference to the person whom the document is by, as in ``Practitioner/7``; empty where nobody is named.
    encounter
        Reference to the visit the document belongs to; empty where none is named.

    Raises
    ------
    ValueError
        When the time has no zone, or what should be a reference is none.
    """
    frame = frame_of(comparison, recorded, subject, author, encounter)
    options, findings = assessed(comparison), findings_of(comparison)
    parts = [GUIDANCE, *map(part_of, options), *([DOCUMENT] if pdf is not None else [])]
    resources: list[Written] = [
        guidance_response(frame, codes, findings),
        *(risk_assessment(frame, option, findings) for option in options),
        *([document_reference(frame, pdf)] if pdf is not None else []),
        device(frame),
        provenance(frame, parts),
    ]
    return {
        "resourceType": "Bundle",
        "id": frame.id_of("Bundle"),
        "identifier": frame.identifier,
        "type": "transaction",
        "timestamp": frame.recorded,
        "entry": [
            {
                "fullUrl": f"urn:uuid:{each['id']}",
                "resource": each,
                "request": {"method": "POST", "url": each["resourceType"]},
            }
            for each in resources
        ],
    }


def bundle_json(bundle: Mapping[str, Any]) -> str:
    """The Bundle as it is printed and sent."""
    return json.dumps(bundle, indent=2, ensure_ascii=False) + "\n"


def patient_reference(record: Mapping[str, Any]) -> str | None:
    """The reference by which a record names its patient; None where it has none that can be repeated.

    Raises
    ------
    ProfileError
        When it is no record of one patient.
    """
    opened = open_record(record)
    addresses = sorted(opened.patient.addresses) if opened.patient else [each.subject for each in opened.resources]
    return next((address for address in addresses if address and is_reference(address)), None)
