"""The result of an observation as a value of the profile: a number with its unit, a coded answer, or a word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from bcma_decide.fhir.reading.datatypes import Concept, Measurement, WrittenNumber, clip, written_number
from bcma_decide.fhir.reading.find import Find, weakest
from bcma_decide.fhir.reading.resource import Coded
from bcma_decide.fhir.reading.units import unit_of
from bcma_decide.patient.field import ProfileField, or_list
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.numerals import plain_text, unambiguous
from bcma_decide.patient.quantities import read_quantity, read_whole
from bcma_decide.patient.reading import Quantity, Unreadable
from bcma_decide.patient.upper_limits import is_multiple
from bcma_decide.pooled.codes import CodedResult, Codes, ObservationCodes, Words

_BOUNDS: Final = ("<", "<=", ">=", ">")
"""Comparators of a number that is known to lie beyond them."""


def with_result(find: Find, row: ObservationCodes, coded: Coded, codes: Codes) -> Find:
    """Complete a find with the result of an observation or one of its components."""
    field = FIELDS[row.field]
    if not coded.results:
        reason = next(iter((*coded.absent.texts, *(coding.code for coding in coded.absent.codings))), "")
        return replace(find, text="no result").refused(f"no result: {reason}" if reason else "no result")
    if len(coded.results) > 1:
        elements = sorted(clip(result.element) for result in coded.results)
        return replace(find, text=", ".join(elements)).refused("more than one result")
    (result,) = coded.results
    match result.content:
        case Measurement() as quantity:
            return _quantity(find, row, field, quantity, coded.upper_limits)
        case WrittenNumber() as number if row.measure == "value" and field.kind == "whole":
            return _read(replace(find, text=number.shown), field, number.value, "")
        case Concept() as concept:
            return answered(find, concept, (*row.answers, *(codes.answers if field.kind == "yes_no" else ())), codes)
        case bool() as present if field.kind == "yes_no":
            word = "yes" if present else "no"
            return replace(find, text=word, value=word)
    if result.element == "valueString" and field.kind == "yes_no":
        return worded(replace(find, text=result.shown), result.shown, codes.words)
    if result.element == "valueString" and row.measure != "answer" and isinstance(result.content, str):
        return _written(replace(find, text=result.shown), row, field, result.content)
    return replace(find, text=result.shown or result.element).refused(f"{result.element} is not read for it")


def answered(find: Find, concept: Concept, answers: Iterable[CodedResult], codes: Codes) -> Find:
    """Take a coded answer; without a known code, its words."""
    known = {answer[:2]: answer for answer in answers}
    hits = [known[coding] for coding in concept.codings if coding in known]
    wording = next(iter(concept.texts), "")
    shown = wording or ", ".join(coding.code for coding in concept.codings) or "no result"
    find = replace(find, text=shown)
    usable = [hit for hit in hits if hit.basis != "recalled"]
    if len({hit.value for hit in usable}) > 1:
        return find.refused("its codes contradict each other")
    if usable:
        basis = weakest(find.basis or "verified", usable[0].basis)
        return replace(find, value=usable[0].value, basis=basis)
    if FIELDS[find.field].kind == "yes_no":
        return worded(find, wording, codes.words)
    return find.refused("its code of the result is not known here")


def worded(find: Find, text: str, words: Words) -> Find:
    """Take a result that is one word of the list and nothing else."""
    plain = text.strip().strip(".").casefold()
    value = "yes" if plain in words.present else "no" if plain in words.absent else None
    if value is None:
        return find.refused("the words are not read; only a plain result is")
    return replace(find, value=value, layer="text")


def _quantity(
    find: Find, row: ObservationCodes, field: ProfileField, quantity: Measurement, upper_limits: Sequence[Measurement]
) -> Find:
    unit_text = clip(quantity.unit)
    shown = " ".join(part for part in (f"{quantity.comparator or ''}{quantity.number.shown}", unit_text) if part)
    find = replace(find, text=shown, unit=unit_text)
    if quantity.finite is None:
        return find.refused("is not a number")
    if quantity.comparator is not None and (quantity.comparator not in _BOUNDS or row.measure == "of_upper_limit"):
        return find.refused("a bound, not a value")
    if row.measure == "of_upper_limit":
        return _of_upper_limit(find, field, quantity, upper_limits)
    if field.kind == "whole":
        # a score has no unit; records write {score}, 1 or nothing
        plain = quantity.unit.startswith("{") or quantity.unit in ("", "1") or unit_of(field, quantity) is not None
        return (
            _read(find, field, quantity.number.value, "", quantity.comparator or "")
            if plain
            else find.refused(f"{unit_text} is not a unit for it")
        )
    if row.measure != "value":
        return find.refused("a number, where a coded result is asked for")
    if not quantity.unit:
        return find.refused("no unit")
    unit = unit_of(field, quantity)
    if unit is None:
        accepted = or_list([each.name for each in field.units])
        return find.refused(f"{unit_text} is not a unit for it ({accepted})")
    return _read(find, field, quantity.number.value, unit.name, quantity.comparator or "")


def _of_upper_limit(
    find: Find, field: ProfileField, quantity: Measurement, upper_limits: Sequence[Measurement]
) -> Find:
    """Divide by the laboratory's own upper limit, given in the same unit."""
    if not quantity.unit:
        return find.refused("no unit")
    if len(upper_limits) != 1:
        return find.refused("no single upper limit of normal (referenceRange.high) to divide by")
    value, limit = quantity.finite, upper_limits[0].finite
    if value is None or limit is None or limit <= 0:
        return find.refused("its upper limit of normal is not a number")
    if upper_limits[0].unit != quantity.unit:
        return find.refused("its upper limit of normal is in another unit")
    find = replace(find, text=f"{find.text} (upper limit {written_number(limit).shown})")
    # twelve digits: what the division adds beyond them is no measurement
    return _read(find, field, float(f"{value / limit:.12g}"), field.unit)


def _written(find: Find, row: ObservationCodes, field: ProfileField, text: str) -> Find:
    """Let the field read a number with its unit from text, as if it were typed; the profile says how it was read."""
    written = plain_text(text)
    if row.measure != "value" or is_multiple(field) or field.kind not in ("whole", "quantity"):
        return find.refused("valueString is not read for it")
    try:
        read = (read_whole if field.kind == "whole" else read_quantity)(field, written)
    except Unreadable as error:
        return find.refused("; ".join(fault.message for fault in error.faults))
    if read.value is None and read.span is None:
        return find.refused("no result")
    return replace(find, value=written, note=f"read as {read.shown}" if read.shown else find.note)


def _read(find: Find, field: ProfileField, number: float | None, unit: str, bound: str = "") -> Find:
    """Let the field itself read the value; what it refuses is shown with its reason."""
    # as text, of which no digit is lost: it is read as if typed
    value = "" if number is None else f"{bound}{_text(number)} {unit}".strip()
    try:
        read = (read_whole if field.kind == "whole" else read_quantity)(field, value)
    except Unreadable as error:
        return find.refused("; ".join(fault.message for fault in error.faults))
    if read.span is not None or read.shown:
        return replace(find, value=value)  # the profile reads it again, and says how
    if read.value is None:
        return find.refused("is not a number")
    kept = read.value
    return replace(find, value=f"{unambiguous(kept.value)} {kept.unit}" if isinstance(kept, Quantity) else str(kept))


def _text(number: float) -> str:
    try:
        return unambiguous(number)
    except OverflowError:
        return repr(number)
