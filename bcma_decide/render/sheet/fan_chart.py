"""Share without progression by month as a fan: the line of the mean, its 95 % band, lighter that of the next centre.

Every option has a drawing of its own over the same months, with the line of the other dashed, so that two bands never
lie over each other and no colour has to be looked up. Where follow-up ends a line across the field says so, and nothing
is drawn past it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from bcma_decide.render.sheet.figures import INK, PAPER, Look, svg
from bcma_decide.render.sheet.plot import Frame, Point, area, axes, letters, line
from bcma_decide.render.words import wording
from bcma_decide.render.words.language import gettext as _
from bcma_decide.time_course import Bounds, SurvivalTime

if TYPE_CHECKING:
    from markupsafe import Markup

STEP: Final = 12
"""Months between two numbers of the axis."""
LONGEST: Final = 36
"""Months that are drawn at most."""
MARKED: Final = (12.0, 24.0)
"""Months whose share stands in the drawing as a number."""
_ABOVE: Final = 7
_NEAR: Final = 4
"""Months before the end of follow-up in which a number would stand on its line."""
_OF_BANDS: Final = {"outer": "0.22", "inner": "0.55"}
"""How dense the band of the next centre and that of the average are."""


@dataclass(frozen=True)
class Fan:
    """One curve to draw.

    ``points`` begin at month 0 and end where follow-up does; ``end`` is that month, which may lie between two points.
    """

    name: str
    points: tuple[SurvivalTime, ...]
    end: float


def last_month(fans: Iterable[Fan]) -> int:
    """The end of the axis for drawings side by side: that of the longest follow-up in whole half years."""
    longest = max((min(fan.end, LONGEST) for fan in fans), default=LONGEST)
    return max(STEP, 6 * ceil(longest / 6))


def fan_chart(fan: Fan, look: Look, title: str, last: int, other: Fan | None = None) -> Markup:
    """Draw one fan.

    Parameters
    ----------
    fan
        What is drawn.
    look
        Whose.
    title
        Its numbers in words, for those who cannot see it.
    last
        Month at the end of the axis.
    other
        Whose mean is drawn as a dashed line beside it.
    """
    frame = Frame(last)
    points = [point for point in fan.points if point.month <= min(last, fan.end)]
    drawn = axes(frame, STEP)
    for band, ends in (("outer", [p.prediction for p in points]), ("inner", [p.credible for p in points])):
        if field := _band(frame, points, ends):
            style = f'fill="{look.colour}" fill-opacity="{_OF_BANDS[band]}"'
            drawn.append(f'<path class="band {band}" {style} d="{field}"/>')
    if other is not None:
        dashed = [point for point in other.points if point.month <= min(last, fan.end, other.end)]
        style = f'fill="none" stroke="{INK}" stroke-width="1" stroke-dasharray="3 2.4"'
        drawn.append(f'<path class="line other" {style} d="{line(frame, _means(dashed))}"/>')
    drawn.append(
        f'<path class="line mean" fill="none" stroke="{INK}" stroke-width="2" d="{line(frame, _means(points))}"/>'
    )
    drawn += [shape for point in points if point.month in MARKED for shape in _marked(frame, point, look, fan.end)]
    drawn += _end(frame, fan.end)
    return svg(f"fan {look.name}", (frame.width, frame.height), title, drawn, hidden=False)


def _means(points: Sequence[SurvivalTime]) -> list[Point]:
    return [(point.month, point.mean) for point in points]


def _band(frame: Frame, points: Sequence[SurvivalTime], ends: Sequence[Bounds | None]) -> str:
    """The field between two ends; empty where one of them is not known."""
    upper, lower = [], []
    for point, bounds in zip(points, ends, strict=True):
        low, high = bounds or (None, None)
        if low is None or high is None:
            return ""
        upper.append((point.month, high))
        lower.append((point.month, low))
    return area(frame, upper, lower)


def _marked(frame: Frame, point: SurvivalTime, look: Look, end: float) -> tuple[str, str]:
    """The mark of an option on its line, with the share as a number over it, before the line of the end."""
    x, y = frame.x(point.month), frame.y(point.mean)
    style = f'class="mark" fill="{PAPER}" stroke="{INK}" stroke-width="1.2"'
    if look.shape == "circle":
        mark = f'<circle {style} cx="{x:.1f}" cy="{y:.1f}" r="3.4"/>'
    else:
        mark = f'<rect {style} x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6"/>'
    number = wording.short_count(point.mean)
    if point.month < end < point.month + _NEAR:
        return mark, letters(x + 2, y - _ABOVE, number, at="end", bold=True)
    return mark, letters(x + 3, y - _ABOVE, number, bold=True)


def _end(frame: Frame, end: float) -> list[str]:
    """A line where follow-up ends, with its words beside it; none where the axis ends before."""
    if end > frame.last:
        return []
    x = frame.x(end)
    style = f'class="line end" fill="none" stroke="{INK}" stroke-width="0.9" stroke-dasharray="1.4 1.6"'
    text = _("end of follow-up")
    return [
        f'<path {style} d="M{x:.1f} {frame.y(1.0):.1f}V{frame.y(0.0):.1f}"/>',
        letters(x - 3, frame.y(1.0) + 11, text, at="end"),
    ]
