"""How likely one option has a higher rate than another, for every pair and all outcomes of some sheets at once.

The same as `bcma_decide.model.contrast.higher_of_pairs`, which takes one outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.model.beside import beside
from bcma_decide.model.contrast import chance_above_zero
from bcma_decide.model.kernel import Evaluated, kernel
from bcma_decide.model.sheets import Sheet, SheetValues, covariance_between
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.vocabulary import Design

Array = NDArray[np.float64]
Pairs = dict[tuple[str, str], float]
"""How likely the first has the higher rate."""


def moving_higher(pooled: PooledEvidence, evaluated: Evaluated, bias_sd: float) -> Mapping[str, Pairs]:
    """By outcome that any trait moves, every pair of options that both have a number, of one patient.

    ``bias_sd``: standard deviation of the bias of a comparison on the log-odds scale.
    """
    families: dict[str, list[SheetValues]] = {}
    for (family, _), values in evaluated.values.items():
        families.setdefault(family, []).append(values)
    found: dict[str, Pairs] = {}
    for sides in families.values():
        found |= _higher(pooled, sides, bias_sd)
    return found


def fixed_higher(pooled: PooledEvidence, setting: Design, bias_sd: float) -> Mapping[str, Pairs]:
    """The same at the outcomes that no trait moves: the same for every patient."""
    return beside(pooled, ("higher", setting, bias_sd), lambda: _higher(pooled, kernel(pooled, setting).fixed, bias_sd))


def _higher(pooled: PooledEvidence, sides: Sequence[SheetValues], bias_sd: float) -> dict[str, Pairs]:
    """Of the sheets of both classes, or of one."""
    found: dict[str, Pairs] = {}
    for place, first in enumerate(sides):
        for second in sides[place:]:
            if first is second:  # the same of many, where the sheet was
                pairs = first.beside.get(("higher", bias_sd))
                if pairs is None:
                    pairs = first.beside["higher", bias_sd] = dict(_pairs(pooled, first, first, bias_sd))
            else:
                pairs = dict(_pairs(pooled, first, second, bias_sd))
            for outcome, own in pairs.items():
                found.setdefault(outcome, {}).update(own)
    return found


def _pairs(
    pooled: PooledEvidence, first: SheetValues, second: SheetValues, bias_sd: float
) -> Iterator[tuple[str, Pairs]]:
    """Options of one class with those of another or with each other."""
    one, two = first.sheet, second.sheet
    met = beside(pooled, ("met", one.family, one.class_index, two.class_index), lambda: _Met.of(pooled, one, two))
    higher = _inside(first, bias_sd) if one is two else _between(first, second, met, bias_sd)
    for (outcome, places, named, reversed_), own in zip(met.pairs, higher.reshape(len(higher), -1), strict=True):
        chances = own[places].tolist()
        pairs = dict(zip(named, chances, strict=True))
        if one is not two:
            pairs.update(zip(reversed_, [1.0 - chance for chance in chances], strict=True))
        yield outcome, pairs


class _Met(Struct, frozen=True):
    """Options of two sheets, or of one, at the outcomes of both.

    ``rows``: the outcomes in either sheet; ``covariance`` of their trait parameters. ``pairs``: of each outcome the
    places of the pairs that have a number among all pairs of options, their names and the names turned round.
    """

    rows: tuple[list[int], list[int]]
    covariance: Array
    pairs: tuple[tuple[str, NDArray[np.intp], list[tuple[str, str]], list[tuple[str, str]]], ...]

    @classmethod
    def of(cls, pooled: PooledEvidence, first: Sheet, second: Sheet) -> _Met:
        both = [outcome for outcome in first.outcomes if outcome in second.outcomes]
        rows = [[sheet.outcomes.index(outcome) for outcome in both] for sheet in (first, second)]
        pairs = []
        for outcome, one, two in zip(both, *rows, strict=True):
            there = (first.cells[one] >= 0)[:, None] & (second.cells[two] >= 0)
            named = [(first.options[m], second.options[n]) for m, n in np.argwhere(there).tolist()]
            pairs.append((outcome, np.flatnonzero(there), named, [(other, option) for option, other in named]))
        return cls((rows[0], rows[1]), covariance_between(pooled, first, second), tuple(pairs))


def _inside(values: SheetValues, bias_sd: float) -> Array:
    """Options of one class, (outcomes, options, options)."""
    sheet, logit, trait = values.sheet, values.logit[0], values.trait[0]  # (O, K, M), (O, K, M, Q)
    covariance = sheet.covariance
    if values.extra[0]:
        covariance = covariance.copy()
        covariance[:, :, 0] += values.extra[0]
    scale = values.rate[0] * (1.0 - values.rate[0])
    # derivatives of the log odds of the options in the levels, (O, K, S, M, P)
    level = values.level[0][:, :, :, None] * sheet.share[:, None, None] / scale[:, :, None, :, None]
    common = np.matmul(np.matmul(level, covariance), np.swapaxes(level, 3, 4)).sum(axis=2)
    common += np.matmul(trait @ sheet.trait_covariance, np.swapaxes(trait, 2, 3))
    variance = np.diagonal(common, axis1=2, axis2=3)
    square = variance[..., :, None] + variance[..., None, :] - 2.0 * common + bias_sd**2
    higher = chance_above_zero(logit[..., :, None] - logit[..., None, :], square)
    return np.asarray(np.einsum("ok,okmn->omn", sheet.weight, higher))


def _between(first: SheetValues, second: SheetValues, met: _Met, bias_sd: float) -> Array:
    """Options of one class with those of the other, (outcomes, options, options)."""
    one, two = met.rows
    trait = (first.trait[0, one] @ met.covariance)[:, :, None]
    between = np.matmul(trait, np.swapaxes(second.trait[0, two], 2, 3)[:, None])  # O, K, K', M, M'
    gap = first.logit[0, one][:, :, None, :, None] - second.logit[0, two][:, None, :, None]
    variance = first.variance[0, one][:, :, None, :, None] + second.variance[0, two][:, None, :, None]
    higher = chance_above_zero(gap, variance - 2.0 * between + bias_sd**2)
    return np.asarray(np.einsum("ok,ol,oklmn->omn", first.sheet.weight[one], second.sheet.weight[two], higher))
