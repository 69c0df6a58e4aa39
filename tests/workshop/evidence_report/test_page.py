"""The page of the evidence: well formed, closed to the network, complete, its numbers those of other commands."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

from bcma_decide.cli.app import app
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.vocabulary import INTENDED_USE, MODEL_TRAITS
from bcma_decide.workshop.evidence_report.outcomes import poolable
from bcma_decide.workshop.evidence_report.report import evidence_report
from bcma_decide.workshop.evidence_report.words import NOT_REPORTED, outcome_label
from tests.support.cases import for_each
from tests.workshop.evidence_report.support.reading import accounts, catalogue, document, table, tables, text

POOLABLE = list(poolable(accounts()))


@pytest.fixture
def read_once(monkeypatch):
    """The commands take the evidence that is read already."""
    monkeypatch.setattr("bcma_decide.workshop.evidence.catalogue.load_catalogue", lambda directory=None: catalogue())


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_the_page_is_well_formed_and_loads_nothing():
    document()
    assert "default-src 'none'" in text()
    assert not re.search(r"<script|\ssrc=|url\(|@import|<link", text())


def test_every_link_leads_to_an_address_or_a_heading_of_the_page():
    headings = {f"#{heading.attrs['id']}" for heading in document().query("h2, h3")}
    inside, outside = set(), []
    for link in document().query("a"):
        address = link.attrs["href"]
        (inside.add if address.startswith("#") else outside.append)(address)
    assert headings == inside
    assert len(outside) > 100
    assert all(address.startswith(("https://", "http://")) for address in outside)


def test_the_heading_says_what_it_is_for_and_which_evidence_it_is_of():
    head = " ".join(document().query_one("header").to_text().split())
    assert INTENDED_USE in head
    assert catalogue().hash in head


def test_no_moment_of_writing_stands_in_it():
    assert evidence_report(evidence_directory()) == text()


def test_every_study_of_the_catalogue_is_there_with_its_outcomes():
    studies = table("Every study on file")
    assert [study.id for study in catalogue().studies] == list(studies.column("Study"))
    assert [study.name for study in catalogue().studies] == list(studies.column("Name"))
    for study, counted in zip(studies.column("Study"), studies.column("Pooled for"), strict=True):
        expected = [outcome_label(catalogue(), outcome) for outcome in accounts().pooled_for(study)]
        assert counted == ("; ".join(expected) or "nothing")


def test_a_trait_nobody_reports_is_said_not_to_be_reported():
    read = table("Baseline figures by study")
    assert len(read.rows) == len(catalogue().studies)
    assert all(all(row) for row in read.rows)
    for trait in MODEL_TRAITS:
        title = trait.label if trait.kind == "binary" else f"{trait.label}, median"
        cells = read.column(title)
        key = {"age": "age_median", "prior_lines": "prior_lines_median"}.get(trait.id, trait.id)
        missing = [key not in study.population for study in catalogue().studies]
        assert [cell == NOT_REPORTED for cell in cells] == missing


def test_every_outcome_with_two_studies_of_a_class_has_its_table_and_its_drawing():
    drawn = [each for each in document().query("svg") if "forest" in each.attrs["class"]]
    assert len(drawn) == len(POOLABLE) == sum("pooled rates" in caption for caption in tables()) > 30


@for_each("outcome", POOLABLE, plain=5)
def test_numbers_are_those_of_evidence_pool(outcome, read_once):
    read = table(f"{outcome_label(catalogue(), outcome)}: pooled rates")
    titles = ("Class", "Method", "studies", "patients", "events", "pooled, percent (95 % interval)")
    shown = {row[:2]: row for row in zip(*(read.column(title) for title in titles), strict=True)}
    groups = json.loads(run("evidence", "pool", "--outcome", outcome, "--method", "REML", "--json").stdout)
    for group in groups:
        low, high = group["ci"]
        pooled = f"{100 * group['estimate']:.1f} ({100 * low:.1f} to {100 * high:.1f})"
        name = group["group"]
        row = shown[name, "REML" if group["k"] > 1 else "one study"]
        assert row == (*row[:2], str(group["k"]), str(group["patients"]), str(group["events"]), pooled)
    both = sum(2 if group["k"] > 1 else 1 for group in groups)
    assert len(read.rows) == both


def test_the_binomial_normal_column_is_that_of_evidence_pool():
    read = table("Response (PR or better): pooled rates")
    shown = dict(zip(zip(read.column("Class"), read.column("Method"), strict=True), read.rows, strict=True))
    for group in json.loads(run("evidence", "pool", "--outcome", "orr", "--method", "GLMM", "--json").stdout):
        assert f"{100 * group['estimate']:.1f} (" in shown[group["group"], "GLMM"][5]


def test_the_events_of_every_pooled_row_stand_in_the_forest():
    drawn = next(each for each in document().query("svg") if "forest" in each.attrs["class"])
    words = drawn.to_text()
    for row in accounts().selections["orr"].rows:
        assert f"{row.events}/{row.n}" in words


def test_the_command_writes_the_page_where_it_is_asked_to(tmp_path):
    target = tmp_path / "deeper" / "evidence.html"
    done = run("evidence", "report", "--output", str(target))
    assert done.exit_code == 0
    assert str(target) in done.stdout
    assert target.read_text(encoding="utf-8") == text()


def test_a_place_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("bcma_decide.workshop.evidence_report.report.evidence_report", lambda *_: text())
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run("evidence", "report", "--output", str(tmp_path / "file" / "evidence.html"))
    assert done.exit_code == 3
    assert "--output" in done.stderr


def test_a_folder_without_evidence_is_refused(tmp_path):
    done = run("evidence", "report", "--evidence", str(tmp_path), "--output", str(tmp_path / "evidence.html"))
    assert done.exit_code == 3
    assert not (tmp_path / "evidence.html").exists()
