"""The difference between two options for one patient, from their joint posterior, without sampling.

Common trait effects cancel as far as they are common: the effects of both classes are one posterior, and the same
virtual patients stand on both sides. The comparison is unanchored, so it carries an explicit bias term (NICE Decision
Support Unit, Technical Support Document 18, 2016: unanchored comparisons assume that every prognostic factor is
accounted for). Swapping the options mirrors every number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.normal import Z95, distribution, distribution_and_density, hermite
from bcma_decide.model.prediction import Average

Array = NDArray[np.float64]

POINTS = 3
"""Quadrature points of the sum of the two log odds, at every pair of nodes of the spread."""
_ENDS = np.array([0.025, 0.975])
_MOST_STEPS = 60
_SETTLED = 1e-7
"""A move on the log-odds scale after which the next one is far below what mirrored questions may differ by."""
_LARGEST_STEP = 1.0
"""In standard deviations."""
_LEAST_VARIANCE = 1e-12
"""Two identical options differ by nothing, not by 0 / 0."""
_SHORT_OF_ONE = 1e-12
_LEAST_DENSITY = 1e-12


@dataclass(frozen=True)
class Side:
    """One option: its average rate, its posterior mean, and where it comes from.

    ``class_index``: two options of one class share their levels; it places the trait parameters in their covariance.
    """

    average: Average
    mean: float
    class_index: int


@dataclass(frozen=True)
class Difference:
    """First minus second: risk difference (mean, lower, upper), P(first higher), log odds ratio (mean, 95 %)."""

    risk_difference: tuple[float, float, float]
    probability_first_higher: float
    log_odds_ratio: tuple[float, float, float]


def differences(
    first: Side, second: Side, effect_covariance: Array, bias_sds: Sequence[float]
) -> tuple[Difference, ...]:
    """Difference of two options for each size of the bias.

    Parameters
    ----------
    first, second
        The options at one outcome.
    effect_covariance
        Joint covariance of the trait parameters, shape (classes, parameters, classes, parameters).
    bias_sds
        Standard deviation of the bias of the comparison on the log-odds scale; 0 leaves it out.
    """
    weight, logits, variances, between = (each[None] for each in _joint(first, second, effect_covariance))
    found = joint_differences(weight, logits, variances, between, np.square(bias_sds))
    mean = first.mean - second.mean
    return tuple(
        Difference((mean, min(a, mean), max(b, mean)), p, (log_odds, log_odds - r, log_odds + r))
        for a, b, p, log_odds, r in found[0].tolist()
    )


def joint_differences(weight: Array, logits: Array, variances: Array, between: Array, bias_variance: Array) -> Array:
    """Differences of many pairs of options whose log odds are mixtures of joint normals.

    Parameters
    ----------
    weight
        Of the components, (pairs, components).
    logits, variances
        Of the first and second option, (pairs, 2, components).
    between
        Their covariance, (pairs, components).
    bias_variance
        Variances of the bias of the comparison, (biases,).

    Returns
    -------
    numpy.ndarray
        (pairs, biases, 5): ends of the 95 % interval of first less second, P(first higher), mean log odds ratio and
        half of its 95 % interval.
    """
    gap = logits[:, 0] - logits[:, 1]
    # Half of the bias goes to each side with opposite sign: the difference carries it whole, the sum nothing of it, and
    # neither option is singled out as the biased one.
    variance = (variances.sum(axis=1) - 2.0 * between)[:, None] + bias_variance[:, None]
    mixed = weight[:, None]
    higher = (mixed * distribution(gap[:, None] / np.sqrt(np.maximum(variance, _LEAST_VARIANCE)))).sum(axis=2)
    mean = (weight * gap).sum(axis=1)[:, None]
    # the spread of two equal options is 0, and may come out just below it
    spread = np.sqrt(np.maximum((mixed * (variance + (gap * gap)[:, None])).sum(axis=2) - mean * mean, _LEAST_VARIANCE))
    ends = _intervals(weight, logits, variances, between, bias_variance, mean, spread)
    return np.stack([ends[..., 0], ends[..., 1], higher, np.broadcast_to(mean, higher.shape), Z95 * spread], axis=2)


def _joint(first: Side, second: Side, effect_covariance: Array) -> tuple[Array, Array, Array, Array]:
    """Weights (components,), log odds and variances (2, components) and covariances (components,) of both options.

    Options of one block share the node of the spread; those of different blocks have every pair of nodes.
    """
    sides = (first, second)
    gradients = [side.average.gradient for side in sides]
    logits = [side.average.logit for side in sides]
    own = [side.average.variance(effect_covariance[side.class_index, :, side.class_index, :]) for side in sides]
    between = effect_covariance[first.class_index, :, second.class_index, :]
    if first.class_index == second.class_index:
        cross = np.einsum("kt,tu,ku->k", gradients[0][1], between, gradients[1][1])
        cross += np.einsum("ksp,kspq,ksq->k", gradients[0][0], first.average.level_covariance, gradients[1][0])
        return first.average.weight, np.stack(logits), np.stack(own), cross
    k, m = first.average.weight.size, second.average.weight.size
    return (
        np.outer(first.average.weight, second.average.weight).ravel(),
        np.stack([np.repeat(logits[0], m), np.tile(logits[1], k)]),
        np.stack([np.repeat(own[0], m), np.tile(own[1], k)]),
        np.einsum("kt,tu,mu->km", gradients[0][1], between, gradients[1][1]).ravel(),
    )


def _intervals(
    weight: Array, logits: Array, variances: Array, between: Array, bias_variance: Array, mean: Array, spread: Array
) -> Array:
    """95 % intervals of the difference of the two rates, (pairs, biases, 2).

    With s half of the sum of the log odds and d their difference, the difference of the rates is
    sinh(d/2) / (cosh(s) + cosh(d/2)): it rises with d, so that its distribution is exact in d and a quadrature in s.
    Swapping the options changes the sign of d and of the difference, and so mirrors the interval. An end is looked for
    as the x that would be d if s were in its middle, where the distribution is nearly a normal one.
    """
    points, point_weight = hermite(POINTS)
    pairs, biases = len(weight), bias_variance.size
    one, two = variances[:, 0], variances[:, 1]
    half_sum = np.maximum(0.25 * (one + two + 2.0 * between), _LEAST_VARIANCE)
    slope = 0.5 * (one - two) / half_sum
    own = (one + two - 2.0 * between - slope * slope * half_sum)[:, None] + bias_variance[:, None]
    sd = np.sqrt(np.maximum(own, _LEAST_VARIANCE))  # pairs, biases, components
    away = np.sqrt(half_sum)[..., None] * points
    cosh_sum = np.cosh(0.5 * logits.sum(axis=1)[..., None] + away).reshape(pairs, 1, 1, -1)
    expected = (logits[:, 0] - logits[:, 1])[..., None] + slope[..., None] * away
    inverse = np.repeat(1.0 / sd, POINTS, axis=2)[:, :, None]
    shift = expected.reshape(pairs, 1, 1, -1) * inverse
    mass = (weight[..., None] * point_weight).reshape(pairs, -1)
    middle = (mass * cosh_sum[:, 0, 0]).sum(axis=1)[:, None, None]
    mass = mass[:, None, None, :]
    mean, spread = mean[..., None], spread[..., None]
    x = mean + spread * (Z95 * np.array([-1.0, 1.0]))
    most = _LARGEST_STEP * spread
    for _ in range(_MOST_STEPS):
        cosh_x = np.cosh(0.5 * x)
        ends = np.sinh(0.5 * x) / (middle + cosh_x)
        size = np.minimum(np.abs(ends), 1.0 - _SHORT_OF_ONE)[..., None]
        # e^(d/2) of the difference that has this size, by its quadratic equation; the sign is put back after it
        scaled = size * cosh_sum
        exponential = (scaled + np.sqrt(scaled * scaled + (1.0 - size * size))) / (1.0 - size)
        threshold = (2.0 * np.sign(ends))[..., None] * np.log(exponential)
        below, dense = distribution_and_density(threshold * inverse - shift)
        miss = (mass * below).sum(axis=3) - _ENDS
        cosh_gap = 0.5 * (exponential + 1.0 / exponential)
        together = cosh_sum + cosh_gap
        rise = together * together / (cosh_sum * cosh_gap + 1.0)
        own_rise = (middle * cosh_x + 1.0) / (middle + cosh_x) ** 2
        slope_at = np.maximum((mass * inverse * dense * rise).sum(axis=3) * own_rise, _LEAST_DENSITY)
        step = miss / slope_at
        # Halley's factor with the curvature of the normal distribution that has this mean and spread
        step = step / np.clip(1.0 + 0.5 * step * (x - mean) / spread**2, 0.5, 2.0)
        moved = -np.clip(step, -most, most)
        x = x + moved
        if np.abs(moved).max() < _SETTLED:
            break
    return np.asarray(np.sinh(0.5 * x) / (middle + np.cosh(0.5 * x))).reshape(pairs, biases, 2)
