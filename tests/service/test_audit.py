"""The audit: a record of every answer before it leaves, or no answer; in a file and in a real PostgreSQL."""

import contextlib
import json
import logging
import sqlite3
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from hashlib import sha256
from uuid import UUID

import httpx
import pytest

from bcma_decide.cli.serve import _read
from bcma_decide.comparing.compare import compare
from bcma_decide.comparing.question import Question
from bcma_decide.errors import AuditError, ServiceError
from bcma_decide.patient.profile import Patient
from bcma_decide.service.audit.audit import CHECK_SECONDS
from bcma_decide.service.audit.audit_address import open_audit, shown
from bcma_decide.service.audit.audit_record import record_of, time_ordered_id
from bcma_decide.service.settings import Settings, read_settings
from tests.cli.support.program import environment
from tests.cli.support.program import run as run_program
from tests.service.support.audits import audited, opened, records
from tests.service.support.calls import call
from tests.service.support.running import running
from tests.service.support.service import NONE, VIEW, app, ask, model, post, select, view
from tests.service.support.service import SELECT as ORDER
from tests.service.support.tokens import bearer, issuer, token
from tests.support.cases import for_each

BODY = {"profile": {"age": 71, "extramedullary_disease": "yes"}}
SECRET = "s3cret-of-the-site"
MARKER = "Zyxwvut"


def example_record(number=0):
    asked = Question(patient=Patient(age=60 + number % 20))
    made = str(time_ordered_id())
    return record_of(asked, _comparison(), record_id=made, identity="0" * 64, face="rest", issuer="")


@cache
def _comparison():
    return compare(Patient(), pooled=model())


# What is recorded


@pytest.mark.sample
def test_an_answer_names_its_record_and_the_record_fits_the_answer(address, tmp_path):
    who = issuer(tmp_path)
    with audited(address, issuers=[who]) as application:
        answer = post(application, "/comparisons", BODY, headers=bearer(token(path="/comparisons")))
        page = post(application, "/comparisons?format=html", BODY, headers=bearer(token(path="/comparisons")))
    assert (answer.status_code, page.status_code) == (200, 200)
    second, first = records(address)
    assert [first.id, second.id] == [answer.headers["Audit-Id"], page.headers["Audit-Id"]]
    assert first.output_hash == sha256(answer.content).hexdigest()
    assert second.output_hash == first.output_hash
    assert first.request == '{"patient":{"age":71,"extramedullary_disease":true}}'
    assert first.request_hash == sha256(first.request.encode()).hexdigest()
    stamp = answer.json()
    assert first.evidence_hash == stamp["evidence"]["hash"]
    assert first.software_version == stamp["software"]["version"]
    assert first.schema_version == stamp["software"]["schema_version"]
    assert (first.face, first.issuer) == ("rest", who.issuer)
    assert first.recorded.endswith("+00:00")


def test_a_card_has_its_record_without_the_patient_s_name_or_bundle(address):
    asked = call("fit-58")
    asked["prefetch"]["patient"]["name"] = [{"family": MARKER}]
    with audited(address, reading=partial(_read, model())) as application:
        answer = post(application, VIEW, asked)
    (record,) = records(address)
    assert answer.headers["Audit-Id"] == record.id
    assert record.face == "patient-view"
    assert record.output_hash[:12] in answer.json()["cards"][0]["detail"]
    request = json.loads(record.request)
    assert request["record"]["inputs"]
    assert request["record"]["date"] == request["date"] == "2026-11-26"
    assert MARKER not in record.request
    assert asked["context"]["patientId"] not in record.request
    assert "resourceType" not in record.request


def test_where_nothing_is_compared_nothing_is_recorded(address):
    with audited(address) as application:
        answers = [
            post(application, VIEW, view(prefetch=view()["prefetch"] | {"conditions": NONE})),
            post(application, ORDER, select("Paracetamol")),
            post(application, "/comparisons", {"profile": {"age": "old"}}),
            post(application, "/comparisons", b"{"),
            ask(application, "GET", "/evidence"),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 422, 400, 200]
    assert {"audit-id" in answer.headers for answer in answers} == {False}
    assert records(address) == []


