"""Findings of one line each, gravest first, for the first screen."""

from __future__ import annotations

from dataclasses import dataclass

from bcma_decide.comparison import Comparison
from bcma_decide.render.words import arrange
from bcma_decide.vocabulary import Severity


@dataclass(frozen=True)
class FindingLine:
    """One line: whom it concerns and what it says, in at most 72 characters, and the findings behind it."""

    severity: Severity
    text: str
    ids: tuple[str, ...]
    classes: tuple[str, ...]
    """Classes it concerns; empty for the profile itself."""


def finding_lines(comparison: Comparison) -> tuple[FindingLine, ...]:
    """Every finding that fires, gravest first; what several options share stands once."""
    return tuple(
        FindingLine(finding.severity, (finding.short or finding.text)[:72], (finding.id,), ())
        for finding in arrange.findings(comparison)
        if finding.state == "fires"
    )


def open_count(comparison: Comparison) -> int:
    """How many findings cannot be judged yet."""
    return sum(finding.state != "fires" for finding in arrange.findings(comparison))
