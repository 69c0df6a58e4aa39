"""Near definitions of an outcome: there on request, marked, never in place of a row of the usual definition."""

from __future__ import annotations

import json

import pytest
import yaml

from bcma_decide.errors import EvidenceError
from bcma_decide.vocabulary import OUTCOMES
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.check import check
from bcma_decide.workshop.evidence.selection import select
from bcma_decide.workshop.evidence.views import blocks
from tests.workshop.evidence.support.factory import catalogue, evidence_directory, plain_study, row, study

REPORTED = "neurotoxicity_reported"


@pytest.fixture(scope="module")
def real():
    return load_catalogue()


def reported(events, n, **fields):
    return row("neurotoxicity_any", events, n, definition=REPORTED, **fields)


def counts(selection):
    return {(r.study, r.events, r.n, r.near) for r in selection.rows}


def test_a_near_row_is_there_on_request_and_marked():
    studies = catalogue(study("alpha", outcomes=[reported(23, 128)]), study("beta", outcomes=[row("icans_any", 3, 40)]))
    assert counts(select(studies, "icans_any")) == {("beta", 3, 40, False)}
    near = select(studies, "icans_any", near=True)
    assert counts(near) == {("alpha", 23, 128, True), ("beta", 3, 40, False)}
    assert {r.study: r.definition for r in near.rows} == {"alpha": REPORTED, "beta": None}
    assert {"icans_any"} == {r.outcome for r in near.rows}
    assert "in   alpha: 23/128 (near definition: neurotoxicity_reported)" in near.explain()


def test_a_row_stays_what_it_is_for_its_own_outcome():
    studies = catalogue(study("alpha", outcomes=[reported(23, 128)]))
    for near in (False, True):
        (found,) = select(studies, "neurotoxicity_any", near=near).rows
        assert (found.events, found.near, found.definition) == (23, False, None)


def test_an_own_row_of_the_usual_definition_goes_first():
    one = study("alpha", outcomes=[reported(23, 128), row("icans_any", 18, 128)])
    selection = select(catalogue(one), "icans_any", near=True)
    assert counts(selection) == {("alpha", 18, 128, False)}
    assert [(r.reason, r.rule) for r in selection.left_out] == [
        ("the arm has a row of the usual definition", "definition")
    ]


def test_a_recalled_row_of_the_usual_definition_does_not_keep_a_seen_near_row_out():
    one = study("alpha", outcomes=[reported(20, 97), row("icans_any", 16, 97, basis="recalled")])
    assert counts(select(catalogue(one), "icans_any", near=True)) == {("alpha", 20, 97, True)}


def test_of_overlapping_sets_the_usual_definition_is_used_though_smaller():
    large = study("large", outcomes=[reported(40, 200)], overlaps_with=["small"])
    small = study("small", outcomes=[row("icans_any", 3, 40)], overlaps_with=["large"])
    selection = select(catalogue(large, small), "icans_any", near=True)
    assert counts(selection) == {("small", 3, 40, False)}
    assert "shares patients with small" in {r.study: r.reason for r in selection.left_out}["large"]


def test_an_early_complete_response_leaves_the_pool_with_a_reason():
    early = study("alpha", outcomes=[row("cr_or_better", 14, 112, definition="early_response")])
    selection = select(catalogue(early), "cr_or_better")
    assert selection.rows == ()
    (left,) = selection.left_out
    assert left.rule == "definition"
    assert left.reason == "another definition: response read early, before it had time to deepen"
    assert counts(select(catalogue(early), "cr_or_better", near=True)) == {("alpha", 14, 112, True)}


def test_other_grades_of_crs_are_pooled_and_marked():
    lee = study("alpha", outcomes=[row("crs_g3plus", 7, 128, definition="crs_lee_2014")])
    astct = study("beta", outcomes=[row("crs_g3plus", 2, 60, definition="crs_astct")])
    assert counts(select(catalogue(lee, astct), "crs_g3plus")) == {("alpha", 7, 128, True), ("beta", 2, 60, False)}


def test_the_figures_show_the_definition():
    words = load_catalogue().vocabulary.ids
    (block,) = blocks(study("alpha", outcomes=[reported(23, 128)]), words)
    assert block.lines[0].label == f"{words.outcomes['neurotoxicity_any']} ({REPORTED})"


@pytest.mark.parametrize(
    ("definition", "outcome", "message"),
    [
        ("neurotoxicity_reportet", "neurotoxicity_any", "is not in outcome_definitions.yaml"),
        (REPORTED, "orr", "is no definition of orr"),
    ],
)
def test_a_definition_that_does_not_fit_is_named_with_file_and_field(tmp_path, definition, outcome, message):
    root = evidence_directory(tmp_path, plain_study(outcomes=[row(outcome, definition=definition)]))
    (problem,) = check(root)
    assert (problem.file, problem.field) == ("studies/alpha.yaml", "outcomes[0].definition")
    assert message in problem.message


NEAR = {
    "id": "x_near",
    "label": "a label",
    "relation": "near",
    "pooled": False,
    "rows_of": {"orr": "orr"},
    "extra_sd": 0.3,
    "offset": {"mean": 0.0, "sd": 0.3},
    "reason": "because",
    "source": "a source",
}


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"extra_sd": None}, "definitions[0]", "a near definition needs extra_sd and offset"),
        ({"relation": "same"}, "definitions[0]", "the usual definition is pooled, without extra_sd or offset"),
        ({"rows_of": {"orr": "or"}}, "definitions[0].rows_of", "or is not one of the outcomes"),
        ({"pool": True}, "definitions[0].pool", "is not a known field"),
    ],
)
def test_a_slip_in_the_file_is_named(tmp_path, change, field, message):
    root = evidence_directory(tmp_path, plain_study())
    (root / "outcome_definitions.yaml").write_text(yaml.safe_dump({"definitions": [NEAR | change]}), encoding="utf-8")
    (problem,) = check(root)
    assert (problem.file, problem.field, problem.message) == ("outcome_definitions.yaml", field, message)


def test_a_definition_stands_there_once(tmp_path):
    root = evidence_directory(tmp_path, plain_study())
    (root / "outcome_definitions.yaml").write_text(json.dumps({"definitions": [NEAR, NEAR]}), encoding="utf-8")
    assert {p.message for p in check(root)} == {"x_near stands there twice"}


def test_an_unknown_outcome_is_an_error_with_near_rows_too(real):
    with pytest.raises(EvidenceError, match="did you mean"):
        select(real, "icans_anny", near=True)


# the real evidence; counts from the design's table of near rows


def test_the_near_rows_of_icans(real):
    near = {(r.study, r.events, r.n) for r in select(real, "icans_any", near=True).rows if r.near}
    assert near == {
        ("karmma", 23, 128),
        ("crb-401", 14, 33),
        ("bms-986354", 5, 65),
        ("crb-402-bb21217", 10, 46),
        ("fcarh143", 6, 25),
        ("ct053-iit-yang-2022", 2, 24),
        ("cartitude-1", 20, 97),
        ("zerbit-france-bcma-bsab", 17, 201),
    }
    severe = {r.study for r in select(real, "icans_g3plus", near=True).rows if r.near}
    assert severe == {s for s, _, _ in near} - {"cartitude-1", "ct053-iit-yang-2022"}


def test_near_rows_come_on_top_and_change_no_other_row(real):
    for outcome in OUTCOMES:
        usual = set(select(real, outcome).rows)
        added = set(select(real, outcome, near=True).rows) - usual
        assert usual <= set(select(real, outcome, near=True).rows)
        assert all(row.near for row in added)
