"""Drawings as inline SVG, one small writer: icon arrays, interval bars, steps, marks.

Every drawing carries a ``<title>`` (the text alternative inside a tagged PDF). Colours stand in presentation
attributes, since page styles do not reach a drawing inside a PDF; classes let a screen with a dark background change
them. The first option is blue and round, the second orange, square and outlined in black, so that neither colour nor
grey value is needed to tell them apart. Colours: Okabe and Ito, Color Universal Design (2008).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from bcma_decide.comparison import Estimate, WaterfallStep
from bcma_decide.render.words import wording
from bcma_decide.render.words.language import gettext as _
from bcma_decide.vocabulary import LabelState

if TYPE_CHECKING:
    from markupsafe import Markup

INK: Final = "#1a1a1a"
GREY: Final = "#767676"
PAPER: Final = "#ffffff"


@dataclass(frozen=True)
class Look:
    """How an option is drawn: its colour and, as the second cue, its shape."""

    name: Literal["first", "second"]
    colour: str
    shape: Literal["circle", "square"]


FIRST: Final = Look("first", "#0072b2", "circle")
SECOND: Final = Look("second", "#e69f00", "square")
LOOKS: Final = (FIRST, SECOND)
"""By the option's place in the comparison."""


class IconParts(NamedTuple):
    """Of 100 people: how many icons of each kind, in the order in which they are drawn; they sum to 100.

    ``sure`` up to the low end of the interval, ``likely`` from there to the mean, ``possible`` from the mean to
    the high end, ``rest`` beyond it.
    """

    sure: int
    likely: int
    possible: int
    rest: int


def icon_parts(mean: float, credible: tuple[float, float]) -> IconParts:
    """Split 100 icons at the printed ends of the interval and the printed mean, so that icons and numbers agree."""
    low, middle, high = (min(100, wording.whole(100 * value)) for value in (credible[0], mean, credible[1]))
    low, high = min(low, middle), max(high, middle)
    return IconParts(low, middle - low, high - middle, 100 - high)


_CELL: Final = 10
_RADIUS: Final = 3.7
_KINDS: Final = {
    "sure": 'fill="{colour}" stroke="{ink}" stroke-width="0.8"',
    "likely": 'fill="{colour}" fill-opacity="0.45" stroke="{ink}" stroke-width="1" stroke-dasharray="1.6 1.2"',
    "possible": 'fill="none" stroke="{ink}" stroke-width="1" stroke-dasharray="1.6 1.2"',
    "rest": 'fill="none" stroke="{grey}" stroke-width="0.7"',
}


def icon_array(parts: IconParts, look: Look, title: str) -> Markup:
    """Draw 100 icons in ten rows, filled row by row from the upper left.

    Parameters
    ----------
    parts
        How many of each kind.
    look
        Whose icons.
    title
        The numbers in words.
    """
    place, drawn = 0, []
    for kind, count in parts._asdict().items():
        outline = "".join(_icon(position, look) for position in range(place, place + count))
        place += count
        if outline:
            drawn.append(f'<path class="{kind}" {_colours(_KINDS[kind], look)} d="{outline}"/>')
    return svg(f"icons {look.name}", (10 * _CELL, 10 * _CELL), title, drawn, hidden=False)


def _icon(position: int, look: Look) -> str:
    row, column = divmod(position, 10)
    x, y = column * _CELL + _CELL / 2, row * _CELL + _CELL / 2
    r, side = _RADIUS, 2 * _RADIUS
    if look.shape == "circle":
        return f"M{x - r:g} {y:g}a{r:g} {r:g} 0 1 0 {side:g} 0a{r:g} {r:g} 0 1 0 -{side:g} 0z"
    return f"M{x - r:g} {y - r:g}h{side:g}v{side:g}h-{side:g}z"


def icon_sample(kind: str, title: str) -> Markup:
    """Draw one icon of each option, for a legend; its words stand beside it.

    Parameters
    ----------
    kind
        A field of :class:`IconParts`.
    title
        Those words.
    """
    icons = (
        f'<path class="{kind} {look.name}" {_colours(_KINDS[kind], look)} d="{_icon(position, look)}"/>'
        for position, look in enumerate(LOOKS)
    )
    return svg("sample", (len(LOOKS) * _CELL, _CELL), title, icons, hidden=True)


BAR_WIDTH: Final = 120
_BAR_HEIGHT: Final = 12


