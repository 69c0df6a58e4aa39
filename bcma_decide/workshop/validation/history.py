"""What was tried, what it was worth, and whether it was kept: ``evidence/validation_history.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from bcma_decide.errors import EvidenceError, Problem
from bcma_decide.workshop.evidence.catalogue import read_shape
from bcma_decide.workshop.evidence.schema import Number, Strict

FILE: Final = "validation_history.yaml"

Verdict = Literal["reference", "kept", "not kept", "part kept"]


class Tried(Strict):
    """One variant of the model.

    ``obtained``: *run*, measured by this program's own code; *design*, measured with prototypes before the program had
    this validation. ``rows``: arm totals or contrasts scored.
    """

    variant: str = Field(min_length=3)
    changed: str = ""
    verdict: Verdict
    obtained: Literal["run", "design"]
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    rows: int | None = None
    note: str = ""


class TriedOnTotals(Tried):
    """Scored on held-out arm totals, in fractions; ``gain``: log score gained a row over the run's starting point."""

    mae: Number | None = None
    bias: Number | None = None
    slope: Number | None = None
    coverage: tuple[Number, Number, Number] | None = None
    width: Number | None = None
    winkler: Number | None = None
    crps: Number | None = None
    log_score: Number | None = None
    gain: Number | None = None
    gain_se: Number | None = None


class TriedOnContrasts(Tried):
    """Scored on held-out contrasts: mean squared standardised error and log score, response and toxicity."""

    response_squared_error: Number | None = None
    response_log_score: Number | None = None
    toxicity_squared_error: Number | None = None
    toxicity_log_score: Number | None = None
    bands: str = ""
    """Published trait bands reached, of those looked at."""


class History(Strict):
    """validation_history.yaml."""

    totals: tuple[TriedOnTotals, ...]
    contrasts: tuple[TriedOnContrasts, ...]
    found: tuple[str, ...] = ()
    """What else was measured, in words."""


def load_history(directory: Path) -> History:
    """Read the history of an evidence directory; raises EvidenceError with everything that does not fit."""
    problems: list[Problem] = []
    read = read_shape(directory / FILE, History, directory, problems)
    if read is None:
        raise EvidenceError(f"{FILE} does not follow its schema", problems)
    return read
