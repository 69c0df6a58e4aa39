"""What runs in a process that makes sheets: one job after the other, until its last or until nobody sends any.

It holds no settings, no audit and no connection: a comparison and a sheet come in, the bytes of a PDF go out.
"""

from __future__ import annotations

import signal
from contextlib import suppress
from multiprocessing.connection import Connection

from bcma_decide.errors import SheetError


def serve_jobs(jobs: Connection, most: int) -> None:
    """Make sheets until ``most`` are made or the other end is closed, also by the death of who held it.

    Of a comparison that cannot be printed the answer is the :class:`bcma_decide.errors.SheetError`; any other error
    ends the process, since the library below may have left anything behind.
    """
    for number in (signal.SIGTERM, signal.SIGINT):  # told to a whole group: the job is finished, whoever asked decides
        signal.signal(number, signal.SIG_IGN)
    from bcma_decide.render.sheet.pdf import render_pdf

    with suppress(EOFError, OSError):
        for _ in range(most):
            comparison, sheet = jobs.recv()
            try:
                made: bytes | SheetError = render_pdf(comparison, sheet)
            except SheetError as error:
                made = error
            jobs.send(made)
