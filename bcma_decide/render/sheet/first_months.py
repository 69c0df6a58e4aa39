"""Where 100 patients are in the months after the decision: fields on top of each other that add up to all of them.

From below: treated and free of progression, waiting for the infusion, never infused, progressed or died. What is not
treatment is grey or empty, so that the fields differ without colour; each is named at its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from bcma_decide.render.sheet.figures import GREY, INK, PAPER, Look, svg
from bcma_decide.render.sheet.plot import LETTER, Frame, area, axes, letters
from bcma_decide.render.words import wording
from bcma_decide.render.words.way_parts import PARTS, part_name, shares_of
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
    stacked = [tuple(accumulate(shares_of(each).values(), initial=0.0)) for each in states]
    drawn = axes(frame, STEP)
    for place, part in enumerate(PARTS):
        if any(shares_of(each)[part] > 0 for each in states):
            lower = [(each.month, heights[place]) for each, heights in zip(states, stacked, strict=True)]
            upper = [(each.month, heights[place + 1]) for each, heights in zip(states, stacked, strict=True)]
            style = _LOOKS[part].format(colour=look.colour, paper=PAPER, grey=GREY)
            edge = f'stroke="{INK}" stroke-width="0.8"'
            drawn.append(f'<path class="field {part}" {style} {edge} d="{area(frame, upper, lower)}"/>')
    drawn += _names(frame, states[-1])
    if states[0].waiting > _INSIDE:
        drawn.append(letters(frame.x(0.0) + 5, frame.y(0.7) + 4, part_name("waiting")))
    return svg(f"months {look.name}", (frame.width, frame.height), title, drawn, hidden=False)


def _names(frame: Frame, last: StateShares) -> list[str]:
    """Names and counts at the end of the fields, moved apart where fields are narrow."""
    shares = {part: share for part, share in shares_of(last).items() if share > 0}
    counts = dict(zip(shares, wording.parts_of_100(tuple(shares.values())), strict=True))
    below = 0.0
    places = []
    for part, share in shares.items():
        places.append((part, frame.y(below + share / 2) + 4))
        below += share
    highest = frame.height - frame.bottom + 4.0
    drawn = []
    for part, wanted in places:
        y = min(wanted, highest)
        highest = y - LETTER
        drawn.append(letters(frame.width - _NAMED, y, f"{counts[part]} {part_name(part)}"))
    return drawn
