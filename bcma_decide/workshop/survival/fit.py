"""Fit progression-free survival: trait effects from contrasts inside studies, then levels and slopes of products."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bcma_decide.pooled.seal import SETTINGS
from bcma_decide.vocabulary import CLASSES, PFS_FAMILY, ClassId
from bcma_decide.workshop.evidence.assumptions import SurvivalPriors
from bcma_decide.workshop.evidence.schema import Study
from bcma_decide.workshop.patient_model.class_fit import arm_patients
from bcma_decide.workshop.patient_model.effect_contrast import EffectContrast
from bcma_decide.workshop.patient_model.family_fit import FamilyEffects, fit_family
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop
from bcma_decide.workshop.survival.curves import Curve, Curves, select_curves
from bcma_decide.workshop.survival.levels import ClassLevels, Setting, StudyCurve, Terms, TimePrior, fit_levels
from bcma_decide.workshop.survival.points import PointError, Points, curve_log_odds
from bcma_decide.workshop.survival.trait_contrasts import TimeContrasts, concordant, time_contrasts

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Counted:
    """A curve that counts, with its usable points."""

    curve: Curve
    points: Points


@dataclass(frozen=True)
class ClassCurves:
    """Fitted curves of one class: its counted curves, the products asked for, and their levels and slopes.

    ``levels`` has for each setting the levels and then the slopes of ``products``.
    """

    class_id: ClassId
    counted: tuple[Counted, ...]
    products: tuple[str, ...]
    levels: ClassLevels


@dataclass(frozen=True)
class SurvivalFit:
    """Everything fitted."""

    effects: FamilyEffects
    contrasts: TimeContrasts
    curves: Curves
    classes: tuple[ClassCurves, ...]


def fit_survival(inputs: Inputs, workshop: Workshop, *, include_unverified: bool = False) -> SurvivalFit:
    """Fit both stages from all studies.

    Raises
    ------
    SynthesisError
        When there is no curve, or the trait effects do not settle.
    """
    studies = inputs.catalogue.studies
    priors = inputs.assumptions.survival
    contrasts = time_contrasts(
        studies,
        workshop,
        point_error(priors),
        include_unverified=include_unverified,
    )
    effects = trait_effects(inputs, workshop, contrasts.contrasts)
    curves = select_curves(studies, waits(priors), priors.median_reach.value, include_unverified=include_unverified)
    return SurvivalFit(effects, contrasts, curves, fit_classes(inputs, workshop, curves.curves, effects.mean))


def trait_effects(inputs: Inputs, workshop: Workshop, contrasts: Sequence[EffectContrast]) -> FamilyEffects:
    """Effects of the traits on which enough contrasts point the same way.

    Raises
    ------
    SynthesisError
        When the repeated linearisation does not settle.
    """
    shared = inputs.assumptions.trait_effects.shared.traits
    least = int(inputs.assumptions.survival.minimum_sources.value)
    return fit_family(
        inputs.assumptions, workshop, PFS_FAMILY, contrasts, admitted=concordant(contrasts, shared, least)
    )


def point_error(priors: SurvivalPriors) -> PointError:
    """How sure printed points are, as the assumptions state it."""
    return PointError(priors.slope_mean.value, priors.variance_factor.value, priors.point_sd.value)


def waits(priors: SurvivalPriors) -> Mapping[ClassId, float]:
    """Months between the decision and the treatment where a study prints none."""
    return {"car_t": priors.wait_months.value, "bite": 0.0}


def offered(inputs: Inputs, class_id: ClassId) -> tuple[str, ...]:
    """Products of a class that a clinic can order, in the evidence's order."""
    words = inputs.catalogue.vocabulary.ids.products
    return tuple(p for p, product in words.items() if product.option and product.class_id == class_id)


def fit_classes(inputs: Inputs, workshop: Workshop, curves: Sequence[Curve], effects: Array) -> tuple[ClassCurves, ...]:
    """Levels and slopes of the offered products of both classes; ``effects`` (classes, traits)."""
    priors = inputs.assumptions.survival
    counted = [with_points(priors, (c for c in curves if c.class_id == class_id)) for class_id in CLASSES]
    wanted = [offered(inputs, class_id) for class_id in CLASSES]
    asked = []
    for of_class, products in zip(counted, wanted, strict=True):
        names = product_names(of_class, products)
        asked.append(_settings_asked(names, products))
    fitted = fit_counted(inputs, workshop, counted, wanted, effects, asked)
    return tuple(
        ClassCurves(class_id, tuple(of_class), products, levels)
        for class_id, of_class, products, levels in zip(CLASSES, counted, wanted, fitted, strict=True)
    )


