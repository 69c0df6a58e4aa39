"""The committed sheets of the shipped examples and the report of the evidence are what the program writes today."""

import subprocess

import pytest

from bcma_decide import compare
from bcma_decide.comparison import result_json
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.render.sheet.html import render_html
from bcma_decide.render.sheet.pdf import render_pdf
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.render.words.language import AUDIENCES
from bcma_decide.workshop.evidence_report.report import evidence_report
from tests.support.cases import for_each
from tests.support.places import REPORTS

AGAIN = "run: bcma-decide examples --out reports"
EVERY = [pytest.param(name, audience, id=f"{name}.{audience}") for name in example_names() for audience in AUDIENCES]


def example(name):
    return compare(load_example(name), name=name)


def text_of(path):
    return subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout


def test_every_example_is_there_and_nothing_else():
    expected = {
        f"{name}.{audience}.{kind}" for name in example_names() for audience in AUDIENCES for kind in ("html", "pdf")
    }
    found = {path.name for path in REPORTS.iterdir() if path.suffix in (".html", ".pdf")}
    assert found == {*expected, "evidence.html"}, AGAIN


@for_each(("name", "audience"), EVERY)
def test_a_page_is_the_one_written_today(name, audience):
    committed = (REPORTS / f"{name}.{audience}.html").read_bytes()
    assert committed == render_html(example(name), Sheet(audience)).encode(), AGAIN


def test_the_report_of_the_evidence_is_the_one_written_today():
    committed = (REPORTS / "evidence.html").read_bytes()
    assert committed == evidence_report(evidence_directory()).encode(), "run: bcma-decide evidence report"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "audience"), EVERY)
def test_a_pdf_has_the_text_and_the_result_of_today(tmp_path, name, audience):
    """Another version of the PDF libraries may write other bytes, never other content."""
    committed, fresh, inside = REPORTS / f"{name}.{audience}.pdf", tmp_path / "fresh.pdf", tmp_path / "inside.json"
    fresh.write_bytes(render_pdf(example(name), Sheet(audience)))
    assert text_of(committed) == text_of(fresh), AGAIN
    subprocess.run(["pdfdetach", "-save", "1", "-o", inside, committed], check=True)
    assert inside.read_text(encoding="utf-8") == result_json(example(name)), AGAIN
