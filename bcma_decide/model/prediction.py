"""From the pooled levels and virtual patients like this one to every option's rate.

*Of 100 patients like this* is an average: over centres, and over everything that is not known of this patient given
what is known,

    theta = E_u E_x [ logistic(level + u + (x - x_ref) . b) ],    u ~ N(0, tau^2)

Its interval is what the parameters (level, tau, b) leave open about that average, not which kind of patient this is:
theta is linearised in level and b on its own log-odds scale and mixed over the grid of tau, so that no sampling is
needed. The *next centre* has its u drawn instead of averaged. An outcome of several stages (the depth of a response) is
made up of the rates of its stages patient by patient, whose centres' effects are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.normal import hermite, logistic
from bcma_decide.model.population import Patients
from bcma_decide.pooled.evidence import Block, Levels, PooledEvidence

Array = NDArray[np.float64]

CENTRES = 7
"""Quadrature points for the centres, an odd number so that the middle one is u = 0."""
STRATA = 32
"""Into how many groups of equal count the virtual patients are put by their predicted risk; it divides the draws."""

_LEAST_RATE = 1e-9
"""Where the logit of a rate is taken, far below what any output shows."""


class Strata(Struct, frozen=True):
    """Virtual patients in groups by risk.

    ``weight`` (groups,); ``offset`` (2, groups), the trait part at the first and at the later stages; ``deviation``
    (groups, traits), the mean deviation from the reference profile.
    """

    weight: Array
    offset: Array
    deviation: Array


def strata(pooled: PooledEvidence, patients: Patients, effects: Array) -> Strata:
    """Group virtual patients by what ``effects``, at the first and later stages (2, traits), make of them."""
    deviation = held(pooled, patients.values) - pooled.reference
    if not effects.any():
        return Strata(np.ones(1), np.zeros((2, 1)), (patients.weight @ deviation)[None, :])
    offset = effects @ deviation.T
    order = np.argsort(offset.sum(axis=0), kind="stable").reshape(STRATA, -1)
    mass = patients.weight[order]
    weight = mass.sum(axis=1)
    return Strata(
        weight=weight,
        offset=(mass * offset[:, order]).sum(axis=2) / weight,
        deviation=np.matmul(mass[:, None, :], deviation[order])[:, 0] / weight[:, None],
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


class StageRates(Struct, frozen=True):
    """One class at one stage, for every node of the spread, product and group of patients.

    ``weight``, ``tau`` (nodes,), ``covariance`` of the levels (nodes, products, products), ``slope`` (products,
    traits); averaged over centres: ``rate`` and its derivative in the level ``density`` (nodes, products, groups);
    the same at the middle centre (u = 0).
    """

    weight: Array
    tau: Array
    covariance: Array
    slope: Array
    rate: Array
    density: Array
    middle_rate: Array
    middle_density: Array


def stage_rates(block: Block, levels: Levels, offset: Array, extra_variance: float) -> StageRates:
    """Average the rates of every product at one stage over centres; ``offset`` (groups,).

    ``extra_variance`` is added to all levels together, for a patient outside the evidence of the class.
    """
    points, point_weight = hermite(CENTRES)
    centres = levels.mean[:, :, None] + (levels.tau[:, None] * points)[:, None, :]  # nodes, products, centres
    p = logistic(centres[..., None, :] + offset[:, None])
    density = p * (1.0 - p)
    middle = CENTRES // 2
    return StageRates(
        weight=levels.weight,
        tau=levels.tau,
        covariance=levels.covariance + extra_variance,
        slope=block.slope,
        rate=p @ point_weight,
        density=density @ point_weight,
        middle_rate=p[..., middle],
        middle_density=density[..., middle],
    )


class Rate(Struct, frozen=True):
    """A rate by node (and product) with its derivatives in the levels of all stages and in the trait parameters.

    ``value`` (nodes, products); ``by_level`` (nodes, products, stages); ``by_trait`` (nodes, products, parameters).
    """

    value: Array
    by_level: Array
    by_trait: Array


class OutcomeRates(Struct, frozen=True):
    """All products of one class at one outcome: averaged over centres and patients, and at the middle centre.

    ``weight`` (nodes,), those of the first stage's spread; ``tau`` (nodes, stages); ``covariance`` (nodes, stages,
    products, products): stages are independent of each other.
    """

    weight: Array
    tau: Array
    covariance: Array
    average: Rate
    middle: Rate


def outcome_rates(stages: Sequence[StageRates], group: Strata, later_share: float) -> OutcomeRates:
    """Make up an outcome from its stages, patient by patient.

    Parameters
    ----------
    stages
        One; or response and complete response of responders; or these and VGPR of responders without.
    group
        The patients.
    later_share
        How far effects at later stages follow those at the first.
    """
    nodes = stages[0].weight.size
    return OutcomeRates(
        weight=stages[0].weight,
        tau=np.column_stack([np.broadcast_to(stage.tau, nodes) for stage in stages]),
        covariance=np.stack(
            [np.broadcast_to(stage.covariance, (nodes, *stage.covariance.shape[1:])) for stage in stages], axis=1
        ),
        average=_made_up([(s.rate, s.density, s.slope) for s in stages], group, later_share),
        middle=_made_up([(s.middle_rate, s.middle_density, s.slope) for s in stages], group, later_share),
    )


def _made_up(stages: Sequence[tuple[Array, Array, Array]], group: Strata, later_share: float) -> Rate:
    together, partial = made_up([rate for rate, _, _ in stages])
    by_level, by_trait = [], []
    for (_, density, slope), other in zip(stages, partial, strict=True):
        moved = (density if other is None else density * other) * group.weight
        level = moved.sum(axis=-1)
        by_level.append(level)
        # the level was fitted at the trait effects' mean: it moves with them by its slope
        by_trait.append(moved @ group.deviation + level[..., None] * slope)
    first = by_trait[0]
    if len(stages) > 1:
        later = sum(by_trait[1:], np.zeros_like(first))
        first = np.concatenate([first + later_share * later, later], axis=-1)
    return Rate(together @ group.weight, np.stack(by_level, axis=-1), first)


def made_up(rates: Sequence[Array]) -> tuple[Array, Sequence[Array | None]]:
    """Rate of an outcome from those of its stages (any shape), and its derivative in each (None: 1).

    ``r``; ``r c`` for a complete response; ``r (c + (1 - c) v)`` for VGPR or better.
    """
    if len(rates) == 1:
        return rates[0], [None]
    if len(rates) == 2:
        response, complete = rates
        return response * complete, [complete, response]
    response, complete, deep = rates
    among = complete + (1.0 - complete) * deep
    return response * among, [among, response * (1.0 - deep), response * (1.0 - complete)]


class Average(Struct, frozen=True, dict=True):
    """One option's average rate over centres and patients, by node of the spread of the first stage.

    ``weight``, ``rate`` (nodes,); derivatives of the rate in the levels of the products at each stage, ``by_level``
    (nodes, stages, products), and in the trait parameters, ``by_trait`` (nodes, parameters). ``level_covariance``
    (nodes, stages, products, products).
    """

    weight: Array
    rate: Array
    by_level: Array
    by_trait: Array
    level_covariance: Array

    @cached_property
    def logit(self) -> Array:
        """Log odds of the rate, (nodes,)."""
        return logit(self.rate)

    @cached_property
    def gradient(self) -> tuple[Array, Array]:
        """Derivatives of the log odds of the rate in levels and trait parameters."""
        scale = self.rate * (1.0 - self.rate)
        return self.by_level / scale[:, None, None], self.by_trait / scale[:, None]

    def variance(self, effect_covariance: Array) -> Array:
        """Variance of the log odds of the rate that the parameters leave, (nodes,)."""
        level, trait = self.gradient
        own = (np.matmul(level[..., None, :], self.level_covariance)[..., 0, :] * level).sum(axis=(1, 2))
        return np.asarray(own + ((trait @ effect_covariance) * trait).sum(axis=1))


def logit(rate: Array) -> Array:
    """Log odds, any shape; rates of 0 and 1 are taken as next to them."""
    inside = np.clip(rate, _LEAST_RATE, 1.0 - _LEAST_RATE)
    return np.asarray(np.log(inside / (1.0 - inside)))


def option_average(outcome: OutcomeRates, members: Sequence[int]) -> Average:
    """The equal-weight average of some products: one product, or the class."""
    index = list(members)
    rate = outcome.average
    share = np.zeros(rate.value.shape[1])
    share[index] = 1.0 / len(index)
    return Average(
        weight=outcome.weight,
        rate=rate.value @ share,
        by_level=np.swapaxes(rate.by_level * share[:, None], 1, 2),
        by_trait=share @ rate.by_trait,
        level_covariance=outcome.covariance,
    )


def next_centre(outcome: OutcomeRates, product: int, effect_covariance: Array) -> tuple[Array, Array]:
    """Log odds and variance of one product's rate at the next centre, (nodes,): linear in its u, normal given tau."""
    rate = outcome.middle.value[:, product]
    scale = rate * (1.0 - rate)
    level = outcome.middle.by_level[:, product] / scale[:, None]
    trait = outcome.middle.by_trait[:, product] / scale[:, None]
    own = outcome.covariance[:, :, product, product] + outcome.tau**2
    return logit(rate), (level**2 * own).sum(axis=1) + ((trait @ effect_covariance) * trait).sum(axis=1)


def draw_stage(level: Levels, member: int, offset: Array) -> Array:
    """Rate of one product at one stage for every virtual patient, averaged over centres, shape (draws,)."""
    points, point_weight = hermite(CENTRES)
    centres = level.mean[:, member, None] + level.tau[:, None] * points
    weight = (level.weight[:, None] * point_weight).ravel()
    return np.asarray(logistic(offset[:, None] + centres.ravel()) @ weight)
