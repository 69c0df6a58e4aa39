"""Scores of predicted points of curves, in groups, and what was aimed at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from bcma_decide.vocabulary import CLASS_LABELS
from bcma_decide.workshop.validation.held_out_curves import CLASS, CURVE_PREDICTORS, MODEL, PRODUCT
from bcma_decide.workshop.validation.shapes import Aim, CurveGroup, CurveSummary, ScoredPoint
from bcma_decide.workshop.validation.words import decimal, percent

ONE_YEAR: Final = 12.0
WITH_OTHERS: Final = "products with another study"
COMPARED: Final = "products compared, with another study"
LATER: Final = "later studies, from earlier ones"
ERROR, YEAR_ERROR, WIDTH, INSIDE = 0.056, 0.065, 0.33, 35 / 40


def summarise_curves(points: Sequence[ScoredPoint], predictor: str) -> CurveSummary:
    """Scores of one predictor over some points, at least one."""
    observed = np.array([point.observed for point in points])
    said = [point.predicted[predictor] for point in points]
    error = np.abs(np.array([each.mean for each in said]) - observed)
    low, high = np.array([each.interval for each in said]).T
    year = np.array([point.month == ONE_YEAR for point in points])
    return CurveSummary(
        predictor=predictor,
        points=len(points),
        error=float(error.mean()),
        year_points=int(year.sum()),
        year_error=float(error[year].mean()) if year.any() else None,
        inside=int(((low <= observed) & (observed <= high)).sum()),
        width=float((high - low).mean()),
        winkler=float(np.mean([each.winkler for each in said])),
    )


def curve_groups(
    points: Sequence[ScoredPoint], later: Sequence[ScoredPoint], labels: Mapping[str, str]
) -> Iterator[CurveGroup]:
    """All points, those of products with another study, by class, by product, and the later studies.

    ``labels``: what the products compared are called.
    """
    yield from _group("all points", points)
    yield from _group(WITH_OTHERS, [point for point in points if point.others])
    yield from _group(COMPARED, [point for point in points if point.others and point.product in labels])
    for class_id, (label, _) in CLASS_LABELS.items():
        yield from _group(label, [point for point in points if point.class_id == class_id])
    for product in dict.fromkeys(point.product for point in points if point.product and point.others):
        yield from _group(labels.get(product, product), [point for point in points if point.product == product])
    yield from _group(LATER, later)


def _group(label: str, points: Sequence[ScoredPoint]) -> Iterator[CurveGroup]:
    if points:
        studies = len({point.study for point in points})
        summaries = tuple(summarise_curves(points, name) for name in CURVE_PREDICTORS)
        yield CurveGroup(label=label, studies=studies, summaries=summaries)


def curve_aims(groups: Sequence[CurveGroup]) -> Iterator[Aim]:
    """What the curves aim at, for the products compared of which another study is known, and what was reached."""
    group = next((group for group in groups if group.label == COMPARED), None)
    if group is None:
        return
    found = {summary.predictor: summary for summary in group.summaries}
    model = found[MODEL]
    yield Aim(
        text=f"curves: error at printed times at most {percent(ERROR)} points",
        reached=percent(model.error),
        met=model.error <= ERROR,
    )
    for name in (PRODUCT, CLASS):
        yield Aim(
            text=f"curves: error below that of the {CURVE_PREDICTORS[name]}",
            reached=f"{percent(model.error)} against {percent(found[name].error)}",
            met=model.error < found[name].error,
        )
    yield Aim(
        text=f"curves: error at 12 months at most {percent(YEAR_ERROR)} points",
        reached="none" if model.year_error is None else percent(model.year_error),
        met=model.year_error is not None and model.year_error <= YEAR_ERROR,
    )
    yield Aim(
        text=f"curves: {100 * INSIDE:.0f} of 100 points inside intervals narrower than {percent(WIDTH)} points",
        reached=f"{model.inside} of {model.points}, {percent(model.width)} points wide",
        met=model.inside >= INSIDE * model.points and model.width < WIDTH,
    )
    yield Aim(
        text=f"curves: interval score below that of the {CURVE_PREDICTORS[PRODUCT]}",
        reached=f"{decimal(model.winkler)} against {decimal(found[PRODUCT].winkler)}",
        met=model.winkler < found[PRODUCT].winkler,
    )
