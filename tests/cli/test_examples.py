"""``bcma-decide examples --out``: the sheets of the shipped examples, as they lie in ``reports/``."""

import subprocess

import pytest

from tests.cli.support.checks import names, refused, without_extra
from tests.cli.support.program import invoke


@pytest.mark.slow
def test_an_example_in_every_form_is_what_compare_writes(tmp_path):
    out = tmp_path / "sheets"
    result = invoke("examples", "fit-58", "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == ["1/1 fit-58.yaml", "1 profile written (4 files), 0 failed"]
    assert names(out) == [
        f"fit-58.{audience}.{kind}" for audience in ("clinician", "patient") for kind in ("html", "pdf")
    ]
    for audience in ("clinician", "patient"):
        page, inside = tmp_path / "page.html", tmp_path / "inside.json"
        printed = invoke("compare", "-e", "fit-58", "--html", page, "--audience", audience, "--json").stdout
        assert (out / f"fit-58.{audience}.html").read_bytes() == page.read_bytes()
        subprocess.run(["pdfdetach", "-save", "1", "-o", inside, out / f"fit-58.{audience}.pdf"], check=True)
        assert inside.read_text(encoding="utf-8") == printed


def test_an_example_that_is_not_there_is_refused_before_any_work(tmp_path):
    result = invoke("examples", "nobody", "--out", tmp_path / "sheets")
    assert (result.exit_code, result.stdout, names(tmp_path)) == (3, "", [])
    assert "'nobody' is not an example" in result.stderr


def test_without_the_extra_it_says_what_to_install(tmp_path):
    result = without_extra("examples", "--out", tmp_path / "sheets")
    refused(result, 'pip install "bcma-decide[pdf]"', "compare --example NAME --html")
    assert (len(result.stderr.splitlines()), names(tmp_path)) == (1, [])
