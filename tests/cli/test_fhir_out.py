"""``bcma-decide compare --fhir-out``: the comparison as a FHIR Bundle, in a file or alone on standard output."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from fhir.resources.R4B.bundle import Bundle

from bcma_decide.cli import answer as command
from bcma_decide.render.sheet.pdf import missing
from tests.cli.support.checks import refused
from tests.cli.support.program import invoke
from tests.fhir.reading.support.records import BUNDLES

RECORD = BUNDLES / "renal-74.json"
AT = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)


def kinds(found):
    return [entry["resource"]["resourceType"] for entry in found["entry"]]


def test_a_file_beside_what_is_printed(tmp_path):
    path = tmp_path / "answer.json"
    done = invoke("compare", "--example", "fit-58", "--fhir-out", path)
    assert (done.exit_code, done.stderr) == (0, f"wrote {path}\n")
    assert done.stdout == invoke("compare", "--example", "fit-58").stdout
    found = json.loads(path.read_text(encoding="utf-8"))
    Bundle.model_validate(found)
    assert kinds(found) == ["GuidanceResponse", *["RiskAssessment"] * 7, "Device", "Provenance"]


def test_it_is_of_the_moment_and_otherwise_the_same_again(monkeypatch):
    asked = ("compare", "--fhir", RECORD, "--fhir-out", "-")
    found = json.loads(invoke(*asked).stdout)
    assert datetime.now(UTC) - datetime.fromisoformat(found["timestamp"]) < timedelta(minutes=1)
    monkeypatch.setattr(command, "now", lambda: AT)
    first, second = (invoke(*asked).stdout for _ in range(2))
    assert first == second
    assert [e["fullUrl"] for e in json.loads(first)["entry"]] == [e["fullUrl"] for e in found["entry"]]


def test_of_a_record_it_names_the_patient_and_what_was_used(tmp_path):
    done = invoke("compare", "--fhir", RECORD, "--fhir-out", "-")
    assert (done.exit_code, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    (assessment, *_) = [e["resource"] for e in found["entry"] if e["resource"]["resourceType"] == "RiskAssessment"]
    assert assessment["subject"] == {"reference": "Patient/example"}
    assert {"reference": "Condition/mm"} in assessment["basis"]
    assert {"reference": "Observation/creatinine_clearance"} in assessment["basis"]
    replaced = invoke("compare", "--fhir", RECORD, "--creatinine-clearance", "60 mL/min", "--fhir-out", "-").stdout
    assert "Observation/creatinine_clearance" not in replaced


@pytest.mark.slow
@pytest.mark.sample
def test_a_pdf_asked_for_goes_inside(tmp_path):
    if missing():
        pytest.skip(missing())
    sheet, path = tmp_path / "sheet.pdf", tmp_path / "answer.json"
    assert invoke("compare", "--example", "fit-58", "--pdf", sheet, "--fhir-out", path).exit_code == 0
    found = json.loads(path.read_text(encoding="utf-8"))
    (document,) = [e["resource"] for e in found["entry"] if e["resource"]["resourceType"] == "DocumentReference"]
    assert base64.b64decode(document["content"][0]["attachment"]["data"]) == sheet.read_bytes()
    Bundle.model_validate(found)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--fhir-out", "-", "--json"), ("prints the Bundle alone", "--json")),
        (("--fhir-out", "-", "--plain"), ("prints the Bundle alone", "--plain")),
        (("--fhir-out", "none/answer.json"), ("there is no folder",)),
        (("--fhir-out", "."), ("it is not a file",)),
        (("--fhir-out", "sheet.html", "--html", "sheet.html"), ("the name of a sheet already",)),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(tmp_path, monkeypatch, arguments, parts):
    monkeypatch.chdir(tmp_path)
    refused(invoke("compare", "--example", "fit-58", *arguments), *parts)
    assert list(tmp_path.iterdir()) == []


def test_the_record_is_never_written_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "record.json"
    path.write_bytes(RECORD.read_bytes())
    refused(invoke("compare", "--fhir", path, "--fhir-out", "record.json"), "is where the patient comes from")
    assert path.read_bytes() == RECORD.read_bytes()


def test_a_file_and_json_on_standard_output_go_together(tmp_path):
    path = tmp_path / "answer.json"
    done = invoke("compare", "--fhir", RECORD, "--fhir-out", path, "--json")
    assert json.loads(done.stdout)["profile"]["inputs"]
    assert json.loads(path.read_text(encoding="utf-8"))["type"] == "transaction"


def test_help_teaches_it():
    text = invoke("compare", "--help", COLUMNS="200").stdout
    assert "--fhir-out" in text
    assert "See: bcma-decide guide records" in text
    assert "answer.json" in invoke("guide", "records").stdout
