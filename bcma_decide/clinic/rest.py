"""REST: a profile in, a comparison out, as JSON, as a page or on paper; and what stands behind it."""

from __future__ import annotations

from datetime import date as Day  # noqa: N812  # a field is called date
from typing import Any, Final, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.responses import HTMLResponse, JSONResponse, Response

from bcma_decide.assemble import compare
from bcma_decide.clinic.bodies import read_object, read_shape
from bcma_decide.clinic.evidence_view import EvidenceView, evidence_view
from bcma_decide.clinic.headers import PAGE_HEADERS, SHEET_POLICY
from bcma_decide.clinic.media import Format, negotiated
from bcma_decide.clinic.openapi import body_of, comparison_examples, profile_schema
from bcma_decide.clinic.page_access import wants_page
from bcma_decide.clinic.page_view import evidence_html
from bcma_decide.clinic.problems import PROBLEM_TYPE, Refusal
from bcma_decide.clinic.service import Service
from bcma_decide.comparison import Comparison
from bcma_decide.errors import BcmaDecideError, Problem, ProfileError
from bcma_decide.patient import Patient
from bcma_decide.render.html import render_html
from bcma_decide.render.language import SOURCE, Audience
from bcma_decide.render.pdf import missing, render_pdf
from bcma_decide.render.sheet import Paper, Sheet, result_json
from bcma_decide.vocabulary import DEFAULT_REGION, OUTCOMES, Design

_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": text, "content": {PROBLEM_TYPE: {}}}
    for status, text in (
        (400, "The body is not JSON."),
        (401, "No token that admits the caller."),
        (406, "None of the forms asked for."),
        (413, "Too large."),
        (415, "The body is not declared as JSON."),
        (422, "The profile, the region or the sheet cannot be used; `errors` has every field."),
        (429, "Too many requests."),
        (503, "Too slow, or a part for the PDF is not installed."),
    )
}
_FORMS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": Comparison,
        "description": "The comparison: JSON (the default), an HTML page, or a PDF with the JSON inside.",
        "content": {"text/html": {}, "application/pdf": {}},
    }
}


class ComparisonRequest(BaseModel):
    """Whom to compare for, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: dict[str, Any] = Field(json_schema_extra=profile_schema())
    setting: Design = "real_world"
    region: str = Field(default=DEFAULT_REGION, max_length=40)
    date: str | None = Field(
        default=None, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"}
    )
    """As of which day labels and rules are judged; default the date of the evidence."""
    explain: tuple[str, ...] = Field(
        default=(), max_length=len(OUTCOMES), json_schema_extra={"items": {"enum": [*OUTCOMES]}}
    )

    @field_validator("date")
    @classmethod
    def _is_a_day(cls, text: str | None) -> str | None:
        try:
            Day.fromisoformat(text or "2000-01-01")
        except ValueError:
            raise ValueError("is not a day of the calendar") from None
        return text

    @field_validator("explain")
    @classmethod
    def _are_outcomes(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in OUTCOMES]:
            raise ValueError(f"{len(unknown)} not an outcome; one of {', '.join(OUTCOMES)}")
        return names


def rest_router(service: Service) -> APIRouter:
    """Build ``POST /comparisons``, ``GET /evidence`` and ``GET /schema``."""
    router = APIRouter(tags=["REST"])

    @router.post(
        "/comparisons",
        summary="Compare for one patient",
        response_model=None,
        responses={**_FORMS, **_REFUSALS},
        openapi_extra=body_of(ComparisonRequest, comparison_examples()),
    )
    async def comparisons(
        request: Request,
        format: Literal["json", "html", "pdf"] | None = None,  # noqa: A002, RUF100  # the name of the parameter
        audience: Audience = "clinician",
        paper: Paper = "A4",
        lang: str = SOURCE,
    ) -> Response:
        """Put both classes side by side; nothing of the patient is kept."""
        form = negotiated(request.headers.get("accept"), format)
        asked = read_shape(ComparisonRequest, await read_object(request), 422, "the request cannot be used")
        try:
            sheet = Sheet(audience=audience, paper=paper, language=lang)
            comparison = await service.workers.run(_compare, service, asked)
            return await _written(service, comparison, sheet, form)
        except BcmaDecideError as error:
            raise Refusal.of(error) from None

    @router.get(
        "/evidence",
        summary="What stands behind the numbers",
        response_model=None,
        responses={200: {"model": EvidenceView, "content": {"text/html": {}}}},
    )
    async def evidence(request: Request) -> Response:
        """Evidence and its date, versions, counts, regions, outcomes, and the fields of a profile with their units."""
        vary = {"Vary": "Accept"}
        if service.settings.page != "off" and wants_page(request):
            page = await service.workers.run(evidence_html, service)
            return HTMLResponse(page, headers={**vary, **PAGE_HEADERS})
        return JSONResponse(evidence_view(service.model, service.today()).model_dump(mode="json"), headers=vary)

    @router.get("/schema", summary="JSON Schema of a comparison")
    async def schema() -> dict[str, Any]:
        """Describe the JSON of a comparison."""
        return Comparison.model_json_schema(mode="serialization")

    return router


def _compare(service: Service, asked: ComparisonRequest) -> Comparison:
    try:
        patient = Patient.read(asked.profile, service.model.definitions)
    except ProfileError as error:
        placed = [Problem(f"profile.{each.field}", each.message, each.fix) for each in error.problems]
        raise ProfileError(error.message, placed) from None
    return compare(
        patient,
        setting=asked.setting,
        region=asked.region,
        date=Day.fromisoformat(asked.date) if asked.date else None,
        explain=asked.explain,
        model=service.model,
    )


async def _written(service: Service, comparison: Comparison, sheet: Sheet, form: Format) -> Response:
    vary = {"Vary": "Accept"}
    if form == "json":
        text = await service.workers.run(result_json, comparison)
        return Response(text, media_type="application/json", headers=vary)
    if form == "html":
        page = await service.workers.run(render_html, comparison, sheet)
        return Response(page, media_type="text/html", headers={**vary, "Content-Security-Policy": SHEET_POLICY})
    if needed := missing():
        raise Refusal(503, f"a PDF cannot be written here; install: {needed}")
    document = await service.workers.run_printing(render_pdf, comparison, sheet)
    disposition = {"Content-Disposition": 'inline; filename="comparison.pdf"'}
    return Response(document, media_type="application/pdf", headers={**vary, **disposition})
