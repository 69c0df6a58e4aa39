"""Keys and tokens for the tests, made by joserfc."""

import json
import time
from functools import cache

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.jws import JWSRegistry

from bcma_decide.service.settings import Issuer

ISSUER = "https://ehr.example.org"
AUDIENCE = "https://cds.example.org"


@cache
def key(kind, kid):
    parameters = {"kid": kid, "use": "sig"}
    if kind == "RSA":
        return RSAKey.generate_key(2048, parameters)
    return ECKey.generate_key(kind, parameters)


EC = ("P-384", "ec-1")
RSA = ("RSA", "rsa-1")
OTHER = ("P-384", "other")


def key_set(*names):
    return KeySet([key(*each) for each in names]).as_dict(private=False)


def issuer(folder, *names, **changes):
    """An issuer whose keys are in a file."""
    file = folder / "keys.json"
    file.write_text(json.dumps(key_set(*(names or (EC, RSA)))))
    return Issuer(**({"issuer": ISSUER, "audience": (f"{AUDIENCE}*",), "jwks_file": file} | changes))


def claims(path="/evidence", now=None, **changes):
    now = int(now or time.time())
    whole = {
        "iss": ISSUER,
        "aud": AUDIENCE + path,
        "iat": now,
        "exp": now + 300,
        "jti": str(time.monotonic_ns()),
        "sub": "extra claims are taken",
    } | changes
    return {name: value for name, value in whole.items() if value is not ...}


def token(content=None, *, name=EC, algorithm="ES384", header=None, **changes):
    """A token of the issuer; parts of the header that are set to ... are left out."""
    whole = {"alg": algorithm, "kid": name[1]} | (header or {})
    whole = {part: value for part, value in whole.items() if value is not ...}
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jwt.encode(whole, content or claims(**changes), key(*name), [algorithm], registry)


def bearer(text):
    return {"Authorization": f"Bearer {text}"}
