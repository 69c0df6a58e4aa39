"""The page of a validation: what was measured, beside what was aimed at, in tables and calibration plots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from bcma_decide.vocabulary import CLASS_LABELS, FAMILIES, FAMILY_OF, INTENDED_USE, THRESHOLDS
from bcma_decide.workshop.plots.calibration import CalibrationPoint, calibration
from bcma_decide.workshop.plots.page import Drawing, ReportPage, Section, Table, render_page
from bcma_decide.workshop.validation.check_sections import (
    bands_section,
    contrasts_section,
    own_data_section,
    sensitivity_section,
    temporal_section,
)
from bcma_decide.workshop.validation.curve_section import curve_section
from bcma_decide.workshop.validation.history import History
from bcma_decide.workshop.validation.history_tables import history_section
from bcma_decide.workshop.validation.predictors import LABELS, PATIENT_MODEL
from bcma_decide.workshop.validation.score_tables import score_table
from bcma_decide.workshop.validation.scores import calibration_line
from bcma_decide.workshop.validation.shapes import Group, Grouping, ScoredRow, Summary, Validation
from bcma_decide.workshop.validation.words import (
    DESIGN_LABELS,
    YES_NO,
    change,
    coverage,
    decimal,
    interval,
    percent,
    slope,
)

TITLE: Final = "How good the numbers are"


def validation_page(validation: Validation, history: History) -> str:
    """Write the page; the same validation and history give the same bytes."""
    stamp = validation.stamp
    lead = (
        INTENDED_USE,
        f"Evidence of {stamp.evidence_date}, version {stamp.evidence_version}; bcma-decide {stamp.software_version}; "
        f"hash of the evidence files {stamp.evidence_hash}; checksum of the pooled file {stamp.pooled_hash}.",
        "Every arm total is predicted from the other studies: without its own, and without those that share patients "
        "or a trial with it. What is predicted is a study's rate, not a patient's result.",
    )
    foot = ("Written by: bcma-decide evidence validate. How to read it: bcma-decide guide validation.",)
    sections = (*_sections(validation), history_section(history), _rows(validation))
    return render_page(ReportPage(TITLE, sections, lead, foot, contents=True))


def _sections(validation: Validation) -> Iterator[Section]:
    yield _overall(validation)
    yield _calibration(validation)
    yield _by(
        validation,
        "outcome",
        "By outcome and class",
        "The patient model beside class pooling, and the wideness of its intervals.",
    )
    yield _by(validation, "design", "By design", "Arms of trials and of practice apart.")
    if _of(validation, "certainty"):
        yield _certainty(validation)
    if validation.temporal is not None:
        yield temporal_section(validation.temporal)
    if validation.own_data:
        yield own_data_section(validation.own_data)
    if validation.contrasts:
        yield contrasts_section(validation)
    if validation.curves:
        yield curve_section(validation)
    if validation.sensitivity:
        yield sensitivity_section(validation)
    if validation.bands:
        yield bands_section(validation)


def _overall(validation: Validation) -> Section:
    return Section(
        "All arm totals",
        (
            "Mean error and bias are in points, of the predicted share; the slope is that of the observed counts on "
            "the predicted log odds (1 is right, below 1 predictions are too extreme). Winkler is the score of the "
            "95 % interval, which adds to its width what is missed; Winkler, CRPS and log score are lower where "
            "the prediction is better.",
        ),
        (
            score_table("Scores of the patient model and of three simpler predictors", _overall_group(validation)),
            Table(
                "The patient model against each: difference with its 95 % interval over resampled groups of studies",
                ("against", "log score better by", "95 % interval", "Winkler ratio", "95 % interval"),
                tuple(
                    (
                        LABELS[each.baseline],
                        decimal(each.log_score),
                        interval(each.log_score_interval),
                        decimal(each.winkler_ratio),
                        interval(each.winkler_ratio_interval),
                    )
                    for each in validation.differences
                ),
            ),
            Table(
                "Aims, stated beforehand, and what was reached",
                ("aim", "met", "reached"),
                tuple((aim.text, YES_NO[aim.met], aim.reached) for aim in validation.aims),
                words=True,
            ),
        ),
    )


def _overall_group(validation: Validation) -> Sequence[Summary]:
    return _of(validation, "overall")[0].summaries


def _of(validation: Validation, by: Grouping) -> list[Group]:
    return [group for group in validation.groups if group.by == by]


def _by(validation: Validation, by: Grouping, title: str, said: str) -> Section:
    titles = (
        by, "rows", "studies", "mean error", "class, REML", "product, REML", "product, Bayes", "bias", "slope",
        "coverage of 50 / 80 / 95 %", "width of 95 %", "class, REML width", "log score", "class, REML log score",
    )  # fmt: skip
    rows = []
    for group in _of(validation, by):
        summary = {each.predictor: each for each in group.summaries}
        ours, pooled = summary[PATIENT_MODEL], summary["class_reml"]
        rows.append(
            (
                group.label,
                str(ours.rows),
                str(group.studies),
                percent(ours.mae),
                *(percent(summary[name].mae) for name in LABELS if name != PATIENT_MODEL),
                change(ours.bias),
                slope(ours.slope),
                coverage(ours.coverage),
                percent(ours.width),
                percent(pooled.width),
                decimal(ours.log_score),
                decimal(pooled.log_score),
            )
        )
    return Section(title, (said,), (Table(f"Scores by {by}", titles, tuple(rows), large=True),))


def _certainty(validation: Validation) -> Section:
    rows = tuple(
        (
            group.label,
            str(group.summaries[0].rows),
            str(group.studies),
            percent(group.median_error or 0.0),
            percent(group.summaries[0].mae),
            percent(group.summaries[0].width),
        )
        for group in _of(validation, "certainty")
    )
    said = (
        "Arms of one offered product, by the rating that the comparison gives the number for a patient of whom "
        "nothing is known. A rating that means something has a smaller error the higher it is."
    )
    titles = ("certainty", "rows", "studies", "median error", "mean error", "width of 95 %")
    return Section("By certainty", (said,), (Table("Error of the patient model by certainty", titles, rows),))


def _calibration(validation: Validation) -> Section:
    drawings = [_drawing(validation.rows, name, f"All arm totals: {label}") for name, label in LABELS.items()]
    for family in FAMILIES:
        members = [row for row in validation.rows if FAMILY_OF[row.outcome].id == family.id]
        if members:
            drawings.append(_drawing(members, PATIENT_MODEL, f"{family.label}: {LABELS[PATIENT_MODEL]}"))
    said = "Circles are arms, their area the patients. Dashed: perfect agreement. Solid: binomial regression."
    return Section("Calibration", (said,), drawings=tuple(drawings))


def _drawing(rows: Sequence[ScoredRow], predictor: str, title: str) -> Drawing:
    points = [
        CalibrationPoint(_row_name(row), row.predicted[predictor].mean, row.events / row.n, row.n) for row in rows
    ]
    predicted, events, total = (
        np.array(values, dtype=float)
        for values in (
            [point.predicted for point in points],
            [row.events for row in rows],
            [row.n for row in rows],
        )
    )
    line = calibration_line(predicted, events, total)
    ends = None if line is None else (line.intercept, line.slope)
    slope = "no finite slope" if line is None else f"slope {line.slope:.2f}"
    return Drawing(calibration(points, ends, title=title), f"{title}, {len(rows)} arms, {slope}")


def _row_name(row: ScoredRow) -> str:
    arm = f", {row.arm.replace('_', ' ')}" if row.arm else ""
    return f"{row.study}{arm}, {THRESHOLDS[row.outcome].label}"


def _rows(validation: Validation) -> Section:
    titles = (
        "study", "outcome", "class", "setting", "observed", "patient model", "its 95 % interval", "class, REML",
        "product, REML", "product, Bayes", "log score", "class, REML log score",
    )  # fmt: skip
    rows = tuple(
        (
            f"{row.study}, {row.arm.replace('_', ' ')}" if row.arm else row.study,
            THRESHOLDS[row.outcome].label,
            CLASS_LABELS[row.class_id][0],
            DESIGN_LABELS[row.design],
            f"{row.events}/{row.n} ({percent(row.events / row.n)})",
            percent(row.predicted[PATIENT_MODEL].mean),
            interval(row.predicted[PATIENT_MODEL].intervals[-1], percent),
            *(percent(row.predicted[name].mean) for name in LABELS if name != PATIENT_MODEL),
            decimal(row.predicted[PATIENT_MODEL].log_score),
            decimal(row.predicted["class_reml"].log_score),
        )
        for row in validation.rows
    )
    said = "Every arm total with what was said of it without its study, in percent."
    return Section("Every row", (said,), (Table("Arm totals", titles, rows, large=True),))
