"""`evidence validate` as a user runs it: one outcome, left out study by study."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from bcma_decide.cli.app import app

OUTCOME = "thrombocytopenia_g3plus"


def run(*arguments: str):
    return CliRunner().invoke(app, ["evidence", "validate", *arguments])


@pytest.mark.slow
@pytest.mark.sample
def test_one_outcome_prints_its_scores_and_writes_nothing(tmp_path):
    page = tmp_path / "page.html"
    result = run("--outcome", OUTCOME, "--output", str(page))
    assert result.exit_code == 0
    assert "arm totals left out" in result.stdout
    for name in ("patient model", "class, REML", "product, REML", "product, Bayes"):
        assert name in result.stdout
    assert "Aims" not in result.stdout
    assert not page.exists()


@pytest.mark.slow
def test_the_result_does_not_depend_on_the_number_of_workers():
    one, two = (run("--outcome", "icans_g3plus", "--json", "--workers", workers) for workers in ("1", "2"))
    assert (one.exit_code, two.exit_code) == (0, 0)
    assert one.stdout == two.stdout
    found = json.loads(one.stdout)
    assert {row["outcome"] for row in found["rows"]} == {"icans_g3plus"}
    overall = found["groups"][0]["summaries"][0]
    errors = [abs(row["predicted"]["patient_model"]["mean"] - row["events"] / row["n"]) for row in found["rows"]]
    assert overall["mae"] == pytest.approx(sum(errors) / len(errors), abs=1e-6)


def test_patients_of_ones_own_are_scored_and_nothing_else_is_done(tmp_path):
    table = tmp_path / "patients.csv"
    table.write_text("option,orr,extramedullary_disease\ncilta-cel,1,no\ncilta-cel,0,yes\n")
    result = run("--patients", str(table), "--json")
    assert result.exit_code == 0
    found = {each["predictor"]: each for each in json.loads(result.stdout)}
    assert found["this patient"]["auc"] == 1.0
    assert found["the product alone"]["auc"] == 0.5
    shown = run("--patients", str(table))
    assert "1.000" in shown.stdout
    table.write_text("option,orr\nnothing,1\n")
    assert run("--patients", str(table)).exit_code == 3


def test_an_unknown_outcome_is_refused_with_those_that_are_known():
    result = run("--outcome", "nonsense")
    assert result.exit_code == 4
    assert "'nonsense'" in result.stderr
    assert "orr" in result.stderr


def test_a_folder_without_evidence_is_refused(tmp_path):
    result = run("--evidence", str(tmp_path))
    assert result.exit_code == 3
    assert "validation_history.yaml" in result.stderr


def test_the_help_says_what_is_done_and_where_to_read_on():
    text = " ".join(run("--help").stdout.split())
    for said in ("left out", "later studies", "exit code", "guide validation", "--outcome"):
        assert said in text
