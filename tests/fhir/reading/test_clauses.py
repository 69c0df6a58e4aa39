"""Clauses of reports, each through the reader as a record of its own: what is read, and what is shown and not used."""

import re
import unicodedata

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bcma_decide.comparing.compare import load_pooled
from tests.fhir.reading.support.clauses import AS_LABORATORIES_WRITE, MORE_NOT_READ, MORE_READ, NOT_READ, READ, table
from tests.fhir.reading.support.reading import lines, read
from tests.fhir.reading.support.records import LOINC, coded, observation
from tests.support.cases import for_each

SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
CHANGES = ("del_17p", "t_4_14", "t_14_16", "gain_1q")


def report(text, name="r", *, days=300, code=None, **more):
    made = observation(name, code or coded(LOINC, "98014-4"), days=days, conclusion=text, **more)
    return made | {"resourceType": "DiagnosticReport"}


def values(reading):
    return {name: getattr(reading.patient, name) for name in CHANGES if getattr(reading.patient, name) is not None}


@for_each(("field", "value", "text"), list(table(READ)))
def test_a_plain_clause_is_read(field, value, text):
    reading = read(report(text))
    assert values(reading) == {field: value}, [(line.text, line.note) for line in lines(reading, field)]
    assert "used" in {line.state for line in lines(reading, field)}


@for_each(("field", "value", "text"), list(table(NOT_READ)))
def test_anything_else_is_not_used(field, value, text):
    reading = read(report(text))
    assert getattr(reading.patient, field) is None, [(line.text, line.state) for line in lines(reading, field)]
    shown = lines(reading, field)
    assert all(line.state == "not_usable" and line.note for line in shown)


@for_each(("field", "value", "text"), list(table(MORE_READ + AS_LABORATORIES_WRITE)))
def test_other_plain_clauses_are_read(field, value, text):
    reading = read(report(text))
    assert getattr(reading.patient, field) is value, [(line.text, line.note) for line in lines(reading, field)]


@for_each(("field", "value", "text"), list(table(MORE_NOT_READ)))
def test_nothing_else_that_stands_near_a_change_is_used(field, value, text):
    reading = read(report(text))
    assert getattr(reading.patient, field) is None, [(line.text, line.state) for line in lines(reading, field)]
    assert all(line.state == "not_usable" and line.note for line in lines(reading, field))


