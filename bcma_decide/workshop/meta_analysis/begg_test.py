"""Rank correlation between effects and their variances, a test of funnel asymmetry without a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.heterogeneity import checked_effects, weighted_mean
from bcma_decide.workshop.meta_analysis.small_study_remarks import small_study_remarks

__all__ = ["RankTest", "begg_test"]

_EXACT_UP_TO = 150
"""Beyond that many studies the exact and the normal p-value differ by about 0.001, and the exact one takes long."""


@dataclass(frozen=True)
class RankTest:
    """Kendall's ``tau`` (b, so with ties allowed for), its two-sided p-value and whether that one is exact."""

    tau: float
    p: float
    exact: bool
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class _Pairs:
    """Of all pairs of studies: how many are in one order on both sides, and how many in opposite orders."""

    concordant: int
    discordant: int


def begg_test(yi: npt.ArrayLike, vi: npt.ArrayLike, *, proportions: bool = False) -> RankTest:
    """Rank correlation test of Begg and Mazumdar (1994).

    Kendall's correlation of ``(yi - mean) / sqrt(vi - 1 / sum(1 / vi))`` with ``vi``, the mean being that of a common
    effect. The p-value counts permutations (Kendall 1938) when there are no ties and up to 150 studies; otherwise it
    is normal with the variance under ties (Kendall 1970, equation 4.3), without a correction for continuity.

    Parameters
    ----------
    yi, vi : array_like, shape (k,), k >= 3
        Effects and their sampling variances.
    proportions : bool
        Whether the effects are single proportions, which adds a remark.

    Raises
    ------
    SynthesisError
        If the effects are not valid, there are fewer than three studies, or all effects or all variances are equal.
    """
    y, v = checked_effects(yi, vi)
    k = y.size
    if k < 3:
        raise SynthesisError(f"Begg's test needs at least three studies, not {k}")
    w = 1 / v
    # The variance of y_i less the mean, to which y_i itself belongs: always below v_i, so the root exists.
    deviation = (y - weighted_mean(y, w)) / np.sqrt(v - 1 / w.sum())
    for name, values in (("effects", y), ("variances", v)):
        if np.ptp(values) == 0:
            raise SynthesisError(f"all {name} are equal: their ranks say nothing, so Begg's test has no answer")
    pairs, ties = _compared(deviation, v), (_tie_sizes(deviation), _tie_sizes(v))
    every = k * (k - 1) / 2
    untied = [every - float((sizes * (sizes - 1)).sum()) / 2 for sizes in ties]
    score = pairs.concordant - pairs.discordant
    exact = k <= _EXACT_UP_TO and min(untied) == every
    return RankTest(
        tau=float(score / np.sqrt(untied[0] * untied[1])),
        p=_permutation_p(pairs, k) if exact else _normal_p(score, k, *ties),
        exact=exact,
        remarks=small_study_remarks(k, proportions=proportions),
    )


def _compared(a: FloatArray, b: FloatArray) -> _Pairs:
    """Compare all pairs of studies, by sorting: O(k log^2 k) time (Knight WR. J Am Stat Assoc 1966;61:436-439)."""
    order = np.lexsort((b, a))
    # In rising order of a, and of b where a is tied, a pair in falling order of b is one in opposite orders.
    discordant = _inversions(np.unique(b[order], return_inverse=True)[1])
    tied = [_tied_pairs(np.unique(each, axis=0, return_counts=True)[1]) for each in (a, b, np.column_stack([a, b]))]
    every = a.size * (a.size - 1) // 2
    return _Pairs(every - tied[0] - tied[1] + tied[2] - discordant, discordant)


def _tied_pairs(sizes: npt.NDArray[np.intp]) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _inversions(ranks: npt.NDArray[np.intp]) -> int:
    """Pairs of which the first is higher: of every two neighbouring blocks, larger and larger, those between them."""
    place, found, half = np.arange(ranks.size), 0, 1
    while half < ranks.size:
        block, second = place // (2 * half), place // half % 2 == 1
        # Block by block in one sorted list: how many of a block's first half are not above a rank is a place in it.
        key = block * ranks.size + ranks
        first = np.sort(key[~second])
        not_above = np.searchsorted(first, key[second], side="right") - block[second] * half
        found += int((half - not_above).sum())
        half *= 2
    return found


def _tie_sizes(values: FloatArray) -> FloatArray:
    """How many studies share each value."""
    return np.unique(values, return_counts=True)[1].astype(np.float64)


def _permutation_p(pairs: _Pairs, k: int) -> float:
    """Twice the share of permutations at least as far out, from the distribution of the number of inversions."""
    share = np.ones(1)
    for size in range(2, k + 1):
        total = np.concatenate([np.zeros(1), np.cumsum(np.concatenate([share, np.zeros(size - 1)]))])
        ends = np.arange(1, total.size)
        # The new study can stand behind none to all of those before it, each as likely: a running mean of `size` terms.
        # Shares, not counts: 150! is beyond the largest float.
        share = (total[ends] - total[np.maximum(ends - size, 0)]) / size
    # Twice the smaller tail can pass 1 where the two orders are about as frequent.
    return min(1.0, 2 * float(share[: min(pairs.concordant, pairs.discordant) + 1].sum()))


def _normal_p(score: int, k: int, ties_a: FloatArray, ties_b: FloatArray) -> float:
    def terms(t: FloatArray) -> tuple[float, float, float]:
        return (
            float((t * (t - 1) * (2 * t + 5)).sum()),
            float((t * (t - 1)).sum()),
            float((t * (t - 1) * (t - 2)).sum()),
        )

    (spread_a, two_a, three_a), (spread_b, two_b, three_b) = terms(ties_a), terms(ties_b)
    variance = (
        (k * (k - 1) * (2 * k + 5) - spread_a - spread_b) / 18
        + two_a * two_b / (2 * k * (k - 1))
        + three_a * three_b / (9 * k * (k - 1) * (k - 2))
    )
    return float(2 * special.ndtr(-abs(score) / np.sqrt(variance)))
