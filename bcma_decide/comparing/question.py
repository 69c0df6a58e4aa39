"""What is asked: one value that every face builds, `compare` answers, and the audit writes.

It holds all that a comparison depends on besides program and evidence, so that it can be written down and repeated to
the same bytes. A FHIR record is not part of it: only what was read from it is, the profile and the ledger.
"""

from __future__ import annotations

import json
from datetime import date as Day  # noqa: N812  # a field is called date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from bcma_decide.comparison import RecordLedger
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.preference_shapes import Weights
from bcma_decide.spellings import read_setting
from bcma_decide.time_course import Clock
from bcma_decide.vocabulary import DEFAULT_REGION, Design


class Question(BaseModel):
    """For whom to compare, and how; where the profile comes from a record, what the record held."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    patient: Patient
    """What is known; everything else is unknown and averaged over."""
    setting: Annotated[Design, BeforeValidator(read_setting)] = "real_world"
    """Whose results to expect: those of ordinary care or of trials."""
    region: str = DEFAULT_REGION
    """Whose labels and regional rules to judge."""
    date: Day | None = None
    """As of which day; None: the date of the evidence, so that the same question gives the same bytes on any day."""
    explain: tuple[str, ...] = ()
    """Outcomes for which waterfall, studies and trait effects are included."""
    clock: Clock = "infusion"
    """What response and survival are shown from; it changes no number."""
    order: bool = False
    """Whether the order of therapies is included."""
    pair: tuple[str, str] | None = None
    """Two options whose difference is included."""
    name: str | None = None
    """Of a shipped example; never a person's."""
    weights: Weights | None = None
    """What matters to the person; they rank the options and change no other number."""
    record: RecordLedger | None = None
    """Passed through to the profile of the answer; it changes no number."""

    def written(self) -> str:
        """As canonical JSON: names sorted, what was not asked left out, ASCII only."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True), sort_keys=True, separators=(",", ":"))

    @classmethod
    def read(cls, text: str, definitions: Definitions) -> Question:
        """Read what :meth:`written` gave; raises ProfileError or ValueError where it gave something else."""
        return cls.model_validate(json.loads(text), context=definitions)
