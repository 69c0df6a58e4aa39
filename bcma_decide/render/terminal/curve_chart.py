"""A curve over time in characters: the share, its interval, and the end of follow-up, past which nothing is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bcma_decide.render.terminal.ink import Ink
from bcma_decide.time_course import SurvivalTime

ROWS: Final = 10
"""One row for every ten of 100, and one for none."""
LEAD: Final = 4
"""Room before the axis: ``100 ``."""
TICK: Final = 6
"""Months between two numbers of the axis."""
STEPS: Final = (0.5, 1.0, 2.0, 3.0, 6.0)
"""Months a column may stand for; the finest that fits is taken."""


@dataclass(frozen=True)
class Signs:
    """What a curve is drawn with."""

    share: str
    interval: str
    end: str
    axis: str
    corner: str
    rule: str
    tick: str


SIGNS: Final = (Signs("━", "░", "┊", "│", "└", "─", "┴"), Signs("#", ".", ":", "|", "+", "-", "+"))


def signs(ink: Ink) -> Signs:
    """Those that a console can show."""
    return SIGNS[int(ink.ascii_only)]


def curve_chart(ink: Ink, points: Sequence[SurvivalTime], width: int) -> list[str]:
    """Draw a curve up to its last point, which is the end of follow-up.

    Parameters
    ----------
    ink
        Which signs can be shown.
    points
        The share at some months from 0 on, with its 95 % interval.
    width
        The most signs in a line.
    """
    drawn = signs(ink)
    months = points[-1].month
    step = next((step for step in STEPS if months / step + 1 <= width - LEAD - 2), STEPS[-1])
    columns = [_rows(*_at(points, place * step)) for place in range(int(months / step) + 1)]
    lines = []
    for row in range(ROWS + 1):
        label = f"{100 - 100 * row // ROWS:>3}" if row % (ROWS // 2) == 0 else "   "
        cells = "".join(_cell(drawn, row, column) for column in columns)
        lines.append(f"{label} {drawn.axis}{cells}{drawn.end}")
    return [*lines, *_axis(drawn, len(columns), step)]


def _at(points: Sequence[SurvivalTime], month: float) -> tuple[float, float, float]:
    """Share and ends of its interval at a month, between two points by a straight line."""
    place = next((place for place, point in enumerate(points) if point.month >= month), len(points) - 1)
    after, before = points[place], points[max(0, place - 1)]
    part = (month - before.month) / (after.month - before.month) if after is not before else 0.0
    mean, low, high = (a + part * (b - a) for a, b in zip(_sides(before), _sides(after), strict=True))
    return mean, low, high


def _sides(point: SurvivalTime) -> tuple[float, float, float]:
    low, high = point.credible or (None, None)
    return point.mean, point.mean if low is None else low, point.mean if high is None else high


def _rows(mean: float, low: float, high: float) -> tuple[int, int, int]:
    """Rows of the share, of the low and of the high end, counted from the top."""
    one, two, three = (round((1.0 - share) * ROWS) for share in (mean, low, high))
    return one, two, three


def _cell(drawn: Signs, row: int, column: tuple[int, int, int]) -> str:
    mean, low, high = column
    if row == mean:
        return drawn.share
    return drawn.interval if high <= row <= low else " "


def _axis(drawn: Signs, columns: int, step: float) -> Iterator[str]:
    """The axis with a tick and a number at every half year."""
    rule, numbers = [drawn.rule] * columns, ""
    for place in range(columns):
        month = place * step
        if month % TICK == 0 and len(numbers) <= place:
            rule[place] = drawn.tick
            numbers += f"{'':<{place - len(numbers)}}{month:g} "
    yield f"{'':<{LEAD}}{drawn.corner}{''.join(rule)}"
    yield f"{'':<{LEAD + 1}}{numbers.rstrip()}"
