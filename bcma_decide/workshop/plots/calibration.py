"""Calibration plot: what was predicted across, what was observed upwards, one circle an arm, its area the patients."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots import svg
from bcma_decide.workshop.plots.axis import Axis, printed
from bcma_decide.workshop.plots.panel import Panel, spoken_list

__all__ = ["CalibrationPoint", "calibration"]

_LARGEST_RADIUS: Final = 12.0
_SMALLEST_RADIUS: Final = 2.0
_AXIS: Final = Axis("proportion", 0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
_STEPS: Final = 60
_EDGE: Final = 0.005


@dataclass(frozen=True)
class CalibrationPoint:
    """An arm: shares predicted and observed, and how many patients were observed."""

    label: str
    predicted: float
    observed: float
    patients: int


def calibration(
    points: Sequence[CalibrationPoint], line: tuple[float, float] | None, *, title: str, remarks: Sequence[str] = ()
) -> str:
    """Draw predicted against observed shares as SVG.

    Parameters
    ----------
    points
        At least one.
    line
        Intercept and slope of the observed on the predicted log odds, drawn as a solid curve; None draws none. The
        dashed diagonal is perfect agreement.
    title, remarks
        Name of the plot and sentences printed below it.

    Raises
    ------
    SynthesisError
        If there is no point.
    """
    if not points:
        raise SynthesisError("a calibration plot needs at least one arm")
    panel = Panel(_AXIS, _AXIS, names=("predicted without the study", "observed"))
    said = f"{len(points)} arms, predicted share across and observed share upwards."
    if line is not None:
        said += f" The curve has intercept {line[0]:.2f} and slope {line[1]:.2f} on the log-odds scale."
    facts = spoken_list(
        f"{each.label} {printed('proportion', each.predicted)} and {printed('proportion', each.observed)}"
        for each in points
    )
    shapes = [*_lines(panel, line), *_circles(panel, points)]
    return panel.document("calibration", title, f"{said} {facts}", shapes, remarks)


def _lines(panel: Panel, line: tuple[float, float] | None) -> Iterator[str]:
    ends = [(panel.x.at(end), panel.y.at(end)) for end in (0.0, 1.0)]
    yield svg.path(ends, name="identity", width=1.2, dash="dashed")
    if line is not None:
        shares = [_EDGE + (1.0 - 2.0 * _EDGE) * step / _STEPS for step in range(_STEPS + 1)]
        curve = [(panel.x.at(share), panel.y.at(_curve(share, *line))) for share in shares]
        yield svg.path(curve, name="fitted", width=2.0)


def _curve(share: float, intercept: float, slope: float) -> float:
    return 1.0 / (1.0 + math.exp(-(intercept + slope * math.log(share / (1.0 - share)))))


def _circles(panel: Panel, points: Sequence[CalibrationPoint]) -> Iterator[str]:
    """The large ones first, so that none hides a smaller one."""
    largest = max(point.patients for point in points)
    for point in sorted(points, key=lambda each: -each.patients):
        radius = max(_SMALLEST_RADIUS, _LARGEST_RADIUS * math.sqrt(point.patients / largest))
        said = (
            f"{point.label}: predicted {printed('proportion', point.predicted)}, "
            f"observed {printed('proportion', point.observed)} of {point.patients}"
        )
        x, y = panel.x.at(point.predicted), panel.y.at(point.observed)
        yield svg.circle(x, y, radius, name="study", opacity=0.3, title=said)
