"""What is asked: one value that every face builds, `compare` answers, and the audit writes.

It holds all that a comparison depends on besides program and evidence, so that it can be written down and repeated to
the same bytes. A FHIR record is not part of it: only what was read from it is, the profile and the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date as Day  # noqa: N812  # a field is called date
from typing import TYPE_CHECKING, Any, Final

from msgspec import ValidationError, convert
from msgspec.structs import force_setattr

from bcma_decide.comparison import RecordLedger
from bcma_decide.errors import Problem, ProfileError
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.spellings import read_setting
from bcma_decide.time_course import Clock
from bcma_decide.value import Value
from bcma_decide.vocabulary import DEFAULT_REGION, Design

if TYPE_CHECKING:
    from bcma_decide.patient.stated_weights import Weights

_ASKED_AS: Final = {
    "clock": "one of infusion, decision",
    "date": "a day, as in 2026-11-22",
    "pair": "name two options",
    "explain": "names of outcomes",
    "order": "True or False",
}


class Circumstances(Value):
    """What is asked besides the patient and the weights."""

    setting: Design = "real_world"
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
    record: RecordLedger | None = None
    """Where the profile comes from a record, what that held. Passed through to the answer; it changes no number."""


class Question(Circumstances):
    """For whom to compare, and how."""

    patient: Patient
    """What is known; everything else is unknown and averaged over."""
    weights: Weights | None = None
    """What matters to the person; they rank the options and change no other number."""

    def __post_init__(self) -> None:
        """Take the setting by any of its names, plain data for a profile or weights; raises ProfileError or ValueError.

        What is asked comes from outside and goes into the document: nothing else would find a clock that there is not.
        """
        force_setattr(self, "setting", read_setting(self.setting))
        if not isinstance(self.patient, Patient):
            force_setattr(self, "patient", Patient.model_validate(self.patient))
        if self.weights is not None:
            force_setattr(self, "weights", _weights(self.weights))
        try:
            asked = convert({name: getattr(self, name) for name in Circumstances.__struct_fields__}, Circumstances)
        except ValidationError as error:
            message, _, place = str(error).partition(" - at ")
            field = place.strip("`$.").partition("[")[0]
            problem = Problem(field, f"cannot be used: {message}", _ASKED_AS.get(field, ""))
            raise ProfileError("what is asked cannot be used", [problem]) from None
        for name in ("date", "explain", "pair"):  # lists stand for tuples, and a written day for a day
            force_setattr(self, name, getattr(asked, name))

    def written(self) -> str:
        """As canonical JSON: names sorted, what was not asked left out, ASCII only."""
        return json.dumps(dict(_asked(self)), sort_keys=True, separators=(",", ":"))

    @classmethod
    def read(cls, text: str, definitions: Definitions) -> Question:
        """Read what :meth:`written` gave; raises ProfileError or ValueError where it gave something else."""
        given = json.loads(text)
        if not isinstance(given, dict) or "patient" not in given:
            raise ValueError("is not a question about a patient")
        patient = Patient.model_validate(given.pop("patient"), context=definitions)
        stated = given.pop("weights", None)
        circumstances = Circumstances.model_validate(given)
        return cls(
            patient=patient,
            weights=None if stated is None else _weights(stated),
            **{name: getattr(circumstances, name) for name in Circumstances.__struct_fields__},
        )


def _weights(stated: object) -> Weights:
    from bcma_decide.patient.stated_weights import Weights  # its validator is slow to load

    return Weights.model_validate(stated)


def _asked(value: Value) -> Iterator[tuple[str, object]]:
    """The fields that are not as they are where nothing is said, as plain data."""
    names, defaults = value.__struct_fields__, value.__struct_defaults__
    required = len(names) - len(defaults)
    yield from ((name, _plain(getattr(value, name))) for name in names[:required])
    for name, default in zip(names[required:], defaults, strict=True):
        found = getattr(value, name)
        if found != default:
            yield name, _plain(found)


def _plain(value: Any) -> object:  # noqa: ANN401  # any part of a question
    if isinstance(value, Patient):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, Value):
        return dict(_asked(value))
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Day):
        return value.isoformat()
    if value is None or isinstance(value, (str, int, float)):
        return value
    return value.model_dump(mode="json", exclude_defaults=True)
