"""The one socket on which all workers accept connections."""

from __future__ import annotations

import socket
from typing import Final

from bcma_decide.errors import Problem, ServiceError

WAITING: Final = 2_048
"""Connections that may wait to be accepted."""


class OneAtATime(socket.socket):
    """A listening socket of which one connection is accepted at a time.

    The loop of asyncio accepts whatever waits: of eight clients that come together, one worker would get all eight.
    """

    _accepted = False

    def accept(self) -> tuple[socket.socket, object]:
        """Accept a connection, then say that none is waiting, once."""
        self._accepted = not self._accepted
        if not self._accepted:
            raise BlockingIOError
        try:
            return super().accept()
        except OSError:
            self._accepted = False
            raise


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
