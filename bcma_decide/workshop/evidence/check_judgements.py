"""Problems of the files that hold judgements: assumptions, effects, rules, limits, published figures, labels, codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bcma_decide.errors import EvidenceError, Problem
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.workshop.evidence.assumptions import (
    PooledEffect,
    load_assumptions,
    load_correlations,
    load_pooled_effects,
)
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.codes import load_codes
from bcma_decide.workshop.evidence.definitions import load_definitions
from bcma_decide.workshop.evidence.news import load_news, unmarked_news
from bcma_decide.workshop.evidence.order import load_order
from bcma_decide.workshop.evidence.published import load_published
from bcma_decide.workshop.evidence.rules import RuleFiles, load_rules
from bcma_decide.workshop.evidence.way_to_infusion import load_way


def judgement_problems(root: Path, catalogue: Catalogue) -> tuple[Problem, ...]:
    """Schema problems of these files, and references in them that lead nowhere."""
    problems: list[Problem] = []
    for load in (load_assumptions, load_correlations, load_pooled_effects, _load_rules, _load_codes):
        try:
            load(root)
        except EvidenceError as error:
            problems += error.problems or [Problem("", error.message)]
    if not problems:
        try:
            definitions = load_definitions(root)
            rules = load_rules(root, definitions)
            problems += unmarked_news(root, catalogue, rules, load_news(root))
        except EvidenceError as error:
            problems += error.problems
        else:
            problems += _published(root, catalogue, rules, definitions)
    if problems:
        return tuple(problems)
    return (*_correlations(root, catalogue), *_pooled(root, catalogue))


def _published(root: Path, catalogue: Catalogue, rules: RuleFiles, definitions: Definitions) -> tuple[Problem, ...]:
    problems: list[Problem] = []
    loads: tuple[Callable[[Path, Catalogue], object], ...] = (
        partial(load_published, rules=rules, definitions=definitions),
        load_way,
        partial(load_order, rules=rules),
    )
    for load in loads:
        try:
            load(root, catalogue)
        except EvidenceError as error:
            problems += error.problems
    return tuple(problems)


def _load_rules(root: Path) -> None:
    load_rules(root, load_definitions(root))


def _load_codes(root: Path) -> None:
    load_codes(root, load_definitions(root))


def _correlations(root: Path, catalogue: Catalogue) -> Iterator[Problem]:
    studies = {study.id for study in catalogue.studies}
    seen: set[frozenset[str]] = set()
    for number, pair in enumerate(load_correlations(root).pairs):
        field = f"pairs[{number}]"
        if pair.study is not None and pair.study not in studies:
            yield Problem(f"{field}.study", f"there is no study {pair.study!r}", file="trait_correlations.yaml")
        if pair.basis == "recalled":
            yield Problem(f"{field}.basis", "a recalled table may not enter", file="trait_correlations.yaml")
        if frozenset((pair.a, pair.b)) in seen:
            yield Problem(field, f"{pair.a} and {pair.b} stand there twice", file="trait_correlations.yaml")
        seen.add(frozenset((pair.a, pair.b)))


def _pooled(root: Path, catalogue: Catalogue) -> Iterator[Problem]:
    for number, effect in enumerate(load_pooled_effects(root).effects):
        for field, message in _effect_problems(effect, catalogue):
            yield Problem(f"effects[{number}].{field}", message, file="pooled_effects.yaml")


def _effect_problems(effect: PooledEffect, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    if effect.basis == "recalled":
        yield "basis", "a recalled effect may not enter"
    if effect.row is not None:
        row = next((row for row in catalogue.adjusted_effects.effects if row.id == effect.row), None)
        if row is None:
            yield "row", f"adjusted_effects.yaml has no row {effect.row!r}"
        elif row.value != effect.value or row.ci95 != effect.ci95:
            yield "value", f"{effect.value} {effect.ci95} differs from row {effect.row}: {row.value} {row.ci95}"
        elif effect.source not in catalogue.adjusted_effects.sources:
            yield "source", f"{effect.source} is not among the sources of adjusted_effects.yaml"
    if effect.study is not None:
        study = next((study for study in catalogue.studies if study.id == effect.study), None)
        if study is None:
            yield "study", f"there is no study {effect.study!r}"
        elif effect.source not in study.sources:
            yield "source", f"{effect.source} is not among the sources of {effect.study}"
