"""The one socket on which all workers accept connections."""

from __future__ import annotations

import socket
from mmap import mmap
from time import monotonic, sleep
from typing import Final

from bcma_decide.errors import Problem, ServiceError

WAITING: Final = 2_048
"""Connections that may wait to be accepted."""
_LEAVE: Final = 0.01
"""Seconds for which a connection is left to a worker that has fewer: it may be dead, or hold still."""
_LOOK: Final = 0.0005
"""Seconds between two looks at one that is left."""


class Shares:
    """How many connections each worker has open, in memory that all of them see; each writes its own number only.

    ``descriptor``: of a file of :meth:`size` bytes for so many workers; ``number``: which of them this is, from 1.
    """

    def __init__(self, descriptor: int, number: int) -> None:
        self._counts = memoryview(mmap(descriptor, 0)).cast("q")
        self._own = number - 1
        self._counts[self._own] = 0  # whoever had the number before has ended

    @staticmethod
    def size(workers: int) -> int:
        """Bytes for so many workers."""
        return 8 * workers

    def add(self, change: int) -> None:
        """Note that one was opened, or closed."""
        self._counts[self._own] += change

    @property
    def is_least(self) -> bool:
        """Whether no other worker has fewer."""
        return self._counts[self._own] <= min(self._counts)


class SharedListener(socket.socket):
    """A listening socket of which the worker with the fewest connections takes the next one, and only that one.

    The loop of asyncio accepts whatever waits, and whichever worker wakes first is first again: of eight clients that
    come together one worker would get most, and they would wait for each other while the other worker has nothing to
    do. So one that has more than another leaves a connection to that one, for a moment.
    """

    _accepted = False
    _left_since = _left_last = 0.0

    def __init__(self, descriptor: int, shares: Shares) -> None:
        super().__init__(fileno=descriptor)
        self._shares = shares

    def accept(self) -> tuple[socket.socket, object]:
        """Accept a connection, then say that none is waiting, once."""
        self._accepted = not self._accepted
        if not self._accepted:
            raise BlockingIOError
        try:
            self._leave_to_others()
            descriptor, address = self._accept()  # type: ignore[attr-defined]
        except OSError:
            self._accepted = False
            raise
        return _Counted(self.family, self.type, self.proto, descriptor, self._shares), address

    def _leave_to_others(self) -> None:
        """Raise BlockingIOError where another worker has fewer connections and may still take this one."""
        now = monotonic()
        if now - self._left_last > 2 * _LEAVE:
            self._left_since = now
        if now - self._left_since < _LEAVE and not self._shares.is_least:
            self._left_last = now
            sleep(_LOOK)  # without it, the loop would ask again and again for what still waits
            raise BlockingIOError


class _Counted(socket.socket):
    """A connection that is counted while it is open."""

    def __init__(self, family: int, kind: int, protocol: int, descriptor: int, shares: Shares) -> None:
        super().__init__(family, kind, protocol, descriptor)
        self._shares: Shares | None = shares
        shares.add(1)

    def close(self) -> None:
        """Close it, and count it no more."""
        if self._shares is not None:
            self._shares.add(-1)
            self._shares = None
        super().close()


def listening(host: str, port: int) -> socket.socket:
    """Listen on an address; raises ServiceError where that cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # as a single process listens
        found.bind(address)
        found.listen(WAITING)
    except OSError:
        problem = Problem("", f"cannot listen on {host}, port {port}", "choose another --port")
        raise ServiceError("the service cannot start", [problem]) from None
    found.setblocking(False)
    return found
