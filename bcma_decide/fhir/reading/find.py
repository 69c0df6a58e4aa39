"""One value found in a record, before it is decided which of them the profile takes."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from bcma_decide.comparison import InputLine
from bcma_decide.fhir.reading.dates import When
from bcma_decide.fhir.reading.resource import Resource
from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.codes import Code, CodeBasis, Coding
from bcma_decide.vocabulary import InputState

FindState = Literal["usable", "stale", "not_usable", "ignored", "note"]


class Find(Struct, frozen=True):
    """A value of a record: what it would be in the profile, where it stands, and what speaks against it."""

    field: str
    text: str
    """As the record has it."""
    state: FindState
    value: str | None = None
    """As the profile reads it; None where it cannot be used."""
    resource: str = ""
    when: When | None = None
    coding: Coding | None = None
    basis: CodeBasis | Literal[""] = ""
    unit: str = ""
    layer: str = ""
    note: str = ""
    label: str = ""
    rank: int = 1
    """How final it is: 0 preliminary, 1 final, 2 corrected; of one time the more final counts."""
    max_age_days: int | None = None
    """Days it may be old, where that differs from its field's."""
    coarse: bool = False
    """Whether it tells a span only, so that what was measured takes its place."""
    settles: bool = False
    """Whether the reason it is not used says what is now, so that an older entry of the same does not count either."""

    def refused(self, note: str, state: FindState = "not_usable", *, settles: bool = False) -> Find:
        """Return the same, not used for this reason, which may settle what is now (``settles``)."""
        return replace(self, state=state, value=None, note=note, settles=settles)

    def line(self, on: date, state: InputState, note: str = "") -> InputLine:
        """The line of the ledger."""
        return InputLine(
            field=self.field,
            label=self.label or (FIELDS[self.field].label if self.field in FIELDS else self.field),
            text=self.text,
            state=state,
            resource=self.resource,
            system=self.coding.system if self.coding else "",
            code=self.coding.code if self.coding else "",
            date=self.when.text if self.when else "",
            age_days=max(0, self.when.days_before(on)) if self.when else None,
            unit=self.unit,
            layer=self.layer,
            basis=self.basis,
            note="; ".join(part for part in (note, self.note) if part),
        )


def weakest(*bases: CodeBasis) -> CodeBasis:
    """How something is known that rests on several codes: as the least certain of them."""
    return "recalled" if "recalled" in bases else "secondary" if "secondary" in bases else "verified"


def start(field: str, code: Code, resource: Resource, when: When | None) -> Find:
    """Begin a find from the code it was recognised by."""
    return Find(
        field=field,
        text=code.text,
        state="usable",
        resource=resource.name,
        when=when,
        coding=code.key,
        basis=code.basis,
        layer=code.layer or "code",
        note=code.note,
    )
