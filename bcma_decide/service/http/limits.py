"""Limits of a request: how large, how long, how many; they hold before anything of it is understood.

How many counts requests at work, not connections: one that waits for its next request, or is slow to send one, keeps
nobody else from being answered. What tells whether the service runs is answered however much it has to do.

Requests a minute are counted in the memory that all processes share, in windows of a minute (fixed windows). While it
does not answer each process counts by itself: a limit that is too wide for a moment is better than no service.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bcma_decide.service.http.problems import Refusal, refusal_response
from bcma_decide.service.settings import Settings
from bcma_decide.service.shared.store import Memory, Store, StoreError

WITHOUT_RATE: Final = ("/healthz", "/readyz")
ALWAYS_ANSWERED: Final = (*WITHOUT_RATE, "/metrics")
_CLOSE: Final = {"Connection": "close"}
_HOME: Final = 64
"""Leading bits of an IPv6 address that one client commonly holds."""
_AGAIN: Final = 2.0
"""Seconds until a memory that did not answer is asked again: each question may have waited for it."""


class RequestLimits:
    """Refuses with 413, 429, 408 (too slow in sending) or 503 (too slow to answer)."""

    def __init__(self, app: ASGIApp, settings: Settings, store: Store) -> None:
        self.app = app
        self.settings = settings
        self._store, self._own = store, Memory()
        self._alone_until = 0.0
        self._most = settings.shared_out(settings.connections)
        self._at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            await self._check_rate(scope)
            self._check_announced_size(scope)
        except Refusal as refusal:
            await refusal_response(scope["path"], refusal)(scope, receive, send)
            return
        if scope["path"] in ALWAYS_ANSWERED:
            await self._within_limits(scope, receive, send)
            return
        if self._at_work >= self._most:
            busy = Refusal(503, "too many requests at a time", headers={"Retry-After": "1"} | _CLOSE)
            await refusal_response(scope["path"], busy)(scope, receive, send)
            return
        self._at_work += 1
        try:
            await self._within_limits(scope, receive, send)
        finally:
            self._at_work -= 1

    async def _check_rate(self, scope: Scope) -> None:
        if not self.settings.requests_per_minute or scope["path"] in WITHOUT_RATE:
            return
        if await self._count(sha256(client_of(scope).encode()).digest()) > self.settings.requests_per_minute:
            raise Refusal(429, "too many requests from this address", headers={"Retry-After": "60"})

    async def _count(self, client: bytes) -> int:
        """Requests of a client in this minute, this one included."""
        if monotonic() >= self._alone_until:
            try:
                return await self._store.count(client)
            except StoreError:
                self._alone_until = monotonic() + _AGAIN
        return await self._own.count(client)

    def _check_announced_size(self, scope: Scope) -> None:
        for name, value in scope["headers"]:
            if name == b"content-length" and (not value.isdigit() or int(value[:20]) > self.settings.body_limit):
                raise self._too_large()

    def _too_large(self) -> Refusal:
        return Refusal(413, f"a request may have {self.settings.body_limit} bytes", headers=_CLOSE)

    async def _within_limits(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, complete, started = 0, False, False

        async def counted() -> Message:
            nonlocal size, complete
            message = await receive()
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                complete = not message.get("more_body", False)
                if size > self.settings.body_limit:
                    raise self._too_large()
            return message

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(self.settings.time_limit):
                await self.app(scope, counted, noting)
        except TimeoutError:
            if started:
                raise
            late = Refusal(503, "the answer took too long") if complete else Refusal(408, "the request came too slowly")
            late.headers |= _CLOSE
            await refusal_response(scope["path"], late)(scope, receive, send)


def client_of(scope: Scope) -> str:
    """The address a request comes from; of IPv6 the part that one client commonly holds."""
    host = str((scope.get("client") or ("unknown", 0))[0])
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _HOME), strict=False))
    return str(address)
