"""REST: a profile or a record in, a comparison out, as JSON, page, paper or FHIR; and what stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from bcma_decide.comparison import Comparison
from bcma_decide.errors import BcmaDecideError, Problem
from bcma_decide.fhir.writing.bundle import bundle_json, fhir_bundle, patient_reference
from bcma_decide.fhir.writing.parts import AUTHORS, is_reference
from bcma_decide.render.sheet.html import render_html
from bcma_decide.render.sheet.sheet import Paper, Sheet
from bcma_decide.render.words.language import SOURCE, Audience
from bcma_decide.service.answering import AUDIT_HEADER, Answered, answer, nothing
from bcma_decide.service.callers.tokens import issuer_of
from bcma_decide.service.http.headers import PAGE_HEADERS, SHEET_POLICY
from bcma_decide.service.http.problems import PROBLEM_TYPE, Refusal
from bcma_decide.service.page.page_access import wants_page
from bcma_decide.service.page.page_view import evidence_html
from bcma_decide.service.rest.comparison_request import ComparisonRequest, ReceivedComparison, question_of, receive
from bcma_decide.service.rest.evidence_view import EvidenceView, evidence_view
from bcma_decide.service.rest.media import FHIR, TYPES, Format, negotiated
from bcma_decide.service.rest.openapi import comparison_body, json_of
from bcma_decide.service.service import Service
from bcma_decide.time_course import Clock
from bcma_decide.vocabulary import Design

_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": text, "content": {PROBLEM_TYPE: {}}}
    for status, text in (
        (400, "The body is not JSON."),
        (401, "No token that admits the caller."),
        (406, "None of the forms asked for."),
        (413, "Too large."),
        (415, "The body is not declared as JSON."),
        (422, "The profile, the record, the region or the sheet cannot be used; `errors` has every field or place."),
        (429, "Too many requests."),
        (501, "No records are read here."),
        (503, "Too slow, the answer cannot be recorded, or a part for the PDF is not installed."),
    )
}
_FORMS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The comparison: JSON (the default), an HTML page, a PDF with the JSON inside, or FHIR R4.",
        "content": {**json_of(Comparison), "text/html": {}, "application/pdf": {}, FHIR: {}},
        "headers": {
            AUDIT_HEADER: {
                "description": "The record of this answer, where the service keeps an audit.",
                "schema": {"type": "string", "format": "uuid"},
            }
        },
    }
}

_BESIDE: Final = Query(description=f"With a Bundle as the body ({FHIR}) only; otherwise it stands in the body.")


def rest_router(service: Service) -> APIRouter:
    """Build ``POST /comparisons``, ``GET /evidence`` and ``GET /schema``."""
    router = APIRouter(tags=["REST"])

    @router.post(
        "/comparisons",
        summary="Compare for one patient",
        response_model=None,
        responses={**_FORMS, **_REFUSALS},
        openapi_extra=comparison_body(ComparisonRequest),
    )
    async def comparisons(
        request: Request,
        format: Format | None = None,  # noqa: A002, RUF100  # the name of the parameter
        audience: Audience = "clinician",
        paper: Paper = "A4",
        lang: str = SOURCE,
        with_pdf: Annotated[bool, Query(description="With FHIR: the sheet inside, as a DocumentReference.")] = False,
        author: Annotated[str, Query(description="With FHIR: whom the document is by, as in Practitioner/7.")] = "",
        encounter: Annotated[str, Query(description="With FHIR: the visit it belongs to, as in Encounter/1.")] = "",
        setting: Annotated[Design | None, _BESIDE] = None,
        clock: Annotated[Clock | None, _BESIDE] = None,
        region: Annotated[str | None, _BESIDE] = None,
        date: Annotated[str | None, _BESIDE] = None,
        infer: Annotated[bool | None, _BESIDE] = None,
        order: Annotated[bool | None, _BESIDE] = None,
    ) -> Response:
        """Put both classes side by side; nothing of the patient is kept, except in the audit where there is one.

        The patient is a profile or a FHIR record in a JSON request, or a FHIR Bundle as the whole body.
        """
        form = negotiated(request.headers.get("accept"), format)
        named = _named(author, encounter)
        beside = {"setting": setting, "clock": clock, "region": region, "date": date, "infer": infer, "order": order}
        received = await receive(service, request, beside)
        try:
            sheet = Sheet(audience=audience, paper=paper, language=lang)
            asks, issuer = partial(question_of, service, received), issuer_of(request.scope)
            if form == "pdf" or (form == "fhir" and with_pdf):
                answered, _ = await answer(service, asks, nothing, face="rest", issuer=issuer, size=received.size)
                document = await service.printing.pdf(answered.comparison, sheet)
                drawn = document
                if form == "fhir":
                    drawn = await service.threads.run(_as_fhir, service, received, document, named, answered)
            else:
                draws: Callable[[Answered], bytes] = _as_json
                if form == "html":
                    draws = partial(_as_page, sheet)
                elif form == "fhir":
                    draws = partial(_as_fhir, service, received, None, named)
                answered, drawn = await answer(service, asks, draws, face="rest", issuer=issuer, size=received.size)
            return Response(drawn, media_type=TYPES[form], headers={**_HEADERS[form], **answered.headers})
        except BcmaDecideError as error:
            raise Refusal.of(error) from None

    @router.get(
        "/evidence",
        summary="What stands behind the numbers",
        response_model=None,
        responses={200: {"content": {**json_of(EvidenceView), "text/html": {}}}},
    )
    async def evidence(request: Request) -> Response:
        """Evidence and its date, versions, counts, regions, outcomes, and the fields of a profile with their units."""
        vary = {"Vary": "Accept"}
        if service.settings.page != "off" and wants_page(request):
            page = await service.threads.run(evidence_html, service)
            return HTMLResponse(page, headers={**vary, **PAGE_HEADERS})
        return JSONResponse(evidence_view(service.pooled, service.today()).model_dump(mode="json"), headers=vary)

    @router.get("/schema", summary="JSON Schema of a comparison")
    async def schema() -> dict[str, Any]:
        """Describe the JSON of a comparison."""
        return Comparison.model_json_schema(mode="serialization")

    return router


def _named(author: str, encounter: str) -> dict[str, str]:
    """Whom a document is by and the visit it belongs to; raises Refusal (422)."""
    wrong = [
        Problem(field, "is no reference", f"write it as {kinds[0]}/1")
        for field, text, kinds in (("author", author, AUTHORS), ("encounter", encounter, ("Encounter",)))
        if text and not is_reference(text, *kinds)
    ]
    if wrong:
        raise Refusal(422, "the request cannot be used", wrong, name="invalid-request")
    return {"author": author, "encounter": encounter}


_HEADERS: Final[dict[Format, dict[str, str]]] = {
    "json": {"Vary": "Accept"},
    "html": {"Vary": "Accept", "Content-Security-Policy": SHEET_POLICY},
    "pdf": {"Vary": "Accept", "Content-Disposition": 'inline; filename="comparison.pdf"'},
    "fhir": {"Vary": "Accept"},
}


def _as_json(answered: Answered) -> bytes:
    return answered.document


def _as_page(sheet: Sheet, answered: Answered) -> bytes:
    return render_html(answered.comparison, sheet).encode()


def _as_fhir(
    service: Service, received: ReceivedComparison, pdf: bytes | None, named: Mapping[str, str], answered: Answered
) -> bytes:
    """The comparison as a Bundle; of a record, about its patient."""
    request = received.request
    subject = patient_reference(request.record) if request.from_record else None
    bundle = fhir_bundle(
        answered.comparison, service.pooled.codes, recorded=datetime.now(UTC), subject=subject, pdf=pdf, **named
    )
    return bundle_json(bundle).encode()
