"""The parts of an answer on disk: each is there whole or not at all, and says of which input and question it is.

Beside the output stands a folder with a state (what is asked of what) and a Parquet file and a note for every part that
is done. A note is written after its file, both beside their place and then moved there, so that a stop at any moment
leaves only whole parts; the next run of the same command goes on with those that are missing.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet

from bcma_decide.cohort.row_groups import join_row_groups
from bcma_decide.cohort.summary import Counts
from bcma_decide.errors import Problem, ProfileError

REJECTS: Final = ("row", "id", "field", "problem", "fix")
_STATE: Final = "state.json"
_COMPRESSION: Final = "zstd"


class Reject(NamedTuple):
    """One thing wrong with one row; rows are counted from 1."""

    row: int
    id: str
    field: str
    problem: str
    fix: str


class Note(NamedTuple):
    """What is known of a part that is done."""

    rows: int
    rejects: tuple[Reject, ...]
    counts: Counts


@dataclass(frozen=True)
class Parts:
    """The folder of the parts of one output."""

    folder: Path

    def begin(self, state: Mapping[str, Any]) -> None:
        """Begin, or go on where the last run stopped.

        Raises
        ------
        ProfileError
            When the parts that are there are of another input, question, evidence or program.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / _STATE
        written = json.dumps(state, indent=1, sort_keys=True)
        if not path.is_file():
            _write(path, written.encode())
            return
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = [name for name in {**before, **state} if before.get(name) != state.get(name)]
        if changed:
            what = " and ".join(changed)
            problem = Problem(
                what,
                "changed since the last run, which was stopped",
                "repeat that command to go on with it, or remove this folder to begin anew",
                str(self.folder),
            )
            raise ProfileError("the run cannot go on", [problem])

    def has(self, number: int) -> bool:
        """Whether a part is done."""
        return self._note(number).is_file()

    def commit(self, number: int, answers: pa.RecordBatch, note: Note) -> None:
        """Write a part and then its note."""
        draft = self.folder / f"draft-{number:06d}-{os.getpid()}"
        with pa.parquet.ParquetWriter(draft, answers.schema, compression=_COMPRESSION, write_statistics=False) as out:
            out.write_batch(answers)
        _flushed(draft)
        draft.replace(self._file(number))
        _write(self._note(number), json.dumps(note._asdict()).encode())

    def note(self, number: int) -> Note:
        """What is known of a part."""
        rows, rejects, counts = json.loads(self._note(number).read_text(encoding="utf-8")).values()
        return Note(rows, tuple(Reject(*each) for each in rejects), counts)

    def notes(self, count: int) -> Iterator[Note]:
        """The notes of the first parts, in their order."""
        return map(self.note, range(count))

    def join(self, count: int, schema: pa.Schema, out: Path) -> None:
        """Write the parts into one file, a row group each; it takes its place whole."""
        draft = self.folder / "whole"
        if count:
            join_row_groups(map(self._file, range(count)), draft)
        else:
            pa.parquet.write_table(schema.empty_table(), draft, compression=_COMPRESSION, write_statistics=False)
        _flushed(draft)
        draft.replace(out)

    def write_rejects(self, count: int, out: Path) -> int:
        """Write what is wrong with rows as a CSV; none is written where nothing is. Return how many rows those are."""
        draft, rows = _draft(out), 0
        with draft.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(REJECTS)
            for note in self.notes(count):  # one part's at a time: a table may have nothing else
                writer.writerows(note.rejects)
                rows += len({each.row for each in note.rejects})
        if not rows:
            draft.unlink()
            out.unlink(missing_ok=True)
            return 0
        _flushed(draft)
        draft.replace(out)
        return rows

    def remove(self) -> None:
        """Remove the folder once its output is written."""
        shutil.rmtree(self.folder)

    def _file(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}.parquet"

    def _note(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}.json"


def rejects_of(answers: pa.RecordBatch, first: int, name: str) -> Sequence[Reject]:
    """What is wrong with the rows of a batch; ``first`` is the number of its first row, ``name`` the column of ids."""
    told = answers.column("problems").to_pylist()
    ids = answers.column(name)
    return [
        Reject(first + at, _named(ids[at].as_py()), each["field"], each["message"], each["fix"])
        for at, problems in enumerate(told)
        for each in problems
    ]


def _named(value: object) -> str:
    return "" if value is None else str(value)


def _draft(path: Path) -> Path:
    return path.with_name(f"draft-{path.name}")


def _write(path: Path, content: bytes) -> None:
    draft = _draft(path)
    draft.write_bytes(content)
    _flushed(draft)
    draft.replace(path)


def _flushed(path: Path) -> None:
    """What is moved into place has reached the disk."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
