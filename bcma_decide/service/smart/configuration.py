"""What an EHR says of its authorization server: ``.well-known/smart-configuration``, read and checked."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from bcma_decide.service.fetching.addresses import read_address
from bcma_decide.service.settings import Ehr, is_web_address
from bcma_decide.service.smart.stopped import TELL, Stopped
from bcma_decide.service.smart.web import OK, Unreachable, Web

PLACE: Final = "/.well-known/smart-configuration"
KEPT: Final = 300.0
"""Seconds for which it is not asked again."""
FAILED: Final = 5.0
"""The same, where it did not answer as it should."""


@dataclass(frozen=True)
class Configuration:
    """What is used of it."""

    authorization_endpoint: str
    token_endpoint: str
    issuer: str
    """Who signs identity tokens and names itself at the return (RFC 9207); empty where it does not say."""
    jwks_uri: str
    revocation_endpoint: str
    """Where a token is given back; empty where that is not done."""
    names_itself: bool
    """Whether the return has to carry ``iss``."""

    @property
    def identifies(self) -> bool:
        """Whether identity tokens can be asked for and checked."""
        return bool(self.issuer and self.jwks_uri)


def read_configuration(content: Mapping[str, Any]) -> Configuration:
    """Check the document; raises Stopped, naming the key that cannot be used."""
    authorization = _endpoint(content, "authorization_endpoint")
    token = _endpoint(content, "token_endpoint")
    _holds(content, "grant_types_supported", "authorization_code")
    _holds(content, "code_challenge_methods_supported", "S256")
    capabilities = content.get("capabilities")
    if not isinstance(capabilities, list):
        raise _unusable("capabilities")
    with_identity = "sso-openid-connect" in capabilities
    issuer = content.get("issuer")
    return Configuration(
        authorization_endpoint=authorization,
        token_endpoint=token,
        issuer=issuer if isinstance(issuer, str) else "",
        jwks_uri=_endpoint(content, "jwks_uri") if with_identity and isinstance(issuer, str) else "",
        revocation_endpoint=_endpoint(content, "revocation_endpoint") if "revocation_endpoint" in content else "",
        names_itself=content.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(content: Mapping[str, Any], key: str) -> str:
    address = content.get(key)
    if not isinstance(address, str) or not is_web_address(address) or "#" in address or read_address(address) is None:
        raise _unusable(key)
    return address


def _holds(content: Mapping[str, Any], key: str, wanted: str) -> None:
    values = content.get(key)
    if not isinstance(values, list) or wanted not in values:
        raise _unusable(key)


def _unusable(key: str) -> Stopped:
    what = f"The SMART configuration of the EHR cannot be used: {key} is missing or does not fit."
    return Stopped("configuration", what, TELL, 502)


class Discovery:
    """The configurations of the configured EHRs, each asked for at most once in :data:`KEPT` seconds.

    That one cannot be had is remembered for :data:`FAILED` seconds, so that many who wait do not each wait in turn.
    """

    def __init__(self, web: Web, clock: Callable[[], float] = monotonic) -> None:
        self._web, self._clock = web, clock
        self._known: dict[str, tuple[float, Configuration | Stopped]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def find(self, ehr: Ehr) -> Configuration:
        """Return the configuration of an EHR; raises Stopped where it has none that can be used."""
        async with self._locks[ehr.id]:
            until, found = self._known.get(ehr.id, (0.0, None))
            if found is None or until <= self._clock():
                found = await self._read(ehr)
                kept = FAILED if isinstance(found, Stopped) else KEPT
                self._known[ehr.id] = (self._clock() + kept, found)
        if isinstance(found, Stopped):
            raise found.with_traceback(None)
        return found

    async def _read(self, ehr: Ehr) -> Configuration | Stopped:
        try:
            status, content = await self._web.get(ehr.iss.rstrip("/") + PLACE)
            if status == OK:
                return read_configuration(content)
        except Stopped as stopped:
            return stopped
        except Unreachable:
            pass
        what = "The EHR does not give its SMART configuration."
        return Stopped("no configuration", what, f"Try again in a minute. {TELL}", 502)
