"""Where the memory is that several processes share: in one process, in a file, or on a server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from bcma_decide.errors import Problem, ServiceError
from bcma_decide.service.shared.store import Memory, Store

FORMS: Final = "sqlite:////var/lib/bcma-decide/store.db or rediss://user:password@host:6379/0"
_FILE: Final = "sqlite:///"
_SERVERS: Final = {"redis": "redis", "rediss": "rediss", "valkey": "redis", "valkeys": "rediss"}
"""Schemes of an address, and what the library calls them."""
_INSTALL: Final = 'pip install "bcma-decide[redis]"'


def is_store(address: str) -> bool:
    """Whether an address is of one of the forms in :data:`FORMS`."""
    scheme, sign, rest = address.partition("://")
    if address.startswith(_FILE):
        return bool(address.removeprefix(_FILE).strip("/"))
    return scheme in _SERVERS and bool(sign) and bool(re.match(r"[^/]", rest))


def open_store(address: str | None) -> Store:
    """Open the memory at an address; without one that of this process. Raises ServiceError where it cannot be used."""
    if address is None:
        return Memory()
    if address.startswith(_FILE):
        from bcma_decide.service.shared.sqlite_store import SqliteStore

        return SqliteStore(Path(address.removeprefix(_FILE)))
    try:
        from bcma_decide.service.shared.redis_store import RedisStore
    except ImportError:
        problem = Problem("store", "not installed: redis", f"install: {_INSTALL}")
        raise ServiceError("the service cannot start", [problem]) from None
    scheme, _, rest = address.partition("://")
    try:
        return RedisStore(f"{_SERVERS[scheme]}://{rest}")
    except ValueError:
        problem = Problem("store", "is not an address that can be used", f"write {FORMS}")
        raise ServiceError("the service cannot start", [problem]) from None
