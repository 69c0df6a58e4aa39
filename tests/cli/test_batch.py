"""``bcma-decide batch``: every profile of a folder, whatever the others do."""

import json
import os
from datetime import date

import pytest

from bcma_decide.cli import answer as command
from bcma_decide.comparing import compare as assemble
from bcma_decide.comparison import Comparison
from bcma_decide.patient.files import example_path
from tests.cli.support import programs
from tests.cli.support.checks import names, refused, without_extra
from tests.cli.support.program import ESCAPE, invoke, on_terminal, run

PATIENT = ("--audience", "patient", "--format", "html")


@pytest.fixture
def profiles(tmp_path):
    """Two profiles that can be used, and files that are none."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "b.yml").write_text("age: 71\n")
    (folder / "a.json").write_text('{"age": 58}')
    (folder / "notes.txt").write_text("not a profile")
    (folder / ".hidden.yaml").write_text("not a profile")
    (folder / "below.yaml").mkdir()
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "made" / "out"


def test_every_profile_and_every_audience(profiles, out):
    result = invoke("batch", profiles, "--out", out, "--audience", "both", "--format", "html,json")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == ["1/2 a.json", "2/2 b.yml", "2 profiles written (6 files), 0 failed"]
    assert names(out) == [
        "a.clinician.html", "a.json", "a.patient.html", "b.clinician.html", "b.json", "b.patient.html",
    ]  # fmt: skip
    Comparison.model_validate_json((out / "a.json").read_text(encoding="utf-8"))


def test_the_same_sheet_as_from_compare(profiles, out, tmp_path):
    looks = ("--audience", "patient", "--paper", "Letter", "--rows", "orr,crs_any", "--icons", "orr", "--site", "W7",
             "--setting", "trial", "--region", "EU", "--date", "2026-11-01", "--from", "decision")  # fmt: skip
    assert invoke("batch", profiles, "--out", out, "--format", "html", "--format", "json", *looks).exit_code == 0
    alone = tmp_path / "alone.html"
    printed = invoke("compare", profiles / "b.yml", "--html", alone, "--json", *looks).stdout
    assert (out / "b.patient.html").read_bytes() == alone.read_bytes()
    assert (out / "b.json").read_text(encoding="utf-8") == printed


def test_profiles_that_share_a_stem_keep_their_whole_name(profiles, out):
    for name in ("a.yaml", "A.yml", "a.json.yaml"):
        (profiles / name).write_text("age: 60\n")
    assert invoke("batch", profiles, "--out", out, *PATIENT).exit_code == 0
    whole = {"A.yml", "a.json", "a.json.yaml", "a.yaml", "b"}
    assert set(names(out)) == {f"{name}.patient.html" for name in whole}


def test_one_that_fails_stops_no_other(profiles, out):
    (profiles / "a-broken.yaml").write_text("age: 300\nferritin: 850\n")
    (profiles / "c-not-yaml.yaml").write_bytes(b"age: [71\nx")
    (profiles / "d-gone.json").symlink_to("nowhere")
    result = invoke("batch", profiles, "--out", out, *PATIENT, "--json")
    assert result.exit_code == 3
    assert names(out) == ["a.patient.html", "b.patient.html"]
    told = result.stderr.splitlines()[5:]
    assert [line.split(": ")[:2] for line in told[:2]] == [
        [str(profiles / "a-broken.yaml"), "age"], [str(profiles / "a-broken.yaml"), "ferritin"],
    ]  # fmt: skip
    assert told[2].startswith(f"{profiles / 'c-not-yaml.yaml'}: line 3")
    assert told[3].startswith(f"{profiles / 'd-gone.json'}: cannot be read")
    assert told[4:] == ["2 profiles written (2 files), 3 failed"]
    summary = json.loads(result.stdout)
    assert summary["written"] == [str(out / name) for name in names(out)]
    assert [entry["file"] for entry in summary["failed"]] == [
        str(profiles / name) for name in ("a-broken.yaml", "c-not-yaml.yaml", "d-gone.json")
    ]
    problems = summary["failed"][0]["problems"]
    assert [problem["field"] for problem in problems] == ["age", "ferritin"]
    assert all(set(problem) == {"field", "message", "fix"} for problem in problems)


def test_a_fault_of_the_program_stops_no_other_either(profiles, out, monkeypatch):
    whole = assemble.answer_question

    def faulty(question, pooled):
        if question.patient.age == 58:
            raise RuntimeError("a part broke")
        return whole(question, pooled)

    monkeypatch.setattr(assemble, "answer_question", faulty)
    result = invoke("batch", profiles, "--out", out, *PATIENT)
    assert result.exit_code == 3
    assert names(out) == ["b.patient.html"]
    assert "a.json: failed in the program: RuntimeError: a part broke" in result.stderr


def test_a_file_that_cannot_be_written_is_a_failure_of_its_profile(profiles, out):
    (out / "a.patient.html").mkdir(parents=True)
    result = invoke("batch", profiles, "--out", out, *PATIENT)
    assert result.exit_code == 3
    assert f"{profiles / 'a.json'}: {out / 'a.patient.html'}: cannot be written: Is a directory" in result.stderr
    assert "1 profile written (1 file), 1 failed" in result.stderr
    assert names(out) == ["a.patient.html", "b.patient.html"]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("nowhere", "--out", "out"), ("nowhere is not a folder",)),
        (("empty", "--out", "out"), ("empty holds no profile", "bcma-decide template")),
        (("profiles",), ("--out",)),
        (("profiles", "--out", "profiles", "--format", "json"), ("read as profiles",)),
        (("profiles", "--out", "profiles/../profiles/.", "--format", "json"), ("read as profiles",)),
        (("profiles", "--out", "file", "--format", "html"), ("file: cannot be made a folder",)),
        (("profiles", "--out", "out", "--format", "docx"), ("'docx' is not one of html, pdf, json",)),
        (("profiles", "--out", "out", "--audience", "nurse"), ("'nurse' is not one of clinician, patient, both",)),
        (("profiles", "--out", "out", "--rows", "survival"), ("rows: 'survival' is not an outcome",)),
        (("profiles", "--out", "out", "--lang", "xx"), ("lang:",)),
        (("profiles", "--out", "out", "--date", "soon"), ("'soon' is not a day",)),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(profiles, monkeypatch, arguments, parts):
    above = profiles.parent
    monkeypatch.chdir(above)
    (above / "empty").mkdir()
    (above / "file").touch()
    refused(invoke("batch", *arguments), *parts)
    assert names(above) == ["empty", "file", "profiles"]


def test_a_read_only_folder_is_one_line(profiles, out, monkeypatch):
    monkeypatch.setattr("os.access", lambda _, mode: mode != os.W_OK)
    result = invoke("batch", profiles, "--out", out, *PATIENT)
    refused(result, "cannot be written: it is read-only")
    assert (len(result.stderr.splitlines()), names(out)) == (1, [])


def test_a_region_without_a_label_is_refused_once(profiles, out):
    result = invoke("batch", profiles, "--out", out, *PATIENT, "--region", "Mars")
    assert (result.exit_code, result.stdout, out.exists()) == (3, "", False)
    assert result.stderr.count("region") == 2


def test_pages_may_lie_beside_their_profiles(profiles):
    assert invoke("batch", profiles, "--out", profiles, *PATIENT).exit_code == 0
    assert {"a.json", "a.patient.html", "b.patient.html"} <= set(names(profiles))


def test_without_the_extra_it_says_what_to_install_and_how_to_go_on(profiles, out):
    result = without_extra("batch", profiles, "--out", out)
    refused(result, 'pip install "bcma-decide[pdf]"', "--format html")
    assert (len(result.stderr.splitlines()), out.exists()) == (1, False)
    assert without_extra("batch", profiles, "--out", out, *PATIENT).returncode == 0


def test_old_evidence_is_announced_once(profiles, out, monkeypatch):
    monkeypatch.setattr(command, "today", lambda: date(2126, 1, 1))
    result = invoke("batch", profiles, "--out", out, *PATIENT)
    assert (result.exit_code, result.stderr.count("the evidence is of")) == (0, 1)


def test_an_interrupt_says_how_much_was_written(profiles, out):
    for number in range(3):
        (profiles / f"c{number}.yaml").write_text("age: 71\n")
    result = run("batch", profiles, "--out", out, *PATIENT, program=programs.interrupted_at_the_fourth)
    assert result.returncode == 130
    written = names(out)
    assert len(written) == 3
    assert result.stderr.splitlines()[-1] == "stopped: 3 profiles written (3 files), 0 failed"
    assert all(name.endswith(".patient.html") for name in written)
    assert "Traceback" not in result.stderr


def test_on_a_terminal_a_bar(profiles, out):
    code, shown = on_terminal("batch", str(profiles), "--out", str(out), *PATIENT)
    assert code == 0
    text = ESCAPE.sub("", shown)
    assert "1/2 a.json" not in text
    assert "0/2" in text
    assert text.rstrip().endswith("2 profiles written (2 files), 0 failed")


@pytest.mark.slow
def test_by_default_a_page_and_a_pdf_of_each(tmp_path, out):
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "patient-07.yaml").write_bytes(example_path("fit-58").read_bytes())
    result = invoke("batch", folder, "--out", out, "--audience", "patient")
    assert result.exit_code == 0, result.stderr
    assert names(out) == ["patient-07.patient.html", "patient-07.patient.pdf"]
    assert (out / "patient-07.patient.pdf").read_bytes().startswith(b"%PDF-")
