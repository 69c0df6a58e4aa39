"""`evidence build`, `evidence pool` and `schema` as a user runs them."""

import json

import pytest
from typer.testing import CliRunner

from bcma_decide.cli import app
from bcma_decide.comparison import Comparison
from bcma_decide.model.artefact import read_model


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.slow
def test_build_writes_a_file_that_compare_reads_and_says_what_it_wrote(tmp_path):
    target = tmp_path / "pooled.json"
    result = run("evidence", "build", "--output", str(target))
    assert result.exit_code == 0
    assert str(target) in result.stdout
    assert "estimates" in result.stdout
    first = target.read_bytes()
    assert run("evidence", "build", "--output", str(target)).exit_code == 0
    assert first == target.read_bytes()
    assert read_model(target).cells


def test_recalled_figures_may_not_replace_the_shipped_file():
    result = run("evidence", "build", "--include-unverified")
    assert result.exit_code == 3
    assert "--output" in result.stderr


def test_building_from_a_folder_without_evidence_is_refused(tmp_path):
    result = run("evidence", "build", "--evidence", str(tmp_path))
    assert result.exit_code == 3
    assert "studies/" in result.stderr


def test_pool_prints_one_row_per_group_and_the_same_numbers_as_json():
    table = run("evidence", "pool", "--outcome", "orr", "--by", "class", "--method", "DL", "--window", "source")
    assert table.exit_code == 0
    groups = json.loads(
        run("evidence", "pool", "--outcome", "orr", "--method", "DL", "--window", "source", "--json").stdout
    )
    assert {"CAR-T", "Bispecific"} == {group["group"] for group in groups}
    for group in groups:
        assert f"{100 * group['estimate']:.1f}" in table.stdout
        assert group["ci"][0] < group["estimate"] < group["ci"][1]
        assert len(group["rows"]) == group["k"]


@pytest.mark.parametrize("by", ["class", "product", "target-number", "design", "region"])
def test_every_way_of_grouping_keeps_all_patients(by):
    groups = json.loads(run("evidence", "pool", "--outcome", "cr_or_better", "--by", by, "--json").stdout)
    whole = json.loads(run("evidence", "pool", "--outcome", "cr_or_better", "--json").stdout)
    assert sum(group["patients"] for group in whole) == sum(group["patients"] for group in groups)


def test_an_unknown_outcome_is_refused_with_a_suggestion():
    result = run("evidence", "pool", "--outcome", "cr_or_bettr")
    assert result.exit_code == 3
    assert "cr_or_better" in result.stderr


def test_an_outcome_nobody_counted_has_nothing_to_pool():
    result = run("evidence", "pool", "--outcome", "iec_enterocolitis_death", "--window", "source")
    assert result.exit_code == 4
    assert "evidence selected" in result.stderr


def test_schema_prints_the_schema_of_the_comparison():
    assert Comparison.model_json_schema(mode="serialization") == json.loads(run("schema").stdout)
