"""Scores of the predictors side by side, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bcma_decide.workshop.plots.page import Table
from bcma_decide.workshop.validation.predictors import LABELS
from bcma_decide.workshop.validation.shapes import Summary
from bcma_decide.workshop.validation.words import change, coverage, decimal, percent, slope

_SCORES: Final = (
    "predictor", "rows", "mean error", "bias", "slope", "coverage of 50 / 80 / 95 %", "width of 95 %", "Winkler",
    "CRPS", "log score",
)  # fmt: skip


def score_table(caption: str, summaries: Sequence[Summary]) -> Table:
    """One line a predictor."""
    return Table(caption, _SCORES, tuple((LABELS[each.predictor], *_scores(each)) for each in summaries))


def _scores(summary: Summary) -> tuple[str, ...]:
    return (
        str(summary.rows),
        percent(summary.mae),
        change(summary.bias),
        slope(summary.slope),
        coverage(summary.coverage),
        percent(summary.width),
        decimal(summary.winkler),
        decimal(summary.crps),
        decimal(summary.log_score),
    )
