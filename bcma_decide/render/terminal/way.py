"""The way from the decision to the treatment on a terminal: who reaches it, the wait, where patients are by month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from bcma_decide.comparison import Comparison, Option
from bcma_decide.render.terminal.ink import PARTS as SIGNS
from bcma_decide.render.terminal.layout import GAP
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import quoted, sentences, survival, way
from bcma_decide.time_course import WayToTreatment

MONTHS = (1, 3, 6)
TITLE = 11
BAR = 24
PUBLISHED = "italic"
"""Style of what was published; its words stand above it where styles are not shown."""


def write_ways(page: TerminalPage, comparison: Comparison, options: Sequence[Option], *, more: bool) -> None:
    """Write the way of these options; nothing where none is known.

    ``more``: also what was published of it.
    """
    ways = tuple(_ways(comparison, options))
    if not ways:
        return
    page.heading("From the decision to the treatment, of 100 patients like this")
    for option, each in ways:
        page.paragraph(option.label, "bold")
        for text in (way.infused(each), *map(way.wait, each.weeks)):
            if text:
                page.paragraph(text, indent=2)
        if not each.states:
            page.paragraph(f"{survival.not_known()}: {each.reason}", indent=2)
        _months(page, each)
        if more and each.published:
            page.paragraph(f"{quoted.title()}:", PUBLISHED, indent=2)
            for count in each.published:
                page.paragraph(way.counted(count, sentences.named_sources(count.sources)), PUBLISHED, indent=4)
    if not page.stacked and any(each.states for _, each in ways):
        signs = SIGNS[int(page.ink.ascii_only)]
        named = (f"{sign} {way.part_name(part)}" for sign, part in zip(signs, way.PARTS, strict=True))
        page.paragraph(f"Bar: {', '.join(named)}.")
    page.bullets(dict.fromkeys(text for _, each in ways for text in each.assumptions))


def way_lines(comparison: Comparison, options: Sequence[Option]) -> Iterator[tuple[str, ...]]:
    """The same as fields of tab-separated lines: computed for these options, published for all."""
    for option, each in _ways(comparison, options):
        if each.infused is not None:
            yield ("way, computed", option.label, way.infused(each))
        for states in each.states:
            if states.month in MONTHS:
                yield ("way, computed", option.label, survival.month_title(int(states.month)), way.at_month(states))
        if not each.states:
            yield ("way, computed", option.label, f"{survival.not_known()}: {each.reason}")
        yield from (("way, assumption", option.label, text) for text in each.assumptions)
    for option, each in _ways(comparison, comparison.options):
        for weeks in each.weeks:
            sources = ", ".join(weeks.sources)
            yield ("way, published, not calculated for this patient", option.label, way.wait(weeks), sources)
        for count in each.published:
            sources = ", ".join(count.sources)
            yield ("way, published, not calculated for this patient", option.label, way.counted(count, ""), sources)


def _ways(comparison: Comparison, options: Sequence[Option]) -> Iterator[tuple[Option, WayToTreatment]]:
    found = {each.option: each for each in comparison.ways}
    yield from ((option, found[option.id]) for option in options if option.id in found)


def _months(page: TerminalPage, each: WayToTreatment) -> None:
    shown = [states for states in each.states if states.month in MONTHS]
    if page.stacked:
        for states in shown:
            page.paragraph(f"{survival.month_title(int(states.month))}: {way.at_month(states)}", indent=2)
        return
    widths = (1, TITLE, BAR, page.width - TITLE - BAR - 1 - 3 * GAP)
    rows = []
    for states in shown:
        bar = page.ink.parts(tuple(way.shares_of(states).values()), BAR)
        title = page.ink.text(survival.month_title(int(states.month)))
        rows.append([Text(""), title, Text(bar, no_wrap=True), page.ink.text(way.at_month(states))])
    page.columns(widths, rows, GAP)
