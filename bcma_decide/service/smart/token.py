"""A code against an access token: the request to the token endpoint, and what its answer permits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from authlib.common.urls import add_params_to_qs
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oauth2.rfc7009 import prepare_revoke_token_request
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from authlib.oauth2.rfc7523.client import ASSERTION_TYPE

from bcma_decide.service.smart.client_key import ClientKey, algorithm_of
from bcma_decide.service.smart.login import Login
from bcma_decide.service.smart.refusal import OTHER, error_code, said_of
from bcma_decide.service.smart.stopped import AGAIN, TELL, Stopped
from bcma_decide.service.smart.web import OK, Unreachable, Web

ASSERTION_LIFE: Final = 240
"""Seconds a signed assertion holds; SMART allows five minutes."""
LONGEST_TOKEN: Final = 16_384
_ID: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9.-]{1,64}")
"""An id of FHIR that stays one step of an address."""


@dataclass(frozen=True)
class Granted:
    """What the EHR granted: used once to read the record, then dropped."""

    access_token: str = field(repr=False)
    patient: str = field(repr=False)
    """Id of the patient the launch is about."""
    scopes: frozenset[str]
    banner: bool
    """Whether the page has to say who the patient is; it need not only where the EHR says that it does."""
    identity: str = field(repr=False)
    """The identity token; empty where there is none."""


async def exchange(web: Web, login: Login, code: str, key: ClientKey | None) -> Granted:
    """Exchange a code; raises Stopped."""
    endpoint = login.configuration.token_endpoint
    body = prepare_token_request(
        "authorization_code", redirect_uri=login.redirect_uri, code=code, code_verifier=login.verifier
    )
    try:
        status, content = await web.post(endpoint, _authenticated(body, login, key))
    except Unreachable:
        raise Stopped("no token", "The EHR does not answer.", f"{AGAIN} {TELL}", 502) from None
    if status != OK:
        code = error_code(content)
        named = f" ({code})" if code not in ("", OTHER) else ""
        what = f"The EHR did not accept the launch{named}: it may have taken too long, or be over."
        raise Stopped("no token", what, said=said_of(content) or f"status {status}")
    return read_granted(content, login.scopes)


async def revoke(web: Web, login: Login, granted: Granted, key: ClientKey | None) -> None:
    """Give a token back once it is used up, where the EHR takes it (RFC 7009); raises nothing, it ends soon anyway."""
    endpoint = login.configuration.revocation_endpoint
    if endpoint:
        body, _ = prepare_revoke_token_request(granted.access_token, "access_token")
        with suppress(Unreachable):
            await web.post(endpoint, _authenticated(body, login, key))


def _authenticated(body: str, login: Login, key: ClientKey | None) -> str:
    """Add who asks: the name of a public client, or what only the holder of the key can sign."""
    if key is None:
        _, _, named = ClientAuth(login.ehr.client_id, None, "none").prepare("POST", "", {}, body)
        return str(named)
    proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", _assertion(login, key))]
    return str(add_params_to_qs(body, proof))


def _assertion(login: Login, key: ClientKey) -> str:
    signed: str = private_key_jwt_sign(
        key,
        login.ehr.client_id,
        login.configuration.token_endpoint,
        alg=algorithm_of(key),
        header={"kid": key.kid},
        expires_in=ASSERTION_LIFE,
    )
    return signed


def read_granted(content: Mapping[str, Any], asked: tuple[str, ...]) -> Granted:
    """Check the answer of a token endpoint; raises Stopped."""
    token, kind, patient = (content.get(name) for name in ("access_token", "token_type", "patient"))
    usable = isinstance(token, str) and 0 < len(token) <= LONGEST_TOKEN and token.isascii() and token.isprintable()
    if not usable or not isinstance(kind, str) or kind.casefold() != "bearer":
        raise Stopped("token", "The answer of the EHR to the launch cannot be used.", TELL, 502)
    if patient is None:
        what = "The EHR did not say which patient the launch is about."
        raise Stopped("no patient", what, f"Open a patient's record, then open the application from there. {TELL}")
    patient = patient.removeprefix("Patient/") if isinstance(patient, str) else ""
    if not _ID.fullmatch(patient):
        raise Stopped("token", "The answer of the EHR to the launch cannot be used.", TELL, 502)
    scope, identity = content.get("scope"), content.get("id_token")
    return Granted(
        access_token=str(token),
        patient=patient,
        scopes=frozenset(scope.split()) if isinstance(scope, str) else frozenset(asked),
        banner=content.get("need_patient_banner") is not False,
        identity=identity if isinstance(identity, str) else "",
    )