def interval_bar(estimate: Estimate, look: Look) -> Markup | str:
    """Draw a number on a line from 0 to 100: broad its interval, thin that of the next centre, a mark the mean.

    Returns an empty text for an estimate without a number.
    """
    if estimate.mean is None or estimate.credible is None or not wording.has_number(estimate):
        return ""
    outer = estimate.prediction or estimate.credible
    left, right = (_at(end) for end in estimate.credible)
    middle = _BAR_HEIGHT / 2
    shapes = [
        f'<path class="axis" fill="none" stroke="{GREY}" stroke-width="0.8" d="M1 {middle:g}H{BAR_WIDTH - 1}'
        f'M1 3V9M{BAR_WIDTH / 2:g} 4V8M{BAR_WIDTH - 1} 3V9"/>',
        f'<path class="outer" fill="none" stroke="{INK}" stroke-width="1.2" d="M{_at(outer[0]):.1f} {middle:g}'
        f'H{_at(outer[1]):.1f}"/>',
        f'<rect class="inner" fill="{look.colour}" stroke="{INK}" stroke-width="0.8" x="{left:.1f}" y="3.5" '
        f'width="{max(right - left, 1):.1f}" height="5"/>',
        _mark(_at(estimate.mean), middle, look),
    ]
    return svg(f"bar {look.name}", (BAR_WIDTH, _BAR_HEIGHT), bar_title(estimate), shapes, hidden=True)


LINE_WIDTH: Final = 60
NARROW_LINE: Final = 40
"""Small, so that dots are large beside their numbers; narrow where many options stand side by side."""
_LINE_HEIGHT: Final = 12


def dot_line(
    mean: float, ends: tuple[float, float], look: Look, title: str, on_label: LabelState | None, width: int = LINE_WIDTH
) -> Markup:
    """Draw a share on a line from 0 to 100: a dot the mean, a line its interval.

    Solid and full on label, solid and open where the label is open, grey, dashed and open off label.

    Parameters
    ----------
    mean, ends
        As fractions.
    look
        Whose number.
    title
        The numbers in words.
    on_label
        State of the option's label; None where it has none here.
    width
        In units of the drawing.
    """
    middle = _LINE_HEIGHT / 2
    x, low, high = (4 + (width - 8) * min(max(value, 0.0), 1.0) for value in (mean, *ends))
    off = on_label in ("not_met", None)
    kind, fill = ("dot", look.colour) if on_label == "met" else ("open", PAPER)
    ink, dashes = (GREY, ' stroke-dasharray="3 2"') if off else (INK, "")
    style = f'class="{kind}" fill="{fill}" stroke="{ink}" stroke-width="1"'
    shapes = [
        f'<path class="axis" fill="none" stroke="{GREY}" stroke-width="0.5" d="M4 {middle:g}H{width - 4}'
        f'M4 3V9M{width / 2:g} 4V8M{width - 4} 3V9"/>',
        f'<path class="ends" fill="none" stroke="{ink}" stroke-width="2"{dashes} '
        f'd="M{low:.1f} {middle:g}H{max(high, low + 0.5):.1f}"/>',
        f'<circle {style} cx="{x:.1f}" cy="{middle:g}" r="3.4"/>'
        if look.shape == "circle"
        else f'<rect {style} x="{x - 3:.1f}" y="{middle - 3:g}" width="6" height="6"/>',
    ]
    return svg(f"dots {look.name}", (width, _LINE_HEIGHT), title, shapes, hidden=True)


def bar_title(estimate: Estimate) -> str:
    """The numbers of an interval bar in words."""
    if estimate.mean is None or estimate.credible is None:
        return wording.state(estimate)
    text = _("{number}, 95 % interval {interval}").format(
        number=wording.of_100(estimate.mean), interval=wording.interval(estimate.credible)
    )
    if estimate.prediction is None:
        return text
    return text + "; " + _("next centre {interval}").format(interval=wording.interval(estimate.prediction))


def _at(fraction: float) -> float:
    return 1 + (BAR_WIDTH - 2) * min(max(fraction, 0.0), 1.0)


def _mark(x: float, y: float, look: Look) -> str:
    style = f'class="mark" fill="{PAPER}" stroke="{INK}" stroke-width="1.2"'
    if look.shape == "circle":
        return f'<circle {style} cx="{x:.1f}" cy="{y:g}" r="3.4"/>'
    return f'<rect {style} x="{x - 3:.1f}" y="{y - 3:g}" width="6" height="6"/>'


def option_key(look: Look, title: str) -> Markup:
    """Draw the mark of an option, to stand beside its name."""
    shapes = [
        f'<rect class="inner" fill="{look.colour}" stroke="{INK}" stroke-width="0.8" x="1" y="3.5" width="18" '
        f'height="5"/>',
        _mark(10, _BAR_HEIGHT / 2, look),
    ]
    return svg(f"key {look.name}", (20, _BAR_HEIGHT), title, shapes, hidden=True)


