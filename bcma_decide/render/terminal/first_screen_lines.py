"""The first screen as fields of tab-separated lines: its rows first, one line an option, in the order of the screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bcma_decide.render.words.screen_shapes import CellKind, FirstScreen

Line = tuple[str, ...]

_KINDS: Final[dict[CellKind, str]] = {
    "computed": "calculated",
    "published": "published, not calculated",
    "withheld": "number withheld",
    "not_known": "not known",
    "none": "",
}


def patient_lines(screen: FirstScreen) -> Iterator[Line]:
    """Whom it is about, and for which region and day."""
    yield ("patient", screen.patient)
    yield ("region and day", screen.region_and_day)
    for text in screen.read_as:
        yield ("read as", text)


def first_screen_lines(screen: FirstScreen) -> Iterator[Line]:
    """The table with products, classes and difference, then what stands below it."""
    if screen.movers:
        yield ("moves", screen.movers)
    columns = (*screen.columns, *screen.class_columns)
    for place, row in enumerate(screen.rows):
        for column, cell in zip(columns, (*row.cells, *screen.class_rows[place]), strict=True):
            value = (cell.number, cell.interval) if cell.number else (cell.text,)
            if cell.text:
                yield (row.long_label, column.long_label, *value, *filter(None, (_KINDS[cell.kind], cell.why)))
        if screen.differences and screen.differences[place]:
            yield (row.long_label, screen.difference_title, screen.differences[place], "difference")
    for text in screen.published:
        yield ("published", text)
    for text in screen.tell_apart:
        yield ("tell apart", text)
    for finding in screen.findings:
        yield ("finding", finding.severity, finding.text)
    if screen.more_findings:
        yield ("more findings", screen.more_findings)
