"""One JSON line for each answer: what was asked for by its template, and how it went; nothing a request says."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bcma_decide.service.http.log_lines import LogLines
from bcma_decide.service.http.metrics import Metrics, known_method
from bcma_decide.service.http.problems import Refusal, refusal_response

LOGGER: Final = logging.getLogger("bcma_decide.service")
REQUEST_HEADER: Final = "x-request-id"
"""Header of an answer with the id that the log gave its request."""
_ID: Final = "bcma_decide.request"
"""Under which the id stands in the scope of a request."""
_STANDARD_OUTPUT: Final = 1
UNKNOWN_ROUTE: Final = "unknown"
_LEVELS: Final = {
    "bcma_decide.service": logging.INFO,
    "uvicorn": logging.WARNING,
    "asyncio": logging.ERROR,
    "httpx": logging.ERROR,
    "httpcore": logging.ERROR,
}
"""What may be logged at all: below their levels the libraries name addresses, and with them patients."""


class AccessLog:
    """Outermost layer: gives each request an id, logs and counts its answer."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, begun, status = uuid4().hex, perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (REQUEST_HEADER.encode(), request_id.encode())]
            await send(message)

        scope[_ID] = request_id
        with self.metrics.running.track_inprogress():
            await self.app(scope, receive, noting)
        seconds = perf_counter() - begun
        route, method = route_of(scope), known_method(scope["method"])
        self.metrics.answered(method, route, status, seconds)
        fields = {"method": method, "route": route, "status": status,
                  "milliseconds": round(1000 * seconds, 1), "request": request_id}  # fmt: skip
        if "bcma_decide.reason" in scope:
            fields["refused"] = scope["bcma_decide.reason"]
        if "bcma_decide.said" in scope:
            fields["said"] = scope["bcma_decide.said"]
        LOGGER.info("", extra={"fields": fields})


class Failures:
    """Lets no error of the program through: it is logged by its kind and place, and answered with 500.

    Its message may hold what a patient's record says, so it is neither logged nor answered.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception as error:  # noqa: BLE001, RUF100  # whatever it is, it must not be printed with its message
            LOGGER.error("", extra={"fields": {"request": scope.get(_ID, ""), **place_of(error)}})  # noqa: TRY400
            if not started:
                refusal = Refusal(500, "the request could not be answered")
                await refusal_response(scope["path"], refusal)(scope, receive, send)


def route_of(scope: Scope) -> str:
    """Template of the route that answered: ``/cds-services/{service}``."""
    return str(getattr(scope.get("route"), "path", UNKNOWN_ROUTE))


def place_of(error: BaseException) -> dict[str, Any]:
    """Kind of an error and where it arose, without its message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    return {"error": type(error).__name__, "where": where}


class JsonLines(logging.Formatter):
    """A log record as one line of JSON; of an error its kind and place only. ``worker``: which of several wrote it."""

    def __init__(self, worker: int | None = None) -> None:
        super().__init__()
        self._worker = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        """Write the line."""
        line: dict[str, Any] = {"time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")}
        fields = getattr(record, "fields", None)
        if fields is None:
            line |= {"level": record.levelname.lower(), "message": record.getMessage()}
            if record.exc_info and record.exc_info[1] is not None:
                line |= {"message": "error", **place_of(record.exc_info[1])}
        else:
            line |= fields
        line |= self._worker
        return json.dumps(line)


def set_up_logging(worker: int | None = None, lost: Callable[[], None] = lambda: None) -> None:
    """Send the access log and the server's own warnings to standard output as JSON lines.

    Several workers write to the same one, and nobody waits for who reads them: ``lost`` is called for each line that
    found no room.
    """
    handler: logging.Handler = logging.NullHandler()
    if sys.stdout is not None:
        handler = LogLines(_STANDARD_OUTPUT, lost)
    handler.setFormatter(JsonLines(worker))
    for name, level in _LEVELS.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
