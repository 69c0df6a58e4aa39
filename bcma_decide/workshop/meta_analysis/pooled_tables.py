"""Common effects of 2-by-2 tables pooled without a correction for empty cells: Mantel-Haenszel and Peto.

Both take one effect for all studies. They stay usable where events are rare, because cells are summed over the studies
before they are divided.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.checks import FloatArray, checked_choice, checked_level
from bcma_decide.workshop.meta_analysis.heterogeneity import QTest, q_test
from bcma_decide.workshop.meta_analysis.random_effects import Interval, interval
from bcma_decide.workshop.meta_analysis.two_groups import GROUP_MEASURES, GroupMeasure, Tables, compare_groups, tables

__all__ = ["CommonEffect", "common_effect", "mantel_haenszel", "peto"]


@dataclass(frozen=True)
class CommonEffect:
    """A common effect on the analysis scale (ratios are logarithms), and the test that all studies share it.

    ``uninformative`` are the places, counted from 0, of the studies in which nobody or everybody had an event. They
    tell nothing about a ratio, and are left out of the test for every measure, as in metafor.
    """

    estimate: float
    se: float
    ci: Interval
    q: QTest
    uninformative: tuple[int, ...]


def mantel_haenszel(
    events1: npt.ArrayLike,
    total1: npt.ArrayLike,
    events2: npt.ArrayLike,
    total2: npt.ArrayLike,
    measure: GroupMeasure = "OR",
    *,
    level: float = 0.95,
) -> CommonEffect:
    """Mantel-Haenszel estimate of a common OR, RR (both as logarithms) or RD.

    Standard errors of Robins, Breslow and Greenland (1986) for the OR, of Greenland and Robins (1985) for the RR and of
    Sato (1989) for the RD. The test of homogeneity is about the studies' own effects, corrected by 0.5 where a cell is
    empty, weighted by their inverse variances.

    Parameters
    ----------
    events1, total1, events2, total2 : array_like, shape (k,)
    measure : {"OR", "RR", "RD"}
    level : float

    Raises
    ------
    SynthesisError
        If the counts are not valid (see `two_groups.tables`), an option is unknown, no
        study has both events and other patients, or all together leave no ratio: one group has no event, or nothing
        else.
    """
    checked_choice("measure", measure, GROUP_MEASURES)
    checked_level(level)
    counts = tables(events1, total1, events2, total2)
    informative = _informative(counts)
    estimate, variance = {"OR": _odds_ratio, "RR": _risk_ratio, "RD": _risk_difference}[measure](counts)
    effects = compare_groups(events1, total1, events2, total2, measure)
    return common_effect(estimate, variance, effects.yi[informative], effects.vi[informative], informative, level)


def peto(
    events1: npt.ArrayLike, total1: npt.ArrayLike, events2: npt.ArrayLike, total2: npt.ArrayLike, *, level: float = 0.95
) -> CommonEffect:
    """One-step estimate of a common log odds ratio (Yusuf, Peto, Lewis, Collins and Sleight 1985).

    The sum of observed minus expected events of group 1 over the sum of their hypergeometric variances. Good for rare
    events, groups of like size and effects that are not large; biased otherwise (Greenland and Salvan 1990).

    Parameters
    ----------
    events1, total1, events2, total2 : array_like, shape (k,)
    level : float

    Raises
    ------
    SynthesisError
        If the counts are not valid (see `two_groups.tables`), the level is not between 0 and 1,
        or no study has both events and other patients.
    """
    checked_level(level)
    t = tables(events1, total1, events2, total2)
    n, events = t.total1 + t.total2, t.events1 + t.events2
    difference = t.events1 - t.total1 * events / n
    # Hypergeometric, hence n - 1. Two groups have two patients at least; the floor is for counts that are not whole.
    variance = t.total1 * t.total2 * events * (n - events) / (n**2 * np.maximum(n - 1, 1))
    informative = _informative(t)
    d, v = difference[informative], variance[informative]
    return common_effect(float(d.sum() / v.sum()), float(1 / v.sum()), d / v, 1 / v, informative, level)


def _informative(t: Tables) -> npt.NDArray[np.bool_]:
    informative = ~t.alike
    if not informative.any():
        raise SynthesisError("no study has both events and other patients: nothing can be said about the two groups")
    return informative


def common_effect(
    estimate: float,
    variance: float,
    y: FloatArray,
    v: FloatArray,
    informative: npt.NDArray[np.bool_],
    level: float,
) -> CommonEffect:
    """A common effect with Q about it: of the ``informative`` studies' own effects ``y`` and variances ``v``."""
    se = float(np.sqrt(variance))
    return CommonEffect(
        estimate=estimate,
        se=se,
        ci=interval(estimate, se, None, level),
        q=q_test(float(np.square(y - estimate) @ (1 / v)), y.size - 1),
        uninformative=tuple(np.flatnonzero(~informative).tolist()),
    )


def _odds_ratio(t: Tables) -> tuple[float, float]:
    n = t.total1 + t.total2
    r, s = t.events1 * t.others2 / n, t.others1 * t.events2 / n
    p, q = (t.events1 + t.others2) / n, (t.others1 + t.events2) / n
    sum_r, sum_s = _checked_sums(r, s, "odds ratio")
    variance = (p @ r / sum_r**2 + (p @ s + q @ r) / (sum_r * sum_s) + q @ s / sum_s**2) / 2
    return float(np.log(sum_r / sum_s)), float(variance)


def _risk_ratio(t: Tables) -> tuple[float, float]:
    n = t.total1 + t.total2
    r, s = t.events1 * t.total2 / n, t.events2 * t.total1 / n
    sum_r, sum_s = _checked_sums(r, s, "risk ratio")
    spread = (t.total1 * t.total2 * (t.events1 + t.events2) - t.events1 * t.events2 * n) / n**2
    return float(np.log(sum_r / sum_s)), float(spread.sum() / (sum_r * sum_s))


def _checked_sums(r: FloatArray, s: FloatArray, name: str) -> tuple[float, float]:
    # Sums before the ratio: a study with an empty cell gives its share to one of them instead of a correction to both.
    sum_r, sum_s = float(r.sum()), float(s.sum())
    if sum_r <= 0 or sum_s <= 0:
        raise SynthesisError(f"the studies together leave no {name}: one group has no event, or nothing else, in all")
    return sum_r, sum_s


def _risk_difference(t: Tables) -> tuple[float, float]:
    n1, n2 = t.total1, t.total2
    n = n1 + n2
    weights = float((n1 * n2 / n).sum())
    estimate = float(((t.events1 * n2 - t.events2 * n1) / n).sum() / weights)
    p = (n1**2 * t.events2 - n2**2 * t.events1 + n1 * n2 * (n2 - n1) / 2) / n**2
    q = (t.events1 * t.others2 + t.events2 * t.others1) / (2 * n)
    return estimate, float((estimate * p.sum() + q.sum()) / weights**2)
