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
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.normal import hermite, logistic
from bcma_decide.pooled.evidence import Levels, PooledEvidence

Array = NDArray[np.float64]

CENTRES = 7
"""Quadrature points for the centres, an odd number so that the middle one is u = 0."""

_LEAST_RATE = 1e-9
"""Where the logit of a rate is taken, far below what any output shows."""


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


class StageRates(NamedTuple):
    """Every product at one stage at some offsets, (nodes, products, offsets) each.

    Averaged over centres the rate and its derivative in the level, ``density``; the same at the middle centre (u = 0).
    """

    rate: Array
    density: Array
    middle_rate: Array
    middle_density: Array


def stage_rates(levels: Levels, offset: Array) -> StageRates:
    """Average the rates of every product at one stage over centres; ``offset`` (offsets,)."""
    points, point_weight = hermite(CENTRES)
    centres = levels.mean[:, :, None] + (levels.tau[:, None] * points)[:, None, :]  # nodes, products, centres
    p = logistic(centres[..., None, :] + offset[:, None])
    density = p * (1.0 - p)
    middle = CENTRES // 2
    return StageRates(p @ point_weight, density @ point_weight, p[..., middle], density[..., middle])


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
