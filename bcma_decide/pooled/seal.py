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
    return _first_line(body.encode()).decode() + body


def seal_holds(content: bytes) -> bool:
    """Whether a pooled file still has the checksum it was written with."""
    first = content[: content.find(b"\n") + 1]
    return first == _first_line(memoryview(content)[len(first) :])


def _first_line(body: bytes | memoryview) -> bytes:
    return f'{{"{SEAL}":"{hashlib.sha256(body).hexdigest()}",\n'.encode()
