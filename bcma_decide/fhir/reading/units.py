"""Units of a record (UCUM) as the units of a field; the unit library converts between those."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from bcma_decide.fhir.reading.datatypes import Measurement
from bcma_decide.patient.field import ProfileField, Unit
from bcma_decide.patient.quantities import find_unit

_REMARK: Final = re.compile(r"\{([^{}]*)\}")


def unit_of(field: ProfileField, quantity: Measurement) -> Unit | None:
    """Return the field's unit a quantity is in, None where it is none of them.

    UCUM codes keep their case: ``Mg/dL`` is not ``mg/dL``. Remarks in braces are dropped unless they hold a number,
    as ``{1.73_m2}`` does: an indexed rate is not a plain one.
    """
    if not quantity.unit:
        return None
    plain = _REMARK.sub(_remark, quantity.unit)
    unit = find_unit(field, plain) if plain else None
    if unit is not None and quantity.is_ucum:
        return unit if _fold(plain) in _spellings(unit) else None
    return unit


def _remark(match: re.Match[str]) -> str:
    return match[1].replace("_", "") if re.search(r"[0-9]", match[1]) else ""


@cache
def _spellings(unit: Unit) -> frozenset[str]:
    return frozenset(_fold(spelling) for spelling in (unit.name, *unit.spellings))


def _fold(text: str) -> str:
    """As UCUM: case kept; the litre has two letters."""
    return text.replace("µ", "u").replace("μ", "u").replace(" ", "").replace("^", "*").replace("l", "L")
