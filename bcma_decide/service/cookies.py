"""Cookies as this service sets them: out of reach of scripts, for this host alone, and for its own pages."""

from __future__ import annotations

from starlette.responses import Response

from bcma_decide.service.settings import Settings


def set_cookie(response: Response, settings: Settings, name: str, value: str, seconds: int | None = None) -> None:
    """Set a cookie, for so many seconds or until the browser is closed.

    Where an EHR shows the page in a frame, the cookie is one of a page of another site: it is sent there, and kept
    apart for each site that frames (``Partitioned``).
    """
    framed = bool(settings.frame_ancestors)
    response.set_cookie(
        name, value, seconds, secure=settings.https, httponly=True, samesite="none" if framed else "lax"
    )
    if framed:  # starlette writes this with Python 3.14 only
        header, text = response.raw_headers[-1]
        response.raw_headers[-1] = (header, text + b"; Partitioned")


def drop_cookie(response: Response, settings: Settings, name: str) -> None:
    """Make the browser forget a cookie."""
    set_cookie(response, settings, name, "", 0)
