"""The result of an observation as a value of the profile: a number with its unit, a coded answer, or a word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from bcma_decide.fhir.reading.agreement import (
    against_its_side,
    implausible,
    score_in,
    side_of,
    unit_conflict,
    words_against,
)
from bcma_decide.fhir.reading.datatypes import NO_CONCEPT, Concept, Measurement, WrittenNumber, clip, written_number
from bcma_decide.fhir.reading.find import Find, weakest
from bcma_decide.fhir.reading.ranges import Fitting, Whom, fitting
from bcma_decide.fhir.reading.resource import Coded
from bcma_decide.fhir.reading.stages import stage_in, words_of_stage_against
from bcma_decide.fhir.reading.units import unit_of
from bcma_decide.patient.field import ProfileField, or_list
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.numerals import plain_text, unambiguous
from bcma_decide.patient.quantities import converted_quantity, read_quantity, read_whole
from bcma_decide.patient.reading import Quantity, Unreadable
from bcma_decide.patient.upper_limits import is_multiple
from bcma_decide.pooled.codes import CodedResult, Codes, ObservationCodes, Words

_BOUNDS: Final = ("<", "<=", ">=", ">")
"""Comparators of a number that is known to lie beyond them."""
_LARGEST: Final = 1e12
"""Of the numbers that are taken as they are; a larger one is none of a patient, and is refused where it is read."""


def with_result(find: Find, row: ObservationCodes, coded: Coded, codes: Codes, whom: Whom) -> Find:
    """Complete a find with the result of an observation or one of its components; ``whom`` a range has to be for."""
    field = FIELDS[row.field]
    if not coded.results:
        return replace(find, text="no result").refused(no_result(coded))
    if coded.absent != NO_CONCEPT:
        shown = ", ".join(_shown(result.content) or result.shown for result in coded.results)
        reason = f"a reason for its absence stands beside the result: {_why_absent(coded)}"
        return replace(find, text=shown).refused(reason)
    if len(coded.results) > 1:
        elements = sorted(clip(result.element) for result in coded.results)
        return replace(find, text=", ".join(elements)).refused("more than one result")
    (result,) = coded.results
    match result.content:
        case Measurement() as quantity:
            return _quantity(find, row, field, quantity, coded, codes, whom)
        case WrittenNumber() as number if row.measure == "value" and field.kind == "whole":
            return _read(replace(find, text=number.shown), field, number.value, "")
        case WrittenNumber() as number if field.kind == "stage" and number.shown in ("1", "2", "3"):
            return replace(find, text=number.shown, value=number.shown)
        case Concept() as concept:
            answers = (*row.answers, *(codes.answers if field.kind == "yes_no" else ()))
            return _against_its_side(answered(find, concept, answers, codes), coded, codes)
        case bool() as present if field.kind == "yes_no":
            word = "yes" if present else "no"
            return _against_its_side(replace(find, text=word, value=word), coded, codes)
    if result.element == "valueString" and field.kind == "yes_no":
        return _against_its_side(worded(replace(find, text=result.shown), result.shown, codes.words), coded, codes)
    if result.element == "valueString" and field.kind == "stage":
        stage = stage_in(result.shown, codes.agreement)
        find = replace(find, text=result.shown)
        return replace(find, value=stage, layer="text") if stage else find.refused("its words are no stage, I to III")
    if result.element == "valueString" and field.kind == "whole" and isinstance(result.content, str):
        score = score_in(result.content, field.id, codes.agreement)
        if score is not None:
            return _read(replace(find, text=result.shown, layer="text"), field, int(score), "")
    if result.element == "valueString" and row.measure != "answer" and isinstance(result.content, str):
        return _checked(_written(replace(find, text=result.shown), row, field, result.content), field, codes)
    return replace(find, text=result.shown or result.element).refused(f"{result.element} is not read for it")


def no_result(coded: Coded) -> str:
    """That there is no result, and the reason the record gives."""
    reason = _why_absent(coded)
    return f"no result: {reason}" if reason else "no result"


def _why_absent(coded: Coded) -> str:
    return next(iter((*coded.absent.texts, *coded.absent.codes)), "")


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
    kind = FIELDS[find.field].kind
    if usable:
        value, book = usable[0].value, codes.agreement
        if kind == "stage":
            reason = words_of_stage_against(value, concept.texts, book)
        else:
            reason = words_against(find.field, value, concept.texts, book)
        basis = weakest(find.basis or "verified", usable[0].basis)
        return find.refused(reason) if reason else replace(find, value=value, basis=basis)
    if kind == "yes_no":
        # a code nobody looked up may say the contrary of its display; one of a house says no more than its words
        of_a_standard = {coding.system for coding in concept.codings} & {answer.system for answer in codes.answers}
        read = worded(find, wording, codes.words)
        return find.refused("its code of the result is not known here") if of_a_standard and read.value else read
    others = {answer[:2] for row in codes.observations if row.field != find.field for answer in row.answers}
    if others.intersection(concept.codings):
        return find.refused("its answer is one of another question")
    numbers = {score_in(text, find.field, codes.agreement) for text in concept.texts} if kind == "whole" else set()
    if len(numbers) == 1 and (number := numbers.pop()) is not None:
        return _read(replace(find, layer="text"), FIELDS[find.field], int(number), "")
    stages = {stage_in(text, codes.agreement) for text in concept.texts} if kind == "stage" else set()
    if len(stages) == 1 and (stage := stages.pop()) is not None:
        return replace(find, value=stage, layer="text")
    return find.refused("its code of the result is not known here")


def worded(find: Find, text: str, words: Words) -> Find:
    """Take a result that is one word of the list and nothing else."""
    plain = text.strip().strip(".").casefold()
    value = "yes" if plain in words.present else "no" if plain in words.absent else None
    if value is None:
        return find.refused("the words are not read; only a plain result is")
    return replace(find, value=value, layer="text")


def _shown(content: object) -> str:
    if isinstance(content, Measurement):
        return f"{content.comparator or ''}{content.number.shown} {clip(content.unit)}".strip()
    return next(iter(content.texts), "") if isinstance(content, Concept) else ""


def _against_its_side(find: Find, coded: Coded, codes: Codes) -> Find:
    """Refuse an answer whose interpretation says the contrary, or that it is no clear one."""
    sides = side_of(coded.interpretation, codes.agreement)
    wrong = sides & {"doubt", "negative" if find.value == "yes" else "positive"}
    if find.value is None or not wrong:
        return find
    return find.refused(f"its interpretation is {' and '.join(sorted(wrong))}")


def _checked(find: Find, field: ProfileField, codes: Codes) -> Find:
    """Refuse a number from text that no patient can have; as it will be read."""
    if find.value is None or field.kind != "quantity":
        return find
    read = read_quantity(field, find.value)
    if isinstance(read.value, Quantity):
        reason = implausible(field, read.value.value, field.units[0], codes.agreement)
        return find.refused(reason) if reason else find
    return find


def _quantity(
    find: Find,
    row: ObservationCodes,
    field: ProfileField,
    quantity: Measurement,
    coded: Coded,
    codes: Codes,
    whom: Whom,
) -> Find:
    unit_text = clip(quantity.unit)
    shown = " ".join(part for part in (f"{quantity.comparator or ''}{quantity.number.shown}", unit_text) if part)
    find = replace(find, text=shown, unit=unit_text)
    if quantity.finite is None:
        return find.refused("is not a number")
    if quantity.comparator is not None and (quantity.comparator not in _BOUNDS or row.measure == "of_upper_limit"):
        return find.refused("a bound, not a value")
    if row.measure == "of_upper_limit":
        return _of_upper_limit(find, field, quantity, coded, codes, whom)
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
    if reason := unit_conflict(field, quantity) or _off_its_side(quantity, coded, codes, whom):
        return find.refused(reason)
    read = _read(find, field, quantity.number.value, unit.name, quantity.comparator or "")
    if read.value is None or quantity.comparator is not None:
        return read
    reason = implausible(field, quantity.finite, unit, codes.agreement)
    return find.refused(reason) if reason else read


def _off_its_side(quantity: Measurement, coded: Coded, codes: Codes, whom: Whom) -> str:
    sides = side_of(coded.interpretation, codes.agreement)
    if not sides:
        return ""
    return against_its_side(quantity, sides, fitting(coded.ranges, whom, codes.agreement).range)


def _of_upper_limit(
    find: Find, field: ProfileField, quantity: Measurement, coded: Coded, codes: Codes, whom: Whom
) -> Find:
    """Divide by the laboratory's own upper limit for this patient, given in the same unit."""
    if not quantity.unit:
        return find.refused("no unit")
    limits = FIELDS[f"{field.id}_upper_limit"]
    if reason := unit_conflict(limits, quantity):
        return find.refused(reason)
    found: Fitting = fitting(coded.ranges, whom, codes.agreement)
    upper = found.range.high if found.range else None
    if upper is None:
        return find.refused(found.reason)
    value, limit = quantity.finite, upper.finite
    if value is None or limit is None or limit <= 0 or upper.comparator is not None:
        return find.refused("its upper limit of normal is not a number")
    own, others = unit_of(limits, quantity), unit_of(limits, upper)
    # a range without a unit is in that of its result
    if upper.unit and upper.unit != quantity.unit and (own is None or own is not others):
        return find.refused("its upper limit of normal is in another unit")
    if own is limits.units[0] and not limits.low <= limit <= limits.high:
        return find.refused(f"its upper limit of normal ({limit:g}) is not plausible; check the unit")
    sides = side_of(coded.interpretation, codes.agreement)
    if reason := against_its_side(quantity, sides, found.range):
        return find.refused(reason)
    # twelve digits: what the division adds beyond them is no measurement
    multiple = float(f"{value / limit:.12g}")
    if reason := implausible(field, multiple, field.units[0], codes.agreement):
        return find.refused(reason)
    find = replace(find, text=f"{find.text} (upper limit {written_number(limit).shown})")
    return _read(find, field, multiple, field.unit)


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
    if number is not None and not bound and (plain := _plain(field, number, unit)) is not None:
        return replace(find, value=f"{unambiguous(plain)} {field.unit}")
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


def _plain(field: ProfileField, number: float, unit: str) -> float | None:
    """A number in the first unit of its field, which typing it would give; None where there is more to it."""
    written = next((each for each in field.units if each.name == unit), None)
    if field.kind != "quantity" or written is None or written.convention or abs(number) > _LARGEST:
        return None
    kept = converted_quantity(float(number), written, field.units[0])
    return kept if field.low <= kept <= field.high else None


def _text(number: float) -> str:
    try:
        return unambiguous(number)
    except OverflowError:
        return repr(number)
