"""What runs in the process of a worker: the application on the socket of the family, until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable
from multiprocessing.connection import Connection

from bcma_decide.errors import BcmaDecideError
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.service.service import Reader
from bcma_decide.service.settings import Settings

Load = Callable[[bool], tuple[PooledEvidence, Reader | None]]
"""Loads the evidence and what reads records, in the process that needs them; True: warns where the evidence is old."""
READY = "ready"


def work(settings: Settings, load: Load, listening: socket.socket, parent: Connection, number: int) -> None:
    """Serve; tells the parent :data:`READY`, or the error for which it cannot start. Ends when the parent does."""
    from bcma_decide.service.family.listening import OneAtATime
    from bcma_decide.service.server import serve

    shared = OneAtATime(fileno=listening.detach())
    shared.setblocking(False)
    try:
        pooled, reader = load(number == 1)
        serve(settings, pooled, reader, sockets=[shared], parent=parent, number=number)
    except BcmaDecideError as error:
        parent.send(error)
