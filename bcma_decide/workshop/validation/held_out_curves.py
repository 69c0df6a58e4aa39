"""Every published curve of progression-free survival predicted without its study and all that belongs to it.

Levels and slopes are refitted without the study's curve, the trait effects without its contrasts; the curve is then
predicted at a new centre for its own reported patients, at the times that were printed. Two simpler predictors stand
beside it: a log-logistic line through the mean of the other studies of the product, and of the class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import t as student

from bcma_decide.model.normal import hermite
from bcma_decide.vocabulary import CLASSES
from bcma_decide.workshop.evidence.schema import Study
from bcma_decide.workshop.patient_model.class_fit import arm_patients
from bcma_decide.workshop.survival.curves import Curve, candidate_curves, select_curves
from bcma_decide.workshop.survival.fit import (
    Counted,
    fit_counted,
    offered,
    point_error,
    product_mix,
    product_names,
    setting_of,
    trait_effects,
    waits,
    with_points,
)
from bcma_decide.workshop.survival.levels import ClassLevels, Terms
from bcma_decide.workshop.survival.points import log_time
from bcma_decide.workshop.survival.trait_contrasts import time_contrasts
from bcma_decide.workshop.validation.held_out import Evidence
from bcma_decide.workshop.validation.shapes import PredictedShare, ScoredPoint

Array = NDArray[np.float64]

FEWEST_PATIENTS: Final = 30
"""Of a curve that is predicted: the points of smaller ones are mostly chance."""
MODEL, PRODUCT, CLASS = "model", "product_mean", "class_mean"
CURVE_PREDICTORS: Final = {
    MODEL: "the model",
    PRODUCT: "mean of the product",
    CLASS: "mean of the class",
}
DRAWS: Final = 41
"""Quadrature points of the log odds of a curve at one time."""
MISS: Final = 40.0
"""2 / alpha of the interval score at 95 %."""


def held_out_curves(evidence: Evidence, studies: Sequence[Study] | None = None) -> tuple[Curve, ...]:
    """Curves large enough to be predicted, those that share patients with a larger one too: it is left out as well."""
    priors = evidence.inputs.assumptions.survival
    found, _ = candidate_curves(studies or evidence.inputs.catalogue.studies, waits(priors), priors.median_reach.value)
    return tuple(curve for curve in found if curve.n >= FEWEST_PATIENTS)


def predict_curve(evidence: Evidence, place: int) -> list[ScoredPoint]:
    """Predict the points of one curve from the studies that share nothing with it."""
    target = held_out_curves(evidence)[place]
    return list(predict_from(evidence, target, _apart(evidence, target, evidence.inputs.catalogue.studies)))


def predict_later_curve(evidence: Evidence, place: int) -> list[ScoredPoint]:
    """Predict a curve published after the source meta-analysis' search date from those before; none for others."""
    target = held_out_curves(evidence)[place]
    if target.study.search_window is not False:
        return []
    earlier = [study for study in evidence.inputs.catalogue.studies if study.search_window]
    return list(predict_from(evidence, target, _apart(evidence, target, earlier)))


def _apart(evidence: Evidence, target: Curve, studies: Sequence[Study]) -> list[Study]:
    mates = evidence.together[target.study.id]
    return [study for study in studies if study.id not in mates]