def test_pages_of_configured_origins_may_read_the_id(tmp_path):
    origin = "https://ehr.example.org"
    with audited(f"sqlite:///{tmp_path}/a.db", cors_origins=[origin]) as application:
        answer = post(application, "/comparisons", BODY, headers={"Origin": origin})
    assert answer.headers["access-control-expose-headers"] == "Audit-Id, x-request-id"


def test_without_an_audit_there_is_no_header():
    answer = post(app(), "/comparisons", BODY)
    assert answer.status_code == 200
    assert "audit-id" not in answer.headers


@pytest.mark.sample
def test_many_threads_and_two_writers_lose_nothing(address):
    """Each record is found again as it was written; two audits open the same database, as two processes would."""
    with ThreadPoolExecutor(2) as starting:
        one, other = starting.map(lambda _: open_audit(address, write=True), range(2))
    written = [example_record(number) for number in range(200)]
    with contextlib.closing(one), contextlib.closing(other), ThreadPoolExecutor(16) as writers:
        list(writers.map(lambda pair: (one, other)[pair[0] % 2].write(pair[1]), enumerate(written)))
        assert one.count() == other.count() == len(written)
        assert sorted(other.newest_first(), key=lambda each: each.id) == sorted(written, key=lambda each: each.id)
        assert one.find(written[7].id) == written[7]


def test_ids_are_uuids_of_version_7_in_the_order_of_time():
    """RFC 9562, section 5.7: the first 48 bits are milliseconds since 1970, then the version, and the variant 10."""
    before = time.time_ns() // 1_000_000
    found = []
    for _ in range(5):
        found.append(time_ordered_id())
        time.sleep(0.002)
    after = time.time_ns() // 1_000_000
    assert {each.version for each in found} == {7}
    assert {each.int >> 62 & 0b11 for each in found} == {0b10}
    assert [str(each) for each in found] == sorted(str(each) for each in found)
    assert all(before <= each.int >> 80 <= after for each in found)
    assert UUID(str(found[0])) == found[0]


def test_the_file_is_for_its_owner_only_and_what_is_committed_is_on_disk(tmp_path):
    with opened(f"sqlite:///{tmp_path}/audit.db", write=True) as audit:
        audit.write(example_record())
        assert {path.name for path in tmp_path.iterdir()} == {"audit.db", "audit.db-wal", "audit.db-shm"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
        with audit._engine.connect() as connection:
            found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2], "2 is FULL: https://www.sqlite.org/pragma.html#pragma_synchronous"


@pytest.mark.slow
def test_a_server_that_was_told_not_to_wait_for_its_disk_is_told_to(postgresql):
    address = postgresql.new()
    name = address.partition("@/")[2].partition("?")[0]
    for configured, expected in (("off", "on"), ("remote_apply", "remote_apply")):
        postgresql.run(f"ALTER DATABASE {name} SET synchronous_commit = {configured}", name)
        with opened(address, write=True) as audit, audit._engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == expected


# No record, no answer


def test_an_answer_that_cannot_be_recorded_is_not_given(tmp_path, caplog, capfd):
    """The table goes while the service runs: REST and cards are refused, it is not ready, nothing of it is logged."""
    path = tmp_path / "audit.db"
    body = {"profile": {"age": 71, "refractory_to": ["lenalidomide"]}}
    with caplog.at_level(logging.ERROR), audited(f"sqlite:///{path}") as application:
        assert post(application, "/comparisons", body).status_code == 200
        assert ask(application, "GET", "/readyz").json()["status"] == "ready"
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("ALTER TABLE audit RENAME TO away")
        refused = post(application, "/comparisons", body)
        card = post(application, VIEW, view())
        readiness = ask(application, "GET", "/readyz")
        assert (refused.status_code, card.status_code, readiness.status_code) == (503, 503, 503)
        assert refused.json()["type"] == "urn:bcma-decide:problem:not-recorded"
        assert refused.json()["detail"] == "the answer cannot be recorded, so it is not given"
        assert "options" not in refused.text
        assert card.json()["resourceType"] == "OperationOutcome"
        assert readiness.json()["status"] == "audit cannot be written"
        assert not any("audit-id" in answer.headers for answer in (refused, card, readiness))
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("ALTER TABLE away RENAME TO audit")
        assert post(application, "/comparisons", body).status_code == 200
        assert ask(application, "GET", "/readyz").status_code == 200, "the last record says so"
    assert "the audit cannot be written: OperationalError SQLITE_ERROR" in caplog.text
    said = caplog.text + "".join(capfd.readouterr())
    assert "lenalidomide" not in said
    assert "INSERT" not in said


