"""From the cells of a batch to patients: each different cell is read once, each different patient built once.

The reader is that of every profile (`bcma_decide.patient.entry`), so that a cell means what it means anywhere else.
Fields that speak of each other (cytogenetics and its changes, drugs and courses, LDH and its limit) are read together.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from math import isnan
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bcma_decide.cohort.question import RECORD, Column
from bcma_decide.errors import Problem, quote
from bcma_decide.patient import cytogenetics
from bcma_decide.patient.entry import Between, read_entry
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.names import LABS
from bcma_decide.patient.numerals import plain_text, read_numeral
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.reading import is_unknown
from bcma_decide.patient.therapies import RECEIVED
from bcma_decide.patient.upper_limits import LIMITS
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.strict.json import strict_json

Codes = NDArray[np.int64]
JSON_CELLS: Final = {b"bcma_decide": b"json"}
"""Metadata of a field whose cells are JSON: what came from a line of JSON."""
PROBLEM: Final = "bcma_decide.problem"
"""Column of a batch with what is wrong with a row as a whole: field, message and what to do, as a JSON list."""
_REMEMBERED: Final = 200_000
"""Cells, or cells that are read together, before all of them are forgotten."""
_TOGETHER: Final = (
    frozenset({cytogenetics.FIELD, *cytogenetics.CHANGES}),
    frozenset({field.id for field in FIELDS.values() if field.kind in ("drugs", "courses")} | {RECEIVED}),
    *(frozenset(pair) for pair in LIMITS.items()),
)
"""Fields of which one says something of another."""


class Said(NamedTuple):
    """What some cells of a row say: values by field, spans, what was interpreted, and what cannot be used."""

    values: tuple[tuple[str, Any], ...] = ()
    between: tuple[Between, ...] = ()
    read_as: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    inferred: frozenset[str] = frozenset()
    """Fields that were inferred from a record."""


NOTHING: Final = Said()


class Row(NamedTuple):
    """One different row of a table: the patient, or what is wrong."""

    patient: Patient | None
    problems: tuple[Problem, ...] = ()
    inferred: frozenset[str] = frozenset()


RecordReader = Callable[[str], Said]
"""Reads the FHIR Bundle of a cell."""


class CellReader:
    """Reads cells, and remembers what was read: the same values come back in batch after batch."""

    def __init__(self, definitions: Definitions, read_record: RecordReader) -> None:
        self._definitions = definitions
        self._read_record = read_record
        self._read: dict[Hashable, Said] = {}

    def read(self, columns: Sequence[Column], cells: Sequence[Any]) -> Said:
        """What the cells of some columns that speak of each other say."""
        if columns[0].field == RECORD:
            return self._read_record(cells[0])
        key = (columns[0].name, *map(repr, cells))
        found = self._read.get(key)
        if found is None:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            found = self._read[key] = _read(list(zip(columns, cells, strict=True)), self._definitions)
        return found


def read_rows(batch: pa.RecordBatch, columns: Sequence[Column], reader: CellReader) -> tuple[list[Row], Codes]:
    """Read a batch.

    Returns
    -------
    rows, codes
        The different rows, and for each row of the batch which of them it is, (rows,).
    """
    parts: list[tuple[list[Said], Codes]] = [_whole(batch)]
    for group in _groups(columns):
        cells = [_different(batch, column) for column in group]
        found, codes = _combined([each for _, each in cells])
        texts = [values for values, _ in cells]
        said = [reader.read(group, [texts[at][code] for at, code in enumerate(key)]) for key in found.tolist()]
        parts.append((said, codes))
    keys, codes = _combined([each for _, each in parts])
    rows = [_row([parts[at][0][code] for at, code in enumerate(key)]) for key in keys.tolist()]
    return rows, codes


def _groups(columns: Sequence[Column]) -> Iterator[list[Column]]:
    """Columns that are read together; a list of laboratory lines speaks of any field."""
    if any(column.field == LABS for column in columns):
        yield list(columns)
        return
    left = list(columns)
    while left:
        first = left[0]
        together = next((group for group in _TOGETHER if first.field in group), frozenset({first.field}))
        yield [column for column in left if column.field in together]
        left = [column for column in left if column.field not in together]


def _whole(batch: pa.RecordBatch) -> tuple[list[Said], Codes]:
    """What is wrong with rows as a whole."""
    if PROBLEM not in batch.schema.names:
        return [NOTHING], np.zeros(batch.num_rows, dtype=np.int64)
    texts, codes = _different(batch, Column(PROBLEM, PROBLEM))
    told = [NOTHING if text is None else Said(problems=(Problem(*strict_json(text)),)) for text in texts]
    return told, codes


def _different(batch: pa.RecordBatch, column: Column) -> tuple[list[Any], Codes]:
    """The different cells of a column, and which each row has."""
    place = batch.schema.get_field_index(column.name)
    array, field = batch.column(place), batch.schema.field(place)
    if pa.types.is_nested(array.type):
        return _different_nested(array)
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode(null_encoding="encode")
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    values = [_cell(value) for value in encoded.dictionary.to_pylist()]
    if np.issubdtype(codes.dtype, np.floating):  # a dictionary of somebody else's, with rows that are null
        missing = np.isnan(codes)
        codes = np.where(missing, len(values), codes)
        values = [*values, None]
    if (field.metadata or {}).get(b"bcma_decide") == b"json":
        values = [None if value is None else strict_json(str(value), keep_no_numbers=True) for value in values]
    return values, codes.astype(np.int64)


def _different_nested(array: pa.Array) -> tuple[list[Any], Codes]:
    found: dict[str, int] = {}
    values = array.to_pylist()
    codes = np.array([found.setdefault(repr(value), len(found)) for value in values], dtype=np.int64)
    first = dict.fromkeys(range(len(found)))
    for value, code in zip(reversed(values), reversed(codes.tolist()), strict=True):
        first[code] = value
    return list(first.values()), codes


def _cell(value: object) -> object:
    """A missing number of a table of floats is missing."""
    return None if isinstance(value, float) and isnan(value) else value


def _combined(codes: Sequence[Codes]) -> tuple[Codes, Codes]:
    """The different combinations of some codes (combinations, columns), and which each row has (rows,)."""
    table = np.column_stack(codes)
    key = np.zeros(len(table), dtype=np.int64)
    for column in table.T:
        # numbered anew after every column, so that the product of two counts of rows never overflows
        _, key = np.unique(key * (int(column.max(initial=0)) + 1) + column, return_inverse=True)
    _, first, key = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")  # in the order of the rows, whatever the values
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    return table[first[order]], place[key]


def _read(cells: Sequence[tuple[Column, Any]], definitions: Definitions) -> Said:
    given: dict[str, Any] = {}
    faults: list[Problem] = []
    for column, cell in cells:
        meant = _meant(column, cell)
        if isinstance(meant, Problem):
            faults.append(meant)
        elif meant is not None:
            given[column.field] = meant
    if not given and not faults:
        return NOTHING
    entry = read_entry(given, definitions)
    return Said(tuple(entry.values.items()), entry.between, entry.read_as, (*faults, *entry.problems))


def _meant(column: Column, cell: object) -> object:
    """What a cell says, as an entry of a profile; a Problem where it has a unit beside that of its column."""
    if column.words:
        meanings = dict(column.words)
        cell = meanings.get(plain_text(_text(cell)), cell)
    if is_unknown(cell):
        return None
    if not column.unit:
        return cell
    if isinstance(cell, str):
        numeral = read_numeral(plain_text(cell))
        if numeral is None:
            return cell  # never, or a stage: words have no unit
        if numeral.rest:
            fix = "a bare number, or a column without a unit"
            return Problem(column.field, f"{quote(cell)} has a unit of its own beside [{column.unit}]", fix)
        return f"{cell} {column.unit}"
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and FIELDS[column.field].kind == "quantity":
        return {"value": cell, "unit": column.unit}
    return cell


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)


def _row(parts: Sequence[Said]) -> Row:
    problems = tuple(problem for part in parts for problem in part.problems)
    if problems:
        return Row(None, problems)
    values = {name: value for part in parts for name, value in part.values}
    patient = Patient.model_construct(
        **values,
        between=tuple(each for part in parts for each in part.between),
        read_as=tuple(each for part in parts for each in part.read_as),
    )
    return Row(patient, (), frozenset().union(*(part.inferred for part in parts)))
