"""The memory of several processes on one machine: a file of SQLite in WAL mode.

Its statements take some ten microseconds, so they run where they are asked; a commit waits for no disk, since what a
power cut takes away is a session or the use of a token of the last moments.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep, time
from typing import Final

from bcma_decide.errors import Problem, ServiceError
from bcma_decide.service.shared.store import MINUTE, Space, StoreError

_LAYOUT: Final = 1
_PATIENCE: Final = 2.0
"""Seconds to wait for another process that writes."""
_PAUSE: Final = 0.01
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS kept (
    space TEXT NOT NULL, key BLOB NOT NULL, content BLOB NOT NULL, until REAL NOT NULL, touched REAL NOT NULL,
    PRIMARY KEY (space, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kept_until ON kept (until);
CREATE INDEX IF NOT EXISTS kept_touched ON kept (space, touched);
CREATE TABLE IF NOT EXISTS sizes (space TEXT PRIMARY KEY, entries INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS one_more AFTER INSERT ON kept BEGIN
    INSERT INTO sizes VALUES (new.space, 1) ON CONFLICT (space) DO UPDATE SET entries = entries + 1; END;
CREATE TRIGGER IF NOT EXISTS one_less AFTER DELETE ON kept BEGIN
    UPDATE sizes SET entries = entries - 1 WHERE space = old.space; END;
CREATE TABLE IF NOT EXISTS counted (key BLOB PRIMARY KEY, minute INTEGER NOT NULL, n INTEGER NOT NULL) WITHOUT ROWID;
"""
"""Sizes are kept beside: counting a hundred thousand tokens for every further one would take milliseconds."""


class SqliteStore:
    """One process's connection to the file; raises ServiceError where it cannot be used."""

    def __init__(self, path: Path, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives the files beside it the same rights
            self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            fix = "name a file in a folder that can be written, and that is none of another program"
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise ServiceError("the service cannot start", [Problem("store", reason, fix, str(path))]) from None

    def _prepare(self) -> None:
        self._change_to_wal()
        for pragma in ("synchronous = NORMAL", "secure_delete = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        with self._written():
            (layout,) = self._connection.execute("PRAGMA user_version").fetchone()
            tables = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if layout != _LAYOUT and (layout or tables):
                raise sqlite3.DatabaseError("it holds something else, or what another version wrote")
            for statement in _statements():
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {_LAYOUT}")

    def _change_to_wal(self) -> None:
        """Tried again for a while: SQLite waits for other writers, but not where two change the mode of a new file."""
        begun = monotonic()
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or monotonic() - begun > _PATIENCE:
                    raise
                sleep(_PAUSE)
            else:
                return

    async def put(self, space: Space, key: bytes, content: bytes, seconds: float, most: int) -> None:
        """Keep a content."""
        now = self._clock()
        with self._told(), self._written():
            self._execute("DELETE FROM kept WHERE space = ? AND key = ?", space, key)
            if self._size(space) >= most:
                self._execute("DELETE FROM kept WHERE until <= ?", now)
            if (over := self._size(space) - most + 1) > 0:
                oldest = "SELECT key FROM kept WHERE space = ? ORDER BY touched LIMIT ?"
                self._execute(f"DELETE FROM kept WHERE space = ? AND key IN ({oldest})", space, space, over)  # noqa: S608, RUF100
            self._execute("INSERT INTO kept VALUES (?, ?, ?, ?, ?)", space, key, content, now + seconds, now)

    async def get(self, space: Space, key: bytes) -> bytes | None:
        """Return a content."""
        with self._told():
            found = self._execute(
                "SELECT content FROM kept WHERE space = ? AND key = ? AND until > ?", space, key, self._clock()
            ).fetchone()
        return found[0] if found else None

    async def touch(self, space: Space, key: bytes, seconds: float) -> None:
        """Keep a content longer."""
        now = self._clock()
        with self._told():
            self._execute(
                "UPDATE kept SET touched = ?, until = ? WHERE space = ? AND key = ?", now, now + seconds, space, key
            )

    async def take(self, space: Space, key: bytes) -> bytes | None:
        """Return a content and forget it: one statement, so that one process has it."""
        with self._told():
            found = self._execute(
                "DELETE FROM kept WHERE space = ? AND key = ? RETURNING content, until", space, key
            ).fetchall()
        return found[0][0] if found and found[0][1] > self._clock() else None

    async def first(self, space: Space, key: bytes, seconds: float, most: int) -> bool:
        """Note a key."""
        now = self._clock()
        with self._told(), self._written():
            self._execute("DELETE FROM kept WHERE space = ? AND key = ? AND until <= ?", space, key, now)
            if self._size(space) >= most:
                self._execute("DELETE FROM kept WHERE until <= ?", now)
                if self._size(space) >= most:
                    return False
            noted = self._execute(
                "INSERT INTO kept VALUES (?, ?, x'', ?, ?) ON CONFLICT DO NOTHING", space, key, now + seconds, now
            )
            return noted.rowcount == 1

    async def count(self, key: bytes) -> int:
        """Count one more."""
        with self._told():
            (counted,) = self._execute(
                "INSERT INTO counted VALUES (?, ?, 1) ON CONFLICT (key) DO UPDATE SET "
                "n = CASE WHEN minute = excluded.minute THEN n + 1 ELSE 1 END, minute = excluded.minute RETURNING n",
                key, int(self._clock() // MINUTE),
            ).fetchall()  # fmt: skip
        return int(counted[0])

    async def sweep(self) -> None:
        """Forget what is over."""
        now = self._clock()
        with self._told():
            self._execute("DELETE FROM kept WHERE until <= ?", now)
            self._execute("DELETE FROM counted WHERE minute < ?", int(now // MINUTE))

    async def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def _size(self, space: Space) -> int:
        found = self._execute("SELECT entries FROM sizes WHERE space = ?", space).fetchone()
        return int(found[0]) if found else 0

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Several statements as one, begun as the writer: a reader that becomes one could be refused."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(getattr(error, "sqlite_errorname", type(error).__name__)) from None


def _statements() -> Iterator[str]:
    """The statements of the tables one by one: a script of several would commit in between."""
    statement = ""
    for part in _TABLES.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n;"):
                yield statement
            statement = ""
