"""What workshop and bedside must agree on about the pooled file: its version, its settings, its checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from bcma_decide.vocabulary import Design

POOLED_SCHEMA_VERSION: Final = "1"
SETTINGS: Final[tuple[Design, Design]] = ("interventional", "real_world")


def content_hash(document: Mapping[str, Any]) -> str:
    """SHA-256 of the pooled document without its own ``pooled_hash`` (canonical JSON)."""
    body = {key: value for key, value in document.items() if key != "pooled_hash"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