def fit_counted(
    inputs: Inputs,
    workshop: Workshop,
    counted: Sequence[Sequence[Counted]],
    wanted: Sequence[Sequence[str]],
    effects: Array,
    asked: Sequence[Array],
) -> tuple[ClassLevels, ...]:
    """Levels asked for in both classes, from counted curves."""
    words = inputs.catalogue.vocabulary.ids.products
    names = [product_names(of_class, products) for of_class, products in zip(counted, wanted, strict=True)]
    return fit_levels(
        [
            [study_curve(inputs, workshop, each, of_class, effects[c]) for each in counted[c]]
            for c, of_class in enumerate(names)
        ],
        [np.array([bool(words[name].option) for name in of_class]) for of_class in names],
        effects,
        time_prior(inputs.assumptions.survival),
        asked,
    )


def with_points(priors: SurvivalPriors, curves: Iterable[Curve]) -> list[Counted]:
    """Curves that have a usable point."""
    found = []
    for curve in curves:
        points = curve_log_odds(curve, point_error(priors))
        if points is not None:
            found.append(Counted(curve, points))
    return found


def product_names(counted: Sequence[Counted], wanted: Sequence[str]) -> tuple[str, ...]:
    """All products of the counted curves and those wanted."""
    return tuple(sorted({product for each in counted for product in each.curve.products} | set(wanted)))


def product_mix(products: Sequence[str], names: Sequence[str]) -> Array:
    """Shares of the products of a curve, (names,)."""
    return np.array([(name in products) / len(products) for name in names])


def setting_of(inputs: Inputs, study: Study) -> Setting:
    """Where a study's patients were treated, and whether it took only early lines of therapy."""
    lines = study.population.get("prior_lines_median")
    most = lines.range[1] if lines is not None and lines.range else None
    return Setting(
        real_world=float(study.design == "real_world"),
        region=float(study.region in inputs.assumptions.east_asia.regions),
        early=float(most is not None and most <= inputs.assumptions.survival.early_lines_most.value),
    )


def study_curve(
    inputs: Inputs, workshop: Workshop, counted: Counted, names: Sequence[str], effects: Array
) -> StudyCurve:
    """One curve as the fit reads it; ``effects`` (traits,)."""
    study = counted.curve.study
    patients, spread = arm_patients(workshop, study)
    return StudyCurve(
        points=counted.points,
        products=product_mix(counted.curve.products, names),
        setting=setting_of(inputs, study),
        trial=study.trial or study.id,
        patients=patients,
        extra_variance=float(((effects * spread) ** 2).sum()),
    )


def _settings_asked(names: Sequence[str], products: Sequence[str]) -> Array:
    """For each setting, levels and then slopes of the products, outside East Asia and after more lines of therapy."""
    terms = Terms(len(names))
    rows = []
    for setting in SETTINGS:
        where = Setting(real_world=float(setting == "real_world"))
        rows += [terms.level(product_mix((product,), names), where) for product in products]
        rows += [terms.slope(product_mix((product,), names)) for product in products]
    return np.array(rows)


def time_prior(priors: SurvivalPriors) -> TimePrior:
    """The priors as the assumptions state them."""
    return TimePrior(
        level_sd=priors.level_sd.value,
        slope_mean=priors.slope_mean.value,
        slope_sd=priors.slope_sd.value,
        product_slope_sd=priors.product_slope_sd.value,
        study_slope_sd=priors.study_slope_sd.value,
        product_sd_scale=priors.product_sd_scale.value,
        study_sd_scale=priors.study_sd_scale.value,
        construct_sd=priors.construct_sd.value,
        real_world_sd=priors.real_world_sd.value,
        region_sd=priors.region_sd.value,
        early_sd=priors.early_sd.value,
        shared=priors.shared.value,
        same_trial_correlation=priors.same_trial_correlation.value,
    )
