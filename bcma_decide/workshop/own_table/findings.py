"""A row of a summary of findings (GRADE): studies, patients, relative and absolute effect, certainty with reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.own_table.analysis import Analysis
from bcma_decide.workshop.own_table.certainty import CertaintyRating, Design, Limits, rated
from bcma_decide.workshop.own_table.layout import ForestLayout
from bcma_decide.workshop.plots.axis import printed
from bcma_decide.workshop.plots.numbers import NOTHING, number_text
from bcma_decide.workshop.plots.page import Table
from bcma_decide.workshop.plots.values import interval_text

__all__ = ["Findings", "findings_document", "findings_lines", "findings_of", "findings_tables"]

PER: Final = 1000
"""Patients that absolute effects are told of, as in GRADE's tables."""


@dataclass(frozen=True)
class AbsoluteEffect:
    """A risk (``comparator`` is ``None``) or a difference from a comparator's risk, fractions, with its interval.

    ``per`` is what it is a fraction of: patients, or for rates units of time.
    """

    estimate: float
    ci: Interval
    comparator: float | None = None
    per: Literal["patients", "units of time"] = "patients"


@dataclass(frozen=True)
class Findings:
    """One outcome; ``relative`` is as printed, ``None`` where there is no comparison."""

    outcome: str
    studies: int
    patients: int | None
    relative: str | None
    absolute: AbsoluteEffect | None
    certainty: CertaintyRating
    limits: tuple[tuple[str, float, str, str], ...]


def findings_of(
    analysis: Analysis, layout: ForestLayout, outcome: str, limits: Limits, design: Design | None
) -> Findings:
    """The row of an analysis' pooled result.

    The absolute effect of a ratio is at the median risk of the second groups (Cochrane Handbook, section 14.1.5.2).
    """
    studies, result, scale = analysis.studies, analysis.result, analysis.studies.scale
    low, high = scale.back_interval(result.ci) or result.ci
    estimate = float(scale.back(result.estimate))
    relative = None
    if not scale.proportion and scale.measure != "rate":
        relative = f"{scale.name} {printed(scale.kind, estimate)} ({interval_text(scale.kind, low, high)})"
    certainty = rated(analysis, layout, limits, design)
    patients = None if studies.sizes is None else int(studies.sizes.sum())
    absolute = _absolute(analysis, estimate, (low, high))
    return Findings(outcome, result.k, patients, relative, absolute, certainty, tuple(limits.rows(certainty.limits)))


def _absolute(analysis: Analysis, estimate: float, ci: Interval) -> AbsoluteEffect | None:
    studies = analysis.studies
    if studies.scale.proportion:
        return AbsoluteEffect(estimate, ci)
    if studies.scale.measure == "rate":
        return AbsoluteEffect(estimate, ci, per="units of time")
    if studies.groups is None:
        return None
    comparator = float(np.median(studies.groups.events2 / studies.groups.total2))
    ways: dict[str, Callable[[float], float]] = {
        "RR": lambda ratio: min(1.0, comparator * ratio) - comparator,
        "OR": lambda ratio: comparator * ratio / (1 - comparator + comparator * ratio) - comparator,
        "RD": lambda difference: difference,
    }
    if studies.scale.measure not in ways:
        return None
    way = ways[studies.scale.measure]
    return AbsoluteEffect(way(estimate), (way(ci[0]), way(ci[1])), comparator)


def findings_tables(findings: Findings) -> tuple[Table, Table]:
    """The row, and the limits behind its certainty."""
    row = (
        findings.outcome,
        str(findings.studies),
        NOTHING if findings.patients is None else str(findings.patients),
        findings.relative or "no comparison",
        _absolute_text(findings.absolute),
        findings.certainty.level,
    )
    per = f"{PER} units of time" if findings.absolute and findings.absolute.per == "units of time" else str(PER)
    titles = ("Outcome", "studies", "patients", "relative effect", f"absolute effect, per {per}", "certainty")
    limits = tuple(
        (name.replace("_", " "), number_text(value), reason, source or "the project's own convention")
        for name, value, reason, source in findings.limits
    )
    return (
        Table("Summary of findings", titles, (row,), words=True),
        Table("Limits behind the certainty", ("Limit", "value", "what it does", "source"), limits, words=True),
    )


def _absolute_text(effect: AbsoluteEffect | None) -> str:
    if effect is None:
        return NOTHING
    if effect.comparator is None:
        return f"{PER * effect.estimate:.0f} ({PER * effect.ci[0]:.0f} to {PER * effect.ci[1]:.0f})"
    low, high = effect.ci
    said = f"{_more(effect.estimate)} ({_more(low)} to {_more(high)})"
    return f"{said}, where it is {PER * effect.comparator:.0f} with the comparator"


def _more(difference: float) -> str:
    count = round(PER * abs(difference))
    return f"{count} {'fewer' if difference < 0 else 'more'}" if count else "0"


def findings_lines(findings: Findings) -> tuple[str, ...]:
    """How the certainty came about, what was not judged, and what the rating is."""
    rating = findings.certainty
    return (
        f"Certainty {rating.level}: {'; '.join(rating.reasons)}.",
        f"Not judged here: {'; '.join(rating.open)}.",
        "The certainty follows stated rules after GRADE as far as they can be read from a table; it is raised for "
        "nothing but a large effect. What is not judged is the reviewer's, and so is the final rating.",
    )


def findings_document(findings: Findings) -> dict[str, Any]:
    """The same as plain data; fractions."""
    effect, rating = findings.absolute, findings.certainty
    return {
        "outcome": findings.outcome,
        "studies": findings.studies,
        "patients": findings.patients,
        "relative_effect": findings.relative,
        "absolute_effect": None
        if effect is None
        else {"estimate": effect.estimate, "ci": effect.ci, "comparator_risk": effect.comparator, "per": effect.per},
        "certainty": rating.level,
        "reasons": list(rating.reasons),
        "not_judged": list(rating.open),
        "limits": [
            {"limit": name, "value": value, "reason": reason, "source": source}
            for name, value, reason, source in findings.limits
        ],
    }
