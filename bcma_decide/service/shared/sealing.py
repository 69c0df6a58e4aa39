"""What is kept for a browser is sealed with what only that browser has, so that the memory itself opens nothing.

The key of AES-256-GCM (NIST SP 800-38D) is a hash of the secret; another hash of it is the place it is kept at. A
secret has 256 random bits, so that hashing it once is as good as any derivation.
"""

from __future__ import annotations

from hashlib import sha256
from os import urandom
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE: Final = 12
"""Bytes, as the standard recommends; a key seals a handful of contents, so that random ones do not meet."""


def place_of(secret: str) -> bytes:
    """Under which key what belongs to a secret is kept."""
    return sha256(b"place:" + secret.encode()).digest()


def seal(secret: str, content: bytes) -> bytes:
    """Seal a content with a secret."""
    nonce = urandom(_NONCE)
    return nonce + _cipher(secret).encrypt(nonce, content, None)


def unseal(secret: str, sealed: bytes) -> bytes | None:
    """Open what was sealed; None where it was sealed with another secret, or changed since."""
    try:
        return _cipher(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    except (InvalidTag, ValueError):
        return None


def _cipher(secret: str) -> AESGCM:
    return AESGCM(sha256(b"seal:" + secret.encode()).digest())
