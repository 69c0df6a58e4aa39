"""Findings on the clinician's sheet: one line each by the fact they rest on, and in full with their source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bcma_decide.comparison import Comparison, Finding
from bcma_decide.render.sheet import citing
from bcma_decide.render.words import arrange, rule_view, sentences
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import ngettext
from bcma_decide.vocabulary import UNVERIFIED

FULL_RANKS: Final = ("contraindication", "caution")
"""Ranks of findings printed; of the others the sheet gives the number."""


@dataclass(frozen=True)
class Flag:
    """A finding in one line: whom it concerns, the fact, its threshold and where that comes from; more on page 2."""

    rank: str
    whom: str
    fact: str
    ground: str
    numbers: str


@dataclass(frozen=True)
class FullFinding:
    """A finding with its text and its sources, numbered."""

    number: str
    finding: Finding
    whom: str
    ground: str


def numbered_findings(comparison: Comparison) -> tuple[FullFinding, ...]:
    """Contraindications and cautions that fire, worst first, unverified ones last, each with its number."""
    fires = [f for f in arrange.findings(comparison) if f.state == "fires" and f.applies_to]
    printed = [f for f in fires if f.severity in FULL_RANKS]
    printed.sort(key=lambda f: (FULL_RANKS.index(f.severity), f.basis == UNVERIFIED))
    return tuple(
        FullFinding(f"F{place}", finding, sentences.applies_to(comparison, finding), _origin(comparison, finding))
        for place, finding in enumerate(printed, 1)
    )


def in_full(findings: Sequence[FullFinding], limit: int) -> tuple[FullFinding, ...]:
    """Those printed in full: every contraindication, and cautions up to ``limit`` in all."""
    worst = sum(each.finding.severity == FULL_RANKS[0] for each in findings)
    return tuple(findings[: max(worst, limit)])


def all_flags(comparison: Comparison, findings: Iterable[FullFinding]) -> tuple[Flag, ...]:
    """Findings that rest on the same fact stand in one line and name all the options they concern."""
    lines: dict[tuple[str, str, str], list[FullFinding]] = {}
    for each in findings:
        lines.setdefault((each.finding.severity, *_fact_and_threshold(each.finding)), []).append(each)
    return tuple(
        Flag(
            rank=rank,
            whom=_whom(comparison, found),
            fact=fact,
            ground=_ground(threshold, found),
            numbers=citing.ranges([int(each.number[1:]) for each in found]),
        )
        for (rank, fact, threshold), found in lines.items()
    )


def shown_flags(flags: Sequence[Flag], limit: int) -> tuple[Flag, ...]:
    """Those printed on the first page: every contraindication, and cautions up to ``limit`` in all."""
    worst = sum(flag.rank == FULL_RANKS[0] for flag in flags)
    return tuple(flags[: max(worst, limit)])


def more_flags(comparison: Comparison, left: int) -> tuple[str, ...]:
    """What the first page leaves for elsewhere: lines that had no room, information, and what cannot be judged."""
    texts = []
    if left:
        texts.append(
            ngettext("{n} more line of cautions: page 2.", "{n} more lines of cautions: page 2.", left).format(n=left)
        )
    information = [f for f in arrange.findings(comparison) if f.state == "fires" and f.severity not in FULL_RANKS]
    if information:
        texts.append(
            ngettext(
                "{n} finding for information: in the result and on the screen.",
                "{n} findings for information: in the result and on the screen.",
                len(information),
            ).format(n=len(information))
        )
    unsettled = {each.rank: each for each in rule_view.open_findings(comparison)}
    worst, caution = (unsettled.get(rank) for rank in FULL_RANKS)
    if worst:
        texts.append(_("Cannot be judged yet: {text}").format(text=rule_view.open_text(worst)))
    if caution:
        inputs = ngettext(
            "{n} input would settle cautions: page 2.", "{n} inputs would settle cautions: page 2.", len(caution.needs)
        )
        texts.append(inputs.format(n=len(caution.needs)))
    return tuple(texts)


def left_out(left: int) -> str:
    """How many cautions are not printed in full, and where they are; empty for none."""
    if not left:
        return ""
    return ngettext(
        "{n} more caution in full: in the result and on the screen.",
        "{n} more cautions in full: in the result and on the screen.",
        left,
    ).format(n=left)


def _origin(comparison: Comparison, finding: Finding) -> str:
    """Kind and date of a finding's source, and the source itself."""
    kind = sentences.finding_source(finding.model_copy(update={"sources": ()}))
    return "; ".join(part for part in (kind, citing.cited(comparison, finding.sources)) if part)


def _fact_and_threshold(finding: Finding) -> tuple[str, str]:
    """The patient's value and its threshold in short: how a trait was worked out stands in the ledger."""
    fact = finding.value or finding.threshold or finding.text
    threshold = finding.threshold if finding.value and finding.threshold else ""
    name, _colon, answer = fact.partition(": ")
    if answer.startswith(("yes (", "no (")):
        fact = f"{name}: {answer.partition(' ')[0]}"
    return fact, "" if threshold == name else threshold


def _whom(comparison: Comparison, found: Iterable[FullFinding]) -> str:
    options = dict.fromkeys(option for each in found for option in arrange.concerned(each.finding))
    return ", ".join(dict.fromkeys(sentences.option_label(comparison, option) for option in options))


def _ground(threshold: str, found: Iterable[FullFinding]) -> str:
    origins = dict.fromkeys(
        _("unverified") if each.finding.basis == UNVERIFIED else sentences.origin_word(each.finding.origin)
        for each in found
    )
    return "; ".join(part for part in (threshold, ", ".join(filter(None, origins))) if part)
