"""JSON of a value piece by piece, so that what is the same in every answer is written once.

References, findings and quoted rows are half of a document, and each of them is the same object for every patient. The
bytes are those of writing the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct, json

INDENT: Final = 2
_KEPT: Final = 8_000_000
"""Bytes of pieces that are kept: those of about a dozen regions and days."""
_ENCODER: Final = json.Encoder()


class Layout(Struct, frozen=True):
    """How a document is laid out."""

    piece: Callable[[object, int], bytes]
    """One value that stands so many levels inside the document."""
    listed: Callable[[Sequence[bytes]], bytes]
    """A list that is a field of the document, of its members."""
    document: Callable[[Iterable[tuple[str, bytes]]], bytes]
    """The document of its fields."""


def _line(value: object, level: int) -> bytes:
    del level  # is all the same on one line
    return _ENCODER.encode(value)


def _listed_on_one_line(rows: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(rows) + b"]"


def _on_one_line(fields: Iterable[tuple[str, bytes]]) -> bytes:
    parts = [part for name, written in fields for part in (b',"', name.encode(), b'":', written)]
    return b"".join([b'{"', *parts[1:], b"}"])


def _indented_piece(value: object, level: int) -> bytes:
    # Laid out inside as many lists as there are levels, of which only what they enclose is taken.
    inside = json.format(b"[" * level + _ENCODER.encode(value) + b"]" * level, indent=INDENT)
    return inside[_WITHIN[level] + 2 + INDENT * level : -_WITHIN[level] - 2]


_WITHIN: Final = (0, 0, 2 + INDENT)
"""Bytes of the brackets and blanks around a list at a level, on each side."""


def _listed_indented(rows: Sequence[bytes]) -> bytes:
    line = b"\n" + b" " * (2 * INDENT)
    return b"[" + line + (b"," + line).join(rows) + b"\n" + b" " * INDENT + b"]" if rows else b"[]"


def _indented(fields: Iterable[tuple[str, bytes]]) -> bytes:
    start = b",\n" + b" " * INDENT + b'"'
    parts = [part for name, written in fields for part in (start, name.encode(), b'": ', written)]
    return b"".join([b"{", start[1:], *parts[1:], b"\n}\n"])


ON_ONE_LINE: Final = Layout(_line, _listed_on_one_line, _on_one_line)
INDENTED: Final = Layout(_indented_piece, _listed_indented, _indented)
"""With a line break at its end."""


class Pieces:
    """Pieces of values that come again as the same objects, by their identity."""

    def __init__(self, layout: Layout) -> None:
        self._written = layout.piece
        self._kept: tuple[dict[int, tuple[object, bytes]], ...] = ({}, {}, {})
        self._size = 0

    def of(self, value: object, level: int = 1) -> bytes:
        """One value that stands ``level`` levels inside the document."""
        found = self._kept[level].get(id(value))
        return self._keep(value, level) if found is None else found[1]

    def rows(self, rows: Sequence[object]) -> list[bytes]:
        """The members of a list that is a field of the document."""
        kept = self._kept[2]
        found = [kept.get(id(row)) for row in rows]
        return [self._keep(row, 2) if each is None else each[1] for each, row in zip(found, rows, strict=True)]

    def _keep(self, value: object, level: int) -> bytes:
        written = self._written(value, level)
        if self._size > _KEPT:
            for kept in self._kept:
                kept.clear()
            self._size = 0
        self._size += len(written)
        self._kept[level][id(value)] = value, written  # the value is held, so that no other gets its identity
        return written
