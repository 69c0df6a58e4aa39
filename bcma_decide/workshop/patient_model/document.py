"""The pooled file: the result of the fit as one plain document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri

from bcma_decide.pooled.seal import POOLED_SCHEMA_VERSION, sealed
from bcma_decide.vocabulary import CLASS_LABELS, CLASSES, MODEL_TRAIT_IDS, MODEL_TRAITS, OUTCOMES, ClassId
from bcma_decide.workshop.evidence.schema import Study
from bcma_decide.workshop.patient_model.contrasts import FamilyContrasts
from bcma_decide.workshop.patient_model.depth import DepthEffects
from bcma_decide.workshop.patient_model.effect_contrast import proportional_odds_test
from bcma_decide.workshop.patient_model.family_fit import FamilyEffects
from bcma_decide.workshop.patient_model.preparation import Inputs, Workshop, eligible
from bcma_decide.workshop.patient_model.virtual_cohort import standard_normal_points

BEDSIDE_POINTS = 512
"""Virtual patients at the bedside: a power of two, as a Sobol sequence is balanced only there."""
POINT_DIGITS = 4
"""Significant digits of the points, a seventh of the file: the ends of intervals move by less than 0.1 of a point."""


def rounded(value: object, digits: int = 6) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Floats (also inside lists, tuples, mappings, arrays) to ``digits`` significant digits."""
    if isinstance(value, np.ndarray):
        return rounded(value.tolist(), digits)
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.{digits}g}") + 0.0  # -0.0 and 0.0 must not be two ways to write one file
    if isinstance(value, Mapping):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item, digits) for item in value]
    return value


