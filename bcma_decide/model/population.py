"""The evidence population given what is known of a patient.

Unknown traits are never set to a normal value: they are averaged over the patients of the evidence who are like this
one in what is known. The population is a Gaussian copula; each known trait updates the latent normal (exactly for a
numeric trait, by matching the first two moments of the truncated normal for a yes/no trait: assumed-density filtering,
Minka TP. Expectation propagation for approximate Bayesian inference. UAI 2001, section 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from bcma_decide.pooled.file import Population

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Patients:
    """Virtual patients like this one: ``values`` (draws, traits) on the model's scale; ``known`` (traits,)."""

    values: Array
    known: NDArray[np.bool_]


def _truncated(cut: float, above: bool) -> tuple[float, float]:
    """Mean and variance of a standard normal above (or below) ``cut``."""
    sign = 1.0 if above else -1.0
    c = max(min(sign * cut, 30.0), -30.0)
    tail = 0.5 * erfc(c / sqrt(2.0))
    if tail < 1e-12:
        return sign * c, 0.0
    hazard = exp(-0.5 * c * c) / sqrt(2.0 * pi) / tail
    return sign * hazard, max(1.0 + c * hazard - hazard * hazard, 0.0)


def conditional_patients(population: Population, values: Sequence[float | None]) -> Patients:
    """Quasi-random patients who share the known ``values`` (model scale, None = unknown), shape (draws, traits)."""
    size = population.cut.size
    mean, covariance = np.zeros(size), population.correlation.copy()
    known = np.array([value is not None for value in values])
    for trait, value in enumerate(values):
        variance = covariance[trait, trait]
        if value is None or variance < 1e-9:
            continue
        if population.binary[trait]:
            sd = sqrt(variance)
            new_mean, new_variance = _truncated(float((population.cut[trait] - mean[trait]) / sd), value > 0.5)
            shift, shrink = sd * new_mean, 1.0 - new_variance
        else:
            target = (value - population.location[trait]) / population.spread[trait]
            shift, shrink = target - mean[trait], 1.0
        gain = covariance[:, trait] / variance
        mean = mean + gain * shift
        covariance = covariance - shrink * variance * np.outer(gain, gain)
    covariance[np.diag_indices(size)] += 1e-9
    latent = mean + population.points @ np.linalg.cholesky(covariance).T
    drawn = np.where(population.binary, latent > population.cut, population.location + population.spread * latent)
    fixed = np.array([0.0 if value is None else value for value in values])
    return Patients(np.where(known, fixed, drawn), known)
