"""CDS Hooks 2.0.1, with the harmless parts of 3.0: discovery, three services, feedback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from bcma_decide.comparing.question import Question
from bcma_decide.errors import Problem, ProfileError
from bcma_decide.service.answering import Answered, answer
from bcma_decide.service.callers.tokens import issuer_of
from bcma_decide.service.hooks.cards import OVERRIDE_REASONS, REASONS, CardContext, card_of
from bcma_decide.service.hooks.completion import complete
from bcma_decide.service.hooks.hooks_request import (
    Feedback,
    FeedbackEntry,
    HooksRequest,
    OrderSelectContext,
    OrderSignContext,
    PatientViewContext,
)
from bcma_decide.service.hooks.not_used import not_understood, not_used
from bcma_decide.service.hooks.orders import ordered, sought
from bcma_decide.service.hooks.prefetch import Part, PrefetchedRecord, has_died, prefetched_record, sent_parts, size_of
from bcma_decide.service.http.bodies import INLINE, read_object, read_shape
from bcma_decide.service.http.problems import HOOKS_PATH, Refusal
from bcma_decide.service.rest.openapi import body_of, hooks_examples
from bcma_decide.service.service import Reader, Service
from bcma_decide.version import __version__
from bcma_decide.vocabulary import CLASS_LABELS, INTENDED_USE

VIEW: Final = "bcma-decide-patient-view"
SELECT: Final = "bcma-decide-order-select"
SIGN: Final = "bcma-decide-order-sign"
_HOOKS: Final = {VIEW: "patient-view", SELECT: "order-select", SIGN: "order-sign"}
_CONTEXTS: Final[dict[str, type[PatientViewContext]]] = {
    VIEW: PatientViewContext,
    SELECT: OrderSelectContext,
    SIGN: OrderSignContext,
}
_WHEN: Final = {
    VIEW: "when the record of a patient with multiple myeloma is opened",
    SELECT: "when one of them is ordered for a patient with multiple myeloma, or a referral asks for one",
    SIGN: "when an order or a referral of one of them is signed for a patient with multiple myeloma",
}
_REQUIREMENTS: Final = (
    "Needs the patient and the diagnoses; whatever else is missing counts as unknown. What is not sent is read from "
    "fhirServer where that server is configured here."
)
_HOOK_VERSION: Final = "1.0"


def discovery(templates: Mapping[str, str]) -> dict[str, Any]:
    """Describe the services, with what is asked for."""
    first, second = (long for _, long in CLASS_LABELS.values())
    return {
        "services": [
            {
                "hook": _HOOKS[name],
                "id": name,
                "title": "BCMA therapies side by side",
                "description": f"Puts {first} and {second} side by side {_WHEN[name]}. {INTENDED_USE}",
                "usageRequirements": _REQUIREMENTS,
                "prefetch": dict(templates),
                "version": __version__,
                "hookVersion": _HOOK_VERSION,
            }
            for name in _HOOKS
        ]
    }


def hooks_router(service: Service, reader: Reader) -> APIRouter:
    """Build the routes below ``/cds-services``; records are read by ``reader``."""
    router = APIRouter(prefix=HOOKS_PATH, tags=["CDS Hooks"])
    wanted = sought(service.pooled)

    def sent(hook: HooksRequest, context: PatientViewContext) -> tuple[dict[str, Part], tuple[str, ...]] | None:
        """What came along and what is ordered, or None where the order is of something else."""
        orders: tuple[str, ...] = ()
        if isinstance(context, OrderSignContext):
            selections = context.selections if isinstance(context, OrderSelectContext) else None
            orders = ordered(context.draftOrders, selections, wanted)
            if not orders:
                return None
        return sent_parts(hook.prefetch), orders

    @router.get("", summary="Discovery")
    async def discover() -> JSONResponse:
        return JSONResponse(discovery(service.fhir.searches.templates))

    @router.post("/{service_id}", summary="Call a service", openapi_extra=body_of(HooksRequest, hooks_examples()))
    async def call(service_id: str, request: Request) -> Response:
        """Answer with one card, or with none where the comparison does not concern the patient or the order.

        What was not sent is read from ``fhirServer`` if that server is configured here; no other is contacted.
        """
        _known(service_id)
        content = await read_object(request, service.threads)
        hook = read_shape(HooksRequest, content, 400, "malformed")
        if hook.hook != _HOOKS[service_id]:
            raise Refusal(400, "malformed", [Problem("hook", f"is not {_HOOKS[service_id]}")])
        context = read_shape(_CONTEXTS[service_id], hook.context, 400, "malformed context")
        size = len(await request.body())
        came = sent(hook, context) if size < INLINE else await service.threads.run_sized(size, sent, hook, context)
        if came is None:
            return JSONResponse({"cards": []})
        parts, orders = came
        parts = await complete(service.fhir, hook, context.patientId, parts)
        called = _Called(service, hook, context.patientId, orders, parts)
        issuer = issuer_of(request.scope)
        try:
            asks = partial(called.question, reader)
            size = max(size, size_of(parts))
            answered, body = await answer(
                service, asks, called.cards, face=_HOOKS[service_id], issuer=issuer, size=size
            )
        except _NoCard:
            return JSONResponse({"cards": []})
        return Response(body, media_type="application/json", headers=answered.headers)

    @router.post(
        "/{service_id}/feedback", summary="Say what became of a card", openapi_extra=body_of(Feedback, _FEEDBACK)
    )
    async def feedback(service_id: str, request: Request) -> Response:
        """Count it; neither the card nor a comment is kept."""
        _known(service_id)
        for entry in read_shape(Feedback, await read_object(request, service.threads), 400, "malformed").feedback:
            service.metrics.reported(entry.outcome, _reason(entry))
        return JSONResponse({})

    return router


_FEEDBACK: Final = {
    "dismissed": {
        "feedback": [
            {
                "card": "4e0a3a1e-3065-4ab7-b0b4-8a9a5a2b9a3e",
                "outcome": "overridden",
                "overrideReason": {"reason": {"code": "cds-not-applicable", "system": REASONS}},
                "outcomeTimestamp": "2026-11-25T10:00:00Z",
            }
        ]
    }
}


def _known(service_id: str) -> None:
    if service_id not in _HOOKS:
        raise Refusal(404, "there is no such service")


def _reason(entry: FeedbackEntry) -> str:
    """One of the reasons that cards offer; whatever else a client sends is *other*."""
    if entry.overrideReason is None or entry.overrideReason.reason is None:
        return "none"
    code = entry.overrideReason.reason.get("code")
    return code if isinstance(code, str) and code in OVERRIDE_REASONS else "other"


class _NoCard(Exception):  # noqa: N818  # an answer, not a mistake of the program
    """The comparison does not concern the patient."""


@dataclass(frozen=True)
class _Called:
    """A call of a service: what came with it or was read for it, and what is ordered."""

    service: Service
    hook: HooksRequest
    patient_id: str
    orders: tuple[str, ...]
    parts: Mapping[str, Part]

    @cached_property
    def record(self) -> PrefetchedRecord:
        """The record of the patient."""
        return prefetched_record(self.parts, self.patient_id, self.service.fhir.searches.templates)

    def question(self, reader: Reader) -> Question:
        """What to ask of it today; raises _NoCard where it names no myeloma, or the patient has died."""
        settings, today = self.service.settings, self.service.today()
        if has_died(self.record.parts["patient"].resources[0]):
            raise _NoCard
        try:
            reading = reader(self.record.bundle, today)
        except ProfileError as error:
            raise Refusal.of(error) from None
        if not reading.has_myeloma:
            raise _NoCard
        return Question(
            patient=reading.patient,
            setting=settings.setting,
            region=settings.region,
            date=today,
            record=reading.ledger,
        )

    def cards(self, answered: Answered) -> bytes:
        """The body of the answer, with one card."""
        settings, record = self.service.settings, answered.question.record
        context = CardContext(
            hook_instance=self.hook.hookInstance,
            pages_url=None if settings.page == "off" else settings.public_url,
            smart_launch_url=settings.smart_launch_url,
            not_read=self.record.not_read,
            not_understood=not_understood(record.unmapped) if record else (),
            not_used=not_used(record.inputs) if record else (),
            ordered=self.orders,
        )
        return bytes(JSONResponse({"cards": [card_of(answered.comparison, context, answered.identity)]}).body)
