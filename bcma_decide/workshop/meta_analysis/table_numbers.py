"""Cells of a table as numbers: only where the file's own way of writing numbers leaves one reading.

Point, comma, apostrophe and spaces stand for decimals in one country and for thousands in another. What a sign means is
taken from cells of the same file that can be read in one way only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

__all__ = [
    "Doubt",
    "How",
    "Notation",
    "Number",
    "bare_share",
    "begins_with_digit",
    "is_missing",
    "looks_numeric",
    "notation_of",
    "notation_of_column",
    "notation_of_counts",
    "read_number",
]

How = Literal["decimal comma", "raised point", "thousands", "minus"]
"""What was interpreted in a cell."""

_MISSING: Final = frozenset(
    (
        "na", "n/a", "n.a.", "n. a.", "#n/a", "#nv", "<na>", "nan", "null", "missing", "not available",
        "nr", "n.r.", "n/r", "not reported", "not reached", "not stated", "not known", "unknown", "unk",
        "nd", "n.d.", "n/d", "not done", "not determined", "not applicable",
        "k.a.", "k. a.", "k.a", "keine angabe", "nicht angegeben", "nicht berichtet", "nicht bekannt", "unbekannt",
        "fehlt", "fehlend", "inconnu", "non disponible", "non rapporté",
        ".", "..", "...", "…", "-", "--", "---", "–", "—", "−", "?", "??", "*",
    )
)  # fmt: skip
"""Words and signs for what is not known, in small letters."""
_NUMBER: Final = re.compile(
    r"(?P<sign>[+\-−–]?)"
    r"(?P<whole>[0-9]+|[0-9]{1,3}(?P<group>[.,'’ \u00a0\u202f\u2009])[0-9]{3}(?:(?P=group)[0-9]{3})*)?"
    r"(?:(?P<point>[.,·])(?P<fraction>[0-9]*))?"
    r"(?P<exponent>[eE][+-]?[0-9]+)?"
)
_LIKE: Final = re.compile(
    r"[+\-−–]?(?:(?=\D*\d)[\d.,·'’_\s]+(?:e[+\-−–]?\d+)?\s*[%‰]?|0[xob][0-9a-f]+|inf(?:inity)?)", re.IGNORECASE
)
"""Meant as a number, whether or not it is one here."""
_BEGINS: Final = re.compile(r"[<>≤≥=~≈±+\-−–(\s]*\d")
_OF: Final = re.compile(r"\d+\s*(?:/|of|von)\s*\d+")
_ENDLESS: Final = re.compile(r"[+\-−–]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
_LONG_MINUS: Final = frozenset("−–")
_THOUSAND: Final = 3
"""Digits after a sign of thousands."""


@dataclass(frozen=True)
class Number:
    """What a cell says; ``how`` names what was interpreted."""

    value: float
    how: tuple[How, ...] = ()


@dataclass(frozen=True)
class Doubt:
    """Why a cell is not read, and how to mend it."""

    message: str
    fix: str


@dataclass(frozen=True)
class Notation:
    """How a file writes numbers, as far as its cells prove it.

    ``decimals`` and ``groups``: signs out of point and comma that stand before decimals, and between thousands, in
    cells that have no other reading. ``separator`` is that of fields.
    """

    separator: str
    decimals: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def decimal(self) -> str:
        """The sign before decimals; empty where no cell proves one, or cells prove both."""
        # Where commas separate fields, those inside quotation marks are not taken for the file's own way.
        signs = self.decimals - self.groups
        return next(iter(signs)) if len(self.decimals) == len(signs) == 1 and signs != {self.separator} else ""

    def grouping(self, sign: str, *, counted: bool) -> bool | None:
        """Whether a sign before three digits stands between thousands (True), before decimals, or may be either (None).

        ``counted``: the column holds whole numbers, so that decimals are not expected where the sign is not proven to
        stand before them, and not believed where it is.
        """
        if sign in self.groups:
            return None if sign in self.decimals else True
        if counted:
            other = self.decimal not in ("", sign) or (sign == self.separator and not self.decimals)
            return True if other else None
        return False if sign == self.decimal else None


@dataclass(frozen=True)
class _Shape:
    """A cell that is a number in some notation: digits before and after ``point``, without signs of thousands."""

    sign: str
    digits: str
    group: str
    point: str
    fraction: str
    exponent: str

    @property
    def open(self) -> bool:
        """Whether ``point`` may stand for thousands: *1.000*, but not *0.125*, *1.5*, *2019.125* or *1.000e3*."""
        few = 1 <= len(self.digits) <= _THOUSAND and self.digits[0] != "0" and not self.group
        return self.point in (".", ",") and few and len(self.fraction) == _THOUSAND and not self.exponent

    def value(self, *, grouped: bool) -> float:
        """The number; ``grouped``: with ``point`` as a sign of thousands."""
        minus = "" if self.sign in ("", "+") else "-"
        return float(f"{minus}{self.digits}{'' if grouped else '.'}{self.fraction}{self.exponent}")


def is_missing(cell: str) -> bool:
    """Whether a cell is empty or says that something is not known."""
    return not cell or cell.casefold() in _MISSING


def looks_numeric(cell: str) -> bool:
    """Whether a cell is meant as a number, also one that is not read."""
    return _LIKE.fullmatch(cell) is not None


def begins_with_digit(cell: str) -> bool:
    """Whether a cell begins with a number, whatever follows: *62 (51-70)*, *< 5*, *12/40*."""
    return _BEGINS.match(cell) is not None


def bare_share(cell: str) -> str:
    """A percentage without its sign, any other cell as it is."""
    return cell.removesuffix("%").rstrip()


def _is_whole(cell: str) -> bool:
    """Whether a cell is a whole number in plain digits: most are, and need no look at signs."""
    return cell.isascii() and cell.isdigit() and (cell[0] != "0" or cell == "0")


def _shape(cell: str) -> _Shape | None:
    found = _NUMBER.fullmatch(cell)
    if found is None:
        return None
    sign, whole, group, point, fraction, exponent = (found[name] or "" for name in found.re.groupindex)
    digits = whole.replace(group, "") if group else whole
    if not digits and not fraction:
        return None
    # 050 is what is left of 1,050 where the comma separates fields.
    if (len(digits) > 1 and digits[0] == "0") or (point and point == group) or (point in (",", "·") and not fraction):
        return None
    return _Shape(sign, digits, group, point, fraction, exponent)


def notation_of(cells: Iterable[str], separator: str) -> Notation:
    """What the cells of a file that have one reading prove about its signs."""
    decimals, groups = set[str](), set[str]()
    for cell in cells:
        shape = None if cell.isalnum() else _shape(bare_share(cell))
        if shape is not None and not shape.open:
            decimals.add(shape.point)
            groups.add(shape.group)
    if separator == "," and "." in decimals:
        decimals.discard(",")
    return Notation(separator, frozenset(decimals & {".", ","}), frozenset(groups & {".", ","}))


def notation_of_counts(cells: Iterable[str], notation: Notation) -> Notation:
    """The notation of counts: a sign that cannot stand before decimals there stands between thousands.

    No number of patients is *1.234* unless the point is one of thousands. That holds where nothing else in the file
    tells, and semicolons or tabs separate fields.
    """
    if notation.decimals or notation.groups or notation.separator == ",":
        return notation
    shapes = (_shape(cell) for cell in cells if not cell.isalnum())
    proven = frozenset(shape.point for shape in shapes if shape is not None and shape.open and int(shape.fraction))
    return replace(notation, groups=proven) if len(proven) == 1 else notation


def notation_of_column(cells: Collection[str], notation: Notation) -> Notation:
    """The notation of a column that is not of counts.

    The file's sign before decimals does not tell what *1.200* is beside *800*, where no cell of the column has decimals
    for certain.
    """
    others = [cell for cell in cells if not _is_whole(cell)]
    if len(others) == len(cells):
        return notation
    signed = [shape for cell in others if (shape := _shape(cell)) is not None and shape.point]
    return replace(notation, decimals=frozenset()) if all(shape.open for shape in signed) else notation


def read_number(cell: str, notation: Notation, *, counted: bool = False) -> Number | Doubt:
    """Read a cell as a number of its file, or say why not.

    Parameters
    ----------
    cell
        Its text, without space around it.
    notation
        How the file writes numbers.
    counted
        Whether whole numbers are expected.
    """
    if _is_whole(cell):
        return _finite(cell, Number(float(cell)))
    shape = _shape(cell)
    if shape is None:
        return _unread(cell, counted=counted)
    grouped = False
    if shape.open:
        meant = notation.grouping(shape.point, counted=counted)
        if meant is None:
            return _two_readings(cell, shape, counted=counted)
        grouped = meant
    elif shape.group and shape.group in notation.decimals:
        return Doubt(f"{cell!r} is not a number", f"elsewhere in the file {shape.group!r} stands before decimals")
    decimal_comma = shape.point == "," and not grouped
    if decimal_comma and notation.decimal != ",":
        both = " in every column, as the file has both signs" if notation.decimals == {".", ","} else ""
        return Doubt(f"{cell!r} is not a number", f"write a decimal point{both}")
    interpreted: dict[How, bool] = {
        "decimal comma": decimal_comma,
        "raised point": shape.point == "·",
        "thousands": bool(grouped or shape.group),
        "minus": shape.sign in _LONG_MINUS,
    }
    how = tuple(each for each, applies in interpreted.items() if applies)
    return _finite(cell, Number(shape.value(grouped=grouped), how))


def _finite(cell: str, number: Number) -> Number | Doubt:
    if math.isfinite(number.value):
        return number
    return Doubt(f"{cell!r} is not a finite number", "leave the study out")


def _two_readings(cell: str, shape: _Shape, *, counted: bool) -> Doubt:
    whole, decimal = f"{shape.value(grouped=True):.0f}", f"{shape.value(grouped=False):g}"
    ways = [whole]
    if not int(shape.fraction):
        ways.append(decimal)
    elif not counted:
        # Two digits, or four, cannot follow a sign of thousands.
        ways.append(decimal if shape.fraction.endswith("0") else f"{decimal}0")
    return Doubt(f"{cell!r} may be {whole} or {decimal}", f"write {' or '.join(ways)}")


def _unread(cell: str, *, counted: bool) -> Doubt:
    """What is wrong with a cell that is a number in no notation."""
    fix = "give a number, or leave the study out"
    if not cell:
        return Doubt("is empty", fix)
    if _ENDLESS.fullmatch(cell):
        return Doubt(f"{cell!r} is not a finite number", "leave the study out")
    if is_missing(cell):
        return Doubt(f"{cell!r} says that it is not known", fix)
    if _OF.fullmatch(cell):
        fix = "give both numbers in columns of their own"
    elif cell[-1] in "%‰":
        fix = "give a number of patients" if counted else "leave the sign out in every line"
    elif "," in cell:
        fix = "write a decimal point"
    elif looks_numeric(cell):
        fix = "write it in digits 0 to 9, without zeros before it"
    return Doubt(f"{cell!r} is not a number", fix)
