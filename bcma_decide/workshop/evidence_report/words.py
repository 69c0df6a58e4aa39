"""How studies, rows and results read on the page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from bcma_decide.render.words.wording import MINUS
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.schema import Source, Study
from bcma_decide.workshop.evidence_report.published import PooledGroup
from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.plots.page import Link, TableCell
from bcma_decide.workshop.plots.svg import shortened, text_width
from bcma_decide.workshop.plots.values import interval_text

__all__ = [
    "NOT_REPORTED", "RECALLED", "TOO_FEW", "outcome_label", "percent", "percent_interval", "points", "pooled_text",
    "product_label", "reference", "row_label",
    "row_labels",
]  # fmt: skip

NOT_REPORTED: Final = "not reported"
RECALLED: Final = "recalled"
TOO_FEW: Final = "too few studies"
_ROOM: Final = 300.0
"""Pixels that a name may take in a drawing."""
_YEAR: Final = re.compile(r"\b(19|20)\d\d\b")
_BRACKETS: Final = re.compile(r"\s*\([^()]*\)")


def outcome_label(catalogue: Catalogue, outcome: str) -> str:
    """An outcome in words."""
    words = catalogue.vocabulary.ids
    return words.outcomes.get(outcome) or words.endpoints.get(outcome, outcome)


def product_label(catalogue: Catalogue, study: Study) -> str:
    """The products of a study in words."""
    known = catalogue.vocabulary.ids.products
    return ", ".join(known[product].label if product in known else product for product in study.products)


def row_label(study: Study, arm: str | None) -> str:
    """A study and its arm in few words: its name, cut where it is long, and the year it was first published.

    Its id where it has no name.
    """
    beside = f", {arm.replace('_', ' ')}" if arm else ""
    room = max(_ROOM - text_width(beside), _ROOM / 2)
    name = study.name.strip() or study.id
    whole = f"{name}{_year_beside(study, name)}"
    if text_width(whole) > room:
        # What stands in brackets is where it was published, or whose it is: the first to go.
        brief = _BRACKETS.sub("", name).strip()
        brief = _cut(brief, room - text_width(_year_beside(study, "")))
        whole = f"{brief}{_year_beside(study, brief)}"
    return f"{whole}{beside}"


def row_labels(rows: Iterable[tuple[Study, str | None]]) -> tuple[str, ...]:
    """The same for rows that stand together: by id where names that were cut are the same."""
    known = list(rows)
    labels = [row_label(study, arm) for study, arm in known]
    times = Counter(labels)
    return tuple(
        label if times[label] == 1 else ", ".join(filter(None, (study.id, (arm or "").replace("_", " "))))
        for label, (study, arm) in zip(labels, known, strict=True)
    )


def _year_beside(study: Study, name: str) -> str:
    """``, 2021``, unless the name says it."""
    return "" if study.first_published is None or _YEAR.search(name) else f", {study.first_published[:4]}"


def _cut(name: str, room: float) -> str:
    """A name without the words that have no room."""
    cut = shortened(name, room)
    words = cut.rsplit(" ", 1)[0].rstrip(" ,;/+")
    return cut if cut == name or " " not in words else f"{words}\N{HORIZONTAL ELLIPSIS}"


def percent(share: float) -> str:
    """A fraction in percent with one decimal, without the sign: ``68.1``."""
    return f"{100 * share:.1f}"


def percent_interval(ends: Interval | None) -> str:
    """The ends of an interval in percent: ``60.2 to 75.3``."""
    return TOO_FEW if ends is None else interval_text("proportion", *ends)


def pooled_text(group: PooledGroup) -> str:
    """A pooled rate with its interval: ``68.1 (60.2 to 75.3)``."""
    return f"{percent(group.estimate)} ({percent_interval(group.ci)})"


def points(difference: float) -> str:
    """A difference of two fractions in percentage points, with its sign."""
    number = f"{abs(100 * difference):.1f}"
    return number if float(number) == 0 else f"{'+' if difference > 0 else MINUS}{number}"


def reference(study: Study) -> TableCell:
    """The source a reader would look up first, as a link where it has an address: by DOI, PubMed or web address."""
    sources = list(study.sources.values())
    if not sources:
        return "no source on file"
    first = min(sources, key=_distance)
    more = f" (and {len(sources) - 1} more)" if len(sources) > 1 else ""
    address = _address(first)
    return Link(first.citation + more, address) if address else first.citation + more


def _distance(source: Source) -> int:
    return 0 if source.doi else 1 if source.pmid else 2 if source.url else 3


def _address(source: Source) -> str:
    if source.doi:
        return f"https://doi.org/{quote(source.doi, safe='/()')}"
    if source.pmid:
        return f"https://pubmed.ncbi.nlm.nih.gov/{source.pmid}/"
    return source.url if source.url and source.url.startswith(("http://", "https://")) else ""
