"""Where patients are in the first months after the decision, as bars of characters, and the way in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from bcma_decide.comparison import Comparison, Option
from bcma_decide.render.terminal.ink import Ink
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words.way import (
    SHOWN_MONTHS,
    STATES,
    WayState,
    assumed_lines,
    chance_lines,
    computed_lines,
    months_words,
    parts,
    quoted_lines,
    reason_lines,
    state_words,
    way_title,
)
from bcma_decide.time_course import WayToTreatment

SIGNS: Final[dict[WayState, tuple[str, str]]] = {
    "free": ("█", "#"),
    "waiting": ("░", "."),
    "progressed_or_died": ("▒", "x"),
    "not_infused": ("╱", "/"),
}
"""Of each state, with a stand-in for consoles without it."""
NARROWEST: Final = 20
WIDEST: Final = 50
NUMBER: Final = 5
"""Cells of one number beside a bar."""


def write_way(page: TerminalPage, comparison: Comparison, options: Sequence[Option]) -> None:
    """Write the way of these options: all bars with their numbers, then each in lines.

    What is assumed stands with the option it is assumed of, once for a class and its products.
    """
    ways = {way.option: way for way in comparison.ways}
    listed = [option for option in options if option.id in ways]
    shown = [(option.label, ways[option.id]) for option in listed]
    if not shown:
        return
    page.heading(way_title())
    for line in way_bars(shown, page.ink, page.width):
        page.put(Text(line, no_wrap=True))
    if any(way.states for _, way in shown):
        page.paragraph(key_line(page.ink))
    said: set[tuple[str, str]] = set()
    for option, (label, way) in zip(listed, shown, strict=True):
        assumed = [line for line in assumed_lines(way) if (option.class_id, line) not in said]
        said.update((option.class_id, line) for line in assumed)
        lines = (*chance_lines(way), *reason_lines(way), *quoted_lines(way), *assumed)
        if lines:
            page.gap()
            page.paragraph(label, "bold")
        for line in lines:
            page.paragraph(line, indent=2)


def way_lines(comparison: Comparison, options: Sequence[Option]) -> Iterator[tuple[str, ...]]:
    """The same as fields of tab-separated lines; what was published of every option."""
    labels = {option.id: option.label for option in comparison.options}
    shown = {option.id for option in options}
    for way in comparison.ways:
        label = labels[way.option]
        if way.option in shown:
            yield from (("way, computed", label, line) for line in computed_lines(way))
            yield from (("way, assumed", label, line) for line in assumed_lines(way))
        yield from (("way, published, not calculated for this patient", label, line) for line in quoted_lines(way))


def way_bars(ways: Sequence[tuple[str, WayToTreatment]], ink: Ink, width: int) -> Iterator[str]:
    """A bar and its numbers of 100 for each option with shares and each of the months shown, below their signs.

    ``ways`` are labels and ways; lines are as wide as labels and numbers need, at most ``width`` with a bar.
    """
    drawn = [(ink.plain(label), way) for label, way in ways if way.states]
    if not drawn:
        return
    lead = max(len(label) for label, _ in drawn) + 1
    beside = max(len(months_words(month)) for month in SHOWN_MONTHS) + 1
    room = min(WIDEST, width - lead - beside - NUMBER * len(STATES))
    room = room if room >= NARROWEST else 0
    place = int(ink.ascii_only)
    yield " " * (lead + beside + room) + "".join(f"{SIGNS[state][place]:>{NUMBER}}" for state in STATES)
    for label, way in drawn:
        shown = [state for state in way.states if state.month in SHOWN_MONTHS]
        for position, state in enumerate(shown):
            numbers = "".join(f"{number:>{NUMBER}}" for number in parts(state))
            name = label if position == 0 else ""
            yield f"{name:<{lead}}{months_words(state.month):<{beside}}{way_bar(parts(state), ink, room)}{numbers}"


def way_bar(shares: Sequence[int], ink: Ink, width: int) -> str:
    """One bar: cells by the running total of the shares of 100, so that equal shares end at equal cells."""
    place, bar, total = int(ink.ascii_only), "", 0
    for state, share in zip(STATES, shares, strict=True):
        total += share
        bar += SIGNS[state][place] * (round(total * width / 100) - len(bar))
    return bar


def key_line(ink: Ink) -> str:
    """What the signs mean."""
    place = int(ink.ascii_only)
    return "Of 100: " + "; ".join(f"{SIGNS[state][place]} {state_words(state)}" for state in STATES)
