"""The list of recalled figures worth verifying first."""

from __future__ import annotations

import pytest

from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.todo import ranked_todo
from tests.workshop.evidence.support.factory import catalogue, row, split, study


def test_the_gain_is_the_fall_in_variance():
    """Nothing known yet: 1 - 1 / (1 + i), i = 1 / (1/30.5 + 1/20.5)."""
    (item,) = ranked_todo(catalogue(study(outcomes=[row(basis="recalled")])))
    information = 1 / (1 / 30.5 + 1 / 20.5)
    assert pytest.approx(1 - 1 / (1 + information)) == item.gain
    assert (item.kind, item.outcome, item.figure, item.where) == ("total", "orr", "30/50", "A paper; PMID 1")


def test_a_product_with_nothing_verified_goes_first():
    known = study("known", outcomes=[row(n=500, events=300)])
    more = study("more", outcomes=[row(n=200, events=120, basis="recalled")])
    new = study("new", products=["linvoseltamab"], outcomes=[row(n=20, events=12, basis="recalled")])
    assert [item.study for item in ranked_todo(catalogue(known, more, new))] == ["new", "more"]


def test_recalled_contrasts_are_listed_with_their_trait():
    splits = [
        split("frail", "frail", 5, 20, group="present", basis="recalled"),
        split("frail", "fit", 20, 30, group="absent", basis="recalled"),
    ]
    (item,) = ranked_todo(catalogue(study(outcomes=[], splits=splits)))
    assert (item.kind, item.trait, item.figure) == ("split", "frail", "5/20 against 20/30")


def test_figures_that_would_not_be_pooled_are_not_listed():
    assert ranked_todo(catalogue(study(combination=True, outcomes=[row(basis="recalled")]))) == []


def test_a_figure_without_a_source_names_its_study():
    one = study(registration=["NCT1"], outcomes=[row(basis="recalled", source=None)])
    (item,) = ranked_todo(catalogue(one))
    assert item.where == "ALPHA, NCT1"


def test_the_real_list_starts_with_a_product_that_has_nothing_verified():
    items = ranked_todo(load_catalogue())
    assert items[0].study == "linker-mm1"
    assert [item.gain for item in items] == sorted((item.gain for item in items), reverse=True)
