"""Marks of the risk of bias: each judgement has a shape, a sign and a colour, any one of which tells it.

Signs are those of the Cochrane tools (Higgins et al. 2011; RoB 2, Sterne et al. 2019); the colours are those of Okabe
and Ito (2008), which readers with any kind of colour vision tell apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, get_args

from bcma_decide.render.words.wording import MINUS
from bcma_decide.workshop.plots import svg

__all__ = ["JUDGEMENTS", "SIGNS", "WORDS", "Judgement", "bias_mark"]

Judgement = Literal["low", "some", "high", "unclear"]
JUDGEMENTS: Final[tuple[Judgement, ...]] = get_args(Judgement)
SIGNS: Final[dict[Judgement, str]] = {"low": "+", "some": "!", "high": MINUS, "unclear": "?"}
WORDS: Final[dict[Judgement, str]] = {
    "low": "low risk", "some": "some concerns", "high": "high risk", "unclear": "unclear",
}  # fmt: skip
_COLOURS: Final[dict[Judgement, str]] = {
    "low": "#009e73", "some": "#f0e442", "high": "#d55e00", "unclear": "#ffffff",
}  # fmt: skip
_HALF: Final = 7.5


def bias_mark(x: float, y: float, judgement: Judgement, title: str) -> Iterator[str]:
    """A mark about (x, y): a circle for low, a triangle for some, a square for high, a diamond for unclear."""
    colour = _COLOURS[judgement]
    if judgement == "low":
        yield svg.spot(x, y, _HALF, name="bias low", colour=colour, title=title)
    else:
        corners = {
            "some": ((-1.15, 0.9), (0.0, -1.15), (1.15, 0.9)),
            "high": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
            "unclear": ((-1.15, 0.0), (0.0, -1.15), (1.15, 0.0), (0.0, 1.15)),
        }[judgement]
        places = [(x + _HALF * right, y + _HALF * down) for right, down in corners]
        yield svg.outline(places, name=f"bias {judgement}", colour=colour, title=title)
    below = 0.36 if judgement != "some" else 0.46
    yield svg.text(x, y + below * svg.FONT, SIGNS[judgement], anchor="middle", bold=True, ink="#000000")
