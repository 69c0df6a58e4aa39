"""From one unit of a field to another by exact factors: of the units of measurement only what the fields accept.

Units are spelled out as ``milligram/deciliter``. The tests hold every pair to a unit library (pint).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from math import prod
from typing import Final

from bcma_decide.patient.field import Unit

_PREFIXES: Final[Mapping[str, Fraction]] = {
    "giga": Fraction(10**9),
    "kilo": Fraction(10**3),
    "deci": Fraction(1, 10),
    "milli": Fraction(1, 10**3),
    "micro": Fraction(1, 10**6),
    "nano": Fraction(1, 10**9),
}
_BASES: Final[Mapping[str, tuple[str, Fraction]]] = {
    "gram": ("mass", Fraction(1)),
    # The international pound of 1959, exactly.
    "pound": ("mass", Fraction(45_359_237, 100_000)),
    "liter": ("volume", Fraction(1)),
    "mole": ("amount", Fraction(1)),
    "second": ("time", Fraction(1)),
    "minute": ("time", Fraction(60)),
    "day": ("time", Fraction(86_400)),
    "week": ("time", Fraction(7 * 86_400)),
    # A twelfth of a Julian year, and that year: 365.25 days.
    "month": ("time", Fraction(36_525 * 864, 12)),
    "year": ("time", Fraction(36_525 * 864)),
    "count": ("number", Fraction(1)),
    "dimensionless": ("number", Fraction(1)),
    "percent": ("number", Fraction(1, 100)),
}


@cache
def _size(unit: Unit) -> tuple[tuple[str, ...], Fraction]:
    """What a unit measures, above and below the stroke, and how many base units it is."""
    parts = [_part(word) for word in unit.spelled_out.split("/")]
    kinds = tuple(kind for kind, _ in parts)
    factor = parts[0][1] / prod((below for _, below in parts[1:]), start=Fraction(1))
    if unit.molar_mass is not None and kinds[0] == "amount":
        return ("mass", *kinds[1:]), factor * Fraction(str(unit.molar_mass))
    return kinds, factor


def _part(word: str) -> tuple[str, Fraction]:
    if word in _BASES:
        return _BASES[word]
    prefix = next((each for each in _PREFIXES if word.startswith(each)), "")
    kind, factor = _BASES[word.removeprefix(prefix)]
    return kind, factor * _PREFIXES[prefix]


@cache
def factor_between(unit: Unit, other: Unit) -> float:
    """By how much a number in ``unit`` is multiplied to stand in ``other``.

    Raises
    ------
    ValueError
        Where they do not measure the same.
    """
    (kinds, size), (wanted, base) = _size(unit), _size(other)
    if kinds != wanted:
        raise ValueError(f"{unit.name} cannot be converted to {other.name}")
    return float(size / base)
