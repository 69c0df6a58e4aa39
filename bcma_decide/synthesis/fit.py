"""fit(): the evidence in, the pooled evidence out. The only door to the patient-level synthesis.

The result is a plain document (the content of pooled.json): estimates, covariances, the evidence population, and for
every estimate the study rows behind it. Deterministic: fixed quasi-random points, fixed grids, rounded floats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from bcma_decide.evidence.assumptions import Assumptions, PooledEffects, TraitCorrelations
from bcma_decide.evidence.catalogue import Catalogue
from bcma_decide.evidence.schema import Study
from bcma_decide.evidence.selection import SelectedRow, select
from bcma_decide.model.artefact import POOLED_SCHEMA_VERSION, SETTINGS, content_hash
from bcma_decide.synthesis.baselines import Arms, BaselinePrior, Baselines, fit_baselines
from bcma_decide.synthesis.contrasts import FamilyContrasts, family_contrasts
from bcma_decide.synthesis.margins import Reported, Spreads, arm_margins, evidence_margins, reported_margins
from bcma_decide.synthesis.nodes import compress_nodes
from bcma_decide.synthesis.trait_effects import TraitEffects, TraitPrior, fit_trait_effects, proportional_odds_test
from bcma_decide.synthesis.virtual_cohort import (
    Margin,
    cohort,
    correlated_points,
    nearest_correlation,
    standard_normal_points,
    tetrachoric,
)
from bcma_decide.vocabulary import (
    CLASS_LABELS,
    CLASSES,
    FAMILIES,
    FAMILY_OF,
    MODEL_TRAIT_IDS,
    MODEL_TRAITS,
    OUTCOMES,
    ClassId,
    Family,
)

Array = NDArray[np.float64]
Progress = Callable[[str], None]

COHORT_POINTS = 1024
BASELINE_POINTS = 256
BEDSIDE_POINTS = 512
NODES = 6


@dataclass(frozen=True)
class Inputs:
    """Everything the fit reads."""

    catalogue: Catalogue
    assumptions: Assumptions
    correlations: TraitCorrelations
    pooled_effects: PooledEffects
    definitions: Mapping[str, Any]

    @cached_property
    def studies(self) -> Mapping[str, Study]:
        """Studies by id."""
        return {study.id: study for study in self.catalogue.studies}


@dataclass(frozen=True)
class Workshop:
    """What all families share: correlation, latent points, margins, the evidence population."""

    correlation: Array
    latent: Array
    reference: Array
    reported: Mapping[str, Mapping[str, Reported]]
    margins: Mapping[tuple[str, str], Mapping[str, Margin]]
    population: Mapping[str, Margin]

    def margins_of(self, study: Study) -> list[Margin]:
        """Margins of a study's patients, in the model's trait order."""
        return arm_margins(self.reported[study.id], self.margins[study.class_id, study.design])


def rounded(value: object, digits: int = 6) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Floats (also inside lists, tuples, mappings, arrays) to ``digits`` significant digits."""
    if isinstance(value, np.ndarray):
        return rounded(value.tolist(), digits)
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.{digits}g}") + 0.0
    if isinstance(value, Mapping):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item, digits) for item in value]
    return value


def trait_correlation(correlations: TraitCorrelations) -> Array:
    """Latent correlation matrix of the model's traits, made positive definite."""
    matrix = np.eye(len(MODEL_TRAIT_IDS))
    for pair in correlations.pairs:
        i, j = MODEL_TRAIT_IDS.index(pair.a), MODEL_TRAIT_IDS.index(pair.b)
        value = pair.assumed if pair.assumed is not None else tetrachoric(pair.table or ())
        matrix[i, j] = matrix[j, i] = value
    return nearest_correlation(matrix)


def _eligible(study: Study) -> bool:
    return (
        study.pooling.role in ("whole_group", "splits_only")
        and study.record_type == "study"
        and study.setting == "rrmm"
        and not study.mixed_targets
        and not study.combination
    )


