"""The printable sheets of ``bcma-decide compare``: names, refusals before any work, whole files or none."""

import os
import subprocess
from calendar import monthrange
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from bcma_decide.cli import answer as command
from bcma_decide.comparing.compare import load_pooled
from bcma_decide.comparison import Comparison
from bcma_decide.render.words.language import languages
from tests.cli.support import programs
from tests.cli.support.checks import names, refused, without_extra
from tests.cli.support.program import completed, invoke, on_terminal, run
from tests.support.cases import for_each

PAGE = "<!DOCTYPE html>"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def profile(folder):
    path = folder / "patient-07.yaml"
    path.write_text("age: 71\n")
    return path


# Where it is written


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("--example", "fit-58", "--html"), "fit-58.html"),
        (("--html", "--example", "fit-58"), "fit-58.html"),
        (("patient-07.yaml", "--html"), "patient-07.html"),
        (("--html", "--", "patient-07.yaml"), "patient-07.html"),
        (("-", "--html"), "comparison.html"),
        (("--age", "71", "--html"), "comparison.html"),
        (("patient-07.yaml", "--html", "of my own.html"), "of my own.html"),
        (("patient-07.yaml", "--html=of my own.html"), "of my own.html"),
    ],
)
def test_a_page_is_named_after_the_patient_unless_it_is_given_a_name(profile, folder, arguments, name):
    result = invoke("compare", *arguments, given="age: 71\n")
    assert (result.exit_code, result.stderr) == (0, f"wrote {name}\n")
    assert names(folder) == sorted({name, profile.name})
    assert (folder / name).read_text(encoding="utf-8").startswith(PAGE)
    assert "Response, of 100" in result.stdout


def test_the_id_on_the_page_is_that_of_the_json(folder):
    arguments = ("--example", "renal-74", "--explain", "orr", "--region", "EU")
    printed = run("compare", *arguments, "--json").stdout
    result = invoke("compare", *arguments, "--html", "--audience", "patient", "--json")
    assert printed == result.stdout
    Comparison.model_validate_json(printed)
    assert sha256(printed.encode()).hexdigest()[:12] in (folder / "renal-74.html").read_text(encoding="utf-8")


def test_a_page_is_written_over_and_a_link_stays_a_link(folder):
    (folder / "real.html").write_text("old")
    (folder / "link.html").symlink_to("real.html")
    assert invoke("compare", "--age", "71", "--html", "link.html").exit_code == 0
    assert (folder / "link.html").is_symlink()
    assert (folder / "real.html").read_text(encoding="utf-8").startswith(PAGE)
    assert names(folder) == ["link.html", "real.html"]


def test_what_was_asked_for_is_on_the_page(folder):
    arguments = ("--example", "fit-58", "--html", "--audience", "patient", "--label", "A. B.", "--site", "Ward 7 West")
    assert invoke("compare", *arguments).exit_code == 0
    page = (folder / "fit-58.html").read_text(encoding="utf-8")
    assert "A. B." in page
    assert "Ward 7 West" in page


def test_rows_with_commas_and_repeated_are_the_same(folder):
    invoke("compare", "--age", "71", "--html", "a.html", "--rows", "orr, crs_any", "--rows", "orr")
    invoke("compare", "--age", "71", "--html", "b.html", "--rows", "orr", "--rows", "crs_any")
    invoke("compare", "--age", "71", "--html", "c.html")
    a, b, c = ((folder / f"{name}.html").read_bytes() for name in "abc")
    assert a == b != c


# What is refused, before anything is computed


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--html", "patient-07.yaml"), ("put the profile first: compare patient-07.yaml --html",)),
        (("--html", "-"), ("put the profile first: compare - --html",)),
        (("patient-07.yaml", "--pdf", "patient-07.yaml"), ("not where a sheet goes", "--pdf")),
        (("--age", "71", "--html", "other.json"), ("not where a sheet goes",)),
        (("--age", "71", "--html", "a.html", "--pdf", "a.html"), ("the name of another sheet",)),
        (("--age", "71", "--audience", "patient"), ("--audience", "give --html or --pdf")),
        (("--age", "71", "--paper", "A4"), ("--paper", "give --html or --pdf")),
        (("--age", "71", "--rows", "orr"), ("--rows", "give --html or --pdf")),
        (("--age", "71", "--html", "--paper", "A3"), ("--paper", "Letter")),
        (("--age", "71", "--html", "--audience", "nurse"), ("--audience", "patient")),
        (("--age", "71", "--html", "--lang", "xx"), ("lang:", "one of en")),
        (("--age", "71", "--html", "--rows", "orr,survival"), ("rows: 'survival' is not an outcome", "crs_any")),
        (("--age", "71", "--html", "--icons", "orr,crs_any,icans_any,cr_or_better"), ("icons:", "at most 3")),
        (("--age", "71", "--html", "--label", "x" * 200), ("label: 200 signs",)),
        (("--html",), ("no patient: give a PROFILE",)),
    ],
)
def test_a_sheet_that_cannot_be_is_refused_before_any_work(profile, folder, monkeypatch, arguments, parts):
    def never(*_, **__):
        raise AssertionError("computed")

    monkeypatch.setattr("bcma_decide.comparing.compare.answer_question", never)
    refused(invoke("compare", *arguments), *parts)
    assert (names(folder), profile.read_text()) == (["patient-07.yaml"], "age: 71\n")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere/page.html", "there is no folder"),
        (".", "it is not a file"),
        ("/dev/null", "it is not a file"),
        ("x" * 300, "File name too long"),
    ],
)
@pytest.mark.parametrize("kind", ["--html", "--pdf"])
def test_a_path_that_cannot_be_written_is_one_line(folder, monkeypatch, kind, name, reason):
    monkeypatch.setattr("bcma_decide.comparing.compare.load_pooled", None)
    result = invoke("compare", "--age", "71", kind, name)
    refused(result, f"{Path(name)}: cannot be written: {reason}")
    assert len(result.stderr.splitlines()) == 1
    assert names(folder) == []


