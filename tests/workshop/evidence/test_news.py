"""News pages among the sources are marked; the check counts and lists them and calls an unmarked one a problem."""

from __future__ import annotations

import pytest

pytest.importorskip("typer")

from typer.testing import CliRunner

from bcma_decide.cli.evidence import evidence_app
from bcma_decide.workshop.evidence.check import check
from tests.workshop.evidence.support.factory import evidence_directory, plain_study

PAGE = {"citation": "News of a trial", "url": "https://www.cancernetwork.com/view/a-trial"}


def test_an_unmarked_news_page_is_a_problem_with_file_and_field(tmp_path):
    (problem,) = check(evidence_directory(tmp_path, plain_study(sources={"S1": PAGE})))
    assert (problem.file, problem.field) == ("studies/alpha.yaml", "sources.S1.kind")
    assert problem.message == "its address is a news page"
    assert problem.fix == "add kind: news"


@pytest.mark.parametrize("file", ["scores.yaml", "rules/sources.yaml", "products.yaml", "adjusted_effects.yaml"])
def test_news_pages_of_every_file_have_to_be_marked(tmp_path, file):
    root = evidence_directory(tmp_path, plain_study())
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert ", kind: news" in text or "\n    kind: news" in text
    path.write_text(text.replace(", kind: news", "").replace("\n    kind: news", ""), encoding="utf-8")
    assert {(p.file, p.message) for p in check(root)} == {(file, "its address is a news page")}


def test_another_kind_is_no_kind(tmp_path):
    (problem,) = check(evidence_directory(tmp_path, plain_study(sources={"S1": PAGE | {"kind": "blog"}})))
    assert (problem.file, problem.field) == ("studies/alpha.yaml", "sources.S1.kind")


def test_the_check_counts_and_lists_news_pages_as_a_remark(tmp_path):
    marked = plain_study(sources={"S1": PAGE | {"kind": "news"}, "S2": {"citation": "A paper", "pmid": 1}})
    result = CliRunner().invoke(evidence_app, ["check", "--evidence", str(evidence_directory(tmp_path, marked))])
    assert result.exit_code == 0
    first, remark, *listed = result.stdout.splitlines()
    assert first.startswith("The evidence is sound")
    assert remark.endswith("are news pages, a last resort:")
    assert remark.split()[1] == str(sum(len(line.split(": ")[1].split(", ")) for line in listed))
    assert "  studies/alpha.yaml: S1" in listed
