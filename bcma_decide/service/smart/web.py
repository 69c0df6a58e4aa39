"""Questions to the authorization server of an EHR: JSON, small, soon, and only at addresses that may be reached."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import httpx

from bcma_decide.service.fetching.fhir_answer import Room, Unread, read_body
from bcma_decide.service.fetching.guarded_transport import GuardedBackend, GuardedTransport, Resolve, trusted
from bcma_decide.service.http.bodies import parse_json
from bcma_decide.service.settings import Settings
from bcma_decide.version import __version__

OK: Final = 200
LARGEST: Final = 1_000_000
"""Bytes of an answer, unpacked; more is not read."""
PATIENCE: Final = 8.0
"""Seconds the other side has to answer."""
_FORM: Final = "application/x-www-form-urlencoded"


class Unreachable(Exception):  # noqa: N818  # an answer, not a mistake of the program
    """No answer, or one that is not JSON, is too large, too slow, or sends elsewhere; never says what was sent."""


class Web:
    """Asks for JSON under the same guard as the FHIR client: checked addresses, no redirects, no proxy, no cookies."""

    def __init__(self, settings: Settings, resolve: Resolve) -> None:
        self._backend = GuardedBackend(settings.fhir_private_networks, resolve)
        self._tls = trusted()

    async def get(self, url: str) -> tuple[int, Mapping[str, Any]]:
        """Return status and object at an address; raises Unreachable."""
        return await self._ask("GET", url)

    async def post(self, url: str, form: str) -> tuple[int, Mapping[str, Any]]:
        """Return status and object in answer to a form; raises Unreachable."""
        return await self._ask("POST", url, form.encode(), {"Content-Type": _FORM})

    async def _ask(
        self, method: str, url: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, Any]]:
        wanted = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"bcma-decide/{__version__}",
            **(headers or {}),
        }
        transport = GuardedTransport(self._backend, self._tls, 1)
        try:
            async with (
                asyncio.timeout(PATIENCE),
                httpx.AsyncClient(
                    transport=transport, timeout=PATIENCE, follow_redirects=False, trust_env=False
                ) as client,
                client.stream(method, url, headers=wanted, content=content) as answer,
            ):
                found = parse_json(await read_body(answer, Room(LARGEST)))
        except (httpx.HTTPError, httpx.InvalidURL, Unread, TimeoutError, OSError, ValueError, RecursionError):
            raise Unreachable from None
        if not isinstance(found, dict):
            raise Unreachable
        return answer.status_code, found
