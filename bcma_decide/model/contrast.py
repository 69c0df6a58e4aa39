"""The difference between two options for one patient, from their joint posterior, without sampling.

Common trait effects cancel as far as they are common: the effects of both classes are one posterior, and the same
virtual patients stand on both sides. The comparison is unanchored, so it carries an explicit bias term (NICE Decision
Support Unit, Technical Support Document 18, 2016: unanchored comparisons assume that every prognostic factor is
accounted for). Swapping the options mirrors every number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.normal import Z95, density, distribution, distribution_and_density, hermite
from bcma_decide.model.prediction import Average

Array = NDArray[np.float64]
Normal = Callable[[Array], tuple[Array, Array]]

_SMOOTH = 5
"""Quadrature points of the half sum that always do for a start."""
_GAUSS = {0.6: _SMOOTH, 1.0: 9}
"""Steepness up to which so many of Gauss's points leave 0.0001 of an end at most."""
_EQUAL, _STEEPEST_OF_EQUAL, _MOST_DOUBLINGS = 12, 2.5, 4
"""Spaces between equidistant points up to a steepness, and how often both may double."""
_AT_ONCE = 16_384
"""Values of an array, so that those of a step stay near the processor."""
_WIDTH = 4.4
"""Standard deviations that equidistant points reach: 1e-5 lies beyond."""
_STEEP_AT = 2.5
"""Standard deviations of the half sum at which the steepness is looked at."""
_MANY_NODES = 4
"""Of the spread, from which on two of them are taken together to begin with."""
_ROOT = np.sqrt(-2.0 * np.log(0.025))
_MOST_STEPS = 60
_NEAR, _SETTLED = 0.1, 1e-2
"""Errors, about in standard deviations, of which Newton's step leaves about a fifth of the square."""
_FARTHEST = 19.0
"""Inverse hyperbolic tangent of a difference: the next one is 1 to the last digit."""
_LEAST_TAIL, _MOST_TAIL = 1e-12, 0.9
_LEAST_VARIANCE = 1e-12
"""Two identical options differ by nothing, not by 0 / 0."""
_LEAST_DENSITY = 1e-12


class Side(Struct, frozen=True):
    """One option: its average rate, its posterior mean, and where it comes from.

    ``class_index``: two options of one class share their levels; it places the trait parameters in their covariance.
    """

    average: Average
    mean: float
    class_index: int


class Difference(Struct, frozen=True):
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
    return differences_of_pairs([(first, second)], effect_covariance, bias_sds)[0]


def differences_of_pairs(
    pairs: Sequence[tuple[Side, Side]], effect_covariance: Array, bias_sds: Sequence[float]
) -> list[tuple[Difference, ...]]:
    """:func:`differences` of several pairs with as many nodes each."""
    sizes = zip(*(_joint(first, second, effect_covariance) for first, second in pairs), strict=True)
    full, fewer = (_together(joints) for joints in sizes)
    found = joint_differences(full, fewer, np.square(bias_sds))
    means = [first.mean - second.mean for first, second in pairs]
    return [
        tuple(
            Difference((mean, min(a, mean), max(b, mean)), p, (log_odds, log_odds - r, log_odds + r))
            for a, b, p, log_odds, r in rows
        )
        for mean, rows in zip(means, found.tolist(), strict=True)
    ]


def _together(joints: Sequence[Joint]) -> Joint:
    if len(joints) == 1:
        return joints[0]
    parts = ((each.weight, each.logits, each.variances, each.between) for each in joints)
    return Joint(*(np.concatenate(part) for part in zip(*parts, strict=True)))


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


class _Options(Struct, frozen=True):
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
    return weight * chance_above_zero(gap, square)


def chance_above_zero(mean: Array, variance: Array) -> Array:
    """P(a normal > 0), any shape; where nothing is left open it is a half or certain."""
    return distribution(mean / np.sqrt(np.maximum(variance, _LEAST_VARIANCE)))


