"""Kinds of patients that are the same for everyone, and the weight that each has for one of whom something is known.

The population is a Gaussian copula (`bcma_decide.model.population`). Traits that are correlated, directly or through
others, are one *part*; parts are independent. Inside a part the yes/no traits given the numbers are latent normals on
one side of a cut: the probability of every combination is an orthant probability, by Gauss-Legendre quadrature of a
product of one-dimensional tails (the integral of GHK: Hajivassiliou V, McFadden D. Econometrica 1998;66:863-896),
tabulated once over the numbers. A number that is unknown is integrated over its nodes, one beyond either end of the
range in which it acts and seven inside.

What a trait does to a rate is smooth, so that patients enter a mean only through their weights on fixed points: every
combination of the yes/no traits at a few Chebyshev points of the numbers. Whatever is nonlinear is worked out at these
points once; a patient is a row of weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from itertools import product
from math import ceil, prod
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.kept import Kept
from bcma_decide.model.normal import density, quantile, upper_tail
from bcma_decide.model.offset_tables import OffsetAxis
from bcma_decide.pooled.evidence import Population

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_UNCORRELATED: Final = 1e-9
_FURTHEST_CUT: Final = 12.0
"""Standard deviations: 2e-33 lies beyond, and a product of nine such tails is still a number. Only made-up profiles
get there."""
_FURTHEST_NUMBER: Final = 8.0
"""Standard deviations of the evidence population up to which a known number tells of other traits."""
_INSIDE: Final = 7
"""Nodes of an unknown number inside the range in which it acts."""
_POINTS: Final = 128
"""Quadrature points of a part, about: a few for each yes/no trait but the last."""
_MOST_POINTS_A_TRAIT: Final = 16
_FEW_POINTS: Final = 6
"""Up to which the points are moved to the mean and variance of the normal in its tail; more have them nearly."""
_MOST_NODES: Final = 1000
"""Of the table over the numbers of a part."""
_RIDGE: Final = 1e-9
_KEPT: Final = 256
"""Of each part: some answers for every age."""
_LEAST: Final = 1e-300


class NumberAxis(OffsetAxis, frozen=True):
    """Chebyshev points of a number."""

    def shares(self, values: Array) -> Array:
        """Share of every point in a smooth function at some values, (..., count); it sums to 1 and may be negative."""
        return np.asarray(self.basis(values) @ self._through)

    @cached_property
    def _through(self) -> Array:
        """Coefficients of the polynomial that is 1 at one point and 0 at the others, (degrees, count)."""
        return self.coefficients(np.eye(self.count))


class Part(Struct, frozen=True, dict=True):
    """Traits correlated with each other: ``numbers`` and ``binaries``, places among the model's traits."""

    population: Population
    numbers: tuple[int, ...]
    binaries: tuple[int, ...]
    axes: tuple[NumberAxis, ...]
    """Of each number, on the model's scale: the range in which it acts."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Absent and present for each yes/no trait, then the points of each number."""
        return (*(2 for _ in self.binaries), *(axis.count for axis in self.axes))

    def weights(self, number: Array, yes: Array, no: Array) -> Array:
        """Weight of every kind of patient, (profiles, *shape); arguments as in `Profiles`, all traits."""
        if len(number) > 1:
            return self._weights(number, yes, no)
        given = number[0, self.numbers], yes[0, self.binaries], no[0, self.binaries]
        key = b"".join([each.tobytes() for each in given])
        return self._kept.get(key, lambda: self._weights(number, yes, no))

    @cached_property
    def _kept(self) -> Kept[bytes, Array]:
        """Weights of single patients by what is known of the traits of the part: it is the same of many."""
        return Kept(_KEPT)

    def _weights(self, number: Array, yes: Array, no: Array) -> Array:
        spread = self._spread(number)
        if self.binaries:
            # the same weights whatever is known, of which the answers take their part
            total = spread.sum(axis=2)
            spread = spread * self._answered(total, yes, no)[..., None]
        return np.broadcast_to(spread, (len(number), *spread.shape[1:])).reshape(len(number), *self.shape)

    def _answered(self, total: Array, yes: Array, no: Array) -> Array:
        """By what every combination is multiplied for the answers: a trait with a chance is mixed of three branches.

        ``total`` (profiles or 1, combinations) -> (profiles, combinations).
        """
        yes, no = yes[:, self.binaries], no[:, self.binaries]
        shares = np.stack([no, yes, np.maximum(1.0 - yes - no, 0.0)], axis=2)
        branch = np.ones((len(yes), 1))
        for trait in range(len(self.binaries)):
            branch = (branch[:, :, None] * shares[:, trait, None, :]).reshape(len(yes), -1)
        fits = _branches(len(self.binaries))
        return np.asarray((branch / np.maximum(total @ fits.T, _LEAST)) @ fits)

    def _spread(self, number: Array) -> Array:
        """Weights before any answer, (profiles or 1, combinations, points of the numbers)."""
        if not self.numbers:
            return self._unspread
        given = number[:, self.numbers]
        known = ~np.isnan(given)
        if not known.any():
            return self._unspread
        if known.all():
            return self._given(given, known[0])
        found = np.empty((len(given), 2 ** len(self.binaries), prod(axis.count for axis in self.axes)))
        for mask in product((False, True), repeat=len(self.numbers)):
            rows = (known == mask).all(axis=1)
            if rows.any():
                found[rows] = self._given(given[rows], np.array(mask)) if any(mask) else self._unspread
        return found

    @cached_property
    def _unspread(self) -> Array:
        """Of nothing known."""
        if not self.numbers:
            return self._combinations(np.zeros((1, 0)))[:, :, None]
        return self._given(np.zeros((1, len(self.numbers))), np.zeros(len(self.numbers), dtype=bool))

    def _given(self, values: Array, known: Mask) -> Array:
        """The same where just the numbers ``known`` are known, ``values`` (profiles, numbers)."""
        places = list(self.numbers)
        location, scale = self.population.location[places], self.population.spread[places]
        latent, weight = self._nodes((values - location) / scale, known)
        combinations = self._combinations(latent.reshape(-1, len(places))).reshape(*weight.shape, -1)
        points = np.ones((*weight.shape, 1))
        for place, axis in enumerate(self.axes):
            held = np.clip(location[place] + scale[place] * latent[..., place], axis.low, axis.high)
            points = (points[..., :, None] * axis.shares(held)[..., None, :]).reshape(*weight.shape, -1)
        return np.asarray(np.matmul(np.swapaxes(combinations * weight[..., None], 1, 2), points))

    def _nodes(self, given: Array, known: Mask) -> tuple[Array, Array]:
        """Latent values of the numbers (profiles, nodes, numbers), and weights (profiles, nodes)."""
        correlation = self.population.correlation[np.ix_(self.numbers, self.numbers)]
        latent = np.where(known, given, 0.0)[:, None, :]
        weight = np.ones((len(given), 1))
        told = np.flatnonzero(known).tolist()
        for place in np.flatnonzero(~known).tolist():
            slope = np.linalg.solve(correlation[np.ix_(told, told)], correlation[told, place])
            sd = max(1.0 - float(slope @ correlation[told, place]), _RIDGE) ** 0.5
            axis, at = self.axes[place], self.numbers[place]
            ends = [(e - self.population.location[at]) / self.population.spread[at] for e in (axis.low, axis.high)]
            nodes, share = _number_nodes(latent[:, :, told] @ slope, sd, ends[0], ends[1])
            latent = np.repeat(latent[:, :, None, :], nodes.shape[-1], axis=2)
            latent[..., place] = nodes
            latent = latent.reshape(len(given), -1, len(self.numbers))
            weight = (weight[..., None] * share).reshape(len(given), -1)
            told.append(place)
        return latent, weight

    def _combinations(self, latent: Array) -> Array:
        """Probability of every combination of the yes/no traits given all numbers, (rows, combinations)."""
        if not self.numbers or not self.binaries:
            return np.broadcast_to(self._at(np.zeros((1, len(self.numbers)))), (len(latent), 2 ** len(self.binaries)))
        basis = np.ones((len(latent), 1))
        for place, axis in enumerate(self._table_axes):
            own = axis.shares(np.clip(latent[:, place], axis.low, axis.high))
            basis = (basis[:, :, None] * own[:, None, :]).reshape(len(latent), -1)
        return np.exp(basis @ self._table)

    @cached_property
    def _table_axes(self) -> tuple[NumberAxis, ...]:
        gain, covariance = self._regression
        reach = _FURTHEST_NUMBER * np.abs(gain / np.sqrt(np.diag(covariance))[:, None]).max(axis=0)
        most = int(_MOST_NODES ** (1.0 / len(self.numbers)))
        counts = [1 if r < _UNCORRELATED else min(12 + ceil(3.0 * r), most) for r in reach.tolist()]
        return tuple(NumberAxis(-_FURTHEST_NUMBER, _FURTHEST_NUMBER, count) for count in counts)

    @cached_property
    def _table(self) -> Array:
        """Log probabilities at the points of the table, (points, combinations)."""
        mesh = np.meshgrid(*(axis.points for axis in self._table_axes), indexing="ij")
        return np.log(self._at(np.stack([each.ravel() for each in mesh], axis=1)))

    @cached_property
    def _regression(self) -> tuple[Array, Array]:
        """Slopes (binaries, numbers) and covariance of the latent yes/no traits given the numbers."""
        correlation, n, b = self.population.correlation, list(self.numbers), list(self.binaries)
        gain = np.linalg.solve(correlation[np.ix_(n, n)], correlation[np.ix_(n, b)]).T
        return np.asarray(gain), np.asarray(correlation[np.ix_(b, b)] - gain @ correlation[np.ix_(n, b)])

    def _at(self, latent: Array) -> Array:
        gain, covariance = self._regression
        return orthants(self.population.cut[list(self.binaries)] - latent @ gain.T, covariance)


