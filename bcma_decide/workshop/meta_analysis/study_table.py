"""A user's own table of studies, one row each, read from a CSV file and checked before anything is worked out.

Every mistake is named with its row and column, all of them at once.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from bcma_decide.errors import Problem, SynthesisError
from bcma_decide.strict.files import TooLarge, UnreadableFile, read_bytes
from bcma_decide.workshop.meta_analysis.effect_sizes import FloatArray

__all__ = [
    "NAMES",
    "StudyTable",
    "column",
    "counts",
    "effects",
    "factor",
    "labels",
    "moderator",
    "quantity",
    "read_table",
    "two_by_two",
]

SIZE_LIMIT: Final = 20_000_000
"""Bytes one table may have."""
SHOWN: Final = 20
"""Mistakes that are listed; further ones are counted."""
STUDY: Final = "study"
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    STUDY: ("study", "trial", "author", "authors", "slab"),
    "events": ("events", "xi", "x"),
    "n": ("n", "ni", "total"),
    "yi": ("yi", "effect"),
    "vi": ("vi", "variance"),
    "sei": ("sei", "se"),
    "events1": ("events1", "events_1", "ai", "tpos"),
    "n1": ("n1", "n_1", "n1i"),
    "events2": ("events2", "events_2", "ci", "cpos"),
    "n2": ("n2", "n_2", "n2i"),
}
"""What a column may be called, the project's own name first; the others are those of metafor and its data sets."""
_SEPARATORS: Final = ",;\t"
_NOTHING: Final = ("", "NA")
"""Cells of a moderator that say that it is not known."""


@dataclass(frozen=True)
class StudyTable:
    """The rows of a file as text, by column, with the file's name for messages.

    ``lines``: number of the line in the file that each row ends on. ``renamed``: column that the user named
    for a quantity.
    """

    file: str
    columns: Mapping[str, tuple[str, ...]]
    lines: tuple[int, ...]
    renamed: Mapping[str, str]

    @property
    def size(self) -> int:
        """How many studies there are."""
        return len(self.lines)


