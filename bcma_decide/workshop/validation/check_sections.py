"""The checks beside the held-out arm totals, each as a section of the page."""

from __future__ import annotations

from collections.abc import Sequence

from bcma_decide.vocabulary import CLASS_LABELS, THRESHOLDS, TRAIT_LABELS
from bcma_decide.workshop.plots.page import Section, Table
from bcma_decide.workshop.validation.score_tables import score_table
from bcma_decide.workshop.validation.shapes import OwnData, Temporal, Validation
from bcma_decide.workshop.validation.words import DESIGN_LABELS, YES_NO, change, decimal, interval, percent


def temporal_section(temporal: Temporal) -> Section:
    """Later studies, predicted from earlier ones."""
    said = (
        f"Fitted to the {temporal.earlier_studies} studies published by {temporal.date}, the search date of the source "
        f"meta-analysis; predicted: the rows of {temporal.later_studies} later ones. Left aside, as it is not known on "
        f"which side they lie: {', '.join(temporal.undated) or 'none'}."
    )
    if not temporal.summaries:
        return Section("Later studies", (said,))
    return Section("Later studies", (said,), (score_table("Scores on later studies", temporal.summaries),))


def own_data_section(checks: Sequence[OwnData]) -> Section:
    """Own rates of products beside the model, and the rows behind each that does not agree."""
    missed = [check for check in checks if not check.agrees]
    real = [check for check in missed if check.outside_interval]
    said = (
        "For every offered product and outcome with 150 patients of its own in one setting: its own random-effects "
        "rate, and what the model says of the same patients, both averaged over centres. They agree within 5 points "
        "and a factor of 1.5 in odds. Near definitions are counted in the product's own rate as they are printed.",
        f"{len(checks) - len(missed)} of {len(checks)} agree; of the others, {len(real)} also lie outside the "
        "product's own 95 % interval.",
    )
    titles = ("product and outcome", "setting", "patients", "own rate", "its 95 % interval", "model", "agree")
    table = Table(
        "Own data beside the model, percent",
        titles,
        tuple(
            (
                f"{check.label}, {THRESHOLDS[check.outcome].label}",
                DESIGN_LABELS[check.design],
                str(check.patients),
                percent(check.own),
                interval(check.own_interval, percent),
                percent(check.predicted),
                "yes" if check.agrees else "no, and outside" if check.outside_interval else "no",
            )
            for check in checks
        ),
        large=True,
    )
    rows = Table(
        "The rows behind each that does not agree, by how far they pull",
        ("product and outcome", "setting", "rows: counted, and predicted for their patients"),
        tuple(
            (
                f"{check.label}, {THRESHOLDS[check.outcome].label}",
                DESIGN_LABELS[check.design],
                "; ".join(f"{row.study} {row.events}/{row.n}, {percent(row.predicted)} %" for row in check.rows),
            )
            for check in missed
        ),
        words=True,
    )
    return Section("A product's own data", said, (table, rows) if missed else (table,))


def contrasts_section(validation: Validation) -> Section:
    """Published contrasts of traits, predicted from the others."""
    said = (
        "Every published contrast (a split, an adjusted effect, a reported absence of a difference) predicted from "
        "the others of its family without those of the same patients. A mean squared standardised error of 1 says that "
        "intervals of trait effects are as wide as they have to be; above 1 they are too narrow. A trait that does "
        "not act is predicted to make no difference, give or take what the fit of all traits leaves open.",
    )
    summary = Table(
        "Held-out contrasts",
        ("family", "contrasts", "mean squared standardised error", "log score"),
        tuple(
            (group.label, str(group.contrasts), f"{group.squared_error:.2f}", decimal(group.log_score))
            for group in validation.contrast_groups
        ),
    )
    single = Table(
        "Each contrast, log odds ratios from the loosest threshold on",
        ("study", "family", "class", "trait", "observed", "predicted", "squared standardised error"),
        tuple(
            (
                each.study,
                each.family.replace("_", " "),
                CLASS_LABELS[each.class_id][0],
                TRAIT_LABELS[each.trait],
                ", ".join(change(value, 1.0, 2) for value in each.observed),
                ", ".join(change(value, 1.0, 2) for value in each.predicted),
                f"{each.squared_error:.2f}",
            )
            for each in validation.contrasts
        ),
        large=True,
    )
    return Section("Trait effects", said, (summary, single))


def sensitivity_section(validation: Validation) -> Section:
    """How far headlines move under other assumptions."""
    said = (
        "The model fitted anew under one changed assumption, and how far the headlines of the shipped example "
        "patients move, in points of 100 patients.",
    )
    titles = (
        "assumption", "numbers", "mean move", "largest move", "largest at", "moves over 5 points", "no longer given",
    )  # fmt: skip
    rows = tuple(
        (
            f"{each.variant} ({each.note})" if each.note else each.variant,
            str(each.numbers),
            percent(each.mean_move),
            percent(each.largest_move),
            each.largest_at,
            str(each.over_five_points),
            str(each.lost),
        )
        for each in validation.sensitivity
    )
    return Section("Sensitivity", said, (Table("How far headlines move", titles, rows),))


def bands_section(validation: Validation) -> Section:
    """Published figures, and the number for such a patient."""
    inside = sum(band.inside for band in validation.bands)
    said = (
        "Published figures of a product's own patients, and the band in which the number for such a patient lies, set "
        "beforehand. Nothing is fitted to them.",
        f"{inside} of {len(validation.bands)} are inside.",
    )
    titles = ("question", "number", "band", "inside", "published", "reason where it lies outside")
    rows = tuple(
        (
            band.said,
            "no number" if band.value is None else f"{100 * band.value:.1f}",
            band.wanted,
            YES_NO[band.inside],
            band.published,
            band.reason or ("–" if band.inside else "none written down"),
        )
        for band in validation.bands
    )
    return Section("Published figures", said, (Table("Bands, of 100 patients", titles, rows, words=True),))
