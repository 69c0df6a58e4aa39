"""The answer on one screen of a terminal: patient, table, what the data tell apart, findings, and where the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from bcma_decide.comparison import Comparison
from bcma_decide.render.terminal.page import SIDE_BY_SIDE, TerminalPage
from bcma_decide.render.words import sentences, wording
from bcma_decide.render.words.first_screen import Cell, CellKind, Column, FirstScreen, Row, first_screen, folded
from bcma_decide.vocabulary import ClassId

LABEL: Final = 20
"""Columns of a row's name."""
CELL: Final = 11
"""Columns of one cell; five of them fill 80 with the names and the gaps."""
GAP: Final = 1
WITH_DIFFERENCE: Final = 120
"""Wider consoles have room for the columns of the classes and for a difference."""
FEWEST: Final = 2
"""Columns that still make a table; with room for fewer the options of a row stand one below the other."""
LINES: Final = 40
"""Lines the screen takes at most at 80 columns and more."""

_STYLES: Final[dict[CellKind, str]] = {
    "computed": "",
    "published": "italic",
    "withheld": "dim",
    "not_known": "dim",
    "none": "dim",
}

MORE: Final = "More: --full --findings --labels --practice --classes --why orr --pair A,B --pdf"
"""Where the rest is: options of the same command."""


def render_first_screen(comparison: Comparison, console: Console) -> None:
    """Print the answer in at most 40 lines of 80 columns; narrower consoles get the same in the same order."""
    write_first_screen(TerminalPage(console), comparison, first_screen(comparison))


def write_first_screen(page: TerminalPage, comparison: Comparison, screen: FirstScreen) -> None:
    """Write a screen; the columns of ``comparison.pair`` stand first where not all have room."""
    write_patient(page, screen)
    for text in (*screen.read_as, screen.movers):
        if text:
            page.paragraph(text)
    folded_line = _tables(page, comparison, screen)
    for text in (folded_line, *screen.published):
        if text:
            page.paragraph(text, "italic" if text in screen.published else "")
    for text in screen.tell_apart:
        page.paragraph(text, "bold")
    for finding in screen.findings:
        page.items([(page.ink.symbol(finding.severity), finding.text)], lead=1)
    if screen.more_findings:
        page.paragraph(screen.more_findings, indent=2)
    page.paragraph(f"{screen.certainty} {wording.intended_use_in_short()}")
    page.paragraph(sentences.stamp(comparison), "dim")
    page.paragraph(MORE, "dim")


def write_patient(page: TerminalPage, screen: FirstScreen) -> None:
    """Write whom it is about, with region and day at the right where there is room."""
    patient, whence = page.ink.text(screen.patient, "bold"), page.ink.text(screen.region_and_day)
    blanks = page.width - patient.cell_len - whence.cell_len
    if blanks < 1:
        page.put(patient)
        page.put(whence)
        return
    page.put(Text.assemble(patient, " " * blanks, whence))


def _tables(page: TerminalPage, comparison: Comparison, screen: FirstScreen) -> str:
    """Write the table, in parts where the console is narrow; the line of those columns that had no room."""
    whole = tuple(range(len(screen.columns)))
    if page.width < SIDE_BY_SIDE:
        room = _room(page.width)
        if room < FEWEST:
            _stack(page, screen)
            return ""
        for part in _parts(screen.columns, room):
            _table(page, screen, [_column(screen, place) for place in part])
        return ""
    pair = _pair(comparison, screen)
    extra = _difference(page, screen)
    if pair and page.width < WITH_DIFFERENCE:
        _table(page, screen, [*pair, *_differences(screen)])
        return ""
    room = _room(page.width - sum(width + GAP for _, width, _ in extra))
    shown, line = (whole, "") if len(whole) <= room else folded(screen, room)
    _table(page, screen, [*(_column(screen, place) for place in shown), *extra])
    return line


def _room(width: int) -> int:
    """How many columns of cells stand beside the names in a width."""
    return (width - LABEL) // (CELL + GAP)


_Drawn = tuple[tuple[str, str, str], int, Sequence[tuple[str, CellKind]]]
"""One column as it is drawn: class, name and word of the label, its width, and its cells from the top."""


def _column(screen: FirstScreen, place: int) -> _Drawn:
    column = screen.columns[place]
    return _heads(column), CELL, [_shown(row.cells[place]) for row in screen.rows]


