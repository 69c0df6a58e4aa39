"""Where 100 patients are in the months after the decision: fields on top of each other that add up to all of them.

From below: treated and free of progression, waiting for the infusion, progressed or died, never infused. The heavy line
parts those without progression from the rest; the fields differ without colour, and each is named at its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import fsum
from typing import TYPE_CHECKING, Final

from bcma_decide.render.sheet.figures import GREY, INK, PAPER, Look, svg
from bcma_decide.render.sheet.plot import LETTER, Frame, Point, area, axes, letters, line
from bcma_decide.render.words.way import STATES, parts, short_state_words
from bcma_decide.time_course import StateShares

if TYPE_CHECKING:
    from markupsafe import Markup

STEP: Final = 2
"""Months between two numbers of the axis."""
_LOOKS: Final = {
    "free": 'fill="{colour}" fill-opacity="0.75"',
    "waiting": 'fill="{colour}" fill-opacity="0.22"',
    "not_infused": 'fill="{paper}"',
    "progressed_or_died": 'fill="{grey}" fill-opacity="0.45"',
}
_NAMED: Final = 176
"""Room for the names of the fields, to the right of the drawing."""
_WITHOUT: Final = 2
"""Fields from below that are without progression."""
_INSIDE: Final = 0.3
"""Share of all patients from which a field has room for its name inside."""


def first_months(states: Sequence[StateShares], look: Look, title: str) -> Markup:
    """Draw the fields.

    Parameters
    ----------
    states
        Shares by month, the first at the decision.
    look
        Whose.
    title
        The numbers in words, for those who cannot see it.
    """
    frame = Frame(states[-1].month, width=240 + _NAMED, right=_NAMED + 12)
    edges = [_edge(states, place) for place in range(len(STATES) + 1)]
    drawn = axes(frame, STEP)
    for name, (lower, upper) in zip(STATES, pairwise(edges), strict=True):
        if any(getattr(each, name) > 0 for each in states):
            style = _LOOKS[name].format(colour=look.colour, paper=PAPER, grey=GREY)
            edge = f'stroke="{INK}" stroke-width="0.8"'
            drawn.append(f'<path class="field {name}" {style} {edge} d="{area(frame, upper, lower)}"/>')
    drawn.append(
        f'<path class="line" fill="none" stroke="{INK}" stroke-width="1.8" d="{line(frame, edges[_WITHOUT])}"/>'
    )
    drawn += _names(frame, states[-1])
    if states[0].waiting > _INSIDE:
        drawn.append(letters(frame.x(0.0) + 5, frame.y(0.7) + 4, short_state_words("waiting")))
    return svg(f"months {look.name}", (frame.width, frame.height), title, drawn, hidden=False)


def _edge(states: Sequence[StateShares], place: int) -> list[Point]:
    """The line above the first ``place`` fields."""
    return [(each.month, fsum(getattr(each, name) for name in STATES[:place])) for each in states]


def _names(frame: Frame, last: StateShares) -> list[str]:
    """Names and counts at the end of the fields, moved apart where fields are narrow."""
    below, places = 0.0, []
    for name, count in zip(STATES, parts(last), strict=True):
        share = getattr(last, name)
        if share > 0:
            places.append((f"{count} {short_state_words(name)}", frame.y(below + share / 2) + 4))
        below += share
    highest = frame.height - frame.bottom + 4.0
    drawn = []
    for text, wanted in places:
        y = min(wanted, highest)
        highest = y - LETTER
        drawn.append(letters(frame.width - _NAMED, y, text))
    return drawn
