"""Flow chart of a selection: what goes on from one box to the next, and what is left out beside it.

Form after the flow diagram of PRISMA 2020 (Page and others 2021).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots import svg
from bcma_decide.workshop.plots.panel import wrapped

__all__ = ["FlowStep", "flow_chart", "flow_text"]

_WIDTH: Final = 250.0
_WIDTH_BESIDE: Final = 410.0
_GAP: Final = 30.0
_MARGIN: Final = 6.0
_PADDING: Final = 9.0
_LINE: Final = 1.4 * svg.FONT
_BETWEEN: Final = 30.0
_HEAD: Final = 4.0


@dataclass(frozen=True)
class FlowStep:
    """A box of words, its first line in bold, and what is left out after it (nothing if empty)."""

    words: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.words:
            raise SynthesisError("a box of a flow chart needs words")


def flow_chart(steps: Sequence[FlowStep], *, title: str) -> str:
    """Draw the steps from the top down as SVG, with every word in its description.

    Raises
    ------
    SynthesisError
        If there is no step.
    """
    if not steps:
        raise SynthesisError("a flow chart needs at least one step")
    shapes: list[str] = []
    y = _MARGIN
    middle, right = _MARGIN + _WIDTH / 2, _MARGIN + _WIDTH + _GAP
    for place, step in enumerate(steps):
        box, beside = _Box(step.words, _WIDTH, "step"), _Box(step.left_out, _WIDTH_BESIDE, "left-out")
        shapes += box.at(_MARGIN, y)
        y += box.height
        if place == len(steps) - 1:
            break
        below = max(_BETWEEN, beside.height + 2 * _PADDING)
        if step.left_out:
            shapes += _arrow_right(middle, right, y + below / 2)
            shapes += beside.at(right, y + (below - beside.height) / 2)
        shapes += _arrow_down(middle, y, y + below)
        y += below
    size = (right + _WIDTH_BESIDE + _MARGIN, y + _MARGIN)
    return svg.document("flow", size, title, flow_text(steps), shapes)


def flow_text(steps: Sequence[FlowStep]) -> str:
    """The steps in words."""
    return " ".join(_said(steps))


def _said(steps: Sequence[FlowStep]) -> Iterator[str]:
    for step in steps:
        yield f"{': '.join((step.words[0], ', '.join(step.words[1:])))}." if step.words[1:] else f"{step.words[0]}."
        if step.left_out:
            yield f"Left out: {', '.join(step.left_out)}."


class _Box:
    """Words in lines as wide as the box, the first line of a step in bold."""

    def __init__(self, words: Sequence[str], width: float, name: str) -> None:
        self.lines = [line for each in words for line in wrapped(each, width - 2 * _PADDING)]
        self.width, self.name = width, name
        self.height = len(self.lines) * _LINE + 2 * _PADDING if words else 0.0

    def at(self, x: float, y: float) -> Iterator[str]:
        right, bottom = x + self.width, y + self.height
        corners = ((x, y), (right, y), (right, bottom), (x, bottom))
        yield svg.polygon(corners, name=self.name, opacity=0.06 if self.name == "step" else 0.0, outlined=True)
        for place, line in enumerate(self.lines):
            baseline = y + _PADDING + (place + 0.75) * _LINE
            yield svg.text(x + _PADDING, baseline, line, bold=place == 0 and self.name == "step")


def _arrow_down(x: float, start: float, end: float) -> Iterator[str]:
    yield svg.segment(x, start, x, end - _HEAD, width=1.2)
    yield svg.polygon(((x - _HEAD, end - 2 * _HEAD), (x + _HEAD, end - 2 * _HEAD), (x, end)), name="head", opacity=1.0)


def _arrow_right(start: float, end: float, y: float) -> Iterator[str]:
    yield svg.segment(start, y, end - _HEAD, y, width=1.2)
    yield svg.polygon(((end - 2 * _HEAD, y - _HEAD), (end - 2 * _HEAD, y + _HEAD), (end, y)), name="head", opacity=1.0)
