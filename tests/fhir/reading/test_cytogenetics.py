"""Chromosome changes: by gene and copy number, and by the words of a report."""

import pytest

from tests.fhir.reading.support.reading import lines, only, read
from tests.fhir.reading.support.records import HGNC, LOINC, coded, observation, quantity
from tests.support.cases import for_each

PRESENT, ABSENT = coded(LOINC, "LA9633-4", "Present"), coded(LOINC, "LA9634-2", "Absent")


def fish(text, name="f", **more):
    return observation(name, coded(LOINC, "98014-4"), days=300, valueString=text, **more)


def variant(*components, value=PRESENT, **more):
    return observation(
        "v", coded(LOINC, "69548-6"), days=300, valueCodeableConcept=value, component=list(components), **more
    )


def gene(code):
    return {"code": coded(LOINC, "48018-6"), "valueCodeableConcept": coded(HGNC, code)}


def copies(count, **more):
    return {"code": coded(LOINC, "82155-3"), "valueQuantity": {**quantity(count, "1"), **more}}


def iscn(text):
    return {"code": coded(LOINC, "81291-7"), "valueCodeableConcept": {"text": text}}


@for_each(
    ("resource", "expected"),
    [
        (variant(gene("HGNC:11998"), copies(1)), True),
        (variant(gene("HGNC:11998"), copies(0)), True),
        (variant(gene("HGNC:11998"), copies(2)), None),
        (variant(gene("HGNC:11998"), copies(1, comparator="<")), None),
        (variant(gene("HGNC:11998")), None),
        (variant(gene("HGNC:11998"), copies(1), value=ABSENT), None),
        (variant(gene("HGNC:3690"), copies(1)), None),
        (variant(copies(1)), None),
        (variant(iscn("del(17)(p13)")), True),
        (variant(iscn("del(17)(p13)"), value=ABSENT), False),
        (variant(iscn("del(17)(p13)"), value={"text": "Indeterminate"}), None),
        (variant(iscn("del(17)(p13)"), status="entered-in-error"), None),
    ],
)
def test_del_17p_from_a_variant(resource, expected):
    """A TP53 variant alone may be a mutation; only a loss of copies is the deletion."""
    assert read(resource).patient.del_17p is expected


@for_each(
    ("text", "expected"),
    [
        ("del(17p) detected in 60 % of plasma cells", {"del_17p": True}),
        ("del(17p) not detected", {"del_17p": False}),
        ("Negative for del(17p), t(4;14) and t(14;16).", {"del_17p": False, "t_4_14": False, "t_14_16": False}),
        ("t(4;14) positive; t(14;16) negative", {"t_4_14": True, "t_14_16": False}),
        ("Gain of 1q present. No evidence of deletion 17p.", {"gain_1q": True, "del_17p": False}),
        ("t( 4 ; 14 ) detected", {"t_4_14": True}),
        ("del(17p) is not detected\nt(4;14) is detected", {"del_17p": False, "t_4_14": True}),
        ("FISH for del(17p)", {}),
        ("del(17p) could not be detected because of insufficient cells", {}),
        ("del(17p) detected previously", {}),
        ("t(4;14) not detected but del(17p) detected", {}),
        ("Possible del(17p) detected", {}),
        ("del(17p) detected in 3 %, below the threshold", {}),
        ("No del(17p), t(4;14) detected", {}),
        ("del(17p): ?", {}),
        ("del(17p) detected. del(17p) not detected.", {}),
        ("Normal karyotype", {}),
        ("", {}),
    ],
)
def test_the_words_of_a_report(text, expected):
    patient = read(fish(text)).patient
    found = {name: getattr(patient, name) for name in ("del_17p", "t_4_14", "t_14_16", "gain_1q")}
    assert {name: value for name, value in found.items() if value is not None} == expected


def test_a_line_read_from_text_says_so():
    line = only(read(fish("t(4;14) detected")), "t_4_14")
    assert (line.layer, line.state, line.text) == ("text", "used", "t(4;14) detected")


def test_the_conclusion_of_a_diagnostic_report_is_read():
    report = observation("r", coded(LOINC, "98014-4"), conclusion="del(17p) detected.") | {
        "resourceType": "DiagnosticReport"
    }
    assert read(report).patient.del_17p is True


@pytest.mark.parametrize("code", ["72838-3", "72842-5", "81249-5", "81250-3"])
def test_unchecked_codes_of_demonstration_data_are_not_used(code):
    reading = read(observation("f", coded(LOINC, code), valueString="del(17p) detected"))
    assert reading.values == {}
    assert only(reading, "del_17p").state == "not_usable"


def test_the_same_words_under_another_code_are_not_read():
    reading = read(observation("f", coded(LOINC, "11502-2"), valueString="del(17p) detected"))
    assert reading.values == {}


@for_each(("old", "new", "expected"), [("detected", "not detected", False), ("not detected", "detected", True)])
def test_the_newest_explicit_result_counts_in_both_directions(old, new, expected):
    reading = read(
        observation("old", coded(LOINC, "98014-4"), days=900, valueString=f"del(17p) {old}"),
        observation("new", coded(LOINC, "98014-4"), days=30, valueString=f"del(17p) {new}"),
    )
    assert reading.patient.del_17p is expected
    (older,) = [line for line in lines(reading, "del_17p") if line.state == "older"]
    assert (older.text, older.note) == (f"del(17p) {old}", "the newest result differs and counts")
    assert older.date == "2024-06-08"


def test_a_newer_statement_that_is_not_read_leaves_the_older_result():
    reading = read(
        observation("old", coded(LOINC, "98014-4"), days=900, valueString="del(17p) detected"),
        observation("new", coded(LOINC, "98014-4"), days=30, valueString="del(17p) could not be assessed"),
    )
    assert reading.patient.del_17p is True
    assert {line.state for line in lines(reading, "del_17p")} == {"used", "not_usable"}


def test_two_reports_of_one_day_that_differ_are_a_contradiction():
    reading = read(fish("del(17p) detected", "a"), fish("del(17p) not detected", "b"))
    assert reading.patient.del_17p is None
    assert {line.state for line in reading.ledger.inputs if line.field == "del_17p"} == {"contradiction"}


def test_high_risk_follows_from_the_three_changes_and_not_from_silence():
    """The trait is derived by the definitions; a report that names two changes leaves it open."""
    assert "high_risk_cytogenetics" not in read(fish("t(4;14) negative; t(14;16) negative")).values
