"""A file of a table as its header and rows of text, from whichever program wrote it; what was left out is said."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bcma_decide.errors import Problem, SynthesisError
from bcma_decide.strict.files import TooLarge, UnreadableFile, read_bytes

__all__ = ["TableFile", "listed", "read_table_file", "refused"]

SIZE_LIMIT: Final = 20_000_000
"""Bytes one table may have."""
SHOWN: Final = 20
"""Mistakes that are listed; further ones are counted."""
_LINES_SHOWN: Final = 5
"""Lines that one sentence names; further ones are counted."""
_SEPARATORS: Final = ",;\t"
_EMPTY: Final = Problem("", "has no studies", "write a header and one row per study")
_SEPARATOR_LINE: Final = re.compile(r'"?sep=(.)"?[,;\t]*', re.IGNORECASE)
"""What Excel writes and reads before the header."""


@dataclass(frozen=True)
class TableFile:
    """Header and rows, all of the header's length, cells without space around them.

    The first name is empty where the file has names of rows, as R and pandas write them. ``lines``: number of the line
    in the file that each row ends on. ``remarks``: how the file was read where it does not say so itself.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    separator: str
    remarks: tuple[str, ...]


def read_table_file(path: Path) -> TableFile:
    """Read a text file with a header and fields separated by comma, semicolon or tab, whichever gives the header most.

    Parameters
    ----------
    path
        The file, in UTF-8, in UTF-16 with a byte order mark, or else in windows-1252. A first line ``sep=;`` names
        the separator.

    Raises
    ------
    SynthesisError
        When the file cannot be read, has no rows, a column name twice or a row of another length.
    """
    text, remarks = _text(path)
    text, separator = _separator(path.name, text, remarks)
    found = list(_rows(path.name, text, separator))
    if not found:
        raise refused(path.name, [_EMPTY])
    names, rows, lines = _even(path.name, found, separator, remarks)
    used = [place for place, name in enumerate(names) if name or any(row[place] for row in rows)]
    if len(used) < len(names):
        remarks.append("Columns without a name and content are left out.")
    return TableFile(
        tuple(names[place] for place in used),
        tuple(tuple(row[place] for place in used) for row in rows),
        tuple(lines),
        separator,
        tuple(remarks),
    )


def _text(path: Path) -> tuple[str, list[str]]:
    """The file's text with line feeds only, and what is to be said about its encoding."""
    try:
        content = read_bytes(path, SIZE_LIMIT)
    except TooLarge as error:
        raise refused(path.name, [Problem("", error.reason, "split it")]) from None
    except UnreadableFile as error:
        raise refused(str(path), [Problem("", error.reason, error.fix)]) from None
    remarks = []
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = content.decode("utf-16")
            remarks.append("The file is read as UTF-16.")
        else:
            # Spreadsheets put a byte order mark before the header, which would else be part of the first name.
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = Problem(f"byte {error.start}", "is not UTF-8 text", "save the file as UTF-8")
        try:
            # What spreadsheets on Windows call CSV. Digits and signs are those of ASCII; only names can come out wrong.
            text = content.decode("windows-1252")
        except UnicodeDecodeError:
            raise refused(path.name, [problem]) from None
        remarks.append(
            f"The file is not UTF-8 (byte {error.start}): it is read as windows-1252; check letters in names."
        )
    if "\0" in text:
        raise refused(path.name, [Problem("", "is no text in UTF-8", "save the file as CSV in UTF-8")])
    return text.replace("\r\n", "\n").replace("\r", "\n"), remarks


def _separator(file: str, text: str, remarks: list[str]) -> tuple[str, str]:
    """The text without its line ``sep=``, and the separator."""
    before = len(text) - len(text.lstrip("\n"))
    first, end, rest = text[before:].partition("\n")
    if stated := _SEPARATOR_LINE.fullmatch(first):
        if stated[1] not in _SEPARATORS:
            problem = Problem(
                f"line {before + 1}", f"separates fields by {stated[1]!r}", "use a comma, semicolon or tab"
            )
            raise refused(file, [problem])
        remarks.append(f"Line {before + 1} says that fields are separated by {stated[1]!r}.")
        # The line stays, empty, for the numbers of those that follow.
        return text[:before] + end + rest, stated[1]
    return text, max(_SEPARATORS, key=lambda each: _fields(text, each))


