"""Observations: laboratory values, performance, stages, serology."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bcma_decide.fhir.reading.find import Find, start
from bcma_decide.fhir.reading.resource import Coded, Resource
from bcma_decide.fhir.reading.results import with_result
from bcma_decide.pooled.codes import Code, Codes, ObservationCodes

WITHDRAWN: Final = ("entered-in-error", "cancelled")
FINISHED: Final = ("final", "amended", "corrected", "preliminary")
TIMES: Final = ("effectiveDateTime", "effectiveInstant", "effectivePeriod")


def read_observation(resource: Resource, codes: Codes) -> Iterator[Find]:
    """Finds of an observation and of its components, the unusable ones with the reason."""
    known = codes.observation_of
    for coded in (resource.coded, *resource.components):
        meanings = [known[coding] for coding in coded.code.codings if coding in known]
        if meanings:
            yield _read(resource, coded, meanings, codes)


def _read(resource: Resource, coded: Coded, meanings: list[tuple[ObservationCodes, Code]], codes: Codes) -> Find:
    """Read a result; ``meanings`` are those of its codes, recalled ones included."""
    usable = [(row, code) for row, code in meanings if code.usable]
    row, code = (usable or meanings)[0]
    find = start(row.field, code, resource, resource.when(*TIMES))
    find = refused_by_status(with_result(find, row, coded, codes), resource.status)
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
        return find.refused(f"status {status or 'missing'}")
    if status != "preliminary":
        return find
    return replace(find, note="; ".join(part for part in (status, find.note) if part))
