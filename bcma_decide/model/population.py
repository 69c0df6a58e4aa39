"""The evidence population given what is known of a patient.

Unknown traits are never set to a normal value: they are averaged over the patients of the evidence who are like this
one in what is known. The population is a Gaussian copula: yes/no traits are latent normals on one side of a cut.
Known numbers condition the latent normal exactly. Every combination of the yes/no traits that act is then one group of
virtual patients, weighted by its probability: the mean over quasi-random points of a product of one-dimensional
normal tails (Geweke J. Computing Science and Statistics 1991;23:571-578; Hajivassiliou V, McFadden D. Econometrica
1998;66:863-896, the GHK simulator). The points are the same whatever is known, so that averaging over the answers to a
question gives what was there before it, and every weight is a smooth function of what is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.logic import Chance
from bcma_decide.model.kept import Kept
from bcma_decide.model.normal import quantile, upper_tail
from bcma_decide.pooled.evidence import Population

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Patients(Struct, frozen=True, eq=False):
    """Virtual patients like this one: ``values`` (draws, traits) on the model's scale, with ``weight`` (draws,).

    ``known`` (traits,). Weights are positive and sum to 1. The number of draws is a multiple of 32.
    """

    values: Array
    known: Mask
    weight: Array


_MOST_POINTS = 2048
"""Over all groups, for their probabilities; a group has at most those of the file."""
_LEAST_POINTS = 16
"""Of a group, however many there are."""
_MOST_DRAWS = 1024
"""Over all groups, where a number is unknown: virtual patients with one each."""
_DRAWS_MULTIPLE = 32
_FURTHEST_CUT = 12.0
"""Standard deviations: 2e-33 lies beyond, and a product of nine such tails is still a number. Only made-up profiles
get there."""
_LEAST_WEIGHT = 1e-12
"""Of the largest: no patients are without any weight, by which their average would be divided."""
_RIDGE = 1e-9
_KEPT = 512
"""Of the combinations of yes/no traits: some answers for every age."""


class _Groups(Struct, frozen=True):
    """Combinations of yes/no traits: ``present`` (groups, traits), and for each point its latent normals and weight.

    ``latent`` (groups, points, traits) are independent standard normals, ``weight`` (groups, points).
    """

    present: Mask
    latent: Array
    weight: Array


class _Given(Struct, frozen=True):
    """What hangs on which traits act and which of the numbers are known, whatever they are.

    ``binary``, ``open_numbers``: places of the acting yes/no traits and of the numbers that are not known. ``gain``
    (traits, known numbers): by which known numbers move the means of the latent normals. Of ``binary`` and
    ``open_numbers``, one after the other: root ``factor`` of their covariance, and ``points`` (points, traits), whose
    ``tails`` (2, points, traits) are the shares below them and above.
    """

    known_numbers: Mask
    binary: NDArray[np.intp]
    open_numbers: NDArray[np.intp]
    gain: Array
    factor: Array
    points: Array
    tails: Array

    @classmethod
    def of(cls, population: Population, acting: Mask, known_numbers: Mask) -> _Given:
        binary = np.flatnonzero(acting & population.binary)
        open_numbers = np.flatnonzero(acting & ~population.binary & ~known_numbers)
        gain, covariance = _given_numbers(population, known_numbers)
        order = np.concatenate([binary, open_numbers])
        factor = np.linalg.cholesky(covariance[np.ix_(order, order)] + _RIDGE * np.eye(order.size))
        points = population.points[: max(_MOST_POINTS >> binary.size, _LEAST_POINTS), order]
        tails = upper_tail(np.stack([points, -points]))[::-1]
        return cls(known_numbers, binary, open_numbers, gain, factor, points, tails)


class _Weighted(Struct, frozen=True):
    """Combinations of yes/no traits, ``present`` (groups, traits), and the draws of each that are taken.

    ``weight`` (groups, draws), ``latent`` (groups, draws, traits).
    """

    present: Mask
    latent: Array
    weight: Array


def conditional_patients(population: Population, values: Sequence[float | Chance | None], acting: Mask) -> Patients:
    """Virtual patients who share the known ``values`` (traits,) of the ``acting`` traits; model scale, None = unknown.

    Of a trait with a chance there are patients with it, patients without it and patients of whom it is unknown,
    weighted so. Traits that do not act are left at the population's mean.
    """
    known = np.array([value is not None for value in values]) & acting
    fixed = np.array([0.0 if value is None or isinstance(value, Chance) else float(value) for value in values])
    known_numbers = known & ~population.binary
    of = acting.tobytes(), known_numbers.tobytes()
    given = population.beside.get(of)
    if given is None:
        given = population.beside.setdefault(of, _Given.of(population, acting, known_numbers))
    target = (fixed[known_numbers] - population.location[known_numbers]) / population.spread[known_numbers]
    mean = given.gain @ target
    cuts = population.cut[given.binary] - mean[given.binary]
    answers = tuple([values[trait] for trait in given.binary.tolist()])
    if given.open_numbers.size:
        found = _weighted(given, cuts, answers)
    else:  # the same of many: numbers that tell of no yes/no trait are not in the cuts
        kept = population.beside.setdefault("weighted", Kept(_KEPT))
        found = kept.get((*of, cuts.tobytes(), answers), lambda: _weighted(given, cuts, answers))
    rows = found.weight
    drawn = np.empty((*rows.shape, len(values)))
    drawn[:] = np.where(known, fixed, population.location)
    drawn[:, :, given.binary] = found.present[:, None, :]
    if given.open_numbers.size:
        points = given.points[None, : rows.shape[1], given.binary.size :]
        latent = np.concatenate([found.latent, np.tile(points, (len(rows), 1, 1))], axis=2)
        own = mean[given.open_numbers] + latent @ given.factor[given.binary.size :].T
        location, spread = population.location[given.open_numbers], population.spread[given.open_numbers]
        drawn[:, :, given.open_numbers] = location + spread * own
    return _padded(drawn.reshape(-1, len(values)), known, rows.ravel())


def _weighted(given: _Given, cuts: Array, answers: Sequence[float | Chance | None]) -> _Weighted:
    groups = _groups(cuts, given, answers)
    weight = _mixed(groups, answers)
    draws = 1
    if given.open_numbers.size:
        draws = min(max(_MOST_DRAWS >> given.binary.size, 1), len(given.points))
    rows = groups.weight[:, :draws]
    rows = weight[:, None] * rows / rows.sum(axis=1, keepdims=True)
    return _Weighted(groups.present, groups.latent[:, :draws], rows)


def _padded(values: Array, known: Mask, weight: Array) -> Patients:
    weight = np.maximum(weight / weight.max(), _LEAST_WEIGHT)
    times = max(_DRAWS_MULTIPLE // len(weight), 1)
    weight = np.repeat(weight, times)
    return Patients(np.repeat(values, times, axis=0), known, weight / weight.sum())


def _given_numbers(population: Population, known: Mask) -> tuple[Array, Array]:
    """By how much known numbers move the means of the latent normals, and the covariance that they leave."""
    correlation = population.correlation
    gain = np.linalg.solve(correlation[np.ix_(known, known)], correlation[known]).T
    return np.asarray(gain), correlation - gain @ correlation[known]


def _groups(cuts: Array, given: _Given, answers: Sequence[float | Chance | None]) -> _Groups:
    """Every combination of answers that is left open, one trait after the other in the order of the traits.

    The points are moved to their side of a cut in order and weighted by its tail. Where they are moved to is left out
    where nothing asks for it: no later trait hangs on this one.
    """
    factor, points = given.factor, given.points
    count = len(points)
    present, latent, weight = np.zeros((1, 0), dtype=bool), np.zeros((1, count, 0)), np.ones((1, count))
    for trait, answer in enumerate(answers):
        above = np.array([answer > 0.5] if isinstance(answer, (int, float)) else [True, False])
        before = latent @ factor[trait, :trait] if factor[trait, :trait].any() else np.zeros((1, 1))
        reach = (cuts[trait] - before) / factor[trait, trait]
        reach = np.minimum(np.maximum(reach, -_FURTHEST_CUT), _FURTHEST_CUT)
        sign = np.where(above, 1.0, -1.0)[:, None, None]
        tail = upper_tail(sign * reach)  # sides, groups, points; the latter 1 where no earlier trait tells of this one
        groups = len(above) * len(present)
        present = np.column_stack([np.tile(present, (len(above), 1)), np.repeat(above, len(present))])
        weight = (weight * tail).reshape(groups, count)
        moved = np.zeros((groups, count, trait + 1))
        moved.reshape(len(above), -1, count, trait + 1)[..., :trait] = latent
        if factor[trait + 1 :, trait].any():
            beyond = quantile(tail * given.tails[above.astype(np.intp), :, trait][:, None])
            moved.reshape(len(above), -1, count, trait + 1)[..., trait] = -sign * beyond
        latent = moved
    return _Groups(present, latent, weight)


def _mixed(groups: _Groups, answers: Sequence[float | Chance | None]) -> Array:
    """Probability of every group, (groups,): each trait with a chance is present, absent or unknown with its shares."""
    own = groups.weight.mean(axis=1)
    chances = [(trait, answer) for trait, answer in enumerate(answers) if isinstance(answer, Chance)]
    weight = np.zeros(len(own))
    for branch in product((True, False, None), repeat=len(chances)):
        share, fits = 1.0, np.ones(len(own), dtype=bool)
        for (trait, chance), side in zip(chances, branch, strict=True):
            share *= chance.unknown if side is None else chance.yes if side else chance.no
            if side is not None:
                fits &= groups.present[:, trait] == side
        if share > 0.0:
            weight[fits] += share * own[fits] / own[fits].sum()
    return weight
