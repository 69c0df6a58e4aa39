"""Running the application: uvicorn on one socket, until it is told to stop; or a family of workers that do."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Final

import uvicorn

from bcma_decide.errors import Problem, ServiceError
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.service.app import create_app
from bcma_decide.service.family.worker import READY, Load
from bcma_decide.service.http.access_log import set_up_logging
from bcma_decide.service.http.connections import HeadInTime, allow_many_connections
from bcma_decide.service.service import Reader
from bcma_decide.service.settings import LOOPBACK_NAMES, Settings, is_loopback, require_authentication

_SWITCH: Final = 0.001
"""Seconds for which a thread that compares may keep the loop waiting; the usual five are a whole answer."""


def run(settings: Settings, load: Load, *, started: Callable[[str, int], None] | None = None) -> None:
    """Serve until SIGTERM or an interrupt; requests that are running then are finished.

    Parameters
    ----------
    settings
        As read.
    load
        Gives the evidence, and what reads a FHIR record to a profile; without that there are no CDS Hooks services. It
        is called in every worker.
    started
        Told the address and port once connections are accepted.

    Raises
    ------
    ServiceError
        When it would be open to a network, or cannot listen there.
    """
    require_authentication(settings)
    if settings.public_url is None and not settings.hosts and is_loopback(settings.host):
        settings = settings.model_copy(update={"hosts": LOOPBACK_NAMES})  # no page from elsewhere asks by its own name
    if settings.workers > 1:
        from bcma_decide.service.family.family import run_family

        set_up_logging(0)
        run_family(settings, load, started)
        return
    pooled, reader = load(True)
    before = {number: signal.signal(number, _stopped) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        serve(settings, pooled, reader, started=started)
    except SystemExit:  # uvicorn leaves so when it cannot listen, having logged why
        problem = Problem("", f"cannot listen on {settings.host}, port {settings.port}", "choose another --port")
        raise ServiceError("the service cannot start", [problem]) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def serve(
    settings: Settings,
    pooled: PooledEvidence,
    reader: Reader | None,
    *,
    started: Callable[[str, int], None] | None = None,
    sockets: Sequence[socket.socket] = (),
    parent: Connection | None = None,
    number: int | None = None,
) -> None:
    """Serve in this process, on an address or on sockets that listen already.

    ``parent`` is told when it is ready, and when its other end is closed the server stops; ``number`` is that of one of
    several workers, for the log.
    """
    allow_many_connections()
    sys.setswitchinterval(_SWITCH)
    app = create_app(settings, pooled, reader=reader)
    set_up_logging(number)
    proxies = [str(network) for network in settings.trusted_proxies]
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        http=HeadInTime,
        timeout_graceful_shutdown=settings.stop_seconds,
    )
    if number is not None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, _stopped)
    _Server(config, started, parent).run(list(sockets) or None)


class _Server(uvicorn.Server):
    """Says where it listens, which with port 0 only it knows; and tells what makes sheets that it stops."""

    def __init__(
        self, config: uvicorn.Config, started: Callable[[str, int], None] | None, parent: Connection | None
    ) -> None:
        super().__init__(config)
        self._told, self._parent = started, parent

    async def startup(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as the library has them
        """Listen, then say so."""
        await super().startup(*args, **kwargs)
        if self._told is not None and self.servers:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._told(str(host), int(port))
        if self._parent is not None and self.started:
            asyncio.get_running_loop().add_reader(self._parent.fileno(), self._orphaned)
            self._parent.send(READY)

    async def shutdown(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Stop; sheets that wait are refused, those being made have the time there is."""
        self.config.app.state.printing.stop(self.config.timeout_graceful_shutdown or 0)  # type: ignore[union-attr]
        if self._parent is not None:
            asyncio.get_running_loop().remove_reader(self._parent.fileno())
        await super().shutdown(*args, **kwargs)

    def _orphaned(self) -> None:
        """Nothing is ever sent from there: it was closed."""
        self.should_exit = True
        with suppress(OSError, ValueError):
            asyncio.get_running_loop().remove_reader(self._parent.fileno())  # type: ignore[union-attr]


def _stopped(number: int, frame: object) -> None:
    """The server has stopped by then; the process goes on to its end, with exit code 0."""
    del number, frame
