"""Questions to the authorization server of an EHR: JSON over HTTPS, small, soon, and from nowhere else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

LARGEST: Final = 1_000_000
"""Bytes of an answer; more is not read."""
PATIENCE: Final = 10.0
"""Seconds the other side has to answer."""
_FORM: Final = "application/x-www-form-urlencoded"


class Unreachable(Exception):  # noqa: N818  # an answer, not a mistake of the program
    """No answer, or one that is not JSON, is too large, too slow, or sends elsewhere; never says what was sent."""


class Web:
    """Asks for JSON; nothing is followed, and no proxy of the environment is used."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport

    async def get(self, url: str) -> tuple[int, Mapping[str, Any]]:
        """Return status and object at an address; raises Unreachable."""
        return await self._ask("GET", url)

    async def post(self, url: str, form: str) -> tuple[int, Mapping[str, Any]]:
        """Return status and object in answer to a form; raises Unreachable."""
        return await self._ask("POST", url, form.encode(), {"Content-Type": _FORM})

    async def _ask(
        self, method: str, url: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, Any]]:
        wanted = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
        try:
            async with (
                asyncio.timeout(PATIENCE),
                httpx.AsyncClient(transport=self._transport, timeout=PATIENCE, trust_env=False) as client,
                client.stream(method, url, headers=wanted, content=content) as response,
            ):
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise Unreachable
                body = bytearray()
                async for part in response.aiter_raw():
                    body += part
                    if len(body) > LARGEST:
                        raise Unreachable
            found = json.loads(body)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError, RecursionError):
            raise Unreachable from None
        if not isinstance(found, dict):
            raise Unreachable
        return response.status_code, found
