"""Pieces of work shared among processes; the results do not depend on how many there are."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any, Final

from bcma_decide.workshop.patient_model.inputs import load_inputs
from bcma_decide.workshop.validation.held_out import Evidence, gather

Progress = Callable[[str], None]

_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Piece:
    """One call: ``function(evidence, *arguments)``, by a function of a module, with its name for people."""

    label: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


def run(directory: Path, pieces: Sequence[Piece], workers: int, progress: Progress) -> list[Any]:
    """Results of all pieces in their order.

    Every piece runs in a process of its own kind, also with one worker, with one thread for its arithmetic: sums are
    then taken in the same order on every machine with the same libraries. When the run is broken off, or a piece
    fails, the processes end at once.

    Parameters
    ----------
    directory
        Of the evidence, which every process reads once.
    workers
        How many processes.
    progress
        Told the name of each piece as soon as its result is there.
    """
    others = set(active_children())
    with _one_thread(), ProcessPoolExecutor(workers, get_context("spawn"), _leave_interrupts) as pool:
        place = {pool.submit(_call, directory, piece): n for n, piece in enumerate(pieces)}
        results: list[Any] = [None] * len(pieces)
        try:
            for future in as_completed(place):
                results[place[future]] = future.result()
                progress(pieces[place[future]].label)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(active_children()) - others:
                process.terminate()
            raise
    return results


def _leave_interrupts() -> None:
    """Ctrl-C goes to every process of a terminal: the first one ends the others, without a traceback of each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _call(directory: Path, piece: Piece) -> Any:  # noqa: ANN401 - what the piece's function gives
    return piece.function(_evidence(directory), *piece.arguments)


@lru_cache(maxsize=1)
def _evidence(directory: Path) -> Evidence:
    return gather(load_inputs(directory))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes started here inherit one thread for linear algebra; the numbers of threads are read at import."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