def predict_from(evidence: Evidence, target: Curve, rest: Sequence[Study]) -> Iterator[ScoredPoint]:
    """Predict the points of a curve from some studies."""
    inputs, workshop = evidence.inputs, evidence.workshop
    priors = inputs.assumptions.survival
    contrasts = time_contrasts(rest, workshop, point_error(priors))
    effects = trait_effects(inputs, workshop, contrasts.contrasts)
    curves = select_curves(rest, waits(priors), priors.median_reach.value).curves
    counted = [with_points(priors, (c for c in curves if c.class_id == class_id)) for class_id in CLASSES]
    index = CLASSES.index(target.class_id)
    wanted = [
        (*offered(inputs, class_id), *(target.products if class_id == target.class_id else ())) for class_id in CLASSES
    ]
    names = product_names(counted[index], wanted[index])
    mix, terms = product_mix(target.products, names), Terms(len(names))
    line = np.array([terms.level(mix, setting_of(inputs, target.study)), terms.slope(mix)])
    asked = [
        line if c == index else np.zeros((0, Terms(len(product_names(counted[c], wanted[c]))).count)) for c in range(2)
    ]
    levels = fit_counted(inputs, workshop, counted, wanted, effects.mean, asked)[index]
    size = effects.mean.shape[1]
    own = slice(index * size, (index + 1) * size)
    others = [each for each in counted[index] if each.curve.products == target.products]
    said = with_points(priors, [target])
    if not said or not counted[index]:
        return
    for place, point in enumerate(said[0].points.printed):
        month = point.month - (target.wait.months if target.wait else 0.0)
        noise = float(said[0].points.covariance[place, place])
        model = _model(evidence, target, levels, effects.mean[index], effects.covariance[own, own], month, noise)
        share = target.wait.infused if target.wait else 1.0
        observed = point.pct / 100.0
        simple = {
            PRODUCT: _mean_of(others or counted[index], counted[index], month, noise, priors.slope_mean.value),
            CLASS: _mean_of(counted[index], counted[index], month, noise, priors.slope_mean.value),
        }
        yield ScoredPoint(
            study=target.study.id,
            name=target.study.name,
            arm=target.arm,
            class_id=target.class_id,
            design=target.design,
            product=target.products[0] if len(target.products) == 1 else None,
            n=target.n,
            month=point.month,
            others=len(others),
            observed=observed,
            predicted={
                name: _scored(mean * share, low * share, high * share, observed)
                for name, (mean, low, high) in {MODEL: model, **simple}.items()
            },
        )


def _model(
    evidence: Evidence,
    target: Curve,
    levels: ClassLevels,
    effects: Array,
    covariance: Array,
    month: float,
    noise: float,
) -> tuple[float, float, float]:
    """Mean and 95 % interval of the share that a new study of these patients would print."""
    time = log_time(month)
    patients, unreported = arm_patients(evidence.workshop, target.study)
    at = np.array([1.0, -time])
    gradient = at @ levels.slope + patients.mean(axis=0)
    slope_sd = evidence.inputs.assumptions.survival.study_slope_sd.value
    variance = np.einsum("a,kab,b->k", at, levels.covariance, at) + levels.tau**2 + (time * slope_sd) ** 2
    variance = variance + float(gradient @ covariance @ gradient) + float(((effects * unreported) ** 2).sum()) + noise
    points, weight = hermite(DRAWS)
    level = (levels.mean @ at)[:, None] + np.sqrt(variance)[:, None] * points
    share = expit(level[..., None] + patients @ effects).mean(axis=-1).ravel()
    mass = (levels.weight[:, None] * weight).ravel()
    return _summary(share, mass)


def _summary(share: Array, mass: Array) -> tuple[float, float, float]:
    order = np.argsort(share)
    cumulative = np.cumsum(mass[order]) - 0.5 * mass[order]
    low, high = np.interp([0.025, 0.975], cumulative, share[order])
    return float(mass @ share), float(low), float(high)


def _mean_of(
    curves: Sequence[Counted], of_class: Sequence[Counted], month: float, noise: float, slope: float
) -> tuple[float, float, float]:
    """Mean of the curves at a month by patients, on the log odds, with a t interval for a new study.

    Each curve is carried to the month from its nearest point by the usual slope. The spread between studies is that
    around the means of the products of the class.
    """
    time = log_time(month)
    value = [_carried(each, time, slope) for each in curves]
    mean = float(np.average(value, weights=[each.curve.n for each in curves]))
    groups: dict[tuple[str, ...], list[float]] = {}
    for each in of_class:
        groups.setdefault(each.curve.products, []).append(_carried(each, time, slope))
    if curves is of_class:
        groups = {(): [value for group in groups.values() for value in group]}
    squares = sum(float(((np.array(group) - np.mean(group)) ** 2).sum()) for group in groups.values())
    free = sum(len(group) - 1 for group in groups.values())
    variance = squares / max(free, 1) * (1.0 + 1.0 / len(curves)) + noise
    reach = float(student.ppf(0.975, max(free, 1)) * np.sqrt(variance))
    return float(expit(mean)), float(expit(mean - reach)), float(expit(mean + reach))


def _carried(counted: Counted, time: float, slope: float) -> float:
    points = counted.points
    nearest = int(np.argmin(np.abs(points.time - time)))
    return float(points.level[nearest] - slope * (time - points.time[nearest]))


def _scored(mean: float, low: float, high: float, observed: float) -> PredictedShare:
    missed = max(low - observed, observed - high, 0.0)
    return PredictedShare(mean=mean, interval=(low, high), winkler=high - low + MISS * missed)
