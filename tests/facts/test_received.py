"""Drugs known to have been given, and no more: exposure is known, refractoriness is not."""

from bcma_decide import Patient
from bcma_decide.facts.drug_history import DrugHistory
from bcma_decide.facts.traits import derive
from bcma_decide.pooled.definitions import shipped_definitions
from tests.support.cases import for_each


def history(**fields):
    return DrugHistory(Patient(**fields), shipped_definitions())


@for_each(
    ("fields", "refractory", "exposed"),
    [
        ({"received": "Velcade"}, None, True),
        ({"received": "bortezomib", "refractory_to": "bortezomib"}, True, True),
        ({"received": "bortezomib", "exposed_to": "bortezomib"}, False, True),
        ({"received": "bortezomib", "naive_to": "bortezomib"}, None, None),
        ({}, None, None),
    ],
)
def test_what_is_known_of_a_drug(fields, refractory, exposed):
    drugs = history(**fields)
    assert (drugs.refractory["bortezomib"], drugs.exposed["bortezomib"]) == (refractory, exposed)


def test_given_and_never_given_is_a_contradiction():
    drugs = history(received="bortezomib", naive_to="bortezomib")
    assert drugs.overlaps == {("naive_to", "received"): ["bortezomib"]}


def test_a_heading_that_says_more_is_no_contradiction():
    assert history(received="bortezomib", refractory_to="bortezomib").overlaps == {}


def test_triple_class_refractory_stays_unknown():
    patient = Patient(received="bortezomib, lenalidomide, daratumumab")
    assert derive(patient, shipped_definitions())["triple_class_refractory"].value is None


def test_a_bcma_drug_that_was_given_is_earlier_bcma_therapy():
    traits = derive(Patient(received="teclistamab"), shipped_definitions())
    assert (traits["prior_bcma"].value, traits["prior_t_cell_redirection"].value) == (True, True)
