"""Who calls: a JSON Web Token signed by a configured issuer, for this service, now, and for the first time.

Checked by joserfc with the one algorithm that the token names, if the issuer may use it; never ``none``, never a
shared secret. An address in the token (``jku``) is never asked: keys come from where the configuration says.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from hashlib import sha256
from time import time
from typing import Any, Final

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry
from starlette.types import ASGIApp, Receive, Scope, Send

from bcma_decide.errors import Problem, ServiceError
from bcma_decide.service.callers.key_sets import KeySource, key_source
from bcma_decide.service.http.problems import Refusal, forgetful, refusal_response
from bcma_decide.service.page.page_access import is_page
from bcma_decide.service.rest.definitions import DEFINITIONS
from bcma_decide.service.settings import Issuer, Settings
from bcma_decide.service.shared.store import Store, StoreError

OPEN_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Without a token; ``/metrics`` looks at the address of the client instead."""
OPEN_BELOW: Final = ("/smart/", DEFINITIONS)
"""Browsers that an EHR sends bring no token of ours: what they bring is checked there. Definitions say nothing of a
patient."""
LONGEST_LIFE: Final = 3_600
"""Seconds a token may still be valid: as long as its use is remembered."""
MOST_REMEMBERED: Final = 100_000
"""Tokens remembered at a time; when there are more, further ones are refused."""
LONGEST_TOKEN: Final = 8_192
_LATEST: Final = 2**53
"""Seconds that can still be counted with; also keeps out what is not a number."""


class Untrusted(Exception):  # noqa: N818  # an answer, not a mistake of the program
    """A token that does not admit its bearer; the reason is one of few fixed words, for the log only."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class UsedTokens:
    """Tokens already used, until they expire."""

    def __init__(self, store: Store, clock: Callable[[], float], most: int = MOST_REMEMBERED) -> None:
        self._store, self._clock, self._most = store, clock, most

    async def use(self, issuer: str, jti: str, until: float) -> bool:
        """Remember a token; False if it was used before, or if there is no room to remember it. Raises StoreError."""
        key = sha256(json.dumps([issuer, jti]).encode()).digest()
        return await self._store.first("token", key, until - self._clock(), self._most)


class Verifier:
    """Checks tokens for one service."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        clock: Callable[[], float] = time,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._clock, self._skew = clock, settings.clock_skew
        self._used = UsedTokens(store, clock)
        self._issuers: dict[str, tuple[Issuer, KeySource]] = {}
        for issuer in settings.issuers:
            if issuer.issuer in self._issuers:
                problem = Problem("issuers", f"{issuer.issuer!r} stands there twice", "keep one of them")
                raise ServiceError("the service cannot start: its settings cannot be used", [problem])
            source = key_source(issuer, settings.jwks_refresh, clock, transport)
            self._issuers[issuer.issuer] = (issuer, source)

    async def verify(self, token: str, path: str) -> str:
        """Return the issuer of a token for the given path; raises Untrusted, StoreError."""
        if len(token) > LONGEST_TOKEN:
            raise Untrusted("malformed")
        header, claims = unverified(token)
        issuer, keys = self._issuers.get(_text(claims, "iss"), (None, None))
        if issuer is None or keys is None:
            raise Untrusted("issuer")
        algorithm = _text(header, "alg")
        if algorithm not in issuer.algorithms or str(header.get("typ", "JWT")).upper() != "JWT":
            raise Untrusted("algorithm")
        key = await keys.find(_text(header, "kid"))
        if key is None:
            raise Untrusted("key")
        registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        try:
            claims = jwt.decode(token, key, algorithms=[algorithm], registry=registry).claims
        except (JoseError, ValueError, TypeError, RecursionError):
            raise Untrusted("signature") from None
        self._check_times(claims)
        _check_audience(issuer, claims.get("aud"), path)
        jti = _text(claims, "jti")
        if not jti or not await self._used.use(issuer.issuer, jti, claims["exp"] + self._skew):
            raise Untrusted("used before" if jti else "jti")
        return issuer.issuer

    def _check_times(self, claims: dict[str, Any]) -> None:
        for name in ("exp", "iat", "nbf"):
            value = claims.get(name)
            if value is None and name == "nbf" and name not in claims:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _LATEST:
                raise Untrusted("time")
        now = int(self._clock())
        try:
            JWTClaimsRegistry(now=now, leeway=self._skew).validate(
                {k: claims[k] for k in ("exp", "iat", "nbf") if k in claims}
            )
        except JoseError:
            raise Untrusted("time") from None
        if claims["exp"] > now + LONGEST_LIFE + self._skew:
            raise Untrusted("time")


def _check_audience(issuer: Issuer, audience: object, path: str) -> None:
    named = {audience} if isinstance(audience, str) else set()
    if isinstance(audience, list):
        named = {each for each in audience if isinstance(each, str)}
    accepted = {each[:-1].rstrip("/") + path if each.endswith("*") else each for each in issuer.audience}
    # a slash at the end of an address is the same address here
    if not {each.rstrip("/") for each in named} & {each.rstrip("/") for each in accepted}:
        raise Untrusted("audience")


def unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and payload as they stand there, to find whose keys to check them with; raises Untrusted."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004, RUF100  # header, payload, signature
        raise Untrusted("malformed")
    try:
        header, payload = (json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except (binascii.Error, ValueError, RecursionError):
        raise Untrusted("malformed") from None
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise Untrusted("malformed")
    return header, payload


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""


class TokenGate:
    """Refuses with 401 and nothing more whoever brings no token that admits them; their body is never read.

    Requests for the page pass, where there is one: it asks itself who may see it.
    """

    def __init__(self, app: ASGIApp, verifier: Verifier | None, *, page: bool = False) -> None:
        self.app = app
        self.verifier = verifier
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and self.verifier is not None and not self._is_open(scope):
            try:
                scope["bcma_decide.issuer"] = await self.verifier.verify(_bearer(scope), str(scope["path"]))
            except Untrusted as untrusted:
                scope["bcma_decide.reason"] = untrusted.reason
                refusal = Refusal(401, headers={"WWW-Authenticate": "Bearer"})
                await refusal_response(scope["path"], refusal)(scope, receive, send)
                return
            except StoreError:  # whether it was used before is not known, so it admits nobody
                scope["bcma_decide.reason"] = "store"
                await refusal_response(scope["path"], forgetful())(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        path = str(scope["path"])
        return path in OPEN_PATHS or path.startswith(OPEN_BELOW) or (self.page and is_page(scope))


def issuer_of(scope: Scope) -> str:
    """Who signed the token that admitted a request; empty where the service is open."""
    return str(scope.get("bcma_decide.issuer", ""))


def _bearer(scope: Scope) -> str:
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(values) != 1:
        raise Untrusted("no token")
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    if scheme.casefold() != "bearer" or not token:
        raise Untrusted("no token")
    return str(token.strip())
