"""Progression-free survival of patients like this one, from the infusion or the first dose.

At every month t the log odds of being free of progression are a level less a slope times log(t / 12), plus the
patient's traits (log-logistic: Bennett S. Appl Stat 1983;32:165-171). So a month is one more stage of rates:

    S(t) = E_u,v E_x [ logistic(level + u - (slope + v) log(t / 12) + (x - x_ref) . b) ]

with u ~ N(0, tau^2) and v ~ N(0, slope_sd^2) between studies. The headline, its interval and that of the next centre
are those of rates (`bcma_decide.model.prediction`), month by month.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.normal import expected_logistic, logistic, mixture_quantiles
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.model.population import Patients
from bcma_decide.model.prediction import (
    Average,
    OutcomeRates,
    draw_stage,
    held,
    logit,
    next_centre,
    option_average,
    outcome_rates,
    stage_rates,
    strata,
)
from bcma_decide.pooled.evidence import Block, Levels, PooledEvidence
from bcma_decide.pooled.survival_levels import CurveBlock
from bcma_decide.vocabulary import CLASSES, PFS, Design

Array = NDArray[np.float64]

YEAR: Final = 12.0
LAST_MONTH: Final = 36
MONTHS: Final = np.arange(1, LAST_MONTH + 1, dtype=float)
KNOTS: Final = np.array([1.0, 2.0, 4.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0])
"""Months at which curves are computed; between them their log odds are straight in log time to 1e-3."""
_ENDS = np.array([0.025, 0.975])
_LEAST_VARIANCE = 1e-12


@dataclass(frozen=True)
class Curve:
    """Share free of progression at :data:`MONTHS` (months,): mean, ends of the 95 % intervals (months, 2) each."""

    mean: Array
    credible: Array
    prediction: Array


def survival_curves(numbers: PatientNumbers) -> dict[str, Curve]:
    """Curves of all options that have one, by option."""
    pooled = numbers.pooled
    found: dict[str, Curve] = {}
    for block in pooled.survival.blocks:
        table = _table(numbers, block, KNOTS)
        covariance = _own_covariance(pooled, block)
        for option in pooled.options:
            of_class = CLASSES.index(option.class_id) == block.class_index
            if of_class and pooled.survival.options[option.id].state == "estimated":
                found[option.id] = _curve(table, pooled.survival.members(block, option.id), covariance)
        own, products = CLASSES[block.class_index], [found[p].mean for p in block.products if p in found]
        if own in found:
            # parts add up: the headline of a class is the average of its products' headlines
            found[own] = replace(found[own], mean=np.mean(products, axis=0))
    return found


def averages_at(numbers: PatientNumbers, options: Iterable[str], month: float) -> dict[str, Average]:
    """The averages of some options with a curve at one month, as a difference of two options reads them."""
    pooled, tables, found = numbers.pooled, {}, {}
    for option in options:
        block = _block_of(pooled, option)
        if block.class_index not in tables:
            tables[block.class_index] = _table(numbers, block, np.array([month]))
        found[option] = option_average(tables[block.class_index], pooled.survival.members(block, option))
    return found


def curve_by_patient(numbers: PatientNumbers, option: str, patients: Patients, months: Array) -> Array:
    """Share free of progression for each virtual patient at the parameters' means, over centres, (months, draws).

    ``months`` are positive; none has to be whole.
    """
    pooled = numbers.pooled
    block = _block_of(pooled, option)
    effects = pooled.effects[pooled.family_index[PFS], block.class_index]
    offset = (held(pooled, patients.values) - pooled.reference) @ effects
    members = pooled.survival.members(block, option)
    at = [_levels_at(pooled, block, numbers.setting, np.array([month])) for month in months]
    return np.stack([np.mean([draw_stage(levels, member, offset) for member in members], axis=0) for levels in at])


def _block_of(pooled: PooledEvidence, option: str) -> CurveBlock:
    return next(b for b in pooled.survival.blocks if option in (CLASSES[b.class_index], *b.products))


def _own_covariance(pooled: PooledEvidence, block: CurveBlock) -> Array:
    return np.asarray(pooled.effect_blocks[pooled.family_index[PFS]][block.class_index, :, block.class_index, :])


def _table(numbers: PatientNumbers, block: CurveBlock, months: Array) -> OutcomeRates:
    """Rates of all products of a class, months and nodes in one axis, month slowest."""
    pooled, setting = numbers.pooled, numbers.setting
    effects = pooled.effects[pooled.family_index[PFS], block.class_index]
    group = strata(pooled, numbers.patients[PFS], np.stack([effects, effects]))
    levels = _levels_at(pooled, block, setting, months)
    nodes = block.levels[setting].weight.size
    at = Block(PFS, block.class_index, block.products, _trait_slope(block, months, nodes))
    extra = numbers.extra_variance.get((PFS, block.class_index), 0.0)
    return outcome_rates([stage_rates(at, levels, group.offset[0], extra)], group, 1.0)


def _trait_slope(block: CurveBlock, months: Array, nodes: int) -> Array:
    """Derivative of the log odds in the trait effects, (months * nodes, products, traits)."""
    level, fall = np.split(block.slope, 2)
    slope = level - np.log(months / YEAR)[:, None, None] * fall
    return np.repeat(slope, nodes, axis=0)


def _levels_at(pooled: PooledEvidence, block: CurveBlock, setting: Design, months: Array) -> Levels:
    """Levels of the log odds at some months: months and nodes in one axis, month slowest."""
    own = block.levels[setting]
    count = len(block.products)
    time = np.log(months / YEAR)
    level, fall = own.mean[:, :count], own.mean[:, count:]
    mean = level - time[:, None, None] * fall
    corner = own.covariance[:, :count, :count]
    mixed = own.covariance[:, :count, count:] + np.swapaxes(own.covariance[:, :count, count:], 1, 2)
    falls = own.covariance[:, count:, count:]
    along = time[:, None, None, None]
    covariance = corner - along * mixed + along**2 * falls
    tau = np.sqrt(own.tau**2 + (time[:, None] * pooled.survival.study_slope_sd) ** 2)
    return Levels(
        weight=np.tile(own.weight, months.size),
        tau=tau.ravel(),
        mean=mean.reshape(-1, count),
        covariance=covariance.reshape(-1, count, count),
    )


def _curve(table: OutcomeRates, members: Sequence[int], covariance: Array) -> Curve:
    average = option_average(table, members)
    shape = (KNOTS.size, -1)
    weight = average.weight.reshape(shape)
    centre = average.logit.reshape(shape)
    spread = np.sqrt(np.maximum(average.variance(covariance), _LEAST_VARIANCE)).reshape(shape)
    mean = (weight * expected_logistic(centre, spread)).sum(axis=1)
    credible = logistic(mixture_quantiles(weight, centre, spread, _ENDS))
    each = [next_centre(table, product, covariance) for product in members]
    beyond = logistic(
        mixture_quantiles(
            np.hstack([weight / len(each)] * len(each)),
            np.hstack([one.reshape(shape) for one, _ in each]),
            np.sqrt(np.maximum(np.hstack([variance.reshape(shape) for _, variance in each]), _LEAST_VARIANCE)),
            _ENDS,
        )
    )
    sides = [_between_knots(side) for side in (mean, *credible.T, *beyond.T)]
    # A share cannot rise with time, nor an interval lie beside its mean: wiggles of the sixth digit go.
    mean, low, high, next_low, next_high = (np.minimum.accumulate(side) for side in sides)
    low, high = np.minimum(low, mean), np.maximum(high, mean)
    return Curve(
        mean=mean,
        credible=np.column_stack([low, high]),
        prediction=np.column_stack([np.minimum(next_low, low), np.maximum(next_high, high)]),
    )


def _between_knots(share: Array) -> Array:
    """A share at :data:`KNOTS` (knots,) carried to :data:`MONTHS`."""
    return logistic(np.interp(np.log(MONTHS), np.log(KNOTS), logit(share)))


def reaches(months: Array, share: Array, level: float = 0.5) -> float | None:
    """The month at which a falling share reaches a level, between months by a straight line; None where it does not.

    ``months`` (times,) start at 0 where ``share`` is 1.
    """
    below = np.flatnonzero(share <= level)
    if not below.size:
        return None
    at = int(below[0])
    if at == 0:
        return float(months[0])
    before, after = share[at - 1], share[at]
    return float(months[at - 1] + (before - level) / (before - after) * (months[at] - months[at - 1]))


def restricted_mean(months: Array, share: Array, within: float) -> float:
    """Mean time free of the event up to ``within`` months: the area under the curve, by the trapezoid rule."""
    inside = months <= within
    return float(np.trapezoid(share[inside], months[inside]))
