"""``bcma-decide replay``: the same bytes again, or why not."""

import contextlib
import json
import shutil
import sqlite3
from functools import partial

import pytest

from bcma_decide.cli.serve import _read
from bcma_decide.patient.files import example_names, example_path, read_values
from tests.cli.support.program import invoke, on_terminal
from tests.cli.support.program import run as run_program
from tests.service.support.audits import audited, records  # a fixture among them
from tests.service.support.calls import call
from tests.service.support.service import VIEW, model, post
from tests.support.cases import for_each
from tests.support.places import EVIDENCE
from tests.support.places import RECORDS as BUNDLES


@pytest.fixture
def kept(tmp_path):
    """A file with the record of one answer: its address, the id, and the answer."""
    where = f"sqlite:///{tmp_path}/audit.db"
    body = {"profile": {"age": 71, "refractory_to": ["lenalidomide"]}, "region": "EU", "explain": ["orr"]}
    with audited(where) as application:
        answer = post(application, "/comparisons", body | {"date": "2026-11-26", "setting": "interventional"})
    return where, answer.headers["Audit-Id"], answer


def change(where, statement, *values):
    with contextlib.closing(sqlite3.connect(where.removeprefix("sqlite:///"))) as connection:
        connection.execute(statement, values)
        connection.commit()


def replayed(where, *arguments):
    result = invoke("replay", *arguments, "--audit", where, "--json")
    return result.exit_code, json.loads(result.stdout)


def test_profiles_and_records_give_the_same_bytes_again(address):
    """Every example over REST, every record as a card."""
    sent = set()
    with audited(address, reading=partial(_read, model())) as application:
        for name in example_names():
            answer = post(application, "/comparisons", {"profile": read_values(example_path(name))})
            sent.add(answer.headers["Audit-Id"])
        for path in BUNDLES.glob("*.json"):
            answer = post(application, VIEW, call(path.stem))
            sent.add(answer.headers["Audit-Id"])
    code, found = replayed(address, "--all")
    assert code == 0
    assert found == {"counts": {"same": len(sent), "differs": 0, "changed": 0, "not repeatable": 0}, "not_same": []}
    assert {record.id for record in records(address)} == sent


def test_one_record_is_written_as_it_was_sent(kept, tmp_path):
    where, record, answer = kept
    result = invoke("replay", record, "--audit", where, "--output", tmp_path / "again.json")
    assert result.exit_code == 0
    assert (tmp_path / "again.json").read_bytes() == answer.content
    assert f"id             {record}\n" in result.stdout
    assert "verdict        same\n" in result.stdout
    assert "wrote " in result.stderr
    code, found = replayed(where, record)
    assert (code, found["verdict"], found["repeated"]) == (0, "same", found["result"])
    assert found["evidence"] == found["evidence_here"] == model().hash


def test_nothing_of_the_patient_is_printed(kept):
    where, record, _ = kept
    for arguments in ([record], [record, "--json"], ["--all"], ["--all", "--json"], ["--list"], ["--list", "--json"]):
        result = invoke("replay", *arguments, "--audit", where)
        assert result.exit_code == 0
        assert "lenalidomide" not in result.output


@pytest.mark.parametrize(
    ("statement", "code", "verdict", "reason"),
    [
        ("UPDATE audit SET output_hash = 'x'", 5, "differs", "other bytes"),
        ("UPDATE audit SET request = replace(request, '71', '72')", 5, "changed", "it was changed since"),
        ("UPDATE audit SET request = ''", 5, "changed", "it was changed since"),
        ("UPDATE audit SET request_hash = ''", 5, "changed", "it was changed since"),
        ("UPDATE audit SET evidence_hash = 'abc'", 6, "not repeatable", "made from evidence abc"),
        ("UPDATE audit SET software_version = '0.0.9'", 6, "not repeatable", 'pip install "bcma-decide==0.0.9"'),
        ("UPDATE audit SET schema_version = '1'", 6, "not repeatable", "made with schema 1"),
    ],
)
def test_what_does_not_fit_is_said_with_an_exit_code_of_its_own(kept, statement, code, verdict, reason):
    where, record, _ = kept
    change(where, statement)
    found_code, found = replayed(where, record)
    assert (found_code, found["verdict"]) == (code, verdict)
    assert reason in found["reason"]
    found_code, found = replayed(where, "--all")
    assert (found_code, found["counts"][verdict]) == (code, 1)
    result = invoke("replay", "--all", "--audit", where)
    assert result.exit_code == code
    assert f"{record}  " in result.stdout
    assert verdict in result.stdout


