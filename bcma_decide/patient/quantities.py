"""Reading numbers: whole ones, and laboratory values with their unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from math import inf, isfinite
from typing import Final

from bcma_decide.errors import quote
from bcma_decide.logic import Span
from bcma_decide.patient.field import ProfileField, Unit, or_list
from bcma_decide.patient.numerals import Ambiguous, Numeral, number_given, plain_text, read_numeral, settled, span_of
from bcma_decide.patient.patterns import Pattern
from bcma_decide.patient.reading import NEVER_WORDS, UNKNOWN, Fault, Quantity, Read, Unreadable, folded_word, is_unknown
from bcma_decide.pooled.definitions import Definitions

_KIDNEY_STAGE: Final = Pattern(r"(?:ckd|cni|gfr|g|stage|stadium|grade|stufe|[ -])*g?([1-5][ab]?)")


def read_whole(field: ProfileField, value: object) -> Read:
    """Read a whole number inside the field's range, or a span of them."""
    if is_unknown(value):
        return UNKNOWN
    numeral = _numeral(field, value)
    unit = find_unit(field, numeral.rest) if numeral.rest else None
    if numeral.rest and unit is None:
        raise Unreadable(Fault(f"{quote(value)} is not a whole number", field.answer))
    ends = _ends(field, numeral, float, quote(value), numeral.rest)
    if any(end != int(end) for end in ends):
        raise Unreadable(Fault(f"{quote(value)} is not a whole number", field.answer))
    span = _spanned(field, numeral, ends, quote(value))
    if not span.exact:
        return Read(None, span_text(field, span), span=span)
    loose = _interpreted(numeral) or numeral.form != "value" or (unit is not None and _is_loose(unit, numeral.rest))
    return Read(int(span.low), f"{span.low:g} {field.unit if loose and unit else ''}".strip() if loose else "")


def read_quantity(field: ProfileField, value: object, definitions: Definitions | None = None) -> Read:
    """Read a number with a unit, as text or as ``{value, unit}``, kept in the field's first unit.

    A kidney function may also be named by its stage of chronic kidney disease; that needs the definitions.
    """
    if isinstance(value, Quantity):
        if field.never and value.value == inf:
            return Read(value)
        value = {"value": value.value, "unit": value.unit}
    if isinstance(value, Mapping):
        value = dict(value)
        if set(value) != {"value", "unit"} or not isinstance(value["unit"], str):
            raise Unreadable(Fault("a mapping here has the keys value and unit", f"'{field.example}'"))
    if is_unknown(value["value"] if isinstance(value, dict) else value):
        return UNKNOWN
    if field.never and folded_word(value) in NEVER_WORDS:
        return Read(Quantity(inf, field.unit))
    if field.staged and definitions is not None and (stage := _stage_span(field, value, definitions)):
        return Read(None, span_text(field, stage), span=stage)
    numeral, written = _split(field, value)
    accepted = or_list([unit.name for unit in field.units])
    if not written and not field.unit_optional:
        raise Unreadable(Fault(f"{quote(_text(value))} has no unit; use {accepted}"))
    unit = find_unit(field, written) if written else field.units[0]
    if unit is None:
        raise Unreadable(Fault(f"{quote(written)} is not a unit for it; use {accepted}"))
    canonical = field.units[0]
    ends = _ends(
        field, numeral, partial(converted_quantity, unit=unit, canonical=canonical), quote(_text(value)), unit.name
    )
    if not written and unit.name == "%" and any(0 < end < 1 for end in ends):
        raise Unreadable(Fault(f"{quote(value)} may be a fraction or a percentage", "write the unit, as in '60 %'"))
    plain = numeral.form == "value" and len(numeral.ends[0]) == 1
    shown = f"{numeral.ends[0][0].value:g} {unit.name}" if plain else quote(_text(value))
    span = _spanned(field, numeral, ends, shown)
    if not span.exact:
        return Read(None, span_text(field, span), span=span)
    kept = Quantity(span.low, canonical.name)
    loose = _interpreted(numeral) or bool(unit.convention) or (bool(written) and _is_loose(unit, written))
    return Read(kept, f"{kept}{f' ({unit.convention})' if unit.convention else ''}" if loose else "")


def span_text(field: ProfileField, span: Span) -> str:
    """Write a span of a field: ``1 to 2``, ``4 or more``, ``below 30 mL/min``."""
    low, high = f"{span.low:.6g}", f"{span.high:.6g}"
    if span.high == field.high and span.low != field.low:
        words = f"above {low}" if _is_missed(span.low) else f"{low} or more"
    elif span.low == field.low and span.high != field.high:
        words = f"below {high}" if _is_missed(span.high) else f"at most {high}"
    else:
        words = f"{low} to {high}"
    unit = "" if field.kind == "whole" else field.unit
    return f"{words} {unit}".strip()