def _fields(text: str, separator: str) -> int:
    """How many fields the header has with a separator; decimal commas stand in rows, so the header alone tells it."""
    try:
        return next((len(row) for _, row in _rows("", text, separator)), 0)
    except SynthesisError:
        return 0


def _rows(file: str, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with content, the header first, with the line each ends on; raises SynthesisError for what is not CSV."""
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True, skipinitialspace=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        problem = Problem(f"line {reader.line_num}", f"is not CSV: {error}", "mend the line")
        raise refused(file, [problem]) from None


def _even(
    file: str, rows: list[tuple[int, list[str]]], separator: str, remarks: list[str]
) -> tuple[list[str], list[list[str]], list[int]]:
    """Header, rows as long as it, and their lines: without empty fields beyond the header, and headers once more."""
    at, header = rows[0]
    names = _without_end(header, 1)
    cut, again, kept, lines = [], [], [], []
    for line, row in rows[1:]:
        cells = _without_end(row, len(names))
        if cells == names:
            again.append(line)
            continue
        if len(cells) < len(row):
            cut.append(line)
        kept.append(cells)
        lines.append(line)
    if cut:
        remarks.append(f"Empty fields beyond those of the header are left out ({listed(cut)}).")
    if again:
        remarks.append(f"The header stands there again and is left out ({listed(again)}).")
    if not kept:
        raise refused(file, [_EMPTY])
    if problems := _uneven(names, at, kept, lines, separator) or _misnamed(names, kept):
        raise refused(file, problems)
    return names, kept, lines


def _without_end(row: list[str], least: int) -> list[str]:
    """A row without empty fields at its end, of at least so many fields if it had them."""
    length = len(row)
    while length > least and not row[length - 1]:
        length -= 1
    return row[:length]


def _uneven(names: list[str], line: int, rows: list[list[str]], lines: list[int], separator: str) -> list[Problem]:
    """Rows of another length than the header."""
    if names[0].startswith("#") and all(len(row) != len(names) for row in rows):
        return [Problem(f"line {line}", "begins with #, but is read as the header", "leave comments out")]
    problems = []
    for row, at in zip(rows, lines, strict=True):
        if len(row) != len(names):
            fix = f"separate fields by {separator!r}, and put a cell that holds one in quotation marks"
            if row[0].startswith("#"):
                fix = "leave comments out"
            elif not any(row[1:]):
                fix = "leave out what is no study"
            problems.append(Problem(f"line {at}", f"has {len(row)} fields, the header has {len(names)}", fix))
    return problems


def _misnamed(names: list[str], rows: list[list[str]]) -> list[Problem]:
    """Columns whose name stands there twice, capitals or not, and columns with content but without a name."""
    times = Counter(name.casefold() for name in names)
    twice = dict.fromkeys(name for name in names if name and times[name.casefold()] > 1)
    problems = [Problem(f"column {name}", "stands there twice", "name each once") for name in twice]
    for place, name in enumerate(names):
        cells = [row[place] for row in rows]
        names_of_rows = place == 0 and all(cells) and len(set(cells)) == len(cells)
        if not name and any(cells) and not names_of_rows:
            problems.append(Problem(f"column {place + 1} (without a name)", "has no name", "name each once"))
    return problems


def listed(lines: Sequence[int]) -> str:
    """Numbers of lines as they are named in a remark: *line 3*, *lines 3, 5*, *lines 1, 2, 3, 4, 5 and 7 more*."""
    shown = ", ".join(map(str, lines[:_LINES_SHOWN]))
    more = len(lines) - _LINES_SHOWN
    return f"line{'s' if len(lines) > 1 else ''} {shown}{f' and {more} more' if more > 0 else ''}"


def refused(file: str, problems: Sequence[Problem]) -> SynthesisError:
    """The error that names what is wrong with a file, the first of many problems and the number of the others."""
    placed = [Problem(each.field, each.message, each.fix, file) for each in problems]
    more = len(placed) - SHOWN
    shown = placed[:SHOWN] + ([Problem("", f"and {more} more", "", file)] if more > 0 else [])
    return SynthesisError("this table cannot be pooled", shown)
