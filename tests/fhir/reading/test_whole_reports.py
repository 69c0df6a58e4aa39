"""Whole reports, what takes one back, and what stands around its words."""

from tests.fhir.reading.support.reading import lines, read
from tests.fhir.reading.support.records import HGNC, LOINC, SNOMED, coded, observation, quantity
from tests.fhir.reading.support.whole_reports import REPORTS
from tests.support.cases import for_each

CHANGES = ("del_17p", "t_4_14", "t_14_16", "gain_1q")
PRESENT = coded(LOINC, "LA9633-4", "Present")


def report(text, *, code=None, **more):
    made = observation("r", code or coded(LOINC, "98014-4"), days=300, conclusion=text, **more)
    return made | {"resourceType": "DiagnosticReport"}


def values(*resources):
    patient = read(*resources).patient
    return {name: getattr(patient, name) for name in CHANGES if getattr(patient, name) is not None}


@for_each(("text", "expected"), list(REPORTS.values()))
def test_an_ordinary_report_is_read(text, expected):
    assert values(report(text)) == expected


TAKEN_BACK = """
Sample of the wife.
Tube labelled with a different name.
The identity of the sample is unclear.
Blood of a neighbour.
Clotted specimen.
The culture did not grow.
Result of a ring trial.
Demo report.
Example report.
Please ignore.
Cell line KMS-12.
Signals too weak to score.
Poor hybridization.
Poor sample quality.
Low cell number.
Few plasma cells.
No plasma cells.
No bone marrow.
Not evaluable.
Awaiting second review.
Draft.
For research use only.
Probe der Ehefrau.
Ringversuch.
Musterbefund.
Zu wenig Plasmazellen.
Keine Plasmazellen im Material.
Ergebnis unsicher.
Schulungsbefund.
Ergebnis unter Vorbehalt.
Result from an outside hospital in 2011.
Historical result.
Before transplant.
Healthy volunteer.
Control sample.
Reference sample.
Validation run.
Pooled sample.
This is a test.
Test.
No result.
Normal FISH.
Teaching case: t(11;14) with adverse prognosis in a fictional person of 60 years.
Blood of a neighbour was used for the demonstration of the probes.
[ ] t(14;16) [ ] other
"""


@for_each("sentence", TAKEN_BACK.strip().splitlines())
def test_a_sentence_that_is_not_understood_leaves_the_whole_report(sentence):
    for text in (
        f"{sentence} del(17p) detected.",
        f"del(17p) detected.\n\n{sentence}",
        f"{sentence}\ndel(17p) detected in 40 % of nuclei",
    ):
        reading = read(report(text))
        assert reading.patient.del_17p is None, text
        assert all(line.note for line in lines(reading, "del_17p"))
    if sentence != "Normal FISH.":
        assert read(report(f"{sentence} t(4;14) not detected.")).patient.t_4_14 is None


@for_each("text", ["del(17p) detected [ ]", "[ ] del(17p) detected", "☐ del(17p) detected", "( ) del(17p) detected"])
def test_what_stands_beside_an_empty_box_is_not_stated(text):
    assert values(report(text)) == {}
    assert lines(read(report(text)), "del_17p")


@for_each(
    ("overall", "expected"),
    [
        ("Negative.", {"t_4_14": False}),
        ("Result: normal.", {"t_4_14": False}),
        ("Positive.", {"del_17p": True}),
        ("Abnormal.", {"del_17p": True, "t_4_14": False}),
    ],
)
def test_a_result_of_the_whole_stands_against_the_contrary(overall, expected):
    assert values(report(f"{overall} del(17p) detected. t(4;14) not detected.")) == expected


def specimen(name, text, **more):
    return {"resourceType": "Specimen", "id": name, "type": {"text": text}, **more}


