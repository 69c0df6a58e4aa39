"""GOSH plot: the pooled effect of all subsets of the studies against their I2, as a map of how many lie where.

Two clouds mean that the studies do not share one distribution of effects (Olkin, Dahabreh and Trikalinos 2012). Tens
of thousands of dots are drawn as cells, the darker the more subsets (on a logarithmic scale); the subsets that hold
one study of interest can be outlined.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots import svg
from bcma_decide.workshop.plots.axis import AxisKind, axis_for, printed
from bcma_decide.workshop.plots.panel import HEIGHT, WIDTH, Panel

__all__ = ["gosh"]

_ACROSS, _UP = 80, 50
_HEAD: Final = 70.0
_LEGEND: Final = 24.0
_FAINTEST, _DARKEST = 0.12, 0.6
"""Opacity of a cell with the fewest and the most subsets; the outline stands out of both."""


def gosh(
    estimates: npt.ArrayLike,
    i2: npt.ArrayLike,
    *,
    title: str,
    measure: str,
    kind: AxisKind,
    marked: npt.ArrayLike | None = None,
    marked_name: str = "",
) -> str:
    """Draw a GOSH plot as SVG, with the distribution of the effects above it.

    Parameters
    ----------
    estimates, i2 : array_like, shape (m,)
        Pooled effects on the analysis scale and I2 in percent; subsets without an I2 (nan: one study) are left out.
    title, measure
        Name of the plot and of the effect.
    kind
        How the scale of the effect reads: ``logit`` as percent, ``log_ratio`` as ratios, ``plain`` as it is.
    marked : array_like of bool, shape (m,), optional
        Subsets to mark, usually those with one study; cells in which they are the majority are outlined.
    marked_name
        What they are, for the legend.

    Raises
    ------
    SynthesisError
        If the arrays differ in length, no subset has an I2, or an effect is not finite.
    """
    effects, heterogeneity = np.asarray(estimates, dtype=np.float64), np.asarray(i2, dtype=np.float64)
    chosen = np.zeros(effects.shape, dtype=np.bool_) if marked is None else np.asarray(marked, dtype=np.bool_)
    if effects.ndim != 1 or not effects.shape == heterogeneity.shape == chosen.shape:
        raise SynthesisError("estimates, i2 and marked must have one value for each subset")
    known = ~np.isnan(heterogeneity)
    effects, heterogeneity, chosen = effects[known], heterogeneity[known], chosen[known]
    if not effects.size:
        raise SynthesisError("no subset has an I2: it takes at least two studies")
    x = axis_for(kind, [float(effects.min()), float(effects.max())])
    names = (measure, "I\N{SUPERSCRIPT TWO}, percent")
    panel = Panel(x, axis_for("plain", [0.0, 100.0]), names=names, head=_HEAD + (_LEGEND if chosen.any() else 0.0))
    ends = [[x.low, x.high], [0.0, 100.0 + 1e-9]]
    every = np.histogram2d(effects, heterogeneity, bins=(_ACROSS, _UP), range=ends)[0]
    ours = np.histogram2d(effects[chosen], heterogeneity[chosen], bins=(_ACROSS, _UP), range=ends)[0]
    shapes = [*_cells(panel, every), _outline(panel, 2 * ours > every), *_profile(panel, every.sum(axis=1))]
    if chosen.any():
        shapes += _legend(panel, marked_name)
    quantiles = [printed(kind, float(value)) for value in np.quantile(effects, (0.05, 0.5, 0.95))]
    said = f"GOSH plot of {effects.size} subsets of the studies. {measure}: median {quantiles[1]}, nine of ten between "
    said += f"{quantiles[0]} and {quantiles[2]}. I2: median {np.median(heterogeneity):.0f} %."
    if chosen.any() and not chosen.all():
        with_it, without = (printed(kind, float(np.median(effects[rows]))) for rows in (chosen, ~chosen))
        said += f" {marked_name}: median {with_it} in the subsets with it, {without} in those without."
    return panel.document("gosh", title, said, shapes)


def _cell_place(panel: Panel, across: int, up: int) -> tuple[float, float]:
    """Left and upper edge of a cell."""
    return panel.left + across * WIDTH / _ACROSS, panel.bottom - (up + 1) * HEIGHT / _UP


def _cells(panel: Panel, counts: npt.NDArray[np.float64]) -> Iterator[str]:
    darkest = math.log1p(float(counts.max()))
    for across, up in np.argwhere(counts > 0).tolist():
        left, top = _cell_place(panel, across, up)
        depth = math.log1p(float(counts[across, up])) / darkest
        opacity = _FAINTEST + (_DARKEST - _FAINTEST) * depth
        yield svg.rectangle(left, top, WIDTH / _ACROSS, HEIGHT / _UP, name="cell", opacity=opacity)


def _outline(panel: Panel, inside: npt.NDArray[np.bool_]) -> str:
    """The border around cells: every side whose neighbour is not one of them."""
    wide, high = WIDTH / _ACROSS, HEIGHT / _UP
    framed = np.pad(inside, 1)
    sides = []
    for across, up in np.argwhere(inside).tolist():
        left, top = _cell_place(panel, across, up)
        corners = ((left, top), (left + wide, top), (left + wide, top + high), (left, top + high))
        beyond = (
            framed[across + 1, up + 2],
            framed[across + 2, up + 1],
            framed[across + 1, up],
            framed[across, up + 1],
        )
        sides += [(corners[side], corners[(side + 1) % 4]) for side in range(4) if not beyond[side]]
    return svg.strokes(sides, name="marked")


def _profile(panel: Panel, counts: npt.NDArray[np.float64]) -> Iterator[str]:
    """How many subsets have which effect, above the panel."""
    tallest = float(counts.max())
    for across, count in enumerate(counts.tolist()):
        if count:
            height = (_HEAD - 10) * count / tallest
            left = panel.left + across * WIDTH / _ACROSS
            yield svg.rectangle(left, panel.top - 4 - height, WIDTH / _ACROSS, height, name="profile", opacity=0.5)


def _legend(panel: Panel, name: str) -> list[str]:
    y = panel.top - _HEAD - 6
    x = panel.left + 10
    corners = ((panel.left, y - 9), (x, y - 9), (x, y + 1), (panel.left, y + 1))
    sides = [(corners[side], corners[(side + 1) % 4]) for side in range(4)]
    words = f"outlined: more than half of the subsets hold {name}"
    return [svg.strokes(sides, name="key"), svg.text(x + 6, y, words, room=WIDTH - 16)]
