"""Figures that were recalled, not verified: each with its file and field, and what pooling them too would change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from bcma_decide.errors import NoEvidenceError
from bcma_decide.pooled.location import STUDIES
from bcma_decide.workshop.evidence.catalogue import (
    ADJUSTED_EFFECTS,
    OTHER_META_ANALYSES,
    SOURCE_META_ANALYSIS,
    Catalogue,
)
from bcma_decide.workshop.evidence.figures import figures
from bcma_decide.workshop.evidence.reviews import PooledRow, ReviewEffect
from bcma_decide.workshop.evidence.schema import (
    AdjustedEffect,
    ComparatorArm,
    Figure,
    Kinetic,
    OutcomeRow,
    PopulationFigure,
    Source,
    Split,
    TimeToEvent,
)
from bcma_decide.workshop.evidence.views import (
    comparator_text,
    count_text,
    effect_text,
    interval_text,
    population_text,
    survival_text,
    timing_text,
)
from bcma_decide.workshop.evidence_report.accounts import Accounts
from bcma_decide.workshop.evidence_report.published import PooledGroup, pool_outcome
from bcma_decide.workshop.evidence_report.words import outcome_label, points, pooled_text
from bcma_decide.workshop.plots.page import Section, Table

__all__ = ["recalled_figures", "recalled_section"]

_PARTS: Final = ("basis", "events_basis", "n_basis")


def recalled_section(catalogue: Catalogue, accounts: Accounts, progress: Callable[[str], None]) -> Section:
    """What including them changes, then the list of them all."""
    listed = tuple(recalled_figures(catalogue))
    said = (
        f"{len(listed)} figures on file are known from background only: the figure, its count or its denominator was "
        "not seen in a source. They are carried so that they can be looked up, and pooled nowhere. The first table "
        "shows what pooling them too would do (bcma-decide evidence pool --include-unverified).",
    )
    progress("recalled figures")
    changes = tuple(_changes(catalogue, accounts))
    return Section(
        "Recalled figures, left out",
        said,
        (
            Table(
                "Pooled rates without and with recalled figures (REML), percent",
                ("Outcome", "class", "studies", "without (95 % interval)", "studies", "with (95 % interval)", "points"),
                changes,
            ),
            Table(
                "Every recalled figure",
                ("File", "Field", "What", "Figure", "Source", "Note"),
                listed,
                words=True,
                large=True,
            ),
        ),
    )


def _changes(catalogue: Catalogue, accounts: Accounts) -> Iterator[tuple[str, ...]]:
    """Outcomes and classes where recalled figures would be pooled."""
    for outcome in accounts.selections:
        before, after = (_groups(catalogue, outcome, unverified=unverified) for unverified in (False, True))
        for name, group in after.items():
            without = before.get(name)
            if without is not None and without.rows == group.rows:
                continue
            yield (
                outcome_label(catalogue, outcome),
                name,
                str(without.k) if without else "0",
                pooled_text(without) if without else "no study",
                str(group.k),
                pooled_text(group),
                points(group.estimate - without.estimate) if without else "new",
            )


def _groups(catalogue: Catalogue, outcome: str, *, unverified: bool) -> dict[str, PooledGroup]:
    try:
        pooling = pool_outcome(catalogue, outcome, include_unverified=unverified, method="REML")
    except NoEvidenceError:
        return {}
    return {group.group: group for group in pooling.groups}


def recalled_figures(catalogue: Catalogue) -> Iterator[tuple[str, str, str, str, str, str]]:
    """File, field, what it is about, the figure, its source and note, of every recalled figure of every file."""
    for study in catalogue.studies:
        for field, figure in figures(study):
            if _is_recalled(figure):
                yield _line(f"{STUDIES}/{study.id}.yaml", field, figure, study.sources, catalogue)
    for name, field, figure, sources in _review_figures(catalogue):
        if _is_recalled(figure):
            yield _line(name, field, figure, sources, catalogue)


def _is_recalled(figure: Figure) -> bool:
    return "recalled" in (getattr(figure, part, None) for part in _PARTS)


def _review_figures(catalogue: Catalogue) -> Iterator[tuple[str, str, Figure, dict[str, Source]]]:
    effects, others, source = catalogue.adjusted_effects, catalogue.other_meta_analyses, catalogue.source_meta_analysis
    for effect in effects.effects:
        yield ADJUSTED_EFFECTS, effect.id, effect, effects.sources
    for analysis in others.meta_analyses:
        for place, row in enumerate(analysis.estimates):
            yield OTHER_META_ANALYSES, f"{analysis.id}.estimates[{place}]", row, others.sources
    for comparison in others.comparisons:
        yield OTHER_META_ANALYSES, comparison.id, comparison, others.sources
    for name, rows in (("facts", source.facts), ("pooled", source.pooled), ("meta_regression", source.meta_regression)):
        for place, figure in enumerate(rows):
            yield SOURCE_META_ANALYSIS, f"{name}[{place}]", figure, source.sources


def _line(
    file: str, field: str, figure: Figure, sources: dict[str, Source], catalogue: Catalogue
) -> tuple[str, str, str, str, str, str]:
    source = sources.get(figure.source or "")
    citation = source.citation if source else "none"
    return file, field, _what(figure, field, catalogue), _text(figure), citation, figure.note


def _what(figure: Figure, field: str, catalogue: Catalogue) -> str:
    words = catalogue.vocabulary.ids
    match figure:
        case OutcomeRow():
            return outcome_label(catalogue, figure.outcome)
        case Split():
            trait = words.traits.get(figure.trait, figure.trait)
            return f"{outcome_label(catalogue, figure.outcome)}: {trait}, {figure.level}"
        case AdjustedEffect():
            return f"{outcome_label(catalogue, figure.outcome)}: {figure.contrast}"
        case PopulationFigure():
            key = field.partition(".")[2]
            return words.population.get(key, key)
        case TimeToEvent():
            return f"{outcome_label(catalogue, figure.endpoint)}, {figure.population}"
        case Kinetic():
            return words.kinetics.get(figure.what, figure.what)
        case ReviewEffect():
            return f"{', '.join(figure.outcomes)}: {figure.contrast or ', '.join(figure.traits)}"
        case PooledRow():
            return ", ".join(figure.outcomes)
    return field


def _text(figure: Figure) -> str:
    match figure:
        case OutcomeRow() | Split():
            return count_text(figure)
        case AdjustedEffect():
            return effect_text(figure)
        case PopulationFigure():
            return population_text(figure)
        case TimeToEvent():
            return survival_text(figure)
        case Kinetic():
            return timing_text(figure)
        case ComparatorArm():
            return comparator_text(figure.events, figure.n, figure.pct)
    value = next((found for name in ("value", "pct") if (found := getattr(figure, name, None)) is not None), "in words")
    interval = interval_text(getattr(figure, "ci95", None))
    return f"{value} ({interval})" if interval else str(value)
