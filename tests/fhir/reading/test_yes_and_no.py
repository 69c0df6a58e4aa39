"""Yes, no and neither: in coded answers, in words, and where an earlier result says otherwise."""

from bcma_decide.fhir.reading.ledger import replaced
from tests.fhir.reading.support.reading import lines, only, read
from tests.fhir.reading.support.records import HGNC, LOINC, SNOMED, coded, observation, quantity
from tests.support.cases import for_each

HBSAG, FISH = coded(LOINC, "5195-3"), coded(LOINC, "98014-4")
POSITIVE, NEGATIVE = coded(SNOMED, "10828004"), coded(SNOMED, "260385009")


@for_each(
    ("result", "value", "text"),
    [
        ({"valueBoolean": True}, True, "yes"),
        ({"valueBoolean": False}, False, "no"),
        ({"valueString": "Positive."}, True, "Positive."),
        ({"valueString": " not detected "}, False, "not detected"),
        ({"valueCodeableConcept": POSITIVE}, True, "10828004"),
        ({"valueCodeableConcept": {**NEGATIVE, "text": "neg"}}, False, "neg"),
        ({"valueCodeableConcept": {"text": "Reactive"}}, True, "Reactive"),
    ],
)
def test_a_plain_result_is_used(result, value, text):
    reading = read(observation("h", HBSAG, **result))
    assert reading.patient.hbsag is value
    assert (only(reading, "hbsag").text, only(reading, "hbsag").state) == (text, "used")


def test_a_result_in_words_says_that_it_was():
    assert only(read(observation("h", HBSAG, valueString="negative")), "hbsag").layer == "text"
    assert only(read(observation("h", HBSAG, valueBoolean=False)), "hbsag").layer == "code"


def test_of_a_test_the_newest_result_counts():
    reading = read(
        observation("old", HBSAG, days=60, valueCodeableConcept=POSITIVE),
        observation("new", HBSAG, days=10, valueCodeableConcept=NEGATIVE),
    )
    assert reading.patient.hbsag is False
    assert [line.state for line in lines(reading, "hbsag")] == ["used", "older"]


@for_each("word", ["no", "not", "nor", "neither", "except", "but"])
def test_one_word_that_turns_a_sentence_leaves_it_unread(word):
    line = only(read(observation("f", FISH, valueString=f"{word} the 17p deletion detected")), "del_17p")
    assert line.state == "not_usable"
    assert line.note


def test_a_note_and_a_conclusion_are_read_as_the_result_is():
    for said in (
        {"valueString": "del(17p) detected"},
        {"conclusion": "del(17p) detected"},
        {"note": [{"text": "del(17p) detected"}]},
        {"valueCodeableConcept": {"text": "del(17p) detected"}},
    ):
        assert read(observation("f", FISH, **said)).patient.del_17p is True


def test_what_was_replaced_says_by_what_and_the_rest_stays():
    reading = read(
        observation("old", HBSAG, days=60, valueCodeableConcept=POSITIVE),
        observation("new", HBSAG, days=10, valueCodeableConcept=NEGATIVE),
        observation("f", FISH, valueString="del(17p) detected"),
    )
    ledger = replaced(reading.ledger, {"hbsag": "entered in the form"})
    told = {line.resource: (line.state, line.note) for line in ledger.inputs if line.field}
    assert told == {
        "Observation/new": ("replaced", "entered in the form"),
        "Observation/old": ("older", "the newest result differs and counts"),
        "Observation/f": ("used", ""),
    }
    assert ledger.date == reading.ledger.date


def test_a_loss_told_by_copies_rests_on_more_than_its_code():
    """That one copy of TP53 is the deletion of 17p is the reading of a second source, and said to be so."""
    gene = {"code": coded(LOINC, "48018-6"), "valueCodeableConcept": coded(HGNC, "HGNC:11998")}
    copies = {"code": coded(LOINC, "82155-3"), "valueQuantity": quantity(1, "1")}
    present = coded(LOINC, "LA9633-4")
    variant = observation("v", coded(LOINC, "69548-6"), valueCodeableConcept=present, component=[gene, copies])
    line = only(read(variant), "del_17p")
    assert (line.state, line.basis, line.text) == ("used", "secondary", "TP53: LA9633-4, copy number 1")


@for_each(
    ("status", "state", "note"),
    [
        ("final", "not_usable", "its code is known from background only and was not checked"),
        ("entered-in-error", "ignored", "status entered-in-error"),
    ],
)
def test_a_report_under_a_code_that_was_never_checked(status, state, note):
    line = only(
        read(observation("f", coded(LOINC, "72838-3"), status=status, valueString="del(17p) detected")), "del_17p"
    )
    assert (line.state, line.note) == (state, note)


def test_a_change_told_by_its_karyotype_says_that_it_was_read_from_text():
    named = {"code": coded(LOINC, "81291-7"), "valueCodeableConcept": {"text": "del(17)(p13)"}}
    present = coded(LOINC, "LA9633-4")
    variant = observation("v", coded(LOINC, "69548-6"), valueCodeableConcept=present, component=[named])
    line = only(read(variant), "del_17p")
    assert (line.state, line.layer, line.text) == ("used", "text", "del(17)(p13): LA9633-4")