@pytest.mark.parametrize("request_", ["{", "[]", '{"patient":{"age":"old"}}', '{"patient":{},"nonsense":1}'])
def test_a_request_that_cannot_be_read_is_no_traceback_and_is_not_shown(kept, request_, tmp_path):
    from bcma_decide.service.audit.audit_record import hash_of

    where, record, _ = kept
    change(where, "UPDATE audit SET request = ?, request_hash = ?", request_, hash_of(request_))
    result = invoke("replay", record, "--audit", where, "--output", tmp_path / "again.json")
    assert result.exit_code == 5
    assert "cannot be read, though its hash is right" in result.stdout
    assert "nonsense" not in result.output
    assert "nothing to write" in result.stderr
    assert not (tmp_path / "again.json").exists()


def test_a_difference_goes_before_what_cannot_be_repeated(kept):
    where, record, _ = kept
    columns = "recorded, face, issuer, request, request_hash, evidence_hash, software_version, schema_version"
    change(where, f"INSERT INTO audit (id, output_hash, {columns}) SELECT 'a', 'x', {columns} FROM audit")
    change(where, "UPDATE audit SET software_version = '0.0.9' WHERE id = ?", record)
    code, found = replayed(where, "--all")
    assert (code, found["counts"]) == (5, {"same": 0, "differs": 1, "changed": 0, "not repeatable": 1})


@pytest.mark.slow
def test_with_one_number_of_the_evidence_changed_it_cannot_be_repeated_until_the_old_one_is_given(kept, tmp_path):
    """The evidence is copied, a prior is changed, and everything is fitted anew."""
    where, record, _ = kept
    shipped = EVIDENCE
    folder = tmp_path / "evidence"
    shutil.copytree(shipped, folder)
    file = folder / "assumptions.yaml"
    text = file.read_text("utf-8")
    first = next(line for line in text.splitlines() if line.strip().startswith("value: 0."))
    file.write_text(text.replace(first, first + "1", 1), "utf-8")
    assert invoke("evidence", "build", "--evidence", folder).exit_code == 0
    done = invoke("replay", record, "--audit", where, "--evidence", folder)
    assert done.exit_code == 6
    assert "give the folder that holds it with --evidence" in done.stdout
    assert invoke("replay", record, "--audit", where, "--evidence", shipped).exit_code == 0


def test_the_list_has_the_newest_first(kept):
    where, record, _ = kept
    with audited(where) as application:
        later = post(application, "/comparisons", {"profile": {}}).headers["Audit-Id"]
    lines = invoke("replay", "--list", "--audit", where).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [later, record]
    result = invoke("replay", "--list", "--audit", where, "--json")
    assert [each["id"] for each in json.loads(result.stdout)] == [later, record]


def test_the_address_may_come_from_the_environment(kept):
    where, record, _ = kept
    assert invoke("replay", record, BCMA_DECIDE_AUDIT=where).exit_code == 0


@for_each(
    ("arguments", "code", "said"),
    [
        (["--all"], 2, "set BCMA_DECIDE_AUDIT"),
        ([], 2, "give the ID of a record, or --all, or --list"),
        (["x", "--all", "--audit", "sqlite:///a.db"], 2, "give the ID of a record, or --all, or --list"),
        (["--all", "--output", "x", "--audit", "sqlite:///a.db"], 2, "belongs to one record"),
        (["--all", "--audit", "sqlite:////proc/none.db"], 3, "check the path"),
    ],
)
def test_what_cannot_be_asked_is_said(arguments, code, said):
    result = invoke("replay", *arguments, COLUMNS="200")
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())


def test_an_unknown_id_is_exit_code_3(kept):
    where, _, _ = kept
    result = invoke("replay", "nonsense", "--audit", where)
    assert result.exit_code == 3
    assert "there is no such record" in result.stderr
    assert "bcma-decide replay --list" in result.stderr


def test_a_bar_on_a_terminal_only(kept):
    where, _, _ = kept
    code, shown = on_terminal("replay", "--all", "--audit", where)
    assert code == 0
    assert "0/1" in shown or "1/1" in shown
    assert "1 same" in shown
    assert run_program("replay", "--all", "--audit", where).stderr == ""
