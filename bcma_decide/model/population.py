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
    """Virtual patients like this one: ``values`` (draws, traits) on the model's scale, with ``weight`` (draws,).

    ``known`` (traits,). Weights sum to 1.
    """

    values: Array
    known: NDArray[np.bool_]
    weight: Array


_FURTHEST_CUT = 30.0
_SMALLEST_TAIL = 1e-12
_NO_VARIANCE = 1e-9


def _truncated(cut: float, above: bool) -> tuple[float, float]:
    """Mean and variance of a standard normal above (or below) ``cut``.

    Johnson NL, Kotz S, Balakrishnan N. Continuous Univariate Distributions, volume 1, 2nd edition, 1994.
    """
    sign = 1.0 if above else -1.0
    # erfc becomes 0 beyond 38 standard deviations and would be divided by; so far out the cut itself is the mean.
    c = max(min(sign * cut, _FURTHEST_CUT), -_FURTHEST_CUT)
    tail = 0.5 * erfc(c / sqrt(2.0))
    # Beyond seven standard deviations the other traits all but rule this one out, which only made-up profiles do. It is
    # put at the cut and taken as certain: within 0.14 of the mean, and no ratio of two vanishing numbers is needed.
    if tail < _SMALLEST_TAIL:
        return sign * c, 0.0
    hazard = exp(-0.5 * c * c) / sqrt(2.0 * pi) / tail
    return sign * hazard, max(1.0 + c * hazard - hazard * hazard, 0.0)


def conditional_patients(population: Population, values: Sequence[float | None]) -> Patients:
    """Quasi-random patients who share the known ``values`` (model scale, None = unknown), shape (draws, traits).

    A yes/no trait between 0 and 1 is the probability that it is present: patients with and without it are weighted so.
    """
    for trait, value in enumerate(values):
        if population.binary[trait] and value is not None and 0.0 < value < 1.0:
            sides = [
                conditional_patients(population, [*values[:trait], side, *values[trait + 1 :]]) for side in (1.0, 0.0)
            ]
            return Patients(
                np.vstack([side.values for side in sides]),
                sides[0].known,
                np.concatenate([value * sides[0].weight, (1.0 - value) * sides[1].weight]),
            )
    return _alike(population, values)


def _alike(population: Population, values: Sequence[float | None]) -> Patients:
    size = population.cut.size
    mean, covariance = np.zeros(size), population.correlation.copy()
    known = np.array([value is not None for value in values])
    # One trait after the other in a fixed order. For numeric traits the order does not matter; moment matching of
    # yes/no traits is exact for the first and approximate after, so another order would give slightly other patients.
    for trait, value in enumerate(values):
        variance = covariance[trait, trait]
        # What the traits before it settle already has no variance left to learn from, and would be divided by.
        if value is None or variance < _NO_VARIANCE:
            continue
        if population.binary[trait]:
            sd = sqrt(variance)
            new_mean, new_variance = _truncated(float((population.cut[trait] - mean[trait]) / sd), value > 0.5)
            # That it is known to lie beyond the cut leaves part of the latent variance: how far beyond is not known.
            shift, shrink = sd * new_mean, 1.0 - new_variance
        else:
            target = (value - population.location[trait]) / population.spread[trait]
            shift, shrink = target - mean[trait], 1.0
        gain = covariance[:, trait] / variance
        mean = mean + gain * shift
        covariance = covariance - shrink * variance * np.outer(gain, gain)
    # A known numeric trait has variance 0 and the factor would not exist. The ridge, 3e-5 of a standard deviation, is
    # never seen: known traits are written over with their values below.
    covariance[np.diag_indices(size)] += _NO_VARIANCE
    latent = mean + population.points @ np.linalg.cholesky(covariance).T
    drawn = np.where(population.binary, latent > population.cut, population.location + population.spread * latent)
    fixed = np.array([0.0 if value is None else value for value in values])
    count = drawn.shape[0]
    return Patients(np.where(known, fixed, drawn), known, np.full(count, 1.0 / count))
