"""Logins under way: what was asked for at the authorization server, until the browser comes back with the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from time import monotonic
from typing import Final

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from bcma_decide.service.settings import Ehr
from bcma_decide.service.smart.configuration import Configuration
from bcma_decide.service.smart.scopes import asked_scopes

PATIENCE: Final = 600
"""Seconds a login may take."""
MOST: Final = 10_000
"""Logins under way at a time; a further one ends the oldest."""
SECRET_BYTES: Final = 32


@dataclass(frozen=True)
class Login:
    """One login under way. Its secrets stay here: the browser gets the challenge, the state and a cookie."""

    ehr: Ehr
    configuration: Configuration
    redirect_uri: str
    scopes: tuple[str, ...]
    verifier: str = field(repr=False)
    nonce: str = field(repr=False)


@dataclass(frozen=True)
class Begun:
    """What the browser gets at the start of a login."""

    address: str
    """Where it is sent."""
    cookie: str
    """Name of the cookie that binds the login to it."""
    secret: str = field(repr=False)
    """Its value."""


class Logins:
    """The logins under way at one service."""

    def __init__(self, *, secure: bool, clock: Callable[[], float] = monotonic, most: int = MOST) -> None:
        self._prefix = "__Host-bcma-launch-" if secure else "bcma-launch-"
        self._clock, self._most = clock, most
        self._waiting: dict[bytes, tuple[float, bytes, Login]] = {}

    def begin(
        self, ehr: Ehr, configuration: Configuration, redirect_uri: str, *, aud: str, launch: str | None
    ) -> Begun:
        """Begin a login: from an EHR, which names it by ``launch``, or standalone (None).

        ``aud`` is the address of the EHR, written as it names itself.
        """
        state, secret, verifier, nonce = (token_urlsafe(SECRET_BYTES) for _ in range(4))
        scopes = asked_scopes(ehr, configuration, standalone=launch is None)
        address = prepare_grant_uri(
            configuration.authorization_endpoint,
            ehr.client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=" ".join(scopes),
            state=state,
            aud=aud,
            launch=launch,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            nonce=nonce if "openid" in scopes else None,
        )
        login = Login(ehr, configuration, redirect_uri, scopes, verifier, nonce)
        self._make_room()
        self._waiting[_hash(state)] = (self._clock() + PATIENCE, _hash(secret), login)
        return Begun(address, self.cookie_of(state), secret)

    def cookie_of(self, state: str) -> str:
        """Name of the cookie of a login: each has its own, so that two tabs do not end each other's."""
        return self._prefix + _hash(state).hex()[:16]

    def take(self, state: str, cookies: Mapping[str, str]) -> Login | None:
        """Take a login out, once; None where it is unknown, over, used before, or of another browser."""
        until, secret, login = self._waiting.pop(_hash(state), (0.0, b"", None))
        if login is None or until <= self._clock():
            return None
        brought = _hash(cookies.get(self.cookie_of(state), ""))
        return login if compare_digest(brought, secret) else None

    def _make_room(self) -> None:
        now = self._clock()
        for key in [key for key, (until, _, _) in self._waiting.items() if until <= now]:
            del self._waiting[key]
        while len(self._waiting) >= self._most:
            del self._waiting[next(iter(self._waiting))]


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()
