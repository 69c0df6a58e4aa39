"""Progression-free survival of many patients at once, by the curves of one.

Few traits act on it, so that many patients share their curves: each kind of patient is worked out once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bcma_decide.logic import Chance
from bcma_decide.model.alike import CURVES, Alike, acting_traits, alike
from bcma_decide.model.contrast import Side, differences_of_pairs
from bcma_decide.model.numbers import extra_variance
from bcma_decide.model.outside import outside_evidence
from bcma_decide.model.profiles import Profiles
from bcma_decide.model.survival import (
    MEAN,
    MONTHS,
    averages_alike,
    curve_sides,
    options_with_curve,
    reaches,
    restricted_mean,
)
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.time_course import LANDMARKS, WITHIN
from bcma_decide.vocabulary import CLASSES, MODEL_TRAITS, PFS, Design, natural_scale

Array = NDArray[np.float64]

ONE_YEAR: Final = 12
_AT_ONCE: Final = 256
"""Kinds of patients whose curves are held at the same time."""


@dataclass(frozen=True)
class BatchSurvival:
    """Progression-free survival of some patients in one setting, from the infusion or first dose.

    ``options`` are those with a curve. ``share`` (profiles, options, landmarks, 5): fraction free of progression at
    :data:`~bcma_decide.time_course.LANDMARKS` months, NaN past the end of follow-up. ``median`` and
    ``restricted_mean`` (profiles, options, 5), months: NaN where the median is not reached within follow-up, or
    patients are not followed for :data:`~bcma_decide.time_course.WITHIN` months. The last axis is the mean, the ends of
    the 95 % interval of the average, and of that at the next centre. ``risk_difference`` (profiles, 3): mean and 95 %
    interval of first class minus second at one year, bias term included, and ``first_higher`` (profiles,) its
    probability; NaN where a class has no number there.
    """

    options: tuple[str, ...]
    share: Array
    median: Array
    restricted_mean: Array
    risk_difference: Array
    first_higher: Array


def batch_survival(pooled: PooledEvidence, setting: Design, profiles: Profiles) -> BatchSurvival:
    """Compute the survival of some patients; each is what the patient alone has, to 1e-12.

    What limits of the evidence withhold is not taken out here (:mod:`bcma_decide.comparing.published`).
    """
    found, of = survival_of_kinds(pooled, setting, profiles)
    return BatchSurvival(
        found.options,
        found.share[of],
        found.median[of],
        found.restricted_mean[of],
        found.risk_difference[of],
        found.first_higher[of],
    )


def survival_of_kinds(
    pooled: PooledEvidence, setting: Design, profiles: Profiles
) -> tuple[BatchSurvival, NDArray[np.intp]]:
    """Compute the survival of every kind of patient among some, and which kind each is, (profiles,)."""
    kinds, kind_of = _kinds(pooled, setting, profiles)
    parts = [_of_kinds(pooled, kinds[at : at + _AT_ONCE]) for at in range(0, len(kinds), _AT_ONCE)]
    found = (np.concatenate(part) for part in zip(*parts, strict=True))
    return BatchSurvival(options_with_curve(pooled), *found), kind_of


def _kinds(pooled: PooledEvidence, setting: Design, profiles: Profiles) -> tuple[list[Alike], NDArray[np.intp]]:
    """Kinds of patients, and of which each is, (profiles,)."""
    acting = acting_traits(pooled, CURVES)
    # What widens a number for lying outside the evidence follows from the same traits.
    columns = [each[:, acting] for each in (profiles.number, profiles.yes, profiles.no)]
    said = np.concatenate([np.where(np.isnan(column), np.inf, column) for column in columns], axis=1)
    _, first, kind_of = np.unique(said, axis=0, return_index=True, return_inverse=True)
    found = []
    for row in first.tolist():
        values = _said(profiles, row)
        extra = extra_variance(pooled, outside_evidence(pooled, values))
        found.append(alike(pooled, setting, values, extra))
    return found, kind_of.reshape(-1)


def _said(profiles: Profiles, row: int) -> dict[str, bool | float | Chance | None]:
    """What is known of one patient, in natural units."""
    values: dict[str, bool | float | Chance | None] = {}
    for place, trait in enumerate(MODEL_TRAITS):
        number, yes, no = (float(each[row, place]) for each in (profiles.number, profiles.yes, profiles.no))
        if trait.kind == "binary":
            values[trait.id] = None if yes + no == 0.0 else Chance(yes, no) if max(yes, no) < 1.0 else yes == 1.0
        else:
            values[trait.id] = None if np.isnan(number) else natural_scale(trait.id, number)
    return values


def _of_kinds(pooled: PooledEvidence, kinds: list[Alike]) -> tuple[Array, Array, Array, Array, Array]:
    options = options_with_curve(pooled)
    end = np.array([pooled.survival.options[option].end_of_follow_up for option in options])
    sides = curve_sides(pooled, kinds)
    at = np.array(LANDMARKS) - 1
    followed = (np.array(LANDMARKS) <= end[:, None])[..., None]
    share = np.where(followed, np.swapaxes(sides[..., at], 2, 3), np.nan)
    time = np.append(0.0, MONTHS)
    whole = np.concatenate([np.ones((*sides.shape[:3], 1)), sides], axis=-1)
    gaps = _class_differences(pooled, kinds, sides, end)
    return (
        share,
        reaches(time, whole, end[:, None]),
        restricted_mean(time, whole, end[:, None], WITHIN),
        gaps[:, :3],
        gaps[:, 3],
    )


def _class_differences(pooled: PooledEvidence, kinds: list[Alike], sides: Array, end: Array) -> Array:
    """Mean, ends and probability for each kind, (kinds, 4); NaN where a class has no number at one year."""
    options = options_with_curve(pooled)
    if not all(option in options and end[options.index(option)] >= ONE_YEAR for option in CLASSES):
        return np.full((len(kinds), 4), np.nan)
    covariance = pooled.effect_blocks[pooled.family_index[PFS]]
    pairs = []
    for row, kind in enumerate(kinds):
        averages = averages_alike(pooled, kind, float(ONE_YEAR))
        means = (float(sides[row, options.index(option), MEAN, ONE_YEAR - 1]) for option in CLASSES)
        first, second = (
            Side(averages[option], mean, index) for index, (option, mean) in enumerate(zip(CLASSES, means, strict=True))
        )
        pairs.append((first, second))
    found = differences_of_pairs(pairs, covariance, (pooled.assumptions["unanchored_sd"],))
    return np.array([(*each[0].risk_difference, each[0].probability_first_higher) for each in found])
