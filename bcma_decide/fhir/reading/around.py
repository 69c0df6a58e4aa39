"""What stands around the words of a report or a variant: its name, specimen, coded conclusion and interpretation.

Each can only take a result away. A name, a specimen or an interpretation with a word that is not listed does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bcma_decide.fhir.reading.clause_items import of_chromosomes
from bcma_decide.fhir.reading.datatypes import NO_CONCEPT, Concept, clip
from bcma_decide.fhir.reading.find import Find
from bcma_decide.fhir.reading.ordinary import stranger
from bcma_decide.fhir.reading.prose import plain
from bcma_decide.fhir.reading.record import PatientRecord
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.fhir.reading.standing import unfit_specimen
from bcma_decide.pooled.codes import Codes
from bcma_decide.pooled.report_language import ReportLanguage

_PROPERTY: Final = re.compile(r"\[([A-Za-z]{3,})\]")


def around(resource: Resource, record: PatientRecord, codes: Codes) -> str:
    """Why nothing a resource says of chromosomes is used; empty where nothing around it speaks against it."""
    if resource.coded.absent != NO_CONCEPT and (resource.coded.results or not resource.components):
        return "a reason why there is no result stands beside it"
    named = (resource.code, resource.method)
    language = of_chromosomes(codes.reports)
    for text in (text for concept in named for text in concept.wordings):
        # names of LOINC have their property in brackets, which are no box to be ticked
        if word := stranger(_PROPERTY.sub(r"\1", plain(text)), language, codes.reports):
            return f"its name holds {clip(word)!r}, and what that means is not known here"
    return next(_specimens(resource, record, codes.reports), "")


def _specimens(resource: Resource, record: PatientRecord, reports: ReportLanguage) -> Iterator[str]:
    """Why a specimen is not one of the patient's marrow."""
    for reference in (resource.specimen, *resource.more_specimens):
        specimen = record.find("Specimen", reference.address, resource)
        texts = [reference.display]
        if specimen is not None:
            if reason := unfit_specimen(specimen, resource):
                yield reason
            texts += [text for each in (specimen.code, *specimen.body_site) for text in each.wordings]
            texts += specimen.remarks
        for text in texts:
            if word := _other(text, reports.ordinary.specimens):
                yield f"its specimen is called {clip(text)!r}, and {word!r} is not known here"
    for text in (text for place in resource.body_site for text in place.wordings):
        if _other(text, reports.ordinary.specimens):
            yield f"its place is called {clip(text)!r}, which is not known here"


def _other(text: str, listed: tuple[str, ...]) -> str:
    """The first word of a name that is not of the list."""
    words = (word for word in re.split(r"[\s,;:()/]+", plain(text).casefold()) if word not in ("", "-", "+"))
    return next((word for word in words if word not in listed), "")


def against_conclusions(find: Find, resource: Resource, codes: Codes) -> Find:
    """Refuse a find that a coded conclusion of its report contradicts."""
    known = {answer[:2]: answer.value for answer in codes.answers}
    said = {known[coding] for concept in resource.conclusions for coding in concept.codings if coding in known}
    if find.value is None or said <= {find.value}:
        return find
    return find.refused("a coded conclusion of the report and its words differ")


def against_interpretation(find: Find, interpretations: tuple[Concept, ...], reports: ReportLanguage) -> Find:
    """Refuse a find beside an interpretation that does not plainly agree with it."""
    agreeing = dict(reports.ordinary.agreeing)
    for concept in interpretations:
        said = [word.strip().casefold() for word in (*concept.codes, *concept.wordings)]
        if find.value is not None and not (said and all(word in agreeing[find.value] for word in said)):
            shown = next(iter((*concept.wordings, *concept.codes)), "not readable")
            return find.refused(f"its interpretation is {clip(shown)!r}")
    return find
