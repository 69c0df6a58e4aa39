"""The first page of the clinician's sheet, drawn from the first screen: strip, table, burden, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bcma_decide.comparison import Comparison, Option, Outcome, PracticalRow
from bcma_decide.render.sheet import figures
from bcma_decide.render.sheet.citing import ranges
from bcma_decide.render.words import arrange, rule_view, sentences
from bcma_decide.render.words.finding_lines import FindingLine
from bcma_decide.render.words.first_screen import Cell, Column, FirstScreen, Row, folded
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import ngettext

if TYPE_CHECKING:
    from markupsafe import Markup

COLUMNS: Final = 5
"""Options that have room side by side; the others fold into a line under the table."""
BURDEN: Final = ("vein_to_vein", "stay", "visits", "driving", "lymphodepletion", "renal")
"""Practical topics of the first page, in their order; the others stand on the screen."""
FIRST_FACTS: Final = 1
NO_BURDEN: Final = 2
LEVELS: Final = 3
"""How much gives way where the page overflows: nothing; all but the first fact of each product; the burden."""


@dataclass(frozen=True)
class FrontColumn:
    """An option over its column."""

    column: Column
    look: figures.Look
    muted: bool


@dataclass(frozen=True)
class FrontCell:
    """One field: the cell of the first screen, its line, and what an unknown trait would make of the number."""

    cell: Cell
    column: FrontColumn
    line: Markup | str
    depends: str


@dataclass(frozen=True)
class FrontRow:
    """One row of the table."""

    row: Row
    cells: tuple[FrontCell, ...]


@dataclass(frozen=True)
class Burden:
    """One practical topic: a text and the numbers of its sources for each class."""

    label: str
    texts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Front:
    """The first page."""

    screen: FirstScreen
    columns: tuple[FrontColumn, ...]
    rows: tuple[FrontRow, ...]
    folded: str
    classes: tuple[Option, ...]
    burden: tuple[Burden, ...]
    burden_left: str
    """What of the burden has no room; empty for nothing."""
    findings: tuple[FindingLine, ...]


def burden_rows(comparison: Comparison) -> tuple[PracticalRow, ...]:
    """The practical topics of the first page, in their order."""
    found = {row.topic: row for row in comparison.practice}
    return tuple(found[topic] for topic in BURDEN if topic in found)


def front_page(
    comparison: Comparison, screen: FirstScreen, numbers: Mapping[str, int], rows: Sequence[str], level: int
) -> Front:
    """Arrange the first page.

    Parameters
    ----------
    comparison, screen
        What to show.
    numbers
        The number of each source's key.
    rows
        Outcomes asked for; empty for all.
    level
        How much gives way, up to :data:`LEVELS`.
    """
    places, line = folded(screen, COLUMNS)
    looks = {option.class_id: look for option, look in _looks(comparison)}
    columns = tuple(
        FrontColumn(column, looks.get(column.class_id, figures.FIRST), column.on_label not in ("met", None))
        for column in (screen.columns[place] for place in places)
    )
    outcomes = {outcome.id: outcome for outcome in arrange.outcomes_with_survival(comparison)}
    shown = [row for row in screen.rows if not rows or row.id in rows or row.id not in outcomes]
    burden = burden_rows(comparison) if level < NO_BURDEN else ()
    if level >= FIRST_FACTS:
        burden = tuple(_first_facts(row) for row in burden)
    return Front(
        screen=screen,
        columns=columns,
        rows=tuple(
            FrontRow(
                row,
                tuple(
                    _cell(comparison, outcomes.get(row.id), row, row.cells[place], column)
                    for place, column in zip(places, columns, strict=True)
                ),
            )
            for row in shown
        ),
        folded=line,
        classes=arrange.class_options(comparison),
        burden=tuple(filter(None, (_burden(comparison, row, numbers) for row in burden))),
        burden_left=_burden_left(comparison, burden),
        findings=screen.findings,
    )


def _looks(comparison: Comparison) -> Sequence[tuple[Option, figures.Look]]:
    return list(zip(arrange.class_options(comparison), figures.LOOKS, strict=False))


def _cell(comparison: Comparison, outcome: Outcome | None, row: Row, cell: Cell, column: FrontColumn) -> FrontCell:
    line: Markup | str = ""
    if row.drawn and cell.mean is not None and cell.low is not None and cell.high is not None:
        title = f"{column.column.label}, {row.long_label}: {cell.number} ({cell.interval})"
        line = figures.dot_line(cell.mean, (cell.low, cell.high), column.look, title, solid=not column.muted)
    return FrontCell(cell, column, line, _depends(comparison, outcome, cell, column.column))


def _depends(comparison: Comparison, outcome: Outcome | None, cell: Cell, column: Column) -> str:
    """``would be 27 if low, 54 if high``: what each value of an unknown trait that moves a number far would give."""
    if outcome is None or cell.kind != "computed":
        return ""
    options = {option.id: option for option in comparison.options}
    names = [name for name in (column.option, column.class_id) if name in options]
    widest = next(filter(None, (arrange.decisive(comparison, outcome, options[name]) for name in names)), None)
    return sentences.would_be(*widest) if widest else ""


def _first_facts(row: PracticalRow) -> PracticalRow:
    return row.model_copy(update={"facts": {product: lines[:1] for product, lines in row.facts.items()}})


def _burden(comparison: Comparison, row: PracticalRow, numbers: Mapping[str, int]) -> Burden | None:
    lines = rule_view.practice_rows(comparison.model_copy(update={"practice": (row,)}))
    if not lines:
        return None
    keys = [
        [key for option in _products(comparison, each) for line in row.facts.get(option, ()) for key in line.sources]
        for each in arrange.class_options(comparison)
    ]
    return Burden(
        lines[0].label,
        tuple(
            (text, ranges([numbers[key] for key in found if key in numbers]))
            for text, found in zip(lines[0].texts, keys, strict=True)
        ),
    )


def _products(comparison: Comparison, option: Option) -> tuple[str, ...]:
    return tuple(each.id for each in comparison.options if each.kind == "product" and each.class_id == option.class_id)


def _burden_left(comparison: Comparison, shown: Sequence[PracticalRow]) -> str:
    """How many practical facts of these topics are not printed."""
    left = _facts(burden_rows(comparison)) - _facts(shown)
    if not left:
        return ""
    return ngettext("{n} more practical fact", "{n} more practical facts", left).format(n=left)


def _facts(rows: Sequence[PracticalRow]) -> int:
    return sum(len(lines) for row in rows for lines in row.facts.values())


def decision_options(comparison: Comparison) -> tuple[str, ...]:
    """What can be ticked as decided, the options in their order."""
    return (*(option.label for option in arrange.class_options(comparison)), _("something else"))
