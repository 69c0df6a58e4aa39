"""What ``POST /comparisons`` takes: a profile or a FHIR record in a JSON request, or a FHIR Bundle as the body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as Day  # noqa: N812  # a field is called date
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from starlette.requests import Request

from bcma_decide.comparing.question import Question
from bcma_decide.comparison import RecordLedger
from bcma_decide.errors import Problem, ProfileError, WeightsError
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.stated_weights import Weights
from bcma_decide.patient.weights import check_weights
from bcma_decide.pooled.criteria import criteria_of
from bcma_decide.service.http.bodies import content_type, read_object, read_shape
from bcma_decide.service.http.problems import Refusal
from bcma_decide.service.rest.media import FHIR
from bcma_decide.service.rest.openapi import profile_schema, record_schema
from bcma_decide.service.service import Service
from bcma_decide.spellings import iso_day
from bcma_decide.time_course import Clock
from bcma_decide.vocabulary import DEFAULT_REGION, EXPLAINED, Design

_CANNOT: Final = "the request cannot be used"


class ComparisonRequest(BaseModel):
    """Whom to compare for, and how; either ``profile`` or ``record``."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"oneOf": [{"required": ["profile"]}, {"required": ["record"]}]},
    )

    profile: dict[str, Any] = Field(default_factory=dict, json_schema_extra=profile_schema())
    record: dict[str, Any] = Field(default_factory=dict, json_schema_extra=record_schema())
    """A FHIR R4 Bundle of one patient."""
    setting: Design = "real_world"
    region: str = Field(default=DEFAULT_REGION, max_length=40)
    date: str | None = Field(
        default=None, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"}
    )
    """As of which day labels and rules are judged, and to which ages in a record are counted; default the date of the
    evidence, for a record today."""
    clock: Clock = "infusion"
    """What response and survival are shown from in a page or a sheet; it changes no number."""
    infer: bool = False
    """Use the lines of therapy inferred from the dates of drugs in a record."""
    weights: Weights | None = None
    """What matters to the person: how often each option then ranks first is added, no other number changes."""
    explain: tuple[str, ...] = Field(
        default=(), max_length=len(EXPLAINED), json_schema_extra={"items": {"enum": [*EXPLAINED]}}
    )
    order: bool = False
    """Include CAR-T and a bispecific antibody one after the other, in either order."""
    pair: tuple[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=40)]] | None = None
    """Include the differences of two options, classes or products."""

    @field_validator("date")
    @classmethod
    def _is_a_day(cls, text: str | None) -> str | None:
        try:
            iso_day(text or "2000-01-01")
        except ValueError:
            raise ValueError("is not a day of the calendar") from None
        return text

    @field_validator("explain")
    @classmethod
    def _are_outcomes(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in EXPLAINED]:
            raise ValueError(f"{len(unknown)} not an outcome; one of {', '.join(EXPLAINED)}")
        return names

    @model_validator(mode="after")
    def _one_patient(self) -> ComparisonRequest:
        if ("profile" in self.model_fields_set) == self.from_record:
            raise ValueError("give either profile or record")
        if self.infer and not self.from_record:
            raise ValueError("infer belongs to a record")
        return self

    @property
    def from_record(self) -> bool:
        """Whether the patient comes from a record."""
        return "record" in self.model_fields_set


@dataclass(frozen=True)
class ReceivedComparison:
    """A request, and what places in its record begin with in messages."""

    request: ComparisonRequest
    size: int
    """Bytes of the body."""
    place: str = "record."


async def receive(service: Service, request: Request, options: Mapping[str, object]) -> ReceivedComparison:
    """Read the body: a request of ours, or a Bundle with the options of the query.

    Raises
    ------
    Refusal
        400, 415 or 422 with every field that is wrong.
    """
    content = await read_object(request, service.threads)
    size = len(await request.body())
    given = {name: value for name, value in options.items() if value is not None}
    if content_type(request) == FHIR:
        beside = {**given, "record": content}
        return ReceivedComparison(read_shape(ComparisonRequest, beside, 422, _CANNOT), size, place="")
    problems = [Problem(name, "belongs in the body here", f"in the query only beside {FHIR}") for name in given]
    if "resourceType" in content:
        problems.append(Problem("resourceType", "is FHIR", f"send Content-Type: {FHIR}, or put it in the field record"))
    if problems:
        raise Refusal(422, _CANNOT, problems, name="invalid-request")
    return ReceivedComparison(read_shape(ComparisonRequest, content, 422, _CANNOT), size)


def question_of(service: Service, received: ReceivedComparison) -> Question:
    """Read the patient; of a record also what it held, as of the day asked for, else today.

    Raises
    ------
    ProfileError, WeightsError
        When the profile or the weights cannot be used.
    Refusal
        422 when the record cannot be, with the place in it; 501 when the service reads none.
    """
    request = received.request
    day = iso_day(request.date) if request.date else None
    if request.from_record:
        return _of_record(service, received, day or service.today())
    try:
        patient = Patient.read(request.profile, service.pooled.definitions)
    except ProfileError as error:
        placed = [Problem(f"profile.{each.field}", each.message, each.fix) for each in error.problems]
        raise ProfileError(error.message, placed) from None
    return _asked(service, request, patient, day)


def _of_record(service: Service, received: ReceivedComparison, on: Day) -> Question:
    request = received.request
    if service.reader is None:
        raise Refusal(501, "this service reads no records: send a profile")
    try:
        reading = service.reader(request.record, on, infer=request.infer)
    except ProfileError as error:
        placed = [
            Problem(f"{received.place}{each.field}".strip("."), each.message, each.fix) for each in error.problems
        ]
        raise Refusal(422, error.message, placed, name="invalid-record") from None
    return _asked(service, request, reading.patient, on, reading.ledger)


def _asked(
    service: Service, request: ComparisonRequest, patient: Patient, on: Day | None, record: RecordLedger | None = None
) -> Question:
    """What was asked of a patient; of one read from a record with what became of its values."""
    return Question(
        patient=patient,
        setting=request.setting,
        region=request.region,
        date=on,
        explain=request.explain,
        clock=request.clock,
        weights=_weights(service, request),
        order=request.order,
        pair=request.pair,
        record=record,
    )


def _weights(service: Service, request: ComparisonRequest) -> Weights | None:
    """The weights, once they are known to mean something; raises WeightsError with their places in the body."""
    if request.weights is None:
        return None
    try:
        check_weights(request.weights, criteria_of(service.pooled))
    except WeightsError as error:
        placed = [Problem(f"weights.{each.field}", each.message, each.fix) for each in error.problems]
        raise WeightsError(error.message, placed) from None
    return request.weights
