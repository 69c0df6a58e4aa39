"""HTTP to addresses that were checked: a name is resolved, judged, and that very address is connected to.

Resolving, judging and connecting are one step, so a name that leads elsewhere a moment later gains nothing. TLS still
checks the certificate against the name.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpcore
import httpx

from bcma_decide.service.fetching.addresses import Network, may_connect

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and a port to IP addresses, the first to try first."""


def trusted() -> ssl.SSLContext:
    """What the certificates of servers are checked against, read once in a process, and again for other files."""
    return _trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    del file, folder  # OpenSSL takes both from the environment
    return ssl.create_default_context()


class AddressRefused(httpx.ConnectError):
    """A name leads to no address that may be connected to."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Addresses of a name, as the machine resolves it; raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to addresses that may be reached, and to no other."""

    def __init__(self, networks: Collection[Network], resolve: Resolve = resolve) -> None:
        self._networks, self._resolve = tuple(networks), resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109, RUF100  # as the library has it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a name that answers; raises AddressRefused, or errors of httpcore."""
        try:
            addresses = await self._resolve(host.strip("[]"), port)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("the name cannot be resolved") from None
        allowed = [each for each in addresses if may_connect(each, self._networks)]
        if not allowed:
            raise AddressRefused("the name leads to no address that may be connected to")
        for address in allowed[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(allowed[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Carries requests of httpx over connections of such a backend; no proxy, no HTTP/2, no second try."""

    def __init__(self, backend: GuardedBackend, tls: ssl.SSLContext, connections: int) -> None:
        self._pool = httpcore.AsyncConnectionPool(ssl_context=tls, max_connections=connections, network_backend=backend)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises errors of httpx."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        with _as_httpx():
            answer = await self._pool.handle_async_request(
                httpcore.Request(
                    request.method,
                    url,
                    headers=request.headers.raw,
                    content=await request.aread(),
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Stream(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


class _Stream(httpx.AsyncByteStream):
    """The body of an answer, as it arrives."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Errors of the lower library as those of the upper one, without their words: they may hold addresses."""
    try:
        yield
    except httpcore.TimeoutException:
        raise httpx.ReadTimeout("too late") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol):
        raise httpx.TransportError("no answer") from None
