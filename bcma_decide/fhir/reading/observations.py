"""Observations: laboratory values, performance, stages, serology."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from bcma_decide.fhir.reading.agreement import contradiction
from bcma_decide.fhir.reading.datatypes import Concept
from bcma_decide.fhir.reading.find import Find, start
from bcma_decide.fhir.reading.ranges import Whom
from bcma_decide.fhir.reading.record import PatientRecord
from bcma_decide.fhir.reading.resource import Coded, Resource
from bcma_decide.fhir.reading.results import with_result
from bcma_decide.fhir.reading.stages import group_code, stage_of
from bcma_decide.pooled.codes import Code, Codes, ObservationCodes

WITHDRAWN: Final = ("entered-in-error", "cancelled")
FINISHED: Final = ("final", "amended", "corrected", "appended", "preliminary")
_RANKS: Final = {"preliminary": 0, "amended": 2, "corrected": 2}
TIMES: Final = ("effectiveDateTime", "effectiveInstant", "effectivePeriod")


def read_observation(resource: Resource, record: PatientRecord, codes: Codes) -> Iterator[Find]:
    """Finds of an observation and of its components, the unusable ones with the reason."""
    if meanings := _meanings(resource.code, codes):
        yield _read(resource, resource.coded, meanings, record, codes)
    for coded in resource.components:
        if meanings := _meanings(coded.code, codes):
            yield _read(resource, coded, meanings, record, codes)
    if (group := group_code(resource, record, codes)) is not None:
        yield from _stage_group(resource, group, record, codes)


def _meanings(code: Concept, codes: Codes) -> list[tuple[ObservationCodes, Code]]:
    known = codes.observation_of
    return [known[coding] for coding in code.codings if coding in known]


def _read(
    resource: Resource,
    coded: Coded,
    meanings: list[tuple[ObservationCodes, Code]],
    record: PatientRecord,
    codes: Codes,
) -> Find:
    """Read a result; ``meanings`` are those of its codes, recalled ones included."""
    usable = [(row, code) for row, code in meanings if code.usable]
    row, code = (usable or meanings)[0]
    when = resource.when(*TIMES)
    find = start(row.field, code, resource, when)
    whom = Whom.at(record.patient, when, codes)
    find = refused_by_status(with_result(find, row, coded, codes, whom), resource.status)
    if not usable and find.state != "ignored":
        return find.refused("its code is known from background only and was not checked")
    if len({row.field for row, _ in usable}) > 1:
        return find.refused("its codes mean different things")
    refusing = next((code for _, code in usable if code.not_used), None)
    if refusing and find.value is not None:
        return find.refused(refusing.not_used)
    return _agreeing(find, resource, coded, record, codes)


def _agreeing(find: Find, resource: Resource, coded: Coded, record: PatientRecord, codes: Codes) -> Find:
    """Refuse what its own words, specimen, method, place or notes contradict."""
    if find.value is None:
        return find
    reason = contradiction(find.field, resource, coded, record, codes)
    return find.refused(reason) if reason else find


def _stage_group(resource: Resource, group: Code, record: PatientRecord, codes: Codes) -> Iterator[Find]:
    """The stage of a code that leaves the system open; nothing where the record does not say it."""
    for result in resource.coded.results:
        answer = result.content
        if isinstance(answer, str):
            answer = Concept((), (answer,))
        if isinstance(answer, Concept):
            begun = start("", group, resource, resource.when(*TIMES))
            find = stage_of(begun, answer, (resource.method,), resource.code.texts, codes)
            if find is not None:
                yield _agreeing(refused_by_status(find, resource.status), resource, resource.coded, record, codes)


def refused_by_status(find: Find, status: str) -> Find:
    """Ignore what was withdrawn, leave out what has no final result, mark what is preliminary."""
    if status in WITHDRAWN:
        return find.refused(f"status {status}", "ignored")
    if status not in FINISHED:
        return find.refused(f"status {status or 'missing'}")
    find = replace(find, rank=_RANKS.get(status, 1))
    if status != "preliminary":
        return find
    return replace(find, note="; ".join(part for part in (status, find.note) if part))
