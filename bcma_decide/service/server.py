"""Running the application: uvicorn on one socket, until it is told to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import uvicorn

from bcma_decide.errors import Problem, ServiceError
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.service.app import create_app
from bcma_decide.service.http.access_log import set_up_logging
from bcma_decide.service.http.connections import HeadInTime, allow_many_connections
from bcma_decide.service.service import Reader
from bcma_decide.service.settings import LOOPBACK_NAMES, Settings, is_loopback, require_authentication


def run(
    settings: Settings,
    pooled: PooledEvidence,
    *,
    reader: Reader | None = None,
    started: Callable[[str, int], None] | None = None,
) -> None:
    """Serve until SIGTERM or an interrupt; requests that are running then are finished.

    Parameters
    ----------
    settings
        As read.
    pooled
        The evidence.
    reader
        From a FHIR record to a profile; without one there are no CDS Hooks services.
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
    allow_many_connections()
    app = create_app(settings, pooled, reader=reader)
    set_up_logging()
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
    server = _Server(config, started)
    before = {number: signal.signal(number, _stopped) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.run()
    except SystemExit:  # uvicorn leaves so when it cannot listen, having logged why
        problem = Problem("", f"cannot listen on {settings.host}, port {settings.port}", "choose another --port")
        raise ServiceError("the service cannot start", [problem]) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """Says where it listens, which with port 0 only it knows."""

    def __init__(self, config: uvicorn.Config, started: Callable[[str, int], None] | None) -> None:
        super().__init__(config)
        self._told = started

    async def startup(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as the library has them
        """Listen, then say so."""
        await super().startup(*args, **kwargs)
        if self._told is not None and self.servers:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._told(str(host), int(port))


def _stopped(number: int, frame: object) -> None:
    """The server has stopped by then; the process goes on to its end, with exit code 0."""
    del number, frame
