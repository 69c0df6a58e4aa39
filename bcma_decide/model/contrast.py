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

from bcma_decide.model.normal import Z95, distribution, hermite
from bcma_decide.model.prediction import Average

Array = NDArray[np.float64]

POINTS = 5
"""Quadrature points of the sum of the two log odds."""
_ENDS = np.array([0.025, 0.975])
_MOST_STEPS = 50
_SETTLED = 1e-10
"""A move of a difference of rates: far below what mirrored questions may differ by."""
_LEAST_VARIANCE = 1e-12
"""Two identical options differ by nothing, not by 0 / 0."""
_SHORT_OF_ONE = 1e-12
_LEAST_DENSITY = 1e-12
_NORMAL = 1.0 / np.sqrt(2.0 * np.pi)


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
    weight, centre, covariance = _joint(first, second, effect_covariance)
    gap = centre[:, 0] - centre[:, 1]
    own = covariance[:, 0, 0] + covariance[:, 1, 1] - 2.0 * covariance[:, 0, 1]
    # Half of the bias goes to each side with opposite sign: the difference carries it whole, the sum nothing of it, and
    # neither option is singled out as the biased one.
    variance = own + np.square(bias_sds)[:, None]
    probability = distribution(gap / np.sqrt(np.maximum(variance, _LEAST_VARIANCE))) @ weight
    low, high = _interval(weight, centre, covariance, np.square(bias_sds)).T
    log_odds_ratio = float(weight @ gap)
    reach = Z95 * np.sqrt(np.maximum((variance + gap**2) @ weight - log_odds_ratio**2, 0.0))
    mean = first.mean - second.mean
    return tuple(
        Difference((mean, min(a, mean), max(b, mean)), p, (log_odds_ratio, log_odds_ratio - r, log_odds_ratio + r))
        for a, b, p, r in zip(low.tolist(), high.tolist(), probability.tolist(), reach.tolist(), strict=True)
    )


def probability_higher(first: Side, second: Side, effect_covariance: Array, bias_sd: float) -> float:
    """How likely the first option has the higher rate, as in :func:`differences`, without the rest.

    The interval of their difference leaves out zero where it is below 2.5 % or above 97.5 %: the difference of the
    rates has the sign of that of the log odds.
    """
    weight, centre, covariance = _joint(first, second, effect_covariance)
    own = covariance[:, 0, 0] + covariance[:, 1, 1] - 2.0 * covariance[:, 0, 1]
    sd = np.sqrt(np.maximum(own + bias_sd**2, _LEAST_VARIANCE))
    return float(distribution((centre[:, 0] - centre[:, 1]) / sd) @ weight)


def _joint(first: Side, second: Side, effect_covariance: Array) -> tuple[Array, Array, Array]:
    """Weights (components,), log odds (components, 2) and covariances (components, 2, 2) of both options together.

    Options of one block share the node of the spread; those of different blocks have every pair of nodes.
    """
    sides = (first, second)
    gradients = [side.average.gradient for side in sides]
    logits = [side.average.logit for side in sides]
    own = [side.average.variance(effect_covariance[side.class_index, :, side.class_index, :]) for side in sides]
    between = effect_covariance[first.class_index, :, second.class_index, :]
    if first.class_index == second.class_index:
        weight = first.average.weight
        centre = np.column_stack(logits)
        cross = np.einsum("kt,tu,ku->k", gradients[0][1], between, gradients[1][1])
        cross += np.einsum("ksp,kspq,ksq->k", gradients[0][0], first.average.level_covariance, gradients[1][0])
        variances = own
    else:
        k, m = first.average.weight.size, second.average.weight.size
        weight = np.outer(first.average.weight, second.average.weight).ravel()
        centre = np.column_stack([np.repeat(logits[0], m), np.tile(logits[1], k)])
        cross = np.einsum("kt,tu,mu->km", gradients[0][1], between, gradients[1][1]).ravel()
        variances = [np.repeat(own[0], m), np.tile(own[1], k)]
    covariance = np.empty((weight.size, 2, 2))
    covariance[:, 0, 0], covariance[:, 1, 1] = variances
    covariance[:, 0, 1] = covariance[:, 1, 0] = cross
    return weight, centre, covariance


def _interval(weight: Array, centre: Array, covariance: Array, bias_variance: Array) -> Array:
    """95 % intervals of the difference of the two rates, (biases, 2).

    With s half of the sum of the log odds and d their difference, the difference of the rates is
    sinh(d/2) / (cosh(s) + cosh(d/2)): it rises with d, so that its distribution is exact in d and a quadrature in s.
    Swapping the options changes the sign of d and of the difference, and so mirrors the interval.
    """
    points, point_weight = hermite(POINTS)
    one, two, between = covariance[:, 0, 0], covariance[:, 1, 1], covariance[:, 0, 1]
    half_sum = np.maximum(0.25 * (one + two + 2.0 * between), _LEAST_VARIANCE)
    slope = 0.5 * (one - two) / half_sum
    variance = one + two - 2.0 * between + bias_variance[:, None]
    sd = np.sqrt(np.maximum(variance - slope**2 * half_sum, _LEAST_VARIANCE))
    away = np.sqrt(half_sum)[:, None] * points
    cosh_sum = np.cosh(0.5 * centre.sum(axis=1)[:, None] + away).ravel()
    gap = centre[:, 0] - centre[:, 1]
    expected = (gap[:, None] + slope[:, None] * away).ravel()
    spread = np.repeat(sd, POINTS, axis=1)[:, None, :]
    mass = (weight[:, None] * point_weight).ravel()
    # start where the ends lie for one normal d at the mean of s
    mean = float(weight @ gap)
    # the spread of two equal options is 0, and may come out just below it
    reach = Z95 * np.sqrt(np.maximum((variance + gap**2) @ weight - mean**2, _LEAST_VARIANCE))
    half = 0.5 * np.column_stack([mean - reach, mean + reach])
    ends = np.sinh(half) / (float(mass @ cosh_sum) + np.cosh(half))
    low, high = np.full(ends.shape, -1.0), np.full(ends.shape, 1.0)
    for _ in range(_MOST_STEPS):
        size = np.minimum(np.abs(ends), 1.0 - _SHORT_OF_ONE)[..., None]
        # e^(d/2) of the difference that has this size, by its quadratic equation; the sign is put back after it
        exponential = (size * cosh_sum + np.sqrt((size * cosh_sum) ** 2 + 1.0 - size**2)) / (1.0 - size)
        standard = (np.sign(ends)[..., None] * 2.0 * np.log(exponential) - expected) / spread
        miss = distribution(standard) @ mass - _ENDS
        cosh_gap = 0.5 * (exponential + 1.0 / exponential)
        rise = 2.0 * (cosh_sum + cosh_gap) ** 2 / (cosh_sum * cosh_gap + 1.0)
        density = (_NORMAL * np.exp(-0.5 * standard**2) / spread * rise) @ mass
        low, high = np.where(miss < 0.0, ends, low), np.where(miss < 0.0, high, ends)
        proposal = ends - miss / np.maximum(density, _LEAST_DENSITY)
        inside = (proposal > low) & (proposal < high)
        moved = np.where(inside, proposal, 0.5 * (low + high)) - ends
        ends = ends + moved
        if np.abs(moved).max() < _SETTLED:
            break
    return np.asarray(ends)
