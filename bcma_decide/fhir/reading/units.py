"""Units of a record (UCUM) as the units of a field; the unit library converts between those."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bcma_decide.patient.field import ProfileField, Unit
from bcma_decide.patient.reading import find_unit

UCUM: Final = ("http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8")
_REMARK: Final = re.compile(r"\{([^{}]*)\}")


def written_unit(quantity: Mapping[str, object]) -> str:
    """The unit as the record writes it: the UCUM code if there is one, else the text."""
    code, text = quantity.get("code"), quantity.get("unit")
    if isinstance(code, str) and code.strip() and quantity.get("system") in UCUM:
        return code.strip()
    return text.strip() if isinstance(text, str) else ""


def unit_of(field: ProfileField, quantity: Mapping[str, object]) -> Unit | None:
    """Return the field's unit a quantity is in, None where it is none of them.

    UCUM codes keep their case: ``Mg/dL`` is not ``mg/dL``. Remarks in braces are dropped unless they hold a number,
    as ``{1.73_m2}`` does: an indexed rate is not a plain one.
    """
    written = written_unit(quantity)
    if not written:
        return None
    plain = _REMARK.sub(lambda found: found[1].replace("_", "") if re.search(r"[0-9]", found[1]) else "", written)
    unit = find_unit(field, plain) if plain else None
    if unit is not None and quantity.get("system") in UCUM and quantity.get("code"):
        spelled = {_fold(spelling) for spelling in (unit.name, *unit.spellings)}
        return unit if _fold(plain) in spelled else None
    return unit


def _fold(text: str) -> str:
    """As UCUM: case kept; the litre has two letters."""
    return text.replace("µ", "u").replace("μ", "u").replace(" ", "").replace("^", "*").replace("l", "L")
