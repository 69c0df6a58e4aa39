"""By which name a request asks: one that the service is known by, or it is refused.

A page from elsewhere whose name was made to lead here (DNS rebinding), and a link made from a name that somebody sent,
get no further. What tells whether the service runs is asked by the address of a container and answers to any name.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from bcma_decide.service.http.limits import ALWAYS_ANSWERED
from bcma_decide.service.http.problems import Refusal, refusal_response
from bcma_decide.service.settings import LOOPBACK_NAMES, Settings, is_loopback

_HOST: Final = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))(?::[0-9]{1,5})?")


def host_names(settings: Settings) -> frozenset[str] | None:
    """Names and addresses the service is known by; None where none is configured, and any counts."""
    if settings.public_url is None and not settings.hosts:
        return None
    public = urlsplit(settings.public_url or "").hostname
    own = LOOPBACK_NAMES if is_loopback(settings.host) else ()
    return frozenset(name.casefold() for name in (public, *settings.hosts, *own) if name)


class KnownHosts:
    """Refuses a request whose ``Host`` is missing, there twice or malformed (400), or not one of ``names`` (421)."""

    def __init__(self, app: ASGIApp, names: Collection[str] | None) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self.app(scope, receive, send)
        else:
            await refusal_response(scope["path"], refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refusal | None:
        given = [value for name, value in scope["headers"] if name == b"host"]
        if not given and scope["http_version"] == "1.0" and scope["path"] in ALWAYS_ANSWERED:
            return None  # load balancers ask in HTTP/1.0, which needs no name
        found = _HOST.fullmatch(given[0]) if len(given) == 1 else None
        if found is None:
            return Refusal(400, "the request names no host, or one that is none")
        name = found[1].decode().strip("[]").rstrip(".").casefold()
        if self.names is None or name in self.names or scope["path"] in ALWAYS_ANSWERED:
            return None
        return Refusal(421, "this service is not known by that name; names are configured as public_url and hosts")
