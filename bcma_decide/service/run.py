"""Running the service: in this process, or by a family of workers."""

from __future__ import annotations

import signal
from collections.abc import Callable

from bcma_decide.errors import Problem, ServiceError
from bcma_decide.service.family.family import run_family
from bcma_decide.service.http.access_log import set_up_logging
from bcma_decide.service.server import serve, stopped
from bcma_decide.service.service import Load
from bcma_decide.service.settings import LOOPBACK_NAMES, Settings, is_loopback, require_authentication


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
        set_up_logging(0)
        run_family(settings, load, started)
        return
    pooled, reader = load(True)
    before = {number: signal.signal(number, stopped) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        serve(settings, pooled, reader, started=started)
    except SystemExit:  # uvicorn leaves so when it cannot listen, having logged why
        problem = Problem("", f"cannot listen on {settings.host}, port {settings.port}", "choose another --port")
        raise ServiceError("the service cannot start", [problem]) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
