"""Where the audit is: an address as SQLAlchemy has them, opened so that what is committed is on disk."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import import_module
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from bcma_decide.errors import AuditError, Problem
from bcma_decide.strict.files import UnreadableFile, check_plain

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

    from bcma_decide.service.audit.audit import Audit

FORMS: Final = "sqlite:///audit.db or postgresql://user@host/database"
_DRIVERS: Final = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_MODULES: Final = {"sqlite": (), "postgresql": ("psycopg",)}
_INSTALL: Final = {"sqlite": "bcma-decide[audit]", "postgresql": "bcma-decide[audit,postgresql]"}
_SQLITE: Final = {"timeout": 10.0}
"""Seconds to wait for another writer."""
_TRIES: Final = 8
_AGAIN: Final = 0.1
"""Seconds until a new database that may be being made elsewhere is looked at again."""
_POSTGRESQL: Final = {"connect_timeout": "5", "tcp_user_timeout": "10000"}
"""Seconds to wait for a connection, milliseconds for one that went silent; the address may say otherwise."""


def open_audit(address: str, *, write: bool) -> Audit:
    """Open an audit, with its tables made where they are missing if it is to be written.

    Parameters
    ----------
    address
        As in :data:`FORMS`; with a password in it if need be, which is never shown.
    write
        False only reads: nothing is made.

    Raises
    ------
    AuditError
        When the address cannot be used, a library is missing, or the database cannot be used.
    """
    backend, url = _url(address)
    _require(_MODULES[backend], backend)
    from bcma_decide.service.audit.audit import Audit

    if backend == "sqlite":
        _see_to_file(url, write)
    audit = Audit(_engine(backend, url, write))
    try:
        if write:
            _prepare(audit)
        else:
            audit.verify()
    except AuditError:
        audit.close()
        raise
    return audit


def _prepare(audit: Audit) -> None:
    """Make the tables where they are missing; half made by another process at this moment, they are looked at again."""
    for left in reversed(range(_TRIES)):
        try:
            audit.prepare()
        except AuditError:
            if not left:
                raise
            sleep(_AGAIN)
        else:
            return


def shown(address: str) -> str:
    """The address as it may be printed: without password and options; raises AuditError."""
    backend, url = _url(address)
    return url.set(drivername=backend, query={}).render_as_string(hide_password=True)


def _url(address: str) -> tuple[str, URL]:
    backend = address.partition(":")[0].partition("+")[0]
    if backend not in _DRIVERS or not address.startswith((f"{backend}://", f"{_DRIVERS[backend]}://")):
        raise _unusable("is not an address that can be used")
    _require(("sqlalchemy",), backend)
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(address).set(drivername=_DRIVERS[backend])
    except (ArgumentError, ValueError):
        raise _unusable("is not an address that can be used") from None
    if url.database in (None, "", ":memory:"):
        raise _unusable("names no database that lasts")
    return backend, url


def _unusable(message: str) -> AuditError:
    return AuditError("the audit cannot be opened", [Problem("audit", message, f"write {FORMS}")])


def _require(modules: tuple[str, ...], backend: str) -> None:
    for name in modules:
        try:
            import_module(name)
        except ImportError:
            problem = Problem("audit", f"not installed: {name}", f'install: pip install "{_INSTALL[backend]}"')
            raise AuditError("the audit cannot be opened", [problem]) from None


def _see_to_file(url: URL, write: bool) -> None:
    """Make the file for its owner's eyes only; SQLite gives the files beside it the same rights."""
    if "uri" in url.query:
        return
    path = str(url.database)
    try:
        with suppress(FileNotFoundError):
            check_plain(path)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600) if write else os.open(path, os.O_RDONLY))
    except UnreadableFile as error:
        raise AuditError(
            "the audit cannot be opened", [Problem("audit", f"{path}: {error.reason}", error.fix)]
        ) from None
    except OSError as error:
        fix = "name a file in a folder that can be written" if write else "check the path"
        problem = Problem("audit", f"{path}: {error.strerror}", fix)
        raise AuditError("the audit cannot be opened", [problem]) from None


def _engine(backend: str, url: URL, write: bool) -> Engine:
    from sqlalchemy import create_engine, event

    waits: dict[str, Any] = _SQLITE if backend == "sqlite" else _POSTGRESQL
    given = {name: value for name, value in waits.items() if name not in url.query}
    engine = create_engine(url, hide_parameters=True, pool_pre_ping=backend == "postgresql", connect_args=given)
    if write:
        event.listen(engine, "connect", _lasting_sqlite if backend == "sqlite" else _lasting_postgresql)
    return engine


def _lasting_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401  # of the driver
    """A commit returns once the record is on disk; readers and the writer do not wait for each other."""
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _lasting_postgresql(connection: Any, _: object) -> None:  # noqa: ANN401
    """The same where the server was told not to wait; a stronger setting stays."""
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()
