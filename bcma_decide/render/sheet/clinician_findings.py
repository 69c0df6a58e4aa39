"""Findings printed in full on the clinician's sheet, worst first, with whom they concern and what they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bcma_decide.comparison import Comparison, Finding
from bcma_decide.render.words import arrange, sentences
from bcma_decide.vocabulary import UNVERIFIED

FULL_RANKS: Final = ("contraindication", "caution")
"""Ranks of findings printed; of the others the sheet gives the number."""


@dataclass(frozen=True)
class FullFinding:
    """A finding under its number; ``fact``: the patient's value or the threshold, in short."""

    number: str
    finding: Finding
    whom: str
    fact: str
    basis: str
    """Kind and date of its source."""


def numbered_findings(comparison: Comparison) -> tuple[FullFinding, ...]:
    """Contraindications and cautions that fire, worst first, unverified ones last, each with its number."""
    fires = [f for f in arrange.findings(comparison) if f.state == "fires" and f.applies_to]
    printed = [f for f in fires if f.severity in FULL_RANKS]
    printed.sort(key=lambda f: (FULL_RANKS.index(f.severity), f.basis == UNVERIFIED))
    return tuple(
        FullFinding(f"F{place}", finding, sentences.applies_to(comparison, finding), _fact(finding), _basis(finding))
        for place, finding in enumerate(printed, 1)
    )


def _fact(finding: Finding) -> str:
    """How a trait was worked out stands among the inputs, not here."""
    fact = finding.value or finding.threshold or ""
    name, _colon, answer = fact.partition(": ")
    return f"{name}: {answer.partition(' ')[0]}" if answer.startswith(("yes (", "no (")) else fact


def _basis(finding: Finding) -> str:
    return sentences.finding_source(finding.model_copy(update={"sources": ()}))