def _named(rows: Sequence[str], columns: Sequence[str], values: Array) -> dict[tuple[str, str], float]:
    return {
        (row, column): value
        for row, line in zip(rows, values.tolist(), strict=True)
        for column, value in zip(columns, line, strict=True)
    }


class Joint(Struct, frozen=True):
    """Log odds of two options together, a mixture of joint normals, for many pairs.

    ``weight`` of the components, and covariance ``between`` the options (pairs, components); ``logits``, ``variances``
    of the first and the second (pairs, 2, components).
    """

    weight: Array
    logits: Array
    variances: Array
    between: Array


class Nodes(Struct, frozen=True):
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
    return full, _pairs_of_nodes(one, two, across)


def _pairs_of_nodes(first: Nodes, second: Nodes, between: Array) -> Joint:
    shape = between.shape
    logits, variances = np.empty((shape[0], 2, *shape[1:])), np.empty((shape[0], 2, *shape[1:]))
    logits[:, 0], logits[:, 1] = first.logit[:, :, None], second.logit[:, None]
    variances[:, 0], variances[:, 1] = first.variance[:, :, None], second.variance[:, None]
    weight = (first.weight[:, :, None] * second.weight[:, None]).reshape(shape[0], -1)
    flat = shape[0], 2, -1
    return Joint(weight, logits.reshape(flat), variances.reshape(flat), between.reshape(shape[0], -1))


def joint_differences(
    full: Joint, fewer: Joint, bias_variance: Array, normal: Normal = distribution_and_density
) -> Array:
    """Differences of many pairs of options.

    Parameters
    ----------
    full, fewer
        The pairs, as :func:`crossed` has them.
    bias_variance
        Variances of the bias of the comparison, (biases,).
    normal
        Distribution function and density of the standard normal.

    Returns
    -------
    numpy.ndarray
        (pairs, biases, 5): ends of the 95 % interval of first less second, P(first higher), mean log odds ratio and
        half of its 95 % interval.
    """
    parts = _Parts.of(full, bias_variance)
    gap, variance = parts.gap, parts.variance
    found = np.empty((*variance.shape[:2], 5))
    found[..., 2] = np.einsum("rk,rbk->rb", full.weight, chance_above_zero(gap[:, None], variance))
    mean = np.einsum("rk,rk->r", full.weight, gap)[:, None]
    found[..., 3] = mean
    square = np.einsum("rk,rbk->rb", full.weight, variance + (gap * gap)[:, None])
    # the spread of two equal options is 0, and may come out just below it
    found[..., 4] = Z95 * np.sqrt(np.maximum(square - mean * mean, 0.0))
    few = parts if fewer is full else _Parts.of(fewer, bias_variance)
    found[..., :2] = _intervals(parts, few, found[..., 3], found[..., 4], normal)
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


class _Parts(Struct, frozen=True):
    """Components of many pairs by half of the sum of the log odds and by their difference.

    ``weight``, ``half_sum`` and its standard deviation ``spread``, ``gap`` (mean of the difference) and ``tilt`` (by
    how much it rises with each standard deviation of the half sum), (pairs, components) each. ``variance`` of the
    difference, and standard deviation ``left`` of it where the half sum is known, (pairs, biases, components).
    """

    weight: Array
    half_sum: Array
    spread: Array
    gap: Array
    tilt: Array
    variance: Array
    left: Array

    @classmethod
    def of(cls, joint: Joint, bias_variance: Array) -> _Parts:
        one, two = joint.variances[:, 0], joint.variances[:, 1]
        total = one + two
        spread = np.sqrt(np.maximum(0.25 * total + 0.5 * joint.between, _LEAST_VARIANCE))
        tilt = 0.5 * (one - two) / spread
        # Half of the bias goes to each side with opposite sign: the difference carries it whole, the sum nothing of it,
        # and neither option is singled out as the biased one.
        variance = (total - 2.0 * joint.between)[:, None] + bias_variance[:, None]
        left = np.sqrt(np.maximum(variance - (tilt * tilt)[:, None], _LEAST_VARIANCE))
        first, second = joint.logits[:, 0], joint.logits[:, 1]
        return cls(joint.weight, 0.5 * (first + second), spread, first - second, tilt, variance, left)

    def steepness(self, ends: Array) -> Array:
        """How fast the share below an end, (pairs, biases, 2), changes with the half sum, (pairs, biases, 2).

        In standard deviations of the difference by standard deviation of the half sum, at the steepest component.
        """
        away = _STEEP_AT * self.spread
        half_sums = np.stack([self.half_sum - away, self.half_sum + away], axis=1)[:, None, None]
        size = np.sinh(ends)[..., None, None]
        steep = np.cosh(half_sums) * size
        slope = 2.0 * np.sinh(half_sums) * size / np.sqrt(steep * steep + 1.0)
        moved = slope * self.spread[:, None, None, None] - self.tilt[:, None, None, None]
        return np.asarray(np.abs(moved / self.left[:, :, None, None]).max(axis=(3, 4)))


