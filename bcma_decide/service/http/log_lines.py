"""Lines of the log on their way out: written by a thread of their own, so that no answer waits for who reads them.

A pipe that nobody reads is full after some hundred lines, and whoever writes to it then stands still: were it the loop,
the whole service would, health and metrics with it. So lines wait, at most so many; of more the number is kept, counted
in the metrics, and written once the pipe is read again.
"""

from __future__ import annotations

import logging
import os
import select
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import sleep
from typing import Final

MOST: Final = 10_000
"""Lines that may wait."""
LAST_SECONDS: Final = 2.0
"""Time that the last lines have at the end of the process."""
_TOGETHER: Final = 0.02
"""Seconds for which lines are gathered, so that a thread wakes for many of them."""
_MOST_TOGETHER: Final = 500
_AT_ONCE: Final = 4_096
"""Bytes that a pipe takes at once or not at all (PIPE_BUF): lines of several workers do not mix."""


class LogLines(logging.Handler):
    """Writes lines to a file descriptor; ``lost`` is called for each that is lost."""

    def __init__(self, descriptor: int, lost: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._descriptor, self._count = descriptor, lost
        self._waiting: SimpleQueue[str | Event] = SimpleQueue()
        self._writer: Thread | None = None
        self._lost = self._told = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Have a line written; it is called by one thread at a time."""
        if self._waiting.qsize() >= MOST:
            self._lost += 1
            self._count()
            return
        try:
            self._waiting.put(self.format(record))
        except Exception:  # noqa: BLE001, RUF100  # as every handler of the library: the program goes on
            self.handleError(record)
        self._see_to_writer()

    def flush(self) -> None:
        """Wait until what was handed over is written, or nobody has read it for too long."""
        if self._writer is not None:
            written = Event()
            self._waiting.put(written)
            written.wait(LAST_SECONDS)

    def _see_to_writer(self) -> None:
        if self._writer is None:
            self._writer = Thread(target=self._write_on, name="log", daemon=True)
            self._writer.start()

    def _write_on(self) -> None:
        while True:
            held = [self._waiting.get()]
            if not isinstance(held[0], Event):
                sleep(_TOGETHER)
            with suppress(Empty):
                while len(held) < _MOST_TOGETHER:
                    held.append(self._waiting.get_nowait())
            lines = [each for each in held if isinstance(each, str)]
            try:
                self._write(lines)
            except OSError:  # a reader that has gone, a disk that is full: the service goes on
                for _ in lines:
                    self._count()
            for each in held:
                if isinstance(each, Event):
                    each.set()

    def _write(self, lines: Sequence[str]) -> None:
        waiting = b""
        for line in lines:
            content = f"{line}\n".encode(errors="backslashreplace")
            if waiting and len(waiting) + len(content) > _AT_ONCE:
                self._put(waiting)
                waiting = b""
            waiting += content
        self._put(waiting)
        if (lost := self._lost) > self._told:
            message = f"{lost - self._told} lines of this log were lost: nobody read it"
            self._told = lost
            told = logging.LogRecord("bcma_decide.service", logging.WARNING, "", 0, message, None, None)
            self._put(f"{self.format(told)}\n".encode())

    def _put(self, content: bytes) -> None:
        while content:
            try:
                content = content[os.write(self._descriptor, content) :]
            except BlockingIOError:  # another program with the same terminal or pipe does not wait, so nor does this
                select.select([], [self._descriptor], [])
