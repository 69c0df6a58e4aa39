"""Sheets on paper for a service: made one at a time in each of a few processes, with a queue that has an end.

WeasyPrint takes seconds, holds the interpreter while it does, and grows with every sheet. So it runs in a process of
its own, which is started with the first sheet, ended after some, and may crash with nothing but its job being lost.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from bcma_decide.comparison import Comparison
from bcma_decide.errors import SheetError
from bcma_decide.render.sheet.pdf import missing
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.service.http.problems import Refusal
from bcma_decide.service.printing.renderer import serve_jobs
from bcma_decide.service.processes import Child, start
from bcma_decide.service.settings import Settings

_LOOK: Final = 0.1
"""Seconds between two looks at the clock while a sheet is being made."""
_LEFT: Final = 1.0
"""Seconds of the time to stop in which what is refused then can still be answered."""


class _Lost(Exception):  # noqa: N818  # an answer, not a mistake of the program
    """The process ended without an answer."""


class _TooLate(Exception):  # noqa: N818
    """There was no time left for the answer."""


@dataclass
class _Renderer:
    """One process: nothing of the service, no thread, lock or database of it, is in there."""

    child: Child
    left: int
    """Jobs it still takes."""


@dataclass
class Printing:
    """The processes that make the sheets of one worker, none of them until the first is asked for.

    ``processes`` make a sheet at a time each; ``queue`` more may wait. A sheet has ``seconds``, and a process makes
    ``most``, so that its memory does not grow without end.
    """

    processes: int
    queue: int
    seconds: float
    most: int
    _idle: list[_Renderer] = field(default_factory=list, init=False)
    _asked: int = field(default=0, init=False)
    _until: float | None = field(default=None, init=False)
    """When the last of them has to be finished; None while nobody told to stop."""
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(self.processes, thread_name_prefix="print")
        # an application that is dropped without an end leaves no process behind either
        weakref.finalize(self, _end, self._idle)

    @classmethod
    def configured(cls, settings: Settings) -> Printing:
        """As the settings want it."""
        return cls(settings.pdf_processes, settings.pdf_queue, settings.pdf_seconds, settings.pdf_per_process)

    async def pdf(self, comparison: Comparison, sheet: Sheet) -> bytes:
        """Make a sheet.

        Raises
        ------
        SheetError
            Where it cannot be printed.
        Refusal
            503: a part is not installed, too many wait, it took too long, its process crashed, or the service stops.
        """
        if needed := missing():
            raise Refusal(503, f"a PDF cannot be written here; install: {needed}")
        if self._until is not None:
            raise _stopping()
        if self._asked >= self.processes + self.queue:
            raise Refusal(503, "too many sheets are being made", headers={"Retry-After": "5"})
        self._asked += 1
        try:
            return await asyncio.wrap_future(self._threads.submit(self._made, comparison, sheet))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._until is None or task is None or task.cancelling():
                raise
            raise _stopping() from None  # it waited, and has no turn any more
        except _TooLate:
            if self._until is not None:
                raise _stopping() from None
            raise Refusal(503, "making the sheet took too long", headers={"Retry-After": "5"}) from None
        except _Lost:
            detail = "the process that made the sheet ended before it was done"
            raise Refusal(503, detail, headers={"Retry-After": "1"}) from None
        finally:
            self._asked -= 1

    def stop(self, seconds: float) -> None:
        """Begin nothing new; what is being made has this long, what waits is refused."""
        self._until = monotonic() + max(seconds - _LEFT, 0.0)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """End all processes."""
        self.stop(0)
        self._threads.shutdown(wait=True)
        _end(self._idle)

    def _made(self, comparison: Comparison, sheet: Sheet) -> bytes:
        """Have a sheet made; runs in one of as many threads as there may be processes."""
        if self._until is not None:
            raise _TooLate
        with self._lock:
            renderer = self._idle.pop() if self._idle else None
        renderer = renderer or _Renderer(start(serve_jobs, self.most), self.most)
        try:
            made = self._answer(renderer, comparison, sheet)
        except BaseException:
            renderer.child.end()
            raise
        renderer.left -= 1
        if renderer.left:
            with self._lock:
                self._idle.append(renderer)
        else:
            renderer.child.end()
        if isinstance(made, SheetError):
            raise made
        return made

    def _answer(self, renderer: _Renderer, comparison: Comparison, sheet: Sheet) -> bytes | SheetError:
        ends = monotonic() + self.seconds
        try:
            renderer.child.connection.send((comparison, sheet))
            while not renderer.child.connection.poll(_LOOK):
                if monotonic() > min(ends, self._until or ends):
                    raise _TooLate
            made: bytes | SheetError = renderer.child.connection.recv()
        except (EOFError, OSError):
            raise _Lost from None
        return made


def _end(idle: list[_Renderer]) -> None:
    while idle:
        idle.pop().child.end()


def _stopping() -> Refusal:
    return Refusal(503, "the service is being stopped", headers={"Retry-After": "10"})