def _intervals(full: _Parts, fewer: _Parts, mean: Array, reach: Array, normal: Normal) -> Array:
    """95 % intervals of the difference of the two rates, (pairs, biases, 2).

    With s half of the sum of the log odds and d their difference, the difference of the rates is
    sinh(d/2) / (cosh(s) + cosh(d/2)): it rises with d, so that its distribution is exact in d and a quadrature in s.
    Swapping the options changes the sign of d and of the difference, and so mirrors the interval. ``mean`` and
    ``reach`` of the log odds ratio, (pairs, biases), and the few components of ``fewer`` say where to start.
    """
    half = 0.5 * (mean[..., None] + reach[..., None] * np.array([-1.0, 1.0]))
    middle = np.cosh(np.einsum("rk,rk->r", full.weight, full.half_sum))[:, None, None]
    ends = np.arctanh(np.sinh(half) / (middle + np.cosh(half)))
    shape, everyone = ends.shape, np.arange(ends.size)
    ends = _Lines.of(fewer, _SMOOTH, everyone, normal).ends(ends.ravel(), _NEAR)
    counts = _enough(full.steepness(ends.reshape(shape)).ravel())
    for count in sorted(set(counts.tolist())):  # numpy.unique would load the masked arrays, 5 % of a cold start
        of_count = np.flatnonzero(counts == count)
        at_once = max(_AT_ONCE // (count * full.weight.shape[1]), 1)
        for start in range(0, of_count.size, at_once):
            rows = of_count[start : start + at_once]
            ends[rows] = _Lines.of(full, count, rows, normal).ends(ends[rows], _SETTLED)
    return np.asarray(np.tanh(ends).reshape(shape))


def _enough(steepness: Array) -> NDArray[np.intp]:
    """How many points of the half sum an end of such a steepness needs."""
    doublings = np.ceil(np.log2(np.maximum(steepness / _STEEPEST_OF_EQUAL, 1.0)))
    found = 1 + _EQUAL * 2 ** np.minimum(doublings, _MOST_DOUBLINGS).astype(np.intp)
    for steepest, count in sorted(_GAUSS.items(), reverse=True):
        found[steepness <= steepest] = count
    return found


@cache
def _rule(count: int) -> tuple[Array, Array]:
    """Points and weights for the standard normal: Gauss's few, or many equidistant ones.

    Of a steep function the trapezoidal rule makes more than Gauss's does of as many points (Trefethen LN, Weideman JAC.
    SIAM Review 2014;56:385-458, section 4).
    """
    if count in _GAUSS.values():
        return hermite(count)
    points = np.linspace(-_WIDTH, _WIDTH, count)
    weight = density(points)
    return points, weight / weight.sum()


class _Lines(Struct, frozen=True):
    """Ends that are looked for, a row each, and the lines of constant half sum along which they are reached.

    ``twice_cosh`` of the half sum, and ``expected`` difference in standard deviations, (rows, points, components);
    ``twice`` (rows, components), what half a unit of the difference is in standard deviations; ``weight`` (rows,
    components); ``point_weight`` (points,); ``upper`` (rows,), which ends are looked for.
    """

    twice_cosh: Array
    expected: Array
    twice: Array
    weight: Array
    point_weight: Array
    upper: NDArray[np.bool_]
    normal: Normal

    @classmethod
    def of(cls, parts: _Parts, count: int, rows: NDArray[np.intp], normal: Normal) -> _Lines:
        """Some rows of (pairs, biases, 2), with so many points."""
        points, point_weight = _rule(count)
        biases = parts.left.shape[1]
        pair, bias = rows // (2 * biases), rows // 2 % biases
        away = parts.spread[pair, None] * points[:, None]
        away += parts.half_sum[pair, None]
        cosh = np.exp(away, out=away)
        cosh += 1.0 / cosh  # twice of it: a pass less over all of them
        inverse = 1.0 / parts.left[pair, bias]
        expected = (parts.tilt[pair] * inverse)[:, None] * points[:, None]
        expected += (parts.gap[pair] * inverse)[:, None]
        return cls(cosh, expected, 2.0 * inverse, parts.weight[pair], point_weight, rows % 2 == 1, normal)

    def ends(self, ends: Array, near: float) -> Array:
        """Inverse hyperbolic tangents of the ends, from starting values, (rows,) each.

        Newton's steps until what was left before the last one is below ``near``, halved where they leave what is known
        to hold the end. On the scale (-2 log p)^(1/2) of the tail p a normal is nearly straight.
        """
        ends = ends.copy()
        low, high = np.full(ends.shape, -_FARTHEST), np.full(ends.shape, _FARTHEST)
        lines, open_ = self, np.arange(ends.size)
        for _ in range(_MOST_STEPS):
            at = ends[open_]
            share, rise = lines._share_below(at)
            tail = np.minimum(np.maximum(np.where(lines.upper, 1.0 - share, share), _LEAST_TAIL), _MOST_TAIL)
            root = np.sqrt(-2.0 * np.log(tail))
            missing = np.where(lines.upper, _ROOT - root, root - _ROOT)
            low[open_] = np.where(missing > 0.0, at, low[open_])
            high[open_] = np.where(missing > 0.0, high[open_], at)
            to = at + missing * root * tail / np.maximum(rise, _LEAST_DENSITY)
            inside = (to >= low[open_]) & (to <= high[open_])
            ends[open_] = np.where(inside, to, 0.5 * (low[open_] + high[open_]))
            moving = np.abs(missing) > near
            if not moving.any():
                break
            # what has settled stays where it is, whoever else is worked out beside it
            if not moving.all():
                open_, lines = open_[moving], lines._only(moving)
        return ends

    def _only(self, kept: NDArray[np.bool_]) -> _Lines:
        return _Lines(
            self.twice_cosh[kept],
            self.expected[kept],
            self.twice[kept],
            self.weight[kept],
            self.point_weight,
            self.upper[kept],
            self.normal,
        )

    def _share_below(self, ends: Array) -> tuple[Array, Array]:
        """Distribution function and density at ends tanh(a), (rows,) each, of a.

        From sinh(d/2) = tanh(a) (cosh(s) + cosh(d/2)) follows d/2 = a + asinh(cosh(s) sinh(a)).
        """
        size = np.abs(ends)
        x = self.twice_cosh * (0.5 * np.sinh(size))[:, None, None]
        root = x * x
        root += 1.0
        np.sqrt(root, out=root)
        x += root
        np.log(x, out=x)
        x += size[:, None, None]
        x *= (self.twice * np.sign(ends)[:, None])[:, None]
        x -= self.expected
        below, dense = self.normal(x)
        np.divide(self.twice_cosh, root, out=root)
        root *= (0.5 * np.cosh(size))[:, None, None]
        root += 1.0
        dense *= root
        share = np.matmul(below, self.weight[:, :, None])[..., 0] @ self.point_weight
        rise = np.matmul(dense, (self.weight * self.twice)[:, :, None])[..., 0] @ self.point_weight
        return share, rise