NEGATIVE = {"del_17p": False, "t_4_14": False, "t_14_16": False}
REPORTS = [
    # lists that share one result, and lists that only look like it
    ("Negative for del(17p), t(4;14) and t(14;16).", NEGATIVE),
    ("No evidence of del(17p), t(4;14) or t(14;16).", NEGATIVE),
    ("del(17p), t(4;14) and t(14;16) were not detected.", NEGATIVE),
    ("t(4;14) and del(17p) were detected.", {"t_4_14": True, "del_17p": True}),
    ("Kein Hinweis auf del(17p), t(4;14) oder t(14;16)", NEGATIVE),
    ("No evidence of t(11;14), t(4;14), or del(13q)", {"t_4_14": False}),
    ("No evidence of del(17p), t(4;14) or t(14;16) in the previous sample", {}),
    ("No evidence of del(17p), t(4;14) or hypodiploid clones", {}),
    ("del(17p) and t(4;14) were not both detected", {}),
    # complete statements side by side
    ("t(4;14) positive, t(14;16) negative", {"t_4_14": True, "t_14_16": False}),
    ("t(4;14) not detected, del(17p) detected in 65 % of nuclei", {"t_4_14": False, "del_17p": True}),
    ("Negative for t(4;14), positive for del(17p)", {"t_4_14": False, "del_17p": True}),
    ("Negative for t(4;14), del(17p) positive", {}),
    ("t(4;14), positive, t(14;16), negative", {}),
    # lines
    (
        "FISH plasma cells\ndel(17p): detected in 65 % of nuclei\nt(4;14): not detected\nt(11;14): not detected\n"
        "gain(1q): 3 copies in 40 % of nuclei\n\nInterpretation: high-risk profile.",
        {"del_17p": True, "t_4_14": False, "gain_1q": True},
    ),
    ("In patients where\ndel(17p) is detected\nprognosis is poor", {}),
    ("No evidence of\ndel(17p)", {}),
    ("del(17p) detected\nin the cousin's sample", {}),
    ("Sample of a volunteer:\ndel(17p) detected\nt(4;14) detected", {}),
    ("Sample of a volunteer:\n\ndel(17p) detected", {}),
    ("Results:\n- del(17p): negative\n- t(4;14): negative", {"del_17p": False, "t_4_14": False}),
    ("Indication:\n- del(17p) detected\n- relapse", {}),
    ("1. del(17p): detected\n2. t(4;14): not detected", {"del_17p": True, "t_4_14": False}),
    ("FISH shows no\ndel(17p) detected", {}),
    ("del(17p) detected\nin 0 of 200 nuclei", {}),
    ("del(17p) kein Hinweis auf\nt(4;14)", {}),
    ("No t(4;14) and\ndel(17p) detected", {}),
    ("No t(4;14),\ndel(17p) detected", {}),
    ("t(4;14): negative,\nt(14;16): negative", {"t_4_14": False, "t_14_16": False}),
    ("There was nothing to suggest\n- del(17p) detected", {}),
    ("Not detected:\n- del(17p) present", {}),
    ("del(17p): no\nt(4;14): yes", {"del_17p": False, "t_4_14": True}),
    # one report, several statements
    ("del(17p) detected. Deletion of 17p is associated with an adverse prognosis.", {"del_17p": True}),
    ("Probes: TP53 (17p13), FGFR3/IGH.\n\ndel(17p) not detected.", {"del_17p": False}),
    ("del(17p) detected. The 17p signal is an artefact of the probe.", {}),
    ("del(17p) detected. On repeat testing del(17p) could not be confirmed.", {}),
    ("del(17p) detected. This could not be confirmed.", {}),
    ("del(17p) not detected. Insufficient cells.", {}),
    ("del(17p) nachgewiesen. Probe nicht auswertbar.", {}),
    ("t(14;16): insufficient cells. del(17p) detected.", {"del_17p": True}),
    ("t(4;14) detected. del(17p) see comment.", {"t_4_14": True}),
    ("Brother: t(4;14) detected. del(17p) detected.", {}),
    # the laboratory's cut-off given apart
    ("Cut-off: 10 %.\n\ndel(17p) detected in 12 % of nuclei.", {"del_17p": True}),
    ("Cut-off: 10 %.\n\ndel(17p) detected in 8 % of nuclei.", {"del_17p": False}),
    ("Cut-off 10 % for fusions.\n\ndel(17p) detected in 12 % of nuclei.", {}),
    ("Cut-off 10 % for fusions.\n\ndel(17p) not detected.", {"del_17p": False}),
    ("Cut-off: 5 %.\nCut-off: 30 %.\ndel(17p) detected in 12 % of nuclei.", {}),
    # the nomenclature
    ("46,XX,t(4;14)(p16;q32)[12]/46,XX[8]", {"t_4_14": True}),
    ("Karyotype: 45,XY,-13,del(17)(p13)[5]/46,XY[15]", {"del_17p": True}),
    ("46,XX,t(14;16)(q32;q23),del(17)(p13.1)", {"t_14_16": True, "del_17p": True}),
    ("46,XX,del(17)(p13)[1]/46,XX[19]", {}),
    ("46,XX,del(17)(q21)[10]", {}),
    ("46,XX,?del(17)(p13)[10]", {}),
    ("46,XX,del(17)(p13) or i(17)(q10)[10]", {}),
    ("45,XX,-17[10]", {}),
    ("46,XX,i(17)(q10)[10]", {}),
    ("46,XY[20]", {}),
    ("nuc ish(TP53x1,D17Z1x2)[120/200]", {"del_17p": True}),
    ("nuc ish 17p13.1(TP53x1),17cen(D17Z1x2)[130/200]", {"del_17p": True}),
    ("nuc ish(TP53,D17Z1)x2[200]", {"del_17p": False}),
    ("nuc ish(TP53x1,D17Z1x1)[150/200]", {}),
    ("nuc ish(TP53x1)[150/200]", {}),
    ("nuc ish(TP53x1,D17Z1x2)[4/200]", {}),
    ("nuc ish(TP53x1,D17Z1x2)[120]", {}),
    ("nuc ish(TP53x2,D17Z1x2)[120/200]", {}),
    ("nuc ish(TP53x1,D17Z1x2)[220/200]", {}),
    ("nuc ish(TP53x1,D17Z1x2)[120/200] in the donor", {}),
    ("nuc ish(CKS1Bx3)[60/100]", {"gain_1q": True}),
    ("nuc ish(CDKN2Cx2,CKS1Bx4)[60/100]", {"gain_1q": True}),
    ("nuc ish(CKS1Bx2)[200]", {"gain_1q": False}),
    ("nuc ish(FGFR3x3,IGHx3)(FGFR3 con IGHx2)[150/200]", {"t_4_14": True}),
    ("nuc ish(FGFR3x3,IGHx3)[150/200]", {}),
    ("nuc ish(FGFR3,IGH)x2[200]", {"t_4_14": False}),
    ("nuc ish(IGHx3,MAFx3)(IGH con MAFx2)[60/200]", {"t_14_16": True}),
]


