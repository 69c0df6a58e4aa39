"""Exports of FHIR as lines: a Bundle of one patient on each, or the resources of many patients in any order.

Resources are brought together by patient over an index on disk: in memory there is never more than one record. A bulk
export is a folder with a file for each kind of resource (FHIR Bulk Data Access 2.0).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bcma_decide.cohort.fingerprint import fingerprint_of
from bcma_decide.errors import Problem, ProfileError
from bcma_decide.fhir.reading.bundle import SIZE_LIMIT
from bcma_decide.fhir.reading.datatypes import local_address
from bcma_decide.fhir.reading.record import REFERRED

_LINES: Final = ("*.ndjson", "*.jsonl")
_FIRST: Final = 64_000
"""Bytes that are looked at to tell resources from profiles."""
_SUBJECTS: Final = ("subject", "patient")
_TABLES: Final = """
CREATE TABLE patients (number INTEGER PRIMARY KEY, id TEXT UNIQUE);
CREATE TABLE lines (patient INTEGER, file INTEGER, start INTEGER);
CREATE TABLE referred (address TEXT PRIMARY KEY, file INTEGER, start INTEGER);
CREATE TABLE broken (file INTEGER, start INTEGER);
"""


@dataclass(frozen=True)
class Export:
    """An export of FHIR; ``index`` holds where resources stand, None where every line is a record."""

    files: tuple[Path, ...]
    fingerprint: str
    patients: int
    index: Path | None

    def records(self) -> Iterator[tuple[str | None, str]]:
        """Every patient's id and record as the JSON of a Bundle, in the order in which they first appear."""
        if self.index is None:
            yield from _bundles(self.files)
            return
        with closing(sqlite3.connect(f"file:{self.index}?mode=ro", uri=True)) as index:
            for number, name in index.execute("SELECT number, id FROM patients ORDER BY number"):
                yield name, self._record(index, number)
            for file, start in index.execute("SELECT file, start FROM broken ORDER BY file, start"):
                yield None, _line_at(self.files[file], start)  # what is no JSON is refused as a row of its own

    def _record(self, index: sqlite3.Connection, number: int) -> str:
        places = index.execute("SELECT file, start FROM lines WHERE patient = ? ORDER BY file, start", (number,))
        resources = [_line_at(self.files[file], start) for file, start in places]
        wanted = {address for text in resources for address in _referred_in(text)}
        for address in sorted(wanted):
            for file, start in index.execute("SELECT file, start FROM referred WHERE address = ?", (address,)):
                resources.append(_line_at(self.files[file], start))
        entries = ",".join(f'{{"resource":{text}}}' for text in resources)
        return f'{{"resourceType":"Bundle","type":"collection","entry":[{entries}]}}'


def is_export(path: Path) -> bool:
    """Whether the lines of a file are resources of FHIR."""
    with path.open("rb") as stream:
        first = stream.readline(_FIRST)
    return b'"resourceType"' in first


def open_export(path: Path, folder: Path) -> Export:
    """Open a file of lines, or a folder of such files; ``folder`` is where the index of resources is kept.

    Raises
    ------
    ProfileError
        When there is nothing in it.
    """
    files = tuple(sorted(each for kind in _LINES for each in path.glob(kind))) if path.is_dir() else (path,)
    if not files:
        problem = Problem("", "holds no lines of resources", f"files {' or '.join(_LINES)}", str(path))
        raise ProfileError("the table cannot be used", [problem])
    fingerprint, lines = fingerprint_of(files)
    if not path.is_dir() and _first_kind(path) == "Bundle":
        return Export(files, fingerprint, lines, None)
    index = folder / f"index-{fingerprint[:16]}.sqlite"  # of these contents and no others
    if not index.is_file():
        _write_index(files, index)
    with closing(sqlite3.connect(f"file:{index}?mode=ro", uri=True)) as written:
        (patients,) = written.execute(
            "SELECT (SELECT count(*) FROM patients) + (SELECT count(*) FROM broken)"
        ).fetchone()
    return Export(files, fingerprint, patients, index)


def _first_kind(path: Path) -> str | None:
    for _, line in _lines(path):
        return _kind(_parsed(line))
    return None


def _write_index(files: Sequence[Path], index: Path) -> None:
    """Note where every resource stands; written beside its place and moved there when it is whole."""
    index.parent.mkdir(parents=True, exist_ok=True)
    draft = index.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with closing(sqlite3.connect(draft)) as tables:
        tables.execute("PRAGMA synchronous = OFF")
        tables.executescript(_TABLES)
        for number, path in enumerate(files):
            for start, line in _lines(path):
                _note(tables, number, start, _parsed(line))
        tables.execute("CREATE INDEX by_patient ON lines (patient)")
        tables.commit()
    draft.replace(index)


def _note(tables: sqlite3.Connection, file: int, start: int, resource: Mapping[str, Any]) -> None:
    kind, own = _kind(resource), resource.get("id")
    if kind is None:
        tables.execute("INSERT INTO broken VALUES (?, ?)", (file, start))
        return
    if kind in REFERRED and isinstance(own, str):
        tables.execute("INSERT OR REPLACE INTO referred VALUES (?, ?, ?)", (f"{kind}/{own}", file, start))
        return
    patient = own if kind == "Patient" else _subject(resource)
    if not isinstance(patient, str):
        return
    tables.execute("INSERT OR IGNORE INTO patients (id) VALUES (?)", (patient,))
    tables.execute("INSERT INTO lines SELECT number, ?, ? FROM patients WHERE id = ?", (file, start, patient))


def _subject(resource: Mapping[str, Any]) -> str | None:
    for name in _SUBJECTS:
        reference = resource.get(name)
        address = reference.get("reference") if isinstance(reference, Mapping) else None
        if isinstance(address, str):
            kind, _, own = local_address(address).rpartition("/")
            return own if kind in ("Patient", "") else None
    return None


def _referred_in(text: str) -> Iterator[str]:
    """Addresses of drugs and specimens that a resource names."""
    if not any(f"{kind}/" in text for kind in REFERRED):
        return
    level: list[Any] = [json.loads(text)]
    while level:
        value = level.pop()
        if isinstance(value, dict):
            address = value.get("reference")
            if isinstance(address, str) and local_address(address).partition("/")[0] in REFERRED:
                yield local_address(address)
            level += value.values()
        elif isinstance(value, list):
            level += value


def _bundles(files: Sequence[Path]) -> Iterator[tuple[str | None, str]]:
    for path in files:
        for _, line in _lines(path):
            yield _patient_in(_parsed(line)), line.decode("utf-8-sig", errors="replace").strip()


def _patient_in(bundle: Mapping[str, Any]) -> str | None:
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and _kind(resource) == "Patient" and isinstance(resource.get("id"), str):
            return str(resource["id"])
    return None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Start and content of every line that holds anything; of one beyond the limit its beginning, which is no JSON."""
    with path.open("rb") as stream:
        start = 0
        while line := stream.readline(SIZE_LIMIT + 1):
            if line.strip():
                yield start, line
            while line and not line.endswith(b"\n"):
                line = stream.readline(SIZE_LIMIT + 1)
            start = stream.tell()


def _line_at(path: Path, start: int) -> str:
    with path.open("rb") as stream:
        stream.seek(start)
        return stream.readline(SIZE_LIMIT + 1).decode("utf-8-sig", errors="replace").strip()


def _parsed(line: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _kind(resource: Mapping[str, Any]) -> str | None:
    kind = resource.get("resourceType")
    return kind if isinstance(kind, str) else None