_SHAPES: Final = {
    "contraindication": '<path class="ink" fill="{ink}" d="M1 1H11V11H1z"/>',
    "caution": '<path class="ink" fill="{ink}" d="M6 1L11.5 11H0.5z"/>',
    "information": '<circle class="line" fill="none" stroke="{ink}" stroke-width="1.2" cx="6" cy="6" r="4.8"/>'
    '<path class="line" fill="none" stroke="{ink}" stroke-width="1.5" d="M6 5.2V9M6 2.9V4.3"/>',
    "cannot_be_judged": '<path class="line" fill="none" stroke="{ink}" stroke-width="1.3" stroke-dasharray="2 1.2" '
    'd="M6 1L11 6L6 11L1 6z"/>',
    "met": '<path class="line" fill="none" stroke="{ink}" stroke-width="1.8" d="M1.5 6.5L4.5 10L10.5 2"/>',
    "not_met": '<path class="line" fill="none" stroke="{ink}" stroke-width="1.8" d="M2 2L10 10M10 2L2 10"/>',
    "used": '<circle class="ink" fill="{ink}" cx="6" cy="6" r="4.6"/>',
    "derived": '<path class="ink" fill="{ink}" d="M6 1.4A4.6 4.6 0 0 0 6 10.6z"/><circle class="line" fill="none" '
    'stroke="{ink}" stroke-width="1.2" cx="6" cy="6" r="4.6"/>',
    "idle": '<path class="line" fill="none" stroke="{ink}" stroke-width="1.8" d="M2 6H10"/>',
    "unknown": '<circle class="line" fill="none" stroke="{ink}" stroke-width="1.2" stroke-dasharray="2 1.2" cx="6" '
    'cy="6" r="4.6"/>',
    "contradiction": '<path class="line" fill="none" stroke="{ink}" stroke-width="1.2" d="M6 1L11.5 11H0.5z"/>'
    '<path class="line" fill="none" stroke="{ink}" stroke-width="1.4" d="M6 4V7.5M6 8.6V10"/>',
}


def shape(name: str, title: str) -> Markup:
    """Draw the sign of a rank or a state; its word stands beside it.

    Parameters
    ----------
    name
        A rank of findings, a state of labels, or a state of the input ledger.
    title
        That word.
    """
    return svg("shape", (12, 12), title, [_colours(_SHAPES[name], FIRST)], hidden=True)


_STEP_HEIGHT: Final = 14


def waterfall(steps: Sequence[WaterfallStep], look: Look, title: str) -> Markup:
    """Draw the steps from the average patient of the evidence to this one: a bar from the mean before to that after.

    The first and the last step are bars from zero; the number of each step stands in the table beside the drawing.
    """
    height = _STEP_HEIGHT * len(steps)
    drawn = [
        f'<path class="axis" fill="none" stroke="{GREY}" stroke-width="0.8" d="M1 0V{height}M{BAR_WIDTH - 1} 0V'
        f'{height}"/>'
    ]
    for position, step in enumerate(steps):
        whole_bar = position in (0, len(steps) - 1)
        start, end = sorted((0.0 if whole_bar else step.mean - step.change, step.mean))
        left, right = _at(start), _at(end)
        opacity = "1" if whole_bar else "0.5"
        drawn.append(
            f'<rect class="inner" fill="{look.colour}" fill-opacity="{opacity}" stroke="{INK}" stroke-width="0.8" '
            f'x="{left:.1f}" y="{position * _STEP_HEIGHT + 3}" width="{max(right - left, 0.5):.1f}" height="8"/>'
        )
    return svg(f"steps {look.name}", (BAR_WIDTH, height), title, drawn, hidden=True)


def _colours(template: str, look: Look) -> str:
    return template.format(colour=look.colour, ink=INK, grey=GREY)


def svg(name: str, size: tuple[int, int], title: str, shapes: Iterable[str], *, hidden: bool) -> Markup:
    """One drawing of so many units; hidden from screen readers where the same numbers stand beside it as text."""
    from markupsafe import Markup, escape

    spoken = 'aria-hidden="true" focusable="false"' if hidden else 'role="img"'
    # A title that a template has put together is escaped already: escaped twice, "<1" is read out as "&lt;1".
    plain = title.unescape() if isinstance(title, Markup) else title
    return Markup(
        f'<svg class="{name}" viewBox="0 0 {size[0]} {size[1]}" {spoken}>'
        f"<title>{escape(wording.visible(plain))}</title>{''.join(shapes)}</svg>"
    )
