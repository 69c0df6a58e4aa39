"""The audit: a table in SQLite or PostgreSQL with a record of every answer, written before the answer leaves.

Records are only ever added, by as many processes as there are. Those that wait at one process while another record is
on its way to the disk go there together, in one transaction: what takes its time is the disk, not the record.

There is no chain of hashes over them: it would let one writer wait for the other, and
whoever may rewrite the table could rewrite the chain. What may be done with the table is a matter of rights in the
database; the hashes of a record show damage and careless changes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Final

from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, Text, func, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bcma_decide.errors import AuditError, Problem
from bcma_decide.service.audit.audit_record import AuditRecord

LAYOUT: Final = 1
"""Of the tables; a database with another is refused."""
CHECK_SECONDS: Final = 5.0
"""Least time between two trials whether it can be written."""
_PAGE: Final = 100
_TOGETHER: Final = 64
"""Records in one transaction at most."""
_LOGGER: Final = logging.getLogger("bcma_decide.service.audit.audit")

_TABLES: Final = MetaData()
_RECORDS: Final = Table(
    "audit",
    _TABLES,
    Column("id", String(36), primary_key=True),
    Column("recorded", String(40), nullable=False, index=True),
    Column("face", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("evidence_hash", String(64), nullable=False),
    Column("software_version", Text, nullable=False),
    Column("schema_version", Text, nullable=False),
    Column("output_hash", String(64), nullable=False),
)
_LAYOUTS: Final = Table(
    "audit_layout",
    _TABLES,
    Column("layout", Integer, primary_key=True, autoincrement=False),
    Column("checked", String(40), nullable=False),
)

_ADD: Final = insert(_RECORDS)
"""One statement for all records, so that it is worked out once."""


class Audit:
    """One open audit; its methods may be called from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ready, self._checked = True, 0.0
        self._waiting: SimpleQueue[tuple[AuditRecord, Future[None]] | None] = SimpleQueue()
        self._writer: threading.Thread | None = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Make the tables where they are missing; raises AuditError where they are not those of this program."""
        with _told("cannot be opened"):
            self._refuse_foreign()
            _TABLES.create_all(self._engine)
            with self._engine.begin() as connection:
                empty = connection.scalar(select(func.count()).select_from(_LAYOUTS)) == 0
            if empty:
                self._note_layout()
        self.verify()
        if not self.ready():
            problem = Problem("audit", "may not be written", "check its rights and the space on its disk")
            raise AuditError("the audit cannot be written", [problem])

    def verify(self) -> None:
        """See that there is an audit of the known layout; raises AuditError."""
        with _told("cannot be opened"):
            self._refuse_foreign()
            if not inspect(self._engine).has_table(_LAYOUTS.name):
                raise AuditError("the audit cannot be opened", [Problem("audit", "there is none", "check the address")])
            with self._engine.connect() as connection:
                found = list(connection.scalars(select(_LAYOUTS.c.layout)))
        if found != [LAYOUT]:
            written = ", ".join(map(str, found)) or "unknown"
            fix = "use the version of the program that wrote it, or another database"
            problem = Problem("audit", f"has layout {written}; this version knows {LAYOUT}", fix)
            raise AuditError("the audit cannot be opened", [problem])

    def _refuse_foreign(self) -> None:
        looked = inspect(self._engine)
        if looked.has_table(_RECORDS.name) and not looked.has_table(_LAYOUTS.name):
            problem = Problem("audit", f"holds a table {_RECORDS.name!r} of something else", "use another database")
            raise AuditError("the audit cannot be opened", [problem])

    def _note_layout(self) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(_LAYOUTS).values(layout=LAYOUT, checked=_now()))
        except IntegrityError:  # another process was first
            return

    def add(self, record: AuditRecord) -> Future[None]:
        """Have a record added; it is on disk when the future is done, or the future holds the AuditError."""
        done: Future[None] = Future()
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_on, name="audit", daemon=True)
                self._writer.start()
        self._waiting.put((record, done))
        return done

    def _write_on(self) -> None:
        """Write what waits, all of it together, until told to end."""
        ended = False
        while not ended and (first := self._waiting.get()) is not None:
            batch = [first]
            with suppress(Empty):
                while len(batch) < _TOGETHER:
                    if (further := self._waiting.get_nowait()) is None:
                        ended = True
                        break
                    batch.append(further)
            error: Exception | None = None
            try:
                self._write([record for record, _ in batch])
            except Exception as raised:  # noqa: BLE001, RUF100  # whatever it is, who waits has to hear of it
                error = raised
            for _, done in batch:
                if not done.set_running_or_notify_cancel():
                    continue
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

    def write(self, record: AuditRecord) -> None:
        """Add a record; it is on disk when this returns. Raises AuditError, and logs the kind of error only."""
        self._write([record])

    def _write(self, records: Sequence[AuditRecord]) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(_ADD, [asdict(record) for record in records])
        except SQLAlchemyError as error:
            self._noted(ready=False)
            _LOGGER.error("the audit cannot be written: %s", kind_of(error))  # noqa: TRY400  # a trace holds values
            raise AuditError("the answer cannot be recorded, so it is not given") from None
        self._noted(ready=True)

    def ready(self) -> bool:
        """Whether records can be written: as of the last one, or as tried now if that is some seconds ago."""
        if monotonic() - self._checked >= CHECK_SECONDS or not self._checked:
            try:
                self._try()
            except SQLAlchemyError as error:
                self._noted(ready=False)
                _LOGGER.error("the audit cannot be written: %s", kind_of(error))  # noqa: TRY400
            else:
                self._noted(ready=True)
        return self._ready

    def _try(self) -> None:
        """Write to the disk, and try the rights to add a record without leaving one."""
        with self._engine.begin() as connection:
            connection.execute(update(_LAYOUTS).values(checked=_now()))
            with connection.begin_nested() as trial:
                connection.execute(insert(_RECORDS).values(dict.fromkeys(_RECORDS.columns.keys(), "")))
                trial.rollback()

    def _noted(self, *, ready: bool) -> None:
        self._ready, self._checked = ready, monotonic()

    def find(self, record_id: str) -> AuditRecord:
        """Look a record up; raises AuditError where there is none."""
        with _told("cannot be read"), self._engine.connect() as connection:
            row = connection.execute(select(_RECORDS).where(_RECORDS.c.id == record_id)).one_or_none()
        if row is None:
            problem = Problem("id", "is not that of a record here", "list them with: bcma-decide replay --list")
            raise AuditError("there is no such record", [problem])
        return AuditRecord(**row._mapping)

    def count(self) -> int:
        """How many records there are."""
        with _told("cannot be read"), self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(_RECORDS)) or 0

    def newest_first(self) -> Iterator[AuditRecord]:
        """All records, those written meanwhile left out."""
        with _told("cannot be read"), self._engine.connect() as connection:
            query = select(_RECORDS).order_by(_RECORDS.c.recorded.desc(), _RECORDS.c.id.desc())
            for row in connection.execution_options(yield_per=_PAGE).execute(query):
                yield AuditRecord(**row._mapping)

    def close(self) -> None:
        """Write what waits, and give the connections back."""
        if self._writer is not None:
            self._waiting.put(None)
            self._writer.join()
            self._writer = None
        self._engine.dispose()


def kind_of(error: SQLAlchemyError) -> str:
    """Kind of an error of the database and its code; its message may hold values of a patient."""
    cause = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    return " ".join(part for part in (type(cause).__name__, code) if part)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Make an error of the database one of this program; nothing of a patient is in it before records are written."""
    try:
        yield
    except SQLAlchemyError as error:
        said = " ".join(str(getattr(error, "orig", None) or kind_of(error)).split())
        raise AuditError(f"the audit {what}", [Problem("audit", said, "check its address and rights")]) from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