def _class_column(screen: FirstScreen, place: int) -> _Drawn:
    cells = [_shown(cells[place]) for cells in screen.class_rows]
    return ("", screen.class_columns[place].label, ""), CELL, cells


def _heads(column: Column) -> tuple[str, str, str]:
    return wording.class_label(column.class_id), column.label, column.label_word


def _shown(cell: Cell) -> tuple[str, CellKind]:
    return cell.text, cell.kind


def _differences(screen: FirstScreen) -> list[_Drawn]:
    """The column of the differences; none where there is no difference at all."""
    if not any(screen.differences):
        return []
    title = screen.difference_title
    width = max(map(cell_len, (title, *screen.differences)))
    return [(("", title, ""), width, [(text, "computed") for text in screen.differences])]


def _difference(page: TerminalPage, screen: FirstScreen) -> list[_Drawn]:
    """Columns of the classes and of the difference, on a console that has room for them."""
    if page.width < WITH_DIFFERENCE:
        return []
    classes = [_class_column(screen, place) for place in range(len(screen.class_columns))]
    extra = [*classes, *_differences(screen)]
    taken = sum(width + GAP for _, width, _ in extra)
    return extra if _room(page.width - taken) >= FEWEST else classes


def _pair(comparison: Comparison, screen: FirstScreen) -> list[_Drawn]:
    """The two columns that a pair names, of products or of classes."""
    if comparison.pair is None:
        return []
    found = []
    for option in comparison.pair.options:
        found += [_column(screen, place) for place, each in enumerate(screen.columns) if each.option == option]
        found += [
            _class_column(screen, place) for place, each in enumerate(screen.class_columns) if each.option == option
        ]
    return found


def _parts(columns: Sequence[Column], room: int) -> Iterator[tuple[int, ...]]:
    """Places of the columns in parts that have room, no part of two classes."""
    for _class_id, members in groupby(range(len(columns)), key=lambda place: columns[place].class_id):
        places = tuple(members)
        for start in range(0, len(places), room):
            yield places[start : start + room]


def _table(page: TerminalPage, screen: FirstScreen, columns: Sequence[_Drawn]) -> None:
    widths = [width for _, width, _ in columns]
    classes = _once([heads[0] for heads, _, _ in columns])
    _line(page, "", [(text, "bold") for text in classes], widths)
    _line(page, "", [(heads[1], "bold") for heads, _, _ in columns], widths)
    if any(heads[2] for heads, _, _ in columns):
        _line(page, wording.label_row(), [(heads[2], "") for heads, _, _ in columns], widths)
    for place, row in enumerate(screen.rows):
        cells = [cells[place] for _, _, cells in columns]
        _line(page, row.label, [(text, _STYLES[kind]) for text, kind in cells], widths)


def _once(names: Sequence[str]) -> list[str]:
    """Each name over the first of the neighbours that share it."""
    return [name if place == 0 or names[place - 1] != name else "" for place, name in enumerate(names)]


def _line(page: TerminalPage, label: str, cells: Sequence[tuple[str, str]], widths: Sequence[int]) -> None:
    line = page.ink.text(label.ljust(LABEL))
    for (text, style), width in zip(cells, widths, strict=True):
        shown = page.ink.text(text, style)
        line.append(" " * GAP)
        line.append_text(shown)
        line.append(" " * (width - shown.cell_len))
    page.put(line)


def _stack(page: TerminalPage, screen: FirstScreen) -> None:
    """One row after the other, its options one below the other."""
    page.paragraph(wording.label_row(), "bold")
    for column in screen.columns:
        page.paragraph(f"{column.label}: {column.label_word}", indent=2)
    for row in screen.rows:
        _stacked_row(page, screen.columns, row)


def _stacked_row(page: TerminalPage, columns: Sequence[Column], row: Row) -> None:
    page.paragraph(row.long_label, "bold")
    for column, cell in zip(columns, row.cells, strict=True):
        page.paragraph(f"{column.label}: {cell.text}", _STYLES[cell.kind], indent=2)


def class_of(columns: Sequence[Column]) -> tuple[ClassId, ...]:
    """Classes of the columns, each once."""
    return tuple(dict.fromkeys(column.class_id for column in columns))
