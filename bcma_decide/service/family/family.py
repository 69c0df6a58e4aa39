"""The parent of several workers: starts them, replaces one that ends, and ends when it is told to, the last of all.

It answers nothing itself and reads no evidence. Workers are fresh interpreters that share a socket, a store, the audit
and the files of the metrics; one that finds its parent gone stops as if it were told to.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from time import monotonic
from typing import Final

from prometheus_client.multiprocess import mark_process_dead
from pydantic import SecretStr

from bcma_decide.errors import BcmaDecideError, Problem, ServiceError
from bcma_decide.service.family.listening import Shares, listening
from bcma_decide.service.family.worker import work
from bcma_decide.service.http.access_log import LOGGER
from bcma_decide.service.http.metrics import FOLDER
from bcma_decide.service.processes import Child, start
from bcma_decide.service.server import READY
from bcma_decide.service.service import Load
from bcma_decide.service.settings import Settings

_MEMORY: Final = Path("/dev/shm")  # noqa: S108, RUF100  # a folder of its own is made there
_LOOK: Final = 5.0
"""Seconds between two looks where nothing happens."""
_LONGER: Final = 5.0
"""Seconds beyond the time to stop after which a worker is killed."""
_SLOWEST: Final = 30.0
"""Seconds at most until a worker that did not get ready is started again."""
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)


@dataclass
class _Worker:
    """One worker: its number for the log, and its process."""

    number: int
    child: Child
    is_ready: bool = False

    def exit_code(self) -> int | None:
        """That of its process once it has ended, negative of a signal."""
        return self.child.process.poll()


@dataclass
class Family:
    """The workers of one service. ``load`` gives each of them the evidence and what reads records."""

    settings: Settings
    load: Load
    listening: socket.socket
    shares: int
    """Descriptor of the file with how many connections each has."""
    _workers: list[_Worker] = field(default_factory=list)
    _failures: int = 0
    _due: list[tuple[float, int]] = field(default_factory=list)
    """When a worker that did not get ready is started again, and its number."""
    _told: int = 0
    """How often it was told to stop."""

    def run(self, started: Callable[[], None]) -> None:
        """Serve until told to stop; ``started`` is called when all workers accept connections.

        Raises
        ------
        BcmaDecideError
            Why the first workers cannot start.
        """
        with _waking(self._stop) as woken:
            try:
                for number in range(1, self.settings.workers + 1):
                    self._start(number)
                self._until_ready(woken)
                if not self._told:
                    started()
                while not self._told:
                    self._look_after(woken)
            finally:
                self._end(woken)

    def _stop(self) -> None:
        self._told += 1

    def _start(self, number: int) -> None:
        shared = self.listening.fileno()
        child = start(work, self.settings, self.load, shared, self.shares, number, keep=(shared, self.shares))
        self._workers.append(_Worker(number, child))

    def _until_ready(self, woken: socket.socket) -> None:
        while not self._told and not all(worker.is_ready for worker in self._workers):
            for worker in self._heard(woken):
                error = self._told_by(worker)
                if error is not None or worker.exit_code() is not None:
                    ended = Problem("workers", f"one ended while it started ({_ending(worker)})", "see its messages")
                    raise error or ServiceError("the service cannot start", [ended])

    def _look_after(self, woken: socket.socket) -> None:
        for worker in self._heard(woken):
            error = self._told_by(worker)
            if worker.exit_code() is None:
                continue
            self._buried(worker)
            if self._told:
                continue
            fields = {
                "level": "warning",
                "message": f"worker {worker.number} ended ({_ending(worker)}): another is started",
            }
            if error is not None:
                fields["error"] = type(error).__name__
            LOGGER.warning("", extra={"fields": fields})
            self._failures = 0 if worker.is_ready else self._failures + 1
            pause = min(2.0**self._failures, _SLOWEST) if self._failures else 0.0
            self._due.append((monotonic() + pause, worker.number))
        for due in [due for due in self._due if due[0] <= monotonic()]:
            self._due.remove(due)
            self._start(due[1])
        _reap_orphans({worker.child.process.pid for worker in self._workers})

    def _heard(self, woken: socket.socket) -> list[_Worker]:
        """Wait for something to happen; returns the workers it may have happened to."""
        soonest = min((due for due, _ in self._due), default=monotonic() + _LOOK)
        pipes = [worker.child.connection for worker in self._workers if not worker.is_ready]
        heard = wait([*pipes, woken], max(0.0, min(_LOOK, soonest - monotonic())))  # the end of a worker is a signal
        if woken in heard:
            with suppress(BlockingIOError):
                woken.recv(4_096)
        return [
            worker for worker in self._workers if worker.child.connection in heard or worker.exit_code() is not None
        ]

    def _told_by(self, worker: _Worker) -> BcmaDecideError | None:
        """What a worker says: that it is ready, or why it cannot be."""
        try:
            if not worker.is_ready and worker.child.connection.poll():
                said = worker.child.connection.recv()
                if isinstance(said, BcmaDecideError):
                    worker.child.process.wait()
                    return said
                worker.is_ready = said == READY
                self._failures = 0
        except (EOFError, OSError):
            worker.child.process.wait()
        return None

    def _buried(self, worker: _Worker) -> None:
        worker.child.process.wait()
        worker.child.connection.close()
        self._workers.remove(worker)
        mark_process_dead(worker.child.process.pid)  # type: ignore[no-untyped-call]

    def _end(self, woken: socket.socket) -> None:
        """Tell all to stop, give them their time, then kill who is left; told twice, at once."""
        self.listening.close()
        for worker in self._workers:
            worker.child.process.terminate()
        until = monotonic() + self.settings.stop_seconds + _LONGER
        told = max(self._told, 1)
        while self._workers and monotonic() < until and self._told <= told:
            for worker in self._heard(woken):
                if worker.exit_code() is not None:
                    self._buried(worker)
                else:
                    worker.is_ready = True  # what it says now is not listened to
        for worker in list(self._workers):
            worker.child.process.kill()
            self._buried(worker)


def _ending(worker: _Worker) -> str:
    code = worker.exit_code()
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _reap_orphans(own: set[int | None]) -> None:
    """Take the exit status of processes that are not ours: orphans become children of the first of a container."""
    with suppress(ChildProcessError):
        while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and found.si_pid not in own:
            os.waitpid(found.si_pid, os.WNOHANG)


@contextmanager
def _waking(stop: Callable[[], None]) -> Iterator[socket.socket]:
    """Signals as something that can be waited for: ``stop`` is called for those that mean it, the others only wake."""
    here, there = socket.socketpair()
    for each in (here, there):
        each.setblocking(False)
    before = {number: signal.signal(number, lambda *_: stop()) for number in _STOPS}
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
    descriptor = signal.set_wakeup_fd(there.fileno(), warn_on_full_buffer=False)
    try:
        yield here
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)
        here.close()
        there.close()


def run_family(settings: Settings, load: Load, started: Callable[[str, int], None] | None) -> None:
    """Serve with several workers until SIGTERM or an interrupt; raises ServiceError, AuditError."""
    shared = listening(settings.host, settings.port)
    host, port = shared.getsockname()[:2]
    settings = _plain(settings, port)
    with _folder() as folder:
        if settings.store is None:
            settings = settings.model_copy(update={"store": SecretStr(f"sqlite:///{folder}/store.db")})
        metrics = folder / "metrics"
        metrics.mkdir()
        before = os.environ.get(FOLDER)
        os.environ[FOLDER] = str(metrics)  # inherited by the workers, and read there when the library is imported
        try:
            with (folder / "connections").open("w+b") as shares:
                shares.truncate(Shares.size(settings.workers))
                Family(settings, load, shared, shares.fileno()).run(lambda: started(host, port) if started else None)
        finally:
            os.environ.pop(FOLDER) if before is None else os.environ.update({FOLDER: before})


def _plain(settings: Settings, port: int) -> Settings:
    """The settings as a value that can be sent to another process, with the port that was taken."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    return Settings.model_construct(**values | {"port": port})


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for this service alone, in memory where the machine has such a place; gone at the end."""
    made = Path(tempfile.mkdtemp(prefix="bcma-decide-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
