"""What all resources written share: names, identities, references, percentages, extensions.

Names of code systems, identifiers and extensions are URNs of the project, like the types of its problem details. A web
address would claim a place where somebody could look them up, and the project has none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from bcma_decide.comparison import Comparison, result_hash
from bcma_decide.fhir.reading.datatypes import UCUM
from bcma_decide.render.words import wording
from bcma_decide.value import Interval

Written = dict[str, Any]

BASE: Final = "urn:bcma-decide"
RESULT: Final = f"{BASE}:result"
"""System of the identifier that holds the resources of one comparison together: its hash."""
OUTCOME: Final = f"{BASE}:outcome"
OPTION: Final = f"{BASE}:option"
EVIDENCE: Final = f"{BASE}:evidence"
POINT_ESTIMATE: Final = f"{BASE}:fhir:point-estimate"
PREDICTION_INTERVAL: Final = f"{BASE}:fhir:prediction-interval"
CERTAINTY: Final = f"{BASE}:fhir:certainty"
UNKNOWN_RANGE: Final = f"{BASE}:fhir:range-over-unknown-input"
FURTHER_PRODUCT: Final = f"{BASE}:fhir:further-product-of-the-class"
"""Marks a number that is not the product's own: it has no rows here, and the class's value stands for it."""
INPUT: Final = f"{BASE}:fhir:input"

SUBJECT: Final = "patient of this request"
"""What the patient is called where no reference is given."""

AUTHORS: Final = ("Practitioner", "PractitionerRole")
"""Who may be the author of a document: a person who answers for it."""

_NAMESPACE: Final = UUID("5e4d1f0e-7d0b-5c5e-9d55-0f9a2e6e3c11")
_ID: Final = r"[A-Za-z0-9._-]{1,64}"
"""As R4 has ids, and the low line that many servers put in them."""
_REFERENCE: Final = re.compile(rf"[A-Z][A-Za-z]{{1,63}}/{_ID}|urn:(uuid|oid):[A-Za-z0-9.-]{{1,64}}")


@dataclass(frozen=True)
class Frame:
    """One comparison that is being written, about whom and when."""

    comparison: Comparison
    identity: str
    """Hash of the comparison."""
    subject: Mapping[str, str]
    """Reference to the patient."""
    recorded: str
    author: str = ""
    """Reference to whom a document is by; empty where nobody was named."""
    encounter: str = ""
    """Reference to the visit it belongs to."""

    def id_of(self, part: str) -> str:
        """The id of a resource: the same for the same comparison of the same patient."""
        return str(uuid5(_NAMESPACE, f"{self.identity} {self.subject.get('reference', '')} {part}"))

    def link(self, part: str) -> dict[str, str]:
        """A reference to another resource of the bundle."""
        return {"reference": f"urn:uuid:{self.id_of(part)}"}

    @property
    def identifier(self) -> dict[str, str]:
        """What all resources of the comparison have in common."""
        return {"system": RESULT, "value": self.identity}


def frame_of(
    comparison: Comparison, recorded: datetime, subject: str | None, author: str = "", encounter: str = ""
) -> Frame:
    """Begin to write a comparison; raises ValueError for a time without zone, or what is no reference of its kind."""
    if recorded.tzinfo is None:
        raise ValueError("the time needs its zone")
    if subject is not None and not is_reference(subject):
        raise ValueError("the subject is not a reference such as Patient/1")
    if author and not is_reference(author, *AUTHORS):
        raise ValueError("the author is not a reference such as Practitioner/1")
    if encounter and not is_reference(encounter, "Encounter"):
        raise ValueError("the encounter is not a reference such as Encounter/1")
    about = {"display": SUBJECT} if subject is None else {"reference": subject}
    stamp = recorded.isoformat(timespec="seconds")
    return Frame(comparison, result_hash(comparison), about, stamp, author, encounter)


def is_reference(text: str, *kinds: str) -> bool:
    """Whether a text can be a reference: kind and id, or a URN; where kinds are named, kind and id of one of them."""
    fits = not kinds or text.partition("/")[0] in kinds
    return fits and _REFERENCE.fullmatch(text) is not None


def percent(fraction: float) -> float:
    """A fraction of the comparison (six decimals) in per cent, without the noise of the multiplication."""
    return round(100 * fraction, 4) + 0.0


def percent_range(ends: Interval) -> dict[str, Any]:
    """Both ends of an interval as a Range in per cent."""
    low, high = ends
    return {"low": _percentage(low), "high": _percentage(high)}


def _percentage(fraction: float) -> dict[str, Any]:
    return {"value": percent(fraction), "unit": "%", "system": UCUM[0], "code": "%"}


def months(last: int) -> dict[str, Any]:
    """From the start to the end of a month, as a Range."""
    return {"low": _months(0), "high": _months(last)}


def _months(value: int) -> dict[str, Any]:
    return {"value": value, "unit": "months", "system": UCUM[0], "code": "mo"}


def coded(system: str, code: str, display: str, text: str) -> dict[str, Any]:
    """A CodeableConcept with one code."""
    return {"coding": [{"system": system, "code": code, "display": display}], "text": text}


def as_notes(texts: list[str]) -> list[dict[str, str]]:
    """Texts as Annotations, each in one line; empty ones are left out."""
    return [{"text": wording.visible(text)} for text in texts if text]


def filled(resource: Written) -> Written:
    """The same without elements that hold nothing: FHIR has neither null nor empty lists."""
    return {name: value for name, value in resource.items() if value not in (None, "", [], {})}
