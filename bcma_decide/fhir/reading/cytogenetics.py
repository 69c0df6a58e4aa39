"""Chromosome changes of a record: variant observations, panels, observations named after a change, and reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from bcma_decide.fhir.reading.around import against_conclusions, against_interpretation, around
from bcma_decide.fhir.reading.clause_items import consists_of, mentions, of_chromosomes
from bcma_decide.fhir.reading.datatypes import Concept, clip
from bcma_decide.fhir.reading.find import Find, start
from bcma_decide.fhir.reading.named_change import change_of, with_its_result
from bcma_decide.fhir.reading.observations import TIMES, refused_by_status
from bcma_decide.fhir.reading.ordinary import taken_back
from bcma_decide.fhir.reading.prose import plain
from bcma_decide.fhir.reading.record import PatientRecord
from bcma_decide.fhir.reading.report_text import read_text, spoken_against, stranger_of, unknown_beside
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.fhir.reading.variants import read_variant
from bcma_decide.pooled.codes import Code, Codes, Coding
from bcma_decide.pooled.report_language import ClauseWords

_KINDS: Final = ("Observation", "DiagnosticReport")
_IN_WORDS: Final = frozenset((
    "codedDiagnosis", "comment", "comments", "conclusion", "conclusionCode", "note", "presentedForm",
    "valueCodeableConcept", "valueString",
))  # fmt: skip
"""Elements in which a report says something in words."""


def read_cytogenetics(resource: Resource, record: PatientRecord, codes: Codes) -> list[Find]:
    """Finds of a resource on chromosome changes, the unusable ones with the reason.

    Empty for any other resource. What names a change under a code or a name that is not known is shown, not used.
    """
    cyto = codes.cytogenetics
    held = resource.code.codings
    if resource.kind not in _KINDS:
        return []
    if variant := _first(cyto.variant, held):
        finds = list(read_variant(resource, variant, codes))
    elif panel := _first(cyto.panel, held):
        finds = _panel(resource, panel, codes)
        if not panel.usable:
            finds = [_refused(find, "its code is known from background only and was not checked") for find in finds]
    elif any(coding in codes.observation_of for coding in held):
        return []
    else:
        finds = _by_name(resource, record, codes)
    if any(find.value is not None for find in finds) and (reason := _against(resource, record, codes)):
        finds = [_refused(find, reason) for find in finds]
    finds = [against_interpretation(find, resource.coded.interpretation, codes.reports) for find in finds]
    return [by_status(against_conclusions(find, resource, codes), resource.status) for find in finds]


def _against(resource: Resource, record: PatientRecord, codes: Codes) -> str:
    """What speaks against everything a resource says; empty where nothing does."""
    if reason := around(resource, record, codes):
        return reason
    names = [text for coded in (resource.coded, *resource.components) for text in coded.code.wordings]
    if word := taken_back(plain("\n".join((*names, *texts_of(resource)))), codes.reports):
        return spoken_against(word)
    word = stranger_of(resource.remarks, of_chromosomes(codes.reports), codes.reports)
    return unknown_beside(word) if word else ""


def by_status(find: Find, status: str) -> Find:
    """Leave out what was withdrawn, is not final yet, or is preliminary: a text may still be turned."""
    find = refused_by_status(find, status)
    return find.refused("status preliminary") if status == "preliminary" and find.value is not None else find


def texts_of(resource: Resource) -> list[str]:
    """Everything a report says in words."""
    if resource.elements.isdisjoint(_IN_WORDS):  # as most results, which are numbers
        return []
    conclusions = [text for concept in resource.conclusions for text in concept.wordings]
    return [resource.coded.wording, *resource.remarks, *resource.coded.answer.wordings, *conclusions]


def _first(known: Iterable[Code], codings: Iterable[Coding]) -> Code | None:
    held = set(codings)
    return next((code for code in known if code[:2] in held), None) if held else None


def _named_so(code: Concept, words: ClauseWords) -> bool:
    """Whether every name of a code is one of a report on cytogenetics."""
    return bool(code.texts) and all(consists_of(text, words.names, words.naming) for text in code.texts)


def _start(resource: Resource) -> Find:
    first = next(iter(resource.code.codings), None)
    code = Code(first.system if first else "", first.code if first else "", "secondary")
    return replace(start("", code, resource, resource.when(*TIMES)), coding=first, layer="text")


def _panel(resource: Resource, panel: Code, codes: Codes) -> list[Find]:
    base = replace(start("", panel, resource, resource.when(*TIMES)), layer="text")
    return [*_components(base, resource, codes), *_report(base, texts_of(resource), codes)]


def _by_name(resource: Resource, record: PatientRecord, codes: Codes) -> list[Find]:
    parts = [text for coded in resource.components for text in (*coded.code.texts, coded.wording, *coded.answer.texts)]
    said = "\n".join((*resource.code.texts, *parts, *texts_of(resource)))
    if not record.once(("changes", said), lambda: _mentions_a_change(said, codes)):
        return []
    base = _start(resource)
    if (change := change_of(resource.code, codes)) is not None and resource.kind == "Observation":
        own = [] if not resource.coded.results and resource.components else [resource.coded]
        finds = [with_its_result(base, coded, change, codes) for coded in own]
        finds += _components(base, resource, codes)
        remarks = [told for told in _report(base, resource.remarks, codes) if told.field == change.field]
        unsaid = any(told.value is None or told.value not in {find.value for find in finds} for told in remarks)
        if unsaid:
            finds = [_refused(find, "what is remarked on it is not read, or differs") for find in finds]
        return [*finds, *(_refused(told, "a remark beside its result") for told in remarks)]
    finds = [*_components(base, resource, codes), *_report(base, texts_of(resource), codes)]
    if _named_so(resource.code, codes.reports.clauses):
        return finds
    return [_refused(find, "the name of the report is not one of cytogenetics that is known here") for find in finds]


def _mentions_a_change(said: str, codes: Codes) -> bool:
    text = plain(said)
    return any(mentions(text, change) for change in codes.reports.changes)


def _components(base: Find, resource: Resource, codes: Codes) -> Iterator[Find]:
    """Components that are named after a change; those that only mention one are shown."""
    for coded in resource.components:
        if (change := change_of(coded.code, codes)) is not None:
            yield with_its_result(base, coded, change, codes)
            continue
        name = "; ".join(coded.code.texts)
        said = "; ".join(text for text in (coded.wording, *coded.answer.texts) if text)
        for change in codes.reports.changes:
            if mentions(f"{name} {said}", change):
                shown = replace(base, field=change.field, text=clip(f"{name}: {said}"))
                yield shown.refused("its name is not that of one change and nothing else")


def _report(base: Find, texts: Sequence[str], codes: Codes) -> Iterator[Find]:
    """What the text of a report says of each change."""
    for told in read_text([text for text in texts if text], of_chromosomes(codes.reports), codes.reports):
        find = replace(base, field=told.field, text=clip(told.text))
        yield find.refused(told.reason) if told.value is None else replace(find, value=told.value)


def _refused(find: Find, reason: str) -> Find:
    return find.refused(reason) if find.value is not None else find
