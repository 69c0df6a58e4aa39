"""Drawings as PNG and pages as PDF, read back with tools that are not their makers."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from bcma_decide.workshop.plots.flow import FlowStep, flow_chart
from bcma_decide.workshop.plots.forest import forest
from bcma_decide.workshop.plots.page import Drawing, ReportPage, Section, render_page
from bcma_decide.workshop.plots.printing import pdf_of_page, png_of_drawing
from tests.render.support import sheets
from tests.workshop.plots.support.drawings import HOSTILE, numbers, proportions, read

A4 = (595, 842)


@pytest.fixture
def parts():
    sheets.require("weasyprint", "fontpkg", "pypdfium2", "PIL", "pypdf")


def page(*drawings):
    shown = tuple(Drawing(svg, "A caption.", name) for name, svg in drawings)
    return render_page(ReportPage(f"A title {HOSTILE}", (Section("Results", ("Words.",), drawings=shown),)))


@pytest.mark.usefixtures("parts")
def test_a_drawing_has_two_dots_for_each_pixel_and_stands_on_white():
    from PIL import Image

    drawing = forest(proportions(4, label=f"Ärzte & {HOSTILE[:8]}"))
    picture = Image.open(io.BytesIO(png_of_drawing(drawing)))
    assert picture.format == "PNG"
    wanted = [2 * side for side in numbers(read(drawing), "width", "height")]
    assert picture.size == pytest.approx(wanted, abs=2)
    grey = picture.convert("L")
    assert [grey.getpixel(corner) for corner in ((0, 0), (picture.width - 1, picture.height - 1))] == [255, 255]
    assert sum(grey.histogram()[:64]) > 2000, "something black is drawn"


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.usefixtures("parts")
def test_the_page_has_its_words_and_a_long_drawing_a_long_page():
    import pypdf

    short, long = forest(proportions(5)), forest(proportions(150, label="Trial"))
    flow = flow_chart((FlowStep(("Identified", "9 records")),), title="Flow")
    whole = page(("flow", flow), ("forest", short), ("leave-one-out", long))
    printed = pdf_of_page(whole)
    assert printed == pdf_of_page(whole), "same page, same bytes"
    pages = pypdf.PdfReader(io.BytesIO(printed)).pages
    sizes = [(round(float(each.mediabox.width)), round(float(each.mediabox.height))) for each in pages]
    assert sizes[0] == A4
    [high] = [height for width, height in sizes if height > A4[1]]
    assert high > 150 * 18 * 0.75 * 0.7
    text = " ".join(each.extract_text() for each in pages)
    assert all(words in text for words in ("9 records", "Trial 149", "alert", "A caption."))


MISSING = """
import sys
sys.modules["{module}"] = None
from bcma_decide.cli import main
sys.argv = ["bcma-decide", "meta", "{table}", "{option}", "{target}"]
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "option"), [("weasyprint", "--pdf"), ("weasyprint", "--png"), ("pypdfium2", "--png")]
)
def test_without_the_extra_nothing_is_pooled_and_it_says_what_to_install(tmp_path, module, option):
    """The table is not even read: it is not there."""
    code = MISSING.format(module=module, table=tmp_path / "none.csv", option=option, target=tmp_path / "out")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'pip install "bcma-decide[pdf]"' in done.stderr
    assert "--svg or --html" in done.stderr
    assert not (tmp_path / "out").exists()
