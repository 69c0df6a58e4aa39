"""Logins under way: what was asked for at the authorization server, until the browser comes back with the answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from bcma_decide.service.settings import Ehr
from bcma_decide.service.shared.sealing import place_of, seal, unseal
from bcma_decide.service.shared.store import Store
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
    """The logins under way at one service: kept by their state, sealed with what the browser alone has."""

    def __init__(self, store: Store, ehrs: Iterable[Ehr], *, secure: bool, most: int = MOST) -> None:
        self._prefix = "__Host-bcma-launch-" if secure else "bcma-launch-"
        self._store, self._most = store, most
        self._ehrs = {ehr.id: ehr for ehr in ehrs}

    async def begin(
        self, ehr: Ehr, configuration: Configuration, redirect_uri: str, *, aud: str, launch: str | None
    ) -> Begun:
        """Begin a login: from an EHR, which names it by ``launch``, or standalone (None).

        ``aud`` is the address of the EHR, written as it names itself. Raises StoreError.
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
        await self._store.put("login", place_of(state), seal(state + secret, _written(login)), PATIENCE, self._most)
        return Begun(address, self.cookie_of(state), secret)

    def cookie_of(self, state: str) -> str:
        """Name of the cookie of a login: each has its own, so that two tabs do not end each other's."""
        return self._prefix + sha256(state.encode()).hexdigest()[:16]

    async def take(self, state: str, cookies: Mapping[str, str]) -> Login | None:
        """Take a login out, once; None where it is unknown, over, used before, or of another browser.

        Raises StoreError.
        """
        sealed = await self._store.take("login", place_of(state))
        content = None if sealed is None else unseal(state + cookies.get(self.cookie_of(state), ""), sealed)
        return None if content is None else self._read(content)

    def _read(self, content: bytes) -> Login | None:
        """The login, unless its EHR is not configured any more."""
        found = json.loads(content)
        ehr = self._ehrs.get(found["ehr"])
        if ehr is None:
            return None
        configuration = Configuration(**found["configuration"])
        scopes = tuple(found["scopes"])
        return Login(ehr, configuration, found["redirect_uri"], scopes, found["verifier"], found["nonce"])


def _written(login: Login) -> bytes:
    content = {
        "ehr": login.ehr.id,
        "configuration": asdict(login.configuration),
        "redirect_uri": login.redirect_uri,
        "scopes": login.scopes,
        "verifier": login.verifier,
        "nonce": login.nonce,
    }
    return json.dumps(content).encode()