def test_whether_it_is_ready_is_tried_again_after_some_seconds(tmp_path, monkeypatch):
    path = tmp_path / "audit.db"
    with opened(f"sqlite:///{path}", write=True) as audit:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("ALTER TABLE audit RENAME TO away")
        assert audit.ready(), "not tried yet"
        moment = time.monotonic()
        monkeypatch.setattr("bcma_decide.service.audit.audit.monotonic", lambda: moment + CHECK_SECONDS + 1)
        assert not audit.ready()
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("ALTER TABLE away RENAME TO audit")
        monkeypatch.setattr("bcma_decide.service.audit.audit.monotonic", lambda: moment + 2 * CHECK_SECONDS + 2)
        assert audit.ready()
        assert audit.count() == 0, "a trial leaves no record"


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
sys.argv = ["bcma-decide", "serve", "--port", "0", "--audit", {address!r}]
from bcma_decide.cli import main
main()
"""


@pytest.mark.slow
def test_when_the_disk_takes_no_more_answers_end_and_none_is_without_its_record(tmp_path):
    """Files of the process may grow to 300,000 bytes, which to SQLite is a full disk."""
    address = f"sqlite:///{tmp_path}/audit.db"
    with running(code=FULL.format(address=address)) as (_, port):
        base = f"http://127.0.0.1:{port}"
        given = []
        for _ in range(200):
            answer = httpx.post(f"{base}/comparisons", json=BODY, timeout=60)
            if answer.status_code != 200:
                break
            given.append(answer.headers["Audit-Id"])
        assert answer.status_code == 503
        assert httpx.get(f"{base}/readyz").status_code == 503
    assert given
    assert set(given) <= {record.id for record in records(address)}


# Addresses


@for_each(
    ("wrong", "said"),
    [
        ("audit.db", "is not an address"),
        ("", "is not an address"),
        (f"mysql://site:{SECRET}@db.example.org/audit", "is not an address"),
        (f"postgresql+asyncpg://site:{SECRET}@db.example.org/audit", "is not an address"),
        (f"postgresql://site:{SECRET}@db.example.org:port/audit", "is not an address"),
        (f"postgresql://site:{SECRET}@db.example.org", "names no database"),
        (f"postgresql://site:{SECRET}@127.0.0.1:1/audit", "127.0.0.1"),
        (f"postgresql://site:{SECRET}@127.0.0.1:1/audit?nonsense={SECRET}", "nonsense"),
        ("sqlite://", "names no database"),
        ("sqlite:///:memory:", "names no database"),
        ("sqlite:////proc/none/audit.db", "/proc/none/audit.db"),
        ("sqlite:////proc", "audit: "),
    ],
)
@for_each("write", [True, False])
def test_an_address_that_cannot_be_used_is_said_without_its_password(wrong, said, write):
    with pytest.raises(AuditError) as caught:
        open_audit(wrong, write=write)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.exit_code == 3


def test_the_address_is_shown_without_password_and_options():
    found = shown(f"postgresql+psycopg://site:{SECRET}@db.example.org/audit?sslpassword={SECRET}")
    assert found == "postgresql://site:***@db.example.org/audit"
    assert shown("sqlite:///audit.db") == "sqlite:///audit.db"


def test_settings_never_show_it_and_an_empty_one_is_no_way_out(monkeypatch):
    assert SECRET not in repr(Settings(audit=f"postgresql://a:{SECRET}@b/c"))
    monkeypatch.setenv("BCMA_DECIDE_AUDIT", "")
    with pytest.raises(ServiceError, match="audit"):
        read_settings()


def test_the_service_says_where_the_audit_is_and_does_not_start_without_it(tmp_path):
    address = f"sqlite:///{tmp_path}/audit.db"
    with running(BCMA_DECIDE_AUDIT=address) as (process, port):
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
        lines = [process.stderr.readline() for _ in range(2)]
    assert lines[1] == f"audit: {address}; it holds what is asked for patients\n"
    done = run_program("serve", "--port", "0", "--audit", f"postgresql://a:{SECRET}@127.0.0.1:1/b")
    assert done.returncode == 3
    assert "the audit cannot be opened" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("module", "address", "extra"),
    [
        ("sqlalchemy", "sqlite:///audit.db", "bcma-decide[audit]"),
        ("psycopg", "postgresql://a@b/c", "bcma-decide[audit,postgresql]"),
    ],
)
@pytest.mark.parametrize("command", [("serve",), ("replay", "--all")])
def test_a_missing_library_is_one_line_that_says_what_to_install(module, address, extra, command, tmp_path):
    code = f"import sys; sys.modules[{module!r}] = None; from bcma_decide.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--audit", address], capture_output=True, text=True, check=False,
        timeout=60, cwd=tmp_path, env=environment(),
    )  # fmt: skip
    assert done.returncode == 3
    assert f'not installed: {module} (install: pip install "{extra}")' in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_an_audit_its_libraries_are_not_loaded():
    code = (
        "import sys; from bcma_decide.service import app, answering; import bcma_decide.service.audit.audit_address;"
        "print(sorted(m for m in sys.modules if m in ('sqlalchemy', 'psycopg')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Whose tables


def test_another_layout_and_other_people_s_tables_are_refused(tmp_path):
    address, path = f"sqlite:///{tmp_path}/audit.db", tmp_path / "audit.db"
    with opened(address, write=True):
        pass
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE audit_layout SET layout = 2")
        connection.commit()
    for write in (True, False):
        with pytest.raises(AuditError, match="has layout 2; this version knows 1"):
            open_audit(address, write=write)
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE audit (who TEXT)")
    with pytest.raises(AuditError, match="of something else"):
        open_audit(f"sqlite:///{tmp_path}/other.db", write=True)
    (tmp_path / "empty.db").touch()
    with pytest.raises(AuditError, match="there is none"):
        open_audit(f"sqlite:///{tmp_path}/empty.db", write=False)
    (tmp_path / "text.db").write_text("no database " * 100)
    with pytest.raises(AuditError, match="not a database"):
        open_audit(f"sqlite:///{tmp_path}/text.db", write=True)


def test_what_may_only_be_read_is_refused_for_writing(tmp_path):
    address = f"sqlite:///{tmp_path}/audit.db"
    with opened(address, write=True) as audit:
        audit.write(example_record())
    read_only = f"sqlite:///file:{tmp_path}/audit.db?mode=ro&uri=true"
    with opened(read_only) as audit:
        assert audit.count() == 1
    with pytest.raises(AuditError):
        open_audit(read_only, write=True)


@pytest.mark.slow
@pytest.mark.sample
def test_rights_to_add_and_to_read_are_enough_and_fewer_are_noticed(postgresql):
    """The site may forbid its service to change or delete records."""
    address = postgresql.new()
    name = address.partition("@/")[2].partition("?")[0]
    with opened(address, write=True):
        pass
    role = f"r{name[-20:]}"
    postgresql.run(f"CREATE ROLE {role} LOGIN", name)
    postgresql.run(f"GRANT SELECT, UPDATE ON audit_layout TO {role}", name)
    own = postgresql.address(name, role)
    with pytest.raises(AuditError, match="may not be written"):
        open_audit(own, write=True)
    postgresql.run(f"GRANT SELECT, INSERT ON audit TO {role}", name)
    with opened(own, write=True) as audit:
        record = example_record()
        audit.write(record)
        assert audit.find(record.id) == record


def test_a_record_is_added_once(address):
    record = example_record()
    with opened(address, write=True) as audit:
        audit.write(record)
        with pytest.raises(AuditError, match="cannot be recorded"):
            audit.write(replace(record, face="other"))
        assert audit.find(record.id) == record
        with pytest.raises(AuditError, match="there is no such record"):
            audit.find("nonsense")


def test_an_answer_on_the_page_has_its_record_too(tmp_path):
    address = f"sqlite:///{tmp_path}/audit.db"
    with audited(address) as application:
        answer = ask(application, "POST", "/", data={"age": "71", "extramedullary_disease": "yes"})
        refused = ask(application, "POST", "/", data={"age": "71", "region": "Mars"})
    assert (answer.status_code, refused.status_code) == (200, 422)
    [record] = records(address)
    assert (record.id, record.face) == (answer.headers["audit-id"], "page")
    assert "audit-id" not in refused.headers
