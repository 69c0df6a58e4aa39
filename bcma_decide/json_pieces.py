"""JSON of a value piece by piece, so that what is the same in every answer is encoded once.

References, studies and quoted rows are half of a document and the same objects for every patient. The bytes are those
of encoding the value as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import json

_KEPT: Final = 8_000_000
"""Bytes of pieces of one layout: those of about a dozen regions and days."""
_ENCODER: Final = json.Encoder()


class Layout:
    """How pieces are written and put together: on one line, or a line for each with ``indent`` spaces a level.

    Lists of pieces are meant to be joined at the end, all at once: the document is copied once.
    """

    def __init__(self, indent: int | None = None) -> None:
        self._indent = indent
        self._colon = b'":' if indent is None else b'": '
        self._kept: dict[tuple[int, int], tuple[object, bytes]] = {}
        self._size = 0

    def piece(self, value: object, level: int = 1) -> bytes:
        """One value that stands ``level`` levels inside the document."""
        written = _ENCODER.encode(value)
        if self._indent is None:
            return written
        # Indented inside as many lists as there are levels, of which only what they enclose is kept.
        inside = json.format(b"[" * level + written + b"]" * level, indent=self._indent)
        before = sum(1 + len(self._line(each)) for each in range(1, level + 1))
        after = sum(1 + len(self._line(each)) for each in range(level))
        return inside[before:-after]

    def same_piece(self, value: object, level: int = 1) -> bytes:
        """As `piece`, of a value that will come again as the same object; kept by its identity."""
        place = id(value), level
        found = self._kept.get(place)
        if found is not None:
            return found[1]
        written = self.piece(value, level)
        if self._size > _KEPT:
            self._kept.clear()
            self._size = 0
        self._size += len(written)
        self._kept[place] = value, written  # the value is held, so that no other gets its identity
        return written

    def array(self, pieces: list[bytes], level: int = 1) -> list[bytes]:
        """Pieces of one level further inside, as a list."""
        if not pieces:
            return [b"[]"]
        line = self._line(level + 1)
        parts = [part for piece in pieces for part in (b"," + line, piece)]
        return [b"[" + line, *parts[1:], self._line(level) + b"]"]

    def mapping(self, fields: Iterable[tuple[str, list[bytes]]]) -> list[bytes]:
        """The document of its fields, each with the pieces of its value."""
        start = b"," + self._line(1) + b'"'
        parts = [part for name, pieces in fields for part in (start, name.encode() + self._colon, *pieces)]
        return [b"{" + self._line(1) + b'"', *parts[1:], self._line(0) + b"}"]

    def _line(self, level: int) -> bytes:
        return b"" if self._indent is None else b"\n" + b" " * (self._indent * level)


LAYOUTS: Final = {None: Layout(), 2: Layout(2)}
"""By indentation, those that are used: of an answer over the network and of a document."""
