"""Observations and components that are named after a change, and fusions of genes."""

from tests.fhir.reading.support.reading import lines, read
from tests.fhir.reading.support.records import HGNC, LOINC, SNOMED, coded, observation, quantity
from tests.support.cases import for_each

LAB = "https://lab.example/codes"
PRESENT, ABSENT = coded(LOINC, "LA9633-4", "Present"), coded(LOINC, "LA9634-2", "Absent")


def called(name):
    return {"coding": [{"system": LAB, "code": "X", "display": name}]}


def percent(value, high=None, **more):
    result = {"valueQuantity": {**quantity(value, "%"), **more}}
    return result if high is None else result | {"referenceRange": [{"high": quantity(high, "%")}]}


@for_each(
    ("name", "result", "expected"),
    [
        ("del(17p)", {"valueCodeableConcept": PRESENT}, True),
        ("FISH del(17p)", {"valueCodeableConcept": ABSENT}, False),
        ("TP53 deletion by FISH", {"valueCodeableConcept": coded(SNOMED, "10828004")}, True),
        ("Deletion 17p", {"valueString": "nicht nachgewiesen"}, False),
        ("Deletion 17p13 (TP53)", {"valueString": "nachgewiesen in 65 % der Zellkerne"}, True),
        ("del(17p)", {"valueString": "130/200 nuclei"}, True),
        ("del(17p)", {"valueString": "not assessed"}, None),
        ("del(17p)", {"valueString": "detected in brother"}, None),
        ("del(17p)", {"valueString": "t(4;14) detected"}, None),
        ("del(17p)", {"valueCodeableConcept": {"text": "Indeterminate"}}, None),
        ("del(17p)", {"valueBoolean": True}, True),
        ("del(17p)", {"valueInteger": 1}, None),
        ("del(17p)", percent(65), True),
        ("del(17p)", percent(0), False),
        ("del(17p)", percent(12), None),
        ("del(17p)", percent(12, 10), True),
        ("del(17p)", percent(10, 10), None),
        ("del(17p)", percent(3, 10), False),
        ("del(17p)", percent(65, comparator=">"), True),
        ("del(17p)", {"valueQuantity": quantity(65, "1")}, None),
        ("del(17p)", {"valueQuantity": quantity(650, "%")}, None),
        ("del(17p)", {}, None),
        ("del(17p)", {"dataAbsentReason": {"text": "not performed"}}, None),
        ("del(17p)", {"valueCodeableConcept": PRESENT, "dataAbsentReason": {"text": "not performed"}}, None),
        ("del(17p)", {"valueCodeableConcept": PRESENT, "valueString": "not detected"}, None),
        ("del(17p)", {"valueCodeableConcept": PRESENT, "note": [{"text": "del(17p) not detected"}]}, None),
        ("del(17p)", {"valueCodeableConcept": PRESENT, "note": [{"text": "del(17p) of the donor"}]}, None),
        ("del(17p)", {"valueCodeableConcept": PRESENT, "note": [{"text": "The donor was tested"}]}, None),
        ("del(17p)", {"valueCodeableConcept": PRESENT, "note": [{"text": "200 nuclei"}]}, True),
        ("FISH TP53 deletion % abnormal cells", percent(62, 10), True),
        ("Percentage of cells with TP53 deletion", percent(3, 10), False),
        ("TP53 deletion % normal cells", percent(93, 10), None),
        ("del(17p) or monosomy 17", {"valueCodeableConcept": PRESENT}, None),
        ("del(17p) of the donor", {"valueCodeableConcept": PRESENT}, None),
        ("No del(17p)", {"valueCodeableConcept": PRESENT}, None),
        ("del(17p) cut-off 10 %", {"valueCodeableConcept": PRESENT}, None),
        ("TP53", {"valueCodeableConcept": PRESENT}, None),
        ("TP53 mutation", {"valueCodeableConcept": PRESENT}, None),
        ("17p probe control", {"valueCodeableConcept": PRESENT}, None),
    ],
)
def test_an_observation_or_component_named_after_the_change(name, result, expected):
    alone = read(observation("f", called(name), **result))
    assert alone.patient.del_17p is expected, [(line.text, line.note) for line in alone.ledger.inputs]
    assert alone.ledger.unmapped or lines(alone, "del_17p")
    if "note" not in result:
        part = {"code": called(name), **result}
        for panel in (coded(LOINC, "98014-4"), {"text": "FISH plasma cells"}):
            reading = read(observation("p", panel, component=[part]))
            assert reading.patient.del_17p is expected, [(line.text, line.note) for line in reading.ledger.inputs]
            assert {line.state for line in lines(reading, "del_17p")} == {"not_usable" if expected is None else "used"}


def test_names_of_one_code_that_differ_are_not_used():
    code = {"text": "del(17p)", "coding": [{"system": LAB, "code": "X", "display": "t(4;14)"}]}
    assert read(observation("f", code, valueCodeableConcept=PRESENT)).values == {}


def test_components_of_a_panel_that_is_not_known_are_shown():
    part = {"code": called("del(17p)"), "valueCodeableConcept": PRESENT}
    reading = read(observation("p", {"text": "Donor screening"}, component=[part]))
    assert reading.values == {}
    assert [line.state for line in lines(reading, "del_17p")] == ["not_usable"]


IGH, FGFR3, NSD2, MAF, MAFB = "HGNC:5477", "HGNC:3690", "HGNC:12766", "HGNC:6776", "HGNC:6408"
TRANSLOCATION = {"code": coded(LOINC, "48019-4"),
                 "valueCodeableConcept": coded("http://www.sequenceontology.org", "SO:1000044")}  # fmt: skip
