"""The web page: a form with the comparison beside it, with or without scripts.

A field that cannot be used is marked and left out; everything else is still answered.

A patient is in the body of a POST and in its answer, never in an address, a cookie or a log. ``GET /`` is where a
launch from a record leads to: the session it opened fills the form.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from bcma_decide.comparing.compare import check_region
from bcma_decide.comparing.question import Question
from bcma_decide.errors import BcmaDecideError, Problem
from bcma_decide.fhir.reading.ledger import replaced
from bcma_decide.guide import INDEX
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.files import profile_text
from bcma_decide.patient.profile import Patient
from bcma_decide.service.answering import answer, nothing
from bcma_decide.service.http.headers import PAGE_HEADERS, READING_HEADERS
from bcma_decide.service.http.problems import Refusal
from bcma_decide.service.page.assets import assets
from bcma_decide.service.page.form_values import profile_of, texts_of
from bcma_decide.service.page.form_view import field_of
from bcma_decide.service.page.page_access import GUIDE, enter
from bcma_decide.service.page.page_input import PROFILES, Entered, from_address, from_file, from_form
from bcma_decide.service.page.page_view import Shown, guide_html, page_html, refused_html, result_html
from bcma_decide.service.page.view_options import usual_view
from bcma_decide.service.service import Service
from bcma_decide.service.sessions import Filled
from bcma_decide.spellings import iso_day

Reads = Callable[[Service, Request, Filled | None], Awaitable[Entered]]

_KEPT: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
"""The name of a file changes with its content."""
_NOTE: Final = "replaced on the page"


def page_router(service: Service) -> APIRouter:
    """Build ``/``, ``/page/...``, ``/guide/...`` and ``/static/...``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page(request: Request) -> Response:
        return await _page(service, request, from_address)

    @router.post("/")
    async def sent(request: Request) -> Response:
        return await _page(service, request, from_form)

    @router.post("/page/open")
    async def opened(request: Request) -> Response:
        return await _page(service, request, from_file)

    @router.post("/page/result")
    async def result(request: Request) -> Response:
        return await _result(service, request)

    @router.get(GUIDE)
    @router.get(f"{GUIDE}/{{topic:path}}")
    async def guide(topic: str = "") -> Response:
        text, status = await service.threads.run(guide_html, service, topic or INDEX)
        return _html(text, status, READING_HEADERS)

    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        asset = assets().get(name)
        if asset is None:
            raise Refusal(404)
        return Response(asset.content, headers=_KEPT, media_type=asset.media_type)

    return router


async def _page(service: Service, request: Request, reads: Reads) -> Response:
    """Answer with the whole page, or with the file that was asked for."""
    try:
        filled = await enter(service, request)
        entered = await reads(service, request, filled)
        shown = await _shown(service, entered, filled)
        if entered.form and not shown.problems:
            return await _file(service, entered, shown)
        page = await service.threads.run(page_html, service, shown, _address(service, request))
    except Refusal as refusal:
        return _html(refused_html(service, refusal.detail), refusal.status)
    return _html(page, 422 if entered.form else _status(shown), shown.headers)


async def _result(service: Service, request: Request) -> Response:
    """Answer with what changes on the page with every entry."""
    try:
        filled = await enter(service, request)
        entered = await from_form(service, request, filled)
        shown = await _shown(service, entered, filled)
    except Refusal as refusal:
        status, shown = refusal.status, Shown(usual_view(service), problems=(Problem("", refusal.detail),))
    else:
        status = _status(shown)
    part = await service.threads.run(result_html, service, shown, _address(service, request))
    return _html(part, status, shown.headers)


async def _shown(service: Service, entered: Entered, filled: Filled | None) -> Shown:
    """Compare, leaving out the fields that cannot be used, or say why not.

    Raises Refusal where the reason is not what was entered.
    """
    changed = _changed(entered, filled) if filled else frozenset[str]()
    answered, problems = None, entered.problems
    while answered is None and (left_out := _left_out(problems)) is not None:
        try:
            asks = partial(_question, service, entered, left_out, filled, changed)
            if entered.form in PROFILES and not problems:
                await service.threads.run(asks)
                break
            answered, _ = await answer(service, asks, nothing, face="page")
        except BcmaDecideError as error:
            refusal = Refusal.of(error)
            if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise refusal from None
            further = error.problems or (Problem("", error.message),)
            if not _named(further) - left_out:  # nothing more to leave out
                further = (*further, Problem("", error.message))
            problems = (*problems, *further)
    return Shown(
        entered.view,
        entered.texts,
        answered,
        problems,
        filled,
        changed,
        example=entered.example,
        day_text=entered.day_text,
    )


def _status(shown: Shown) -> int:
    """Whether there is an answer; one without some of the fields is one."""
    return HTTPStatus.OK if shown.answered else HTTPStatus.UNPROCESSABLE_ENTITY


def _named(problems: Iterable[Problem]) -> frozenset[str]:
    return frozenset(field_of(problem) for problem in problems)


def _left_out(problems: Iterable[Problem]) -> frozenset[str] | None:
    """Fields of the profile that cannot be used; None where something else is wrong as well."""
    named = _named(problems)
    return named if named <= FIELDS.keys() else None


def _changed(entered: Entered, filled: Filled) -> frozenset[str]:
    """Fields that hold something else than the record gave, or nothing any more."""
    now, before = profile_of(entered.texts), profile_of(texts_of(filled.values))
    return frozenset(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))


def _question(
    service: Service, entered: Entered, left_out: frozenset[str], filled: Filled | None, changed: frozenset[str]
) -> Question:
    view = entered.view
    values = {name: value for name, value in profile_of(entered.texts).items() if name not in left_out}
    view.sheet()  # what cannot be printed is said before anything is compared
    check_region(service.pooled, view.region)
    return Question(
        patient=Patient.read(values, service.pooled.definitions),
        setting=view.setting,
        region=view.region,
        date=iso_day(view.date),
        clock=view.clock,
        order=view.order,
        explain=(view.explain,) if view.explain else (),
        name=entered.example or None,
        record=replaced(filled.ledger, dict.fromkeys(changed, _NOTE)) if filled else None,
    )


async def _file(service: Service, entered: Entered, shown: Shown) -> Response:
    """The sheet on paper, or the profile as a file that the command line reads."""
    if shown.answered is None:
        text = profile_text(profile_of(entered.texts), as_json=entered.form == "json")
        return _attached(text.encode(), f"application/{entered.form}", f"profile.{entered.form}")
    document = await service.printing.pdf(shown.answered.comparison, entered.view.sheet())
    return _attached(document, "application/pdf", "comparison.pdf", shown.headers)


def _attached(content: bytes, media_type: str, name: str, headers: Mapping[str, str] | None = None) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers={**(headers or {}), **disposition})


def _html(text: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(text.encode(), status, {**PAGE_HEADERS, **(headers or {})}, "text/html")


def _address(service: Service, request: Request) -> str:
    return service.settings.public_url or str(request.base_url).rstrip("/")
