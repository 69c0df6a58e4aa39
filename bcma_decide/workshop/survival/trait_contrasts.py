"""Contrasts of progression-free survival by a trait, inside studies, on the log-odds scale of being free of it.

First choice is a hazard ratio of a multivariable model, then a crude one, then the curves of both levels, then the
curve of one level against those of everybody less that level. Of overlapping patients the largest set counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from bcma_decide.vocabulary import CLASSES, MODEL_TRAIT_IDS, PFS, TRAIT_KINDS, ClassId
from bcma_decide.workshop.evidence.eligibility import against_study
from bcma_decide.workshop.evidence.schema import AdjustedEffect, Study, TimeToEvent
from bcma_decide.workshop.evidence.splits import ROLES
from bcma_decide.workshop.patient_model.contrasts import unit_contrast
from bcma_decide.workshop.patient_model.effect_contrast import EffectContrast
from bcma_decide.workshop.patient_model.odds_ratios import standard_error
from bcma_decide.workshop.patient_model.preparation import Workshop
from bcma_decide.workshop.patient_model.virtual_cohort import cohort
from bcma_decide.workshop.survival.curves import Curve, curve_points, curves_of
from bcma_decide.workshop.survival.points import YEAR, PointError, Points, curve_log_odds

Array = NDArray[np.float64]

HALF: Final = 0.5
NO_WAIT: Final[Mapping[ClassId, float]] = {"car_t": 0.0, "bite": 0.0}
KINDS: Final = ("adjusted hazard ratio", "hazard ratio", "two curves", "one curve and everybody")
"""In the order in which they are chosen for one trait of one study."""


@dataclass(frozen=True)
class TimeContrasts:
    """The contrasts, and what was left out with the reason."""

    contrasts: tuple[EffectContrast, ...]
    left_out: tuple[str, ...]


def log_odds_of_hazard_ratio(hazard_ratio: float) -> float:
    """Log odds ratio of being free of the event that a hazard ratio makes where half of the others are free of it.

    S with the trait is then 0.5^HR (proportional hazards), so the log odds ratio is logit(0.5^HR); under the
    log-logistic model it holds at every time, where a hazard ratio falls towards 1 (Bennett 1983, section 2).
    """
    return float(logit(HALF**hazard_ratio))


def log_odds_standard_error(hazard_ratio: float, log_error: float) -> float:
    """Its standard error from that of the log hazard ratio, by the delta method: S ln S / (S (1 - S))."""
    share = HALF**hazard_ratio
    return float(log_error * -np.log(share) / (1.0 - share))


def time_contrasts(
    studies: Iterable[Study], workshop: Workshop, error: PointError, *, include_unverified: bool = False
) -> TimeContrasts:
    """All contrasts of progression-free survival, of no patients twice for one trait of one class.

    ``error`` is that of printed points.
    """
    found: list[tuple[Study, int, EffectContrast]] = []
    left_out: list[str] = []
    for study in studies:
        if reason := _against(study):
            if any(row.endpoint == PFS and row.trait in MODEL_TRAIT_IDS for row in study.time_to_event):
                left_out.append(f"{study.name}: {reason}")
            continue
        of_trait: dict[str, list[tuple[int, int, EffectContrast]]] = {}
        for kind, n, contrast in _contrasts_of(study, workshop, error, include_unverified):
            of_trait.setdefault(MODEL_TRAIT_IDS[contrast.trait_index], []).append((kind, n, contrast))
        for each in of_trait.values():
            _, n, contrast = min(each, key=lambda item: item[0])
            found.append((study, n, contrast))
    kept: list[tuple[Study, int, EffectContrast]] = []
    for study, n, contrast in sorted(found, key=lambda item: (-item[1], item[0].id, item[2].trait_index)):
        winner = next((other for other, _, held in kept if _same(contrast, held) and _overlap(study, other)), None)
        if winner is None:
            kept.append((study, n, contrast))
        else:
            trait = MODEL_TRAIT_IDS[contrast.trait_index]
            left_out.append(f"{study.name}, {trait}: shares patients with {winner.name}, which is larger")
    contrasts = sorted((contrast for _, _, contrast in kept), key=lambda c: (c.class_index, c.trait_index, c.patients))
    return TimeContrasts(tuple(contrasts), tuple(sorted(left_out)))


def concordant(contrasts: Sequence[EffectContrast], shared: Sequence[str], least: int) -> NDArray[np.bool_]:
    """Which traits have at least ``least`` contrasts of one sign, (classes, traits); in both classes where shared."""
    above = np.zeros((len(CLASSES), len(MODEL_TRAIT_IDS)), dtype=int)
    below = np.zeros_like(above)
    for contrast in contrasts:
        count = above if contrast.difference[0] > 0.0 else below
        count[contrast.class_index, contrast.trait_index] += 1
    together = np.array([trait in shared for trait in MODEL_TRAIT_IDS])
    above, below = (np.where(together, count.sum(axis=0), count) for count in (above, below))
    return np.asarray(np.maximum(above, below) >= least)


def _same(one: EffectContrast, other: EffectContrast) -> bool:
    return (one.class_index, one.trait_index) == (other.class_index, other.trait_index)


def _overlap(one: Study, other: Study) -> bool:
    return one.id in other.overlaps_with or other.id in one.overlaps_with


def _against(study: Study) -> str | None:
    if study.pooling.role not in ROLES:
        return f"{study.pooling.role.replace('_', ' ')}: {study.pooling.reason}"
    if study.mixed_targets:
        return None  # what a trait does inside it is of T-cell engagers all the same; its level is never used
    return against_study(study)


def _contrasts_of(
    study: Study, workshop: Workshop, error: PointError, include_unverified: bool
) -> Iterator[tuple[int, int, EffectContrast]]:
    for effect in study.effects:
        if _usable(effect, include_unverified):
            yield _from_hazard_ratio(study, effect, workshop)
    rows: dict[tuple[str | None, str, str | None], list[TimeToEvent]] = {}
    for row in study.time_to_event:
        usable = row.endpoint == PFS and row.trait in MODEL_TRAIT_IDS and row.group is not None and row.n
        if usable and (include_unverified or row.basis != "recalled"):
            # groups counted from different origins are no contrast
            rows.setdefault((row.arm, str(row.trait), row.origin), []).append(row)
    for (arm, trait, _), found in rows.items():
        if TRAIT_KINDS[trait] == "binary":
            yield from _from_curves(study, arm, trait, found, workshop, error)


def _usable(effect: AdjustedEffect, include_unverified: bool) -> bool:
    return (
        effect.outcome == PFS
        and effect.measure == "HR"
        and effect.reference is not None
        and effect.trait in MODEL_TRAIT_IDS
        and TRAIT_KINDS[effect.trait] == "binary"
        and isinstance(effect.value, (int, float))
        and effect.ci95 is not None
        and None not in effect.ci95
        and (include_unverified or effect.basis != "recalled")
    )


def _from_hazard_ratio(study: Study, effect: AdjustedEffect, workshop: Workshop) -> tuple[int, int, EffectContrast]:
    low, high = effect.ci95 or (None, None)
    assert isinstance(effect.value, (int, float))
    assert low is not None
    assert high is not None
    # of present over absent: a ratio printed the other way round is turned
    ratio = float(effect.value) if effect.reference == "absent" else 1.0 / float(effect.value)
    error = standard_error(float(np.log(low)), float(np.log(high)))
    index = MODEL_TRAIT_IDS.index(effect.trait)
    adjusted = effect.adjusted is True
    high_patients, low_patients = _unit(index) if adjusted else _levels(study, index, workshop)
    contrast = EffectContrast(
        patients=study.id,
        class_index=CLASSES.index(study.class_id),
        trait_index=index,
        thresholds=(PFS,),
        difference=np.array([log_odds_of_hazard_ratio(ratio)]),
        covariance=np.array([[log_odds_standard_error(ratio, error) ** 2]]),
        high=high_patients,
        low=low_patients,
        rate=None if adjusted else np.array([HALF]),
        kind=KINDS[0] if adjusted else KINDS[1],
        source=f"{study.id}:{effect.source}",
        text=f"{study.name}: {'adjusted ' if adjusted else ''}hazard ratio {effect.value} ({low} to {high}), "
        f"{effect.contrast}",
    )
    return (0 if adjusted else 1), study.treated or study.enrolled or 0, contrast


def _from_curves(
    study: Study,
    arm: str | None,
    trait: str,
    rows: Sequence[TimeToEvent],
    workshop: Workshop,
    error: PointError,
) -> Iterator[tuple[int, int, EffectContrast]]:
    index = MODEL_TRAIT_IDS.index(trait)
    levels = {group: _group_level(study, arm, rows, group, error) for group in ("present", "absent")}
    present, absent = levels["present"], levels["absent"]
    kind: Literal[2, 3] = 2
    if (present is None) != (absent is None):
        whole = _whole_level(study, arm, error)
        one = present or absent
        if whole is None or one is None or whole.n <= one.n:
            return
        others = _others(whole, one, error.own_sd)
        present, absent = (present, others) if present is not None else (others, absent)
        kind = 3
    if present is None or absent is None:
        return
    difference = present.level - absent.level
    rate = (present.n * expit(present.level) + absent.n * expit(absent.level)) / (present.n + absent.n)
    high, low = _levels(study, index, workshop, present.n / (present.n + absent.n))
    contrast = EffectContrast(
        patients=study.id,
        class_index=CLASSES.index(study.class_id),
        trait_index=index,
        thresholds=(PFS,),
        difference=np.array([difference]),
        covariance=np.array([[present.variance + absent.variance]]),
        high=high,
        low=low,
        rate=np.array([float(rate)]),
        kind=KINDS[kind],
        source=", ".join(dict.fromkeys(f"{study.id}:{row.source}" for row in rows)),
        text=f"{study.name}: {_told('with', present)}, {_told('without', absent)}",
    )
    yield kind, present.n + absent.n, contrast


@dataclass(frozen=True)
class _Level:
    """Log odds at one year of a group, its variance, patients, and what was printed."""

    level: float
    variance: float
    n: int
    printed: str


def _told(side: str, level: _Level) -> str:
    return f"{side} {level.printed} ({level.n} patients)"


def _group_level(
    study: Study, arm: str | None, rows: Sequence[TimeToEvent], group: str, error: PointError
) -> _Level | None:
    own = [row for row in rows if row.group == group]
    points = tuple(sorted((p for row in own for p in curve_points(row)), key=lambda p: p.month))
    n = max((row.n for row in own if row.n), default=0)
    if not points or not n:
        return None
    curve = Curve(study, arm, (), n, None, own[0].origin or "not_stated", points, own[0].basis, "")
    return _at_one_year(curve_log_odds(curve, error), curve, error.slope)


def _whole_level(study: Study, arm: str | None, error: PointError) -> _Level | None:
    """Everybody in the arm, from the same origin as its groups."""
    found = (curve for curve in curves_of(study, NO_WAIT) if isinstance(curve, Curve) and curve.arm == arm)
    curve = next(found, None)
    return None if curve is None else _at_one_year(curve_log_odds(replace(curve, wait=None), error), curve, error.slope)


def _at_one_year(points: Points | None, curve: Curve, slope: float) -> _Level | None:
    if points is None:
        return None
    weight = np.linalg.solve(points.covariance, np.ones(points.level.size))
    level = float(weight @ (points.level + slope * points.time) / weight.sum())
    words = [
        f"median {p.month:g} months" if p.interval_months or p.pct == 50.0 else f"{p.pct:g} % at {p.month:g} months"
        for p in curve.points
    ]
    return _Level(level, float(1.0 / weight.sum()), curve.n, ", ".join(words))


def _others(whole: _Level, one: _Level, own_sd: float) -> _Level:
    """Everybody less one level, at one year: shares add up by patients.

    What is printed of both, beside sampling, is off by ``own_sd`` each, and the difference is so by the number of
    patients over that of the others (delta method): a few left over of many are hardly known.
    """
    n = whole.n - one.n
    share = float((whole.n * expit(whole.level) - one.n * expit(one.level)) / n)
    share = min(max(share, 1.0 / (n + 1.0)), n / (n + 1.0))
    moved = [level.n * _fall(float(expit(level.level))) / (n * _fall(share)) for level in (whole, one)]
    # per patient information of the whole, scaled to the others
    variance = whole.variance * whole.n / n + own_sd**2 * (moved[0] ** 2 + moved[1] ** 2)
    return _Level(
        float(logit(share)), variance, n, f"{100 * share:.0f} % at {YEAR:g} months, from everybody less these"
    )


def _fall(share: float) -> float:
    """What a share moves by for one unit of its log odds."""
    return share * (1.0 - share)


def _unit(index: int) -> tuple[Array, Array]:
    patients, high, low = unit_contrast(index)
    return patients[high], patients[low]


def _levels(study: Study, index: int, workshop: Workshop, prevalence: float | None = None) -> tuple[Array, Array]:
    """Virtual patients with and without a yes/no trait."""
    margins = workshop.margins_of(study)
    if prevalence is not None:
        margins[index] = replace(margins[index], location=prevalence)
    patients = cohort(workshop.latent, margins)
    has = patients[:, index] > 0.5
    return (patients[has], patients[~has]) if has.any() and not has.all() else _unit(index)