def test_a_read_only_folder_is_one_line(folder, monkeypatch):
    monkeypatch.setattr("os.access", lambda _, mode: mode != os.W_OK)
    refused(invoke("compare", "--age", "71", "--html"), "comparison.html: cannot be written", "read-only")


def test_without_the_extra_a_pdf_is_refused_in_one_line_that_says_what_to_install(folder):
    result = without_extra("compare", "--example", "fit-58", "--html", "--pdf")
    refused(result, "a PDF cannot be written", 'pip install "bcma-decide[pdf]"', "--html")
    assert len(result.stderr.splitlines()) == 1
    assert names(folder) == []


def test_without_the_extra_a_page_is_written(folder):
    result = without_extra("compare", "--example", "fit-58", "--html")
    assert (result.returncode, result.stderr) == (0, "wrote fit-58.html\n")


def test_a_disk_that_fills_up_leaves_the_old_page_and_nothing_else(folder):
    (folder / "fit-58.html").write_text("old")
    result = run("compare", "--example", "fit-58", "--html", program=programs.on_a_disk_that_fills_up)
    refused(result, "fit-58.html: cannot be written: File too large")
    assert len(result.stderr.splitlines()) == 1
    assert (names(folder), (folder / "fit-58.html").read_text()) == (["fit-58.html"], "old")


def test_a_patient_that_cannot_be_used_leaves_no_page(folder):
    result = invoke("compare", "--ferritin", "850", "--html")
    assert (result.exit_code, names(folder)) == (3, [])


# The PDF


@pytest.mark.slow
@pytest.mark.sample
def test_a_page_and_a_pdf_of_the_same_result(profile, folder):
    result = invoke("compare", profile, "--html", "--pdf", "out.pdf", "--audience", "patient", "--json")
    assert (result.exit_code, result.stderr) == (0, "wrote patient-07.html\nwrote out.pdf\n")
    assert names(folder) == ["out.pdf", "patient-07.html", "patient-07.yaml"]
    subprocess.run(["pdfdetach", "-save", "1", "-o", "inside.json", "out.pdf"], check=True)
    assert (folder / "inside.json").read_text(encoding="utf-8") == result.stdout
    text = subprocess.run(["pdftotext", "-layout", "out.pdf", "-"], capture_output=True, text=True, check=True).stdout
    assert sha256(result.stdout.encode()).hexdigest()[:12] in text


@pytest.mark.slow
def test_on_a_terminal_a_pdf_that_is_being_written_is_announced(folder):
    code, shown = on_terminal("compare", "--age", "71", "--pdf", "--audience", "patient", "--plain")
    assert code == 0
    assert shown.index("writing the PDF") < shown.index("wrote comparison.pdf")
    assert (folder / "comparison.pdf").read_bytes().startswith(b"%PDF-")


# Evidence that has grown old


def limit():
    """The first day on which the evidence is too old."""
    model = load_pooled()
    of = date.fromisoformat(model.date)
    months = of.month - 1 + int(model.assumptions["evidence_months"])
    year, month = of.year + months // 12, months % 12 + 1
    return date(year, month, min(of.day, monthrange(year, month)[1]))


@pytest.mark.parametrize(("days", "told"), [(-1, False), (0, True), (400, True)])
def test_evidence_that_is_old_today_is_announced(monkeypatch, days, told):
    monkeypatch.setattr(command, "today", lambda: limit() + timedelta(days))
    result = invoke("compare", "--age", "71", "--json")
    assert result.exit_code == 0
    assert Comparison.model_validate_json(result.stdout).evidence.out_of_date is False
    assert result.stderr.startswith(f"the evidence is of {load_pooled().date}, more than 12 months old") == told
    assert len(result.stderr.splitlines()) == told


def test_a_date_that_is_given_needs_no_clock(monkeypatch):
    monkeypatch.setattr(command, "today", None)
    result = invoke("compare", "--age", "71", "--json", "--date", str(limit()))
    assert (result.exit_code, result.stderr) == (0, "")
    assert Comparison.model_validate_json(result.stdout).evidence.out_of_date is True


def test_the_clock_is_that_of_the_machine():
    before = date.today()
    assert before <= command.today() <= date.today()


# Completion


@for_each(
    ("line", "expected"),
    [
        ("bcma-decide compare --rows crs", ["crs_any", "crs_g3plus"]),
        ("bcma-decide compare --icons orr,crs", ["orr,crs_any", "orr,crs_g3plus"]),
        ("bcma-decide compare --rows crs_any,crs", ["crs_any,crs_g3plus"]),
        ("bcma-decide compare --paper ", ["A4", "Letter"]),
        ("bcma-decide compare --audience ", ["clinician", "patient"]),
        ("bcma-decide compare --lang ", list(languages("clinician"))),
        ("bcma-decide compare --html --audience patient --lang ", list(languages("patient"))),
        ("bcma-decide batch --audience ", ["clinician", "patient", "both"]),
        ("bcma-decide batch --format ", ["html", "pdf", "json"]),
        (
            "bcma-decide batch --audience both --lang ",
            [code for code in languages("clinician") if code in languages("patient")],
        ),
    ],
)
def test_the_shell_completes(line, expected):
    assert completed(line) == expected
