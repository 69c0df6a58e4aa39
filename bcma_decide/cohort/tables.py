"""Tables as they come: Parquet, Arrow, CSV, lines of JSON, and exports of FHIR, read batch by batch.

A row that is no row (cells missing, a line that is no JSON) comes through too, with its problem beside it, so that rows
keep their numbers. No format is read into memory as a whole.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from bcma_decide.cohort.cells import JSON_CELLS, PROBLEM
from bcma_decide.cohort.export import Export, is_export, open_export
from bcma_decide.cohort.fingerprint import fingerprint_of
from bcma_decide.cohort.question import ID, RECORD
from bcma_decide.errors import Problem, ProfileError, quote
from bcma_decide.strict.files import UnreadableFile, check_plain
from bcma_decide.strict.json import RepeatedNameError, strict_json

ENDINGS: Final = (".parquet", ".csv", ".tsv", ".ndjson", ".jsonl", ".arrow", ".feather")
_SEPARATORS: Final = (",", ";", "\t")
_LONGEST_CELL: Final = 1_000_000
"""Characters of a cell of a CSV, or of a line of a profile as JSON."""
_PIECE: Final = 1 << 20


@dataclass(frozen=True)
class Table:
    """A table that can be read again and again."""

    schema: pa.Schema
    rows: int
    """How many there are; of CSV as many as there are lines."""
    fingerprint: str
    """SHA-256 of what is read."""
    read: Callable[[int], Iterator[pa.RecordBatch]]
    """Yields batches of so many rows each, the last one with what is left."""
    records: bool = False
    """Whether its rows are FHIR Bundles, in columns ``id`` and ``record``."""

    @property
    def numeric(self) -> tuple[str, ...]:
        """Columns of a number type."""
        kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
        return tuple(field.name for field in self.schema if any(of_kind(field.type) for of_kind in kinds))


def open_table(path: Path, folder: Path) -> Table:
    """Open a table by the ending of its name; a folder, or lines of resources, is an export of FHIR.

    Parameters
    ----------
    path
        File or folder.
    folder
        Where an index of the resources of an export is kept while it is needed.

    Raises
    ------
    ProfileError
        When it cannot be read, or is none of these.
    """
    ending = path.suffix.lower()
    try:
        if path.is_dir():
            return _of_export(open_export(path, folder))
        check_plain(path)
        if ending in (".ndjson", ".jsonl"):
            return _of_export(open_export(path, folder)) if is_export(path) else _of_lines(path)
        if ending in (".csv", ".tsv"):
            return _of_csv(path)
        if ending == ".parquet":
            return _of_parquet(path)
        if ending in (".arrow", ".feather"):
            return _of_arrow(path)
    except UnreadableFile as error:
        raise refused(path, error.reason, error.fix) from None
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror or error}", "check the path") from None
    except pa.ArrowInvalid as error:
        first = str(error).splitlines()[0]
        raise refused(path, f"is no {ending[1:]} file: {first}", "check how it was written") from None
    raise refused(path, "is of no kind that is read here", f"one of {', '.join(ENDINGS)}")


def refused(path: Path, message: str, fix: str, where: str = "") -> ProfileError:
    """The error for a table that cannot be read."""
    return ProfileError("the table cannot be used", [Problem(where, message, fix, str(path))])


def _of_parquet(path: Path) -> Table:
    with pa.parquet.ParquetFile(path) as file:
        schema, rows = _readable(path, file.schema_arrow), file.metadata.num_rows

    def read(size: int) -> Iterator[pa.RecordBatch]:
        with pa.parquet.ParquetFile(path) as file:
            yield from _resized(file.iter_batches(batch_size=size), schema, size)

    return Table(schema, rows, fingerprint_of([path])[0], read)


def _of_arrow(path: Path) -> Table:
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
        schema = _readable(path, file.schema)
        rows = sum(file.get_batch(at).num_rows for at in range(file.num_record_batches))

    def read(size: int) -> Iterator[pa.RecordBatch]:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
            yield from _resized((file.get_batch(at) for at in range(file.num_record_batches)), schema, size)

    return Table(schema, rows, fingerprint_of([path])[0], read)


def _readable(path: Path, schema: pa.Schema) -> pa.Schema:
    if PROBLEM in schema.names:
        raise refused(path, f"has a column {PROBLEM}, a name of this program", "call it otherwise")
    return schema


def _resized(batches: Iterable[pa.RecordBatch], schema: pa.Schema, size: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of one size, whatever sizes the file has: parts do not hang on how it was written."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            piece = batch.slice(start, size - rows)
            start += piece.num_rows
            rows += piece.num_rows
            held.append(piece)
            if rows == size:
                yield _joined(held, schema)
                held, rows = [], 0
    if held:
        yield _joined(held, schema)


def _joined(pieces: Sequence[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    return pieces[0] if len(pieces) == 1 else pa.Table.from_batches(pieces, schema).combine_chunks().to_batches()[0]


def _of_csv(path: Path) -> Table:
    with path.open("rb") as stream:
        first = stream.readline(_LONGEST_CELL).decode("utf-8-sig", errors="replace")
    separator = max(_SEPARATORS, key=first.count)
    names = next(csv.reader([first], delimiter=separator), [])
    if not names:
        raise refused(path, "has no headings", "a first line with the names of the columns")
    schema = pa.schema([pa.field(name, pa.string()) for name in names])
    fingerprint, lines = fingerprint_of([path])
    return Table(schema, max(lines - 1, 0), fingerprint, partial(_csv_batches, path, separator, schema))


def _csv_batches(path: Path, separator: str, schema: pa.Schema, size: int) -> Iterator[pa.RecordBatch]:
    csv.field_size_limit(_LONGEST_CELL)
    width = len(schema)
    # bytes that are no UTF-8 become half letters, which the row is refused for
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        reader = csv.reader(stream, delimiter=separator)
        next(reader, None)
        rows = (_csv_row(row, width) for row in _csv_rows(reader, path) if row)
        while piece := list(islice(rows, size)):
            yield _text_batch(piece, schema)


def _csv_rows(reader: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        where = f"line {reader.line_num}"  # type: ignore[attr-defined]
        raise refused(path, f"is no CSV: {error}", "close every quotation mark", where) from None


def _csv_row(row: list[str], width: int) -> tuple[list[str | None], Problem | None]:
    problem = None
    if len(row) != width:
        problem = Problem("", f"has {len(row)} cells and not {width}", "put what holds a separator in quotation marks")
    elif not _is_text("".join(row)):
        problem = Problem("", "is not UTF-8 text", "save the table as UTF-8")
    if problem is None:
        return [cell or None for cell in row], None
    kept = [cell if _is_text(cell) else None for cell in row[:width]]
    return [*kept, *[None] * (width - len(kept))], problem


def _is_text(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text_batch(rows: Sequence[tuple[Sequence[str | None], Problem | None]], schema: pa.Schema) -> pa.RecordBatch:
    """A batch of texts, with what is wrong with rows as a whole beside them."""
    arrays = [pa.array(column, pa.string()) for column in zip(*(cells for cells, _ in rows), strict=True)]
    told = [None if each is None else json.dumps([each.field, each.message, each.fix]) for _, each in rows]
    return pa.RecordBatch.from_arrays(
        [*arrays, pa.array(told, pa.string())], schema=schema.append(pa.field(PROBLEM, pa.string()))
    )


def _of_lines(path: Path) -> Table:
    """Lines of JSON: one object with the fields of a profile on each."""
    names: dict[str, None] = {}
    rows = 0
    for cells, _ in _line_rows(path):
        names |= dict.fromkeys(cells)
        rows += 1
    schema = pa.schema([pa.field(name, pa.string(), metadata=JSON_CELLS) for name in names])

    def read(size: int) -> Iterator[pa.RecordBatch]:
        found = (([cells.get(name) for name in names], problem) for cells, problem in _line_rows(path))
        while piece := list(islice(found, size)):
            yield _text_batch(piece, schema)

    return Table(schema, rows, fingerprint_of([path])[0], read)


def _line_rows(path: Path) -> Iterator[tuple[dict[str, str], Problem | None]]:
    with path.open("rb") as stream:
        while line := stream.readline(_LONGEST_CELL + 1):
            if len(line) > _LONGEST_CELL:
                while line and not line.endswith(b"\n"):
                    line = stream.readline(_PIECE)
                yield {}, Problem("", f"is longer than {_LONGEST_CELL // 1000} kB", "one profile on a line")
            elif line.strip():
                yield _line_row(line)


def _line_row(line: bytes) -> tuple[dict[str, str], Problem | None]:
    try:
        value = strict_json(line.decode("utf-8-sig"), keep_no_numbers=True)
    except UnicodeDecodeError:
        return {}, Problem("", "is not UTF-8 text", "save the file as UTF-8")
    except RepeatedNameError as error:
        return {}, Problem("", f"{quote(error.name)} stands there twice", "keep one of them")
    except (ValueError, RecursionError):
        return {}, Problem("", "is not JSON", "one object on each line")
    if not isinstance(value, dict):
        return {}, Problem("", "is not a mapping of fields to values", "one object on each line")
    return {name: json.dumps(each) for name, each in value.items() if each is not None}, None


def _of_export(export: Export) -> Table:
    schema = pa.schema([pa.field(ID, pa.string()), pa.field(RECORD, pa.large_string())])

    def read(size: int) -> Iterator[pa.RecordBatch]:
        found = export.records()
        while piece := list(islice(found, size)):
            ids, texts = zip(*piece, strict=True)
            arrays = [pa.array(ids, pa.string()), pa.array(texts, pa.large_string())]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return Table(schema, export.patients, export.fingerprint, read, records=True)
