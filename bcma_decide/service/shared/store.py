"""A memory with an end to everything in it: what it can do, and the one of a single process.

Keys are hashes and contents are sealed by those who keep them (:mod:`bcma_decide.service.shared.sealing`), so that what
is seen of a memory, a file or a server tells nothing of a patient and opens no session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import time
from typing import Final, Literal, Protocol

Space = Literal["session", "login", "token"]
"""What is kept: of each space the keys stand apart."""
MINUTE: Final = 60


class StoreError(Exception):
    """The memory cannot be reached; its message never says what was asked of it."""


class Store(Protocol):
    """What is kept for a time. Every method may raise :class:`StoreError`."""

    async def put(self, space: Space, key: bytes, content: bytes, seconds: float, most: int) -> None:
        """Keep a content for so long; where ``most`` are kept already, the one touched longest ago gives way."""
        ...

    async def get(self, space: Space, key: bytes) -> bytes | None:
        """Return a content; None where there is none, or its time is over."""
        ...

    async def touch(self, space: Space, key: bytes, seconds: float) -> None:
        """Keep a content so long from now."""
        ...

    async def take(self, space: Space, key: bytes) -> bytes | None:
        """Return a content and forget it, so that no other process gets it as well."""
        ...

    async def first(self, space: Space, key: bytes, seconds: float, most: int) -> bool:
        """Note a key for so long; False where it is noted already, by whomever, or where ``most`` others are."""
        ...

    async def count(self, key: bytes) -> int:
        """Count one more in this minute, and return how many it has by now."""
        ...

    async def sweep(self) -> None:
        """Forget whatever is over."""
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...


@dataclass
class _Kept:
    content: bytes
    until: float
    touched: float


class Memory:
    """The memory of one process, which forgets everything when it ends.

    Parameters
    ----------
    clock
        Seconds since whenever; they may not go back.
    """

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._kept: dict[Space, dict[bytes, _Kept]] = {"session": {}, "login": {}, "token": {}}
        self._minute, self._counted = 0, dict[bytes, int]()

    async def put(self, space: Space, key: bytes, content: bytes, seconds: float, most: int) -> None:
        """Keep a content."""
        kept, now = self._kept[space], self._clock()
        kept.pop(key, None)
        if len(kept) >= most:
            self._forget(space)
        while len(kept) >= most:
            del kept[min(kept, key=lambda each: kept[each].touched)]
        kept[key] = _Kept(content, now + seconds, now)

    async def get(self, space: Space, key: bytes) -> bytes | None:
        """Return a content."""
        found = self._kept[space].get(key)
        return found.content if found and found.until > self._clock() else None

    async def touch(self, space: Space, key: bytes, seconds: float) -> None:
        """Keep a content longer."""
        if found := self._kept[space].get(key):
            found.touched = self._clock()
            found.until = found.touched + seconds

    async def take(self, space: Space, key: bytes) -> bytes | None:
        """Return a content and forget it."""
        found = self._kept[space].pop(key, None)
        return found.content if found and found.until > self._clock() else None

    async def first(self, space: Space, key: bytes, seconds: float, most: int) -> bool:
        """Note a key."""
        kept, now = self._kept[space], self._clock()
        if key in kept and kept[key].until > now:
            return False
        if len(kept) >= most:
            self._forget(space)
            if len(kept) >= most:
                return False
        kept[key] = _Kept(b"", now + seconds, now)
        return True

    async def count(self, key: bytes) -> int:
        """Count one more."""
        minute = int(self._clock() // MINUTE)
        if minute != self._minute:
            self._minute, self._counted = minute, {}
        self._counted[key] = self._counted.get(key, 0) + 1
        return self._counted[key]

    async def sweep(self) -> None:
        """Forget what is over."""
        for space in self._kept:
            self._forget(space)

    async def close(self) -> None:
        """Forget everything."""
        for kept in self._kept.values():
            kept.clear()

    def _forget(self, space: Space) -> None:
        kept, now = self._kept[space], self._clock()
        for key in [key for key, each in kept.items() if each.until <= now]:
            del kept[key]
