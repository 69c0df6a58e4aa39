"""Burdens: figures of facts in a region on a day, a product's own before its class's, recalled ones never."""

import json
from datetime import date

import pytest

from bcma_decide.pooled.definitions import shipped_definitions
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.pooled.rule_book import Burden, BurdenValue, RuleBook
from bcma_decide.rules.burdens import burden_values
from bcma_decide.workshop.evidence.rules import load_rules
from tests.support.cases import for_each

DAY = date(2026, 11, 22)
HOLDERS = {
    "cilta-cel": ("cilta-cel", "car_t"),
    "ide-cel": ("ide-cel", "car_t"),
    "teclistamab": ("teclistamab", "bite"),
    "elranatamab": ("elranatamab", "bite"),
    "linvoseltamab": ("linvoseltamab", "bite"),
}


@pytest.fixture(scope="module")
def burdens():
    files = load_rules(evidence_directory(), shipped_definitions())
    return {each.id: each for each in RuleBook.from_dict(json.loads(json.dumps(files.bedside()))).burdens}


@for_each("name, region, expected", [
    ("weeks_to_infusion", "US", {"cilta-cel": 44 / 7, "ide-cel": 7, "teclistamab": 0, "elranatamab": 0,
                                 "linvoseltamab": 0}),
    ("dosing_visits", "US", {"cilta-cel": 0, "ide-cel": 0, "teclistamab": 4.3, "elranatamab": 4.3,
                             "linvoseltamab": 4.3}),
    ("days_near_centre", "US", {"cilta-cel": 14, "ide-cel": 14, "teclistamab": 6, "elranatamab": 3,
                                "linvoseltamab": 2}),
    ("days_near_centre", "EU", {"cilta-cel": 28, "ide-cel": 28, "elranatamab": 4, "linvoseltamab": 1}),
])  # fmt: skip
def test_values_are_those_of_the_facts(burdens, name, region, expected):
    """CARTITUDE-4 44 days, KarMMa-3 49 days; US labels 2 weeks near the centre, 3 times 48 h, 48 + 24 h, twice 24 h."""
    found = burden_values(burdens[name], HOLDERS, region, DAY)
    assert expected == pytest.approx({option: each.value for option, each in found.items()})


def test_before_a_change_of_label_the_earlier_figure_holds(burdens):
    """Four weeks near the centre until 26 June 2025."""
    found = burden_values(burdens["days_near_centre"], HOLDERS, "US", date(2025, 1, 1))
    assert found["cilta-cel"].value == 28


def test_recalled_facts_give_no_figure(burdens):
    sources = {value.source for burden in burdens.values() for value in burden.values}
    assert None not in sources


def test_the_products_own_fact_stands_before_its_classes():
    values = (BurdenValue("a", 1, "own", "x"), BurdenValue("class", 2, "of the class", "y"))
    found = burden_values(Burden("b", "B", "days", values), {"a": ("a", "class"), "c": ("c", "class")}, "US", DAY)
    assert {option: each.value for option, each in found.items()} == {"a": 1, "c": 2}


def test_a_fact_of_another_region_is_none():
    values = (BurdenValue("a", 1, "own", "x", region="EU"),)
    assert burden_values(Burden("b", "B", "days", values), {"a": ("a",)}, "US", DAY) == {}
