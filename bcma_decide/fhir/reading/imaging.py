"""Reports of imaging on disease outside the marrow, by the rule for clauses."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from bcma_decide.fhir.reading.clause_items import consists_of, of_imaging
from bcma_decide.fhir.reading.cytogenetics import by_status, texts_of
from bcma_decide.fhir.reading.datatypes import clip
from bcma_decide.fhir.reading.find import Find
from bcma_decide.fhir.reading.observations import TIMES
from bcma_decide.fhir.reading.report_text import read_text
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.pooled.codes import Codes

_PART = "imaging of a part of the body does not tell that there is none elsewhere"


def read_imaging(resource: Resource, codes: Codes) -> Iterator[Find]:
    """Finds on disease outside the marrow; used only from a report whose name is one of imaging.

    A negative report counts only where the whole body was seen.
    """
    imaging = codes.reports.imaging
    texts = [text for text in texts_of(resource) if text]
    if resource.kind not in ("DiagnosticReport", "Observation") or not texts:
        return
    names = resource.code.texts
    known = bool(names) and all(consists_of(name, imaging.names_of_reports, imaging.naming) for name in names)
    whole = any(consists_of(name, imaging.names_of_reports, imaging.whole) for name in names)
    base = Find(
        imaging.field,
        "",
        "usable",
        resource=resource.name,
        when=resource.when(*TIMES),
        coding=next(iter(resource.code.codings), None),
        basis="secondary",
        layer="text",
    )
    for told in read_text(texts, of_imaging(codes.reports), codes.reports):
        find = replace(base, text=clip(told.text))
        if told.value is None:
            find = find.refused(told.reason)
        elif not known:
            find = find.refused("the name of the report is not one of imaging that is known here")
        elif told.value == "no" and not whole:
            find = find.refused(_PART)
        else:
            find = replace(find, value=told.value)
        yield by_status(find, resource.status)


def attachments(resource: Resource) -> Iterator[Find]:
    """Attachments of a report that are no plain text, listed with their title and not read."""
    for title in resource.attachments:
        name = next(iter(resource.code.texts), resource.kind)
        find = Find("", clip(f"{name}: {title}"), "usable", resource=resource.name, when=resource.when(*TIMES))
        yield replace(find, label="Attachment").refused("an attachment that is no plain text is not read")