class Kinds(Struct, frozen=True):
    """Kinds of patients by some of the traits that act."""

    values: Array
    """(kinds, traits) on the model's scale: numbers in the range in which they act, other traits at the population's
    mean."""
    summed: tuple[tuple[int, ...] | None, ...]
    """For each part, the axes that are summed over; None where nothing of it is left."""

    def weights(self, parts: Sequence[Array], profiles: int) -> Array:
        """Weight of every kind, (profiles, kinds); ``parts`` are those of :meth:`Likeness.weights`.

        They sum to 1, and may be negative: they are those of a polynomial through points.
        """
        found = np.ones((profiles, 1))
        for part, axes in zip(parts, self.summed, strict=True):
            if axes is not None:
                own = (part.sum(axis=axes) if axes else part).reshape(len(part), -1)
                found = own if found.shape[1] == 1 else (found[:, :, None] * own[:, None, :]).reshape(len(own), -1)
        return found


class Likeness(Struct, frozen=True):
    """Who is like a patient in the traits that act."""

    population: Population
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, population: Population, acting: Mask, axes: Sequence[NumberAxis | None]) -> Likeness:
        """Of some traits, (traits,); ``axes`` of the numeric ones among all traits."""
        parts = []
        for members in _connected(population.correlation, np.flatnonzero(acting).tolist()):
            numbers = tuple(t for t in members if not population.binary[t])
            own = tuple(axis for t in numbers if (axis := axes[t]) is not None)
            parts.append(Part(population, numbers, tuple(t for t in members if population.binary[t]), own))
        return cls(population, tuple(parts))

    def weights(self, number: Array, yes: Array, no: Array) -> list[Array]:
        """Weights inside every part; arguments as in `Profiles`."""
        return [part.weights(number, yes, no) for part in self.parts]

    def kinds(self, wanted: Mask) -> Kinds:
        """Kinds of patients by the traits that are ``wanted``, (traits,), of those that act."""
        values, summed = self.population.location[None, :], []
        for part in self.parts:
            members = (*part.binaries, *part.numbers)
            left = [axis for axis, trait in enumerate(members) if wanted[trait]]
            summed.append(tuple(a + 1 for a in range(len(members)) if a not in left) if left else None)
            for axis in left:
                trait = members[axis]
                own = (
                    np.array([0.0, 1.0])
                    if part.population.binary[trait]
                    else part.axes[axis - len(part.binaries)].points
                )
                values = np.repeat(values, own.size, axis=0)
                values[:, trait] = np.tile(own, len(values) // own.size)
        return Kinds(values, tuple(summed))


def _connected(correlation: Array, traits: Sequence[int]) -> list[list[int]]:
    """Traits in groups that are uncorrelated with each other, each in the order of the traits."""
    groups: list[list[int]] = []
    for trait in traits:
        near = [g for g in groups if any(abs(correlation[trait, other]) > _UNCORRELATED for other in g)]
        groups = [g for g in groups if g not in near] + [sorted([trait, *(t for g in near for t in g)])]
    return sorted(groups)


@cache
def _branches(count: int) -> Array:
    """Which combinations of yes/no traits fit every branch of absent, present and not known, (3^count, 2^count)."""
    one = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    found = np.ones((1, 1))
    for _ in range(count):
        found = np.kron(found, one)
    return found


@cache
def _even(count: int) -> tuple[Array, Array]:
    """Nodes and weights for the mean over (0, 1) of what may rise without end, slowly, at both ends.

    Gauss-Legendre (Golub GH, Welsch JH. Math Comput 1969;23:221-230) in t, with u = t^2 (3 - 2t): the factor 6t(1 - t)
    takes the logarithm of the normal quantile away.
    """
    order = np.arange(1.0, count)
    beside = order / np.sqrt(4.0 * order**2 - 1.0)
    nodes, vectors = np.linalg.eigh(np.diag(beside, 1) + np.diag(beside, -1))
    t = 0.5 * (nodes + 1.0)
    weight = vectors[0] ** 2 * 6.0 * t * (1.0 - t)
    return t**2 * (3.0 - 2.0 * t), weight / weight.sum()


def _number_nodes(mean: Array, sd: float, low: float, high: float) -> tuple[Array, Array]:
    """Nodes of a normal and their weights, (..., nodes): one below ``low``, one above ``high``, the others between."""
    below, above = ((end - mean) / sd for end in (low, high))
    mass = np.stack([upper_tail(np.clip(-below, -12.0, 12.0)), upper_tail(np.clip(above, -12.0, 12.0))], axis=-1)
    beyond = density(np.clip(np.stack([below, above], axis=-1), -12.0, 12.0)) / mass * [-1.0, 1.0]
    u, weight = _even(_INSIDE)
    between = np.maximum(1.0 - mass.sum(axis=-1), 0.0)[..., None]
    inside = quantile(np.clip(mass[..., :1] + between * u, 1e-15, 1.0 - 1e-15))
    nodes = np.concatenate([beyond[..., :1], inside, beyond[..., 1:]], axis=-1)
    return mean[..., None] + sd * nodes, np.concatenate([mass[..., :1], between * weight, mass[..., 1:]], axis=-1)


def _tail_nodes(reach: Array, tail: Array, u: Array, share: Array) -> Array:
    """Nodes below and above a cut, (rows, combinations, 2, points, nodes).

    ``tail`` (rows, combinations, 2, points) are the probabilities of both sides, ``u``, ``share`` the rule.
    """
    side = np.array([-1.0, 1.0])[:, None]
    nodes = quantile(tail[..., None] * u)  # of the lower tail; the upper one is its mirror image
    if u.size > _FEW_POINTS:
        return np.asarray(-side[..., None] * nodes)
    hazard = density(reach) / tail
    spread = np.sqrt(np.maximum(1.0 + hazard * (side * reach - hazard), _RIDGE))
    own = nodes @ share
    own_spread = np.sqrt(np.maximum((nodes - own[..., None]) ** 2 @ share, _RIDGE))
    moved = (nodes - own[..., None]) * (spread / own_spread)[..., None] - hazard[..., None]
    return np.asarray(-side[..., None] * moved)


def orthants(cuts: Array, covariance: Array) -> Array:
    """Probability of every combination of sides of the cuts, (rows, combinations); ``cuts`` (rows, traits).

    Combinations in the order of binary numbers whose first digit is the first trait, 1 above its cut.
    """
    count = len(covariance)
    if not count:
        return np.ones((len(cuts), 1))
    # The last trait is integrated exactly: that with most neighbours; those before it are then often independent.
    order = np.argsort((np.abs(covariance) > _UNCORRELATED).sum(axis=0), kind="stable")
    factor = np.linalg.cholesky(covariance[np.ix_(order, order)] + _RIDGE * np.eye(count))
    points = min(max(round(_POINTS ** (1.0 / max(count - 1, 1))), 2), _MOST_POINTS_A_TRAIT)
    u, share = _even(points)
    latent, weight = np.zeros((len(cuts), 1, 1, 0)), np.ones((len(cuts), 1, 1))  # rows, combinations, points, traits
    for place, trait in enumerate(order.tolist()):
        reach = (cuts[:, trait, None, None] - latent @ factor[place, :place]) / factor[place, place]
        reach = np.clip(reach, -_FURTHEST_CUT, _FURTHEST_CUT)[:, :, None, :]
        tail = np.concatenate([upper_tail(-reach), upper_tail(reach)], axis=2)  # below the cut, above it
        weight = (weight[:, :, None, :] * tail).reshape(len(cuts), -1, weight.shape[2])
        if place == count - 1:
            break
        sides = _tail_nodes(reach, tail, u, share)
        latent = np.repeat(latent[:, :, None, :, None, :], 2, axis=2)
        latent = np.concatenate([np.repeat(latent, points, axis=4), sides[..., None]], axis=-1)
        latent = latent.reshape(len(cuts), weight.shape[1], -1, place + 1)
        weight = (weight[..., None] * share).reshape(*weight.shape[:2], -1)
    found = weight.sum(axis=2).reshape(len(cuts), *(2,) * count)
    back = np.argsort(order)
    return np.ascontiguousarray(found.transpose(0, *(back + 1))).reshape(len(cuts), -1)
