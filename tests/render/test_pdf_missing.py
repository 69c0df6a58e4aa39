"""A PDF that cannot be written says in one line what to install; nothing else of the program needs those parts."""

import pytest

from tests.cli.support import programs
from tests.cli.support.program import run


@pytest.mark.parametrize("part", ["weasyprint", "fontpkg"])
def test_without_its_parts_a_pdf_is_refused_with_what_to_install(part):
    done = run(part, program=programs.a_pdf_without_a_part)
    assert done.returncode == 0, done.stderr
    needed, *said = done.stdout.splitlines()
    assert needed == 'pip install "bcma-decide[pdf]"'
    assert done.stderr == ""
    heading, *problems = said
    assert heading == "a PDF cannot be written"
    assert len(problems) == 1, problems
    assert needed in problems[0]
