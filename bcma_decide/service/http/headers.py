"""Headers that keep an answer from being stored, framed, sniffed, or from loading anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_UNFRAMED: Final = "frame-ancestors 'none'"
POLICY: Final = f"default-src 'none'; base-uri 'none'; form-action 'none'; {_UNFRAMED}"
SHEET_POLICY: Final = f"{POLICY}; style-src 'unsafe-inline'"
"""A sheet brings its own styles and nothing else."""

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    f"form-action 'self'; base-uri 'none'; {_UNFRAMED}"
)
"""The page loads its own files and sends its own form, nothing else."""
PAGE_HEADERS: Final = {"Content-Security-Policy": PAGE_POLICY, "Referrer-Policy": "same-origin"}
"""With a referrer at home, since a browser without one does not say where a form comes from."""
READING_HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; "
    f"base-uri 'none'; {_UNFRAMED}"
}
"""A page to read has the styles and the icon of the page, and no script or form."""

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """Adds :data:`HEADERS` where an answer does not set its own; ``frame_ancestors`` may show any in a frame."""

    def __init__(self, app: ASGIApp, frame_ancestors: Sequence[str] = ()) -> None:
        self.app = app
        self._framed_by = " ".join(("frame-ancestors", *frame_ancestors)) if frame_ancestors else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self._framed_by:
                    del headers["X-Frame-Options"]  # it knows no list
                    policy = headers["Content-Security-Policy"]
                    headers["Content-Security-Policy"] = policy.replace(_UNFRAMED, self._framed_by)
            await send(message)

        await self.app(scope, receive, adding if scope["type"] == "http" else send)
