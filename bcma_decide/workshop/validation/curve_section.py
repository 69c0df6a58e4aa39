"""Curves of progression-free survival left out, as a section of the page."""

from __future__ import annotations

from bcma_decide.workshop.plots.page import Section, Table
from bcma_decide.workshop.validation.held_out_curves import CLASS, CURVE_PREDICTORS, MODEL, PRODUCT
from bcma_decide.workshop.validation.shapes import CurveSummary, Validation
from bcma_decide.workshop.validation.words import DESIGN_LABELS, decimal, interval, percent


def curve_section(validation: Validation) -> Section:
    """Scores by group, then every point with what was predicted of it."""
    said = (
        "Every published curve of progression-free survival is predicted without its study and all that shares "
        "patients or a trial with it, at the times that were printed, for its own patients at a new centre; sampling "
        "of the study is part of the interval. Beside it: the mean of the product's other studies and that of the "
        "class, carried to the time by the usual slope, with a t interval.",
    )
    scores = Table(
        "Scores of the points, percent",
        ("points", "predictor", "number", "error", "error at 12 months (points)", "inside 95 %", "width", "Winkler"),
        tuple(
            (group.label, CURVE_PREDICTORS[summary.predictor], *_scores(summary))
            for group in validation.curve_groups
            for summary in group.summaries
        ),
        large=True,
    )
    points = Table(
        "Every point: share free of progression, percent",
        ("study", "setting", "month", "printed", "model", "its 95 % interval", "product", "class"),
        tuple(
            (
                point.name,
                DESIGN_LABELS[point.design],
                f"{point.month:g}",
                percent(point.observed),
                percent(point.predicted[MODEL].mean),
                interval(point.predicted[MODEL].interval, percent),
                percent(point.predicted[PRODUCT].mean) if point.others else "-",
                percent(point.predicted[CLASS].mean),
            )
            for point in validation.curves
        ),
        large=True,
    )
    return Section("Progression-free survival", said, (scores, points))


def _scores(summary: CurveSummary) -> tuple[str, ...]:
    year = "-" if summary.year_error is None else f"{percent(summary.year_error)} ({summary.year_points})"
    return (
        str(summary.points),
        percent(summary.error),
        year,
        f"{summary.inside} of {summary.points}",
        percent(summary.width),
        decimal(summary.winkler),
    )
