"""The commands under ``evidence``."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("typer")

from typer.testing import CliRunner

from bcma_decide.cli.evidence import evidence_app
from tests.workshop.evidence.support.factory import evidence_directory, plain_study, row


def run(*arguments):
    return CliRunner().invoke(evidence_app, [str(a) for a in arguments])


@pytest.fixture
def small(tmp_path):
    beta = plain_study("beta", products=["elranatamab"], design="real_world", outcomes=[row(basis="recalled")])
    return evidence_directory(tmp_path, plain_study("alpha"), beta)


def test_sound_evidence_is_said_in_one_line(small):
    result = run("check", "--evidence", small)
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "The evidence is sound: 2 studies with 2 figures (1 verified, 0 derived, 1 recalled)"
    )


def test_problems_are_listed_and_end_with_code_3(tmp_path):
    root = evidence_directory(tmp_path, plain_study(outcomes=[row(events=51)]))
    result = run("check", "--evidence", root)
    assert result.exit_code == 3
    assert result.stdout == "studies/alpha.yaml: outcomes[0].events: 51 events among 50 patients\n"


def test_times_that_stay_unclear_are_remarked_and_the_evidence_stays_sound(tmp_path):
    unclear = {"endpoint": "os", "population": "all", "median_months": 20, "basis": "verified", "source": "S1"}
    result = run("check", "--evidence", evidence_directory(tmp_path, plain_study(time_to_event=[unclear])))
    assert result.exit_code == 0
    assert "Remark: 1 time to event is not fully described:" in result.stdout
    assert "studies/alpha.yaml: time_to_event[0].origin: the start of the time is not known" in result.stdout


def test_problems_as_json(tmp_path):
    root = evidence_directory(tmp_path, plain_study(outcomes=[row(events=51)]))
    result = run("check", "--json", "--evidence", root)
    assert result.exit_code == 3
    (problem,) = json.loads(result.stdout)
    assert problem["field"] == "outcomes[0].events"


def test_list_is_plain_text_off_a_terminal(small):
    result = run("list", "--evidence", small)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "2 studies" in result.stdout


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["alpha", "beta"]),
        (["--class", "bite"], ["alpha", "beta"]),
        (["--class", "car_t"], None),
        (["--product", "elranatamab"], ["beta"]),
        (["--design", "interventional"], ["alpha"]),
    ],
)
def test_list_can_be_narrowed(small, options, expected):
    result = run("list", "--json", "--evidence", small, *options)
    if expected is None:
        assert result.exit_code == 2
    else:
        assert expected == [study["id"] for study in json.loads(result.stdout)]


def test_an_unknown_product_is_suggested(small):
    result = run("list", "--product", "elranatamap", "--evidence", small)
    assert result.exit_code == 3
    assert "did you mean elranatamab?" in result.stderr


def test_show_prints_every_figure_with_its_source(small):
    result = run("show", "alpha", "--evidence", small)
    assert result.exit_code == 0
    for text in ("ALPHA (alpha)", "Response (PR or better)", "30/50", "verified", "A paper", "PMID 1"):
        assert text in result.stdout


def test_an_unknown_study_is_suggested_without_a_traceback(small):
    result = run("show", "alpah", "--evidence", small)
    assert result.exit_code == 3
    assert result.stderr == "no study 'alpah' in the evidence; did you mean alpha?\n"
    assert result.stdout == ""


def test_show_and_sources_work_for_every_real_study():
    from bcma_decide.workshop.evidence.catalogue import load_catalogue
    from bcma_decide.workshop.evidence.views import blocks

    catalogue = load_catalogue()
    for study in catalogue.studies:
        blocks(study, catalogue.vocabulary.ids)
    assert run("show", "cartitude-1").exit_code == 0
    assert run("show", "elrexfio-label").exit_code == 0
    assert run("sources").exit_code == 0


def test_selected_explains(small):
    result = run("selected", "--outcome", "orr", "--evidence", small)
    assert result.stdout.splitlines()[1:] == ["in   alpha: 30/50", "out  beta: the figure is recalled, not verified"]
    result = run("selected", "--outcome", "orr", "--include-unverified", "--json", "--evidence", small)
    assert [r["study"] for r in json.loads(result.stdout)["rows"]] == ["alpha", "beta"]


def test_selected_splits_takes_a_family_or_one_of_its_outcomes(small):
    for name in ("response", "cr_or_better"):
        result = run("selected", "--outcome", name, "--splits", "--evidence", small)
        assert result.stdout == "response: contrasts selected 0, splits left out 0\n"


def test_todo_lists_recalled_figures(small):
    result = run("todo", "--evidence", small)
    assert result.exit_code == 0
    assert "1 of 1 recalled figures" in result.stdout
    (item,) = json.loads(run("todo", "--json", "--evidence", small).stdout)
    assert item["study"] == "beta"


def test_a_directory_without_evidence_is_one_line(tmp_path):
    result = run("list", "--evidence", tmp_path)
    assert result.exit_code == 3
    assert "has no studies/ folder" in result.stderr
    assert "Traceback" not in result.stderr


def test_todo_says_which_traits_act_and_what_the_next_one_needs():
    text = run("todo", "--traits", "--limit", "3").stdout
    assert "Response, CAR-T: " in text
    assert "Extramedullary disease" in text
    assert "halved: " in text
    nearest = text.partition("Nearest to acting")[2].splitlines()[1:]
    assert len(nearest) == 3
    assert all("patients" in line for line in nearest)
