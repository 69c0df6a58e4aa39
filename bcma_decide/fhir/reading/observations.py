"""Observations: laboratory values, performance, stages, serology."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bcma_decide.fhir.reading.bundle import Plain, Resource, clip, mappings
from bcma_decide.fhir.reading.dates import first_of
from bcma_decide.fhir.reading.find import Find, codings, start, status_of
from bcma_decide.fhir.reading.results import with_result
from bcma_decide.pooled.codes import Code, Codes, ObservationCodes

WITHDRAWN: Final = ("entered-in-error", "cancelled")
FINISHED: Final = ("final", "amended", "corrected", "preliminary")
TIMES: Final = ("effectiveDateTime", "effectiveInstant", "effectivePeriod")


def read_observation(resource: Resource, codes: Codes) -> Iterator[Find]:
    """Finds of an observation and of its components, the unusable ones with the reason."""
    for data in (resource.data, *mappings(resource.data.get("component"))):
        meanings = meanings_of(data, codes)
        if meanings:
            yield _read(resource, data, meanings, codes)


def meanings_of(data: Plain, codes: Codes) -> list[tuple[ObservationCodes, Code]]:
    """What the codes of an observation mean here, recalled ones included."""
    known = codes.observation_of
    return [known[coding] for coding in codings(data.get("code"), dict(codes.systems)) if coding in known]


def _read(resource: Resource, data: Plain, meanings: list[tuple[ObservationCodes, Code]], codes: Codes) -> Find:
    usable = [(row, code) for row, code in meanings if code.usable]
    row, code = (usable or meanings)[0]
    find = start(row.field, code, resource, first_of(resource.data, *TIMES))
    find = refused_by_status(with_result(find, row, data, codes), status_of(resource.data))
    if not usable and find.state != "ignored":
        return find.refused("its code is known from background only and was not checked")
    if len({row.field for row, _ in usable}) > 1:
        return find.refused("its codes mean different things")
    refusing = next((code for _, code in usable if code.not_used), None)
    return find.refused(refusing.not_used) if refusing and find.value is not None else find


def refused_by_status(find: Find, status: str) -> Find:
    """Ignore what was withdrawn, leave out what has no final result, mark what is preliminary."""
    if status in WITHDRAWN:
        return find.refused(f"status {status}", "ignored")
    if status not in FINISHED:
        return find.refused(f"status {clip(status) or 'missing'}")
    note = "; ".join(part for part in ("preliminary" if status == "preliminary" else "", find.note) if part)
    return replace(find, note=note)
