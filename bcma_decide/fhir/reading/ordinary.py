"""What a report holds beside its results: whether it is what an ordinary report holds.

What takes a report back, or says that it is somebody else's, is never listed in full. So it is the other way round: a
report is used only where everything beside its results is made of words that an ordinary report holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from bcma_decide.fhir.reading.clause_items import Item, Language, any_of, items_of, mentions, whole_word, word_of
from bcma_decide.pooled.report_language import Ordinary, ReportLanguage

_BETWEEN: Final = " .,;:()/|=+&\"'*!-"
_RESULT_ALONE: Final = ("present", "counting", "absent", "heading", "kind", "sign")


def stranger(text: str, language: Language, reports: ReportLanguage) -> str:
    """The first word of a clause that an ordinary report does not hold; empty where there is none.

    Parameters
    ----------
    text
        A clause, in plain spelling.
    language
        The changes the report may be about. A clause that names any change may deny it, or leave it open.
    reports
        The words.
    """
    ordinary = reports.ordinary
    written = " ".join(text.split())
    lowered = written.casefold().rstrip(" .")
    if lowered in ordinary.alone:
        return lowered
    if overall(text, language, reports) or any(form.fullmatch(written) for form in _whole(ordinary.clauses)):
        return ""
    items = items_of(text, language)
    named = any(mentions(text, change) for change in language.changes) or any(item.part == "other" for item in items)
    listed = _listed(language, reports, named)
    place = 0
    while place < len(lowered):
        if lowered[place] in _BETWEEN:
            place += 1
            continue
        end = max((hit.end() for each in listed if (hit := each.match(lowered, place))), default=place)
        if end == place:
            word = re.match(r"[\w.+-]+|.", lowered[place:])
            unlisted = word[0] if word else lowered[place]
            return "" if named and _in_general(lowered, items, language, ordinary) else unlisted
        place = end
    return ""


def _in_general(lowered: str, items: Sequence[Item], language: Language, ordinary: Ordinary) -> bool:
    """Whether a sentence is one of general prose, and speaks neither of this sample or report nor of a doubt."""
    words = language.words
    return (
        len(lowered.split()) > ordinary.longer_than
        and bool(word_of(lowered, (*words.general, *ordinary.topics)))
        and not word_of(lowered, (*ordinary.subjects, *words.doubt, *words.back, *words.report))
        and not any(item.part == "absent" for item in items)
    )


def overall(text: str, language: Language, reports: ReportLanguage) -> str:
    """What a clause that names no change says of the report as a whole: ``yes``, ``no``, or nothing."""
    normal = reports.ordinary.normal
    parts = ["absent" if item.text in normal else item.part for item in items_of(text, language)]
    if not parts or any(part not in _RESULT_ALONE for part in parts):
        return ""
    if "absent" not in parts:
        return "yes" if {"present", "counting"} & set(parts) else ""
    # "no result" denies the result itself
    return "" if "heading" in parts[parts.index("absent") :] else "no"


def taken_back(text: str, reports: ReportLanguage) -> str:
    """The word of a whole report that takes it back, or tells that it is somebody else's."""
    return word_of(_harmless(reports.ordinary.harmless).sub(" ", text), reports.clauses.report)


@lru_cache(maxsize=8)
def _harmless(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(whole_word(any_of(phrases)), re.IGNORECASE)


@lru_cache(maxsize=8)
def _whole(clauses: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"(?:{each})[. ]*") for each in clauses)


@lru_cache(maxsize=8)
def _listed(language: Language, reports: ReportLanguage, named: bool) -> tuple[re.Pattern[str], ...]:
    words, ordinary = language.words, reports.ordinary
    phrases = [
        *ordinary.words, *words.present, *words.counting, *words.articles, *words.either, *words.both, *words.plural,
        *words.cells, *words.cutoff, *words.copies, *words.glue, *words.headings, *words.kinds, *words.adjectives,
        *words.general, *words.names, *ordinary.harmless,
    ]  # fmt: skip
    if named:
        phrases += [*words.absent, *words.doubt]
    changes = [pattern for change in language.changes for pattern in (*change.names, *change.loci)]
    forms = (*changes, *language.other_changes, *ordinary.forms)
    return tuple(re.compile(whole_word(body)) for body in (*forms, any_of(phrases)))