def _is_missed(end: float) -> bool:
    """Whether an end lies next to a number that is itself outside."""
    return end != float(f"{end:.12g}")


def _stage_span(field: ProfileField, value: object, definitions: Definitions) -> Span | None:
    """The span of a stage of chronic kidney disease, inside the field's range; None for anything else."""
    word = folded_word(value)
    found = _KIDNEY_STAGE.fullmatch(word)
    if found is None or not word[:1].isalpha():
        return None
    stage = next((each for each in definitions.kidney_stages if each.id == found[1]), None)
    if stage is None:
        return None
    return Span(field.low if stage.low is None else stage.low, field.high if stage.high is None else stage.high)


def _split(field: ProfileField, value: object) -> tuple[Numeral, str]:
    """A number, span or bound, and its unit."""
    if not isinstance(value, Mapping):
        numeral = _numeral(field, value)
        return numeral, numeral.rest
    numeral = _numeral(field, value["value"])
    if numeral.rest:
        raise Unreadable(Fault(f"{quote(value['value'])} is not a number", "put the unit under unit"))
    return numeral, value["unit"].strip()


def _text(value: object) -> object:
    return f"{value:g}" if isinstance(value, float) else str(value) if isinstance(value, int) else value


def _numeral(field: ProfileField, value: object) -> Numeral:
    """A number, span or bound, and whatever follows it."""
    numeral = None
    if isinstance(value, str):
        numeral = read_numeral(plain_text(value))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        numeral = number_given(value)
    if numeral is None:
        raise Unreadable(Fault(f"{quote(value)} is not a number", f"{field.answer}, or unknown"))
    if not all(isfinite(reading.value) for end in numeral.ends for reading in end):
        raise Unreadable(Fault(f"{quote(value)} is not a finite number", f"{field.answer}, or unknown"))
    return numeral


def _interpreted(numeral: Numeral) -> bool:
    return any(reading.interpreted for end in numeral.ends for reading in end)


def _ends(
    field: ProfileField, numeral: Numeral, convert: Callable[[float], float], shown: str, unit: str
) -> tuple[float, ...]:
    """The ends of a numeral in the unit of its field: each the one of its readings that the range allows."""
    try:
        return tuple(
            convert(settled(end[:1] if field.is_time else end, lambda x: field.low <= convert(x) <= field.high).value)
            for end in numeral.ends
        )
    except Ambiguous as both:
        readings = f"{both.decimal:g} {unit}".strip(), f"{both.thousands:g} {unit}".strip()
        raise Unreadable(
            Fault(f"{shown} may be {readings[0]} or {readings[1]}", "write it without a separator")
        ) from None


def _spanned(field: ProfileField, numeral: Numeral, ends: tuple[float, ...], shown: str) -> Span:
    for end in ends:
        check_range(field, end, shown)
    span = span_of(numeral.form, ends, field.low, field.high, whole=field.kind == "whole")
    if span.low > span.high:
        fix = "the lower end comes first" if numeral.form == "span" else "check the value"
        raise Unreadable(Fault(f"{shown} holds no number", fix))
    return span


def check_range(field: ProfileField, number: float, shown: str, unit: str = "") -> None:
    """Refuse a number outside the field's range; raises Unreadable."""
    if not field.low <= number <= field.high:
        span = f"{field.low:g} to {field.high:g} {unit or field.unit}".strip()
        fix = f"check the unit: {or_list([u.name for u in field.units])}" if len(field.units) > 1 else "check the value"
        raise Unreadable(Fault(f"{shown} is outside {span}", fix))


def _fold_unit(text: str) -> str:
    plain = plain_text(text).replace("µ", "u").replace("μ", "u").replace(" ", "").casefold()
    return plain.lstrip("x×·*") if len(plain) > 1 else plain


def find_unit(field: ProfileField, written: str) -> Unit | None:
    """Return the field's unit of that name or spelling, None where it has none."""
    folded = _fold_unit(written)
    return next((unit for unit in field.units if folded in _spellings(unit)), None)


@cache
def _spellings(unit: Unit) -> frozenset[str]:
    return frozenset(_fold_unit(spelling) for spelling in (unit.name, *unit.spellings, *unit.loose))


def _is_loose(unit: Unit, written: str) -> bool:
    """Whether a unit stands there in a spelling that has to be interpreted."""
    return _fold_unit(written) in {_fold_unit(spelling) for spelling in unit.loose}


def converted_quantity(number: float, unit: Unit, canonical: Unit) -> float:
    """The number in the canonical unit, to 12 digits: a cut-off given in another unit stays exactly that."""
    if unit is canonical:
        return number
    # most values are in the unit of their field
    from bcma_decide.patient.conversion import factor_between

    return float(f"{number * factor_between(unit, canonical):.12g}")