def prepare(inputs: Inputs) -> Workshop:
    """Correlation, points, margins and population, before any family is fitted."""
    spreads = Spreads(
        prevalence=inputs.assumptions.unreported_margins.prevalence_sd.value,
        age=inputs.assumptions.unreported_margins.age_sd_years.value / 10.0,
        prior_lines=inputs.assumptions.unreported_margins.prior_lines_log2_sd.value,
    )
    studies = inputs.studies
    reported = {study.id: reported_margins(study, spreads) for study in inputs.catalogue.studies}
    eligible = [study for study in inputs.catalogue.studies if _eligible(study)]
    population = evidence_margins([reported[study.id] for study in eligible], spreads)
    margins: dict[tuple[str, str], dict[str, Margin]] = {}
    for class_id in CLASSES:
        for design in SETTINGS:
            chosen: dict[str, Margin] = {}
            for trait in MODEL_TRAIT_IDS:
                of_class = [s for s in eligible if s.class_id == class_id and trait in reported[s.id]]
                of_design = [s for s in of_class if s.design == design]
                group = of_design if len(of_design) >= 3 else of_class if len(of_class) >= 3 else None
                chosen[trait] = (
                    population[trait]
                    if group is None
                    else evidence_margins([reported[s.id] for s in group], spreads)[trait]
                )
            margins[class_id, design] = chosen
    correlation = trait_correlation(inputs.correlations)
    profile = inputs.assumptions.reference_profile
    reference = np.array(
        [{"age": profile.age / 10.0, "prior_lines": log2(profile.prior_lines)}.get(t, 0.0) for t in MODEL_TRAIT_IDS]
    )
    return Workshop(
        correlation=correlation,
        latent=correlated_points(correlation, COHORT_POINTS),
        reference=reference,
        reported=reported,
        margins=margins,
        population=population,
    )


