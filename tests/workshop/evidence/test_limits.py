"""Limits: conditions in the language of the rules, rows that exist, reasons for both classes."""

from __future__ import annotations

import json

import pytest

from bcma_decide.pooled.location import evidence_directory
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.check import check
from bcma_decide.workshop.evidence.definitions import load_definitions
from bcma_decide.workshop.evidence.limits import load_limits
from bcma_decide.workshop.evidence.rules import load_rules


@pytest.fixture(scope="module")
def shipped():
    root = evidence_directory()
    definitions = load_definitions(root)
    return load_limits(root, load_catalogue(), load_rules(root, definitions), definitions)


def test_the_shipped_limits_hold_the_counts_that_were_published(shipped):
    """Counts from the series themselves: 15 of 45 and 6 of 13 with leukaemia, 9 of 12 after CAR-T, 8 of 10 with CNS."""
    catalogue = load_catalogue()
    counts = {
        (limit.id, figure["events"], figure["n"])
        for limit in shipped
        for figure in limit.bedside(catalogue)["figures"]
        if figure["outcome"] == "orr"
    }
    assert {
        ("plasma-cell-leukaemia-bispecific", 15, 45),
        ("plasma-cell-leukaemia-bispecific", 6, 13),
        ("plasma-cell-leukaemia-car-t", 9, 12),
        ("cns-myeloma-car-t", 8, 10),
        ("second-bispecific-after-progression", 94, 193),
    } <= counts


@pytest.mark.parametrize("condition", ["plasma_cell_leukemia", "cns_myeloma"])
def test_a_disease_left_out_of_the_trials_is_a_limit_for_both_classes(shipped, condition):
    classes = {limit.applies_to.class_id for limit in shipped if getattr(limit.when, "trait", "") == condition}
    assert classes == {"car_t", "bite"}


LIMIT = {
    "id": "x",
    "when": {"trait": "plasma_cell_leukemia", "is": True},
    "applies_to": {"class": "car_t"},
    "families": ["response"],
    "reason": "because",
    "rows": [{"study": "pcl-beijing-guo-2026", "list": "splits", "outcome": "orr"}],
    "sources": [],
    "basis": "verified",
}


def problems(root, *limits):
    (root / "limits.yaml").write_text(json.dumps({"limits": limits}), encoding="utf-8")
    return {(problem.file, problem.field): problem.message for problem in check(root)}


def test_a_sound_limit(root):
    assert problems(root, LIMIT) == {}


ROW = LIMIT["rows"][0]
SLIPS = {
    "no such study": ({"rows": [ROW | {"study": "guo"}]}, "limits[0].rows[0].study", "there is no study guo"),
    "no such row": (
        {"rows": [ROW | {"outcome": "crs_any"}]},
        "limits[0].rows[0]",
        "0 primary rows of pcl-beijing-guo-2026 fit",
    ),
    "recalled": (
        {
            "applies_to": {"class": "bite"},
            "rows": [{"study": "majestec-1-cohort-c", "list": "outcomes", "outcome": "cr_or_better"}],
        },
        "limits[0].rows[0]",
        "a recalled figure is not shown as published",
    ),
    "another class": (
        {"applies_to": {"class": "bite"}},
        "limits[0].rows[0].study",
        "pcl-beijing-guo-2026 is not of class bite",
    ),
    "no such family": (
        {"families": ["responses"]},
        "limits[0].families",
        "responses is not a family of the model",
    ),
    "no such source": ({"sources": ["nowhere"]}, "limits[0].sources", "nowhere is not in rules/sources.yaml"),
    "no such product": (
        {"applies_to": {"class": "car_t", "products": ["ide"]}},
        "limits[0].applies_to.products",
        "ide is not a product",
    ),
    "no such trait": (
        {"when": {"trait": "plasma_cell_leukemias", "is": True}},
        "limits[0].when.is.trait",
        "'plasma_cell_leukemias' is not a yes-or-no trait; did you mean 'plasma_cell_leukemia'?",
    ),
    "no such drug class": (
        {"when": {"drug_class": "bcma", "state": "refractory"}},
        "limits[0].when",
        "'bcma' is not a drug class",
    ),
    "no origin": ({"rows": []}, "limits[0]", "name the published rows, or a source that says there are none"),
    "recalled statement": ({"basis": "recalled"}, "limits[0]", "a recalled statement takes no number away"),
}


@pytest.mark.parametrize(("change", "field", "message"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named_with_its_field(root, change, field, message):
    assert problems(root, LIMIT | change)["limits.yaml", field] == message


def test_each_limit_has_its_own_id(root):
    found = problems(root, LIMIT, LIMIT)
    assert found["limits.yaml", "limits[1].id"] == "x stands there twice"


def test_two_rows_that_fit_are_told_apart_by_their_words(root):
    row = {"study": "us-mmic-pcl-bsab-2025", "list": "splits", "outcome": "orr"}
    bite = LIMIT | {"applies_to": {"class": "bite"}}
    assert "2 primary rows" in problems(root, bite | {"rows": [row]})["limits.yaml", "limits[0].rows[0]"]
    assert problems(root, bite | {"rows": [row | {"level": "present, elranatamab"}]}) == {}
