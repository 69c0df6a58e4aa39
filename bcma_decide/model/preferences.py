"""Stochastic multicriteria acceptability analysis: how often each option ranks first, second and so on.

An option's value is the weighted sum of its partial values, each linear from 0 at the least attractive end of the
criterion's change to 1 at the most attractive end, and going on beyond the ends (von Winterfeldt D, Edwards W. Decision
Analysis and Behavioral Research, 1986, chapter 8). Partial values and weights are drawn together and the options ranked
in every draw (Lahdelma R, Hokkanen J, Salminen P. Eur J Oper Res 1998;106:137-143; Lahdelma R, Salminen P. Oper Res
2001;49:444-454; computed as in Tervonen T, Lahdelma R. Eur J Oper Res 2007;178:500-513).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_EQUAL = 1e-9
"""Values closer than this are one value: what is left of a difference by rounding."""


@dataclass(frozen=True)
class Acceptability:
    """How the options come out.

    ``ranks`` (options, ranks): shares of draws. ``values`` (draws, options), 0 to 1 inside the changes. Of the draws in
    which an option is first, ``central_weights`` (options, criteria) are the average weights and ``confidence``
    (options,) its share of first ranks at just these; NaN for an option that is never first.
    """

    ranks: Array
    values: Array
    central_weights: Array
    confidence: Array


@dataclass(frozen=True)
class Crossing:
    """A weight at which the option at ``index`` reaches the first one."""

    weight: float
    index: int


def partial_values(measured: Array, least: Array, most: Array) -> Array:
    """Measured values (..., criteria) on the scale from 0 at ``least`` to 1 at ``most``, (criteria,) each."""
    return (measured - least) / (most - least)


def simplex_weights(uniforms: Array) -> Array:
    """Weights spread evenly over everything they could be, (draws, criteria).

    Normalised exponentials (Devroye L. Non-Uniform Random Variate Generation, 1986, section V.2, theorem 2.2).
    """
    return _normalised(-np.log(uniforms))


def ordered_weights(uniforms: Array, ranks: Sequence[int]) -> Array:
    """Weights spread evenly over all that keep an order; ``ranks`` has 1 for the largest.

    Evenly spread weights, sorted (Tervonen T, Lahdelma R. Eur J Oper Res 2007;178:500-513, complete order of criteria).
    """
    from_the_largest = -np.sort(-simplex_weights(uniforms), axis=1)
    return from_the_largest[:, np.asarray(ranks) - 1]


def weights_of_points(uniforms: Array, fewest: Array, most: Array) -> Array:
    """Weights of points that lie anywhere between ``fewest`` and ``most``, (criteria,) each."""
    return _normalised(fewest + (most - fewest) * uniforms)


def acceptability(partial: Array, weights: Array) -> Acceptability:
    """Rank options in every draw; ``partial`` (draws, options, criteria), ``weights`` (draws, criteria).

    Options of one value share their ranks evenly.
    """
    values = np.einsum("doc,dc->do", partial, weights)
    shares = _rank_shares(values)
    first = shares[:, :, 0]
    often = first.sum(axis=0)
    with np.errstate(invalid="ignore"):
        central = (first.T @ weights) / often[:, None]
    confidence = np.full(often.size, np.nan)
    for option in np.flatnonzero(often).tolist():
        confidence[option] = _first_share(partial @ central[option], option)
    return Acceptability(shares.mean(axis=0), values, central, confidence)


def first_on_average(partial: Array, weights: Array) -> int | None:
    """Option of the highest value at averages, ``partial`` (options, criteria); None where two are equal."""
    values = partial @ weights
    order = np.argsort(-values, kind="stable")
    return None if values[order[0]] - values[order[1]] <= _EQUAL else int(order[0])


def crossings(partial: Array, weights: Array, first: int, criterion: int) -> tuple[Crossing | None, Crossing | None]:
    """Nearest weights of one criterion, below and above its own, at which another option reaches the first.

    The other weights keep their proportions, so that values are linear in this one: with a its partial value and r the
    weighted average of the others, the value is w a + (1 - w) r; two options are equal at
    w = (r1 - r2) / ((r1 - r2) - (a1 - a2)). ``partial`` (options, criteria) at averages, ``weights`` (criteria,).
    """
    own, rest = float(weights[criterion]), 1.0 - float(weights[criterion])
    if rest <= _EQUAL:
        return None, None
    others = (partial @ weights - own * partial[:, criterion]) / rest
    below: Crossing | None = None
    above: Crossing | None = None
    for index in range(partial.shape[0]):
        ahead_of_rest = float(others[first] - others[index])
        ahead_here = float(partial[first, criterion] - partial[index, criterion])
        if index == first or abs(ahead_of_rest - ahead_here) <= _EQUAL:
            continue
        weight = ahead_of_rest / (ahead_of_rest - ahead_here)
        if 0.0 <= weight < own and (below is None or weight > below.weight):
            below = Crossing(weight, index)
        if own < weight <= 1.0 and (above is None or weight < above.weight):
            above = Crossing(weight, index)
    return below, above


def _rank_shares(values: Array) -> Array:
    """Share of every rank that each option takes in each draw, (draws, options, ranks)."""
    ahead = values[:, None, :] - values[:, :, None]
    better = (ahead > _EQUAL).sum(axis=2)
    alike = (np.abs(ahead) <= _EQUAL).sum(axis=2)
    rank = np.arange(values.shape[1])
    taken = (rank >= better[:, :, None]) & (rank < (better + alike)[:, :, None])
    return np.asarray(taken / alike[:, :, None])


def _first_share(values: Array, option: int) -> float:
    """Share of draws in which one option is first, (draws, options)."""
    level = values.max(axis=1, keepdims=True) - values <= _EQUAL
    return float((level[:, option] / level.sum(axis=1)).mean())


def _normalised(weights: Array) -> Array:
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
