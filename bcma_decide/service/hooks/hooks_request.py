"""What a CDS client sends: the call of a service and the feedback on its cards, as CDS Hooks 2.0 has them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_NAME = Field(min_length=1, max_length=256)


def bare_id(text: str) -> str:
    """The id of a patient, who may be named as a reference."""
    return text.removeprefix("Patient/")


class ReceivedHook(BaseModel):
    """Base of what a client sends; what is not known here is passed over, as the standard asks."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class FhirAuthorization(ReceivedHook):
    """Leave to read the client's FHIR server: used for this one call, never kept and never logged.

    The scope is not looked at: what it does not cover the server refuses, or leaves out.
    """

    access_token: str = Field(min_length=1, repr=False)
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str
    subject: str
    patient: str | None = None


class PatientViewContext(ReceivedHook):
    """Who looks at which patient."""

    userId: str = _NAME  # noqa: N815  # the standard's own names
    patientId: Annotated[str, _NAME, AfterValidator(bare_id)]  # noqa: N815


class OrderSelectContext(PatientViewContext):
    """Which orders are being written, and which of them were chosen just now."""

    selections: list[str]
    draftOrders: dict[str, Any]  # noqa: N815


class HooksRequest(ReceivedHook):
    """The call of a service."""

    hook: str = _NAME
    hookInstance: UUID  # noqa: N815
    context: dict[str, Any]
    fhirServer: str | None = None  # noqa: N815
    fhirAuthorization: FhirAuthorization | None = None  # noqa: N815
    prefetch: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _server_with_authorization(self) -> HooksRequest:
        if self.fhirAuthorization is not None and not self.fhirServer:
            raise ValueError("fhirServer is required with fhirAuthorization")
        return self


class OverrideReason(ReceivedHook):
    """Why a card was dismissed; the comment is read over."""

    reason: dict[str, Any] | None = None


class FeedbackEntry(ReceivedHook):
    """What became of one card."""

    card: UUID
    outcome: Literal["accepted", "overridden"]
    overrideReason: OverrideReason | None = None  # noqa: N815
    outcomeTimestamp: datetime | None = None  # noqa: N815


class Feedback(ReceivedHook):
    """What became of cards."""

    feedback: list[FeedbackEntry] = Field(min_length=1, max_length=1_000)
