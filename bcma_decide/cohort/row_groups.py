"""Parquet files of one schema joined into one, their row groups copied as they are: nothing is decoded.

A Parquet file is its row groups and a footer that says where their pages begin (Apache Parquet format, FileMetaData, in
the compact protocol of Apache Thrift). Joined, the pages stand elsewhere and everything else is the same, so that only
the offsets of the footers are written anew. Memory holds the footer of one part, and the bytes of those before.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from struct import Struct as Packed
from typing import Any, BinaryIO, Final

_MAGIC: Final = b"PAR1"
_LENGTH: Final = Packed("<I")
_TAIL: Final = _LENGTH.size + len(_MAGIC)
_STOP, _TRUE, _FALSE, _BYTE, _SHORT, _INT, _LONG, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(13)
# FileMetaData
_SCHEMA, _ROWS, _GROUPS, _KEY_VALUES = 2, 3, 4, 5
# RowGroup
_CHUNKS, _GROUP_OFFSET, _ORDINAL = 1, 5, 7
# ColumnChunk and ColumnMetaData: offsets of pages and of their indexes
_CHUNK_OFFSETS: Final = (2, 4, 6)
_META: Final = 3
_PAGE_OFFSETS: Final = (9, 10, 11, 14)

Fields = dict[int, tuple[int, Any]]
"""Of a struct: type and value by number. Values of lists are their type and items."""


def join_row_groups(parts: Iterable[Path], out: Path) -> None:
    """Write files of the same schema into one.

    Raises
    ------
    ValueError
        When a part is no Parquet file, or of another schema than the first.
    """
    first: Fields | None = None
    groups: list[bytes] = []
    rows = 0
    with out.open("wb") as target:
        target.write(_MAGIC)
        for path in parts:
            with path.open("rb") as source:
                footer, length = _footer(source, path)
                if first is None:
                    first = footer
                elif any(footer.get(each) != first.get(each) for each in (_SCHEMA, _KEY_VALUES)):
                    raise ValueError(f"{path} has another schema than the first part")
                moved = target.tell() - len(_MAGIC)
                for group in footer[_GROUPS][1][1]:
                    _move(group, moved, len(groups))
                    groups.append(_written(_STRUCT, group))
                rows += footer[_ROWS][1]
                source.seek(len(_MAGIC))
                _copy(source, target, length)
        if first is None:
            raise ValueError("there is no part to join")
        whole = {**first, _ROWS: (_LONG, rows), _GROUPS: (_LIST, (_STRUCT, groups))}
        footer_bytes = _written(_STRUCT, whole)
        target.write(footer_bytes + _LENGTH.pack(len(footer_bytes)) + _MAGIC)


def _footer(source: BinaryIO, path: Path) -> tuple[Fields, int]:
    """The footer of a part, and how many bytes stand between its magic and the footer."""
    size = source.seek(0, 2)
    source.seek(max(size - _TAIL, 0))
    tail = source.read()
    if tail[-len(_MAGIC) :] != _MAGIC:
        raise ValueError(f"{path} is no Parquet file")
    (length,) = _LENGTH.unpack(tail[: _LENGTH.size])
    source.seek(size - _TAIL - length)
    return _Reader(source.read(length)).value(_STRUCT), size - _TAIL - length - len(_MAGIC)


def _copy(source: BinaryIO, target: BinaryIO, length: int) -> None:
    begin = target.tell()
    shutil.copyfileobj(source, target, 1 << 20)
    target.seek(begin + length)  # without the footer
    target.truncate()


def _move(group: Fields, by: int, ordinal: int) -> None:
    """Let a row group begin so many bytes later, and have its number in the whole."""
    _shift(group, (_GROUP_OFFSET,), by)
    if _ORDINAL in group:
        group[_ORDINAL] = _SHORT, ordinal
    for chunk in group[_CHUNKS][1][1]:
        _shift(chunk, _CHUNK_OFFSETS, by)
        _shift(chunk[_META][1], _PAGE_OFFSETS, by)


def _shift(fields: Fields, numbers: Iterable[int], by: int) -> None:
    for number in numbers:
        kind, offset = fields.get(number, (_LONG, 0))
        if offset:  # 0: not said
            fields[number] = kind, offset + by


class _Reader:
    """Reads values of the compact protocol."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def value(self, kind: int) -> Any:  # noqa: ANN401  # whatever stands there
        match kind:
            case 1 | 2:  # an item of a list; of a field the type says it
                return self._byte()
            case 3:
                return self._byte()
            case 4 | 5 | 6:
                number = self._number()
                return (number >> 1) ^ -(number & 1)
            case 7:
                return self._take(8)
            case 8:
                return self._take(self._number())
            case 9 | 10:
                return self._items()
            case 12:
                return self._fields()
        raise ValueError(f"type {kind} is not expected in a footer")

    def _fields(self) -> Fields:
        found: Fields = {}
        number = 0
        while head := self._byte():
            kind, step = head & 15, head >> 4
            number = number + step if step else self.value(_SHORT)
            found[number] = kind, (None if kind in (_TRUE, _FALSE) else self.value(kind))
        return found

    def _items(self) -> tuple[int, list[Any]]:
        head = self._byte()
        kind, size = head & 15, head >> 4
        if size == 15:
            size = self._number()
        return kind, [self.value(kind) for _ in range(size)]

    def _number(self) -> int:
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 127) << shift
            if byte < 128:
                return found
            shift += 7

    def _byte(self) -> int:
        self._at += 1
        return self._content[self._at - 1]

    def _take(self, length: int) -> bytes:
        self._at += length
        return self._content[self._at - length : self._at]


def _written(kind: int, value: Any) -> bytes:  # noqa: ANN401  # as it was read
    """A value as it is written; bytes in place of a struct stand as they are."""
    match kind:
        case 1 | 2 | 3:
            return bytes([value])
        case 4 | 5 | 6:
            return _number(value << 1 if value >= 0 else ~value << 1 | 1)
        case 7:
            return bytes(value)
        case 8:
            return _number(len(value)) + bytes(value)
        case 9 | 10:
            item, items = value
            size = len(items)
            head = bytes([size << 4 | item]) if size < 15 else bytes([0xF0 | item]) + _number(size)
            return head + b"".join(_written(item, each) for each in items)
    if isinstance(value, bytes):
        return value
    found, before = [], 0
    for number, (own, each) in sorted(value.items()):
        step = number - before
        found.append(bytes([step << 4 | own]) if 0 < step < 16 else bytes([own]) + _written(_SHORT, number))
        found.append(b"" if own in (_TRUE, _FALSE) else _written(own, each))
        before = number
    return b"".join([*found, bytes([_STOP])])


def _number(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)
