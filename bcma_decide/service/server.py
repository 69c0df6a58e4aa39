"""Running the application in one process: uvicorn on one socket, until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Final

import uvicorn

from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.service.app import create_app
from bcma_decide.service.http.access_log import set_up_logging
from bcma_decide.service.http.connections import HeadInTime, allow_many_connections
from bcma_decide.service.service import Reader
from bcma_decide.service.settings import Settings

_MADE: Final = 10_000
"""Objects between two collections: some of an answer's own, where the usual 700 are a part of one."""
READY: Final = "ready"
"""What a worker tells its parent once it accepts connections."""
_SWITCH: Final = 0.001
"""Seconds for which a thread that compares may keep the loop waiting; the usual five are a whole answer."""


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
    set_up_logging(number, app.state.metrics.line_lost)
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
            signal.signal(each, stopped)
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
        _leave_what_stays()
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


def _leave_what_stays() -> None:
    """Have collections look at what requests make, not at the evidence and the program, again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MADE, *gc.get_threshold()[1:])


def stopped(number: int, frame: object) -> None:
    """The server has stopped by then; the process goes on to its end, with exit code 0."""
    del number, frame
