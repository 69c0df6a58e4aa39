"""From the pooled levels and virtual patients like this one to every option's rate.

*Of 100 patients like this* is an average: over centres, and over everything that is not known of this patient given
what is known,

    theta = E_u E_x [ logistic(level + u + (x - x_ref) . b) ],    u ~ N(0, tau^2)

Its interval is what the parameters (level, tau, b) leave open about that average, not which kind of patient this is:
theta is linearised in level and b on its own log-odds scale and mixed over the grid of tau, so that no sampling is
needed. The *next centre* has its u drawn instead of averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.normal import expected_logistic, hermite, logistic, mixture_quantiles
from bcma_decide.model.population import Patients
from bcma_decide.pooled.file import Block, Levels, PooledEvidence

Array = NDArray[np.float64]

CENTRES = 7
"""Quadrature points for the centres, an odd number so that the middle one is u = 0."""
STRATA = 32
"""Into how many groups of equal count the virtual patients are put by their predicted risk; it divides the draws."""

_CREDIBLE = np.array([0.025, 0.5, 0.975])
_NEXT = np.array([0.025, 0.975])


@dataclass(frozen=True)
class Strata:
    """Virtual patients in groups by risk: ``weight`` and trait part (groups,), mean deviation (groups, traits)."""

    weight: Array
    offset: Array
    deviation: Array


@dataclass(frozen=True)
class Average:
    """One option's average rate over centres and patients, by node of the between-study spread.

    ``weight``, ``rate`` (nodes,); derivatives of the rate in the levels of the block's products, ``by_level`` (nodes,
    products), and in the trait effects of the class, ``by_trait`` (nodes, traits). ``level_covariance`` (nodes,
    products, products).
    """

    weight: Array
    rate: Array
    by_level: Array
    by_trait: Array
    level_covariance: Array

    def logit(self) -> Array:
        """Log odds of the rate, (nodes,)."""
        return np.asarray(np.log(self.rate / (1.0 - self.rate)))

    def gradient(self) -> tuple[Array, Array]:
        """Derivatives of the log odds of the rate in levels and trait effects."""
        scale = (self.rate * (1.0 - self.rate))[:, None]
        return self.by_level / scale, self.by_trait / scale

    def variance(self, effect_covariance: Array) -> Array:
        """Variance of the log odds of the rate that the parameters leave, (nodes,)."""
        level, trait = self.gradient()
        own = np.einsum("kp,kpq,kq->k", level, self.level_covariance, level)
        return np.asarray(own + np.einsum("kt,tu,ku->k", trait, effect_covariance, trait))


@dataclass(frozen=True)
class Rates:
    """One option's numbers as fractions: posterior mean and median of the average, its interval, the next centre's."""

    mean: float
    median: float
    credible: tuple[float, float]
    prediction: tuple[float, float]


def strata(pooled: PooledEvidence, patients: Patients, effects: Array) -> Strata:
    """Group virtual patients by what ``effects`` (traits,) make of them."""
    deviation = held(pooled, patients.values) - pooled.reference
    if not effects.any():
        return Strata(np.ones(1), np.zeros(1), (patients.weight @ deviation)[None, :])
    offset = deviation @ effects
    order = np.argsort(offset, kind="stable").reshape(STRATA, -1)
    mass = patients.weight[order]
    weight = mass.sum(axis=1)
    return Strata(
        weight=weight,
        offset=(mass * offset[order]).sum(axis=1) / weight,
        deviation=np.einsum("gi,git->gt", mass, deviation[order]) / weight[:, None],
    )


def numeric_range(pooled: PooledEvidence) -> tuple[Array, Array]:
    """Lower and upper end of the range in which traits act, model scale, shape (traits,); infinite for yes/no traits.

    A line through published cuts says nothing about the far ends, so the effect of a numeric trait is held constant
    beyond a stated number of standard deviations of the evidence population.
    """
    population = pooled.population
    reach = pooled.assumptions["numeric_reach_sd"] * population.spread
    low = np.where(population.binary, -np.inf, population.location - reach)
    high = np.where(population.binary, np.inf, population.location + reach)
    return low, high


def held(pooled: PooledEvidence, values: Array) -> Array:
    """Trait values with numeric ones held inside :func:`numeric_range`, same shape."""
    low, high = numeric_range(pooled)
    return np.clip(values, low, high)


@dataclass(frozen=True)
class BlockAverages:
    """All products of one class at one outcome: averaged over centres, and at the middle one (u = 0).

    ``weight``, ``tau`` (nodes,); ``rate``, ``by_level`` (nodes, products), ``by_trait`` (nodes, products, traits), and
    the same at the middle centre; ``covariance`` of the levels (nodes, products, products).
    """

    weight: Array
    tau: Array
    covariance: Array
    rate: Array
    by_level: Array
    by_trait: Array
    middle_rate: Array
    middle_by_level: Array
    middle_by_trait: Array


def block_averages(block: Block, levels: Levels, group: Strata, extra_variance: float) -> BlockAverages:
    """Average the rates of every product of a block over centres and patients.

    ``extra_variance`` is added to all levels together, for a patient outside the evidence of the class.
    """
    points, point_weight = hermite(CENTRES)
    linear = (
        levels.mean[:, None, :, None] + (levels.tau[:, None] * points)[:, :, None, None] + group.offset
    )  # nodes, centres, products, groups
    p = logistic(linear)
    density = p * (1.0 - p)
    centre_rate = p @ group.weight
    centre_by_level = density @ group.weight
    # the level was fitted at the trait effects' mean: it moves with them by its slope
    centre_by_trait = density @ (group.weight[:, None] * group.deviation) + centre_by_level[..., None] * block.slope
    middle = CENTRES // 2
    return BlockAverages(
        weight=levels.weight,
        tau=levels.tau,
        covariance=levels.covariance + extra_variance,
        rate=np.einsum("q,kqp->kp", point_weight, centre_rate),
        by_level=np.einsum("q,kqp->kp", point_weight, centre_by_level),
        by_trait=np.einsum("q,kqpt->kpt", point_weight, centre_by_trait),
        middle_rate=centre_rate[:, middle],
        middle_by_level=centre_by_level[:, middle],
        middle_by_trait=centre_by_trait[:, middle],
    )


def option_average(averages: BlockAverages, members: Sequence[int]) -> Average:
    """The equal-weight average of some products of a block: one product, or the class."""
    index = list(members)
    share = np.zeros(averages.rate.shape[1])
    share[index] = 1.0 / len(index)
    return Average(
        weight=averages.weight,
        rate=averages.rate @ share,
        by_level=averages.by_level * share,
        by_trait=np.einsum("p,kpt->kt", share, averages.by_trait),
        level_covariance=averages.covariance,
    )


def option_rates(averages: BlockAverages, members: Sequence[int], effect_covariance: Array) -> Rates:
    """Mean, median and both intervals of one option.

    The mean of a class is the average of its products' means, so that parts add up. Its next centre is one centre with
    one of the products.
    """
    average = option_average(averages, members)
    logit, variance = average.logit(), average.variance(effect_covariance)
    sd = np.sqrt(np.maximum(variance, 1e-12))  # a quantile of a mixture needs a positive spread
    credible = logistic(mixture_quantiles(average.weight[None], logit[None], sd[None], _CREDIBLE))[0]
    means = []
    for member in members:
        own = option_average(averages, (member,))
        own_sd = np.sqrt(np.maximum(own.variance(effect_covariance), 0.0))
        means.append(float(own.weight @ expected_logistic(own.logit(), own_sd)))
    next_centre = _next_centre(averages, members, effect_covariance)
    return Rates(
        mean=float(np.mean(means)),
        median=float(credible[1]),
        credible=(float(credible[0]), float(credible[2])),
        prediction=(min(next_centre[0], float(credible[0])), max(next_centre[1], float(credible[2]))),
    )


def _next_centre(averages: BlockAverages, members: Sequence[int], effect_covariance: Array) -> tuple[float, float]:
    """The next centre's rate: its log odds are taken as linear in u, which is normal given tau."""
    index = list(members)
    rate = averages.middle_rate[:, index]
    scale = rate * (1.0 - rate)
    level = averages.middle_by_level[:, index] / scale
    trait = averages.middle_by_trait[:, index] / scale[..., None]
    own = averages.covariance[:, index, index] + averages.tau[:, None] ** 2
    variance = level**2 * own + np.einsum("kpt,tu,kpu->kp", trait, effect_covariance, trait)
    weight = np.repeat(averages.weight / len(index), len(index))
    logit, sd = np.log(rate / (1.0 - rate)), np.sqrt(np.maximum(variance, 1e-12))
    low, high = logistic(mixture_quantiles(weight[None], logit.reshape(1, -1), sd.reshape(1, -1), _NEXT))[0]
    return float(low), float(high)


def draw_rates(
    pooled: PooledEvidence, levels: Levels, members: Sequence[int], patients: Patients, effects: Array
) -> Array:
    """Rate of an option for every virtual patient, averaged over centres at the levels' means, shape (draws,)."""
    offset = (held(pooled, patients.values) - pooled.reference) @ effects
    points, point_weight = hermite(CENTRES)
    centres = levels.mean[:, None, list(members)] + (levels.tau[:, None] * points)[..., None]
    weight = levels.weight[:, None, None] * point_weight[None, :, None] / len(members)
    weight = np.broadcast_to(weight, centres.shape)
    return np.asarray(logistic(offset[:, None] + centres.ravel()) @ weight.ravel())
