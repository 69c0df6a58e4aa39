"""The routes below ``/smart``: a launch from an EHR, a start without one, and the return with the answer."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, RedirectResponse, Response

from bcma_decide.service.cookies import drop_cookie, set_cookie
from bcma_decide.service.fetching.fhir_client import FhirClient, fetch_parts
from bcma_decide.service.fetching.guarded_transport import Resolve
from bcma_decide.service.service import Reader, Service
from bcma_decide.service.settings import Ehr, Settings
from bcma_decide.service.smart.client_key import public_keys, read_client_keys
from bcma_decide.service.smart.configuration import Configuration, Discovery
from bcma_decide.service.smart.fill import Fetch, fill
from bcma_decide.service.smart.identity import check_identity
from bcma_decide.service.smart.login import PATIENCE, Login, Logins
from bcma_decide.service.smart.pages import choose_page, stopped_page
from bcma_decide.service.smart.refusal import OTHER, error_code, said_of
from bcma_decide.service.smart.stopped import AGAIN, TELL, Stopped
from bcma_decide.service.smart.token import Granted, exchange, revoke
from bcma_decide.service.smart.web import Web

SMART_PATH: Final = "/smart"
LONGEST: Final = 8_192
"""Characters of a parameter."""
RECORD_SECONDS: Final = 12.0
"""Time that reading a record may take at least: more than a card waits, less than people do."""


def add_smart(app: FastAPI, service: Service, reader: Reader, resolve: Resolve) -> None:
    """Add the routes, and the page of a launch that stops; raises ServiceError when a configured key is unusable."""
    settings = service.settings
    servers = tuple(ehr.iss.rstrip("/") for ehr in settings.smart)
    longer = max(settings.fhir_seconds, RECORD_SECONDS)
    reading = settings.model_copy(update={"fhir_servers": servers, "fhir_seconds": longer})
    client = FhirClient(reading, service.metrics, service.fhir.searches, resolve=resolve)
    app.include_router(smart_router(service, reader, Web(settings, resolve), partial(fetch_parts, client)))

    async def stopped(request: Request, error: Exception) -> Response:
        if not isinstance(error, Stopped):
            raise error
        request.scope["bcma_decide.reason"] = error.reason
        if error.said:
            request.scope["bcma_decide.said"] = error.said
        return stopped_page(error, service.pooled.hash)

    app.add_exception_handler(Stopped, stopped)


def smart_router(service: Service, reader: Reader, web: Web, fetch: Fetch) -> APIRouter:
    """Build the routes; raises ServiceError when a key of the settings cannot be used."""
    settings = service.settings
    ehrs = {ehr.id: ehr for ehr in settings.smart}
    keys = read_client_keys(settings.smart)
    discovery = Discovery(web)
    logins = Logins(service.store, settings.smart, secure=settings.https)
    leaving: set[asyncio.Task[None]] = set()
    router = APIRouter(prefix=SMART_PATH, tags=["SMART"], include_in_schema=False)

    async def begin(request: Request, ehr: Ehr, launched_from: str | None, launch: str | None) -> Response:
        """Send the browser to the authorization server of an EHR, which is named as it names itself."""
        back = _redirect_uri(request, settings, ehr)
        configuration = await discovery.find(ehr)
        aud = launched_from or _own_name(ehr, configuration)
        begun = await logins.begin(ehr, configuration, back, aud=aud, launch=launch)
        response = RedirectResponse(begun.address, 303)
        set_cookie(response, settings, begun.cookie, begun.secret, PATIENCE)
        return response

    @router.get("/launch")
    async def launch(request: Request) -> Response:
        """From an EHR, which says where it is and names the launch."""
        iss, named = _single(request.query_params, "iss"), _single(request.query_params, "launch")
        ehr = next((each for each in ehrs.values() if each.iss.rstrip("/") == iss.rstrip("/")), None)
        if ehr is None:
            what = "The address that this launch names as its EHR is not among those configured here."
            raise Stopped("iss", what, f"Open the application from the EHR. {TELL}")
        if not named:
            raise Stopped("launch", "The EHR did not name the launch.")
        return await begin(request, ehr, iss, named)

    @router.get("/start")
    async def start(request: Request) -> Response:
        """Without an EHR around it: choose one, sign in there, choose a patient."""
        name = _single(request.query_params, "ehr")
        chosen = ehrs.get(name) if name else next(iter(ehrs.values())) if len(ehrs) == 1 else None
        if chosen is not None:
            return await begin(request, chosen, None, None)
        if name:
            raise Stopped("ehr", "There is no such EHR here.", "Choose one from the list at /smart/start.", 404)
        return choose_page(list(ehrs.values()), service.pooled.hash)

    @router.get("/callback/{ehr}")
    async def callback(ehr: str, request: Request) -> Response:
        """Back from the authorization server: read the record once, and show the page."""
        given = request.query_params
        state = _single(given, "state")
        login = await logins.take(state, request.cookies)
        if login is None or login.ehr.id != ehr:
            what = "This launch is over: it took too long, was used before, or began in another browser."
            raise Stopped("state", what)
        _check_issuer(login, given)
        _check_error(given)
        code = _single(given, "code")
        if not code:
            raise Stopped("code", "The EHR sent no answer that can be used.")
        granted = await exchange(web, login, code, keys.get(ehr))
        try:
            await _check_identity(web, login, granted, settings)
            filled = await fill(service, reader, fetch, login.ehr.iss.rstrip("/"), granted)
        finally:  # nobody waits for it
            leaving.add(task := asyncio.create_task(revoke(web, login, granted, keys.get(ehr))))
            task.add_done_callback(leaving.discard)
        await service.sessions.end(request.cookies)
        response = RedirectResponse(f"{settings.public_url or ''}/", 303)
        drop_cookie(response, settings, logins.cookie_of(state))
        set_cookie(response, settings, service.sessions.cookie, await service.sessions.begin(filled))
        return response

    @router.get("/jwks.json")
    async def jwks() -> Response:
        """Public halves of the keys by which the service proves who it is."""
        return JSONResponse(public_keys(keys.values()))

    return router


def _own_name(ehr: Ehr, configuration: Configuration) -> str:
    """The address of an EHR with or without a slash at its end, as it writes it itself where it does."""
    issuer = configuration.issuer
    return issuer if issuer and issuer.rstrip("/") == ehr.iss.rstrip("/") else ehr.iss


def _redirect_uri(request: Request, settings: Settings, ehr: Ehr) -> str:
    """Where the EHR sends the browser back to: another address for each, so that none answers for another."""
    base = settings.public_url
    if base is None:  # on this machine: the port it listens on, never what the request calls it
        host, port = settings.host, request.scope["server"][1]
        base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return f"{base}{SMART_PATH}/callback/{ehr.id}"


def _single(given: QueryParams, name: str) -> str:
    """A parameter that may stand there once; raises Stopped."""
    values = given.getlist(name)
    if len(values) > 1 or len("".join(values)) > LONGEST:
        raise Stopped("malformed", "The address of this page is not one that an EHR sends.")
    return values[0] if values else ""


def _check_issuer(login: Login, given: QueryParams) -> None:
    """RFC 9207: who answers is who was asked."""
    named = _single(given, "iss")
    if not named and not login.configuration.names_itself:
        return
    issuer = login.configuration.issuer
    if named != issuer if issuer else named.rstrip("/") != login.ehr.iss.rstrip("/"):
        raise Stopped("mix-up", "Another server answered than the one that was asked.")


_ERRORS: Final = {
    "access_denied": ("Access to the record was not permitted.", "Open the application again and permit it."),
    "invalid_scope": ("The EHR does not permit what the application asks for.", TELL),
    "unauthorized_client": ("The EHR does not know this application.", TELL),
    "temporarily_unavailable": ("The EHR cannot answer now.", f"Try again in a minute. {TELL}"),
    "server_error": ("The EHR reports an error of its own.", f"Try again in a minute. {TELL}"),
}


def _check_error(given: QueryParams) -> None:
    error = _single(given, "error")
    if error:
        code = error_code(given)
        named = "" if code == OTHER else f" ({code})"
        what, remedy = _ERRORS.get(error, (f"The EHR refused the launch{named}.", f"{AGAIN} {TELL}"))
        raise Stopped(error if error in _ERRORS else "refused", what, remedy, said=said_of(given))


async def _check_identity(web: Web, login: Login, granted: Granted, settings: Settings) -> None:
    """Only where an identity was asked for and granted."""
    if "openid" in granted.scopes and "openid" in login.scopes:
        await check_identity(web, login, granted.identity, settings.clock_skew)
