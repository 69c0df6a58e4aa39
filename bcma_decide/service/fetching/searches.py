"""What is asked of a FHIR server for each part of a record, and how it is asked again where the server refuses.

Servers that stop at US Core answer a search of all observations of a patient with 400: they want a code or a category.
So observations are asked for by the codes that are read, which brings the stage and the FISH report of a long record as
well. Where a try is refused (400), the next one asks for the same in a plainer way; that is another question, not the
same one again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from bcma_decide.pooled.codes import Codes

KINDS: Final = {
    "patient": "Patient",
    "conditions": "Condition",
    "observations": "Observation",
    "diagnosticReports": "DiagnosticReport",
    "medicationRequests": "MedicationRequest",
    "medicationAdministrations": "MedicationAdministration",
    "medicationStatements": "MedicationStatement",
    "medicationDispenses": "MedicationDispense",
    "procedures": "Procedure",
}
"""Parts of a record, and the kind of resource each holds."""
PATIENT_ID: Final = "{{context.patientId}}"
"""As CDS Hooks names the patient in a template."""
LONGEST: Final = 1_500
"""Characters of codes in one address: many servers take 2,048 in all."""
_PAGE: Final = "_count=500"
_NEWEST: Final = "_sort=-date"
_NARROWER: Final[Mapping[str, tuple[str, ...]]] = {
    "conditions": ("category=problem-list-item", "category=encounter-diagnosis", "category=health-concern"),
    "observations": (
        "category=laboratory",
        "category=vital-signs",
        "category=survey",
        "category=exam",
        "category=imaging",
    ),
    "diagnosticReports": (
        "category=LAB",
        "category=GE",
        "category=PAT",
        "category=RAD",
        "category=LP7839-6",
        "category=LP29684-5",
    ),
    "medicationRequests": ("intent=order",),
}
"""What US Core lets a server ask for besides the patient: searches that together bring what the first would have.

Reports have the categories of HL7 V2 for laboratories, and those of LOINC for notes: LP7839-6 is pathology, LP29684-5
radiology. An ejection fraction is an observation of imaging.
"""

Try = tuple[str, ...]
"""Searches that are asked together, below the base address of a server."""


@dataclass(frozen=True)
class Searches:
    """What is asked for each key of :data:`KINDS`."""

    templates: Mapping[str, str]
    """One search a key, for clients of CDS Hooks: without tokens or parameters that came with version 3.0."""
    tries: Mapping[str, tuple[Try, ...]]
    """The first, and what is asked where it is refused."""

    def of_patient(self, key: str, patient_id: str) -> Iterator[Try]:
        """The tries of a key for a patient, whose id cannot change what is asked."""
        own = quote(patient_id, safe="")
        for each in self.tries[key]:
            yield tuple(query.replace(PATIENT_ID, own) for query in each)


def searches(codes: Codes) -> Searches:
    """Derive the searches from the codes that are read."""
    lasting, passing = _codes_read(codes)
    found = {key: _tries(key) for key in KINDS}
    by_code = [
        *((_search("observations", f"code={text}"), _PAGE) for text in _lists(lasting)),
        *((_search("observations", f"code={text}"), f"{_NEWEST}&{_PAGE}") for text in _lists(passing)),
    ]
    found["observations"] = (
        tuple(f"{search}&{more}" for search, more in by_code),
        tuple(search for search, _ in by_code),
        *found["observations"][2:],
    )
    templates = {key: tries[0][0] for key, tries in found.items()}
    everything = ",".join((*lasting, *passing))
    templates["observations"] = f"{_search('observations', f'code={everything}')}&{_NEWEST}&{_PAGE}"
    return Searches(templates, found)


def _tries(key: str) -> tuple[Try, ...]:
    """Whole, without the size of a page, and narrower."""
    if key == "patient":
        return ((f"{KINDS[key]}/{PATIENT_ID}",),)
    narrower = tuple(_search(key, each) for each in _NARROWER.get(key, ()))
    return ((f"{_search(key)}&{_PAGE}",), (_search(key),), *([narrower] if narrower else []))


def _search(key: str, *more: str) -> str:
    return f"{KINDS[key]}?{'&'.join((f'patient={PATIENT_ID}', *more))}"


def _codes_read(codes: Codes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Codes of observations whose value never ages, and the others; those never checked are not asked for.

    Without their systems, which US Core lets clients leave out: a server may know a system by another address.
    """
    cytogenetics = (*codes.cytogenetics.panel, *codes.cytogenetics.variant)
    lasting = [*cytogenetics, *(code for row in codes.observations if row.max_age_days is None for code in row.codes)]
    passing = [code for row in codes.observations if row.max_age_days is not None for code in row.codes]
    first = dict.fromkeys(quote(code.code, safe="") for code in lasting if code.usable)
    others = dict.fromkeys(quote(code.code, safe="") for code in passing if code.usable)
    return tuple(first), tuple(code for code in others if code not in first)


def _lists(codes: Iterable[str]) -> Iterator[str]:
    """Join codes by commas, in lists that fit into an address."""
    held: list[str] = []
    for code in codes:
        if held and len(",".join((*held, code))) > LONGEST:
            yield ",".join(held)
            held = []
        held.append(code)
    if held:
        yield ",".join(held)
