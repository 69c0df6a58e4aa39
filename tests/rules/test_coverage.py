"""The table of states by product: no product is passed over, and the same state weighs the same or says why not."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from bcma_decide import load_model
from bcma_decide.rules.coverage import compared_products, coverage
from bcma_decide.vocabulary import UNVERIFIED
from tests.support.cases import for_each

MODEL = load_model()
BOOK = MODEL.rules
ON = date.fromisoformat(MODEL.date)
COMPARED = {"ide-cel", "cilta-cel", "teclistamab", "elranatamab", "linvoseltamab"}
REGIONS = ("US", "EU", "China")


def rows(region, book=BOOK):
    return coverage(book, region, ON, compared_products(book, COMPARED, region, ON))


CELLS = [
    pytest.param(row, cell, id=f"{region}-{row.state}-{row.phase}-{cell.product}")
    for region in REGIONS
    for row in rows(region)
    for cell in row.cells
]


@pytest.mark.parametrize("region", REGIONS)
def test_every_product_of_the_comparison_and_of_the_region_has_a_column(region):
    here = {cell.product for row in rows(region) for cell in row.cells}
    assert here >= COMPARED
    assert {"eque-cel", "zevor-cel"} <= here or region != "China"


@for_each(("row", "cell"), CELLS)
def test_no_product_is_passed_over(row, cell):
    assert not cell.hole


@for_each(
    ("region", "row"),
    [pytest.param(region, row, id=f"{region}-{row.state}-{row.phase}") for region in REGIONS for row in rows(region)],
)
def test_one_state_has_one_rank_or_the_difference_is_told(region, row):
    assert row.ranks_agree


def test_a_state_without_rules_for_a_product_is_a_hole_unless_something_is_said():
    """Without the entry for bispecific antibodies the movement disorder of cilta-cel leaves four holes."""
    bare = replace(BOOK, states=tuple(replace(state, others=()) for state in BOOK.states))
    (row,) = (row for row in rows("US", bare) if row.state == "movement_disorder")
    assert {cell.product for cell in row.cells if cell.hole} == COMPARED - {"cilta-cel"}


def test_ranks_that_differ_without_a_word_do_not_agree():
    bare = replace(BOOK, states=tuple(replace(state, differences=()) for state in BOOK.states))
    (row,) = (row for row in rows("EU", bare) if row.state == "pregnancy")
    assert not row.ranks_agree


@pytest.mark.parametrize("region", REGIONS)
def test_an_active_infection_defers_all_five_alike(region):
    (row,) = (row for row in rows(region) if row.state == "active_infection")
    assert {cell.rank for cell in row.cells if cell.product in COMPARED} == {"contraindication"}


def test_rules_on_doses_during_treatment_are_information():
    during = [rule for rule in BOOK.rules if rule.phase == "during"]
    assert during
    assert {rule.severity for rule in during} == {"information"}


def test_every_rule_has_a_line_of_its_own_that_fits():
    for rule in BOOK.rules:
        assert 3 <= len(rule.short) <= 72, rule.id
        assert not {"\u2013", "\u2014", "\u2026"} & set(rule.short), rule.id
    lines = {rule.id: rule.short for rule in BOOK.rules}
    of_same_words = {a for a in lines for b in lines if a < b and lines[a] == lines[b]}
    assert of_same_words == {"infection.live-vaccine-ide-cel-eu"}  # the US rule says the same in another region


def test_no_recalled_rule_is_a_contraindication():
    assert not [rule.id for rule in BOOK.rules if rule.basis == UNVERIFIED and rule.severity == "contraindication"]
