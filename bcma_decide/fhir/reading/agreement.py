"""Whether what stands beside the code of a result agrees with it: words, specimen, method, notes, side, bounds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from bcma_decide.fhir.reading.datatypes import Concept, Measurement
from bcma_decide.fhir.reading.record import PatientRecord
from bcma_decide.fhir.reading.resource import Coded, ReferenceRange, Resource
from bcma_decide.fhir.reading.standing import unfit_specimen
from bcma_decide.fhir.reading.units import differing_units
from bcma_decide.patient.field import ProfileField, Unit
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.quantities import converted_quantity
from bcma_decide.pooled.agreement import Agreement, Member, NoteRule
from bcma_decide.pooled.codes import Codes
from bcma_decide.pooled.wording import Hit, Lexicon, says_bound, words_of

_OF_WHOLE: Final = ("specimen", "person", "purpose")
"""Sets that the name of a panel speaks of for all its components."""
_GRADED: Final = re.compile(r"(?P<head>[^\d<>≤≥≈~±+]*)(?P<number>\d) ?[-–—:=.,(] ?(?P<rest>\D.*)", re.DOTALL)


def contradiction(field: str, resource: Resource, coded: Coded, record: PatientRecord, codes: Codes) -> str:
    """Why a result does not fit the code it stands under; empty where nothing contradicts it."""
    specimen = record.find("Specimen", resource.specimen.address, resource)
    if specimen is not None or resource.remarks:
        return _contradiction(field, resource, coded, specimen, codes.agreement)
    beside = coded.code, coded.interpretation, resource.code, resource.method, resource.body_site, resource.specimen
    key = "contradiction", field, coded is resource.coded, *beside
    return record.once(key, lambda: _contradiction(field, resource, coded, None, codes.agreement))


def _contradiction(field: str, resource: Resource, coded: Coded, specimen: Resource | None, book: Agreement) -> str:
    if specimen is not None and (reason := unfit_specimen(specimen, resource)):
        return reason
    taken_from = (specimen.code, *specimen.body_site) if specimen else ()
    beside = (resource.method, *resource.body_site, *taken_from)
    named = [*_members(coded.code, book), *(member for concept in beside for member in _members(concept, book))]
    # a specimen may be named by letters alone: SER, UR, CSF
    letters = (code for concept in beside for code in concept.codes if code.isalpha())
    named += [member for text in (resource.specimen.display, *letters) for member in _in_words(text, book)]
    if coded is not resource.coded:
        named += [each for each in _members(resource.code, book) if each.kind in _OF_WHOLE]
    if reason := _unaccepted(field, coded, named, book) or _unknown_side(coded.interpretation, book):
        return reason
    worded = (text for each in (coded.code, *coded.interpretation, resource.method) for text in each.wordings)
    notes = (*worded, *resource.remarks, *(specimen.remarks if specimen else ()))
    return next((reason for text in notes if (reason := _spoiled(field, text, book))), "")


def _members(concept: Concept, book: Agreement) -> Iterator[Member]:
    """Members that a concept names by its codes and in its words."""
    yield from (book.by_code[coding] for coding in concept.codings if coding in book.by_code)
    for text in concept.texts:
        yield from _in_words(text, book)


def _in_words(text: str, book: Agreement) -> Iterator[Member]:
    yield from (hit.meaning for hit in _hits(words_of(text), book.lexicon))


@lru_cache(maxsize=4096)
def _hits(words: tuple[str, ...], lexicon: Lexicon[Member]) -> tuple[Hit[Member], ...]:
    """Texts repeat through a record: each is looked through once."""
    return tuple(lexicon.hits(words))


def _unaccepted(field: str, coded: Coded, named: Iterable[Member], book: Agreement) -> str:
    row = book.accepted[field]
    narrowed = [book.narrowed[coding] for coding in coded.code.codings if coding in book.narrowed]
    kinds: dict[str, set[str]] = {}
    for member in named:
        allowed = [each.accepts for each in narrowed if each.kind == member.kind] or [row.accepts]
        if any(member.id not in accepts for accepts in allowed):
            return f"beside its code it speaks of {_called(member)}"
        kinds.setdefault(member.kind, set()).add(member.id)
    needed = {member.kind for member in book.members if member.id in row.needs}
    for kind in sorted(needed & kinds.keys()):
        if not kinds[kind] & set(row.needs):
            return f"beside its code it speaks of {', '.join(sorted(kinds[kind])).replace('_', ' ')} only"
    return ""


def _called(member: Member) -> str:
    return member.id.replace("_", " ")


def _spoiled(field: str, text: str, book: Agreement) -> str:
    """The words of a note after which a result is not used."""
    before: Hit[NoteRule | None] | None = None
    for hit in book.note_words.hits(words_of(text)):
        denied = before is not None and before.meaning is None and before.start + before.length == hit.start
        if hit.meaning is not None and not denied and (not hit.meaning.fields or field in hit.meaning.fields):
            return f"a note beside it says {hit.entry.strip('*')!r}"
        before = hit
    return ""


def side_of(concepts: Iterable[Concept], book: Agreement) -> frozenset[str]:
    """Sides that the codes and words of an interpretation name."""
    said = (_side(word, book) for concept in concepts for word in (*concept.codes, *concept.texts))
    return frozenset(filter(None, said))


def _side(word: str, book: Agreement) -> str:
    """The side a code or the words of an interpretation name; empty for those that are not known."""
    spellings = (word.strip().casefold(), " ".join(words_of(word)))
    return next((book.side_of[each] for each in spellings if each in book.side_of), "")


def _unknown_side(concepts: Iterable[Concept], book: Agreement) -> str:
    """Why an interpretation leaves open what it says: its words are not known, or without words its code."""
    for concept in concepts:
        unknown = [text for text in concept.texts if not _side(text, book)]
        if not concept.texts and not any(_side(code, book) for code in concept.codes):
            unknown = [*concept.codes]
        if unknown:
            return f"its interpretation is not one that is known here ({unknown[0]})"
    return ""


def against_its_side(quantity: Measurement, sides: frozenset[str], limits: ReferenceRange | None) -> str:
    """Why a number does not fit what stands beside it as its side of the normal; empty where it does."""
    value = quantity.finite
    if value is None or limits is None or quantity.comparator is not None:
        return ""
    low, high = (each.finite if each and each.unit in (quantity.unit, "") else None for each in limits[:2])
    where = "above" if high is not None and value > high else "below" if low is not None and value < low else "inside"
    # at an end a laboratory may count either way
    wrong = {
        "above": sides & {"low", "normal"},
        "below": sides & {"high", "normal"},
        "inside": sides & {"high"} if high is not None and value < high else frozenset[str](),
    }[where]
    if where == "inside" and low is not None and value > low:
        wrong = wrong | (sides & {"low"})
    return f"it is called {' and '.join(sorted(wrong))}, and lies {where} its range of normal" if wrong else ""


def implausible(field: ProfileField, number: float, unit: Unit, book: Agreement) -> str:
    """Why a number cannot be that of a patient in the unit it is written in; empty where it can."""
    for row in book.bounds_of(field.id):
        if row.unit:
            in_question = number if unit.name == row.unit else None
        else:
            in_question = converted_quantity(number, unit, field.units[0])
        if in_question is not None and not row.holds(in_question):
            named = f"{in_question:.6g} {row.unit or field.unit}"
            return f"{named} is not plausible; check the unit"
    return ""


def unit_conflict(field: ProfileField, quantity: Measurement) -> str:
    """Why the two ways in which a record writes a unit do not agree; empty where they do."""
    if not quantity.unit_code or not quantity.unit_text:
        return ""
    return differing_units(field, quantity.unit_code, quantity.unit_text)


def leading_number(text: str, book: Agreement) -> str | None:
    """The number a text of a score begins with: ``3 - Capable of only limited self-care``."""
    left = [word for word in words_of(text) if word not in book.score_words]
    return left[0] if left and left[0].isdecimal() else None


def score_in(text: str, field: str, book: Agreement) -> str | None:
    """The number of a score where its text says nothing else, or describes it as the scale does."""
    return only_number(text, book) or _graded(text, field, book)


def _graded(text: str, field: str, book: Agreement) -> str | None:
    """``2 - Ambulatory and capable of all selfcare``: the number, with words of its own grade alone."""
    found = _GRADED.fullmatch(text)
    if found is None or not set(words_of(found["head"])) <= book.score_words:
        return None
    words = words_of(found["rest"])
    described = book.grades.get(field, {}).get(found["number"], ())
    own = any(len(words) > 1 and words[0] == each[0] and set(words) <= set(each) for each in described)
    return found["number"] if own else None


def only_number(text: str, book: Agreement) -> str | None:
    """The number of a score where its text says nothing else: ``ECOG 1``."""
    if says_bound(text):
        return None
    left = [word for word in words_of(text) if word not in book.score_words]
    return left[0] if len(left) == 1 and left[0].isdecimal() else None


def words_against(field: str, value: str, texts: Iterable[str], book: Agreement) -> str:
    """Why the words of a coded answer do not fit its code; empty where they do."""
    for text in texts:
        if FIELDS[field].kind == "yes_no":
            said = {hit.meaning for hit in book.result_words.hits(words_of(text))}
            if said - {value}:
                return f"its code and its words contradict each other ({text})"
        elif FIELDS[field].kind == "whole" and leading_number(text, book) not in (None, value):
            return f"its code and its words contradict each other ({text})"
    return ""
