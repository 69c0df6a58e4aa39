"""Funnel plot: effects against their standard errors, the exact studies on top (Sterne and Egger 2001)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots import svg
from bcma_decide.workshop.plots.axis import AxisKind, axis_for, printed
from bcma_decide.workshop.plots.panel import Panel, spoken_list

__all__ = ["FunnelPoint", "funnel"]

_RADIUS: Final = 4.2


@dataclass(frozen=True)
class FunnelPoint:
    """A study by its effect on the analysis scale and its standard error; ``filled``: added by trim and fill."""

    label: str
    effect: float
    se: float
    filled: bool = False

    def __post_init__(self) -> None:
        if not self.se > 0:
            raise SynthesisError(f"{self.label}: se is {self.se:g}, but a standard error must be positive")


def funnel(
    points: Sequence[FunnelPoint],
    centre: float,
    *,
    title: str,
    measure: str,
    kind: AxisKind,
    level: float = 0.95,
    reference: float | None = None,
    remarks: Sequence[str] = (),
) -> str:
    """Draw a funnel plot as SVG: dots are studies, rings studies that trim and fill added.

    Parameters
    ----------
    points
        Studies, effects on the analysis scale.
    centre
        The pooled effect on the same scale; the dashed lines from it hold ``level`` of the studies if only chance
        were at work.
    title, measure
        Name of the plot and of the effect.
    kind
        How the scale reads: ``logit`` as percent, ``log_ratio`` as ratios, ``plain`` as it is.
    level
        Of the dashed lines.
    reference
        Where a solid line is drawn, such as no effect.
    remarks
        Sentences that belong beside the plot and are printed below it.

    Raises
    ------
    SynthesisError
        If there is no point or a value is not finite.
    """
    if not points:
        raise SynthesisError("a funnel plot needs at least one study")
    most = 1.05 * max(point.se for point in points)
    y = axis_for("plain", [0.0, most])
    reach = float(special.ndtri(1 - (1 - level) / 2)) * y.high
    effects = [point.effect for point in points]
    fixed = [centre] if reference is None else [centre, reference]
    panel = Panel(
        axis_for(kind, [*effects, *fixed], [centre - reach, centre + reach]),
        y,
        names=(measure, "Standard error"),
        falling=True,
    )
    shapes = [*_lines(panel, centre, reach, reference), *(_mark(panel, point, kind) for point in points)]
    return panel.document("funnel", title, _description(points, centre, measure, kind, level), shapes, remarks)


def _lines(panel: Panel, centre: float, reach: float, reference: float | None) -> Iterator[str]:
    tip, middle = panel.top, panel.x.at(centre)
    yield svg.segment(middle, tip, middle, panel.bottom, name="centre", width=1)
    for sign in (-1.0, 1.0):
        end = centre + sign * reach
        share = min(1.0, _share_inside(panel, centre, end))
        x, y = panel.x.at(centre + share * (end - centre)), tip + share * (panel.bottom - tip)
        yield svg.segment(middle, tip, x, y, name="limit", width=1.2, dash="dashed")
    if reference is not None:
        x = panel.x.at(reference)
        yield svg.segment(x, tip, x, panel.bottom, name="reference", width=1, dash="dotted")


def _share_inside(panel: Panel, centre: float, end: float) -> float:
    """Share of the way from the centre to the end of a limit that lies inside the panel."""
    border = panel.x.axis.high if end > centre else panel.x.axis.low
    return (border - centre) / (end - centre)


def _mark(panel: Panel, point: FunnelPoint, kind: AxisKind) -> str:
    said = f"{point.label}: {printed(kind, point.effect)}, standard error {point.se:.2f}"
    name = "filled-in" if point.filled else "study"
    x, y = panel.x.at(point.effect), panel.y.at(point.se)
    return svg.circle(x, y, _RADIUS, name=name, filled=not point.filled, opacity=0.75, title=said)


def _description(points: Sequence[FunnelPoint], centre: float, measure: str, kind: AxisKind, level: float) -> str:
    added = sum(point.filled for point in points)
    said = f"Funnel plot of {len(points) - added} studies, {measure}, about the pooled {printed(kind, centre)}"
    said += f", with limits that hold {100 * level:g} % of studies without bias or heterogeneity."
    if added:
        said += f" {added} more were added by trim and fill and are drawn as rings."
    facts = (f"{point.label} {printed(kind, point.effect)}, standard error {point.se:.2f}" for point in points)
    return f"{said} {spoken_list(facts)}"
