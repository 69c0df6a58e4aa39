"""What is committed in reports/ is what `bcma-decide reports` makes today."""

import subprocess
from io import BytesIO

import pytest

from bcma_decide import compare
from bcma_decide.comparison import result_json
from bcma_decide.patient.files import load_example
from bcma_decide.workshop.reports import reports
from tests.support.cases import for_each
from tests.support.places import REPORTS

AGAIN = "run: bcma-decide reports"
MEASURED = ("benchmarks.md", "benchmarks.json")
"""Times: written by `python -m tests.benchmarks`."""
EVERY = {report.name: report for report in reports()}
PAPER = [name for name in EVERY if name.endswith(".pdf")]
SETTLED = [name for name, report in EVERY.items() if report.settled and name not in PAPER]


def text_of(path):
    return subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout


def test_every_report_is_there_and_nothing_else():
    assert {path.name for path in REPORTS.iterdir()} - {"README.md", *MEASURED} == set(EVERY), AGAIN


@for_each("name", SETTLED)
def test_a_file_is_the_one_written_today(name):
    assert (REPORTS / name).read_bytes() == EVERY[name].make(), AGAIN


@pytest.mark.slow
@pytest.mark.parametrize("name", PAPER)
def test_a_pdf_has_the_text_and_the_result_of_today(tmp_path, name):
    """Another version of the PDF libraries may write other bytes, never other content."""
    example, committed = name.split(".")[0], REPORTS / name
    fresh, inside = tmp_path / "fresh.pdf", tmp_path / "inside.json"
    fresh.write_bytes(EVERY[name].make())
    assert text_of(committed) == text_of(fresh), AGAIN
    subprocess.run(["pdfdetach", "-save", "1", "-o", inside, committed], check=True)
    assert inside.read_text(encoding="utf-8") == result_json(compare(load_example(example), name=example)), AGAIN


@pytest.mark.slow
def test_the_picture_of_a_sheet_shows_the_sheet_of_today():
    """A4 at 100 dots an inch. Another version of poppler may smooth edges in another way; no part changes much."""
    image = pytest.importorskip("PIL.Image")
    chops = pytest.importorskip("PIL.ImageChops")
    drawn = [image.open(BytesIO(content)).convert("L") for content in (
        (REPORTS / "sheet.png").read_bytes(), EVERY["sheet.png"].make(),
    )]  # fmt: skip
    assert {each.size for each in drawn} == {(827, 1170)}, AGAIN
    changed = chops.difference(*drawn).reduce(10)
    assert changed.getextrema()[1] < 64, AGAIN
