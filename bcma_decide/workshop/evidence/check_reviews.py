"""Whether the cross-cutting files agree with themselves and with the vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from bcma_decide.errors import Problem
from bcma_decide.workshop.evidence.catalogue import (
    ADJUSTED_EFFECTS,
    OTHER_META_ANALYSES,
    SOURCE_META_ANALYSIS,
    Catalogue,
    Kind,
    Words,
)
from bcma_decide.workshop.evidence.counts import agrees
from bcma_decide.workshop.evidence.reviews import PooledRow
from bcma_decide.workshop.evidence.schema import Figure, Interval, Source

MEASURED: Final[tuple[Kind, ...]] = ("outcomes", "endpoints", "kinetics", "population")
"""Kinds of words a review may report on."""


def review_problems(catalogue: Catalogue) -> list[Problem]:
    """Every problem of the three review files."""
    return [
        *_adjusted_effects(catalogue),
        *_other_meta_analyses(catalogue),
        *_source_meta_analysis(catalogue),
    ]


def _adjusted_effects(catalogue: Catalogue) -> Iterator[Problem]:
    file, content, words = ADJUSTED_EFFECTS, catalogue.adjusted_effects, catalogue.vocabulary
    ids = [effect.id for effect in content.effects]
    yield from _repeated(file, "effects", ids)
    for index, warning in enumerate(content.overlap_warnings):
        yield from _unknown_rows(file, f"overlap_warnings[{index}].rows", warning.rows, ids)
    for index, conflict in enumerate(content.conflicts):
        yield from _unknown_rows(file, f"conflicts[{index}].rows", conflict.rows, ids)
    for index, effect in enumerate(content.effects):
        field = f"effects[{index}]"
        yield from _source(file, field, effect, content.sources)
        yield from _words(file, f"{field}.traits", effect.traits, ("traits",), words)
        yield from _words(file, f"{field}.products", effect.products, ("products",), words)
        yield from _words(file, f"{field}.outcomes", effect.outcomes, MEASURED, words)
        yield from _interval(file, f"{field}.ci95", effect.ci95, effect.value)
        for number, group in enumerate(effect.groups):
            value = group.pct if group.pct is not None else group.value
            yield from _interval(file, f"{field}.groups[{number}].ci95", group.ci95, value)
            counted = group.events is not None and group.n is not None and group.pct is not None
            if counted and not agrees(group.events or 0, group.n or 1, group.pct or 0.0):
                yield Problem(f"{field}.groups[{number}].pct", "does not agree with the count", "", file)


def _other_meta_analyses(catalogue: Catalogue) -> Iterator[Problem]:
    file, content, words = OTHER_META_ANALYSES, catalogue.other_meta_analyses, catalogue.vocabulary
    yield from _repeated(file, "meta_analyses", [analysis.id for analysis in content.meta_analyses])
    yield from _repeated(file, "comparisons", [comparison.id for comparison in content.comparisons])
    for index, analysis in enumerate(content.meta_analyses):
        yield from _pooled(file, f"meta_analyses[{index}].estimates", analysis.estimates, content.sources, words)
    for index, comparison in enumerate(content.comparisons):
        field = f"comparisons[{index}]"
        yield from _source(file, field, comparison, content.sources)
        yield from _interval(file, f"{field}.ci95", comparison.ci95, comparison.value)
        if comparison.outcome is not None:
            yield from _words(file, f"{field}.outcome", [comparison.outcome], MEASURED, words)


def _source_meta_analysis(catalogue: Catalogue) -> Iterator[Problem]:
    file, content, words = SOURCE_META_ANALYSIS, catalogue.source_meta_analysis, catalogue.vocabulary
    yield from _pooled(file, "pooled", content.pooled, content.sources, words)
    yield from _pooled(file, "meta_regression", content.meta_regression, content.sources, words)
    for index, fact in enumerate(content.facts):
        yield from _source(file, f"facts[{index}]", fact, content.sources)
    for index, row in enumerate(content.safety_directions):
        yield from _source(file, f"safety_directions[{index}]", row, content.sources)
        yield from _words(file, f"safety_directions[{index}].outcome", [row.outcome], MEASURED, words)


def _pooled(
    file: str, name: str, rows: Iterable[PooledRow], sources: Mapping[str, Source], words: Words
) -> Iterator[Problem]:
    for index, row in enumerate(rows):
        field = f"{name}[{index}]"
        yield from _source(file, field, row, sources)
        yield from _words(file, f"{field}.outcomes", row.outcomes, MEASURED, words)
        yield from _words(file, f"{field}.traits", row.traits, ("traits",), words)
        yield from _words(file, f"{field}.product", [row.product] if row.product else [], ("products",), words)
        value = row.pct if row.pct is not None else row.value
        yield from _interval(file, f"{field}.ci95", row.ci95, value)
        yield from _interval(file, f"{field}.range", row.range, value)


def _repeated(file: str, field: str, ids: Iterable[str]) -> Iterator[Problem]:
    for word, count in Counter(ids).items():
        if count > 1:
            yield Problem(field, f"{count} rows are called {word}", "give each its own id", file)


def _unknown_rows(file: str, field: str, rows: Iterable[str], ids: Iterable[str]) -> Iterator[Problem]:
    for row in rows:
        if row not in ids:
            yield Problem(field, f"there is no row {row}", "", file)


def _source(file: str, field: str, figure: Figure, sources: Mapping[str, Source]) -> Iterator[Problem]:
    if figure.source is None:
        if figure.basis != "recalled":
            yield Problem(f"{field}.source", f"a {figure.basis} figure needs a source", "", file)
    elif figure.source not in sources:
        yield Problem(f"{field}.source", f"{figure.source} is not among the sources", "", file)


def _words(file: str, field: str, used: Iterable[str], kinds: tuple[Kind, ...], words: Words) -> Iterator[Problem]:
    for word in used:
        if not any(word in words.known(kind) for kind in kinds):
            hint = next(filter(None, (words.suggestion(kind, word) for kind in kinds)), "")
            yield Problem(field, f"{word} is not one of the {' or '.join(kinds)}", hint, file)


def _interval(file: str, field: str, interval: Interval | None, value: float | None) -> Iterator[Problem]:
    if interval is None or value is None:
        return
    low, high = interval
    if (low is not None and value < low) or (high is not None and value > high):
        yield Problem(field, f"does not contain {value:g}", "", file)
