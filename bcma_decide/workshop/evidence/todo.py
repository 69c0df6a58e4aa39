"""Recalled figures worth verifying first: those that would sharpen the model most."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from bcma_decide.vocabulary import FAMILIES, ClassId
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.schema import Source
from bcma_decide.workshop.evidence.splits import SplitContrast, select_splits
from bcma_decide.workshop.evidence.totals import SelectedRow, select

PRIOR_VARIANCE: Final = 1.0
"""Variance of a log odds before any evidence, for ranking only: the gain of a first figure is finite."""


@dataclass(frozen=True)
class TodoItem:
    """One recalled arm total or contrast, and where to look it up.

    ``gain`` is the fall in the variance of the log odds it informs (the product's level for a total, the
    trait's effect in the class for a contrast) from ``PRIOR_VARIANCE`` and the figures already verified:
    1 / (1 + I) - 1 / (1 + I + i), with I the information so far and i the information of this figure.
    """

    kind: Literal["total", "split"]
    study: str
    arm: str | None
    outcome: str
    trait: str | None
    class_id: ClassId
    products: tuple[str, ...]
    figure: str
    gain: float
    source: Source | None
    study_text: str

    @property
    def where(self) -> str:
        """The source and its shortest address, or the study's name and registration."""
        if self.source is None:
            return self.study_text
        if self.source.pmid:
            return f"{self.source.citation}; PMID {self.source.pmid}"
        address = f"doi:{self.source.doi}" if self.source.doi else self.source.url
        return f"{self.source.citation}; {address}" if address else self.source.citation


def ranked_todo(catalogue: Catalogue) -> list[TodoItem]:
    """Recalled figures that would enter the model if they were verified, the most useful first."""
    items = [*_totals(catalogue), *_splits(catalogue)]
    return sorted(items, key=lambda item: (-item.gain, item.study, item.outcome, item.trait or ""))


def _totals(catalogue: Catalogue) -> Iterable[TodoItem]:
    for family in FAMILIES:
        for threshold in family.thresholds:
            verified = select(catalogue, threshold.id).rows
            known = _sum((product, _row_information(row)) for row in verified for product in row.products)
            for row in select(catalogue, threshold.id, include_unverified=True).rows:
                if row.basis == "recalled":
                    information = _row_information(row)
                    yield TodoItem(
                        kind="total",
                        study=row.study,
                        arm=row.arm,
                        outcome=row.outcome,
                        trait=None,
                        class_id=row.class_id,
                        products=row.products,
                        figure=f"{row.events}/{row.n}",
                        gain=max(_gain(known.get(product, 0.0), information) for product in row.products),
                        source=_source(catalogue, row.study, row.source),
                        study_text=_study_text(catalogue, row.study),
                    )


def _splits(catalogue: Catalogue) -> Iterable[TodoItem]:
    for family in FAMILIES:
        verified = select_splits(catalogue, family.id).contrasts
        known = _sum(((c.class_id, c.trait), _contrast_information(c)) for c in verified)
        for contrast in select_splits(catalogue, family.id, include_unverified=True).contrasts:
            if contrast.basis == "recalled":
                before = known.get((contrast.class_id, contrast.trait), 0.0)
                yield TodoItem(
                    kind="split",
                    study=contrast.study,
                    arm=contrast.arm,
                    outcome=contrast.outcome,
                    trait=contrast.trait,
                    class_id=contrast.class_id,
                    products=contrast.products,
                    figure=f"{contrast.high_events}/{contrast.high_n} against {contrast.low_events}/{contrast.low_n}",
                    gain=_gain(before, _contrast_information(contrast)),
                    source=_source(catalogue, contrast.study, contrast.source),
                    study_text=_study_text(catalogue, contrast.study),
                )


def _sum(pairs: Iterable[tuple[Hashable, float]]) -> dict[Hashable, float]:
    total: dict[Hashable, float] = {}
    for key, value in pairs:
        total[key] = total.get(key, 0.0) + value
    return total


def _gain(before: float, information: float) -> float:
    prior = 1.0 / PRIOR_VARIANCE
    return 1.0 / (prior + before) - 1.0 / (prior + before + information)


def _row_information(row: SelectedRow) -> float:
    """Return n p (1 - p), with half an event and half a non-event added."""
    return 1.0 / _logit_variance(row.events, row.n)


def _contrast_information(contrast: SplitContrast) -> float:
    """1 / variance of the log odds ratio."""
    high = _logit_variance(contrast.high_events, contrast.high_n)
    return 1.0 / (high + _logit_variance(contrast.low_events, contrast.low_n))


def _logit_variance(events: int, n: int) -> float:
    return 1.0 / (events + 0.5) + 1.0 / (n - events + 0.5)


def _source(catalogue: Catalogue, study: str, key: str | None) -> Source | None:
    return catalogue.study(study).sources.get(key) if key else None


def _study_text(catalogue: Catalogue, study: str) -> str:
    found = catalogue.study(study)
    return ", ".join([found.name, *found.registration])
