"""Death from treatment and death without relapse are two outcomes: each row is of one, and the wider one is larger."""

from __future__ import annotations

from bcma_decide import Patient, compare
from bcma_decide.vocabulary import FAMILY_OF
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.selection import select


def rows(outcome):
    return {row.study: (row.events, row.n) for row in select(load_catalogue(), outcome).rows}


def test_the_rows_are_the_published_counts():
    """US cilta-cel: 10 of 100; CARTITUDE-1: 6 related and 12 unrelated; MajesTEC-1: 68, of them 41 of progression."""
    found = rows("non_relapse_mortality")
    assert found["us-mmic-cilta-cel-2025"] == (24, 236)
    assert found["cartitude-1"] == (6 + 12, 97)
    assert found["majestec-1"] == (68 - 41, 165)
    assert rows("treatment_related_death")["cartitude-1"] == (6, 97)


def test_in_studies_that_report_both_the_wider_outcome_has_more_deaths():
    wider, narrower = rows("non_relapse_mortality"), rows("treatment_related_death")
    both = wider.keys() & narrower.keys()
    assert both
    assert all(wider[study][0] > narrower[study][0] for study in both)


def test_both_are_shown_under_their_own_names():
    found = {outcome.id: outcome for outcome in compare(Patient(age=64, prior_lines=6)).outcomes}
    labels = {found[each].label for each in ("treatment_related_death", "non_relapse_mortality")}
    assert labels == {"Treatment-related death", "Non-relapse mortality"}
    assert FAMILY_OF["treatment_related_death"] != FAMILY_OF["non_relapse_mortality"]
    means = [found[each].estimates["cilta-cel"].mean for each in ("treatment_related_death", "non_relapse_mortality")]
    assert means[0] < means[1]
    assert means[1] > 0.08  # in practice 24 of 236
