"""A pasted list of laboratory values: one a line, name, number and unit, in English or German.

Every line ends in one of three ways: read, and shown as read; refused with its number; or, where it names nothing that
is asked for here, told as not read. None is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from bcma_decide.errors import quote
from bcma_decide.patient.field import ProfileField
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.names import by_name, fold_name
from bcma_decide.patient.numerals import plain_text, read_numeral
from bcma_decide.patient.patterns import Pattern
from bcma_decide.patient.quantities import find_unit
from bcma_decide.patient.upper_limits import DIGITS, PER_LITRE, is_multiple

MOST_LINES: Final = 300
_SPLIT: Final = Pattern(r"\n|\r|;(?! ?1[46]\))|, ?(?=[^\W\d_])")
_BULLET: Final = Pattern(r"^(?:[-*•·]|\d{1,2}[.)]) +")
_AFTER_NAME: Final = Pattern(
    r"^(?: ?\([^)]*\))?(?: (?:i\.? ?S\.?|im Serum|in serum|serum|abs\.?|absolut|absolute))? ?[:=]? ?", re.IGNORECASE
)
_U: Final = r"(?: ?[^\s()\[\]]+(?: ?/ ?[^\s()\[\]]+)?)?"
_RANGE: Final = rf"(?:[<>≤≥]=? ?{DIGITS}|{DIGITS} ?(?:-|to|bis) ?{DIGITS}|(?:bis|up to) {DIGITS})"
_FLAG: Final = r"(?:LL|HH|L|H|[*!↓↑+-]{1,3}|low|high|niedrig|hoch)"
_REST: Final = Pattern(
    rf"(?: ?(?:\(?{_FLAG}\)?|[(\[]?(?:ref\.?|norm\.?|normal|reference|referenz|n)? ?:? ?{_RANGE}{_U} ?[)\]]?))*",
    re.IGNORECASE,
)
_UPPER: Final = Pattern(rf"(?:<=?|≤|bis|up to|{DIGITS} ?(?:-|to|bis)) ?({DIGITS})", re.IGNORECASE)
_MOST_WORDS: Final = 4


class LabValue(NamedTuple):
    """One line that names a field: its number, the field, and the value as it stands there."""

    line: int
    field: str
    written: str
    value: str


class NotAsked(NamedTuple):
    """One line that names nothing that is asked for here."""

    line: int
    written: str


class LabFault(NamedTuple):
    """One line that names a field and whose rest cannot be read."""

    line: int
    message: str
    fix: str


LabLine = LabValue | NotAsked | LabFault


def read_lines(text: str) -> Iterator[LabLine]:
    """Take a list apart, line by line; lines are counted as pasted."""
    number = 0
    for number, line in enumerate(text.splitlines() or [""], start=1):
        if number > MOST_LINES:
            yield LabFault(number, f"the list has more than {MOST_LINES} lines", "paste the values asked for here")
            return
        for part in _SPLIT.split(line):
            written = _BULLET.sub("", plain_text(part))
            if written:
                yield _line(number, written)


def _line(number: int, written: str) -> LabLine:
    found = _named(written)
    if found is None:
        return NotAsked(number, written)
    field, rest = FIELDS[found[0]], found[1]
    numeral = read_numeral(rest)
    if field.kind not in ("quantity", "whole") or numeral is None:
        return LabValue(number, field.id, written, rest) if rest else NotAsked(number, written)
    length = len(rest) - len(numeral.rest)
    unit, after = _unit(field, numeral.rest)
    if _REST.fullmatch(after) is None:
        return LabFault(number, f"{quote(written)} is not name, number and unit", "write it as in 'Hb 9.8 g/dL'")
    value = f"{rest[:length].strip()} {unit}".strip()
    upper = _UPPER.search(after) if is_multiple(field) else None
    if upper is not None and "(" not in unit:
        value = f"{value} (<{upper[1]})"
    elif is_multiple(field) and field.id == "ast_alt" and unit:
        return NotAsked(number, f"{written} (its upper limit is not in the line)")
    return LabValue(number, field.id, written, value)


def _named(written: str) -> tuple[str, str] | None:
    """The field whose name a line begins with, the longest name first, and what follows the name."""
    names = by_name()
    words = re.split(r"[ :=]", written)
    for count in range(min(len(words), _MOST_WORDS), 0, -1):
        end = 0
        for word in words[:count]:
            end += len(word) + 1
        field = names.get(fold_name(written[: end - 1]))
        if field is not None:
            return field, written[end - 1 :][_AFTER_NAME.match(written[end - 1 :]).end() :]  # type: ignore[union-attr]
    glued = re.match(r"([^\W\d_]+)(?=[0-9<>])", written)  # Hb9,8
    field = names.get(fold_name(glued[1])) if glued else None
    return (field, written[glued.end() :]) if field and glued else None


def _unit(field: ProfileField, rest: str) -> tuple[str, str]:
    """The unit at the beginning of a rest, the longest that the field has, and what follows it."""
    if is_multiple(field):
        found = re.match(rf"(?:x ?uln|{PER_LITRE})", rest, re.IGNORECASE)
        return (found[0], rest[found.end() :]) if found else ("", rest)
    ends = [each.start() for each in re.finditer(r"(?=[ (\[*!↓↑])", rest)] + [len(rest)]
    for end in reversed(ends):
        if end and find_unit(field, rest[:end]) is not None:
            return rest[:end], rest[end:]
    return "", rest
