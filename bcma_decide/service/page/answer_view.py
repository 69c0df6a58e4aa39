"""The answer beside the form: the first screen as a table with a dot and a line for every share, and tabs behind it.

Every number is one of the first screen; only places are decided here. Colours and shapes are set by the styles: the
first class is blue and round, the second orange, square and outlined, what is not on label grey and hollow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from bcma_decide.comparison import Comparison
from bcma_decide.render.sheet.clinician_view import banners
from bcma_decide.render.sheet.html import render_behind
from bcma_decide.render.words import arrange, sentences
from bcma_decide.render.words.first_screen import first_screen
from bcma_decide.render.words.screen_shapes import RESPONSE, Cell, Column, FirstScreen, Row
from bcma_decide.vocabulary import CLASSES, PFS, ClassId

HEADLINES: Final = (RESPONSE, PFS)
"""Rows that stay in view whatever else is read."""
TABS: Final = (
    ("numbers", "Numbers"),
    ("findings", "Findings"),
    ("labels", "Labels"),
    ("practice", "Practice"),
    ("why", "Why"),
    ("sheet", "Sheet"),
)
_LOOKS: Final = dict(zip(CLASSES, ("first", "second"), strict=True))
_WIDTH, _HEIGHT, _MARGIN = 108, 10, 4


@dataclass(frozen=True)
class TableRow:
    """One row of a table: its cells, drawn, and what stands in a last column."""

    id: str
    label: str
    long_label: str
    cells: tuple[tuple[Column, Cell, Markup], ...]
    """By column: whose, what, and its drawing, which may be empty."""
    last: str = ""

    @property
    def is_headline(self) -> bool:
        """Whether it stays in view."""
        return self.id in HEADLINES


@dataclass(frozen=True)
class AnswerView:
    """Everything of the answer but the sheet."""

    screen: FirstScreen
    products: tuple[TableRow, ...]
    classes: tuple[TableRow, ...]
    banners: tuple[str, ...]
    """What concerns everything shown, as contradictions in the profile."""
    movers: tuple[str, ...]
    """What would change the numbers most, each with how far."""
    behind: dict[str, Markup]
    """Parts of what is behind the sheet."""

    @property
    def headlines(self) -> tuple[TableRow, ...]:
        """The rows that stay in view."""
        return tuple(row for row in self.products if row.is_headline)


def answer_view(comparison: Comparison) -> AnswerView:
    """Arrange the answer."""
    screen = first_screen(comparison)
    return AnswerView(
        screen=screen,
        products=tuple(_products(screen)),
        classes=tuple(_classes(screen)),
        banners=banners(comparison),
        movers=tuple(sentences.mover_sentence(mover, comparison) for mover in arrange.movers(comparison)),
        behind={name: Markup(part) for name, part in render_behind(comparison).items()},  # noqa: S704, RUF100
    )


def look(class_id: ClassId) -> str:
    """How the options of a class are drawn: *first* or *second*."""
    return _LOOKS[class_id]


def _products(screen: FirstScreen) -> Iterator[TableRow]:
    for row in screen.rows:
        yield _drawn(row, screen.columns, row.cells)


def _classes(screen: FirstScreen) -> Iterator[TableRow]:
    rows = zip(screen.rows, screen.class_rows, screen.differences, strict=True)
    for row, found, difference in rows:
        if any(cell.text for cell in found):
            yield _drawn(row, screen.class_columns, found, difference)


def _drawn(row: Row, columns: tuple[Column, ...], found: tuple[Cell, ...], last: str = "") -> TableRow:
    cells = zip(columns, found, strict=True)
    drawn = tuple((column, cell, dots(cell, column) if row.drawn else Markup()) for column, cell in cells)
    return TableRow(row.id, row.label, row.long_label, drawn, last)


def dots(cell: Cell, column: Column) -> Markup:
    """Draw a share on a line from 0 to 100: a dot for the number, a thick line for its interval; else nothing."""
    if cell.mean is None or cell.low is None or cell.high is None:
        return Markup()
    middle = _HEIGHT / 2
    x, low, high = (_at(share) for share in (cell.mean, cell.low, cell.high))
    off = " off" if column.on_label == "not_met" else ""
    dot = (
        f'<circle class="dot" cx="{x:.1f}" cy="{middle:g}" r="3.6"/>'
        if look(column.class_id) == "first"
        else f'<rect class="dot" x="{x - 3.3:.1f}" y="{middle - 3.3:g}" width="6.6" height="6.6"/>'
    )
    return Markup(  # noqa: S704, RUF100
        f'<svg class="dots {look(column.class_id)}{off}" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true" '
        f'focusable="false"><path class="axis" d="M{_MARGIN} {middle:g}H{_WIDTH - _MARGIN}"/>'
        f'<path class="ends" d="M{low:.1f} {middle:g}H{max(high, low + 1):.1f}"/>{dot}</svg>'
    )


def _at(share: float) -> float:
    return _MARGIN + (_WIDTH - 2 * _MARGIN) * min(max(share, 0.0), 1.0)