def _effects_document(effects: TraitEffects, used: NDArray[np.bool_]) -> dict[str, Any]:
    T = len(MODEL_TRAIT_IDS)
    position = np.flatnonzero(used.reshape(-1))
    return {
        "effects": [
            {
                "class_id": CLASSES[p // T],
                "trait": MODEL_TRAIT_IDS[p % T],
                "mean": effects.mean.reshape(-1)[p],
                "borrowed": not bool(effects.seen.reshape(-1)[p]),
            }
            for p in position
        ],
        "covariance": effects.covariance[np.ix_(position, position)].reshape(-1),
        "standard_deviations": dict(zip(("s_b", "s_d", "tau_b"), effects.standard_deviations, strict=True)),
    }


def used_effects(family: Family, effects: TraitEffects, assumptions: Assumptions) -> NDArray[np.bool_]:
    """Which effects may move numbers, shape (classes, traits): seen in the class, or borrowed where that is allowed."""
    used = effects.seen.copy()
    if family.id in assumptions.borrowing.families:
        for trait in assumptions.borrowing.traits:
            index = MODEL_TRAIT_IDS.index(trait)
            used[:, index] |= effects.seen[:, index].any()
    for index, class_id in enumerate(CLASSES):
        used[index] &= class_id in family.classes
    return used


@dataclass(frozen=True)
class ClassFit:
    """One class at one threshold: the rows used, the product of each option, and the fitted levels."""

    rows: tuple[SelectedRow, ...]
    products: tuple[str, ...]
    baselines: Baselines


def fit_class(
    workshop: Workshop, inputs: Inputs, rows: Sequence[SelectedRow], effects: Array
) -> ClassFit:
    """Levels of all products of one class at one threshold from its selected rows; ``effects`` (traits,)."""
    studies = inputs.studies
    products = tuple(sorted({product for row in rows for product in row.products}))
    latent = workshop.latent[:BASELINE_POINTS]
    patients, extra = [], []
    for row in rows:
        margins = workshop.margins_of(studies[row.study])
        patients.append(cohort(latent, margins) - workshop.reference)
        spread = np.array([0.0 if margin.reported else margin.uncertainty for margin in margins])
        extra.append(float(((effects * spread) ** 2).sum()))
    priors = inputs.assumptions.priors
    arms = Arms(
        events=np.array([row.events for row in rows], dtype=float),
        total=np.array([row.n for row in rows], dtype=float),
        share=np.array([row.infused_share or 1.0 for row in rows]),
        real_world=np.array([float(row.design == "real_world") for row in rows]),
        products=np.array([[(p in row.products) / len(row.products) for p in products] for row in rows]),
        patients=np.array(patients),
        extra_variance=np.array(extra),
        trials=tuple(studies[row.study].trial or row.study for row in rows),
        class_mix=_class_mix(inputs, rows, products),
    )
    prior = BaselinePrior(
        intercept_sd=priors.intercept_sd.value,
        real_world_sd=priors.real_world_sd.value,
        product_sd_scale=priors.product_sd_scale.value,
        study_sd_scale=priors.study_sd_scale.value,
        same_trial_correlation=priors.same_trial_correlation.value,
    )
    return ClassFit(tuple(rows), products, fit_baselines(arms, effects, prior))


def _class_mix(inputs: Inputs, rows: Sequence[SelectedRow], products: Sequence[str]) -> Array:
    """Equal weights of the offered products that have rows of their own: the class as a clinic meets it."""
    words = inputs.catalogue.vocabulary.ids.products
    offered = np.array([float(words[p].option and any(row.products == (p,) for row in rows)) for p in products])
    return offered / offered.sum() if offered.any() else offered


def weighted_median(values: Sequence[float], weights: Sequence[float]) -> float:
    """The value at which half of the weight is reached."""
    order = np.argsort(values)
    cumulative = np.cumsum(np.asarray(weights, dtype=float)[order])
    return float(np.asarray(values)[order][np.searchsorted(cumulative, 0.5 * cumulative[-1])])


def _option_entry(fitted: ClassFit, option: str, is_class: bool, inputs: Inputs) -> dict[str, Any]:
    """One option at one outcome as it stands in the document."""
    rows = [row for row in fitted.rows if is_class or row.products == (option,)]
    limits = inputs.assumptions.limits
    patients = sum(row.n for row in rows)
    if is_class and (len(rows) < limits.minimum_studies.value or patients < limits.minimum_patients.value):
        counted = f"{len(rows)} {'study' if len(rows) == 1 else 'studies'}, {patients} patients" if rows else "no study"
        return {"state": "too_thin", "reason": f"too few studies with a usable count: {counted}"}
    if not rows:
        return {"state": "no_evidence", "reason": "no usable count for this product"}
    base, count = fitted.baselines, len(fitted.products) + 1
    place = 0 if is_class else 1 + fitted.products.index(option)
    follow_up = [(row.follow_up_months, row.n) for row in rows if row.follow_up_months is not None]
    levels = {}
    for setting_index, setting in enumerate(SETTINGS):
        o = setting_index * count + place
        spread2 = base.node_tau**2 + (base.node_product_variance if is_class else 0.0)
        nodes = compress_nodes(base.node_weight, base.node_mean[:, o], base.node_variance[:, o], spread2, NODES)
        levels[setting] = {
            "mean": base.mean[o],
            "variance": base.covariance[o, o],
            "node_weight": nodes.weight,
            "node_mean": nodes.mean,
            "node_variance": nodes.variance,
            "node_spread2": nodes.spread2,
        }
    return {
        "state": "estimated",
        "n_studies": len({row.study for row in rows}),
        "n_patients": patients,
        "follow_up_months": weighted_median(*zip(*follow_up, strict=True)) if follow_up else None,
        "sources": sorted({f"{row.study}:{row.source}" for row in rows if row.source}),
        "slope": 0.5 * (base.slope[place] + base.slope[count + place]),
        "levels": levels,
        "tau": float(base.node_weight @ base.node_tau),
    }


def _study_lines(fitted: ClassFit, class_id: ClassId, studies: Mapping[str, Study]) -> list[dict[str, Any]]:
    return [
        {
            "study": row.study,
            "name": studies[row.study].name,
            "option": class_id,
            "design": row.design,
            "events": row.events,
            "n": row.n,
            "follow_up_months": row.follow_up_months,
            "weight_pct": 100.0 * float(weight),
            "basis": row.basis,
            "source": f"{row.study}:{row.source}",
        }
        for row, weight in zip(fitted.rows, fitted.baselines.weights, strict=True)
    ]


def model_rows(inputs: Inputs, outcome: str, include_unverified: bool) -> tuple[list[SelectedRow], list[str]]:
    """Rows of one outcome for the patient-level model, and what was left out with the reason.

    Beyond the selection's own rules, only single-target products count: the options compared are.
    """
    selection = select(inputs.catalogue, outcome, purpose="model", include_unverified=include_unverified)
    studies = inputs.studies
    rows, left = [], [f"{item.study}: {item.reason}" for item in selection.left_out]
    for row in selection.rows:
        if row.class_id not in FAMILY_OF[outcome].classes:
            left.append(f"{row.study}: not an outcome of this class")
        elif len(studies[row.study].targets) > 1:
            left.append(f"{row.study}: two targets ({', '.join(studies[row.study].targets)})")
        else:
            rows.append(row)
    return rows, sorted(left)


def fit(inputs: Inputs, *, include_unverified: bool = False, progress: Progress = lambda _: None) -> dict[str, Any]:
    """Fit everything and return the document of the pooled file.

    Parameters
    ----------
    inputs
        Catalogue, assumptions, correlations, pooled effects of other reviews, definitions.
    include_unverified
        Also use recalled figures; the document says so. For sensitivity only.
    progress
        Called with a line before each step; there are :func:`step_count` of them.

    Raises
    ------
    SynthesisError
        When a fit does not converge or a count is impossible.
    """
    progress("virtual cohorts")
    workshop = prepare(inputs)
    studies = inputs.studies
    options = _options(inputs)
    families: dict[str, Any] = {}
    effects_of: dict[str, Array] = {}
    contrasts_of: dict[str, FamilyContrasts] = {}
    priors = inputs.assumptions.priors
    for family in FAMILIES:
        progress(f"trait effects: {family.label}")
        found = family_contrasts(inputs, workshop, family, include_unverified=include_unverified)
        contrasts_of[family.id] = found
        effects = fit_trait_effects(
            found.contrasts,
            len(MODEL_TRAIT_IDS),
            len(CLASSES),
            workshop.correlation,
            TraitPrior(
                priors.trait_sd_scale.value, priors.class_difference_sd_scale.value, priors.contrast_sd_scale.value
            ),
        )
        used = used_effects(family, effects, inputs.assumptions)
        effects_of[family.id] = np.where(used, effects.mean, 0.0)
        families[family.id] = _effects_document(effects, used)
        test = proportional_odds_test(found.contrasts)
        families[family.id]["proportional_odds"] = (
            None if test is None else {"q": test.q, "df": test.df, "p": test.p}
        )

    outcomes: dict[str, Any] = {}
    behind: dict[str, Any] = {}
    for outcome in OUTCOMES:
        progress(f"baselines: {outcome}")
        family = FAMILY_OF[outcome]
        rows, left_out = model_rows(inputs, outcome, include_unverified)
        entries: dict[str, Any] = {}
        lines: list[dict[str, Any]] = []
        for index, class_id in enumerate(CLASSES):
            of_class = [row for row in rows if row.class_id == class_id]
            fitted = fit_class(workshop, inputs, of_class, effects_of[family.id][index]) if of_class else None
            if fitted:
                lines += _study_lines(fitted, class_id, studies)
            for option in (o for o in options if o["class_id"] == class_id):
                entries[option["id"]] = _entry(family, option, class_id, fitted, inputs)
            if entries[class_id]["state"] != "estimated":
                for option in (o for o in options if o["class_id"] == class_id and o["kind"] == "product"):
                    entries[option["id"]] = entries[class_id]
        outcomes[outcome] = entries
        behind[outcome] = {"studies": lines, "left_out": left_out}

    progress("writing")
    return _document(inputs, workshop, options, families, contrasts_of, outcomes, behind, include_unverified)


def step_count() -> int:
    """How often :func:`fit` reports progress."""
    return 2 + len(FAMILIES) + len(OUTCOMES)


def _entry(
    family: Family, option: Mapping[str, Any], class_id: ClassId, fitted: ClassFit | None, inputs: Inputs
) -> dict[str, Any]:
    if class_id not in family.classes:
        return {"state": "not_applicable", "reason": "does not occur with this class by its nature"}
    if fitted is None:
        return {"state": "too_thin", "reason": "no study with a usable count"}
    return _option_entry(fitted, option["id"], option["kind"] == "class", inputs)


def _options(inputs: Inputs) -> list[dict[str, Any]]:
    """Classes first, then the products that are options, as the evidence vocabulary lists them."""
    words = inputs.catalogue.vocabulary.ids
    classes = [
        {"id": class_id, "label": label, "long_label": long_label, "class_id": class_id, "kind": "class"}
        for class_id, (label, long_label) in CLASS_LABELS.items()
    ]
    products = [
        {"id": product_id, "label": product.label, "long_label": product.generic, "class_id": product.class_id,
         "kind": "product"}
        for product_id, product in words.products.items()
        if product.option
    ]
    return classes + products


def _age_range(inputs: Inputs, class_id: ClassId) -> list[float]:
    ranges = [
        figure.range
        for study in inputs.catalogue.studies
        if _eligible(study) and study.class_id == class_id
        for figure in [study.population.get("age_median")]
        if figure is not None and figure.basis != "recalled" and figure.range and None not in figure.range
    ]
    return [min(r[0] for r in ranges if r[0] is not None), max(r[1] for r in ranges if r[1] is not None)]


def _patients_with_trait(inputs: Inputs, workshop: Workshop, class_id: ClassId, trait: str) -> int:
    """Patients with the trait in eligible studies of the class, each overlapping set counted once (largest first)."""
    counts = []
    for study in inputs.catalogue.studies:
        margin = workshop.reported[study.id].get(trait)
        if _eligible(study) and study.class_id == class_id and margin is not None:
            counts.append((margin.location * margin.patients, study))
    taken: list[Study] = []
    total = 0.0
    for count, study in sorted(counts, key=lambda item: (-item[0], item[1].id)):
        if not any(other.id in study.overlaps_with for other in taken):
            taken.append(study)
            total += count
    return round(total)


def _sources(studies: Mapping[str, Study], keys: Iterable[str]) -> dict[str, Any]:
    result = {}
    for key in sorted(set(keys)):
        study, _, source = key.partition(":")
        if study in studies and source in studies[study].sources:
            found = studies[study].sources[source]
            result[key] = {"citation": found.citation, "pmid": found.pmid, "doi": found.doi, "url": found.url}
    return result


def _document(
    inputs: Inputs,
    workshop: Workshop,
    options: list[dict[str, Any]],
    families: dict[str, Any],
    contrasts: Mapping[str, FamilyContrasts],
    outcomes: dict[str, Any],
    behind: dict[str, Any],
    include_unverified: bool,
) -> dict[str, Any]:
    margins = [workshop.population[trait] for trait in MODEL_TRAIT_IDS]
    points = standard_normal_points(BEDSIDE_POINTS, len(MODEL_TRAIT_IDS) + 3)
    keys = [line["source"] for entry in behind.values() for line in entry["studies"]]
    keys += [contrast.source for found in contrasts.values() for contrast in found.contrasts]
    document: dict[str, Any] = {
        "schema_version": POOLED_SCHEMA_VERSION,
        "evidence": {
            "hash": inputs.catalogue.hash,
            "date": inputs.assumptions.evidence_date,
            "version": inputs.assumptions.version,
            "includes_unverified": include_unverified,
        },
        "options": options,
        "traits": {
            "ids": list(MODEL_TRAIT_IDS),
            "reference": workshop.reference,
            "age_range": [_age_range(inputs, class_id) for class_id in CLASSES],
            "patients_with_trait": [
                [_patients_with_trait(inputs, workshop, class_id, trait) for trait in MODEL_TRAIT_IDS]
                for class_id in CLASSES
            ],
        },
        "population": {
            "binary": [trait.kind == "binary" for trait in MODEL_TRAITS],
            "cut": [float(ndtri(1.0 - m.location)) if m.binary else 0.0 for m in margins],
            "location": [m.location for m in margins],
            "spread": [m.spread if not m.binary else 1.0 for m in margins],
            "correlation": workshop.correlation,
            "points": rounded(points[:, : len(MODEL_TRAIT_IDS)], 4),
            "noise": rounded(points[:, len(MODEL_TRAIT_IDS) :], 4),
        },
        "families": families,
        "outcomes": outcomes,
        "assumptions": inputs.assumptions.bedside(),
        "definitions": inputs.definitions,
        "provenance": {
            "outcomes": behind,
            "families": {
                family: {
                    "contrasts": [
                        {
                            "study": contrast.patients,
                            "class_id": CLASSES[contrast.class_index],
                            "trait": MODEL_TRAIT_IDS[contrast.trait_index],
                            "kind": contrast.kind,
                            "thresholds": list(contrast.thresholds),
                            "text": contrast.text,
                            "source": contrast.source,
                        }
                        for contrast in found.contrasts
                    ],
                    "left_out": list(found.left_out),
                }
                for family, found in contrasts.items()
            },
        },
        "sources": _sources(inputs.studies, keys),
        "not_known": _not_known(options, outcomes),
    }
    document = rounded(document)
    document["pooled_hash"] = content_hash(document)
    return document


def _not_known(options: Sequence[Mapping[str, Any]], outcomes: Mapping[str, Any]) -> list[str]:
    """What no input about the patient could settle, from the shape of the evidence itself."""
    lines = [
        "No randomised trial compares a BCMA CAR-T with a BCMA bispecific antibody: the two columns come from "
        "different studies with different patients."
    ]
    for option in options:
        silent = [o for o in OUTCOMES if outcomes[o][option["id"]]["state"] in ("no_evidence", "too_thin")]
        if option["kind"] == "product" and len(silent) == len(OUTCOMES):
            lines.append(f"{option['label']}: no usable count for any outcome.")
    return lines