@for_each(
    ("more", "used"),
    [
        ({}, True),
        ({"status": "appended"}, True),
        ({"code": coded(LOINC, "98014-4", "Plasma cell FISH panel")}, True),
        ({"code": {**coded(LOINC, "98014-4"), "text": "FISH, positive control"}}, False),
        ({"code": {**coded(LOINC, "98014-4"), "text": "FISH of the husband"}}, False),
        ({"specimen": [{"display": "Bone marrow aspirate"}]}, True),
        ({"specimen": [{"display": "Quality control slide"}]}, False),
        ({"specimen": [{"display": "Bone marrow"}, {"display": "Donor marrow"}]}, False),
        ({"specimen": [{"reference": "Specimen/marrow"}]}, True),
        ({"specimen": [{"reference": "Specimen/control"}]}, False),
        ({"specimen": [{"reference": "Specimen/bad"}]}, False),
        ({"specimen": [{"reference": "Specimen/other"}]}, False),
        ({"conclusionCode": [coded(SNOMED, "260385009")]}, False),
    ],
)
def test_what_stands_around_a_report_can_take_it_away(more, used):
    specimens = (
        specimen("marrow", "Bone marrow aspirate"),
        specimen("control", "Control slide"),
        specimen("bad", "Bone marrow", status="unsatisfactory"),
        specimen("other", "Bone marrow", subject={"reference": "Patient/another"}),
    )
    assert values(report("del(17p) detected", **more), *specimens) == ({"del_17p": True} if used else {})


@for_each(
    ("interpretation", "used"),
    [
        (None, True),
        ({"coding": [{"code": "POS"}]}, True),
        ({"coding": [{"code": "A", "display": "Abnormal"}]}, True),
        ({"coding": [{"code": "NEG"}]}, False),
        ({"coding": [{"code": "POS", "display": "Negative"}]}, False),
        ({"text": "Invalid result"}, False),
    ],
)
def test_an_interpretation_that_does_not_agree_takes_the_result_away(interpretation, used):
    more = {"interpretation": [interpretation]} if interpretation else {}
    own = observation("o", {"text": "del(17p)"}, days=300, valueCodeableConcept=PRESENT, **more)
    panel = observation("o", coded(LOINC, "98014-4"), days=300, valueString="del(17p) detected", **more)
    part = {"code": {"text": "del(17p)"}, "valueCodeableConcept": PRESENT, **more}
    for resource in (own, panel, observation("o", coded(LOINC, "98014-4"), days=300, component=[part])):
        assert values(resource) == ({"del_17p": True} if used else {})


def test_a_reason_for_no_result_takes_away_what_is_said_beside_it():
    absent = {"dataAbsentReason": {"text": "error"}}
    for code in ({"text": "del(17p)"}, coded(LOINC, "98014-4")):
        assert values(observation("o", code, days=300, valueString="del(17p) detected", **absent)) == {}
        assert values(observation("o", code, days=300, note=[{"text": "del(17p) detected"}], **absent)) == {}


@for_each(
    ("written", "more", "used"),
    [
        ("del(17)(p13)", {}, True),
        ("no loss of 17p", {}, False),
        ("normal", {}, False),
        ("del(17)(p13)", {"note": [{"text": "Sample of the husband."}]}, False),
        ("del(17)(p13)", {"specimen": {"display": "Donor blood"}}, False),
    ],
)
def test_a_gene_and_the_nomenclature_of_a_variant_have_to_agree(written, more, used):
    component = [
        {"code": coded(LOINC, "48018-6"), "valueCodeableConcept": coded(HGNC, "HGNC:11998")},
        {"code": coded(LOINC, "82155-3"), "valueQuantity": quantity(1, "1")},
        {"code": coded(LOINC, "81291-7"), "valueCodeableConcept": {"text": written}},
    ]
    variant = observation(
        "v", coded(LOINC, "69548-6"), days=300, valueCodeableConcept=PRESENT, component=component, **more
    )
    assert values(variant) == ({"del_17p": True} if used else {})
