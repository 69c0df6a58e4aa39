"""A square panel with an axis below and one at the side, for plots of points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bcma_decide.workshop.plots import svg
from bcma_decide.workshop.plots.axis import Axis
from bcma_decide.workshop.plots.scale import Scale, side_marks, tick_marks

__all__ = ["HEIGHT", "WIDTH", "Panel", "spoken_list", "wrapped"]

WIDTH: Final = 560.0
HEIGHT: Final = 380.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 78.0, 22.0, 16.0, 58.0
_LINE: Final = 1.45 * svg.FONT


class Panel:
    """Scales ``x`` and ``y`` (upwards, or ``falling`` for standard errors) and the drawing around the marks."""

    def __init__(self, x: Axis, y: Axis, *, names: tuple[str, str], falling: bool = False, head: float = 0.0) -> None:
        self.names = names
        self.top, self.bottom = _TOP + head, _TOP + head + HEIGHT
        self.left, self.right = _LEFT, _LEFT + WIDTH
        self.x = Scale(x, self.left, self.right)
        self.y = Scale(y, self.top, self.bottom) if falling else Scale(y, self.bottom, self.top)

    def document(
        self, name: str, title: str, description: str, shapes: Iterable[str], remarks: Sequence[str] = ()
    ) -> str:
        """The plot with its axes and, below it, remarks to be read with it."""
        middle_x, middle_y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        room = self.right + _RIGHT - 2 * 12
        lines = [line for remark in remarks for line in wrapped(remark, room)]
        frame = [
            *tick_marks(self.x, self.bottom),
            *side_marks(self.y, self.left),
            svg.text(middle_x, self.bottom + 46, self.names[0], anchor="middle", room=WIDTH),
            svg.text(20, middle_y, self.names[1], anchor="middle", room=HEIGHT, turned=True),
        ]
        start = self.bottom + _BOTTOM + 0.6 * svg.FONT
        frame += [svg.text(12, start + place * _LINE, line, quiet=True) for place, line in enumerate(lines)]
        height = self.bottom + _BOTTOM + (len(lines) * _LINE + 6 if lines else 0)
        spoken = " ".join([description, *remarks])
        return svg.document(name, (self.right + _RIGHT, height), title, spoken, [*shapes, *frame])


def wrapped(words: str, room: float) -> list[str]:
    """Words in lines of ``room`` pixels; a word that is too long is cut."""
    lines: list[str] = []
    for word in words.split():
        if lines and svg.text_width(f"{lines[-1]} {word}") <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(svg.shortened(word, room))
    return lines


def spoken_list(parts: Iterable[str]) -> str:
    """Facts of the single points in one sentence."""
    return "; ".join(parts) + "."
