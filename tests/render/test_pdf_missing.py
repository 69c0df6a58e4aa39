"""A PDF that cannot be written says in one line what to install; nothing else of the program needs those parts."""

import subprocess
import sys

import pytest

CALL = """
import sys
sys.modules[{part!r}] = None
from bcma_decide import compare
from bcma_decide.errors import SheetError
from bcma_decide.patient.files import load_example
from bcma_decide.render.sheet.html import render_html
from bcma_decide.render.sheet.pdf import missing, render_pdf
from bcma_decide.render.sheet.sheet import Sheet

comparison = compare(load_example("fit-58"))
assert render_html(comparison, Sheet(audience="patient"))
print(missing())
try:
    render_pdf(comparison)
except SheetError as error:
    print(error)
"""


@pytest.mark.parametrize("part", ["weasyprint", "fontpkg"])
def test_without_its_parts_a_pdf_is_refused_with_what_to_install(part):
    run = subprocess.run(
        [sys.executable, "-c", CALL.format(part=part)], capture_output=True, text=True, timeout=60, check=True
    )
    needed, *said = run.stdout.splitlines()
    assert needed == 'pip install "bcma-decide[pdf]"'
    assert run.stderr == ""
    heading, *problems = said
    assert heading == "a PDF cannot be written"
    assert len(problems) == 1, problems
    assert needed in problems[0]
