"""What a CDS client sends: the call of a service and the feedback on its cards, as CDS Hooks 2.0 has them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

BEARER: Final = "Bearer"
_NAME = Field(min_length=1, max_length=256)


def bare_id(text: str) -> str:
    """The id of a patient, who may be named as a reference."""
    return text.removeprefix("Patient/")


def _or_nothing(value: object) -> object:
    """Clients that have nothing to send write null, which the standard does not have."""
    return {} if value is None else value


def _as_written(kind: object) -> object:
    """The kind of a token as the standard writes it."""
    return BEARER if isinstance(kind, str) and kind.casefold() == BEARER.casefold() else kind


class ReceivedHook(BaseModel):
    """Base of what a client sends; what is not known here is passed over, as the standard asks."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class FhirAuthorization(ReceivedHook):
    """Leave to read the client's FHIR server: used for this one call, never kept and never logged.

    The scope is not looked at: what it does not cover the server refuses, or leaves out.
    """

    access_token: str = Field(min_length=1, repr=False)
    token_type: Annotated[Literal["Bearer"], BeforeValidator(_as_written)]
    """In any case, as RFC 6749 has it."""
    expires_in: int
    scope: str = ""
    subject: str = ""
    patient: str | None = None


class PatientViewContext(ReceivedHook):
    """Who looks at which patient."""

    userId: str = _NAME  # noqa: N815  # the standard's own names
    patientId: Annotated[str, _NAME, AfterValidator(bare_id)]  # noqa: N815


class OrderSignContext(PatientViewContext):
    """Which orders are about to be signed."""

    draftOrders: dict[str, Any]  # noqa: N815


class OrderSelectContext(OrderSignContext):
    """Which orders are being written, and which of them were chosen just now."""

    selections: list[str]


class HooksRequest(ReceivedHook):
    """The call of a service."""

    hook: str = _NAME
    hookInstance: UUID  # noqa: N815
    context: dict[str, Any]
    fhirServer: str | None = None  # noqa: N815
    fhirAuthorization: FhirAuthorization | None = None  # noqa: N815
    prefetch: Annotated[dict[str, Any], BeforeValidator(_or_nothing)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _server_with_authorization(self) -> HooksRequest:
        if self.fhirAuthorization is not None and not self.fhirServer:
            raise ValueError("fhirServer is required with fhirAuthorization")
        return self


class OverrideReason(ReceivedHook):
    """Why a card was dismissed; the comment is read over."""

    reason: dict[str, Any] | None = None


class AcceptedSuggestion(ReceivedHook):
    """A suggestion that was taken; the cards of this service have none."""

    id: str = _NAME


class FeedbackEntry(ReceivedHook):
    """What became of one card."""

    card: UUID
    outcome: Literal["accepted", "overridden"]
    acceptedSuggestions: list[AcceptedSuggestion] = Field(default_factory=list)  # noqa: N815
    overrideReason: OverrideReason | None = None  # noqa: N815
    outcomeTimestamp: datetime | None = None  # noqa: N815


class Feedback(ReceivedHook):
    """What became of cards."""

    feedback: list[FeedbackEntry] = Field(min_length=1, max_length=1_000)
