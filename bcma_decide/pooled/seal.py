"""What workshop and bedside must agree on about the pooled file: its version, its settings, its checksum."""

from __future__ import annotations

import hashlib
from typing import Final

from bcma_decide.vocabulary import Design

POOLED_SCHEMA_VERSION: Final = "5"
SEAL: Final = "pooled_hash"
SETTINGS: Final[tuple[Design, Design]] = ("interventional", "real_world")


def sealed(body: str) -> str:
    """The text of a pooled file: a first line with the SHA-256 of everything after it, then the body.

    ``body`` is the text of a JSON object without its opening brace.
    """
    return f'{{"{SEAL}":"{hashlib.sha256(body.encode()).hexdigest()}",\n{body}'


def seal_holds(text: str) -> bool:
    """Whether a pooled file's text still has the checksum it was written with."""
    first, _, body = text.partition("\n")
    return first == sealed(body).partition("\n")[0]
