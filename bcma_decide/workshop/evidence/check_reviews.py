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
from bcma_decide.workshop.evidence.null_findings import log_standard_error
from bcma_decide.workshop.evidence.reviews import PooledRow, ReviewEffect
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
    studies = {study.id for study in catalogue.studies}
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
        yield from _derived_error(file, field, effect)
        yield from _no_difference(file, field, effect)
        if effect.study is not None and effect.study not in studies:
            yield Problem(f"{field}.study", f"there is no study {effect.study}", "", file)
        for number, group in enumerate(effect.groups):
            value = group.pct if group.pct is not None else group.value
            yield from _interval(file, f"{field}.groups[{number}].ci95", group.ci95, value)
            counted = group.events is not None and group.n is not None and group.pct is not None
            if counted and not agrees(group.events or 0, group.n or 1, group.pct or 0.0):
                yield Problem(f"{field}.groups[{number}].pct", "does not agree with the count", "", file)


def _derived_error(file: str, field: str, effect: ReviewEffect) -> Iterator[Problem]:
    """Compare a standard error that was worked out with what the p value gives, within 2 percent."""
    if effect.log_se is None:
        return
    if effect.ci95 is not None:
        yield Problem(f"{field}.log_se", "stands beside an interval, which says it already", "remove it", file)
        return
    expected = log_standard_error(effect)
    if expected is None:
        yield Problem(f"{field}.log_se", "cannot be worked out without a ratio and its p value", "", file)
    elif abs(effect.log_se - expected) > 0.02 * expected:
        yield Problem(f"{field}.log_se", f"is {effect.log_se:g}, but the p value gives {expected:.3g}", "", file)


def _no_difference(file: str, field: str, effect: ReviewEffect) -> Iterator[Problem]:
    """Require what a "no difference" needs: two groups with their sizes and sides, one rate."""
    if effect.measure != "no_difference":
        if effect.rate_pct is not None:
            yield Problem(f"{field}.rate_pct", "belongs to no_difference", "", file)
        return
    if effect.value is not None or effect.ci95 is not None:
        yield Problem(f"{field}.value", "a printed effect is entered as itself", "use its measure", file)
    if len(effect.traits) != 1 or len(effect.outcomes) != 1:
        yield Problem(f"{field}.outcomes", "no_difference speaks of one trait and one outcome", "split the row", file)
    if effect.rate_pct is None or not 0.0 < effect.rate_pct < 100.0:
        yield Problem(f"{field}.rate_pct", "is needed, between 0 and 100", "", file)
    sides = [(group.group, group.at_least is not None, group.below is not None) for group in effect.groups]
    known = ([("present", False, False), ("absent", False, False)], [(None, True, False), (None, False, True)])
    if sides not in known or any(group.n is None for group in effect.groups):
        fix = "present then absent, or at_least then below"
        yield Problem(f"{field}.groups", "has to be two groups with n, the higher one first", fix, file)


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
