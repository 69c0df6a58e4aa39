"""One run over a table: part by part, in one process or several, from the beginning or from where it stopped."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Final, NamedTuple

import pyarrow as pa

from bcma_decide.cohort.answer import answer_batch, answer_schema
from bcma_decide.cohort.parts import Note, Parts, rejects_of
from bcma_decide.cohort.question import CohortQuestion
from bcma_decide.cohort.summary import added, counts_of, summary_of
from bcma_decide.cohort.tables import Table
from bcma_decide.comparing.compare import load_pooled
from bcma_decide.errors import Problem, ProfileError
from bcma_decide.version import __version__

PART: Final = 16_384
"""Rows of a part, and of a row group of the output."""
Told = Callable[[int, bool], None]
"""Is told how many rows were answered, and whether a run before did it."""


@dataclass(frozen=True)
class CohortOrder:
    """What is answered, and where it goes."""

    table: Table
    question: CohortQuestion
    out: Path
    rejects: Path
    workers: int = 1
    part: int = PART

    @property
    def parts(self) -> Parts:
        """Where the parts stand until they are all done."""
        return parts_beside(self.out)


class CohortDone(NamedTuple):
    """What came of it."""

    summary: dict[str, Any]
    rejected: int
    """Rows that could not be used."""


def parts_beside(out: Path) -> Parts:
    """The folder of parts of an output."""
    return Parts(out.with_name(f"{out.name}.parts"))


def run_cohort(order: CohortOrder, told: Told) -> CohortDone:
    """Answer for a whole table.

    Raises
    ------
    ProfileError
        When the region has no label, the table cannot be read to its end, or a stopped run was of something else.
    NoEvidenceError
        When the pooled evidence is missing.
    """
    schema = answer_schema(order.question, order.table.schema)
    order.parts.begin(_state(order))
    count = 0
    with _committing(order) as commit:
        first = 1
        for number, batch in enumerate(order.table.read(order.part)):
            count = number + 1
            if order.parts.has(number):
                told(batch.num_rows, True)
            else:
                for rows in commit(_Part(number, first, batch)):
                    told(rows, False)
            first += batch.num_rows
        for rows in commit(None):
            told(rows, False)
    order.parts.join(count, schema, order.out)
    rejected = order.parts.write_rejects(count, order.rejects)
    summary = {**_asked(order), **summary_of(added(note.counts for note in order.parts.notes(count)))}
    order.parts.remove()
    return CohortDone(summary, rejected)


def _asked(order: CohortOrder) -> dict[str, Any]:
    schema = answer_schema(order.question, order.table.schema)
    stamp = {name.decode().removeprefix("bcma_decide."): text.decode() for name, text in schema.metadata.items()}
    return {"answer": stamp, "input": order.table.fingerprint}


def _state(order: CohortOrder) -> dict[str, Any]:
    return {
        "input": order.table.fingerprint,
        "question": order.question.written(),
        "evidence": load_pooled(order.question.evidence).hash,
        "program": __version__,
        "arrow": pa.__version__,
        "rows of a part": order.part,
    }


class _Part(NamedTuple):
    number: int
    first: int
    batch: pa.RecordBatch


Commit = Callable[[_Part | None], Iterator[int]]
"""Takes a part, or None at the end, and yields the rows of those that are done."""


@contextmanager
def _committing(order: CohortOrder) -> Iterator[Commit]:
    if order.workers == 1:
        yield lambda part: iter(() if part is None else (_commit(order.parts, order.question, part),))
        return
    # a new interpreter for each: what is forked from a process with threads of Arrow may hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(order.workers, context, _end_with_parent) as pool:
        running: deque[Future[int]] = deque()

        def commit(part: _Part | None) -> Iterator[int]:
            if part is not None:
                running.append(pool.submit(_commit_sent, order.parts, order.question, part._replace(batch=_sent(part))))
            # one part waits for each worker: enough to keep it busy, and no more in memory
            while running and (part is None or len(running) >= 2 * order.workers):
                yield _result(running.popleft())

        try:
            yield commit
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_parent() -> None:
    """Let a process not outlive the one that started it: that one may be killed without a word."""
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _result(future: Future[int]) -> int:
    try:
        return future.result()
    except BrokenProcessPool:
        fix = "give it more memory, or fewer --workers; the same command goes on where it stopped"
        raise ProfileError(
            "the run was stopped", [Problem("--workers", "a process was ended from outside", fix)]
        ) from None


def _sent(part: _Part) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, part.batch.schema) as stream:
        stream.write_batch(part.batch)
    return bytes(sink.getvalue())


def _commit_sent(parts: Parts, question: CohortQuestion, part: _Part) -> int:
    with pa.ipc.open_stream(part.batch) as stream:
        return _commit(parts, question, part._replace(batch=stream.read_next_batch()))


def _commit(parts: Parts, question: CohortQuestion, part: _Part) -> int:
    answers = answer_batch(part.batch, question)
    rejects = tuple(rejects_of(answers, part.first, question.carried[0]))
    parts.commit(part.number, answers, Note(answers.num_rows, rejects, counts_of(answers)))
    return int(answers.num_rows)
