"""News pages among the sources: marked, counted and listed, because they are a last resort."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from bcma_decide.errors import EvidenceError, Problem
from bcma_decide.pooled.location import STUDIES
from bcma_decide.strict.yaml import read_yaml
from bcma_decide.workshop.evidence.catalogue import (
    ADJUSTED_EFFECTS,
    OTHER_META_ANALYSES,
    SOURCE_META_ANALYSIS,
    Catalogue,
    read_shape,
)
from bcma_decide.workshop.evidence.definitions import validated
from bcma_decide.workshop.evidence.rules import PRODUCTS, RULES, SOURCES, RuleFiles
from bcma_decide.workshop.evidence.schema import Source, Strict
from bcma_decide.workshop.evidence.scores import FILE as SCORES
from bcma_decide.workshop.evidence.scores import ScoresFile

FILE: Final = "news.yaml"


class NewsFile(Strict):
    """``news.yaml``: words of an address that make it a news page."""

    addresses: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9./-]{3,}$")], ...]


@dataclass(frozen=True)
class NewsSource:
    """One source that is a news page."""

    file: str
    key: str
    citation: str


def load_news(root: Path) -> tuple[str, ...]:
    """Read the words that make an address a news page.

    Raises
    ------
    EvidenceError
        If the file cannot be read or does not follow its schema.
    """
    problems: list[Problem] = []
    file = read_shape(root / FILE, NewsFile, root, problems)
    if file is None:
        raise EvidenceError("the list of news pages cannot be used", problems)
    return file.addresses


def sources_by_file(root: Path, catalogue: Catalogue, rules: RuleFiles) -> Iterator[tuple[str, Mapping[str, Source]]]:
    """Sources of the studies, the reviews, the rules, the products and the scores, by file."""
    for study in catalogue.studies:
        yield f"{STUDIES}/{study.id}.yaml", study.sources
    yield ADJUSTED_EFFECTS, catalogue.adjusted_effects.sources
    yield OTHER_META_ANALYSES, catalogue.other_meta_analyses.sources
    yield SOURCE_META_ANALYSIS, catalogue.source_meta_analysis.sources
    yield f"{RULES}/{SOURCES}", rules.rule_sources.sources
    yield PRODUCTS, rules.products.sources
    yield SCORES, validated(ScoresFile, read_yaml(root / SCORES), SCORES).sources


def unmarked_news(root: Path, catalogue: Catalogue, rules: RuleFiles, addresses: tuple[str, ...]) -> Iterator[Problem]:
    """Sources whose address is a news page and that do not say so."""
    for file, sources in sources_by_file(root, catalogue, rules):
        for key, source in sources.items():
            address = (source.url or "").lower()
            if source.kind is None and any(word in address for word in addresses):
                yield Problem(f"sources.{key}.kind", "its address is a news page", "add kind: news", file)


def news_sources(root: Path, catalogue: Catalogue, rules: RuleFiles) -> tuple[NewsSource, ...]:
    """Every source marked as a news page, by file."""
    return tuple(
        NewsSource(file, key, source.citation)
        for file, sources in sources_by_file(root, catalogue, rules)
        for key, source in sources.items()
        if source.kind == "news"
    )
