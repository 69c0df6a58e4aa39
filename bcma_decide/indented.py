"""Indented JSON of a value piece by piece, so that what is the same in every answer is laid out once.

References, findings and quoted rows are half of a document, and each of them is the same object for every patient. The
bytes are those of laying out the whole. On one line the whole is encoded faster than its pieces can be looked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import json

INDENT: Final = 2
_KEPT: Final = 8_000_000
"""Bytes of pieces that are kept: those of about a dozen regions and days."""
_ENCODER: Final = json.Encoder()


def piece(value: object, level: int = 1) -> bytes:
    """One value that stands ``level`` levels inside the document."""
    # Laid out inside as many lists as there are levels, of which only what they enclose is taken.
    inside = json.format(b"[" * level + _ENCODER.encode(value) + b"]" * level, indent=INDENT)
    return inside[_WITHIN[level] + 2 + INDENT * level : -_WITHIN[level] - 2]


_WITHIN: Final = (0, 0, 2 + INDENT)
"""Bytes of the brackets and blanks around a list at a level, on each side."""


class Pieces:
    """Pieces of values that come again as the same objects, by their identity."""

    def __init__(self) -> None:
        self._kept: tuple[dict[int, tuple[object, bytes]], ...] = ({}, {}, {})
        self._size = 0

    def of(self, value: object, level: int = 1) -> bytes:
        """As `piece`."""
        found = self._kept[level].get(id(value))
        return self._keep(value, level) if found is None else found[1]

    def rows(self, rows: Sequence[object]) -> list[bytes]:
        """The members of a list that is a field of the document."""
        kept = self._kept[2]
        found = [kept.get(id(row)) for row in rows]
        return [self._keep(row, 2) if each is None else each[1] for each, row in zip(found, rows, strict=True)]

    def _keep(self, value: object, level: int) -> bytes:
        written = piece(value, level)
        if self._size > _KEPT:
            for kept in self._kept:
                kept.clear()
            self._size = 0
        self._size += len(written)
        self._kept[level][id(value)] = value, written  # the value is held, so that no other gets its identity
        return written


def listed(rows: Sequence[bytes]) -> bytes:
    """A list that is a field of the document, of its members."""
    line = b"\n" + b" " * (2 * INDENT)
    return b"[" + line + (b"," + line).join(rows) + b"\n" + b" " * INDENT + b"]" if rows else b"[]"


def document(fields: Iterable[tuple[str, bytes]]) -> bytes:
    """The document of its fields, with a line break at its end."""
    start = b",\n" + b" " * INDENT + b'"'
    parts = [part for name, written in fields for part in (start, name.encode(), b'": ', written)]
    return b"".join([b"{", start[1:], *parts[1:], b"\n}\n"])