FUSION = {"code": coded(LOINC, "48019-4"),
          "valueCodeableConcept": coded("http://sequenceontology.org", "SO:0001565", "gene_fusion")}  # fmt: skip
DELETION = {"code": coded(LOINC, "48019-4"),
            "valueCodeableConcept": coded("http://www.sequenceontology.org", "SO:0000159")}  # fmt: skip
GERMLINE = {"code": coded(LOINC, "48002-0"), "valueCodeableConcept": coded(LOINC, "LA6683-2")}
SOMATIC = {"code": coded(LOINC, "48002-0"), "valueCodeableConcept": coded(LOINC, "LA6684-0")}


def genes(*names):
    return [{"code": coded(LOINC, "48018-6"), "valueCodeableConcept": coded(HGNC, name)} for name in names]


@for_each(
    ("components", "value", "expected"),
    [
        (genes(IGH, FGFR3), PRESENT, {"t_4_14": True}),
        (genes(NSD2, IGH), PRESENT, {"t_4_14": True}),
        (genes(IGH, MAF), PRESENT, {"t_14_16": True}),
        ([*genes(IGH, FGFR3), TRANSLOCATION, SOMATIC], PRESENT, {"t_4_14": True}),
        ([*genes(IGH, FGFR3), TRANSLOCATION], ABSENT, {"t_4_14": False}),
        ([*genes(IGH, FGFR3), FUSION], PRESENT, {"t_4_14": True}),
        (genes(IGH, FGFR3), ABSENT, {}),
        ([*genes(IGH, FGFR3), DELETION], PRESENT, {}),
        ([*genes(IGH, FGFR3), GERMLINE], PRESENT, {}),
        (genes(IGH, FGFR3, MAF), PRESENT, {}),
        (genes(IGH, MAFB), PRESENT, {}),
        (genes(IGH), PRESENT, {}),
        (genes(FGFR3), PRESENT, {}),
        (genes(IGH, FGFR3), {"text": "Indeterminate"}, {}),
    ],
)
def test_a_fusion_is_told_by_exactly_its_two_genes(components, value, expected):
    reading = read(observation("v", coded(LOINC, "69548-6"), valueCodeableConcept=value, component=components))
    fields = ("del_17p", "t_4_14", "t_14_16", "gain_1q")
    found = {name: getattr(reading.patient, name) for name in fields}
    assert {name: value for name, value in found.items() if value is not None} == expected


@for_each(("copies", "expected"), [(3, True), (5, True), (2, None), (1, None), (2.5, True)])
def test_copies_of_cks1b_over_two_are_a_gain_of_1q(copies, expected):
    number = {"code": coded(LOINC, "82155-3"), "valueQuantity": quantity(copies, "1")}
    made = observation(
        "v", coded(LOINC, "69548-6"), valueCodeableConcept=PRESENT, component=[*genes("HGNC:19083"), number]
    )
    assert read(made).patient.gain_1q is expected


@for_each(
    ("text", "value", "expected"),
    [
        ("46,XY,del(17)(p13)[12]", PRESENT, True),
        ("del(17)(p13.1)", PRESENT, True),
        ("del(17)(p13)", ABSENT, False),
        ("46,XY,del(17)(p13)[12]", ABSENT, None),
        ("del(17)(p13),t(4;14)(p16;q32)", ABSENT, None),
        ("del(17)(p13) not present in this clone", PRESENT, None),
        ("no del(17)(p13)", PRESENT, None),
        ("?del(17)(p13)", PRESENT, None),
        ("del(17)(p13)?", PRESENT, None),
        ("del(17)(p13) of the donor", PRESENT, None),
        ("del(17)(p13) excluded", ABSENT, None),
        ("del(17)(q21)", PRESENT, None),
    ],
)
def test_the_nomenclature_of_a_variant_is_read_whole_or_not_at_all(text, value, expected):
    part = {"code": coded(LOINC, "81291-7"), "valueCodeableConcept": {"text": text}}
    reading = read(observation("v", coded(LOINC, "69548-6"), valueCodeableConcept=value, component=[part]))
    assert reading.patient.del_17p is expected, [(line.text, line.note) for line in reading.ledger.inputs]


def test_a_gene_whose_code_and_name_differ_is_not_used():
    number = {"code": coded(LOINC, "82155-3"), "valueQuantity": quantity(1, "1")}
    for name, expected in (("TP53", True), ("TP53 gene", True), ("KRAS", None)):
        gene = {"code": coded(LOINC, "48018-6"), "valueCodeableConcept": coded(HGNC, "HGNC:11998", name)}
        made = observation("v", coded(LOINC, "69548-6"), valueCodeableConcept=PRESENT, component=[gene, number])
        assert read(made).patient.del_17p is expected


@for_each("code", [coded(LOINC, "98014-4", "FISH of the donor"), coded(LOINC, "98014-4", "Vorbefund FISH")])
def test_a_known_code_that_is_named_after_somebody_else_or_another_time_is_not_used(code):
    reading = read(observation("f", code, valueString="del(17p) detected"))
    assert reading.patient.del_17p is None
    assert [line.state for line in lines(reading, "del_17p")] == ["not_usable"]


def test_a_text_beside_a_reason_why_there_is_none_is_not_used():
    reading = read(
        observation("f", coded(LOINC, "98014-4"), valueString="del(17p) detected", dataAbsentReason={"text": "error"})
    )
    assert reading.patient.del_17p is None
