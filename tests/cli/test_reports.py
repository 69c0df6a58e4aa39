"""`reports` as a user runs it: what it writes, what it leaves and why, and what it says is out of date.

Most tests make the quick reports only; all of them are made once.
"""

import pytest

from bcma_decide.workshop import reports as module
from tests.cli.support import programs
from tests.cli.support.program import invoke, on_terminal
from tests.render.support.sheets import require
from tests.support.places import REPORTS

EVERY = module.reports()
QUICK = tuple(report for report in EVERY if report.name.endswith((".svg", ".png", ".schema.json")))
NAMES = {report.name for report in QUICK}


@pytest.fixture
def quick(monkeypatch):
    """The picture of the terminal, that of a sheet, and the schema."""
    assert len(QUICK) == 3
    monkeypatch.setattr(module, "reports", lambda: QUICK)


@pytest.mark.slow
def test_everything_is_written_as_it_is_committed(tmp_path):
    folder = tmp_path / "new" / "reports"
    result = invoke("reports", folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [f"wrote {folder / report.name}" for report in EVERY]
    assert {path.name for path in folder.iterdir()} == {report.name for report in EVERY}
    settled = [report.name for report in EVERY if report.settled and not report.name.endswith(".pdf")]
    assert all((folder / name).read_bytes() == (REPORTS / name).read_bytes() for name in settled)


def test_on_a_terminal_it_says_what_it_makes_and_stopped_it_leaves_whole_files(tmp_path):
    program = programs.interrupted_at_the_second_report
    code, shown = on_terminal("reports", str(tmp_path), program=program, width=200)
    assert code == 130
    first, second = (report.name for report in EVERY if report.name.endswith((".svg", ".schema.json")))
    assert f"wrote {tmp_path / first}" in shown
    assert second in shown
    assert [path.name for path in tmp_path.iterdir()] == [first]
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (REPORTS / path.name).read_bytes()


@pytest.mark.usefixtures("quick")
def test_check_names_what_differs_and_writes_nothing(tmp_path):
    require("weasyprint", "pdftoppm")
    assert invoke("reports", tmp_path).exit_code == 0
    result = invoke("reports", tmp_path, "--check")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    (tmp_path / "terminal.svg").write_text("<svg/>")
    (tmp_path / "sheet.png").write_bytes(b"drawn by another program")
    (tmp_path / "comparison.schema.json").unlink()
    result = invoke("reports", tmp_path, "--check")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{tmp_path / 'terminal.svg'}: differs from what is written today",
        f"{tmp_path / 'comparison.schema.json'}: is not there",
    ]
    assert f"2 of 3 files; write them with: bcma-decide reports {tmp_path}" in result.stderr
    assert (tmp_path / "terminal.svg").read_text() == "<svg/>"
    assert {path.name for path in tmp_path.iterdir()} == {"terminal.svg", "sheet.png"}


@pytest.mark.usefixtures("quick")
def test_without_poppler_the_picture_is_left_and_said(tmp_path):
    require("weasyprint", "fontpkg")
    (tmp_path / "sheet.png").write_bytes(b"as it was")
    result = invoke("reports", tmp_path, PATH=str(tmp_path))
    assert result.exit_code == 1
    assert result.stderr == f"left {tmp_path / 'sheet.png'}: install: poppler-utils, for pdftoppm\n"
    assert (tmp_path / "sheet.png").read_bytes() == b"as it was"
    assert {path.name for path in tmp_path.iterdir()} == NAMES
    assert invoke("reports", tmp_path, "--check", PATH=str(tmp_path)).exit_code == 0


def test_without_the_parts_of_a_pdf_every_paper_is_left_and_the_rest_is_made(tmp_path, monkeypatch):
    wanted = [report for report in EVERY if report.name.startswith("fit-58.patient")]
    wanted = [
        report._replace(missing=lambda: "the extra") if report.name.endswith("pdf") else report for report in wanted
    ]
    monkeypatch.setattr(module, "reports", lambda: tuple(wanted))
    result = invoke("reports", tmp_path)
    assert (result.exit_code, result.stdout) == (1, f"wrote {tmp_path / 'fit-58.patient.html'}\n")
    assert result.stderr == f"left {tmp_path / 'fit-58.patient.pdf'}: install: the extra\n"
    assert [path.name for path in tmp_path.iterdir()] == ["fit-58.patient.html"]


@pytest.mark.usefixtures("quick")
def test_a_folder_that_cannot_be_written_is_one_message(tmp_path):
    (tmp_path / "file").write_text("")
    result = invoke("reports", tmp_path / "file")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot be made a folder" in result.stderr
