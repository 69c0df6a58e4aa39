"""order_of_therapies.yaml: counts as published, and every slip named."""

from __future__ import annotations

import json

import pytest

from bcma_decide.pooled.location import evidence_directory
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.check import check
from bcma_decide.workshop.evidence.definitions import load_definitions
from bcma_decide.workshop.evidence.order import load_order
from bcma_decide.workshop.evidence.rules import load_rules


def test_the_shipped_entries_hold_what_was_published():
    """Counts and medians from the sources themselves, by the class that came second."""
    root = evidence_directory()
    plain = load_order(root, load_catalogue(), load_rules(root, load_definitions(root)))
    figures = {
        (entry["class_id"], figure["outcome"], figure["events"], figure["n"], figure["median_months"])
        for entry in plain["entries"]
        for figure in entry["figures"]
    }
    assert {
        ("bite", "orr", 94, 193, None),
        ("bite", "pfs", None, None, 4.6),
        ("bite", "orr", 49, 84, None),
        ("bite", "orr", 21, 40, None),
        ("bite", "orr", 21, 63, None),
        ("bite", "pfs", None, None, 3.6),
        ("car_t", "orr", 12, 20, None),
        ("car_t", "pfs", None, None, 9.1),
        ("car_t", "orr", 9, 12, None),
        ("car_t", "pfs", None, None, 8.3),
        ("any", "orr", 32, 35, None),
    } <= figures
    rates = {entry["id"]: entry["figures"][0]["rate"] for entry in plain["entries"]}
    assert rates["bispecific-after-car-t-trial-patients"] == 0.875
    assert rates["bispecific-after-bispecific-trial-patients"] == 0.33
    cited = {key for entry in plain["entries"] for figure in entry["figures"] for key in figure["sources"]}
    assert cited == plain["sources"].keys()


ROW = {"study": "cartitude-2-cohort-c", "list": "outcomes", "outcome": "orr"}
ENTRY = {
    "id": "x",
    "first": {"kinds": ["adc", "bispecific"]},
    "second": {"class": "car_t", "products": ["cilta-cel"]},
    "of_whom": {"adc": 13, "bispecific": 7},
    "rows": [ROW],
    "remark": "13 and 7",
    "basis": "verified",
}
FINDING = {"first": "bispecific", "second": "car_t", "rules": ["sequence.non-cellular-bcma-cilta-cel"]}


def problems(root, *entries, findings=()):
    content = {"entries": entries, "findings": list(findings)}
    (root / "order_of_therapies.yaml").write_text(json.dumps(content), encoding="utf-8")
    return {(problem.file, problem.field): problem.message for problem in check(root)}


def test_a_sound_entry(root):
    assert problems(root, ENTRY, findings=[FINDING]) == {}


RECALLED = ROW | {"list": "splits", "trait": "prior_bcma_bispecific"}
SLIPS = {
    "no such study": (
        {"rows": [ROW | {"study": "cohort-c"}]},
        "entries[0].rows[0].study",
        "there is no study cohort-c",
    ),
    "no such row": (
        {"rows": [ROW | {"outcome": "crs_g4"}]},
        "entries[0].rows[0]",
        "0 primary rows of cartitude-2-cohort-c fit",
    ),
    "recalled row": ({"rows": [RECALLED]}, "entries[0].rows[0]", "a recalled figure is not shown as published"),
    "recalled entry": ({"basis": "recalled"}, "entries[0]", "a recalled statement is not shown as published"),
    "two studies": (
        {"rows": [ROW, ROW | {"study": "majestec-1-cohort-c"}]},
        "entries[0]",
        "an entry has the figures of one study",
    ),
    "kind not named": (
        {"of_whom": {"car_t": 3}},
        "entries[0]",
        "of_whom counts kinds that first.kinds does not name",
    ),
    "more than there are": (
        {"of_whom": {"adc": 21}},
        "entries[0].of_whom.adc",
        "21 with it, but the rows count 20 patients",
    ),
    "product of the other class": (
        {"second": {"class": "car_t", "products": ["teclistamab"]}},
        "entries[0].second.products",
        "teclistamab is not of class car_t",
    ),
    "no such product": (
        {"first": {"kinds": ["adc", "bispecific"], "products": ["teclistamap"]}},
        "entries[0].first.products",
        "teclistamap is not a product",
    ),
}


@pytest.mark.parametrize(("change", "field", "message"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named(root, change, field, message):
    assert problems(root, ENTRY | change)["order_of_therapies.yaml", field] == message


def test_each_entry_has_its_own_id(root):
    assert problems(root, ENTRY, ENTRY)["order_of_therapies.yaml", "entries[1].id"] == "x stands there twice"


FINDING_SLIPS = {
    "no such rule": (
        [FINDING | {"rules": ["sequence.nothing"]}],
        "findings[0].rules",
        "there is no rule sequence.nothing",
    ),
    "of the other class": (
        [FINDING | {"second": "bite"}],
        "findings[0].rules",
        "sequence.non-cellular-bcma-cilta-cel is not about class bite",
    ),
    "twice": ([FINDING, FINDING], "findings[1]", "bispecific before car_t stands there twice"),
}


@pytest.mark.parametrize(("findings", "field", "message"), FINDING_SLIPS.values(), ids=FINDING_SLIPS)
def test_a_slip_of_the_findings_is_named(root, findings, field, message):
    assert problems(root, ENTRY, findings=findings)["order_of_therapies.yaml", field] == message
