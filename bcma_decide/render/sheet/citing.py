"""Sources in short, for paper: identifiers instead of citations, numbers as ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bcma_decide.comparison import Comparison, Reference

SOURCES_SHOWN: Final = 2
"""Sources named beside a statement."""


def cited(comparison: Comparison, keys: Sequence[str]) -> str:
    """The sources of a statement in short, by key where nothing else is known: the first ones, and how many more."""
    references = {reference.key: reference for reference in comparison.references}
    found = [references[key] for key in dict.fromkeys(keys) if key in references]
    found.sort(key=lambda each: (not each.doi, not each.pmid))
    names = list(dict.fromkeys(identifier(each) or each.key for each in found))
    more = f" +{len(names) - SOURCES_SHOWN}" if len(names) > SOURCES_SHOWN else ""
    return ", ".join(names[:SOURCES_SHOWN]) + more


def identifier(reference: Reference) -> str:
    """DOI, PMID or, failing both, the name of the site of a reference."""
    if reference.doi:
        return f"doi {reference.doi}"
    if reference.pmid:
        return f"PMID {reference.pmid}"
    return (reference.url or "").partition("//")[2].partition("/")[0].removeprefix("www.")


def ranges(numbers: Sequence[int]) -> str:
    """Whole numbers as ranges: ``1–3, 5``."""
    spans: list[list[int]] = []
    for value in sorted(set(numbers)):
        if spans and value == spans[-1][1] + 1:
            spans[-1][1] = value
        else:
            spans.append([value, value])
    return ", ".join(f"{low}" if low == high else f"{low}–{high}" for low, high in spans)
