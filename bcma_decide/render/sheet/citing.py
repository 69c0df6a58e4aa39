"""Sources in short, for paper: as a journal, a label or a registry is cited, never by the address of a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bcma_decide.comparison import Comparison, Reference

SOURCES_SHOWN: Final = 2
"""Sources named beside a statement."""

_ADDRESS: Final = re.compile(
    r"[\s,;]*[(\[]?\b(?:https?://)?(?:[\w-]+\.)+(?:com|org|net|app|gov|edu|eu|io|sa|info)\b(?:/[^\s,;)]*)?[)\]]?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Citation:
    """A source under its number on the sheet."""

    number: int
    text: str


def cited(comparison: Comparison, keys: Sequence[str]) -> str:
    """The sources of a statement in short, by key where nothing else is known: the first ones, and how many more."""
    return naming(comparison)(keys)


def naming(comparison: Comparison) -> Callable[[Sequence[str]], str]:
    """The same for the statements of one comparison: its references are looked through once."""
    return partial(_cited, {reference.key: reference for reference in comparison.references})


def _cited(references: Mapping[str, Reference], keys: Sequence[str]) -> str:
    found = [references[key] for key in dict.fromkeys(keys) if key in references]
    found.sort(key=lambda each: (not each.doi, not each.pmid))
    names = list(dict.fromkeys(identifier(each) or each.key for each in found))
    more = f" +{len(names) - SOURCES_SHOWN}" if len(names) > SOURCES_SHOWN else ""
    return ", ".join(names[:SOURCES_SHOWN]) + more


def identifier(reference: Reference) -> str:
    """DOI, PMID or, failing both, what the reference is called."""
    if reference.doi:
        return f"doi {reference.doi}"
    if reference.pmid:
        return f"PMID {reference.pmid}"
    return _without_address(reference.citation)


def numbered(
    comparison: Comparison, statements: Iterable[Sequence[str]]
) -> tuple[dict[str, int], tuple[Citation, ...]]:
    """The number of each source's key, and every source once, in the order in which statements name them.

    A source that is not among the references has its key in the place of a citation.
    """
    references = {reference.key: reference for reference in comparison.references}
    numbers: dict[str, int] = {}
    found: dict[str, Citation] = {}
    for key in (key for keys in statements for key in keys):
        if key not in numbers:
            name, text = (identifier(references[key]), _full(references[key])) if key in references else (key, key)
            numbers[key] = found.setdefault(name, Citation(len(found) + 1, text)).number
    return numbers, tuple(found.values())


def _full(reference: Reference) -> str:
    """The citation with its DOI or PMID."""
    named = _without_address(reference.citation) or reference.key
    if not (reference.doi or reference.pmid) or (reference.doi or "\0") in named:
        return named
    return f"{named}. {identifier(reference)}"


def _without_address(text: str) -> str:
    """A citation without the address of a page in it; a DOI stays."""
    return _ADDRESS.sub("", text).strip(" ,;:")


def ranges(numbers: Sequence[int]) -> str:
    """Whole numbers as ranges: ``1–3, 5``."""
    spans: list[list[int]] = []
    for value in sorted(set(numbers)):
        if spans and value == spans[-1][1] + 1:
            spans[-1][1] = value
        else:
            spans.append([value, value])
    return ", ".join(f"{low}" if low == high else f"{low}–{high}" for low, high in spans)
