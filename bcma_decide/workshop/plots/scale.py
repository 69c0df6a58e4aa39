"""From values to pixels, and the strokes and numbers of an axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bcma_decide.workshop.plots import svg
from bcma_decide.workshop.plots.axis import Axis

__all__ = ["Scale", "side_marks", "tick_marks"]

_TICK: Final = 5.0


@dataclass(frozen=True)
class Scale:
    """An axis laid from pixel ``start`` to pixel ``end``; upwards if the end is the smaller one."""

    axis: Axis
    start: float
    end: float

    def at(self, value: float) -> float:
        """Pixel of a value."""
        return self.start + (self.end - self.start) * self.axis.share(value)

    def within(self, value: float) -> float:
        """Pixel of a value, or of the end beyond which it lies."""
        return self.start + (self.end - self.start) * min(max(self.axis.share(value), 0.0), 1.0)

    def holds(self, value: float) -> bool:
        """Whether a value lies on the axis."""
        return -1e-9 <= self.axis.share(value) <= 1 + 1e-9


def tick_marks(scale: Scale, y: float) -> Iterator[str]:
    """A horizontal axis at height y."""
    yield svg.segment(scale.start, y, scale.end, y, name="axis", width=1)
    for tick in scale.axis.ticks:
        x = scale.at(tick)
        yield svg.segment(x, y, x, y + _TICK, name="tick", width=1)
        yield svg.text(x, y + _TICK + 1.1 * svg.FONT, scale.axis.tick_label(tick), anchor="middle")


def side_marks(scale: Scale, x: float) -> Iterator[str]:
    """A vertical axis at x, its numbers to the left."""
    yield svg.segment(x, scale.start, x, scale.end, name="axis", width=1)
    for tick in scale.axis.ticks:
        y = scale.at(tick)
        yield svg.segment(x - _TICK, y, x, y, name="tick", width=1)
        yield svg.text(x - _TICK - 3, y + 0.35 * svg.FONT, scale.axis.tick_label(tick), anchor="end")
