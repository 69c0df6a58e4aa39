"""The private key by which the service proves to an EHR who it is (``private_key_jwt``)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from bcma_decide.errors import Problem, ServiceError
from bcma_decide.service.callers.key_sets import LARGEST_SET, SMALLEST_RSA
from bcma_decide.service.settings import Ehr
from bcma_decide.strict.files import UnreadableFile, read_bytes

ClientKey = RSAKey | ECKey

_HEADING: Final = "the service cannot start: its key for an EHR cannot be used"
_FIX: Final = f"give a private key as JWK or PEM: EC P-384, or RSA of {SMALLEST_RSA} bits or more"


def read_client_key(file: Path) -> ClientKey:
    """Read a private key from a file; raises ServiceError, which never repeats what the file holds."""
    try:
        text = read_bytes(file, LARGEST_SET).decode()
    except (UnreadableFile, UnicodeDecodeError) as error:
        reason = error.reason if isinstance(error, UnreadableFile) else "is no text"
        raise ServiceError(_HEADING, [Problem("smart", reason, _FIX, str(file))]) from None
    try:
        key = _parsed(text)
        usable = key.is_private and (
            key.public_key.key_size >= SMALLEST_RSA if isinstance(key, RSAKey) else key.curve_name == "P-384"
        )
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        usable = False
    if not usable:
        raise ServiceError(_HEADING, [Problem("smart", "holds no usable private key", _FIX, str(file))])
    key.ensure_kid()
    return key


def _parsed(text: str) -> ClientKey:
    if text.lstrip().startswith("{"):
        key = JWKRegistry.import_key(json.loads(text))
        if isinstance(key, (RSAKey, ECKey)):
            return key
        raise ValueError("of another kind")
    try:
        return ECKey.import_key(text)
    except (JoseError, ValueError, TypeError):
        return RSAKey.import_key(text)


def algorithm_of(key: ClientKey) -> str:
    """The algorithm it signs with: one of the two that SMART wants every EHR to know."""
    return "RS384" if isinstance(key, RSAKey) else "ES384"


def read_client_keys(ehrs: Iterable[Ehr]) -> dict[str, ClientKey]:
    """The keys of the EHRs that have one configured, by their ids; raises ServiceError."""
    return {ehr.id: read_client_key(ehr.key_file) for ehr in ehrs if ehr.key_file is not None}


def public_keys(keys: Iterable[ClientKey]) -> dict[str, Any]:
    """Their public halves as JWKS, for EHRs to check signatures with."""
    found: dict[str, dict[str, Any]] = {}
    for key in keys:
        kid = str(key.kid)
        found[kid] = {**key.as_dict(private=False), "use": "sig", "alg": algorithm_of(key), "kid": kid}
    return {"keys": list(found.values())}
