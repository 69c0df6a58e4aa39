"""Requests that mean what another one means: HEAD, and an address with a slash at its end.

A redirect to the address without the slash would name the host and scheme that this process sees, which behind a proxy
are not those the client called; so it is answered as it is.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class SameAddress:
    """Passes HEAD on as GET and leaves the body out; takes slashes off the end of the path."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        meant = {**scope, "path": scope["path"].rstrip("/") or "/", "method": "GET" if is_head else scope["method"]}

        async def headers_only(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        try:
            await self.app(meant, receive, headers_only if is_head else send)
        finally:  # what the layers inside noted, for the log
            scope.update({name: value for name, value in meant.items() if name not in scope})
