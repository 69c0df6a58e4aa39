"""The memory of processes on several machines: a server that speaks the protocol of Redis, such as Valkey.

What needs more than one step is a script that the server runs as one. Times are those of the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import redis.asyncio as aio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from bcma_decide.service.shared.store import MINUTE, Space, StoreError

_PATIENCE: Final = 1.0
"""Seconds to wait for a connection, and for an answer."""
_PREFIX: Final = b"{bcma-decide}:"
"""Of every key; in braces, so that all of them are at one place of a cluster, as scripts need them."""
_NOW: Final = "local t = redis.call('TIME'); local now = t[1] + t[2] / 1000000\n"
_PUT: Final = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[2])
redis.call('ZREM', KEYS[2], KEYS[1])
local over = redis.call('ZCARD', KEYS[2]) - ARGV[3] + 1
if over > 0 then
    local gone = redis.call('ZPOPMIN', KEYS[2], over)
    for i = 1, #gone, 2 do redis.call('DEL', gone[i]) end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', math.ceil(1000 * ARGV[2]))
redis.call('ZADD', KEYS[2], now, KEYS[1])
"""
)
"""KEYS: that of the content, the list of all of its space by the time they were touched."""
_TOUCH: Final = (
    _NOW
    + """
if redis.call('PEXPIRE', KEYS[1], math.ceil(1000 * ARGV[1])) == 1 then redis.call('ZADD', KEYS[2], now, KEYS[1]) end
"""
)
_TAKE: Final = """
redis.call('ZREM', KEYS[2], KEYS[1])
return redis.call('GETDEL', KEYS[1])
"""
_FIRST: Final = (
    _NOW
    + """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], '', 'PX', math.ceil(1000 * ARGV[1]))
redis.call('ZADD', KEYS[2], now + ARGV[1], KEYS[1])
return 1
"""
)
"""Its list is by the time they end."""
_COUNT: Final = """
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return n
"""


class RedisStore:
    """Connections to the server, made when they are needed."""

    def __init__(self, address: str) -> None:
        self._server: Any = aio.Redis.from_url(
            address,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=Retry(NoBackoff(), 1),  # a connection that the server closed meanwhile
            retry_on_error=[RedisConnectionError],
            health_check_interval=0,
        )
        scripts = {"put": _PUT, "touch": _TOUCH, "take": _TAKE, "first": _FIRST, "count": _COUNT}
        self._scripts = {name: self._server.register_script(text) for name, text in scripts.items()}

    async def put(self, space: Space, key: bytes, content: bytes, seconds: float, most: int) -> None:
        """Keep a content."""
        await self._run("put", space, key, content, seconds, most)

    async def get(self, space: Space, key: bytes) -> bytes | None:
        """Return a content."""
        with _told():
            found: bytes | None = await self._server.get(_key(space, key))
        return found

    async def touch(self, space: Space, key: bytes, seconds: float) -> None:
        """Keep a content longer."""
        await self._run("touch", space, key, seconds)

    async def take(self, space: Space, key: bytes) -> bytes | None:
        """Return a content and forget it."""
        found: bytes | None = await self._run("take", space, key)
        return found

    async def first(self, space: Space, key: bytes, seconds: float, most: int) -> bool:
        """Note a key."""
        return bool(await self._run("first", space, key, seconds, most))

    async def count(self, key: bytes) -> int:
        """Count one more, in the minute that began with the first."""
        with _told():
            return int(await self._scripts["count"](keys=[_key("count", key)], args=[MINUTE]))

    async def sweep(self) -> None:
        """Nothing to do: the server forgets by itself."""

    async def close(self) -> None:
        """Close the connections."""
        with _told():
            await self._server.aclose()

    async def _run(self, script: str, space: Space, key: bytes, *values: bytes | float) -> Any:  # noqa: ANN401  # of the server
        keys = [_key(space, key), _key("all", space.encode())]
        with _told():
            return await self._scripts[script](keys=keys, args=values)


def _key(space: str, key: bytes) -> bytes:
    return _PREFIX + space.encode() + b":" + key


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreError(type(error).__name__) from None
