"""What the load tool measured of the service, as it wrote it: ``python -m tests.load``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def service(path: Path | None) -> dict[str, Any]:
    """Its figures under one name each; nothing without a file."""
    return {} if path is None else dict(_named("", json.loads(path.read_text(encoding="utf-8"))))


def _named(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _named(f"{name}, {key}" if name else str(key), inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value, start=1):
            yield from _named(f"{name} {place}".strip(), inner)
    else:
        yield name, value
