"""Findings of one line each, gravest first, for the first screen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from bcma_decide.comparison import Comparison, Finding
from bcma_decide.vocabulary import UNVERIFIED, Severity

SHOWN: Final = 6
"""Lines at a first look."""


@dataclass(frozen=True)
class FindingLine:
    """One line: whom it concerns and what it says, in at most 72 characters, and the findings behind it."""

    severity: Severity
    text: str
    ids: tuple[str, ...]
    classes: tuple[str, ...]
    """Classes it concerns; empty for the profile itself."""
    verified: bool = True
    """False for recalled ones, which no source was seen for."""
    subject: str = ""
    """The state of the patient it is about."""


def finding_lines(comparison: Comparison) -> tuple[FindingLine, ...]:
    """Every finding that fires, gravest first, unverified last; what several options share stands once."""
    firing = [finding for finding in comparison.findings if finding.state == "fires"]
    ranks = dict.fromkeys(sorted(finding.rank for finding in firing))
    return tuple(line for one in ranks for line in _of_rank([each for each in firing if each.rank == one]))


def first_lines(lines: tuple[FindingLine, ...], shown: int = SHOWN) -> tuple[FindingLine, ...]:
    """The first of these lines, ``shown`` of them, and every contraindication however many there are."""
    return tuple(line for place, line in enumerate(lines) if place < shown or line.severity == "contraindication")


def every_subject_first(lines: tuple[FindingLine, ...]) -> tuple[FindingLine, ...]:
    """Among lines of equal weight, one of each subject before a second of any: what is cut off repeats a subject."""
    seen: Counter[tuple[str, bool, str]] = Counter()
    placed = []
    for line in lines:
        weight = (line.severity, line.verified)
        placed.append((weight, seen[*weight, line.subject], line))
        seen[*weight, line.subject] += 1
    weights = list(dict.fromkeys(weight for weight, _, _ in placed))
    placed.sort(key=lambda each: (weights.index(each[0]), each[1]))
    return tuple(line for _, _, line in placed)


def open_count(comparison: Comparison) -> int:
    """How many states of the patient cannot be judged yet and would make a finding."""
    return len({each.subject or each.id for each in comparison.findings if each.state != "fires"})


def _of_rank(findings: list[Finding]) -> list[FindingLine]:
    """Lines of one rank: those of one state next to each other, in the order of the first."""
    states: dict[str, dict[str, list[Finding]]] = {}
    for finding in findings:
        text = finding.shared_short or finding.short
        states.setdefault(finding.subject or finding.id, {}).setdefault(text, []).append(finding)
    return [_line(text, group) for texts in states.values() for text, group in texts.items()]


def _line(text: str, group: list[Finding]) -> FindingLine:
    classes = (finding.applies_to["class"] for finding in group if finding.applies_to)
    return FindingLine(
        severity=group[0].severity,
        text=text,
        ids=tuple(dict.fromkeys(finding.id for finding in group)),
        classes=tuple(dict.fromkeys(classes)),
        verified=group[0].basis != UNVERIFIED,
        subject=group[0].subject or group[0].id,
    )
