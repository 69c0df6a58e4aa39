"""`evidence build`, `evidence pool` and `schema` as a user runs them."""

import json

import pytest
from typer.testing import CliRunner

from bcma_decide.cli.app import app
from bcma_decide.comparison import Comparison
from bcma_decide.pooled.file import read_pooled
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from tests.support.cases import for_each


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
    assert read_pooled(target).cells


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


@for_each("by", ["class", "product", "target-number", "design", "region"])
def test_every_way_of_grouping_keeps_all_patients(by):
    groups = json.loads(run("evidence", "pool", "--outcome", "cr_or_better", "--by", by, "--json").stdout)
    whole = json.loads(run("evidence", "pool", "--outcome", "cr_or_better", "--json").stdout)
    assert sum(group["patients"] for group in whole) == sum(group["patients"] for group in groups)


METHODS = ("EE", "DL", "DLIT", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM", "GLMM")


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue()


@pytest.fixture
def read_once(monkeypatch, catalogue):
    """The command takes the evidence that is read already."""
    monkeypatch.setattr("bcma_decide.workshop.evidence.catalogue.load_catalogue", lambda directory=None: catalogue)


def pooled(*arguments):
    done = run("evidence", "pool", "--outcome", "orr", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_pools_every_group(method, read_once):
    for group in pooled("--method", method):
        assert group["method"] == method
        assert 0 < group["ci"][0] < group["estimate"] < group["ci"][1] < 1
        weights = [row["weight"] for row in group["studies"]]
        assert set(weights) == {None} if method == "GLMM" else sum(weights) == pytest.approx(100)


@pytest.mark.parametrize("test", ["z", "t", "knha", "knha-floored", "kenward-roger"])
def test_every_test_keeps_the_estimate(test, read_once):
    plain = {group["group"]: group["estimate"] for group in pooled()}
    assert {group["group"]: group["estimate"] for group in pooled("--test", test)} == plain


@pytest.mark.parametrize("measure", ["logit", "raw", "arcsine", "freeman-tukey", "log"])
def test_every_measure_gives_rates(measure, read_once):
    for group in pooled("--measure", measure):
        assert 0.5 < group["estimate"] < 0.95
        assert group["measure"] == measure


def test_json_still_has_what_it_always_had_and_the_counts_of_every_study():
    always = {"group", "k", "patients", "estimate", "ci", "prediction", "tau2", "i2", "q", "q_p", "rows"}
    for group in pooled():
        assert always < group.keys()
        assert [f"{row['study']} {row['events']}/{row['n']}" for row in group["studies"]] == group["rows"]
        assert sum(row["n"] for row in group["studies"]) == group["patients"]


def test_the_test_between_groups_is_worked_out_from_their_means():
    """Q = sum of w (mean - grand mean)^2 with w = 1 / se^2, by hand from the JSON."""
    groups = pooled("--by", "design")
    w = [1 / group["se"] ** 2 for group in groups]
    grand = sum(a * group["mean"] for a, group in zip(w, groups, strict=True)) / sum(w)
    q = sum(a * (group["mean"] - grand) ** 2 for a, group in zip(w, groups, strict=True))
    assert groups[0]["between"]["q"] == pytest.approx(q, rel=1e-9)
    assert groups[0]["between"]["df"] == len(groups) - 1
    printed = run("evidence", "pool", "--outcome", "orr", "--by", "design").stdout
    assert f"Between groups: Q {q:.4g} (df {len(groups) - 1})" in printed


def test_one_group_has_nothing_to_be_tested_against():
    [group] = json.loads(run("evidence", "pool", "--outcome", "delayed_neurotoxicity", "--json").stdout)
    assert group["between"] is None


def test_the_forest_plot_shows_every_study_above_the_table():
    drawn = run("evidence", "pool", "--outcome", "cr_or_better", "--forest").stdout
    for group in json.loads(run("evidence", "pool", "--outcome", "cr_or_better", "--json").stdout):
        for row in group["studies"]:
            assert f"{row['events']}/{row['n']}" in drawn
    assert "Pooled, REML" in drawn
    assert "cr_or_better by class, REML on the logit scale" in drawn


@pytest.mark.parametrize(("option", "other", "remedy"), [("--measure", "raw", "logit"), ("--test", "knha", "z or t")])
def test_what_does_not_go_with_glmm_is_refused_with_what_does(option, other, remedy):
    done = run("evidence", "pool", "--outcome", "orr", "--method", "GLMM", option, other)
    assert done.exit_code == 3
    assert "GLMM" in done.stderr
    assert f"take {'--measure ' if option == '--measure' else ''}{remedy}" in done.stderr


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


@pytest.mark.parametrize(("outcome", "method"), [("orr", "REML"), ("parkinsonism", "GLMM")])
def test_without_a_method_a_rare_outcome_is_pooled_by_the_exact_model(outcome, method):
    groups = json.loads(run("evidence", "pool", "--outcome", outcome, "--json").stdout)
    assert {group["method"] for group in groups} == {method}
