"""Progression-free survival of patients like this one, from the infusion or the first dose.

At every month t the log odds of being free of progression are a level less a slope times log(t / 12), plus the
patient's traits (log-logistic: Bennett S. Appl Stat 1983;32:165-171). So a month is one more stage of rates:

    S(t) = E_u,v E_x [ logistic(level + u - (slope + v) log(t / 12) + (x - x_ref) . b) ]

with u ~ N(0, tau^2) and v ~ N(0, slope_sd^2) between studies. The headline, its interval and that of the next centre
are those of rates (`bcma_decide.model.prediction`), month by month. Traits enter through one sum, so that the rates of
a class stand in a table by it (`bcma_decide.model.offset_tables`), all months, nodes and products in one product.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.alike import Alike, alike_in_curves, patients_alike
from bcma_decide.model.beside import kept_beside
from bcma_decide.model.kept import KEPT
from bcma_decide.model.normal import expected_logistic, logistic, mixture_quantiles
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.model.offset_tables import (
    DENSITY,
    MIDDLE_DENSITY,
    MIDDLE_RATE,
    RATE,
    OffsetAxis,
    interpolated,
    offset_axis,
    stage_table,
)
from bcma_decide.model.population import Patients
from bcma_decide.model.prediction import Average, held, logit
from bcma_decide.pooled.evidence import Levels, PooledEvidence
from bcma_decide.pooled.survival_levels import CurveBlock
from bcma_decide.vocabulary import CLASSES, PFS, Design

Array = NDArray[np.float64]

YEAR: Final = 12.0
LAST_MONTH: Final = 36
MONTHS: Final = np.arange(1, LAST_MONTH + 1, dtype=float)
KNOTS: Final = (1.0, 2.0, 4.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0)
"""Months at which curves are computed; between them their log odds are straight in log time to 1e-3."""
_BETWEEN: Final = np.array([np.interp(np.log(MONTHS), np.log(KNOTS), one_knot) for one_knot in np.eye(len(KNOTS))])
"""Share of every knot in the log odds at every month, (knots, months)."""
_ENDS = np.array([0.025, 0.975])
_LEAST_VARIANCE = 1e-12

MEAN, LOW, HIGH, NEXT_LOW, NEXT_HIGH = range(5)
"""Sides of a curve: mean, ends of the 95 % interval of the average, ends of that at the next centre."""


class Curve(Struct, frozen=True, eq=False):
    """Share free of progression at :data:`MONTHS` (months,): mean, ends of the 95 % intervals (months, 2) each.

    One that was worked out is equal to itself only, so that what is drawn from it can be kept by it.
    """

    mean: Array
    credible: Array
    prediction: Array


def survival_curves(numbers: PatientNumbers) -> dict[str, Curve]:
    """Curves of all options that have one, by option."""
    return dict(curves_alike(numbers.pooled, alike_in_curves(numbers)))


@kept_beside(KEPT)
def curves_alike(pooled: PooledEvidence, of: Alike) -> Mapping[str, Curve]:
    """The same for one kind of patients."""
    sides = curve_sides(pooled, [of])[0]
    sides.setflags(write=False)
    return {
        option: Curve(own[MEAN], own[[LOW, HIGH]].T, own[[NEXT_LOW, NEXT_HIGH]].T)
        for option, own in zip(options_with_curve(pooled), sides, strict=True)
    }


@kept_beside(4)
def options_with_curve(pooled: PooledEvidence) -> tuple[str, ...]:
    """Options with a curve, class by class in the order of the blocks, each class before its products."""
    return tuple(option for block in pooled.survival.blocks for option in _options_of(pooled, block))


def curve_sides(pooled: PooledEvidence, alikes: Sequence[Alike]) -> Array:
    """Curves of many kinds of patients at :data:`MONTHS`, all of one setting.

    Returns
    -------
    numpy.ndarray
        Shape (patients, options, 5, months): options as :func:`options_with_curve` has them, sides :data:`MEAN` to
        :data:`NEXT_HIGH`. They fall, and no interval lies beside its mean.
    """
    if not options_with_curve(pooled):
        return np.empty((len(alikes), 0, 5, MONTHS.size))
    setting = alikes[0].setting
    patients = [patients_alike(pooled, of.values) for of in alikes]
    extra = np.array([of.extra_variance for of in alikes])
    mixtures = []
    for block in pooled.survival.blocks:
        table = _class_table(pooled, setting, block.class_index, KNOTS)
        mixtures += _mixtures(table, _rates(pooled, table, patients), extra[:, block.class_index])
    at_knots = _sides_at_knots(mixtures)
    sides = np.minimum.accumulate(logistic(logit(at_knots) @ _BETWEEN), axis=-1)
    # A share cannot rise with time, nor an interval lie beside its mean: wiggles of the sixth digit go.
    mean, low, high, next_low, next_high = np.moveaxis(sides, 2, 0)
    np.minimum(low, mean, out=low)
    np.maximum(high, mean, out=high)
    np.minimum(next_low, low, out=next_low)
    np.maximum(next_high, high, out=next_high)
    # Parts add up: the headline of a class is the average of its products' headlines.
    for own, products in _places_of_classes(pooled):
        mean[:, own] = mean[:, products].mean(axis=1)
    return sides


def averages_at(numbers: PatientNumbers, options: Iterable[str], month: float) -> dict[str, Average]:
    """The averages of some options with a curve at one month, as a difference of two options reads them."""
    found = averages_alike(numbers.pooled, alike_in_curves(numbers), month)
    return {option: found[option] for option in options}


@kept_beside(KEPT)
def averages_alike(pooled: PooledEvidence, of: Alike, month: float) -> dict[str, Average]:
    """The averages of every option with a curve at one month, for one kind of patients."""
    found = {}
    for block in pooled.survival.blocks:
        table = _class_table(pooled, of.setting, block.class_index, (month,))
        rates = _rates(pooled, table, [patients_alike(pooled, of.values)])
        levels = table.covariance[0, :, None] + of.extra_variance[block.class_index]
        by_trait = np.zeros((*rates.density.shape[2:], pooled.trait_count))
        by_trait[..., table.acting] = rates.by_trait[0, 0]
        for option, share in zip(table.options, table.share, strict=True):
            found[option] = Average(
                weight=table.weight,
                rate=rates.rate[0, 0] @ share,
                by_level=(rates.density[0, 0] * share)[:, None],
                by_trait=share @ by_trait,
                level_covariance=levels,
            )
    return found


def shares_by_patient(
    pooled: PooledEvidence, setting: Design, class_index: int, patients: Patients, months: tuple[float, ...]
) -> dict[str, Array]:
    """Share free of progression for each virtual patient at the parameters' means, over centres, (months, draws).

    Of every option of a class that has a curve; ``months`` are positive, none has to be whole.
    """
    table = _class_table(pooled, setting, class_index, months)
    basis = table.axis.basis((held(pooled, patients.values) - pooled.reference) @ table.effects)
    each = interpolated(basis, np.einsum("ckup,u->ckp", table.rates[:, RATE], table.weight))  # draws, months, products
    return {option: (each @ share).T for option, share in zip(table.options, table.share, strict=True)}


def _options_of(pooled: PooledEvidence, block: CurveBlock) -> tuple[str, ...]:
    names = (CLASSES[block.class_index], *block.products)
    return tuple(option for option in names if pooled.survival.options[option].state == "estimated")


@kept_beside(4)
def _places_of_classes(pooled: PooledEvidence) -> tuple[tuple[int, list[int]], ...]:
    """Where every class stands among the options with a curve, and where its products do."""
    options = options_with_curve(pooled)
    return tuple(
        (options.index(CLASSES[block.class_index]), [options.index(p) for p in block.products if p in options])
        for block in pooled.survival.blocks
        if CLASSES[block.class_index] in options
    )


class _ClassTable(Struct, frozen=True):
    """One class at some months, before any patient.

    ``rates`` (count, 4, months, nodes, products) of :func:`stage_table` on ``axis``; ``effects`` (traits,) make the
    offset. ``weight`` (nodes,), ``tau`` (months, nodes), ``covariance`` of the levels (months, nodes, products,
    products), ``slope`` (months, products, acting): derivative of the log odds in the effects of the ``acting`` traits,
    whose covariance is ``effect_covariance`` (acting, acting). ``share`` (options, products): of what an option is the
    average.
    """

    options: tuple[str, ...]
    share: Array
    axis: OffsetAxis
    rates: Array
    effects: Array
    acting: NDArray[np.intp]
    effect_covariance: Array
    weight: Array
    tau: Array
    covariance: Array
    slope: Array


@kept_beside(32)
def _class_table(pooled: PooledEvidence, setting: Design, class_index: int, months: tuple[float, ...]) -> _ClassTable:
    block = next(block for block in pooled.survival.blocks if block.class_index == class_index)
    family = pooled.family_index[PFS]
    effects = pooled.effects[family, class_index]
    own = np.asarray(pooled.effect_blocks[family][class_index, :, class_index, :])
    # An effect without variance moves rates through the offset, and no interval.
    acting = np.flatnonzero(np.diag(own) > 0.0)
    axis, at = offset_axis(pooled, effects), np.array(months)
    levels = _levels_at(pooled, block, setting, at)
    shape = (at.size, block.levels[setting].weight.size, len(block.products))
    options = _options_of(pooled, block)
    share = np.zeros((len(options), len(block.products)))
    for row, option in enumerate(options):
        members = pooled.survival.members(block, option)
        share[row, members] = 1.0 / len(members)
    return _ClassTable(
        options=options,
        share=share,
        axis=axis,
        rates=stage_table(levels, axis).reshape(axis.count, 4, *shape),
        effects=effects,
        acting=acting,
        effect_covariance=own[np.ix_(acting, acting)],
        weight=block.levels[setting].weight,
        tau=levels.tau.reshape(shape[:2]),
        covariance=levels.covariance.reshape(*shape, shape[2]),
        slope=_trait_slope(block, at)[:, :, acting],
    )


def _trait_slope(block: CurveBlock, months: Array) -> Array:
    """Derivative of the log odds in the trait effects, (months, products, traits)."""
    level, fall = np.split(block.slope, 2)
    return np.asarray(level - np.log(months / YEAR)[:, None, None] * fall)


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


class _Rates(Struct, frozen=True):
    """Rates of a class's products over centres and patients, (patients, months, nodes, products) each.

    ``density``: derivative in the level; ``by_trait`` (patients, months, nodes, products, acting): in the effects. The
    same at the middle centre.
    """

    rate: Array
    density: Array
    by_trait: Array
    middle_rate: Array
    middle_density: Array
    middle_by_trait: Array


def _rates(pooled: PooledEvidence, table: _ClassTable, patients: Sequence[Patients]) -> _Rates:
    basis, moved = [], []
    for each in patients:
        deviation = held(pooled, each.values) - pooled.reference
        own = table.axis.basis(deviation @ table.effects)
        basis.append(each.weight @ own)
        moved.append((each.weight[:, None] * deviation[:, table.acting]).T @ own)
    rates = np.moveaxis(interpolated(np.stack(basis), table.rates), 1, 0)
    by_trait = [
        # The level was fitted at the trait effects' mean: it moves with them by its slope.
        np.moveaxis(interpolated(np.stack(moved), table.rates[:, kind]), 1, -1)
        + rates[kind][..., None] * table.slope[:, None]
        for kind in (DENSITY, MIDDLE_DENSITY)
    ]
    return _Rates(rates[RATE], rates[DENSITY], by_trait[0], rates[MIDDLE_RATE], rates[MIDDLE_DENSITY], by_trait[1])


class _Mixture(Struct, frozen=True):
    """Log odds of one option's share.

    ``weight`` (components,), ``centre`` and ``variance`` (patients, months, components).
    """

    weight: Array
    centre: Array
    variance: Array


def _mixtures(table: _ClassTable, rates: _Rates, extra: Array) -> list[tuple[_Mixture, _Mixture]]:
    """Of every option of a class: the average's, and the next centre's."""
    more = extra[:, None, None, None]
    rate = np.swapaxes(rates.rate @ table.share.T, 2, 3)  # patients, months, options, nodes
    level = np.swapaxes(rates.density[..., None, :] * table.share, 2, 3)
    trait = np.swapaxes(table.share @ rates.by_trait, 2, 3)
    covariance = table.covariance[:, None]
    variance = (np.matmul(level[..., None, :], covariance)[..., 0, :] * level).sum(axis=-1)
    variance += more * level.sum(axis=-1) ** 2 + ((trait @ table.effect_covariance) * trait).sum(axis=-1)
    variance /= (rate * (1.0 - rate)) ** 2
    centre = logit(rate)
    # The next centre with one of the products: linear in its u, normal given tau.
    own = np.diagonal(table.covariance, axis1=2, axis2=3) + table.tau[..., None] ** 2 + more
    trait = rates.middle_by_trait
    following = rates.middle_density**2 * own + ((trait @ table.effect_covariance) * trait).sum(axis=-1)
    following /= (rates.middle_rate * (1.0 - rates.middle_rate)) ** 2
    ahead = logit(rates.middle_rate)
    found = []
    for place, share in enumerate(table.share):
        members = np.flatnonzero(share)
        joined = (*rate.shape[:2], -1)
        found.append(
            (
                _Mixture(table.weight, centre[:, :, place], variance[:, :, place]),
                _Mixture(
                    np.repeat(table.weight / members.size, members.size),
                    ahead[..., members].reshape(joined),
                    following[..., members].reshape(joined),
                ),
            )
        )
    return found


def _sides_at_knots(mixtures: Sequence[tuple[_Mixture, _Mixture]]) -> Array:
    """Sides of every option's curve at :data:`KNOTS`, (patients, options, 5, knots)."""
    every = [mixture for pair in mixtures for mixture in pair]
    longest = max(mixture.weight.size for mixture in every)
    patients, knots = every[0].centre.shape[:2]
    weight = np.zeros((patients, len(every), knots, longest))
    centre, variance = np.empty_like(weight), np.empty_like(weight)
    for row, mixture in enumerate(every):
        count = mixture.weight.size
        weight[:, row, :, :count] = mixture.weight
        for whole, own in ((centre, mixture.centre), (variance, mixture.variance)):
            whole[:, row, :, :count] = own
            whole[:, row, :, count:] = own[..., :1]  # of no weight
    spread = np.sqrt(np.maximum(variance, _LEAST_VARIANCE))
    mean = (weight[:, ::2] * expected_logistic(centre[:, ::2], spread[:, ::2])).sum(axis=-1)
    flat = [each.reshape(-1, longest) for each in (weight, centre, spread)]
    ends = logistic(mixture_quantiles(flat[0], flat[1], flat[2], _ENDS)).reshape(patients, -1, 2, knots, 2)
    ends = np.swapaxes(ends, 3, 4).reshape(patients, -1, 4, knots)  # low and high of the average, then of the next
    return np.concatenate([mean[:, :, None], ends], axis=2)


def reaches(months: Array, share: Array, end: Array, level: float = 0.5) -> Array:
    """The month at which falling shares (..., times) reach a level, (...); between months by a straight line.

    ``months`` (times,) start at 0 where every share is 1. NaN where it is not reached by the month ``end`` (...).
    """
    below = (share <= level) & (months <= end[..., None])
    at = below.argmax(axis=-1)[..., None]
    after, before = (np.take_along_axis(share, place, -1)[..., 0] for place in (at, np.maximum(at - 1, 0)))
    start, stop = months[np.maximum(at - 1, 0)[..., 0]], months[at[..., 0]]
    fall = np.where(before > after, before - after, 1.0)
    return np.where(below.any(axis=-1), start + (before - level) / fall * (stop - start), np.nan)


def restricted_mean(months: Array, share: Array, end: Array, within: float) -> Array:
    """Mean time free of the event up to ``within`` months: the area under the curves (..., times), (...).

    By the trapezoid rule; NaN where patients are not followed so long, to the month ``end`` (...).
    """
    inside = months <= within
    return np.where(end >= within, np.trapezoid(share[..., inside], months[inside]), np.nan)
