"""The result of an observation as a value of the profile: a number with its unit, a coded answer, or a word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bcma_decide.errors import quote
from bcma_decide.fhir.reading.bundle import Plain, clip, mappings, number_of
from bcma_decide.fhir.reading.find import Find, codings, weakest, words_of
from bcma_decide.fhir.reading.units import unit_of, written_unit
from bcma_decide.patient.field import ProfileField, or_list
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.reading import Quantity, Unreadable, read_quantity, read_whole
from bcma_decide.pooled.codes import CodedResult, Codes, ObservationCodes, Words

RESULT = re.compile(r"value[A-Z][A-Za-z]*")


def with_result(find: Find, row: ObservationCodes, data: Plain, codes: Codes) -> Find:
    """Complete a find with the result that stands in ``data`` (an Observation or one of its components)."""
    field = FIELDS[row.field]
    absent = data.get("dataAbsentReason")
    present = [name for name in data if RESULT.fullmatch(name) and data[name] is not None]
    if not present:
        reason = next(iter(words_of(absent)), "") or next((c.code for c in codings(absent, {})), "")
        return replace(find, text="no result").refused(f"no result: {reason}" if reason else "no result")
    if len(present) > 1:
        return replace(find, text=", ".join(sorted(clip(name) for name in present))).refused("more than one result")
    result = data[present[0]]
    match present[0]:
        case "valueQuantity" if isinstance(result, dict):
            return _quantity(find, row, field, result, data)
        case "valueInteger" if row.measure == "value" and field.kind == "whole":
            return _read(replace(find, text=_number_text(result)), field, result, "")
        case "valueCodeableConcept" if isinstance(result, dict):
            return answered(find, result, (*row.answers, *(codes.answers if field.kind == "yes_no" else ())), codes)
        case "valueBoolean" if field.kind == "yes_no" and isinstance(result, bool):
            return replace(find, text="yes" if result else "no", value="yes" if result else "no")
        case "valueString" if field.kind == "yes_no":
            return worded(replace(find, text=clip(result)), clip(result), codes.words)
    shown = clip(result) or present[0]
    return replace(find, text=shown).refused(f"{present[0]} is not read for it")


def answered(find: Find, concept: dict[str, Any], answers: Iterable[CodedResult], codes: Codes) -> Find:
    """Take a coded answer; without a known code, its words."""
    texts = words_of(concept)
    known = {answer[:2]: answer for answer in answers}
    given = list(codings(concept, dict(codes.systems)))
    hits = [known[coding] for coding in given if coding in known]
    shown = texts[0] if texts else ", ".join(coding.code for coding in given) or "no result"
    find = replace(find, text=shown)
    usable = [hit for hit in hits if hit.basis != "recalled"]
    if len({hit.value for hit in usable}) > 1:
        return find.refused("its codes contradict each other")
    if usable:
        basis = weakest(find.basis or "verified", usable[0].basis)
        return replace(find, value=usable[0].value, basis=basis)
    if FIELDS[find.field].kind == "yes_no":
        return worded(find, texts[0] if texts else "", codes.words)
    return find.refused("its code of the result is not known here")


def worded(find: Find, text: str, words: Words) -> Find:
    """Take a result that is one word of the list and nothing else."""
    plain = text.strip().strip(".").casefold()
    value = "yes" if plain in words.present else "no" if plain in words.absent else None
    if value is None:
        return find.refused("the words are not read; only a plain result is")
    return replace(find, value=value, layer="text")


def _quantity(find: Find, row: ObservationCodes, field: ProfileField, quantity: dict[str, Any], data: Plain) -> Find:
    number = quantity.get("value")
    comparator = clip(quantity.get("comparator"))
    written = written_unit(quantity)
    shown = " ".join(part for part in (f"{comparator}{_number_text(number)}", clip(written)) if part)
    find = replace(find, text=shown, unit=clip(written))
    if number_of(number) is None:
        return find.refused("is not a number")
    if comparator:
        return find.refused("a bound, not a value; the profile takes no interval here")
    if row.measure == "of_upper_limit":
        return _of_upper_limit(find, field, quantity, data)
    if field.kind == "whole":
        plain = written.startswith("{") or written in ("", "1") or unit_of(field, quantity) is not None
        return _read(find, field, number, "") if plain else find.refused(f"{clip(written)} is not a unit for it")
    if row.measure != "value":
        return find.refused("a number, where a coded result is asked for")
    if not written:
        return find.refused("no unit")
    unit = unit_of(field, quantity)
    if unit is None:
        accepted = or_list([each.name for each in field.units])
        return find.refused(f"{clip(written)} is not a unit for it ({accepted})")
    return _read(find, field, number, unit.name)


def _of_upper_limit(find: Find, field: ProfileField, quantity: dict[str, Any], data: Plain) -> Find:
    """Divide by the laboratory's own upper limit, given in the same unit."""
    limits = [
        high
        for each in mappings(data.get("referenceRange"))
        if isinstance(high := each.get("high"), Mapping) and _is_normal(each)
    ]
    if not written_unit(quantity):
        return find.refused("no unit")
    if len(limits) != 1:
        return find.refused("no single upper limit of normal (referenceRange.high) to divide by")
    value, high = number_of(quantity.get("value")), number_of(limits[0].get("value"))
    if value is None or high is None or high <= 0:
        return find.refused("its upper limit of normal is not a number")
    if written_unit(limits[0]) != written_unit(quantity):
        return find.refused("its upper limit of normal is in another unit")
    find = replace(find, text=f"{find.text} (upper limit {_number_text(high)})")
    return _read(find, field, float(f"{value / high:.12g}"), field.unit)


def _is_normal(reference: Plain) -> bool:
    kinds = [coding.code for coding in codings(reference.get("type"), {})]
    return not kinds or "normal" in kinds


def _read(find: Find, field: ProfileField, number: object, unit: str) -> Find:
    """Let the field itself read the value; what it refuses is shown with its reason."""
    value = f"{number!r} {unit}".strip() if isinstance(number, (int, float)) and not isinstance(number, bool) else ""
    try:
        read = (read_whole if field.kind == "whole" else read_quantity)(field, value)
    except Unreadable as error:
        return find.refused("; ".join(fault.message for fault in error.faults))
    if read is None:
        return find.refused("is not a number")
    return replace(find, value=f"{read.value!r} {read.unit}" if isinstance(read, Quantity) else str(read))


def _number_text(number: object) -> str:
    if isinstance(number, float):
        return f"{number:.12g}"
    return quote(number) if isinstance(number, int) else clip(number) or "?"
