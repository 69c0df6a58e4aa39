"""The answer on one screen of a terminal: patient, table, what the data tell apart, findings, and where the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from bcma_decide.comparison import Comparison
from bcma_decide.render.terminal.page import SIDE_BY_SIDE, TerminalPage
from bcma_decide.render.terminal.plain import write_plain_first_screen
from bcma_decide.render.words.first_screen import first_screen, folded
from bcma_decide.render.words.screen_shapes import CELL, NAME, Cell, CellKind, Column, FirstScreen

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
    "none": "",
}

MARKS: Final = "[*"
"""Of cells that are quoted, and of those with the value of the class."""
SHORT_HASH: Final = 12
PURPOSE: Final = "To inform, not to direct; not for urgent decisions; not a medical device."
MORE: Final = "More: --full --findings --labels --practice --classes --why orr --pair A,B --pdf"
"""Where the rest is: options of the same command."""


def render_first_screen(comparison: Comparison, console: Console, *, plain: bool = False) -> None:
    """Print the answer in at most 40 lines of 80 columns; narrower consoles get the same in the same order.

    ``plain``: tab-separated lines without a table, for screen readers and scripts.
    """
    if plain:
        write_plain_first_screen(comparison, console)
        return
    page, screen = TerminalPage(console), first_screen(comparison)
    with console.capture() as loose:
        write_first_screen(page, comparison, screen, loose=True)
    write_first_screen(page, comparison, screen, loose=loose.get().count("\n") <= LINES)


def write_first_screen(page: TerminalPage, comparison: Comparison, screen: FirstScreen, *, loose: bool) -> None:
    """Write a screen, ``loose`` with empty lines around the table.

    Of a pair that was asked for only the two columns stand where not all have room.
    """
    write_patient(page, screen)
    for text in (*screen.read_as, screen.movers):
        if text:
            page.paragraph(text)
    if loose:
        page.gap()
    away, shown = _tables(page, comparison, screen)
    for text in (away, " ".join(_captions(screen, shown))):
        if text:
            page.paragraph(text)
    if loose:
        page.gap()
    for text in screen.tell_apart:
        page.paragraph(text, "bold")
    page.items((page.ink.symbol(finding.severity), finding.text) for finding in screen.findings)
    if screen.more_findings:
        page.paragraph(screen.more_findings, indent=2)
    if loose:
        page.gap()
    write_foot(page, comparison, screen)
    page.paragraph(MORE, "dim")


def write_foot(page: TerminalPage, comparison: Comparison, screen: FirstScreen) -> None:
    """Write how sure the numbers are, what they are for, and which program and evidence they come from."""
    page.paragraph(f"{screen.certainty} {PURPOSE}")
    page.paragraph(stamp(comparison), "dim")


def stamp(comparison: Comparison) -> str:
    """Program and evidence: ``bcma-decide 0.1.0, evidence 2026.11 of 2026-11-22, hash eb23af549eee``."""
    software, evidence = comparison.software, comparison.evidence
    said = f"{software.name} {software.version}, evidence {evidence.version} of {evidence.date}, "
    return f"{said}hash {evidence.hash[:SHORT_HASH]}"


def write_patient(page: TerminalPage, screen: FirstScreen) -> None:
    """Write whom it is about, with region and day at the right where there is room."""
    patient, whence = page.ink.text(screen.patient, "bold"), page.ink.text(screen.region_and_day)
    blanks = page.width - patient.cell_len - whence.cell_len
    if blanks < 2 and patient.cell_len <= page.width:
        page.put(patient)
        page.put(whence)
        return
    page.put(Text.assemble(patient, " " * blanks if blanks > 1 else "; ", whence))


def _captions(screen: FirstScreen, shown: Sequence[_Drawn]) -> Iterator[str]:
    """What the marks mean, as far as they stand in the columns shown; a caption begins with the mark it is of."""
    cells = "".join(text for column in shown for text, _ in column.cells)
    for text in screen.published:
        if text[0] not in MARKS or text[0] in cells:
            yield text


def _tables(page: TerminalPage, comparison: Comparison, screen: FirstScreen) -> tuple[str, list[_Drawn]]:
    """Write the table, in parts where the console is narrow; the line of columns without room, and those shown."""
    whole = tuple(range(len(screen.columns)))
    every = [_column(screen, place) for place in whole]
    if page.width < SIDE_BY_SIDE:
        room = _room(page.width)
        if room < FEWEST:
            _stack(page, screen)
            return "", every
        for part in _parts(screen.columns, room):
            _table(page, screen, [every[place] for place in part])
        return "", every
    pair = _pair(comparison, screen)
    extra = _difference(page, screen)
    if pair and page.width < WITH_DIFFERENCE:
        _table(page, screen, [*pair, *_differences(screen)])
        return "", pair
    room = _room(page.width - sum(column.width + GAP for column in extra))
    places, line = (whole, "") if len(whole) <= room else folded(screen, room)
    shown = [*(every[place] for place in places), *extra]
    _table(page, screen, shown)
    return line, shown


def _room(width: int) -> int:
    """How many columns of cells stand beside the names in a width."""
    return (width - NAME) // (CELL + GAP)


class _Drawn(NamedTuple):
    """One column as it is drawn: name of the class over it, its own name, its width, and its cells from the top."""

    over: str
    name: str
    width: int
    cells: Sequence[tuple[str, CellKind]]


def _column(screen: FirstScreen, place: int) -> _Drawn:
    column = screen.columns[place]
    over = next((each.label for each in screen.class_columns if each.class_id == column.class_id), "")
    return _Drawn(over, column.label, CELL, [_shown(row.cells[place]) for row in screen.rows])


def _class_column(screen: FirstScreen, place: int) -> _Drawn:
    cells = [_shown(row[place]) for row in screen.class_rows]
    return _Drawn("Classes", screen.class_columns[place].label, CELL, cells)


def _shown(cell: Cell) -> tuple[str, CellKind]:
    return cell.text, cell.kind


def _differences(screen: FirstScreen) -> list[_Drawn]:
    """The column of the differences; none where there is no difference at all."""
    if not any(screen.differences):
        return []
    width = max(map(cell_len, screen.differences))
    over, name = (*wrap(screen.difference_title, width), "")[:2]
    return [_Drawn(over, name, width, [(text, "computed") for text in screen.differences])]


def _difference(page: TerminalPage, screen: FirstScreen) -> list[_Drawn]:
    """Columns of the classes and of the difference, on a console that has room for them."""
    if page.width < WITH_DIFFERENCE:
        return []
    classes = [_class_column(screen, place) for place in range(len(screen.class_columns))]
    extra = [*classes, *_differences(screen)]
    taken = sum(column.width + GAP for column in extra)
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
    widths = [column.width for column in columns]
    _line(page, "", [(text, "bold") for text in _once([column.over for column in columns])], widths)
    _line(page, "", [(column.name, "bold") for column in columns], widths)
    for place, row in enumerate(screen.rows):
        cells = [column.cells[place] for column in columns]
        if any(text for text, _ in cells):
            _line(page, row.label, [(text, _STYLES[kind]) for text, kind in cells], widths)


def _once(names: Sequence[str]) -> list[str]:
    """Each name over the first of the neighbours that share it."""
    return [name if place == 0 or names[place - 1] != name else "" for place, name in enumerate(names)]


def _line(page: TerminalPage, label: str, cells: Sequence[tuple[str, str]], widths: Sequence[int]) -> None:
    line = page.ink.text(label)
    line.append(" " * (NAME - line.cell_len))
    for (text, style), width in zip(cells, widths, strict=True):
        shown = page.ink.text(text, style)
        line.append(" " * GAP)
        line.append_text(shown)
        line.append(" " * (width - shown.cell_len))
    page.put(line)


def _stack(page: TerminalPage, screen: FirstScreen) -> None:
    """One row after the other, its options one below the other."""
    for row in screen.rows:
        page.paragraph(row.long_label, "bold")
        for column, cell in zip(screen.columns, row.cells, strict=True):
            page.paragraph(f"{column.long_label}: {cell.text}", _STYLES[cell.kind], indent=2)
