"""Units of a record (UCUM) as the units of a field; `patient/conversion` has the factors between those."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from bcma_decide.fhir.reading.datatypes import Measurement
from bcma_decide.patient.field import ProfileField, Unit
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.quantities import converted_quantity, find_unit

_CODES: Final = frozenset({"/nL", "1/nL"})
"""What has to be interpreted where it is typed, and is plain as a code of UCUM."""
_REMARK: Final = re.compile(r"\{([^{}]*)\}")


def unit_of(field: ProfileField, quantity: Measurement) -> Unit | None:
    """Return the field's unit a quantity is in, None where it is none of them.

    UCUM codes keep their case: ``Mg/dL`` is not ``mg/dL``. Remarks in braces are dropped unless they hold a number,
    as ``{1.73_m2}`` does: an indexed rate is not a plain one.
    """
    if not quantity.unit:
        return None
    plain = _plain(quantity.unit)
    unit = find_unit(field, plain) if plain else None
    if unit is not None and quantity.is_ucum:
        return unit if _fold(plain) in _spellings(unit) else None
    return unit


@cache
def differing_units(field: ProfileField, code: str, text: str) -> str:
    """Why the code and the text of a unit do not mean the same; empty where they do, or where one is not known.

    A text that is a unit of another field is known well enough to differ.
    """
    if _fold(code) == _fold(text):
        return ""
    one, other = find_unit(field, _plain(code)), find_unit(field, _plain(text))
    reason = f"its unit is {text} in words and {code} by its code"
    if one is not None and other is not None:
        same = converted_quantity(1.0, one, field.units[0]) == converted_quantity(1.0, other, field.units[0])
        return "" if same else reason
    factors = _factor(code), _factor(text)
    if None not in factors:
        return "" if factors[0] == factors[1] else reason
    if (one is None) is (other is None):
        return ""
    stranger = text if other is None else code
    known_elsewhere = any(find_unit(each, _plain(stranger)) for each in FIELDS.values() if each.units)
    return reason if known_elsewhere else ""


_PREFIXES: Final = {"k": 3, "": 0, "d": -1, "c": -2, "m": -3, "u": -6, "mc": -6, "n": -9, "p": -12, "f": -15}
_PART: Final = rf"({'|'.join(sorted(filter(None, _PREFIXES), key=len, reverse=True))})?(g|mol|l|iu|u|kat|eq)"
_UNIT: Final = re.compile(rf"(?:x?10(?:\W{{0,2}}|e)([0-9]{{1,2}})\)?|{_PART})(?:/(?:{_PART}|mm\W?3))?")


def _factor(unit: str) -> tuple[str, str, int] | None:
    """What a unit counts, in what, and its power of ten; None for one that is not of this simple kind."""
    found = _UNIT.fullmatch(_fold(_plain(unit)).casefold())
    if found is None:
        return None
    power, prefix, base, below, volume = found.groups()
    cubic = -6 if volume is None and "mm" in unit.casefold() else 0  # a cubic millimetre is a microlitre
    top = int(power) if power else _PREFIXES[prefix or ""]
    return base or "count", volume or ("l" if cubic else ""), top - (_PREFIXES[below or ""] if volume else cubic)


def _plain(unit: str) -> str:
    return _REMARK.sub(_remark, unit)


def _remark(match: re.Match[str]) -> str:
    return match[1].replace("_", "") if re.search(r"[0-9]", match[1]) else ""


@cache
def _spellings(unit: Unit) -> frozenset[str]:
    return frozenset(_fold(spelling) for spelling in (unit.name, *unit.spellings, *_CODES.intersection(unit.loose)))


def _fold(text: str) -> str:
    """As UCUM: case kept; the litre has two letters."""
    return text.replace("µ", "u").replace("μ", "u").replace(" ", "").replace("^", "*").replace("l", "L")
