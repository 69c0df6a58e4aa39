"""Survival on a terminal: what stands below the computed share at one year, and what was published, apart from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, get_args

from rich.text import Text

from bcma_decide.comparison import Comparison, Option
from bcma_decide.render.terminal.cells import bar
from bcma_decide.render.terminal.layout import Layout
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import quoted, survival
from bcma_decide.time_course import Clock

NONE = "\N{EN DASH}"
"""Below the words that stand in the place of a number."""
LEAD = 4
PUBLISHED = "italic"
"""Style of what was published; its words stand above it where styles are not shown."""
COMPUTED = "survival, computed"
PUBLISHED_WORDS = "survival, published, not calculated for this patient"
MORE: Final = "All of them: --full --plain, or --json."
PRODUCTS: Final = f"The nearest {quoted.SHORT} of each kind: --full --products. {MORE}"
"""Where the rows are that were left out."""
CLOCKS: Final[tuple[Clock, ...]] = get_args(Clock)


def survival_rows(
    page: TerminalPage, comparison: Comparison, options: Sequence[Option], layout: Layout
) -> Iterator[list[Text]]:
    """One row a line, in the columns of the table; the column of the difference stays free.

    None where no option has a number: the row above says why.
    """
    lines = [survival.lines(survival.computed(comparison, option), comparison.clock) for option in options]
    for row in zip(*lines, strict=True):
        if not any(line.text for line in row):
            continue
        cells = [Text(f"  {row[0].name}")]
        for line in row:
            cells.append(page.ink.text(_text(line)))
            if layout.bar:
                cells.append(Text("") if line.share is None else bar(page, line.share, layout.bar))
        yield [*cells, Text("")] if layout.difference else cells


def write_published_survival(page: TerminalPage, comparison: Comparison, *, more: bool) -> None:
    """Write published survival by product, the group nearest to the patient first.

    ``more``: a few rows of each endpoint in full instead of the nearest in short.
    """
    page.paragraph(quoted.abbreviations())
    shown, text = (quoted.in_full, quoted.row_text) if more else (quoted.in_short, quoted.short_text)
    count = 0
    for option, rows in shown(comparison):
        page.paragraph(option, "bold")
        page.items(((quoted.abbreviation(row.endpoint), text(row)) for row in rows), LEAD, PUBLISHED)
        count += len(rows)
    if left := quoted.left_out(comparison, count):
        page.paragraph(f"{left} {MORE if more else PRODUCTS}")


def computed_lines(comparison: Comparison, options: Sequence[Option]) -> Iterator[tuple[str, ...]]:
    """The computed figures as fields of tab-separated lines, on both clocks."""
    for option in options:
        row = survival.computed(comparison, option)
        if row is None or survival.figures(row) is None:
            continue
        for clock in CLOCKS if row.from_decision is not None else CLOCKS[:1]:
            whence = "from the decision" if clock == "decision" else quoted.counted_from(row.origin)
            for line in survival.lines(row, clock):
                figures = (part for part in (line.number, line.interval) if part)
                yield (COMPUTED, row.label, option.label, f"{line.name}, {whence}", *figures)


def published_lines(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """Every published row as fields of tab-separated lines: figures, of whom, how near, source, against what."""
    for option, rows in quoted.by_option(comparison):
        for row in rows:
            yield (
                PUBLISHED_WORDS,
                quoted.endpoint_name(row.endpoint),
                option,
                f"{quoted.of_whom(row)}{quoted.figures(row)}",
                quoted.people(row),
                quoted.nearness(row),
                row.study,
                ", ".join(row.sources),
                *(part for part in (quoted.comparison(row), row.note) if part),
            )


def _text(line: survival.Line) -> str:
    """Number and interval, the number as wide as those above it."""
    if not line.interval:
        return line.number or NONE
    return f"{line.number:>2} ({line.interval})"
