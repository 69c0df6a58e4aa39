"""What runs in the process of a worker: the application on the socket of the family, until it is told to stop."""

from __future__ import annotations

from multiprocessing.connection import Connection

from bcma_decide.errors import BcmaDecideError
from bcma_decide.service.family.listening import SharedListener, Shares
from bcma_decide.service.server import serve
from bcma_decide.service.service import Load
from bcma_decide.service.settings import Settings


def work(parent: Connection, settings: Settings, load: Load, listening: int, shares: int, number: int) -> None:
    """Serve on an open socket; tells the parent that it is ready, or the error for which it cannot start.

    Ends when the parent does.
    """
    shared = SharedListener(listening, Shares(shares, number))
    shared.setblocking(False)
    try:
        pooled, reader = load(number == 1)
        serve(settings, pooled, reader, sockets=[shared], parent=parent, number=number)
    except BcmaDecideError as error:
        parent.send(error)
