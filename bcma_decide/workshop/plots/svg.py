"""The marks all plots are made of, as SVG text with two decimals: same values, same bytes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from markupsafe import Markup, escape

from bcma_decide.render.words.wording import visible

__all__ = [
    "FONT",
    "Anchor",
    "Dash",
    "circle",
    "diamond",
    "document",
    "outline",
    "path",
    "polygon",
    "rectangle",
    "segment",
    "shortened",
    "spot",
    "text",
    "text_width",
]

FONT: Final = 13
"""Size of the letters in pixels at 100 %."""

Anchor = Literal["start", "middle", "end"]
Dash = Literal["solid", "dashed", "dotted"]

_DASHES: Final[dict[Dash, str]] = {
    "solid": "",
    "dashed": ' stroke-dasharray="6 4"',
    "dotted": ' stroke-dasharray="1.5 3.5"',
}
_ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
_NARROW: Final = frozenset("iIjl.,:;'|!()[]/ tfr-")
_BROAD: Final = frozenset("mwMW%@\N{HORIZONTAL ELLIPSIS}\N{EM DASH}")


def _number(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def text_width(words: str, size: float = FONT) -> float:
    """Room that words need in pixels, on the safe side for the usual sans-serif fonts."""
    return size * sum(map(_letter_width, words))


def _letter_width(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF" or letter in _BROAD:
        return 1.0
    if letter in _NARROW:
        return 0.4
    return 0.7 if letter.isupper() else 0.62


def shortened(words: str, room: float) -> str:
    """Words that fit into ``room`` pixels, cut with an ellipsis if they are too long."""
    if text_width(words) <= room:
        return words
    kept = words
    while kept and text_width(kept + _ELLIPSIS) > room:
        kept = kept[:-1]
    return kept.rstrip() + _ELLIPSIS


def text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: Anchor = "start",
    bold: bool = False,
    quiet: bool = False,
    room: float | None = None,
    turned: bool = False,
    ink: str = "",
) -> str:
    """Words with their baseline at y; cut to ``room`` pixels, the whole then stands in a ``<title>``.

    ``turned`` reads upwards, for the name of a vertical axis. ``ink`` is a colour of its own, for letters on one.
    """
    whole = visible(words)
    shown = whole if room is None else shortened(whole, room)
    style = (' font-weight="600"' if bold else "") + (' fill-opacity="0.8"' if quiet else "")
    style += f' fill="{ink}"' if ink else ""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    turn = f' transform="rotate(-90 {_number(x)} {_number(y)})"' if turned else ""
    title = f"<title>{escape(whole)}</title>" if shown != whole else ""
    return f'<text x="{_number(x)}" y="{_number(y)}"{place}{style}{turn}>{title}{escape(shown)}</text>'


def segment(
    x1: float, y1: float, x2: float, y2: float, *, name: str = "", width: float = 1.2, dash: Dash = "solid"
) -> str:
    """A straight line."""
    return (
        f'<line{_named(name)} x1="{_number(x1)}" y1="{_number(y1)}" x2="{_number(x2)}" y2="{_number(y2)}" '
        f'stroke="currentColor" stroke-width="{_number(width)}"{_DASHES[dash]}/>'
    )


def rectangle(x: float, y: float, width: float, height: float, *, name: str = "", opacity: float = 1.0) -> str:
    """A filled rectangle."""
    return (
        f'<rect{_named(name)} x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" height="{_number(height)}" '
        f'fill="currentColor"{_opacity(opacity)}/>'
    )


def circle(
    x: float, y: float, radius: float, *, name: str = "", filled: bool = True, opacity: float = 1.0, title: str = ""
) -> str:
    """A circle, filled or drawn as a ring."""
    look = f'fill="currentColor"{_opacity(opacity)} stroke="currentColor"' if filled else _RING
    attributes = f'<circle{_named(name)} cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}" {look}'
    return _closed("circle", attributes, title)


_RING: Final = 'fill="none" stroke="currentColor" stroke-width="1.4"'


def diamond(left: float, middle: float, right: float, y: float, half_height: float, *, name: str, solid: bool) -> str:
    """A diamond from ``left`` to ``right`` with its corners above and below ``middle``."""
    corners = ((left, y), (middle, y - half_height), (right, y), (middle, y + half_height))
    return polygon(corners, name=name, opacity=1.0 if solid else 0.35, outlined=True)


def polygon(corners: Sequence[tuple[float, float]], *, name: str, opacity: float, outlined: bool = False) -> str:
    """A filled outline."""
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in corners)
    edge = ' stroke="currentColor" stroke-width="1.2"' if outlined else ""
    return f'<polygon{_named(name)} points="{points}" fill="currentColor"{_opacity(opacity)}{edge}/>'


def spot(x: float, y: float, radius: float, *, name: str, colour: str, title: str) -> str:
    """A circle in a colour of its own, outlined."""
    attributes = f'<circle{_named(name)} cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}"{_coloured(colour)}'
    return _closed("circle", attributes, title)


def outline(corners: Sequence[tuple[float, float]], *, name: str, colour: str, title: str) -> str:
    """A polygon in a colour of its own, outlined."""
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in corners)
    return _closed("polygon", f'<polygon{_named(name)} points="{points}"{_coloured(colour)}', title)


def _coloured(colour: str) -> str:
    return f' fill="{colour}" stroke="currentColor" stroke-width="0.8"'


def path(points: Sequence[tuple[float, float]], *, name: str, width: float = 1.6, dash: Dash = "solid") -> str:
    """A line through points."""
    places = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
    return (
        f'<polyline{_named(name)} points="{places}" fill="none" stroke="currentColor" '
        f'stroke-width="{_number(width)}"{_DASHES[dash]}/>'
    )


def document(name: str, size: tuple[float, float], title: str, description: str, shapes: Iterable[str]) -> str:
    """One drawing as SVG: title and description for those who cannot see it, then the marks."""
    width, height = (_number(side) for side in size)
    return str(
        Markup(
            f'<svg xmlns="http://www.w3.org/2000/svg" class="plot {name}" role="img" width="{width}" '
            f'height="{height}" viewBox="0 0 {width} {height}" fill="currentColor" font-size="{FONT}" '
            "font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\">"
            f"<title>{escape(visible(title))}</title><desc>{escape(visible(description))}</desc>{''.join(shapes)}</svg>"
        )
    )


def _named(name: str) -> str:
    return f' class="{name}"' if name else ""


def _opacity(opacity: float) -> str:
    return "" if opacity >= 1 else f' fill-opacity="{_number(opacity)}"'


def _closed(tag: str, attributes: str, title: str) -> str:
    return f"{attributes}><title>{escape(visible(title))}</title></{tag}>" if title else f"{attributes}/>"
