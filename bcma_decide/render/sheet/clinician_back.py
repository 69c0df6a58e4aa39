"""The second page of the clinician's sheet: in the order in which it is filled, and what had no room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from bcma_decide.comparison import Comparison
from bcma_decide.render.sheet.citing import Citation, ranges
from bcma_decide.render.sheet.clinician_findings import FULL_RANKS, FullFinding
from bcma_decide.render.words import record_view
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import ngettext

Kind = Literal["findings", "record", "method", "not_known", "sources"]
KINDS: Final[tuple[Kind, ...]] = ("findings", "record", "method", "not_known", "sources")
RECORD_LINES: Final = 5
"""Values of a record that were seen and not used, on the second page."""


@dataclass(frozen=True)
class Item:
    """One entry of the second page.

    ``mark``: what it is called. ``lead``: whom it concerns. ``numbers``: of its sources. ``rank``: that of a finding,
    else empty. ``evidence``: whether its text is that of the evidence, which is English in every language.
    ``always``: whether it stands there however little room there is.
    """

    kind: Kind
    mark: str
    lead: str
    text: str
    ground: str = ""
    numbers: str = ""
    rank: str = ""
    evidence: bool = True
    always: bool = False


@dataclass(frozen=True)
class Block:
    """Items under one heading."""

    kind: Kind
    title: str
    items: tuple[tuple[int, Item], ...]
    """Each with its place among all items, kept or not."""


@dataclass(frozen=True)
class Back:
    """The second page: its blocks, the number of items it would have in all, and a line about those left out."""

    blocks: tuple[Block, ...]
    size: int
    more: str


def back_page(
    comparison: Comparison,
    findings: Sequence[FullFinding],
    sources: tuple[Mapping[str, int], Sequence[Citation]],
    room: int | None,
) -> Back:
    """Contraindications and cautions in full, what was not used of a record, the method, what is not known, sources.

    Parameters
    ----------
    comparison
        What to show.
    findings
        All of them, worst first.
    sources
        The number of each source's key, and the citations under these numbers.
    room
        How many items there is room for; None for all. The last ones give way first; contraindications, the record
        and the method never do.
    """
    numbers, citations = sources
    items = (
        *(_finding(each, numbers) for each in findings),
        *(Item("record", "", "", text, evidence=False, always=True) for text in _seen_and_not_used(comparison)),
        *(Item("method", "", "", text, evidence=False, always=True) for text in method()),
        *(Item("not_known", "", "", text) for text in _general_first(comparison)),
        *(Item("sources", str(each.number), "", each.text) for each in citations),
    )
    fitting = len(items) if room is None else room
    kept = [(place, item) for place, item in enumerate(items) if place < fitting or item.always]
    left = [item for place, item in enumerate(items) if place >= fitting and not item.always]
    return Back(
        tuple(
            Block(kind, titles()[kind], tuple(found)) for kind, found in groupby(kept, key=lambda entry: entry[1].kind)
        ),
        len(items),
        _more(left),
    )


def titles() -> dict[Kind, str]:
    """Heading of each block."""
    return {
        "findings": _("Contraindications and cautions in full"),
        "record": _("In the record, seen and not used"),
        "method": _("Method"),
        "not_known": _("What is not known"),
        "sources": _("Sources"),
    }


def method() -> tuple[str, ...]:
    """The method in four sentences."""
    return (
        _(
            "Exact counts of events from each study are pooled per class on the log-odds scale, with a spread between "
            "studies and between products."
        ),
        _(
            "Traits of the patient shift a number only by contrasts seen inside studies; what is not known of the "
            "patient is averaged over the patients of the studies who are alike in what is known."
        ),
        _(
            "A number is the average of 100 patients like this over centres; its 95 % interval is what the studies "
            "leave open about that average, not which patient this is, not one centre, and not errors of the model."
        ),
        _("No randomised trial compares the two classes; differences allow for that by a term of their own."),
    )


def _finding(each: FullFinding, numbers: Mapping[str, int]) -> Item:
    return Item(
        "findings",
        each.number,
        each.whom,
        each.finding.text,
        ground="; ".join(filter(None, (each.fact, each.basis))),
        numbers=ranges([numbers[key] for key in each.finding.sources if key in numbers]),
        rank=each.finding.severity,
        always=each.finding.severity == FULL_RANKS[0],
    )


def _seen_and_not_used(comparison: Comparison) -> tuple[str, ...]:
    """Behind a value that looks unknown may stand one that could not be used."""
    left_out = [line.text for line in record_view.unused(comparison) if line.state in record_view.LEFT_OUT]
    return record_view.shortened(left_out, RECORD_LINES)


def _general_first(comparison: Comparison) -> tuple[str, ...]:
    """What no input could settle: of all first, of single products last."""
    names = tuple(f"{option.label}: " for option in comparison.options if option.kind == "product")
    return tuple(sorted(comparison.not_known, key=lambda text: text.startswith(names)))


def _more(left: Sequence[Item]) -> str:
    """How many items of each kind are left out; empty for none."""
    count = {kind: sum(item.kind == kind for item in left) for kind in KINDS}
    words = {
        "findings": ngettext("{n} more caution", "{n} more cautions", count["findings"]),
        "record": "",
        "method": "",
        "not_known": ngettext("{n} more of what is not known", "{n} more of what is not known", count["not_known"]),
        "sources": ngettext("{n} more source", "{n} more sources", count["sources"]),
    }
    return ", ".join(words[kind].format(n=n) for kind, n in count.items() if n)
