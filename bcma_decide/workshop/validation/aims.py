"""What the patient model aims at, beside what it reached: an aim is stated beforehand and is no test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bcma_decide.workshop.validation.predictors import LABELS, PATIENT_MODEL
from bcma_decide.workshop.validation.shapes import Aim, Difference, Group, Summary

LOG_SCORE: Final[Mapping[str, float]] = {"class_reml": 0.38, "product_reml": 0.35, "product_bayes": 0.24}
"""Log score gained a row over each baseline, at least."""
WINKLER: Final[Mapping[str, float]] = {"class_reml": 0.73, "product_bayes": 0.76}
"""Interval score over the baseline's, at most."""
COVERAGE: Final = ((0.95, 2, 0.93, 0.97), (0.80, 1, 0.76, 0.84))
"""Level, its place among the intervals, and the range of its coverage."""
SLOPE: Final = (0.9, 1.1)
BEHIND: Final = 0.005
"""Mean absolute error behind class pooling, at most."""
FEWEST_STUDIES: Final = 5
"""Of an outcome and class in which the model may not be behind."""


def aims(groups: Sequence[Group], differences: Sequence[Difference]) -> Iterator[Aim]:
    """Every aim, with what was reached."""
    model = _of(next(group for group in groups if group.by == "overall"), PATIENT_MODEL)
    found = {each.baseline: each for each in differences}
    for name, wanted in LOG_SCORE.items():
        reached = found[name].log_score
        low, high = found[name].log_score_interval
        yield Aim(
            text=f"log score better than {LABELS[name]} by {wanted:.2f} a row",
            reached=f"{reached:.3f} ({low:.3f} to {high:.3f})",
            met=reached >= wanted,
        )
    for name, wanted in WINKLER.items():
        reached = found[name].winkler_ratio
        low, high = found[name].winkler_ratio_interval
        yield Aim(
            text=f"Winkler score at most {wanted:.2f} of that of {LABELS[name]}",
            reached=f"{reached:.3f} ({low:.3f} to {high:.3f})",
            met=reached <= wanted,
        )
    for level, place, least, most in COVERAGE:
        yield Aim(
            text=f"{100 * least:.0f} to {100 * most:.0f} of 100 rows inside their {100 * level:.0f} % interval",
            reached=f"{100 * model.coverage[place]:.1f}",
            met=least <= model.coverage[place] <= most,
        )
    yield Aim(
        text=f"calibration slope {SLOPE[0]:g} to {SLOPE[1]:g}",
        reached="none" if model.slope is None else f"{model.slope:.2f}",
        met=model.slope is not None and SLOPE[0] <= model.slope <= SLOPE[1],
    )
    behind = list(_behind(groups))
    yield Aim(
        text=f"nowhere behind class pooling by more than half a point of error ({FEWEST_STUDIES} or more studies)",
        reached="; ".join(behind) or "nowhere",
        met=not behind,
    )


def _behind(groups: Sequence[Group]) -> Iterator[str]:
    for group in groups:
        if group.by == "outcome" and group.studies >= FEWEST_STUDIES:
            ours, theirs = _of(group, PATIENT_MODEL).mae, _of(group, "class_reml").mae
            if ours - theirs > BEHIND:
                yield f"{group.label} {100 * ours:.1f} against {100 * theirs:.1f}"


def _of(group: Group, predictor: str) -> Summary:
    return next(summary for summary in group.summaries if summary.predictor == predictor)
