"""What a run of the live comparison found, kept for the page of agreement."""

from __future__ import annotations

from typing import Any, Final

from tests.support.places import ROOT
from tests.workshop.meta_analysis.support.live.comparison import Outcome
from tests.workshop.meta_analysis.support.live.tables import tables

FILE: Final = ROOT / "tests" / "reference" / "live.json"
AGAIN: Final = "run: python -m tests.workshop.meta_analysis.support.agreement --live"


def of(outcome: Outcome, versions: dict[str, str]) -> dict[str, Any]:
    """Counts and largest differences by block, and the versions compared with."""
    return {
        "versions": versions,
        "tables": len(tables()),
        "compared": outcome.compared,
        "largest": {block: float(f"{value:.1e}") for block, value in outcome.largest.items()},
        "differences": len(outcome.differences),
    }


def counts(summary: dict[str, Any]) -> dict[str, Any]:
    """The part that is the same on every machine: rounding is not."""
    return {"tables": summary["tables"], "compared": summary["compared"], "differences": summary["differences"]}
