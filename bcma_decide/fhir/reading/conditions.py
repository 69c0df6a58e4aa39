"""Conditions: whether the record says myeloma, and the diagnoses that are fields of the profile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bcma_decide.fhir.reading.bundle import Plain, Resource, clip, mappings
from bcma_decide.fhir.reading.dates import first_of
from bcma_decide.fhir.reading.find import Find, codings, start, words_of
from bcma_decide.pooled.codes import Code, Codes, DiagnosisCodes

MYELOMA: Final = "myeloma"
_CERTAIN: Final = ("confirmed", "")
"""Verification statuses that count; a record may leave it out."""
_NOT_NOW: Final = ("inactive", "remission", "resolved")
_TIMES: Final = ("recordedDate", "onsetDateTime", "onsetPeriod")


def read_condition(resource: Resource, codes: Codes) -> Iterator[Find]:
    """Finds of a condition; ``field`` is *myeloma* for the diagnosis itself."""
    given = codings(resource.data.get("code"), dict(codes.systems))
    for row, code in [codes.diagnosis_of[coding] for coding in given if coding in codes.diagnosis_of]:
        yield _read(resource, row, code)


def _read(resource: Resource, row: DiagnosisCodes, code: Code) -> Find:
    find = start(row.means, code, resource, first_of(resource.data, *_TIMES))
    verification, clinical = (_state(resource.data, name) for name in ("verificationStatus", "clinicalStatus"))
    if verification == "entered-in-error":
        return find.refused("verification status entered-in-error", "ignored")
    if verification not in _CERTAIN:
        return find.refused(f"verification status {verification}")
    if not code.usable:
        return find.refused("its code is known from background only and was not checked")
    if code.not_used:
        return find.refused(code.not_used)
    if row.current and clinical in _NOT_NOW:
        return find.refused(f"clinical status {clinical}; the profile asks for now")
    return replace(find, value="yes")


def _state(data: Plain, name: str) -> str:
    """Code of a status; without one its text, so that a status that cannot be read never counts as none."""
    concept = data.get(name)
    if concept is None:
        return ""
    coded = mappings(concept.get("coding") if isinstance(concept, dict) else None)
    found = [clip(each.get("code")) for each in coded]
    return next((code for code in found if code), "") or next(iter(words_of(concept)), "") or "not readable"


def has_myeloma(finds: list[Find]) -> bool | None:
    """Whether the record says myeloma: yes; no only where it was refuted and nothing says yes; else not known."""
    if any(find.value == "yes" for find in finds):
        return True
    return False if any(find.note == "verification status refuted" for find in finds) else None
