"""Who sees the page, and whether a form was sent from it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import Scope

from bcma_decide.service.http.problems import Refusal, forgetful
from bcma_decide.service.rest.media import negotiated
from bcma_decide.service.service import Service
from bcma_decide.service.sessions import Filled
from bcma_decide.service.shared.store import StoreError

PAGE: Final = "/"
BELOW: Final = ("/static/", "/page/")
EVIDENCE: Final = "/evidence"
GUIDE: Final = "/guide"


def is_page(scope: Scope) -> bool:
    """Whether a request is for the page, which asks itself who may see it, and so needs no token.

    What stands behind the numbers is open to readers, as a page: cards link to it, and it says nothing of a patient.
    So is the guide.
    """
    path = str(scope["path"])
    if path == GUIDE or path.startswith(f"{GUIDE}/"):
        return str(scope["method"]) == "GET"
    if path == EVIDENCE:
        return scope["method"] == "GET" and wants_page(Request(scope))
    return path == PAGE or path.startswith(BELOW)


def wants_page(request: Request) -> bool:
    """Whether a client prefers HTML to JSON."""
    try:
        return negotiated(request.headers.get("accept"), None) == "html"
    except Refusal:
        return False


async def enter(service: Service, request: Request) -> Filled | None:
    """The record the page was opened from, if any.

    Raises
    ------
    Refusal
        403, where the page is shown from records only and this is none, or a form comes from elsewhere; 503 where
        sessions cannot be looked up.
    """
    try:
        filled = await service.sessions.find(request.cookies)
    except StoreError:
        raise forgetful() from None
    if filled is None and service.settings.page == "launch" and not service.settings.open:
        raise Refusal(403, "open this page from the record of a patient; a session may have ended")
    if request.method == "POST" and not _from_here(service, request, strict=filled is not None):
        raise Refusal(403, "this form was not sent from this page")
    return filled


def _from_here(service: Service, request: Request, *, strict: bool) -> bool:
    """Whether a browser says that its own page sent this; one that says nothing is believed only without a session."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")  # none: the person repeats what was sent
    origin = request.headers.get("origin")
    if origin is None:
        return not strict
    hosts = {request.headers.get("host"), urlsplit(service.settings.public_url or "").netloc or None}
    return urlsplit(origin).netloc in hosts - {None}
