"""Quoted survival: rows that exist once, seen figures, groups that are there."""

from __future__ import annotations

import json

import pytest

from bcma_decide.pooled.location import evidence_directory
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.check import check
from bcma_decide.workshop.evidence.definitions import load_definitions
from bcma_decide.workshop.evidence.published_options import load_published_options
from bcma_decide.workshop.evidence.quoted_survival import load_quoted_survival
from bcma_decide.workshop.evidence.rules import load_rules
from tests.workshop.evidence.support.factory import plain_study

FILE = "quoted_survival.yaml"


@pytest.fixture(scope="module")
def shipped():
    root = evidence_directory()
    definitions, catalogue = load_definitions(root), load_catalogue()
    options = load_published_options(root, catalogue, load_rules(root, definitions))
    return load_quoted_survival(root, catalogue, definitions, options)


def test_every_offered_product_has_a_row(shipped):
    catalogue = load_catalogue()
    offered = {product for product, known in catalogue.vocabulary.ids.products.items() if known.option}
    assert offered <= {row["option"] for row in shipped.bedside(catalogue)["rows"]}


def test_every_group_is_used(shipped):
    used = {group for study in shipped.studies for _, group in study.groups}
    assert used == {group.id for group in shipped.groups}


def test_the_order_of_the_groups_is_that_of_the_clinic(shipped):
    """Extramedullary disease, high risk, earlier BCMA therapy, early lines; what most patients share stands last."""
    asked = ["extramedullary", "high_risk", "earlier_bcma", "lines_1_to_3", "no_extramedullary", "no_earlier_bcma"]
    order = [group.id for group in shipped.groups]
    assert sorted(asked, key=order.index) == asked


STUDY = plain_study(
    "alpha",
    class_id="car_t",
    products=["ide-cel"],
    sources={"S1": {"citation": "A paper", "pmid": 1}, "S2": {"citation": "A later cut", "pmid": 2}},
    time_to_event=[
        {"endpoint": "pfs", "population": "all", "median_months": 9, "basis": "verified", "source": "S1"},
        {"endpoint": "os", "population": "all", "median_months": 20, "basis": "verified", "source": "S1"},
        {"endpoint": "os", "population": "all", "median_months": 21, "basis": "verified", "source": "S2"},
        {"endpoint": "dor", "population": "all", "median_months": 8, "basis": "recalled", "source": "S1"},
        {"endpoint": "pfs", "population": "nothing", "basis": "verified", "source": "S1"},
        {
            "endpoint": "pfs",
            "population": "with",
            "median_months": 5,
            "trait": "extramedullary_disease",
            "level": "present",
            "group": "present",
            "basis": "verified",
            "source": "S1",
        },
    ],
)
GROUP = {"id": "with", "label": "with", "when": {"trait": "extramedullary_disease", "is": True}}


def quoted(row=None, /, *, of=(), **entry):
    row = {"endpoint": "pfs", "population": "all"} if row is None else row
    parts = [{"of": list(of), "rows": [row]}]
    return {"study": "alpha", "option": "ide-cel", "population": "everybody", "parts": parts} | entry


def problems(root, *studies, groups=(GROUP,)):
    (root / FILE).write_text(json.dumps({"groups": groups, "studies": studies}), encoding="utf-8")
    return {problem.field: problem.message for problem in check(root) if problem.file == FILE}


@pytest.fixture
def with_alpha(root):
    (root / "studies" / "alpha.yaml").write_text(json.dumps(STUDY), encoding="utf-8")
    return root


def test_a_sound_row(with_alpha):
    assert problems(with_alpha, quoted(), quoted({"endpoint": "pfs", "population": "with"}, of=["with"])) == {}


ROW = "studies[0].parts[0].rows[0]"
SLIPS = {
    "no such study": (quoted(study="beta"), "studies[0].study", "there is no study beta"),
    "no such row": (quoted({"endpoint": "pfs", "population": "some"}), ROW, "0 primary rows of alpha fit"),
    "two rows": (quoted({"endpoint": "os", "population": "all"}), ROW, "2 primary rows of alpha fit"),
    "recalled": (
        quoted({"endpoint": "dor", "population": "all"}),
        ROW,
        "a recalled figure is not shown as published",
    ),
    "nothing in it": (
        quoted({"endpoint": "pfs", "population": "nothing"}),
        ROW,
        "the row has neither a median nor a landmark",
    ),
    "reached after all": (
        quoted({"endpoint": "pfs", "population": "all", "not_reached": True}),
        f"{ROW}.not_reached",
        "the row has a median of 9 months",
    ),
    "another product": (quoted(option="cilta-cel"), "studies[0].option", "alpha did not give cilta-cel"),
    "no option": (quoted(option="nothing"), "studies[0].option", "nothing is not an option"),
    "no such group": (quoted(of=["without"]), "studies[0].parts[0].of", "without is not among the groups"),
    "a group not named": (
        quoted({"endpoint": "pfs", "population": "with"}),
        ROW,
        "the row is of patients by extramedullary_disease, but no group of the part is",
    ),
    "comparison not named": (
        quoted({"endpoint": "pfs", "population": "all", "comparator": "all"}),
        "studies[0]",
        "name the comparison treatment with comparator",
    ),
    "no such comparison": (
        quoted({"endpoint": "pfs", "population": "all", "comparator": "control"}, comparator="control"),
        f"{ROW}.comparator",
        "0 primary rows of alpha fit",
    ),
    "no such hazard ratio": (
        quoted({"endpoint": "pfs", "population": "all", "hazard_ratio": "a vs b"}, comparator="control"),
        f"{ROW}.hazard_ratio",
        "0 hazard ratios of alpha fit",
    ),
}


@pytest.mark.parametrize(("study", "field", "message"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named_with_its_field(with_alpha, study, field, message):
    assert problems(with_alpha, study)[field] == message


def test_two_cuts_are_told_apart_by_their_source(with_alpha):
    assert problems(with_alpha, quoted({"endpoint": "os", "population": "all", "source": "S2"})) == {}


def test_each_group_has_its_own_id(with_alpha):
    assert problems(with_alpha, quoted(), groups=(GROUP, GROUP))["groups[1].id"].endswith("stands there twice")


def test_a_group_of_an_unknown_drug_is_named(with_alpha):
    group = GROUP | {"when": {"drugs": ["nonsense"], "state": "refractory"}}
    assert problems(with_alpha, quoted(), groups=(group,))["groups[0].when"].startswith("'nonsense' is not a drug")


def test_a_trial_of_three_or_more_lines_is_not_shown_after_one_or_two(shipped):
    late = [study for study in shipped.studies if "3 or more prior lines" in study.population]
    assert {"cartitude-1", "karmma", "majestec-1", "linker-mm1"} <= {study.study for study in late}
    assert all("lines_1_or_2" in study.left_out for study in late)
