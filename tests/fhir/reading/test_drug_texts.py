"""Texts of drugs: what is a drug, what names one and is no dose, and what is none, each through a whole record."""

from tests.fhir.reading.support.drug_texts import DRUGS, NO_DOSE, NO_DRUG
from tests.fhir.reading.support.reading import lines, read
from tests.fhir.reading.support.records import RXNORM, coded, given
from tests.support.cases import for_each

KINDS = ("MedicationAdministration", "MedicationStatement", "Procedure")


@for_each(("text", "drugs"), DRUGS.items())
def test_a_name_with_strength_form_route_and_schedule_is_a_drug(text, drugs):
    for kind in KINDS:
        assert set(read(given("d", {"text": text}, kind=kind)).patient.received) == set(drugs)


@for_each("text", NO_DOSE)
def test_a_text_that_says_more_is_shown_with_the_reason_and_not_used(text):
    for kind in KINDS:
        reading = read(given("d", {"text": text}, kind=kind))
        assert reading.values == {}
        assert [line.state for line in lines(reading, "received")] == ["not_usable"]
        assert all(line.note for line in lines(reading, "received"))


@for_each("text", [text for text in NO_DRUG if text])
def test_a_text_without_a_drug_is_listed_or_not_needed(text):
    reading = read(given("d", {"text": text}))
    assert reading.values == {}
    assert reading.ledger.unmapped or reading.ledger.not_needed


@for_each("text", NO_DOSE)
def test_such_a_text_is_not_used_beside_a_code_of_the_drug(text):
    assert read(given("d", coded(RXNORM, "2619432", text))).values == {}
