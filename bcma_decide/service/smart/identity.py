"""Identity tokens of OpenID Connect: a sign that the answer is the one asked for. Nothing of them is kept."""

from __future__ import annotations

from collections.abc import Mapping
from time import time
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from bcma_decide.service.callers.key_sets import only_key, read_keys
from bcma_decide.service.callers.tokens import Untrusted, unverified
from bcma_decide.service.settings import ALGORITHMS
from bcma_decide.service.smart.login import Login
from bcma_decide.service.smart.stopped import AGAIN, TELL, Stopped
from bcma_decide.service.smart.web import OK, Unreachable, Web

LONGEST: Final = 32_768


async def check_identity(web: Web, login: Login, token: str, leeway: int) -> None:
    """Check an identity token: signature, who issued it, for whom, when, and for this login; raises Stopped."""
    try:
        status, keys = await web.get(login.configuration.jwks_uri)
        claims = _verified(token, keys if status == OK else {})
        options: dict[str, Any] = {
            "iss": {"essential": True, "value": login.configuration.issuer},
            "aud": {"essential": True, "value": login.ehr.client_id},
            "sub": {"essential": True},
            "exp": {"essential": True},
            "iat": {"essential": True},
            "nonce": {"essential": True, "value": login.nonce},
        }
        if isinstance(claims.get("aud"), list) and len(claims["aud"]) > 1:
            options["azp"] = {"essential": True, "value": login.ehr.client_id}
        JWTClaimsRegistry(now=int(time()), leeway=leeway, **options).validate(dict(claims))
    except (Unreachable, Untrusted, JoseError, ValueError, TypeError, KeyError, RecursionError):
        what = "The EHR's statement of who is signed in could not be verified."
        raise Stopped("identity", what, f"{AGAIN} {TELL}", 502) from None


def _verified(token: str, keys: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the claims of a token signed by one of the keys with an algorithm that is not symmetric."""
    if len(token) > LONGEST:
        raise Untrusted("malformed")
    header, _ = unverified(token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise Untrusted("algorithm")
    key = only_key(keys, algorithm) if kid is None else read_keys(keys)[str(kid)]
    if key is None:
        raise Untrusted("key")
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jwt.decode(token, key, algorithms=[algorithm], registry=registry).claims
