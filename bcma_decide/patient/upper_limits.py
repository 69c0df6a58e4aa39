"""Enzymes: kept as multiples of the laboratory's upper limit of normal, given in U/L with that limit."""

from __future__ import annotations

import re
from typing import Final

from bcma_decide.errors import quote
from bcma_decide.patient.field import ProfileField
from bcma_decide.patient.numerals import Ambiguous, plain_text, read_numeral, settled
from bcma_decide.patient.patterns import Pattern
from bcma_decide.patient.quantities import check_range, read_quantity
from bcma_decide.patient.reading import Fault, Quantity, Read, Unreadable

MULTIPLE: Final = "x ULN"
LIMITS: Final = {"ldh": "ldh_upper_limit"}
"""The field that holds the upper limit, by the field it belongs to."""

DIGITS: Final = r"[0-9][0-9.,]*"
PER_LITRE: Final = r"(?:i?u|e|units) ?/ ?l"
"""Patterns of a number and of the unit of enzymes, as they stand in a value or a line of a list."""
_WORDS: Final = r"(?:uln|upper limit|limit|normal|norm|norm\.|ref\.?|reference|referenz|range|n|nb)"
_WITH_LIMIT: Final = Pattern(
    rf"({DIGITS}) ?(?:{PER_LITRE})? ?(?:/ ?({DIGITS}) ?(?:{PER_LITRE})?"
    rf"|[(\[] ?{_WORDS}? ?[:=]? ?(?:<=?|≤|up to |bis |-)? "
    rf"?(?:{DIGITS} ?(?:-|to|bis) ?)?({DIGITS}) ?(?:{PER_LITRE})? ?[)\]])",
    re.IGNORECASE,
)
_IN_UNITS: Final = Pattern(rf"({DIGITS}) ?{PER_LITRE}", re.IGNORECASE)
_BARE: Final = Pattern(DIGITS)


def is_multiple(field: ProfileField) -> bool:
    """Whether a field is kept as a multiple of an upper limit."""
    return field.unit == MULTIPLE


def read_multiple(field: ProfileField, value: object, limit: Quantity | None) -> Read:
    """Read a multiple, or a value in U/L beside its upper limit: ``400/250``, ``400 U/L (135-250)``.

    Parameters
    ----------
    field
        One that is kept as a multiple.
    value
        As given; a bare number is a multiple, beside a limit a value in its unit.
    limit
        The laboratory's upper limit in U/L, if that was given apart.
    """
    text = plain_text(value) if isinstance(value, str) else f"{value!r}" if type(value) in (int, float) else ""
    if found := _WITH_LIMIT.fullmatch(text):
        return _divided(field, found[1], _number(field, found[2] or found[3], text), text)
    in_units = _IN_UNITS.fullmatch(text) or (_BARE.fullmatch(text) if limit is not None else None)
    if in_units is None:
        return _plain(field, value)
    if limit is None:
        raise Unreadable(
            Fault(f"{quote(text)} says nothing without the laboratory's upper limit", _fix(field, in_units[0]))
        )
    return _divided(field, in_units[1] if in_units.lastindex else text, limit.value, text)


def _plain(field: ProfileField, value: object) -> Read:
    try:
        return read_quantity(field, value)
    except Unreadable as error:
        first = error.faults[0]
        if "is outside" in first.message:
            raise Unreadable(Fault(first.message, _fix(field, ""))) from None
        raise


def _fix(field: ProfileField, written: str) -> str:
    number = written.split(" ")[0] or "400"
    apart = f", or give {LIMITS[field.id]}" if field.id in LIMITS else ""
    return f"write value and limit, as in '{number}/250 U/L'{apart}"


def _number(field: ProfileField, token: str, text: str) -> float:
    numeral = read_numeral(token)
    if numeral is None or numeral.rest or len(numeral.ends[0]) > 1 or numeral.ends[0][0].value <= 0:
        raise Unreadable(Fault(f"{quote(text)} holds no upper limit that can be read", _fix(field, "")))
    return numeral.ends[0][0].value


def _divided(field: ProfileField, token: str, limit: float, text: str) -> Read:
    numeral = read_numeral(token)
    if numeral is None or numeral.rest:
        raise Unreadable(Fault(f"{quote(text)} is not a number", f"{field.answer}, or unknown"))
    try:
        number = settled(numeral.ends[0], lambda each: field.low <= each / limit <= field.high).value
    except Ambiguous as both:
        message = f"{quote(text)} may be {both.decimal:g} or {both.thousands:g} U/L"
        raise Unreadable(Fault(message, "write it without a separator")) from None
    # twelve digits: what the division adds beyond them is no measurement
    multiple = float(f"{number / limit:.12g}")
    check_range(field, multiple, quote(text))
    kept = Quantity(multiple, field.unit)
    return Read(kept, f"{multiple:.3g} {field.unit} (upper limit {limit:g} U/L)")
