"""The first page of the clinician's sheet, drawn from the first screen: strip, table, burden, findings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bcma_decide.comparison import Comparison, Option, Outcome, PracticalRow
from bcma_decide.render.sheet import figures
from bcma_decide.render.sheet.citing import ranges
from bcma_decide.render.words import arrange, rule_view, sentences, wording
from bcma_decide.render.words.finding_lines import FindingLine
from bcma_decide.render.words.first_screen import folded
from bcma_decide.render.words.language import ngettext
from bcma_decide.render.words.screen_shapes import LABEL, Cell, Column, FirstScreen, Row
from bcma_decide.render.words.terms import term

if TYPE_CHECKING:
    from markupsafe import Markup

ROOMY: Final = 5
COLUMNS: Final = 6
"""Options that have room side by side with wide lines, and at all; of more, those off label fold into a line."""
BURDEN: Final = ("stay", "visits", "driving", "renal", "lymphodepletion", "vein_to_vein")
"""Practical topics of the first page, the one that gives way first at the end; the others stand on the screen."""


@dataclass(frozen=True)
class FrontColumn:
    """An option over its column."""

    column: Column
    look: figures.Look
    muted: bool


@dataclass(frozen=True)
class FrontCell:
    """One field: the cell of the first screen, and its number as a line."""

    cell: Cell
    column: FrontColumn
    line: Markup | str
    mark: str
    """Of a number that is the class's."""


@dataclass(frozen=True)
class FrontRow:
    """One row of the table."""

    row: Row
    cells: tuple[FrontCell, ...]
    depends: str
    """What each value of an unknown trait that moves a number far would make of it; empty where none does."""


@dataclass(frozen=True)
class Burden:
    """One practical topic: a text and the numbers of its sources for each class."""

    place: int
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
    comparison: Comparison,
    screen: FirstScreen,
    numbers: Mapping[str, int],
    rows: Sequence[str],
    topics: Collection[int] | None,
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
    topics
        Places of the practical topics that there is room for, each with the first fact of every product; None for all
        facts of all of them.
    """
    every = tuple(range(len(screen.columns)))
    places, line = folded(screen, COLUMNS) if len(every) > COLUMNS else (every, "")
    width = figures.LINE_WIDTH if len(places) <= ROOMY else figures.NARROW_LINE
    looks = {option.class_id: look for option, look in _looks(comparison)}
    columns = tuple(
        FrontColumn(column, looks.get(column.class_id, figures.FIRST), column.on_label in ("not_met", None))
        for column in (screen.columns[place] for place in places)
    )
    outcomes = {outcome.id: outcome for outcome in arrange.outcomes_with_survival(comparison)}
    shown = [row for row in screen.rows if row.id != LABEL and (not rows or row.id in rows or row.id not in outcomes)]
    burden = burden_rows(comparison)
    if topics is not None:
        burden = tuple(_first_facts(row) for row in burden if BURDEN.index(row.topic) in topics)
    return Front(
        screen=screen,
        columns=columns,
        rows=tuple(
            FrontRow(
                row,
                tuple(
                    _cell(row, row.cells[place], column, width) for place, column in zip(places, columns, strict=True)
                ),
                _depends(comparison, outcomes[row.id]) if row.id in outcomes else "",
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


def _cell(row: Row, cell: Cell, column: FrontColumn, width: int) -> FrontCell:
    line: Markup | str = ""
    if row.drawn and cell.mean is not None and cell.low is not None and cell.high is not None:
        title = f"{column.column.label}, {row.long_label}: {cell.number} ({cell.interval})"
        line = figures.dot_line(cell.mean, (cell.low, cell.high), column.look, title, column.column.on_label, width)
    return FrontCell(cell, column, line, "*" if cell.of_class else "")


def _depends(comparison: Comparison, outcome: Outcome) -> str:
    """``CAR-T 27 if low, 54 if high (Ferritin)``; of every class that the row has a number of."""
    found: dict[str, list[str]] = {}
    for option in arrange.class_options(comparison):
        widest = arrange.decisive(comparison, outcome, option)
        if widest and wording.has_number(arrange.estimate_of(outcome, option)):
            found.setdefault(widest[0].label, []).append(sentences.would_be(option, widest[1]))
    return "; ".join(f"{'; '.join(parts)} ({trait})" for trait, parts in found.items())


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
        BURDEN.index(row.topic),
        term(row.label),
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
