"""The text of a report on certain changes: what it says of each, and every clause about one that is not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Final, NamedTuple

from bcma_decide.fhir.reading.clause import ReadClause, read_clause
from bcma_decide.fhir.reading.clause_items import Language, mentions, word_of
from bcma_decide.fhir.reading.iscn import is_formula, read_formula
from bcma_decide.fhir.reading.ordinary import overall, stranger, taken_back
from bcma_decide.fhir.reading.prose import Clause, clauses, plain
from bcma_decide.pooled.report_language import NamedChange, ReportLanguage

_LONGEST: Final = 20_000
"""Characters of a text that are read; what a longer one says further on might turn it, so that it is not used."""
_SHOWN: Final = 5
"""Clauses about one change that are shown and not used."""


class Told(NamedTuple):
    """A clause about one field: its value, or why there is none."""

    field: str
    text: str
    value: str | None
    reason: str = ""


def read_text(texts: Sequence[str], language: Language, reports: ReportLanguage) -> Iterator[Told]:
    """Tell of every field what a report says, then what of it is not read.

    Parameters
    ----------
    texts
        Conclusion, notes and whatever else is one report.
    language
        The changes it may be about.
    reports
        Words and nomenclature.
    """
    if not any(mentions(plain(text), change) for change in language.changes for text in texts):
        return
    whole = plain("\n\n".join(texts))
    split = _split(texts, language)
    read = list(_read(split, language, reports))
    refusal = _refusal(whole, read, language, reports)
    overalls = {said for clause, _ in read if (said := overall(clause.text, language, reports))}
    for change in language.changes:
        about = [
            (clause, each) for clause, each in read
            if mentions(clause.text, change) or any(said.field == change.field for said in each.statements)
        ]  # fmt: skip
        if not about:
            continue
        yield from _told(change, about, language, refusal, overalls)


def stranger_of(texts: Sequence[str], language: Language, reports: ReportLanguage) -> str:
    """The first word beside the results in these texts that an ordinary report does not hold; empty without one."""
    read = _read(_split(texts, language), language, reports)
    return next((word for clause, each in read if (word := _stranger(clause, each, language, reports))), "")


def _stranger(clause: Clause, each: ReadClause, language: Language, reports: ReportLanguage) -> str:
    formula = each.understood and is_formula(clause.text)
    return "" if each.statements or formula else stranger(clause.text, language, reports)


def _split(texts: Sequence[str], language: Language) -> list[Clause]:
    """Clauses of a report, an empty one behind each of its texts."""
    words = language.words
    known = (*words.glue, *words.headings, *words.kinds, *words.present, *words.counting, *words.absent, *words.cells)
    short = frozenset(word.casefold() for word in known)
    return [part for text in texts for part in (*clauses(plain(text[:_LONGEST]), short), Clause(""))]


def _refusal(whole: str, read: Sequence[tuple[Clause, ReadClause]], language: Language, reports: ReportLanguage) -> str:
    """Why nothing that a report says is used; empty where nothing speaks against it."""
    if len(whole) > _LONGEST:
        return "the report is too long to be read whole"
    if word := taken_back(whole, reports):
        return spoken_against(word)
    for clause, each in read:
        named = any(mentions(clause.text, change) for change in language.changes)
        if not named and (word := word_of(clause.text, language.words.back)):
            return f"the report holds {word!r}, and does not say of what"
        if word := _stranger(clause, each, language, reports):
            return unknown_beside(word)
    return ""


def spoken_against(word: str) -> str:
    """Why nothing of a report with this word is used."""
    return f"the report holds {word!r}: it may be of somebody else, or taken back"


def unknown_beside(word: str) -> str:
    """Why nothing of a report with a word that is not listed is used."""
    return f"beside its results the report holds {word!r}, and what that means for them is not known here"


def _told(
    change: NamedChange,
    about: Sequence[tuple[Clause, ReadClause]],
    language: Language,
    refusal: str,
    overalls: Set[str],
) -> Iterator[Told]:
    said = [
        (clause.text, statement.value)
        for clause, each in about
        for statement in each.statements
        if statement.field == change.field
    ]
    other = [(clause.text, each) for clause, each in about if not each.statements]
    values = {value for _, value in said}
    if not refusal and len(values) > 1:
        refusal = "the report says both"
    if not refusal and values and overalls - values:
        refusal = "the report says something else of the whole"
    if not refusal and any(
        not _in_general(text, language) and not (each.silent and values == {"yes"}) for text, each in other
    ):
        refusal = "another clause of the report on it is not read"
    if said:
        text, value = said[0]
        yield Told(change.field, text, None if refusal else value, refusal)
    if refusal:
        others = [text for text, value in said[1:] if value != said[0][1]]
        yield from (Told(change.field, text, None, refusal) for text in others[:_SHOWN])
    yield from (Told(change.field, text, None, each.reason) for text, each in other[:_SHOWN])


def _in_general(text: str, language: Language) -> bool:
    """Whether a clause speaks of a change in general terms, and of no doubt."""
    words = language.words
    return bool(word_of(text, words.general)) and not word_of(text, words.doubt) and "?" not in text


def _read(split: Sequence[Clause], language: Language, reports: ReportLanguage) -> Iterator[tuple[Clause, ReadClause]]:
    """Every clause with what it says; a clause that may go on in one that is not understood is not read."""
    cutoff, plain_cutoff = _cutoff(split, language)
    each_read = [
        read_formula(clause.text, reports)
        if is_formula(clause.text)
        else _held_against(clause.text, language, cutoff, plain_cutoff)
        for clause in split
    ]
    under = ""
    for place, (clause, each) in enumerate(zip(split, each_read, strict=True)):
        if not clause.text:
            under = ""
            continue
        if clause.heading:
            under = "" if each.understood and each.silent else clause.text
        beside = [
            each_read[number]
            for number, joined in ((place - 1, clause.joined), (place + 1, _joined(split, place + 1)))
            if joined
        ]
        if each.statements and under:
            each = ReadClause(reason=f"stands under {under!r}")
        elif each.statements and not all(other.complete for other in beside):
            each = ReadClause(reason="goes on in words that are not read")
        yield clause, each


def _cutoff(split: Sequence[Clause], language: Language) -> tuple[float | None, bool]:
    """The one cut-off that a report gives apart, and whether everything it says of cut-offs is plain."""
    about = [clause.text for clause in split if word_of(clause.text, language.words.cutoff)]
    read = [read_clause(text, language) for text in about]
    limits = {each.cutoff for each in read if each.cutoff is not None}
    clear = len(limits) < 2 and all(each.cutoff is not None or each.statements for each in read)
    return (next(iter(limits), None) if clear else None), clear


def _held_against(text: str, language: Language, cutoff: float | None, plain_cutoff: bool) -> ReadClause:
    read = read_clause(text, language, cutoff)
    if plain_cutoff or not read.statements:
        return read
    # where the cut-off cannot be told, what is said must be the same for every one that may be meant
    same = {read_clause(text, language, limit).statements for limit in (1e-9, 100.0)}
    return read if same == {read.statements} else ReadClause(reason="the cut-off of the report is not plain")


def _joined(split: Sequence[Clause], place: int) -> bool:
    return place < len(split) and split[place].joined
