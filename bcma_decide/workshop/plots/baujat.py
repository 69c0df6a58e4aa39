"""Baujat's plot: which studies make the heterogeneity, and which of them move the result (Baujat et al. 2002)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots import svg
from bcma_decide.workshop.plots.axis import axis_for
from bcma_decide.workshop.plots.panel import Panel, spoken_list

__all__ = ["BaujatPoint", "baujat"]

_RADIUS: Final = 3.6
_MOST_NAMED: Final = 10
_NAME_ROOM: Final = 200.0


@dataclass(frozen=True)
class BaujatPoint:
    """A study: its ``contribution`` to heterogeneity and its ``influence`` on the pooled effect."""

    label: str
    contribution: float
    influence: float


def baujat(points: Sequence[BaujatPoint], *, title: str) -> str:
    """Draw Baujat's plot as SVG; the studies furthest out are named, as many as there is room for.

    Raises
    ------
    SynthesisError
        If there is no point or a value is not finite.
    """
    if not points:
        raise SynthesisError("Baujat's plot needs at least one study")
    panel = Panel(
        axis_for("plain", [0.0, *(point.contribution for point in points)]),
        axis_for("plain", [0.0, *(point.influence for point in points)]),
        names=("Contribution to heterogeneity", "Influence on the pooled result"),
    )
    shapes = [*(_mark(panel, point) for point in points), *_names(panel, points)]
    ranked = sorted(points, key=lambda point: -point.contribution)
    said = f"Baujat's plot of {len(points)} studies, those that add most to the heterogeneity first:"
    facts = (f"{point.label} adds {point.contribution:.2f}, influence {point.influence:.2f}" for point in ranked)
    return panel.document("baujat", title, f"{said} {spoken_list(facts)}", shapes)


def _mark(panel: Panel, point: BaujatPoint) -> str:
    x, y = panel.x.at(point.contribution), panel.y.at(point.influence)
    return svg.circle(x, y, _RADIUS, name="study", opacity=0.75, title=point.label)


def _names(panel: Panel, points: Sequence[BaujatPoint]) -> Iterator[str]:
    """Names of the outermost studies, without those that would lie on another name or mark wherever they stand."""
    places = {point: (panel.x.at(point.contribution), panel.y.at(point.influence)) for point in points}

    def inwards(point: BaujatPoint) -> float:
        x, y = places[point]
        return -((x - panel.left) ** 2 + (panel.bottom - y) ** 2)

    taken = [(x - _RADIUS, y - _RADIUS, x + _RADIUS, y + _RADIUS) for x, y in places.values()]
    for point in sorted(points, key=inwards)[:_MOST_NAMED]:
        name = svg.shortened(point.label, _NAME_ROOM)
        for left, baseline in _spots(*places[point], svg.text_width(name)):
            box = (left, baseline - 0.8 * svg.FONT, left + svg.text_width(name), baseline + 0.2 * svg.FONT)
            inside = panel.left <= left and box[2] <= panel.right and box[3] <= panel.bottom
            if inside and not any(_overlap(box, each) for each in taken):
                taken.append(box)
                yield svg.text(left, baseline, point.label, room=_NAME_ROOM)
                break


def _spots(x: float, y: float, width: float) -> Iterator[tuple[float, float]]:
    """Left end and baseline of a name to the right of a mark, to its left, above it and below it."""
    beside = _RADIUS + 4
    yield x + beside, y + 0.35 * svg.FONT
    yield x - beside - width, y + 0.35 * svg.FONT
    yield x - width / 2, y - beside
    yield x - width / 2, y + beside + 0.75 * svg.FONT


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