@for_each(("text", "expected"), REPORTS)
def test_a_report_of_several_clauses(text, expected):
    reading = read(report(text))
    assert values(reading) == expected, [
        (line.field, line.state, line.text, line.note) for line in reading.ledger.inputs
    ]


@for_each(
    ("code", "used"),
    [
        ({"text": "FISH plasma cells"}, True),
        ({"text": "Cytogenetics"}, True),
        ({"text": "Zytogenetik Knochenmark"}, True),
        ({"text": "Zytogenetik/FISH Knochenmark"}, True),
        ({"text": "Chromosome analysis in Bone marrow by Routine banding"}, True),
        ({"text": "Karyotype [Identifier] in Blood or Tissue Nominal"}, True),
        ({"text": "Prenatal FISH"}, False),
        ({"text": "MDS FISH panel"}, False),
        (coded("https://lab.example/codes", "FISHMM", "FISH, plasma cells"), True),
        ({"text": "Consultation letter"}, False),
        ({"text": "FISH of the donor"}, False),
        (coded("https://lab.example/codes", "X1"), False),
        ({"text": "Cytogenetics", "coding": [{"display": "Donor cytogenetics"}]}, False),
    ],
)
def test_a_report_under_a_local_code_is_read_by_its_name_or_shown(code, used):
    reading = read(report("del(17p) detected in 65 % of nuclei", code=code))
    assert reading.patient.del_17p is (True if used else None)
    assert {line.state for line in lines(reading, "del_17p")} == {"used" if used else "not_usable"}


@for_each("status", ["preliminary", "registered", "partial", "cancelled", "entered-in-error", "unknown"])
def test_a_report_that_is_not_final_is_not_used(status):
    reading = read(report("del(17p) detected", status=status))
    assert reading.patient.del_17p is None
    assert lines(reading, "del_17p")


def test_a_coded_conclusion_and_an_attachment_of_text_are_read_as_the_conclusion_is():
    text = {"contentType": "text/plain", "data": "ZGVsKDE3cCkgZGV0ZWN0ZWQ="}
    for more in ({"presentedForm": [text]}, {"conclusionCode": [{"text": "del(17p) detected"}]}):
        assert read({key: value for key, value in report("", **more).items() if value}).patient.del_17p is True


def test_an_attachment_that_is_no_text_is_listed_with_its_title():
    pdf = [{"contentType": "application/pdf", "title": "FISH 2026"}]
    for text in ("", "t(4;14) detected"):
        shown = [line for line in read(report(text, presentedForm=pdf)).ledger.inputs if line.label == "Attachment"]
        assert [(line.state, "FISH 2026" in line.text) for line in shown] == [("not_usable", True)]
    assert [line.kind for line in read(report("", presentedForm=pdf)).ledger.unmapped] == ["report"]


LISTED = {
    word
    for phrases in load_pooled().codes.reports.clauses[:-6]
    for phrase in phrases
    for word in re.split(r"\W+", str(phrase).casefold())
}
WORD = st.text(st.characters(categories=["Ll"]), min_size=1, max_size=12)
PLAIN = [
    (field, text.rstrip("."))
    for lines_of in (READ, MORE_READ, AS_LABORATORIES_WRITE)
    for field, _, text in table(lines_of)
    if not re.search(r",|; ", text)
]


@SETTINGS
@given(st.sampled_from(PLAIN), WORD, st.integers(0, 12))
def test_a_clause_with_one_word_that_is_not_listed_is_not_read(known, word, place):
    """Wherever it stands: no word is passed over."""
    field, text = known
    assume(unicodedata.normalize("NFKC", word).casefold() not in LISTED)
    pieces = text.split(" ")
    changed = " ".join([*pieces[:place], word, *pieces[place:]])
    assert getattr(read(report(changed)).patient, field) is None


OTHER = {"del_17p": "t(4;14)", "t_4_14": "del(17p)", "t_14_16": "gain(1q)", "gain_1q": "del(13q)"}


@SETTINGS
@given(st.sampled_from(PLAIN), st.integers(0, 12))
def test_a_clause_with_two_changes_is_never_read_as_one(known, place):
    field, text = known
    pieces = text.split(" ")
    reading = read(report(" ".join([*pieces[:place], OTHER[field], *pieces[place:]])))
    assert values(reading) == {}
