"""Public keys of an issuer: from a file read at the start, or from one configured address, asked seldom."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from bcma_decide.errors import Problem, ServiceError
from bcma_decide.service.settings import Issuer
from bcma_decide.strict.files import UnreadableFile, read_bytes

PublicKey = RSAKey | ECKey

SMALLEST_RSA: Final = 2048
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384"}
"""Curve of an algorithm; the others are of RSA."""
LARGEST_SET: Final = 1_000_000
"""Bytes of a key set; more is not read."""
PATIENCE: Final = 5.0
"""Seconds the other side has to give its keys."""
KEPT: Final = 3_600.0
"""Seconds after which keys are asked for again, so that a withdrawn one does not stay."""


class KeySource(Protocol):
    """Where the keys of one issuer come from."""

    async def find(self, kid: str) -> PublicKey | None:
        """Return the key of that name."""
        ...


def read_keys(content: object) -> dict[str, PublicKey]:
    """Keys of a JWKS that can check a signature, by name; others are left out. Raises ValueError if it is none."""
    return {kid: key for entry, key in _usable(content) if isinstance(kid := entry.get("kid"), str)}


def only_key(content: object, algorithm: str) -> PublicKey | None:
    """The key of a JWKS that fits an algorithm, where one alone does; raises ValueError if it is no JWKS.

    A token need not name it then (OpenID Connect Core 10.1).
    """
    fitting = [key for entry, key in _usable(content) if _fits(entry, key, algorithm)]
    return fitting[0] if len(fitting) == 1 else None


def _usable(content: object) -> Iterator[tuple[Mapping[str, Any], PublicKey]]:
    """Entries of a JWKS that can check a signature, each with its key."""
    entries = content.get("keys") if isinstance(content, Mapping) else None
    if not isinstance(entries, list):
        raise ValueError("is not a JWKS: no list of keys")  # noqa: TRY004
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("use") == "enc" or entry.get("kty") not in ("RSA", "EC"):
            continue
        public = {name: value for name, value in entry.items() if name not in ("d", "p", "q", "dp", "dq", "qi", "oth")}
        try:
            key = JWKRegistry.import_key(public)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, ECKey) or (isinstance(key, RSAKey) and key.public_key.key_size >= SMALLEST_RSA):
            yield entry, key


def _fits(entry: Mapping[str, Any], key: PublicKey, algorithm: str) -> bool:
    """Whether an entry says nothing against the algorithm, and its key is of that kind."""
    operations = entry.get("key_ops")
    if entry.get("alg", algorithm) != algorithm or (isinstance(operations, list) and "verify" not in operations):
        return False
    curve = _CURVES.get(algorithm)
    return isinstance(key, RSAKey) if curve is None else isinstance(key, ECKey) and key.curve_name == curve


class FileKeys:
    """The keys of a local file, read once."""

    def __init__(self, file: Path) -> None:
        heading = "the service cannot start: the keys of an issuer cannot be used"
        try:
            self._keys = read_keys(json.loads(read_bytes(file, LARGEST_SET)))
        except (UnreadableFile, ValueError, RecursionError) as error:
            reason = error.reason if isinstance(error, UnreadableFile) else f"is no JSON: {error}"
            raise ServiceError(heading, [Problem("issuers", reason, "give a JWKS file", str(file))]) from None
        if not self._keys:
            fix = f"EC, or RSA of {SMALLEST_RSA} bits or more, each with its kid"
            raise ServiceError(heading, [Problem("issuers", "holds no usable key", fix, str(file))])

    async def find(self, kid: str) -> PublicKey | None:
        """Return the key of that name."""
        return self._keys.get(kid)


class RemoteKeys:
    """The keys at one configured address.

    They are asked for when a name is unknown or they are old, at most once per ``interval``; what does not answer
    leaves the keys as they were.
    """

    def __init__(
        self,
        url: str,
        interval: float,
        clock: Callable[[], float],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url, self._interval, self._clock, self._transport = url, interval, clock, transport
        self._keys: dict[str, PublicKey] = {}
        self._asked: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> PublicKey | None:
        """Return the key of that name, after a look at the address if need be."""
        if self._due(kid):
            async with self._lock:
                if self._due(kid):
                    self._asked = self._clock()
                    await self._refresh()
        return self._keys.get(kid)

    def _due(self, kid: str) -> bool:
        if self._asked is None:
            return True
        age = self._clock() - self._asked
        return age >= self._interval and (kid not in self._keys or age >= KEPT)

    async def _refresh(self) -> None:
        try:
            async with (
                asyncio.timeout(PATIENCE),
                httpx.AsyncClient(transport=self._transport, timeout=PATIENCE, trust_env=False) as client,
                client.stream("GET", self._url, headers={"Accept": "application/json"}) as response,
            ):
                response.raise_for_status()
                content = bytearray()
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > LARGEST_SET:
                        return
            self._keys = read_keys(json.loads(content))
        except (httpx.HTTPError, TimeoutError, OSError, ValueError, RecursionError):
            return


def key_source(
    issuer: Issuer,
    interval: float,
    clock: Callable[[], float],
    transport: httpx.AsyncBaseTransport | None = None,
) -> KeySource:
    """Where the keys of an issuer come from, as configured; never from an address that a token names."""
    if issuer.jwks_url is not None:
        return RemoteKeys(issuer.jwks_url, interval, clock, transport)
    assert issuer.jwks_file is not None  # noqa: S101, RUF100  # one of the two, as the settings say
    return FileKeys(issuer.jwks_file)