def effects_block(effects: FamilyEffects) -> dict[str, Any]:
    """One family's trait effects: those in use, with their covariance and the fitted standard deviations."""
    T = len(MODEL_TRAIT_IDS)
    position = np.flatnonzero(effects.acting.reshape(-1))
    spreads = effects.posterior
    return {
        "effects": [
            {
                "class_id": CLASSES[p // T],
                "trait": MODEL_TRAIT_IDS[p % T],
                "mean": effects.mean.reshape(-1)[p],
                "borrowed": not bool(effects.every.seen.reshape(-1)[p]),
            }
            for p in position
        ],
        "covariance": effects.covariance[np.ix_(position, position)].reshape(-1),
        "standard_deviations": {
            "s_b": dict(zip(MODEL_TRAIT_IDS, spreads.trait_sd, strict=True)),
            "s_d": spreads.class_difference_sd,
            "tau_b": spreads.contrast_sd,
        },
    }


def depth_block(effects: FamilyEffects, depth: DepthEffects) -> dict[str, Any]:
    """How the effects on response depth follow those on response, in the same order as :func:`effects_block`."""
    position = np.flatnonzero(effects.acting.reshape(-1))
    return {
        "share": depth.share,
        "deviation": depth.deviation.reshape(-1)[position],
        "covariance": depth.covariance[np.ix_(position, position)].reshape(-1),
    }


def options_of(inputs: Inputs) -> list[dict[str, Any]]:
    """Classes first, then the products that are options, as the evidence vocabulary lists them."""
    words = inputs.catalogue.vocabulary.ids
    classes = [
        {"id": class_id, "label": label, "long_label": long_label, "class_id": class_id, "kind": "class"}
        for class_id, (label, long_label) in CLASS_LABELS.items()
    ]
    products = [
        {
            "id": product_id,
            "label": product.label,
            "long_label": product.generic,
            "class_id": product.class_id,
            "kind": "product",
        }
        for product_id, product in words.products.items()
        if product.option
    ]
    return classes + products


def _age_range(inputs: Inputs, class_id: ClassId) -> list[float]:
    ranges = [
        figure.range
        for study in inputs.catalogue.studies
        if eligible(study) and study.class_id == class_id
        for figure in [study.population.get("age_median")]
        if figure is not None and figure.basis != "recalled" and figure.range and None not in figure.range
    ]
    return [min(r[0] for r in ranges if r[0] is not None), max(r[1] for r in ranges if r[1] is not None)]


def _patients_with_trait(inputs: Inputs, workshop: Workshop, class_id: ClassId, trait: str) -> int | None:
    """Patients with the trait in eligible studies of the class, each overlapping set counted once (largest first).

    None where no study of the class reports the trait: nothing can be said about who was studied then.
    """
    counts = []
    for study in inputs.catalogue.studies:
        margin = workshop.reported[study.id].get(trait)
        if eligible(study) and study.class_id == class_id and margin is not None:
            counts.append((margin.location * margin.patients, study))
    if not counts:
        return None
    # Largest first: of two reports on overlapping patients the larger stands for both, whatever their order in the
    # file.
    taken: list[Study] = []
    total = 0.0
    for count, study in sorted(counts, key=lambda item: (-item[0], item[1].id)):
        if not any(other.id in study.overlaps_with for other in taken):
            taken.append(study)
            total += count
    return round(total)


def _same_effect_test(family: FamilyContrasts) -> dict[str, float] | None:
    """Whether traits act alike on all thresholds of a family, None where no contrast can tell."""
    test = proportional_odds_test(family.contrasts)
    return None if test is None else {"q": test.q, "df": test.df, "p": test.p}


def _sources(studies: Mapping[str, Study], keys: Iterable[str]) -> dict[str, Any]:
    result = {}
    for key in sorted(set(keys)):
        study, _, source = key.partition(":")
        if study in studies and source in studies[study].sources:
            cited = studies[study].sources[source]
            result[key] = {"citation": cited.citation, "pmid": cited.pmid, "doi": cited.doi, "url": cited.url}
    return result


def _not_known(
    inputs: Inputs, options: Sequence[Mapping[str, Any]], outcomes: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """What no input about the patient could settle: the stated limits, and products without any count."""
    lines = [limit.text for limit in inputs.assumptions.not_known]
    for option in options:
        silent = [
            o
            for o in OUTCOMES
            if outcomes[o][option["id"]]["state"] == "too_thin" or outcomes[o][option["id"]].get("further_product")
        ]
        if option["kind"] == "product" and silent:
            count = "any outcome" if len(silent) == len(OUTCOMES) else f"{len(silent)} of {len(OUTCOMES)} outcomes"
            lines.append(f"{option['label']}: no number of its own for {count}.")
    return lines


def make_document(
    inputs: Inputs,
    workshop: Workshop,
    options: list[dict[str, Any]],
    families: dict[str, Any],
    contrasts: Mapping[str, FamilyContrasts],
    outcomes: dict[str, Any],
    levels: dict[str, Any],
    behind: dict[str, Any],
    survival: dict[str, Any],
    include_unverified: bool,
) -> dict[str, Any]:
    """Everything the bedside reads, rounded."""
    margins = [workshop.population[trait] for trait in MODEL_TRAIT_IDS]
    points = standard_normal_points(BEDSIDE_POINTS, len(MODEL_TRAIT_IDS))
    keys = [line["source"] for entry in behind.values() for line in entry["studies"]]
    keys += [contrast.source for family in contrasts.values() for contrast in family.contrasts]
    keys += [source for line in survival["studies"] for source in line["source"].split(", ")]
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
                [
                    _patients_with_trait(inputs, workshop, class_id, trait.id) if trait.kind == "binary" else None
                    for trait in MODEL_TRAITS
                ]
                for class_id in CLASSES
            ],
        },
        "population": {
            "binary": [trait.kind == "binary" for trait in MODEL_TRAITS],
            "cut": [float(ndtri(1.0 - m.location)) if m.binary else 0.0 for m in margins],
            "location": [m.location for m in margins],
            "spread": [m.spread if not m.binary else 1.0 for m in margins],
            "correlation": workshop.correlation,
            "points": rounded(points, POINT_DIGITS),
        },
        "families": families,
        "outcomes": outcomes,
        "levels": levels,
        "survival": survival,
        "assumptions": inputs.assumptions.bedside(),
        "definitions": inputs.definitions,
        "rules": inputs.rules,
        "published": inputs.published,
        "way": inputs.way,
        "order": inputs.order,
        "codes": inputs.codes,
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
                        for contrast in of_family.contrasts
                    ],
                    "left_out": list(of_family.left_out),
                    "proportional_odds": _same_effect_test(of_family),
                }
                for family, of_family in contrasts.items()
            },
        },
        "sources": _sources(inputs.studies, keys),
        "not_known": _not_known(inputs, options, outcomes),
    }
    return dict(rounded(document))


_BY_LINE = (
    "definitions",
    "rules",
    "published",
    "way",
    "order",
    "codes",
    "families",
    "outcomes",
    "levels",
    "survival",
    "provenance",
    "sources",
)


def document_text(document: Mapping[str, Any]) -> str:
    """The pooled file as text with its checksum: compact, one outcome or family per line."""
    lines = [f"{json.dumps(key)}:{_compact(value)}" for key, value in document.items() if key not in _BY_LINE]
    for key in _BY_LINE:
        inner = ",\n ".join(f"{json.dumps(name)}:{_compact(value)}" for name, value in document[key].items())
        lines.append(f"{json.dumps(key)}:{{\n {inner}}}")
    return sealed(",\n".join(lines) + "}\n")


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
