"""The service as one ASGI application: its routes, and the layers every request passes through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import date
from ipaddress import ip_address
from typing import Any, Final

import httpx
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response

from bcma_decide.comparing.compare import check_region, compare
from bcma_decide.comparison import Comparison
from bcma_decide.errors import AuditError, Problem
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.service.answering import AUDIT_HEADER
from bcma_decide.service.audit.audit_address import open_audit
from bcma_decide.service.callers.tokens import TokenGate, Verifier
from bcma_decide.service.fetching.fhir_client import FhirClient
from bcma_decide.service.fetching.guarded_transport import Resolve, resolve
from bcma_decide.service.fetching.searches import searches
from bcma_decide.service.hooks.cds_hooks import hooks_router
from bcma_decide.service.hooks.hooks_request import Feedback, HooksRequest
from bcma_decide.service.http.access_log import REQUEST_HEADER, AccessLog, Failures
from bcma_decide.service.http.compression import Compression
from bcma_decide.service.http.headers import SecurityHeaders
from bcma_decide.service.http.hosts import KnownHosts, host_names
from bcma_decide.service.http.limits import RequestLimits
from bcma_decide.service.http.metrics import CONTENT_TYPE, Metrics
from bcma_decide.service.http.problems import Refusal, forgetful, refusal_response
from bcma_decide.service.http.same_address import SameAddress
from bcma_decide.service.page.page import page_router
from bcma_decide.service.printing.printing import Printing
from bcma_decide.service.rest.comparison_request import ComparisonRequest
from bcma_decide.service.rest.definitions import definitions_router
from bcma_decide.service.rest.evidence_view import EvidenceView
from bcma_decide.service.rest.openapi import answer_schemas, shared_schemas
from bcma_decide.service.rest.rest import rest_router
from bcma_decide.service.service import Reader, Service
from bcma_decide.service.sessions import Sessions
from bcma_decide.service.settings import Settings
from bcma_decide.service.shared.store import Store, StoreError
from bcma_decide.service.shared.store_address import open_store
from bcma_decide.service.smart.pages import stopped_page
from bcma_decide.service.smart.router import SMART_PATH, add_smart
from bcma_decide.service.smart.stopped import TELL, Stopped
from bcma_decide.version import __version__
from bcma_decide.vocabulary import INTENDED_USE

_SWEPT: Final = 60.0
"""Seconds between two looks for what is over in the memory of sessions and tokens."""


def create_app(
    settings: Settings,
    pooled: PooledEvidence,
    *,
    reader: Reader | None = None,
    sessions: Sessions | None = None,
    store: Store | None = None,
    today: Callable[[], date] = date.today,
    transport: httpx.AsyncBaseTransport | None = None,
    resolve: Resolve = resolve,
) -> FastAPI:
    """Build the service.

    Parameters
    ----------
    settings
        As read; with no issuer it is open, and whoever starts it sees to it that only this machine can call.
    pooled
        The evidence, loaded once.
    reader
        From a FHIR record to a profile. Without one there are no CDS Hooks services, and REST takes profiles only.
    sessions
        Where what launches read is kept; default those of the store.
    store
        What is shared with other workers; default as the settings have it.
    today
        The day cards and the page are judged on.
    transport
        How remote key sets are fetched; default over the network.
    resolve
        How names of FHIR servers become addresses.

    Raises
    ------
    ServiceError
        When the keys of an issuer, a key for an EHR, or the store cannot be used.
    ProfileError
        When the region of the settings has no label.
    AuditError
        When the audit of the settings cannot be opened and written.
    """
    check_region(pooled, settings.region)
    metrics = Metrics(pooled.hash)
    if store is None:
        store = open_store(None if settings.store is None else settings.store.get_secret_value())
    verifier = None if settings.open else Verifier(settings, store, transport=transport)
    audit = None if settings.audit is None else open_audit(settings.audit.get_secret_value(), write=True)
    client = FhirClient(settings, metrics, searches(pooled.codes), resolve=resolve)
    kept = sessions or Sessions(store, secure=settings.https)
    printing = Printing.configured(settings)
    service = Service(settings, pooled, metrics, reader, today, client, store, kept, printing, audit)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.threads.run(compare, Patient(), pooled=pooled)  # what is worked out once is worked out now
        app.state.ready = True
        sweeping = asyncio.create_task(_sweep(store))
        yield
        sweeping.cancel()
        app.state.ready = False
        service.threads.stop()
        await asyncio.to_thread(printing.close)
        if audit is not None:
            await asyncio.to_thread(audit.close)
        with suppress(StoreError):
            await store.close()

    app = FastAPI(
        title="bcma-decide",
        version=__version__,
        description=INTENDED_USE,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.ready = True
    app.state.metrics = metrics
    app.state.printing = printing  # told by the server when it stops, before requests are waited for
    app.include_router(rest_router(service))
    app.include_router(definitions_router())
    if reader is not None:
        app.include_router(hooks_router(service, reader))
        if settings.smart:
            add_smart(app, service, reader, resolve)
    if settings.page != "off":
        app.include_router(page_router(service))
    _add_health(app, service)
    _add_refusals(app, service)
    _describe(app)
    app.add_middleware(TokenGate, verifier=verifier, page=settings.page != "off")
    app.add_middleware(RequestLimits, settings=settings, store=store)
    app.add_middleware(KnownHosts, names=host_names(settings))
    app.add_middleware(Compression)
    app.add_middleware(SameAddress)
    app.add_middleware(Failures)
    if settings.cors_origins:  # further out, so that a page elsewhere may read an error too, whichever layer made it
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=[AUDIT_HEADER, REQUEST_HEADER],
            max_age=600,
        )
    app.add_middleware(SecurityHeaders, frame_ancestors=settings.frame_ancestors)
    app.add_middleware(AccessLog, metrics=service.metrics)
    return app


async def _sweep(store: Store) -> None:
    """Forget what is over even when nobody calls."""
    while True:
        await asyncio.sleep(_SWEPT)
        with suppress(StoreError):
            await store.sweep()


def _add_health(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", tags=["operation"], summary="Whether it runs")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", tags=["operation"], summary="Whether it can answer")
    async def readyz() -> JSONResponse:
        status = "ready" if app.state.ready else "stopping"
        if status == "ready" and service.audit is not None and not await service.threads.run(service.audit.ready):
            status = "audit cannot be written"
        content = {"status": status, "version": __version__, "evidence": service.pooled.hash}
        return JSONResponse(content, 200 if status == "ready" else 503)

    if service.settings.metrics:

        @app.get("/metrics", tags=["operation"], summary="Counts and times for Prometheus")
        async def metrics(request: Request) -> Response:
            if not _may_read_metrics(request, service.settings):
                raise Refusal(403, "not from this address")
            return Response(service.metrics.text(), media_type=CONTENT_TYPE)


def _may_read_metrics(request: Request, settings: Settings) -> bool:
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return any(address in network for network in settings.metrics_clients)


def _add_refusals(app: FastAPI, service: Service) -> None:
    """Whatever is refused anywhere is written in one of the two forms."""

    async def refused(request: Request, error: Exception) -> Response:
        refusal = error if isinstance(error, Refusal) else Refusal(500)
        return refusal_response(request.url.path, refusal)

    async def unrecorded(request: Request, error: Exception) -> Response:
        refusal = Refusal.of(error) if isinstance(error, AuditError) else Refusal(500)
        return refusal_response(request.url.path, refusal)

    async def forgotten(request: Request, error: Exception) -> Response:
        request.scope["bcma_decide.reason"] = "store"
        if request.url.path.startswith(f"{SMART_PATH}/"):  # somebody sits in front of it
            stopped = Stopped("store", "A launch cannot be remembered now.", f"Try again in a minute. {TELL}", 503)
            return stopped_page(stopped, service.pooled.hash)
        return refusal_response(request.url.path, forgetful())

    async def unrouted(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        return refusal_response(request.url.path, Refusal(status, headers=headers))

    async def invalid(request: Request, error: Exception) -> Response:
        found: list[Any] = list(error.errors()) if isinstance(error, RequestValidationError) else []
        problems = [Problem(".".join(str(part) for part in each["loc"]), each["msg"]) for each in found]
        refusal = Refusal(422, "the request cannot be used", problems, name="invalid-request")
        return refusal_response(request.url.path, refusal)

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(AuditError, unrecorded)
    app.add_exception_handler(StoreError, forgotten)
    app.add_exception_handler(HTTPException, unrouted)
    app.add_exception_handler(RequestValidationError, invalid)


def _describe(app: FastAPI) -> None:
    """Serve the OpenAPI description, completed with the shapes that bodies refer to."""
    document: dict[str, Any] = {}

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        if not document:
            document.update(described(app))
        return JSONResponse(document)


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description of the service."""
    document = app.openapi()
    components = document.setdefault("components", {})
    components["schemas"] = (
        answer_schemas(Comparison, EvidenceView)
        | shared_schemas(ComparisonRequest, HooksRequest, Feedback)
        | components.get("schemas", {})
    )
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    return document
