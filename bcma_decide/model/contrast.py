"""The difference between two options for one patient, from their joint posterior, without sampling.

Common trait effects cancel as far as they are common: the effects of both classes are one posterior, and the same
virtual patients stand on both sides. The comparison is unanchored, so it carries an explicit bias term (NICE Decision
Support Unit, Technical Support Document 18, 2016: unanchored comparisons assume that every prognostic factor is
accounted for). Swapping the options mirrors every number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bcma_decide.model.normal import Z95, distribution, distribution_and_density, hermite, logistic
from bcma_decide.model.prediction import Average

Array = NDArray[np.float64]

_POINTS, _POINTS_OF_MANY, _MANY_COMPONENTS = 5, 3, 9
"""Quadrature points across the difference at every component; of more components than those, fewer."""
_MANY_NODES = 4
"""Of the spread, from which on two of them are taken together to begin with."""
_NEAR = 1e-5
_ENDS = np.array([0.025, 0.975])
_MOST_STEPS = 60
_SETTLED = 2e-6
"""Error of a probability."""
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
    found = joint_differences(*_joint(first, second, effect_covariance), np.square(bias_sds))
    mean = first.mean - second.mean
    return tuple(
        Difference((mean, min(a, mean), max(b, mean)), p, (log_odds, log_odds - r, log_odds + r))
        for a, b, p, log_odds, r in found[0].tolist()
    )


def higher_of_pairs(
    sides: Mapping[str, Side], effect_covariance: Array, bias_sd: float
) -> dict[tuple[str, str], float]:
    """How likely the first of two options has the higher rate, as in :func:`differences`, for every pair of some.

    The interval of their difference leaves out zero where it is below 2.5 % or above 97.5 %: the difference of the
    rates has the sign of that of the log odds.
    """
    classes: dict[int, list[str]] = {}
    for option, side in sides.items():
        classes.setdefault(side.class_index, []).append(option)
    own = {index: _Options.of([sides[o].average for o in options]) for index, options in classes.items()}
    found: dict[tuple[str, str], float] = {}
    for first, one in own.items():
        moved = one.by_trait @ effect_covariance[first, :, first, :]
        covariance = np.matmul(moved, np.swapaxes(one.by_trait, 1, 2)) + one.common
        variance = np.diagonal(covariance, axis1=1, axis2=2)
        one_higher = _higher(one, one, variance, variance, covariance, bias_sd, one.weight[:, None, None])
        found |= _named(classes[first], classes[first], np.einsum("kmn->mn", one_higher))
        for second, two in own.items():
            if second <= first:
                continue
            other = _own_variance(two, effect_covariance[second, :, second, :])
            moved = (one.by_trait @ effect_covariance[first, :, second, :])[:, None]
            between = np.matmul(moved, np.swapaxes(two.by_trait, 1, 2)[None])
            weight = (one.weight[:, None] * two.weight)[..., None, None]
            higher = _higher(one, two, variance[:, None], other[None], between, bias_sd, weight)
            total = np.einsum("klmn->mn", higher)
            found |= _named(classes[first], classes[second], total)
            found |= _named(classes[second], classes[first], 1.0 - total.T)
    return found


@dataclass(frozen=True)
class _Options:
    """Options of one class at one outcome.

    ``weight`` (nodes,), ``logit`` (nodes, options), ``by_trait`` (nodes, options, parameters); ``common`` (nodes,
    options, options), the covariance that the levels leave.
    """

    weight: Array
    logit: Array
    by_trait: Array
    common: Array

    @classmethod
    def of(cls, averages: Sequence[Average]) -> _Options:
        levels = np.stack([average.gradient[0] for average in averages], axis=2)  # nodes, stages, options, products
        common = np.matmul(np.matmul(levels, averages[0].level_covariance), np.swapaxes(levels, 2, 3)).sum(axis=1)
        return cls(
            averages[0].weight,
            np.stack([average.logit for average in averages], axis=1),
            np.stack([average.gradient[1] for average in averages], axis=1),
            common,
        )


def _own_variance(options: _Options, covariance: Array) -> Array:
    own = ((options.by_trait @ covariance) * options.by_trait).sum(axis=2)
    return np.asarray(own + np.diagonal(options.common, axis1=1, axis2=2))


def _higher(
    one: _Options, two: _Options, variance: Array, other: Array, between: Array, bias_sd: float, weight: Array
) -> Array:
    """Weighted P(first higher) at every pair of nodes and options, the shape of ``between``."""
    gap = one.logit[..., None] - two.logit[:, None] if one is two else one.logit[:, None, :, None] - two.logit[:, None]
    square = variance[..., :, None] + other[..., None, :] - 2.0 * between + bias_sd**2
    return weight * distribution(gap / np.sqrt(np.maximum(square, _LEAST_VARIANCE)))


def _named(rows: Sequence[str], columns: Sequence[str], values: Array) -> dict[tuple[str, str], float]:
    return {
        (row, column): value
        for row, line in zip(rows, values.tolist(), strict=True)
        for column, value in zip(columns, line, strict=True)
    }


@dataclass(frozen=True)
class Joint:
    """Log odds of two options together, a mixture of joint normals, for many pairs.

    ``weight`` of the components, and covariance ``between`` the options (pairs, components); ``logits``, ``variances``
    of the first and the second (pairs, 2, components).
    """

    weight: Array
    logits: Array
    variances: Array
    between: Array
    part_of: NDArray[np.intp] | None = None
    """Where components are taken together: of which each of those before is a part."""


@dataclass(frozen=True)
class Nodes:
    """One option by node of the spread, for many pairs: ``weight``, ``logit``, ``variance`` (pairs, nodes)."""

    weight: Array
    logit: Array
    variance: Array

    @property
    def halved(self) -> tuple[Nodes, Array]:
        """Two nodes each taken together with their mean and variance, and how much of it each is (pairs, nodes)."""
        starts = np.arange(0, self.weight.shape[1], 2)
        weight = np.add.reduceat(self.weight, starts, axis=1)
        part = self.weight / np.repeat(weight, 2, axis=1)[:, : self.weight.shape[1]]
        logit = np.add.reduceat(part * self.logit, starts, axis=1)
        square = np.add.reduceat(part * (self.variance + self.logit * self.logit), starts, axis=1)
        return Nodes(weight, logit, square - logit * logit), part


def crossed(first: Nodes, second: Nodes, between: Array) -> tuple[Joint, Joint]:
    """Options of different spreads: every pair of nodes, and fewer of them for what is worked out at each.

    ``between`` (pairs, nodes, nodes') is the covariance.
    """
    full = _pairs_of_nodes(first, second, between)
    if min(first.weight.shape[1], second.weight.shape[1]) < _MANY_NODES:
        return full, full
    (one, part), (two, other) = first.halved, second.halved
    along = np.add.reduceat(between * part[:, :, None], np.arange(0, between.shape[1], 2), axis=1)
    across = np.add.reduceat(along * other[:, None], np.arange(0, between.shape[2], 2), axis=2)
    rows, columns = (np.arange(count) // 2 for count in between.shape[1:])
    part_of = (rows[:, None] * across.shape[2] + columns).ravel()
    return full, replace(_pairs_of_nodes(one, two, across), part_of=part_of)


def _pairs_of_nodes(first: Nodes, second: Nodes, between: Array) -> Joint:
    shape = between.shape
    logits, variances = np.empty((shape[0], 2, *shape[1:])), np.empty((shape[0], 2, *shape[1:]))
    logits[:, 0], logits[:, 1] = first.logit[:, :, None], second.logit[:, None]
    variances[:, 0], variances[:, 1] = first.variance[:, :, None], second.variance[:, None]
    weight = (first.weight[:, :, None] * second.weight[:, None]).reshape(shape[0], -1)
    flat = shape[0], 2, -1
    return Joint(weight, logits.reshape(flat), variances.reshape(flat), between.reshape(shape[0], -1))


def joint_differences(full: Joint, fewer: Joint, bias_variance: Array) -> Array:
    """Differences of many pairs of options.

    Parameters
    ----------
    full, fewer
        The pairs, as :func:`crossed` has them.
    bias_variance
        Variances of the bias of the comparison, (biases,).

    Returns
    -------
    numpy.ndarray
        (pairs, biases, 5): ends of the 95 % interval of first less second, P(first higher), mean log odds ratio and
        half of its 95 % interval.
    """
    gap = full.logits[:, 0] - full.logits[:, 1]
    # Half of the bias goes to each side with opposite sign: the difference carries it whole, the sum nothing of it, and
    # neither option is singled out as the biased one.
    own = full.variances[:, 0] + full.variances[:, 1] - 2.0 * full.between
    variance = own[:, None] + bias_variance[:, None]
    standard = gap[:, None] / np.sqrt(np.maximum(variance, _LEAST_VARIANCE))
    found = np.empty((*variance.shape[:2], 5))
    found[..., 2] = np.einsum("rk,rbk->rb", full.weight, distribution(standard))
    mean = np.einsum("rk,rk->r", full.weight, gap)[:, None]
    found[..., 3] = mean
    square = np.einsum("rk,rbk->rb", full.weight, variance + (gap * gap)[:, None])
    # the spread of two equal options is 0, and may come out just below it
    found[..., 4] = Z95 * np.sqrt(np.maximum(square - mean * mean, 0.0))
    found[..., :2] = _intervals(full, fewer, bias_variance)
    return found


def _joint(first: Side, second: Side, effect_covariance: Array) -> tuple[Joint, Joint]:
    """One pair. Options of one block share the node of the spread; those of different blocks have every pair."""
    sides = (first, second)
    gradients = [side.average.gradient for side in sides]
    own = [
        Nodes(
            side.average.weight[None],
            side.average.logit[None],
            side.average.variance(effect_covariance[side.class_index, :, side.class_index, :])[None],
        )
        for side in sides
    ]
    between = effect_covariance[first.class_index, :, second.class_index, :]
    if first.class_index != second.class_index:
        return crossed(own[0], own[1], (gradients[0][1] @ between @ gradients[1][1].T)[None])
    cross = np.einsum("kt,tu,ku->k", gradients[0][1], between, gradients[1][1])
    cross += np.einsum("ksp,kspq,ksq->k", gradients[0][0], first.average.level_covariance, gradients[1][0])
    logits, variances = (np.stack(pair, axis=1) for pair in zip(*((o.logit, o.variance) for o in own), strict=True))
    joint = Joint(own[0].weight, logits, variances, cross[None])
    return joint, joint


def _intervals(full: Joint, fewer: Joint, bias_variance: Array) -> Array:
    """95 % intervals of the difference of the two rates, (pairs, biases, 2).

    In every component the log odds are m + a u + c v with independent standard normals: u along the gradient of the
    difference at the mean, v across it, where the difference hardly changes. So it rises with u, its distribution is
    exact in u and a quadrature in v. An end t and the u at which every node reaches it are found together, by Newton's
    steps: difference(u, v) = t at all nodes, and their weighted distribution functions add up to the probability.
    Swapping the options changes the sign of u and of the difference, and so mirrors the interval.
    The few components of ``fewer`` say where to start.
    """
    shape = len(full.weight), bias_variance.size, 2
    wanted = np.broadcast_to(_ENDS, shape).ravel()
    points = _POINTS if full.weight.shape[1] <= _MANY_COMPONENTS else _POINTS_OF_MANY
    u, ends = np.where(wanted < 0.5, -Z95, Z95)[:, None], None
    if fewer is not full:
        few = _Lines.of(fewer, bias_variance, points)
        u, ends = few.ends(np.broadcast_to(u, few.mass.shape).copy(), None, wanted, _NEAR)
        u = u.reshape(len(u), -1, points)[:, fewer.part_of].reshape(len(u), -1)
    lines = _Lines.of(full, bias_variance, points)
    return lines.ends(np.broadcast_to(u, lines.mass.shape).copy(), ends, wanted, _SETTLED)[1].reshape(shape)


@dataclass(frozen=True)
class _Lines:
    """Log odds of either side along u: ``bases`` + ``slopes`` u at nodes of weight ``mass``, (rows, nodes) each.

    A row for each pair, bias and end; the nodes are those of components and of v.
    """

    slopes: tuple[Array, Array]
    bases: tuple[Array, Array]
    mass: Array

    @classmethod
    def of(cls, joint: Joint, bias_variance: Array, count: int) -> _Lines:
        """Of some pairs, for each size of the bias, with so many points of v."""
        points, point_weight = hermite(count)
        quarter = 0.25 * bias_variance[:, None]
        one, two = (joint.variances[:, side, None] + quarter for side in (0, 1))
        cross = joint.between[:, None] - quarter
        p = logistic(joint.logits)
        dense = p * (1.0 - p)
        first, second = dense[:, None, 0], dense[:, None, 1]
        along = one * first - cross * second, cross * first - two * second
        spread = np.sqrt(np.maximum(first * along[0] - second * along[1], _LEAST_VARIANCE * (first + second) ** 2))
        across = np.sqrt(np.maximum(one * two - cross * cross, 0.0)) / spread
        shape = len(joint.weight), bias_variance.size, 2, joint.weight.shape[1], count
        flat = shape[0] * shape[1] * 2, -1

        def rows(values: Array) -> Array:
            """One row for every end that is looked for, (rows, components * points)."""
            return np.ascontiguousarray(np.broadcast_to(values, shape)).reshape(flat)

        slopes = [rows((each / spread)[:, :, None, :, None]) for each in along]
        bases = [
            rows((joint.logits[:, None, side][..., None] + (across * other)[..., None] * points)[:, :, None])
            for side, other in ((0, second), (1, first))
        ]
        mass = rows((joint.weight[..., None] * point_weight)[:, None, None])
        return cls((slopes[0], slopes[1]), (bases[0], bases[1]), mass)

    def ends(self, u: Array, ends: Array | None, wanted: Array, near: float) -> tuple[Array, Array]:
        """Where the distribution function of the difference is ``wanted``, (rows,), and the u there, (rows, nodes).

        From starting values of both, until what is left of the probability is about ``near``.
        """
        open_: NDArray[np.intp] | slice = slice(None)
        for _ in range(_MOST_STEPS):
            (a1, a2), at = (each[open_] for each in self.slopes), u[open_]
            own = self.mass[open_]
            p1, p2 = logistic(self.bases[0][open_] + a1 * at), logistic(self.bases[1][open_] + a2 * at)
            gap = p1 - p2
            if ends is None:
                ends = np.einsum("rk,rk->r", own, gap)
            a1 = a1 * (p1 * (1.0 - p1))
            a1 -= a2 * (p2 * (1.0 - p2))
            inverse = 1.0 / np.maximum(a1, _LEAST_RISE)
            below, dense = distribution_and_density(at)
            dense = np.maximum(dense, _LEAST_DENSITY)
            lacking = (ends[open_][:, None] - gap) * inverse
            missing = wanted[open_] - np.einsum("rk,rk->r", own, below + dense * lacking)
            moved = missing / np.einsum("rk,rk,rk->r", own, dense, inverse)
            lacking += moved[:, None] * inverse
            step = np.minimum(np.maximum(lacking, -_LARGEST_STEP), _LARGEST_STEP)
            u[open_] = at + step
            ends[open_] += moved
            # what is left is of the order of the squares of the last steps
            moving = np.einsum("rk,rk,rk,rk->r", own, dense, step, step) > near
            if not moving.any():
                break
            # what has settled stays where it is, whoever else is worked out beside it
            open_ = np.flatnonzero(moving) if isinstance(open_, slice) else open_[moving]
        if ends is None:
            raise ValueError
        return u, ends
