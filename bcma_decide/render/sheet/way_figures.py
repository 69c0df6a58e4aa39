"""Where patients are in the first months after the decision, drawn: one panel of stacked shares for each option.

From below: treated without progression, waiting (both below the heavy line are without progression), progressed or
died, never infused. Grey values differ, and the heavy line stands without any colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bcma_decide.render.sheet.figures import FIRST, GREY, INK, PAPER, Look, svg
from bcma_decide.render.words.way import STATES, WayState, bar_title, state_words
from bcma_decide.time_course import StateShares, WayToTreatment

if TYPE_CHECKING:
    from markupsafe import Markup

WIDTH: Final = 150
HEIGHT: Final = 84
_LEFT, _RIGHT, _TOP, _BOTTOM = 18.0, 4.0, 4.0, 14.0
_SHADES: Final[dict[WayState, str]] = {
    "waiting": PAPER,
    "progressed_or_died": GREY,
    "not_infused": "#d0d0d0",
}
_TICKS: Final = (0, 2, 4, 6)
_WITHOUT: Final = 2
"""States from below that are without progression."""


def way_panel(way: WayToTreatment, label: str, look: Look) -> Markup | str:
    """Draw one option; an empty text where it has no shares.

    Parameters
    ----------
    way
        The option from the decision on.
    label
        What it is called.
    look
        Whose colour treated patients have.
    """
    if not way.states:
        return ""
    last = way.states[-1].month
    bands = [_band(way.states, place, last, look) for place in range(len(STATES))]
    return svg(
        f"way {look.name}",
        (WIDTH, HEIGHT),
        bar_title(label, way.states, no_wait=way.infused is None),
        [*filter(None, bands), _boundary(way.states, last), *_axes(last)],
        hidden=False,
    )


def _x(month: float, last: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * month / last


def _y(share: float) -> float:
    return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1.0 - share)


def _band(states: Sequence[StateShares], place: int, last: float, look: Look) -> str:
    """One state over time, between the states below it and those above; nothing where nobody is in it."""
    name = STATES[place]
    if all(getattr(state, name) == 0.0 for state in states):
        return ""
    upper = [(state.month, _below(state, place + 1)) for state in states]
    lower = [(state.month, _below(state, place)) for state in reversed(states)]
    return (
        f'<path class="{name}" fill="{_shade(name, look)}" stroke="{INK}" stroke-width="0.5" '
        f'd="{_path(upper + lower, last)}z"/>'
    )


def _below(state: StateShares, place: int) -> float:
    return math.fsum(getattr(state, name) for name in STATES[:place])


def _path(points: Sequence[tuple[float, float]], last: float) -> str:
    return "M" + "L".join(f"{_x(month, last):.2f} {_y(share):.2f}" for month, share in points)


def _shade(state: WayState, look: Look) -> str:
    return _SHADES.get(state, look.colour)


def _boundary(states: Sequence[StateShares], last: float) -> str:
    """The line between without progression and the rest."""
    line = _path([(state.month, _below(state, _WITHOUT)) for state in states], last)
    return f'<path class="line" fill="none" stroke="{INK}" stroke-width="1.4" d="{line}"/>'


def _axes(last: float) -> list[str]:
    floor = HEIGHT - _BOTTOM
    drawn = [
        f'<path class="axis" fill="none" stroke="{GREY}" stroke-width="0.8" d="M{_LEFT:g} {_TOP:g}V{floor:g}'
        f'H{WIDTH - _RIGHT:g}"/>'
    ]
    drawn += [_text(_LEFT - 2, _y(share) + 2.4, f"{100 * share:.0f}", "end") for share in (0.0, 0.5, 1.0)]
    drawn += [_text(_x(month, last), floor + 9, f"{month}", "middle") for month in _TICKS if month <= last]
    return drawn


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="ink" fill="{INK}" font-size="7" text-anchor="{anchor}" x="{x:.1f}" y="{y:.1f}">{text}</text>'


def way_key(state: WayState, look: Look = FIRST) -> Markup:
    """Draw the sample of a state for a legend; its words stand beside it."""
    shape = (
        f'<rect class="{state}" fill="{_shade(state, look)}" stroke="{INK}" stroke-width="0.8" x="1" y="2" width="18" '
        'height="8"/>'
    )
    return svg("key", (20, 12), state_words(state), [shape], hidden=True)
