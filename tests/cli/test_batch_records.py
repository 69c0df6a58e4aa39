"""``bcma-decide batch --fhir``: a folder of bundles, one in a file or one on a line, whatever the others hold."""

import json

import pytest

from bcma_decide.comparison import Comparison
from bcma_decide.fhir.reading import bundle as reader
from tests.cli.support.checks import names, refused
from tests.cli.support.program import invoke
from tests.fhir.reading.support.records import (
    BUNDLES,
    LOINC,
    RXNORM,
    bundle,
    coded,
    given,
    observation,
    person,
    quantity,
)

HB = coded(LOINC, "718-7")


def line(name="fit-58"):
    return json.dumps(json.loads((BUNDLES / f"{name}.json").read_text(encoding="utf-8")))


def comparison(path):
    return Comparison.model_validate_json(path.read_text(encoding="utf-8"))


@pytest.fixture
def records(tmp_path):
    """A bundle in a file of its own, two on lines, and files that are none."""
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "one.json").write_bytes((BUNDLES / "renal-74.json").read_bytes())
    (folder / "many.ndjson").write_text(f"{line()}\n\n{line('triple-class-68')}\n", encoding="utf-8")
    (folder / "profile.yaml").write_text("age: 71\n")
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def batch(records, out, *more):
    return invoke("batch", records, "--fhir", "--out", out, *(more or ("--format", "json")))


def test_every_record_is_written_with_its_ledger(records, out):
    done = batch(records, out)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "1/3 many.ndjson:1", "2/3 many.ndjson:3", "3/3 one.json", "3 profiles written (3 files), 0 failed",
    ]  # fmt: skip
    assert names(out) == ["many-1.json", "many-3.json", "one.json"]
    alone = invoke("compare", "--fhir", records / "one.json", "--json").stdout
    assert (out / "one.json").read_text(encoding="utf-8") == alone
    assert comparison(out / "many-3.json").profile.inputs
    assert comparison(out / "many-1.json").profile.record_date == "2026-11-25"


def test_one_that_fails_stops_no_other(records, out):
    two_patients = json.dumps(bundle(person(), {**person(), "id": "b"}))
    undated = json.dumps(bundle(person(), timestamp=None))
    lines = ["{", two_patients, line(), '{"resourceType": "Patient"}', undated, "[" * 100_000, '{"a": "\udc80"}']
    (records / "bad.ndjson").write_bytes("\n".join(lines).encode(errors="surrogateescape"))
    (records / "gone.ndjson").symlink_to("nowhere")
    (records / "list.json").write_text("[]")
    done = batch(records, out, "--format", "json", "--json")
    assert done.exit_code == 3
    assert names(out) == ["bad-3.json", "many-1.json", "many-3.json", "one.json"]
    bad = records / "bad.ndjson"
    told = done.stderr.splitlines()[-9:]
    assert told[0].startswith(f"{bad}:1: line 1: not JSON")
    assert told[1] == f"{bad}:2: entry[1].resource: is a second patient (one patient per bundle)"
    assert told[2].startswith(f"{bad}:4: resourceType: is 'Patient', not 'Bundle'")
    assert told[3] == f"{bad}:5: has no date to count ages to (give one with --date YYYY-MM-DD)"
    assert told[4].startswith(f"{bad}:6: is nested deeper")
    assert told[5].startswith(f"{bad}:7: is not UTF-8 text")
    assert told[6].startswith(f"{records / 'gone.ndjson'}: cannot be read")
    assert told[7].startswith(f"{records / 'list.json'}: is not a JSON object")
    assert told[8] == "4 profiles written (4 files), 8 failed"
    failed = json.loads(done.stdout)["failed"]
    assert [(each["file"], each.get("line")) for each in failed[:2]] == [(str(bad), 1), (str(bad), 2)]
    assert "line" not in failed[-1]


def test_lines_are_inferred_only_on_request(tmp_path, out):
    folder = tmp_path / "records"
    folder.mkdir()
    record = bundle(person(birthDate="1958-02-03"), given("len", coded(RXNORM, "342369")))
    (folder / "a.json").write_text(json.dumps(record), encoding="utf-8")

    def prior_lines(*more):
        assert batch(folder, out, "--format", "json", *more).exit_code == 0
        traits = {each.trait: each for each in comparison(out / "a.json").profile.traits}
        return traits["prior_lines"].state, traits["prior_lines"].text

    assert prior_lines() == ("unknown", "unknown")
    assert prior_lines("--infer") == ("given", "1")
    refused(invoke("batch", folder, "--out", out, "--infer"), "give --fhir with it")


def test_the_day_asked_for_decides_what_is_old(tmp_path, out):
    folder = tmp_path / "records"
    folder.mkdir()
    record = bundle(person(), observation("hb", HB, valueQuantity=quantity(9.8, "g/dL")))
    (folder / "a.ndjson").write_text(json.dumps(record), encoding="utf-8")
    assert batch(folder, out, "--format", "json", "--date", "2027-01-15").exit_code == 0
    (found,) = [each for each in comparison(out / "a-1.json").profile.inputs if each.field == "hemoglobin"]
    assert found.state == "stale"


def test_names_that_two_share_are_told_apart(records, out):
    (records / "many-1.json").write_bytes((records / "one.json").read_bytes())
    assert batch(records, out).exit_code == 0
    assert names(out) == ["many-1.json.json", "many-3.json", "many.ndjson-1.json", "one.json"]


def test_windows_line_ends_a_mark_at_the_start_and_a_last_line_without_end(tmp_path, out):
    folder = tmp_path / "records"
    folder.mkdir()
    text = f"\ufeff{line()}\r\n  \r\n{line('renal-74')}"
    (folder / "a.ndjson").write_bytes(text.encode())
    assert batch(folder, out).exit_code == 0
    assert names(out) == ["a-1.json", "a-3.json"]


def test_a_line_that_is_too_long_is_refused_and_the_next_one_read(tmp_path, out, monkeypatch):
    monkeypatch.setattr(reader, "SIZE_LIMIT", 100_000)
    monkeypatch.setattr("bcma_decide.cli.tasks._PIECE", 1000)
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "a.ndjson").write_text(f"{' ' * 200_000}{{}}\n{line()}\n", encoding="utf-8")
    done = batch(folder, out)
    assert (done.exit_code, names(out)) == (3, ["a-2.json"])
    assert f"{folder / 'a.ndjson'}:1: is larger than" in done.stderr


def test_a_folder_without_bundles_says_what_is_sought(tmp_path, out):
    (tmp_path / "profile.yaml").write_text("age: 71\n")
    (tmp_path / "empty.ndjson").write_text("\n \n")
    refused(batch(tmp_path, out), "holds no bundle", "*.ndjson")
    assert not out.exists()


def test_sheets_are_written_too(records, out):
    assert batch(records, out, "--format", "html", "--audience", "patient").exit_code == 0
    assert names(out) == ["many-1.patient.html", "many-3.patient.html", "one.patient.html"]
