"""Stages of myeloma: only where the record says by which system it was staged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from bcma_decide.fhir.reading.datatypes import Concept
from bcma_decide.fhir.reading.find import Find, start
from bcma_decide.fhir.reading.record import PatientRecord
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.pooled.agreement import Agreement
from bcma_decide.pooled.codes import Code, CodedResult, Codes, ObservationCodes
from bcma_decide.pooled.wording import says_bound, words_of

SYSTEMS: Final = ("iss", "r_iss")
"""Fields of the profile that are stages; also the members of the set *staging* that they accept."""
_NUMERALS: Final = {"i": "1", "ii": "2", "iii": "3", "1": "1", "2": "2", "3": "3"}


def stage_in(text: str, book: Agreement) -> str | None:
    """The stage a text says and nothing else: ``ISS Stage II``; None for any other text."""
    if says_bound(text):
        return None
    words = words_of(text)
    around = {place for hit in book.stage_lexicon.hits(words) for place in range(hit.start, hit.start + hit.length)}
    left = [word for place, word in enumerate(words) if place not in around]
    return _NUMERALS.get(left[0]) if len(left) == 1 else None


def systems_said(texts: Iterable[str], codings: Iterable[tuple[str, str]], book: Agreement) -> frozenset[str]:
    """Systems of staging that words and codes name."""
    in_words = (hit.meaning for text in texts for hit in book.lexicon.hits(words_of(text)))
    by_code = (book.by_code[coding] for coding in codings if coding in book.by_code)
    return frozenset(member.id for member in (*in_words, *by_code) if member.kind == "staging")


def words_of_stage_against(value: str, texts: Iterable[str], book: Agreement) -> str:
    """Why the words of a stage do not fit its code; empty where they do."""
    for text in texts:
        words = words_of(text)
        after = {hit.start + hit.length for hit in book.stage_lexicon.hits(words)}
        # a figure alone may be a cut-off; after a word of stages it is a stage
        numerals = {
            _NUMERALS[word]
            for place, word in enumerate(words)
            if word in _NUMERALS and (word.isalpha() or place in after)
        }
        if numerals - {value}:
            return f"its code and its words contradict each other ({text})"
    return ""


def stage_of(find: Find, answer: Concept, kinds: Iterable[Concept], words: Iterable[str], codes: Codes) -> Find | None:
    """Read a stage whose system stands in its answer, its method or its words; None where no system is said.

    Parameters
    ----------
    find
        Begun from the code, its field not yet known.
    answer
        The coded or worded stage.
    kinds
        Concepts that may name the system: the method, the type of a stage.
    words
        Texts that may name it.
    """
    book = codes.agreement
    rows = {row.field: row for row in codes.observations if row.field in SYSTEMS}
    coded = {field: hit for field, row in rows.items() for hit in _answers(row, answer) if hit.basis != "recalled"}
    texts = (*answer.texts, *words, *(text for kind in kinds for text in kind.texts))
    said = systems_said(texts, (coding for kind in kinds for coding in kind.codings), book)
    named = said | coded.keys()
    if not named:
        return None
    find = replace(find, text=next(iter(answer.texts), "") or ", ".join(coding.code for coding in answer.codings))
    if len(named) > 1 or not named <= rows.keys():
        known = [name.replace("_", "-") for name in sorted(named)]
        own = [name for name in SYSTEMS if name in named]
        return replace(find, field=own[0]).refused(f"staged by {' and '.join(known)}") if own else None
    (field,) = named
    find = replace(find, field=field)
    if field in coded:
        if reason := words_of_stage_against(coded[field].value, answer.texts, book):
            return find.refused(reason)
        return replace(find, value=coded[field].value)
    stages = {stage_in(text, book) for text in answer.texts}
    if len(stages) == 1 and (stage := stages.pop()) is not None:
        return replace(find, value=stage, layer="text")
    return find.refused("its stage is not I to III in words that are read")


def _answers(row: ObservationCodes, answer: Concept) -> Iterator[CodedResult]:
    return (hit for hit in row.answers if (hit.system, hit.code) in answer.codings)


def stages_of_condition(resource: Resource, code: Code, codes: Codes) -> Iterator[Find]:
    """Stages that a condition of myeloma carries itself."""
    when = resource.when("recordedDate", "onsetDateTime", "onsetPeriod")
    for stage in resource.stages:
        find = replace(start("", code, resource, when), note="stage of the diagnosis")
        read = stage_of(find, stage.summary, (stage.kind,), (), codes)
        if read is not None:
            yield read


def group_code(resource: Resource, record: PatientRecord, codes: Codes) -> Code | None:
    """The code of a stage that leaves its system open, as it is known here, or a name that says the system."""
    known = codes.agreement.stage_group_of
    hit = next((known[coding] for coding in resource.code.codings if coding in known), None)
    if hit is not None:
        return Code(hit.system, hit.code, hit.basis, hit.text)
    names, own = resource.code.texts, codes.observation_of
    if not names or any(coding in own for coding in resource.code.codings):
        return None
    of_stages = record.once(("stages", names), lambda: all(_is_of_stages(name, codes.agreement) for name in names))
    if not of_stages:
        return None
    # its letters are those of another score, of injuries, which is a number
    numbers = any(
        isinstance(result.content, str) and result.content.strip().isdigit() for result in resource.coded.results
    )
    return None if numbers or not systems_said(names, (), codes.agreement) else Code("", "", "secondary", names[0])


def _is_of_stages(name: str, book: Agreement) -> bool:
    """Whether a name is made of words of stages alone."""
    words = words_of(name)
    return bool(words) and sum(hit.length for hit in book.stage_lexicon.hits(words)) == len(words)
