"""The contrasts of one family: published splits, adjusted effects and pooled effects, made ready for stage 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
from numpy.typing import NDArray

from bcma_decide.vocabulary import CLASSES, MODEL_TRAIT_IDS, MODEL_TRAITS, THRESHOLDS, Family, scaled
from bcma_decide.workshop.evidence.assumptions import PooledEffect
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.null_findings import NullContrast, null_contrasts
from bcma_decide.workshop.evidence.schema import AdjustedEffect, Study
from bcma_decide.workshop.evidence.splits import LevelBounds, SplitContrast, select_splits
from bcma_decide.workshop.patient_model.effect_contrast import EffectContrast
from bcma_decide.workshop.patient_model.odds_ratios import (
    empirical_logit_difference,
    log_odds_ratio_from_risk_ratio,
    log_odds_ratio_group_versus_all,
    standard_error,
)
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop, eligible
from bcma_decide.workshop.patient_model.virtual_cohort import cohort

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FamilyContrasts:
    """Contrasts of one family, and what was left out with the reason."""

    contrasts: tuple[EffectContrast, ...]
    left_out: tuple[str, ...]


def family_contrasts(
    inputs: Inputs, workshop: Workshop, family: Family, *, include_unverified: bool = False
) -> FamilyContrasts:
    """All contrasts of a family.

    Adjusted effects replace the split of the same trait in the same study. A published "no difference" enters for
    patients who are in no other contrast of the trait, of overlapping ones the largest. Pooled effects of other reviews
    enter only for a trait and class without any contrast of its own.
    """
    selection = select_splits(inputs.catalogue, family.id, include_unverified=include_unverified, protocol_cohorts=True)
    left_out = [f"{item.study}, {item.trait}: {item.reason}" for item in selection.left_out]
    adjusted = _adjusted_contrasts(inputs.catalogue, family, include_unverified)
    replaced = {(contrast.patients, contrast.trait_index) for contrast in adjusted}
    contrasts = list(adjusted)
    groups: dict[tuple[str, str | None, str], list[SplitContrast]] = {}
    for split in selection.contrasts:
        groups.setdefault((split.study, split.arm, split.trait), []).append(split)
    order = [threshold.id for threshold in family.thresholds]
    for (study, _, trait), splits in sorted(groups.items(), key=lambda item: tuple(map(str, item[0]))):
        if (study, MODEL_TRAIT_IDS.index(trait)) in replaced:
            left_out.append(f"{study}, {trait}: the adjusted effect of the same patients is used")
            continue
        ordered = sorted(splits, key=lambda split: order.index(split.outcome))
        contrasts.append(split_contrast(ordered, inputs.catalogue.study(study), workshop))
    for null in sorted(null_contrasts(inputs.catalogue, family.id), key=lambda null: -(null.high_n + null.low_n)):
        if _patients_in_use(null, contrasts, inputs):
            left_out.append(f"{null.id}, {null.trait}: these patients are in another contrast of it")
        else:
            contrasts.append(_null_contrast(null, workshop))
    informed = {(contrast.class_index, contrast.trait_index) for contrast in contrasts}
    for effect in inputs.pooled_effects.effects:
        if effect.family != family.id:
            continue
        if (CLASSES.index(effect.class_id), MODEL_TRAIT_IDS.index(effect.trait)) in informed:
            left_out.append(f"{effect.id}: own splits of this trait and class exist")
        else:
            contrasts.append(_pooled_contrast(effect, inputs, workshop))
    return FamilyContrasts(tuple(contrasts), tuple(left_out))


def _bound(trait: str, value: float) -> float:
    """A published bound on the model's scale; counts of lines are cut half-way between whole numbers."""
    # Virtual patients have lines like 3.7 on a continuous scale; "4 or more" cut at 4 would miss those who round to 4.
    # Half a line is the least there is to cut at: the scale is a logarithm.
    return scaled(trait, max(value - 0.5, 0.5) if trait == "prior_lines" else value)


