"""Observations and components that are named after one change: ``del(17p)`` with a result of its own."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from bcma_decide.fhir.reading.around import against_interpretation
from bcma_decide.fhir.reading.cell_share import CellShare, finding
from bcma_decide.fhir.reading.clause import read_clause
from bcma_decide.fhir.reading.clause_items import Language, items_of, mentions, of_chromosomes
from bcma_decide.fhir.reading.datatypes import NO_CONCEPT, Concept, Measurement, clip
from bcma_decide.fhir.reading.find import Find, weakest
from bcma_decide.fhir.reading.prose import plain
from bcma_decide.fhir.reading.resource import Coded
from bcma_decide.fhir.reading.results import answered, no_result
from bcma_decide.pooled.codes import Codes
from bcma_decide.pooled.report_language import NamedChange

_PERCENT: Final = ("%", "percent")


def change_of(code: Concept, codes: Codes) -> NamedChange | None:
    """The one change a name consists of, listed words aside; every text of the concept names it or names none."""
    language = of_chromosomes(codes.reports)
    if not any(mentions(plain(text), change) for change in language.changes for text in code.texts):
        return None
    found = {_named(plain(text), language) for text in code.texts}
    fields = found - {""}
    if None in found or len(fields) != 1:
        return None
    return next(change for change in codes.reports.changes if change.field in fields)


def _named(text: str, language: Language) -> str | None:
    """The field of the change a text names; empty where it is made of listed words alone, None otherwise."""
    words = language.words
    passed = (*words.names, *words.glue, *words.headings, *words.kinds)
    items = [item for item in items_of(text, language) if item.text not in passed and item.part != "cells"]
    fields = {item.field for item in items if item.part in ("change", "other")}
    if any(item.part not in ("change", "locus", "sign") for item in items) or len(fields) > 1:
        return None
    if any(item.part == "locus" and item.field not in fields for item in items):
        return None
    return next(iter(fields), "")


def with_its_result(find: Find, coded: Coded, change: NamedChange, codes: Codes) -> Find:
    """Complete a find with the result: a coded or plain one, or a share of cells against the laboratory's limit."""
    name = next(iter(coded.code.texts), "")
    find = replace(find, field=change.field, text=clip(name), layer="text")
    find = replace(find, basis=weakest(find.basis or "verified", "secondary"))
    return against_interpretation(_with_result(find, coded, change, codes, name), coded.interpretation, codes.reports)


def _with_result(find: Find, coded: Coded, change: NamedChange, codes: Codes, name: str) -> Find:
    if not coded.results:
        return find.refused(no_result(coded))
    if len(coded.results) > 1 or coded.absent != NO_CONCEPT:
        return find.refused("more than one result, or a result and a reason why there is none")
    (result,) = coded.results
    match result.content:
        case Measurement() as quantity:
            return _of_share(find, quantity, coded, change, codes)
        case Concept() as concept:
            told = answered(find, concept, codes.answers, codes)
            return replace(told, text=clip(f"{name}: {told.text}"))
        case bool() as present:
            word = "yes" if present else "no"
            return replace(find, text=clip(f"{name}: {word}"), value=word)
        case str() as text:
            return _of_words(find, name, text, change, codes)
    return replace(find, text=clip(f"{name}: {result.shown}")).refused(f"{result.element} is not read for it")


def _of_words(find: Find, name: str, text: str, change: NamedChange, codes: Codes) -> Find:
    find = replace(find, text=clip(f"{name}: {text}"))
    read = read_clause(plain(f"{name}: {text}"), of_chromosomes(codes.reports))
    said = [each.value for each in read.statements if each.field == change.field]
    if len(said) != 1 or len(read.statements) != 1:
        return find.refused(read.reason or "more than one change")
    return replace(find, value=said[0])


def _of_share(find: Find, quantity: Measurement, coded: Coded, change: NamedChange, codes: Codes) -> Find:
    unit, share = clip(quantity.unit), quantity.finite
    find = replace(
        find, text=clip(f"{find.text}: {quantity.comparator or ''}{quantity.number.shown} {unit}"), unit=unit
    )
    if share is None or unit not in _PERCENT or not 0 <= share <= 100:
        return find.refused("no share of cells in percent")
    limits = [limit.finite for limit in coded.upper_limits if limit.unit in _PERCENT]
    if len(limits) != len(coded.upper_limits) or len(limits) > 1:
        return find.refused("its upper limit of normal is not plain")
    least = dict(of_chromosomes(codes.reports).shares)[change.kind or ""]
    found = finding(CellShare(share, quantity.comparator or "", next(iter(limits), None)), least)
    if found is None or (found == "yes" and limits and share == limits[0]):
        return find.refused("a percentage without the laboratory's cut-off")
    return replace(find, value="yes" if found == "yes" else "no")
