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

from bcma_decide.model.normal import Z95, distribution, distribution_and_density, hermite, logistic
from bcma_decide.model.prediction import Average

Array = NDArray[np.float64]

POINTS = 3
"""Quadrature points across the difference, at every pair of nodes of the spread."""
_ENDS = np.array([0.025, 0.975])
_MOST_STEPS = 60
_SETTLED = 1e-7
"""A move in standard deviations after which the next one is rounding."""
_LARGEST_STEP = 1.5
_LEAST_VARIANCE = 1e-12
"""Two identical options differ by nothing, not by 0 / 0."""
_LEAST_DENSITY = 1e-12
_LEAST_RISE = 1e-12


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
    ends = _intervals(weight, logits, variances, between, bias_variance)
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


def _intervals(weight: Array, logits: Array, variances: Array, between: Array, bias_variance: Array) -> Array:
    """95 % intervals of the difference of the two rates, (pairs, biases, 2).

    In every component the log odds are m + a u + c v with independent standard normals: u along the gradient of the
    difference at the mean, v across it, where the difference hardly changes. So it rises with u, its distribution is
    exact in u and a quadrature in v. An end t and the u at which every node reaches it are found together, by Newton's
    steps: difference(u, v) = t at all nodes, and their weighted distribution functions add up to the probability.
    Swapping the options changes the sign of u and of the difference, and so mirrors the interval.
    """
    points, point_weight = hermite(POINTS)
    pairs, biases = len(weight), bias_variance.size
    m = logits[:, None]  # pairs, 1, 2, components
    quarter = 0.25 * bias_variance[:, None]
    one, two = (variances[:, side, None] + quarter for side in (0, 1))
    cross = between[:, None] - quarter
    p = logistic(m)
    dense = p * (1.0 - p)
    first, second = dense[:, :, 0], dense[:, :, 1]
    along = one * first - cross * second, cross * first - two * second
    spread = np.sqrt(np.maximum(first * along[0] - second * along[1], _LEAST_VARIANCE * (first + second) ** 2))
    across = np.sqrt(np.maximum(one * two - cross * cross, 0.0)) / spread
    a = [(each / spread)[:, :, None, :, None] for each in along]
    base = [
        (m[:, :, side, :, None] + (across * other)[..., None] * points)[:, :, None]
        for side, other in ((0, second), (1, first))
    ]
    mass = (weight[..., None] * point_weight)[:, None, None]
    u = np.broadcast_to(Z95 * np.array([-1.0, 1.0])[:, None, None], (pairs, biases, 2, weight.shape[1], POINTS))
    ends = None
    for _ in range(_MOST_STEPS):
        p1, p2 = (logistic(base[side] + a[side] * u) for side in (0, 1))
        gap = p1 - p2
        if ends is None:
            ends = (mass * gap).sum(axis=(3, 4))
        rise = a[0] * (p1 * (1.0 - p1)) - a[1] * (p2 * (1.0 - p2))
        inverse = 1.0 / np.maximum(rise, _LEAST_RISE)
        below, dense = distribution_and_density(u)
        dense = np.maximum(dense, _LEAST_DENSITY) * mass
        lacking = (ends[..., None, None] - gap) * inverse
        missing = _ENDS - (mass * below + dense * lacking).sum(axis=(3, 4))
        moved = missing / (dense * inverse).sum(axis=(3, 4))
        step = np.clip(lacking + moved[..., None, None] * inverse, -_LARGEST_STEP, _LARGEST_STEP)
        u = u + step
        ends = ends + moved
        if np.abs(step).max() < _SETTLED:
            break
    return np.asarray(ends)