def read_table(path: Path, renamed: Mapping[str, str] | None = None) -> StudyTable:
    """Read a CSV file with a header; fields are separated by comma, semicolon or tab, whichever the header uses most.

    Parameters
    ----------
    path
        The file, in UTF-8.
    renamed
        Column of a quantity where it has another name than those of :data:`NAMES`, for example ``{"n": "size"}``.

    Raises
    ------
    SynthesisError
        When the file cannot be read, has no rows, a column name twice, a row of another length, or lacks a column
        that was asked for.
    """
    text = _text(path)
    header = text.partition("\n")[0]
    # Decimal commas stand in rows, not in the header, so the header alone tells the separator.
    separator = max(_SEPARATORS, key=header.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    rows, lines = [], []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise _refused(
            path.name, [Problem(f"line {reader.line_num}", f"is not CSV: {error}", "mend the line")]
        ) from None
    if len(rows) < 2:  # noqa: PLR2004, RUF100  # the header and a study
        raise _refused(path.name, [Problem("", "has no studies", "write a header and one row per study")])
    names, studies = rows[0], rows[1:]
    problems = [
        Problem(
            f"column {name or '(without a name)'}", "stands there twice" if name else "has no name", "name each once"
        )
        for name, count in Counter(names).items()
        if count > 1 or not name
    ]
    problems += [
        Problem(
            f"line {line}", f"has {len(row)} fields, the header has {len(names)}", f"separate fields by {separator!r}"
        )
        for row, line in zip(studies, lines[1:], strict=True)
        if len(row) != len(names)
    ]
    renamed = dict(renamed or {})
    problems += [
        Problem(f"column {name}", f"asked for as {quantity}, is not there", f"one of {', '.join(names)}")
        for quantity, name in renamed.items()
        if name not in names
    ]
    if problems:
        raise _refused(path.name, problems)
    columns = {name: tuple(cells) for name, cells in zip(names, zip(*studies, strict=True), strict=True)}
    return StudyTable(path.name, columns, tuple(lines[1:]), renamed)


def _text(path: Path) -> str:
    try:
        # Spreadsheets put a byte order mark before the header, which would else be part of the first column's name.
        text = read_bytes(path, SIZE_LIMIT).decode("utf-8-sig")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        problem = Problem(f"byte {error.start}", "is not UTF-8 text", "save the file as UTF-8")
        raise _refused(path.name, [problem]) from None
    except TooLarge as error:
        raise _refused(path.name, [Problem("", error.reason, "split it")]) from None
    except UnreadableFile as error:
        raise _refused(str(path), [Problem("", error.reason, error.fix)]) from None


def _refused(file: str, problems: Sequence[Problem]) -> SynthesisError:
    placed = [Problem(each.field, each.message, each.fix, file) for each in problems]
    more = len(placed) - SHOWN
    listed = placed[:SHOWN] + ([Problem("", f"and {more} more", "", file)] if more > 0 else [])
    return SynthesisError("this table cannot be pooled", listed)


def column(table: StudyTable, quantity: str) -> str | None:
    """Name of the column that holds a quantity of :data:`NAMES`; None where there is none."""
    if quantity in table.renamed:
        return table.renamed[quantity]
    known = {name.casefold(): name for name in table.columns}
    return next((known[name] for name in NAMES[quantity] if name in known), None)


def fitting(table: StudyTable) -> Literal["logit", "OR", "generic"]:
    """The measure that goes with the columns there are: of single arms, of two groups, or effects as they are."""
    if column(table, "yi") is not None:
        return "generic"
    return "OR" if all(column(table, name) is not None for name in ("events1", "events2")) else "logit"


def _columns(table: StudyTable, quantities: Sequence[str]) -> list[str]:
    """Names of columns that must be there; raises SynthesisError naming each that is not."""
    name_of = {quantity: column(table, quantity) for quantity in quantities}
    problems = [
        Problem(
            f"column {quantity}",
            f"is missing (there are {', '.join(table.columns)})",
            f"add it, or name the column that holds it: --column {quantity}=NAME",
        )
        for quantity, name in name_of.items()
        if name is None
    ]
    if problems:
        raise _refused(table.file, problems)
    return [name for name in name_of.values() if name is not None]


def labels(table: StudyTable, *, apart: bool = True) -> tuple[str, ...]:
    """Names of the studies.

    Parameters
    ----------
    table
        The table.
    apart
        Whether a name may stand only once; not where rows are arms of one study.

    Raises
    ------
    SynthesisError
        When there is no column of names, one is empty, or one stands there twice.
    """
    [name] = _columns(table, [STUDY])
    cells = table.columns[name]
    problems = [_problem(table, row, name, "is empty", "name the study") for row, cell in enumerate(cells) if not cell]
    if apart:
        rows: dict[str, list[int]] = {}
        for row, cell in enumerate(cells):
            rows.setdefault(cell, []).append(table.lines[row])
        problems += [
            Problem(
                f"column {name}",
                f"{cell!r} stands on lines {', '.join(map(str, at))}",
                "name each row apart, or pool arms of one study with --nested COLUMN",
            )
            for cell, at in rows.items()
            if cell and len(at) > 1
        ]
    if problems:
        raise _refused(table.file, problems)
    return cells


def _problem(table: StudyTable, row: int, name: str, message: str, fix: str) -> Problem:
    return Problem(f"line {table.lines[row]}, column {name}", message, fix)


def numbers(table: StudyTable, name: str) -> tuple[FloatArray, list[Problem]]:
    """A column as numbers, and what is wrong with it; cells that are no number are NaN and among the problems."""
    values = np.full(table.size, np.nan)
    problems = []
    for row, cell in enumerate(table.columns[name]):
        try:
            values[row] = float(cell)
        except ValueError:
            fix = "write a decimal point" if "," in cell else "give a number, or leave the study out"
            problems.append(_problem(table, row, name, f"{cell!r} is not a number" if cell else "is empty", fix))
            continue
        if not math.isfinite(values[row]):
            problems.append(_problem(table, row, name, f"{cell!r} is not a finite number", "leave the study out"))
    return values, problems


def _whole(table: StudyTable, name: str) -> tuple[FloatArray, list[Problem]]:
    values, problems = numbers(table, name)
    for row, value in enumerate(values):
        if math.isfinite(value) and (value < 0 or value != math.floor(value)):
            message = f"{table.columns[name][row]} is not a count"
            problems.append(_problem(table, row, name, message, "give a whole number of patients, 0 or more"))
    return values, problems


def _group(table: StudyTable, events_name: str, n_name: str) -> tuple[FloatArray, FloatArray, list[Problem]]:
    """Events and patients of one group, and what is wrong with them."""
    events, wrong = _whole(table, events_name)
    n, wrong_n = _whole(table, n_name)
    problems = [*wrong, *wrong_n]
    problems += [
        _problem(table, row, n_name, "is 0", "a study needs at least one patient")
        for row in np.flatnonzero(n == 0).tolist()
    ]
    problems += [
        _problem(
            table,
            row,
            events_name,
            f"{events[row]:g} events, but {n[row]:g} patients (column {n_name})",
            "mend one of them",
        )
        for row in np.flatnonzero(events > n).tolist()
    ]
    return events, n, problems


def counts(table: StudyTable) -> tuple[FloatArray, FloatArray]:
    """Events and patients of single arms, (k,) each.

    Raises
    ------
    SynthesisError
        When a column is missing or a cell is not a count, or a study has more events than patients.
    """
    events, n, problems = _group(table, *_columns(table, ["events", "n"]))
    if problems:
        raise _refused(table.file, problems)
    return events, n


def two_by_two(table: StudyTable) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Events and patients of the first group, then of the second, (k,) each; raises SynthesisError as `counts`."""
    names = _columns(table, ["events1", "n1", "events2", "n2"])
    first, second = _group(table, *names[:2]), _group(table, *names[2:])
    if problems := [*first[2], *second[2]]:
        raise _refused(table.file, problems)
    return first[0], first[1], second[0], second[1]


def effects(table: StudyTable) -> tuple[FloatArray, FloatArray]:
    """Effects and their sampling variances, (k,) each; the variance may be given as a standard error (``sei``).

    Raises
    ------
    SynthesisError
        When a column is missing, a cell is not a number, or a variance is not positive.
    """
    squared = column(table, "vi") is None and column(table, "sei") is not None
    yi_name, spread_name = _columns(table, ["yi", "sei" if squared else "vi"])
    yi, problems = numbers(table, yi_name)
    spread, wrong = numbers(table, spread_name)
    what = "a standard error" if squared else "a variance"
    problems += wrong + [
        _problem(table, row, spread_name, f"{spread[row]:g} is not positive", f"{what} is more than 0")
        for row in np.flatnonzero(spread <= 0).tolist()
    ]
    if problems:
        raise _refused(table.file, problems)
    return yi, spread**2 if squared else spread


def _cells(table: StudyTable, name: str) -> tuple[str, ...]:
    if name not in table.columns:
        problem = Problem(f"column {name}", "is missing", f"one of {', '.join(table.columns)}")
        raise _refused(table.file, [problem])
    return table.columns[name]


def quantity(table: StudyTable, name: str) -> FloatArray:
    """A column of numbers, one for every study; raises SynthesisError where it is missing or a cell is no number."""
    _cells(table, name)
    values, problems = numbers(table, name)
    if problems:
        raise _refused(table.file, problems)
    return values


def moderator(table: StudyTable, name: str) -> tuple[float | None, ...] | tuple[str | None, ...]:
    """A column as numbers if all of its cells are, else as text; empty cells and *NA* are ``None``.

    Raises
    ------
    SynthesisError
        Where the column is missing, or a number is not finite.
    """
    cells = tuple(None if cell in _NOTHING else cell for cell in _cells(table, name))
    if not all(cell is None or _is_number(cell) for cell in cells):
        return cells
    _, problems = numbers(table, name)
    if endless := [each for each in problems if "finite" in each.message]:
        raise _refused(table.file, endless)
    return tuple(None if cell is None else float(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def factor(table: StudyTable, name: str) -> tuple[str, ...]:
    """A column of groups, one for every study; raises SynthesisError where it is missing or a cell is empty."""
    cells = _cells(table, name)
    if problems := [
        _problem(table, row, name, "is empty", "name the group") for row, cell in enumerate(cells) if not cell
    ]:
        raise _refused(table.file, problems)
    return cells
