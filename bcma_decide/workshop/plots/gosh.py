"""GOSH plot: the pooled effect of all subsets of the studies against their I2, as a map of how many lie where.

Two clouds mean that the studies do not share one distribution of effects (Olkin, Dahabreh and Trikalinos 2012). Tens
of thousands of dots are drawn as cells, the darker the more subsets (on a logarithmic scale).
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
_FAINTEST, _DARKEST = 0.12, 0.6
"""Opacity of a cell with the fewest and the most subsets."""


def gosh(
    estimates: npt.ArrayLike,
    i2: npt.ArrayLike,
    *,
    title: str,
    measure: str,
    kind: AxisKind,
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

    Raises
    ------
    SynthesisError
        If the arrays differ in length, no subset has an I2, or an effect is not finite.
    """
    effects, heterogeneity = np.asarray(estimates, dtype=np.float64), np.asarray(i2, dtype=np.float64)
    if effects.ndim != 1 or effects.shape != heterogeneity.shape:
        raise SynthesisError("estimates and i2 must have one value for each subset")
    known = ~np.isnan(heterogeneity)
    effects, heterogeneity = effects[known], heterogeneity[known]
    if not effects.size:
        raise SynthesisError("no subset has an I2: it takes at least two studies")
    x = axis_for(kind, [float(effects.min()), float(effects.max())])
    names = (measure, "I\N{SUPERSCRIPT TWO}, percent")
    panel = Panel(x, axis_for("plain", [0.0, 100.0]), names=names, head=_HEAD)
    ends = [[x.low, x.high], [0.0, 100.0 + 1e-9]]
    every = np.histogram2d(effects, heterogeneity, bins=(_ACROSS, _UP), range=ends)[0]
    shapes = [*_cells(panel, every), *_profile(panel, every.sum(axis=1))]
    quantiles = [printed(kind, float(value)) for value in np.quantile(effects, (0.05, 0.5, 0.95))]
    said = f"GOSH plot of {effects.size} subsets of the studies. {measure}: median {quantiles[1]}, nine of ten between "
    said += f"{quantiles[0]} and {quantiles[2]}. I2: median {np.median(heterogeneity):.0f} %."
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


def _profile(panel: Panel, counts: npt.NDArray[np.float64]) -> Iterator[str]:
    """How many subsets have which effect, above the panel."""
    tallest = float(counts.max())
    for across, count in enumerate(counts.tolist()):
        if count:
            height = (_HEAD - 10) * count / tallest
            left = panel.left + across * WIDTH / _ACROSS
            yield svg.rectangle(left, panel.top - 4 - height, WIDTH / _ACROSS, height, name="profile", opacity=0.5)
