"""The forecast of one arm from those of its stages, averaged over the arm's own patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from bcma_decide.model.normal import hermite
from bcma_decide.model.prediction import made_up
from bcma_decide.workshop.validation.forecast import Forecast, grid, normal_mixture

Array = NDArray[np.float64]

FIRST_POINTS, LATER_POINTS = 15, 9
PATIENTS = 64
"""Virtual patients where stages are multiplied: the first quarter of the points, balanced like the whole."""
BINS = 2000
"""Rates of an outcome of several stages are kept to one part in this many."""


@dataclass(frozen=True)
class StageForecast:
    """Log odds of one stage at a new arm: a mixture of normals (nodes,), and its patients' trait parts (patients,)."""

    weight: Array
    mean: Array
    variance: Array
    offsets: Array


def arm_forecast(stages: Sequence[StageForecast], share: float) -> Forecast:
    """Distribution of the arm's rate; ``share`` of its patients can have the outcome at all."""
    first = stages[0]
    if len(stages) == 1:
        points = grid(float(first.mean.min()), float(first.mean.max()), float(np.sqrt(first.variance.max())))
        rate = share * expit(points[:, None] + first.offsets).mean(axis=1)
        return normal_mixture(first.weight, first.mean, first.variance, rate)
    weights, rates = [], []
    for position, stage in enumerate(stages):
        points, mass = hermite(LATER_POINTS if position else FIRST_POINTS)
        mean, variance, weight = stage.mean, stage.variance, stage.weight
        if position:
            # a later stage as one normal with the mixture's own mean and variance
            centre = float(weight @ mean)
            variance = np.array([float(weight @ (variance + (mean - centre) ** 2))])
            mean, weight = np.array([centre]), np.ones(1)
        level = (mean[:, None] + np.sqrt(variance)[:, None] * points).ravel()
        weights.append((weight[:, None] * mass).ravel())
        rates.append(expit(level[:, None] + stage.offsets[:PATIENTS]))
    # every combination of the stages' levels, the stages along axes of their own
    spread = [
        rate.reshape(*[-1 if axis == position else 1 for axis in range(len(stages))], rate.shape[1])
        for position, rate in enumerate(rates)
    ]
    together = share * np.broadcast_to(made_up(spread)[0], (*[w.size for w in weights], PATIENTS)).mean(axis=-1)
    mass = weights[0]
    for weight in weights[1:]:
        mass = mass[..., None] * weight
    place = np.clip(together.ravel() * BINS, 0, BINS - 1).astype(np.intp)
    binned = np.bincount(place, weights=mass.ravel(), minlength=BINS)
    kept = binned > 0.0
    return Forecast(((np.arange(BINS) + 0.5) / BINS)[kept], binned[kept] / binned.sum())
