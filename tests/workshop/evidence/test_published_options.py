"""Published options: a label that lists the regimen, rows that exist, nothing that the model holds itself."""

from __future__ import annotations

import json

import pytest

from bcma_decide.workshop.evidence.check import check

OPTION = {
    "id": "teclistamab-daratumumab",
    "label": "Tec-Dara",
    "long_label": "teclistamab with daratumumab",
    "product": "teclistamab",
    "regimen": "with daratumumab",
    "study": "majestec-3",
    "design": "randomised trial",
    "rows": [{"study": "majestec-3", "list": "outcomes", "outcome": "orr"}],
    "note": "1 to 3 prior lines",
    "sources": ["majestec-3-registry"],
    "basis": "verified",
}


def problems(root, *options):
    (root / "published_options.yaml").write_text(json.dumps({"options": options}), encoding="utf-8")
    # the shipped one quotes survival of options that are not there
    (root / "quoted_survival.yaml").write_text("groups: []\nstudies: []\n", encoding="utf-8")
    return {(problem.file, problem.field): problem.message for problem in check(root)}


def test_a_sound_option(root):
    assert problems(root, OPTION) == {}


ROW = OPTION["rows"][0]
SLIPS = {
    "no such label": (
        {"regimen": "with lenalidomide"},
        "regimen",
        "no label of teclistamab is for 'with lenalidomide'",
    ),
    "no such product": ({"product": "tec"}, "product", "tec is not a product"),
    "no such study": ({"study": "majestec"}, "study", "there is no study majestec"),
    "no such row": ({"rows": [ROW | {"outcome": "infection"}]}, "rows[0]", "0 primary rows of majestec-3 fit"),
    "recalled row": (
        {"rows": [ROW | {"outcome": "icans_any"}]},
        "rows[0]",
        "a recalled figure is not shown as published",
    ),
    "another class": (
        {"rows": [{"study": "karmma", "list": "outcomes", "outcome": "orr"}]},
        "rows[0].study",
        "karmma is not of class bite",
    ),
    "no such source": ({"sources": ["nowhere"]}, "sources", "nowhere is not in rules/sources.yaml or products.yaml"),
    "held by the model": ({"id": "teclistamab"}, "id", "teclistamab is an option of the model"),
}


@pytest.mark.parametrize(("change", "field", "message"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named_with_its_field(root, change, field, message):
    assert problems(root, OPTION | change)["published_options.yaml", f"options[0].{field}"] == message


def test_a_recalled_statement_is_not_shown(root):
    found = problems(root, OPTION | {"basis": "recalled"})
    assert found["published_options.yaml", "options[0]"] == "a recalled statement is not shown as published"


def test_each_option_has_its_own_id(root):
    assert problems(root, OPTION, OPTION)["published_options.yaml", "options[1].id"].endswith("stands there twice")