def _groups(split: SplitContrast, patients: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Virtual patients in the high and in the low level of a split."""
    index = MODEL_TRAIT_IDS.index(split.trait)
    values = patients[:, index]
    if MODEL_TRAITS[index].kind == "binary":
        return values > 0.5, values < 0.5
    return _inside(split.trait, values, split.high_bounds), _inside(split.trait, values, split.low_bounds)


def _inside(trait: str, values: Array, bounds: LevelBounds) -> NDArray[np.bool_]:
    member = np.ones(values.size, dtype=bool)
    if bounds.at_least is not None:
        member &= values >= _bound(trait, bounds.at_least)
    if bounds.below is not None:
        member &= values < _bound(trait, bounds.below)
    return member


def split_contrast(splits: Sequence[SplitContrast], study: Study, workshop: Workshop) -> EffectContrast:
    """One split on one or more thresholds, loosest first, with the virtual patients of its two levels."""
    first = splits[0]
    index = MODEL_TRAIT_IDS.index(first.trait)
    difference, covariance = empirical_logit_difference(
        [s.high_events for s in splits],
        [s.high_n for s in splits],
        [s.low_events for s in splits],
        [s.low_n for s in splits],
    )
    margins = workshop.margins_of(study)
    # The split counts its own patients, often not all of the baseline table: its prevalence is theirs.
    if margins[index].binary:
        margins[index] = replace(margins[index], location=first.high_n / (first.high_n + first.low_n))
    patients = cohort(workshop.latent, margins)
    high, low = _groups(first, patients)
    if not high.any() or not low.any():
        # The study's own margins leave a level empty (a cut beyond its printed range): one unit of this trait alone
        # stands for the difference of its levels, as nothing is known of how they differ in others.
        patients, high, low = unit_contrast(index)
    # Groups that are two cohorts of one protocol differ by more than the trait and chance.
    covariance = covariance + first.extra_variance
    # Half a patient on either side, as in the difference: at 0 or 1 the level at which f(b) is taken would be infinite.
    rate = np.array([(s.high_events + s.low_events + 0.5) / (s.high_n + s.low_n + 1.0) for s in splits])
    high_label, low_label = _side_labels(first)
    counts = "; ".join(
        f"{THRESHOLDS[s.outcome].label}: {s.high_events} of {s.high_n} {high_label}, "
        f"{s.low_events} of {s.low_n} {low_label}"
        for s in splits
    )
    return EffectContrast(
        patients=first.study,
        class_index=CLASSES.index(first.class_id),
        trait_index=index,
        thresholds=tuple(s.outcome for s in splits),
        difference=difference,
        covariance=covariance,
        high=patients[high],
        low=patients[low],
        rate=rate,
        kind="split",
        source=f"{first.study}:{first.source}",
        text=f"{study.name}: {counts}",
    )


def _patients_in_use(null: NullContrast, contrasts: Sequence[EffectContrast], inputs: Inputs) -> bool:
    """Whether a contrast of the same trait and class has these patients, or some of them."""
    if null.study is None:
        return False
    studies = inputs.studies
    mates = {null.study, *(studies[null.study].overlaps_with if null.study in studies else ())}
    mates |= {study.id for study in studies.values() if null.study in study.overlaps_with}
    which = CLASSES.index(null.class_id), MODEL_TRAIT_IDS.index(null.trait)
    return any((c.class_index, c.trait_index) == which and c.patients in mates for c in contrasts)


def _null_contrast(null: NullContrast, workshop: Workshop) -> EffectContrast:
    """A published "no significant difference": zero, with the standard error its group sizes leave, widened."""
    index = MODEL_TRAIT_IDS.index(null.trait)
    patients, high, low = unit_contrast(index)
    if MODEL_TRAITS[index].kind != "binary":
        margins = list(workshop.margins[null.class_id, "real_world"].values())
        drawn = cohort(workshop.latent, margins)
        above = _inside(null.trait, drawn[:, index], null.high_bounds)
        below = _inside(null.trait, drawn[:, index], null.low_bounds)
        if above.any() and below.any():
            patients, high, low = drawn, above, below
    return EffectContrast(
        patients=null.study or null.id,
        class_index=CLASSES.index(null.class_id),
        trait_index=index,
        thresholds=(null.outcome,),
        difference=np.array([null.log_odds_ratio]),
        covariance=np.array([[null.standard_error**2]]),
        high=patients[high],
        low=patients[low],
        rate=None if null.adjusted else np.array([null.rate]),
        kind="no difference",
        source=f"adjusted_effects:{null.id}",
        text=f"no significant difference reported ({null.high_n} and {null.low_n} patients)",
    )


def _side_labels(split: SplitContrast) -> tuple[str, str]:
    """How the two levels of a split are called: *with* and *without*, or their bounds."""
    if MODEL_TRAITS[MODEL_TRAIT_IDS.index(split.trait)].kind == "binary":
        return "with", "without"
    return _range_label(split.high_bounds), _range_label(split.low_bounds)


def _range_label(bounds: LevelBounds) -> str:
    if bounds.below is None:
        return f"at {bounds.at_least:g} or more"
    return (
        f"below {bounds.below:g}" if bounds.at_least is None else f"from {bounds.at_least:g} to below {bounds.below:g}"
    )


def unit_contrast(index: int) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Two virtual patients who differ by one unit of one trait and in nothing else."""
    patients = np.zeros((2, len(MODEL_TRAIT_IDS)))
    patients[0, index] = 1.0
    return patients, np.array([True, False]), np.array([False, True])


def _adjusted_contrasts(catalogue: Catalogue, family: Family, include_unverified: bool) -> list[EffectContrast]:
    """Odds ratios from multivariable models: conditional already, so direct observations of one effect."""
    contrasts = []
    for study in catalogue.studies:
        if not eligible(study):
            continue
        for effect in study.effects:
            if not _usable(effect, family, include_unverified):
                continue
            index = MODEL_TRAIT_IDS.index(effect.trait)
            low, high = effect.ci95 or (None, None)
            # Contrasts are of present over absent; an odds ratio printed the other way round changes its sign.
            sign = 1.0 if effect.reference == "absent" else -1.0
            value, se = sign * log(float(effect.value or 1.0)), standard_error(log(low or 1.0), log(high or 1.0))
            patients, first, second = unit_contrast(index)
            contrasts.append(
                EffectContrast(
                    patients=study.id,
                    class_index=CLASSES.index(study.class_id),
                    trait_index=index,
                    thresholds=(effect.outcome,),
                    difference=np.array([value]),
                    covariance=np.array([[se**2]]),
                    high=patients[first],
                    low=patients[second],
                    rate=None,
                    kind="adjusted effect",
                    source=f"{study.id}:{effect.source}",
                    text=f"{study.name}: adjusted odds ratio {effect.value} ({low} to {high}), {effect.contrast}",
                )
            )
    return contrasts


def _usable(effect: AdjustedEffect, family: Family, include_unverified: bool) -> bool:
    return (
        effect.measure == "OR"
        and effect.adjusted is True
        and effect.reference is not None
        and effect.trait in MODEL_TRAIT_IDS
        and effect.outcome in {threshold.id for threshold in family.thresholds}
        and isinstance(effect.value, (int, float))
        and effect.ci95 is not None
        and None not in effect.ci95
        and (include_unverified or effect.basis != "recalled")
    )


def _pooled_contrast(effect: PooledEffect, inputs: Inputs, workshop: Workshop) -> EffectContrast:
    index = MODEL_TRAIT_IDS.index(effect.trait)
    margins = list(workshop.margins[effect.class_id, "interventional"].values())
    prevalence = margins[index].location
    if effect.kind == "risk_ratio":
        overall = _class_rate(effect, inputs)
        value, se = log_odds_ratio_from_risk_ratio(effect.value or 1.0, effect.ci95 or (1.0, 1.0), overall, prevalence)
        low, high = effect.ci95 or (0.0, 0.0)
        text = f"risk ratio {effect.value} ({low} to {high}), {effect.studies} studies"
    else:
        assert effect.group is not None
        assert effect.all is not None
        overall = effect.all.rate
        value, se = log_odds_ratio_group_versus_all(
            effect.group.rate, effect.group.ci95, effect.all.rate, effect.all.ci95, prevalence
        )
        group, everybody = effect.group, effect.all
        text = f"rate {group.rate:.2f} of {group.patients} with the trait against {everybody.rate:.2f} of all"
    # A crude effect holds those of all traits that go with it. The virtual cohort takes out what it knows of them; the
    # larger variance stands for the rest.
    factor = inputs.assumptions.bias.crude_variance_factor.value if effect.crude else 1.0
    patients = cohort(workshop.latent, margins)
    has = patients[:, index] > 0.5
    home = effect.study or "adjusted_effects"
    return EffectContrast(
        patients=effect.id,  # a patient set of its own: it speaks only where no split of the class does
        class_index=CLASSES.index(effect.class_id),
        trait_index=index,
        thresholds=(effect.threshold,),
        difference=np.array([value]),
        covariance=np.array([[se**2 * factor]]),
        high=patients[has],
        low=patients[~has],
        rate=np.array([overall]),
        kind="pooled effect",
        source=f"{home}:{effect.source}",
        text=f"another meta-analysis, crude: {text}",
    )


def _class_rate(effect: PooledEffect, inputs: Inputs) -> float:
    """The source meta-analysis' pooled rate of the threshold in the class: where a risk ratio is turned into odds."""
    for row in inputs.catalogue.source_meta_analysis.pooled:
        if effect.threshold in row.outcomes and row.class_id == effect.class_id and not row.dual_target and row.pct:
            return row.pct / 100.0
    raise ValueError(f"{effect.id}: the source meta-analysis has no pooled {effect.threshold} of this class")
