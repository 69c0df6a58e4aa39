"""Conditions: whether the record says myeloma, and the diagnoses that are fields of the profile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bcma_decide.fhir.reading.find import Find, start
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.pooled.codes import Code, Codes, DiagnosisCodes

MYELOMA: Final = "myeloma"
_CERTAIN: Final = ("confirmed", "")
"""Verification statuses that count; a record may leave it out."""
_NOT_NOW: Final = ("inactive", "remission", "resolved")
_TIMES: Final = ("recordedDate", "onsetDateTime", "onsetPeriod")


def read_condition(resource: Resource, codes: Codes) -> Iterator[Find]:
    """Finds of a condition; ``field`` is *myeloma* for the diagnosis itself."""
    known = codes.diagnosis_of
    for row, code in [known[coding] for coding in resource.code.codings if coding in known]:
        yield _read(resource, row, code)


def _read(resource: Resource, row: DiagnosisCodes, code: Code) -> Find:
    find = start(row.means, code, resource, resource.when(*_TIMES))
    if resource.verification == "entered-in-error":
        return find.refused("verification status entered-in-error", "ignored")
    if resource.verification not in _CERTAIN:
        return find.refused(f"verification status {resource.verification}")
    if not code.usable:
        return find.refused("its code is known from background only and was not checked")
    if code.not_used:
        return find.refused(code.not_used)
    if row.current and resource.clinical in _NOT_NOW:
        return find.refused(f"clinical status {resource.clinical}; the profile asks for now")
    return replace(find, value="yes")


def has_myeloma(finds: list[Find]) -> bool | None:
    """Whether the record says myeloma: yes; no only where it was refuted and nothing says yes; else not known."""
    if any(find.value == "yes" for find in finds):
        return True
    return False if any(find.note == "verification status refuted" for find in finds) else None
