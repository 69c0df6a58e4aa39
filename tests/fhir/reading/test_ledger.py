"""The ledger of a record as a whole: what stands where, what is unknown here, and what was left aside."""

from tests.fhir.reading.support.reading import only, read
from tests.fhir.reading.support.records import (
    ICD10CM,
    LOINC,
    RXNORM,
    SNOMED,
    coded,
    condition,
    given,
    observation,
    person,
    quantity,
)

HB, FERRITIN = coded(LOINC, "718-7"), coded(LOINC, "2276-4")
LENALIDOMIDE, BORTEZOMIB = coded(RXNORM, "342369"), {"text": "Velcade"}
LOCAL = "http://local.example/codes"


def unknown(reading):
    return [(line.kind, line.text, line.system, line.code, line.count) for line in reading.ledger.unmapped]


def test_what_is_not_known_here_is_counted_in_the_order_drugs_procedures_conditions_observations():
    pulse = observation("o", coded(LOINC, "8867-4", "Heart rate"), valueQuantity=quantity(70, "/min"))
    reading = read(
        pulse,
        {**pulse, "id": "o2"},
        observation("o3", coded(LOINC, "8480-6"), valueQuantity=quantity(120, "mm[Hg]")),
        observation("o4", {}),
        condition("c", ICD10CM, "I10"),
        given("p", coded(LOCAL, "77", "Colonoscopy"), kind="Procedure"),
        given("d", {"text": "Wonderdrug"}),
        given("d2", coded(LOCAL, "w1", "Wonderdrug")),
        given("d3", None),
    )
    assert unknown(reading) == [
        ("drug", "Wonderdrug", "", "", 1),
        ("drug", "Wonderdrug", LOCAL, "w1", 1),
        ("drug", "without code and name", "", "", 1),
        ("procedure", "Colonoscopy", LOCAL, "77", 1),
        ("condition", "", "icd-10-cm", "I10", 1),
        ("observation", "", "loinc", "8480-6", 1),
        ("observation", "Heart rate", "loinc", "8867-4", 2),
        ("observation", "without code and name", "", "", 1),
    ]


def test_of_several_codes_of_something_unknown_the_first_in_order_is_shown():
    codes = [{"system": LOCAL, "code": "b"}, {"system": LOCAL, "code": "a"}]
    assert unknown(read(observation("o", {"coding": codes}))) == [("observation", "", LOCAL, "a", 1)]


def test_a_drug_without_meaning_for_the_myeloma_is_not_unknown():
    assert unknown(read(given("d", coded(RXNORM, "24698")), given("e", coded(RXNORM, "612865")))) == []


def of_bundle(reading):
    return [(line.text, line.state) for line in reading.ledger.inputs if line.label == "Bundle"]


def test_what_was_left_aside_as_a_whole_is_counted():
    nobody = {name: value for name, value in observation("n", HB).items() if name != "subject"}
    assert of_bundle(read(nobody, {**nobody, "id": "n2"}, link=[{"relation": "next", "url": "https://x"}])) == [
        ("2 resources: Observation/n, Observation/n2", "ignored"),
        ("the record has more pages than were given", "note"),
    ]
    assert of_bundle(read(observation("o", HB), link=[{"relation": "self"}])) == []


def test_entries_without_a_resource_are_counted():
    record = {"entry": [{"resource": person()}, {}, "junk", {"resource": {"id": "1"}}]}
    assert of_bundle(read(**record)) == [("3 entries without a resource", "ignored")]


def test_fields_stand_in_the_order_of_the_table_and_what_was_used_comes_first():
    reading = read(
        observation("f", FERRITIN, days=2, valueQuantity=quantity(850, "ng/mL")),
        given("d", BORTEZOMIB),
        observation("h1", HB, days=1, valueQuantity=quantity(9, "furlong")),
        observation("h2", HB, days=9, valueQuantity=quantity(8.4, "g/dL")),
        observation("h3", HB, days=3, valueQuantity=quantity(9.1, "g/dL")),
        condition("mm", SNOMED, "109989006"),
        patient=person(birthDate="1955-03-14", gender="male"),
    )
    assert list(reading.values) == ["age", "sex", "received", "ferritin", "hemoglobin"]
    assert [(line.label, line.text, line.state) for line in reading.ledger.inputs] == [
        ("Age", "71 years", "used"),
        ("Sex", "male", "used"),
        ("Earlier lines of therapy", "1 line", "not_usable"),
        ("Given, result not known", "bortezomib (Velcade)", "used"),
        ("Ferritin", "850 ng/mL", "used"),
        ("Haemoglobin", "9.1 g/dL", "used"),
        ("Haemoglobin", "9 furlong", "not_usable"),
        ("Haemoglobin", "8.4 g/dL", "older"),
        ("Diagnosis", "Multiple myeloma", "used"),
    ]


def test_a_line_says_where_it_comes_from():
    line = only(read(observation("h", HB, days=3, valueQuantity=quantity(9.1, "g/dL"))), "hemoglobin")
    assert (line.resource, line.system, line.code) == ("Observation/h", "loinc", "718-7")
    assert (line.date, line.age_days, line.unit, line.layer, line.basis) == (
        "2026-11-22",
        3,
        "g/dL",
        "code",
        "verified",
    )


def test_the_lines_of_therapy_are_told_with_their_rule():
    rule = (
        "records of a drug at most 30 days apart are one era; "
        "eras that begin within 28 days of each other are one line; "
        "a transplantation at most 180 days after a line, and what begins at most 180 days after it, belong to that "
        "line, and so does a mobilising drug at most 90 days before it; "
        "what begins in the 60 days before CAR-T cells and has ended by then is bridging or lymphodepletion and none; "
        "a new drug later, or a pause of more than 180 days, begins another"
    )
    doses = [given("a", LENALIDOMIDE, day="2024-01-01"), given("b", BORTEZOMIB, day="2024-03-01")]
    line = only(read(*doses, infer=True), "prior_lines")
    assert (line.text, line.state, line.note, line.layer, line.basis) == (
        "2 lines", "inferred", rule, "inferred", "secondary",
    )  # fmt: skip
    line = only(read(doses[0]), "prior_lines")
    assert (line.text, line.state) == ("1 line", "not_usable")
    assert line.note == "inferred from the dates of drugs; not used unless asked for (--infer)"


def test_the_diagnosis_is_told():
    def diagnosis(*conditions):
        return [
            (line.field, line.text, line.state, line.note)
            for line in read(*conditions).ledger.inputs
            if line.label == "Diagnosis"
        ]

    assert diagnosis() == [("", "no condition with a code of multiple myeloma", "note", "")]
    assert diagnosis(condition("mm", SNOMED, "109989006")) == [("", "Multiple myeloma", "used", "")]
    refuted = condition("mm", SNOMED, "109989006", verificationStatus=coded("x", "refuted"))
    assert diagnosis(refuted) == [("", "Multiple myeloma", "not_usable", "verification status refuted")]
    future = condition("mm", SNOMED, "109989006", recordedDate="2026-12-01")
    assert diagnosis(future) == [
        ("", "Multiple myeloma", "ignored", "dated after 2026-11-25"),
        ("", "no condition with a code of multiple myeloma", "note", ""),
    ]
