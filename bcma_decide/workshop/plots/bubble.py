"""Bubble plot: effects along one number of the studies, with the line of a meta-regression and its two bands.

The darker band is where the line itself may lie, between the solid edges; a new study is expected between the dashed
ones (Thompson and Higgins 2002; Higgins, Thompson and Spiegelhalter 2009).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots import svg
from bcma_decide.workshop.plots.axis import AxisKind, axis_along, axis_for, printed
from bcma_decide.workshop.plots.panel import Panel, spoken_list

__all__ = ["Bubble", "FittedLine", "bubble"]

_LARGEST_RADIUS: Final = 13.0
_SMALLEST_RADIUS: Final = 2.5


@dataclass(frozen=True)
class Bubble:
    """A study: its place ``x`` along the moderator, effect on the analysis scale, weight in any unit."""

    label: str
    x: float
    effect: float
    weight: float

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise SynthesisError(f"{self.label}: weight is {self.weight:g}, but must not be negative")


@dataclass(frozen=True)
class FittedLine:
    """A regression line at places ``x``: ``fitted`` with its interval and, unless unknown, the prediction interval."""

    x: tuple[float, ...]
    fitted: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    prediction_low: tuple[float, ...] = ()
    prediction_high: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        wanted = len(self.x)
        if wanted < 2 or any(b <= a for a, b in zip(self.x, self.x[1:], strict=False)):
            raise SynthesisError("a line needs at least two places, each to the right of the one before")
        for name in ("fitted", "low", "high", "prediction_low", "prediction_high"):
            length = len(getattr(self, name))
            if length != wanted and not (length == 0 and name.startswith("prediction")):
                raise SynthesisError(f"{name} has {length} places but x has {wanted}")


def bubble(
    points: Sequence[Bubble],
    line: FittedLine,
    *,
    title: str,
    moderator: str,
    measure: str,
    kind: AxisKind,
    level: float = 0.95,
    remarks: Sequence[str] = (),
) -> str:
    """Draw a bubble plot as SVG: areas are weights.

    Parameters
    ----------
    points, line
        Studies and the line, effects on the analysis scale, on which the line is straight.
    title, moderator, measure
        Name of the plot, of the number across and of the effect.
    kind
        How the scale of the effect reads: ``logit`` as percent, ``log_ratio`` as ratios, ``plain`` as it is.
    level
        Of the bands.
    remarks
        Sentences printed below the plot.

    Raises
    ------
    SynthesisError
        If there is no point or a value is not finite.
    """
    if not points:
        raise SynthesisError("a bubble plot needs at least one study")
    bands = [*line.low, *line.high, *line.prediction_low, *line.prediction_high]
    x = axis_along([*(point.x for point in points), line.x[0], line.x[-1]])
    panel = Panel(
        x, axis_for(kind, [*(point.effect for point in points), *line.fitted], bands), names=(moderator, measure)
    )
    shapes = [*_bands(panel, line), *_bubbles(panel, points, moderator, kind)]
    return panel.document("bubble", title, _description(points, line, moderator, measure, kind, level), shapes, remarks)


def _bands(panel: Panel, line: FittedLine) -> Iterator[str]:
    def places(values: Sequence[float]) -> list[tuple[float, float]]:
        return [(panel.x.at(x), panel.y.within(value)) for x, value in zip(line.x, values, strict=True)]

    yield svg.polygon([*places(line.low), *reversed(places(line.high))], name="band", opacity=0.14)
    for edge in (line.low, line.high):
        yield svg.path(places(edge), name="band-edge", width=0.8)
    for edge in (line.prediction_low, line.prediction_high):
        if edge:
            yield svg.path(places(edge), name="prediction-edge", width=1.2, dash="dashed")
    yield svg.path(places(line.fitted), name="fitted", width=2.2)


def _bubbles(panel: Panel, points: Sequence[Bubble], moderator: str, kind: AxisKind) -> Iterator[str]:
    """The large ones first, so that none hides a smaller one."""
    largest = max(point.weight for point in points) or 1.0
    for point in sorted(points, key=lambda each: -each.weight):
        radius = max(_SMALLEST_RADIUS, _LARGEST_RADIUS * math.sqrt(point.weight / largest))
        said = f"{point.label}: {printed(kind, point.effect)} at {moderator} {point.x:g}"
        yield svg.circle(panel.x.at(point.x), panel.y.at(point.effect), radius, name="study", opacity=0.3, title=said)


def _description(
    points: Sequence[Bubble], line: FittedLine, moderator: str, measure: str, kind: AxisKind, level: float
) -> str:
    ends = (
        f"{printed(kind, line.fitted[i])} ({printed(kind, line.low[i])} to {printed(kind, line.high[i])}) at "
        f"{line.x[i]:g}"
        for i in (0, -1)
    )
    said = f"{measure} of {len(points)} studies along {moderator}. The line leads from {' to '.join(ends)}, "
    said += f"each with its {100 * level:g} % interval."
    facts = (f"{point.label} {printed(kind, point.effect)} at {point.x:g}" for point in points)
    return f"{said} {spoken_list(facts)}"
