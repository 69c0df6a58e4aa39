"""The frame of drawings over time: months along the foot, 0 to 100 of 100 patients up the side, letters at their place.

Letters are drawn in the width of the condensed font that a sheet is printed in; a screen takes what it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

from bcma_decide.render.sheet.figures import GREY, INK

LETTER: Final = 14
"""Height of the letters, in units of the drawing."""
FONTS: Final = "Sheet Dense, Fira Sans Condensed, system-ui, sans-serif"
QUARTERS: Final = (0, 50, 100)


@dataclass(frozen=True)
class Frame:
    """Where months and shares lie in a drawing; ``last`` is the month at the right edge of the field."""

    last: float
    width: int = 240
    height: int = 150
    left: int = 29
    right: int = 12
    top: int = 8
    bottom: int = 21

    def x(self, month: float) -> float:
        """Place of a month; past the last one is no place."""
        if not 0.0 <= month <= self.last:
            raise ValueError(f"month {month:g} lies outside 0 to {self.last:g}")
        return self.left + (self.width - self.left - self.right) * month / self.last

    def y(self, share: float) -> float:
        """Place of a share of patients."""
        return self.top + (self.height - self.top - self.bottom) * (1.0 - min(max(share, 0.0), 1.0))


Point = tuple[float, float]


def line(frame: Frame, points: Sequence[Point]) -> str:
    """A line through months and shares, as the outline of a path."""
    return "M" + "L".join(f"{frame.x(month):.1f} {frame.y(share):.1f}" for month, share in points)


def area(frame: Frame, upper: Sequence[Point], lower: Sequence[Point]) -> str:
    """The field between two lines, as the outline of a path."""
    return f"{line(frame, [*upper, *reversed(lower)])}z"


def letters(
    x: float, y: float, text: str, *, at: Literal["start", "middle", "end"] = "start", bold: bool = False
) -> str:
    """A text at a place of the drawing."""
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text class="ink" fill="{INK}" font-family="{FONTS}" font-size="{LETTER}"{weight} text-anchor="{at}" '
        f'x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
    )


def axes(frame: Frame, step: int) -> list[str]:
    """Lines at 0, 50 and 100 of 100 and at every ``step`` months, with their numbers."""
    months = range(0, int(frame.last) + 1, step)
    across = "".join(f"M{frame.left} {frame.y(of_100 / 100):.1f}H{frame.width - frame.right}" for of_100 in QUARTERS)
    marks = "".join(f"M{frame.x(month):.1f} {frame.y(0.0):.1f}v3" for month in months)
    foot = frame.height - 4
    drawn = [f'<path class="axis" fill="none" stroke="{GREY}" stroke-width="0.6" d="{across}{marks}"/>']
    drawn += [letters(frame.left - 4, frame.y(of_100 / 100) + 4, str(of_100), at="end") for of_100 in QUARTERS]
    return drawn + [letters(frame.x(month), foot, str(month), at="middle") for month in months]
