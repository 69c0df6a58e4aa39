"""The patients of a folder: profiles, or FHIR bundles, one to a file or one to a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from bcma_decide.strict.files import UnreadableFile, check_plain

PROFILES: Final = (".yaml", ".yml", ".json")
BUNDLES: Final = (".json", ".ndjson")
LINES: Final = ".ndjson"
"""Files with a bundle on every line."""
_PIECE: Final = 1_000_000


@dataclass(frozen=True)
class Task:
    """One patient: the file, what its sheets are called, and its name if it is an example.

    ``line`` and ``offset`` (bytes) say where the patient stands in a file with one on every line.
    """

    file: Path
    stem: str
    example: str | None = None
    line: int | None = None
    offset: int = 0

    @property
    def name(self) -> str:
        """The file without its folder, and the line."""
        return self._placed(self.file.name)

    @property
    def place(self) -> str:
        """What messages call it: ``bundles/june.ndjson:3``."""
        return self._placed(str(self.file))

    def _placed(self, file: str) -> str:
        return file if self.line is None else f"{file}:{self.line}"


def tasks_of(folder: Path, *, fhir: bool = False) -> list[Task]:
    """Every patient of a folder in the order of the names; a stem that two share is replaced by the whole name.

    Raises
    ------
    typer.BadParameter
        When it is no folder that can be read, or holds nobody.
    """
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is not a folder", param_hint="FOLDER")
    endings = BUNDLES if fhir else PROFILES
    try:
        files = sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in endings and not path.name.startswith(".") and not path.is_dir()
        )
    except OSError as error:
        raise typer.BadParameter(f"{folder} cannot be read: {error.strerror}", param_hint="FOLDER") from None
    found = [task for path in files for task in _of_file(path)]
    if not found:
        kind, start = ("bundle", "an R4 Bundle each") if fhir else ("profile", "write one with: bcma-decide template")
        sought = ", ".join("*" + ending for ending in endings)
        raise typer.BadParameter(f"{folder} holds no {kind} ({sought}); {start}", param_hint="FOLDER")
    wanted = Counter(task.stem.casefold() for task in found) + Counter(_whole(task).casefold() for task in found)
    return [
        task if wanted[task.stem.casefold()] == 1 else Task(task.file, _whole(task), None, task.line, task.offset)
        for task in found
    ]


def read_bundle_of(task: Task) -> Mapping[str, Any]:
    """Read the bundle of a task; raises ProfileError."""
    from bcma_decide.fhir.reading.bundle import SIZE_LIMIT, parse_bundle, read_bundle_file, refusal

    if task.line is None:
        return read_bundle_file(task.file)
    try:
        with task.file.open("rb") as stream:
            stream.seek(task.offset)
            content = stream.readline(SIZE_LIMIT + 1)
    except OSError as error:
        raise refusal("", f"cannot be read: {error.strerror or error}", "check the path", task.place) from None
    if len(content) > SIZE_LIMIT:
        raise refusal("", f"is larger than {SIZE_LIMIT // 1_000_000} MB", "one bundle on a line", task.place)
    try:
        text = content.rstrip().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refusal("", "is not UTF-8 text", "save the file as UTF-8", task.place) from None
    return parse_bundle(text, task.place)


def _whole(task: Task) -> str:
    return task.file.name if task.line is None else f"{task.file.name}-{task.line}"


def _of_file(path: Path) -> list[Task]:
    if path.suffix.lower() != LINES:
        return [Task(path, path.stem)]
    try:
        check_plain(path)
        return [Task(path, f"{path.stem}-{line}", line=line, offset=offset) for line, offset in _lines(path)]
    except (OSError, UnreadableFile):
        return [Task(path, path.stem)]  # fails in its turn, and stops no other


def _lines(path: Path) -> Iterator[tuple[int, int]]:
    """Number and offset of every line that holds anything; never more than a piece of the file at once."""
    with path.open("rb") as stream:
        line, offset = 1, 0
        start, blank = 0, True
        while piece := stream.readline(_PIECE):
            offset += len(piece)
            blank = blank and not piece.strip()
            if piece.endswith(b"\n"):
                if not blank:
                    yield line, start
                line, start, blank = line + 1, offset, True
        if not blank:
            yield line, start
