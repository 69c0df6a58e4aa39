"""What is said of a contradiction: which fields, what speaks for either side, and what becomes of each field.

The words are those of the definitions in evidence/, put together here by hand.
"""

from bcma_decide.facts.traits import derive
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.definitions import shipped_definitions
from tests.support.cases import for_each

PART = "shown; part of a contradiction"
USED = ""


def traits(**values):
    return derive(Patient(**values), shipped_definitions())


def notes(found):
    return {line.field: line.note for line in found.ledger}


def messages(found):
    return [(each.fields, each.traits, each.message) for each in found.contradictions]


def test_the_traits_that_follow_are_unknown_and_say_why():
    found = traits(r_iss=3, iss=1)
    message = "R-ISS stage III beside ISS stage I (R-ISS I takes ISS I, R-ISS III takes ISS III)"
    assert messages(found) == [(("r_iss", "iss"), ("iss_3", "r_iss_3"), message)]
    for trait in ("iss_3", "r_iss_3"):
        value = found[trait]
        assert (value.state, value.value, value.text, value.how) == (
            "unknown", None, "unknown", f"contradiction: {message}",
        )  # fmt: skip


@for_each(("lines", "contradicts"), [(1, True), (2, False), (3, False)])
def test_two_lines_are_enough_for_five_drugs(lines, contradicts):
    found = traits(penta_drug_refractory="yes", prior_lines=lines)
    assert bool(found.contradictions) is contradicts
    assert found["penta_drug_refractory"].value is (None if contradicts else True)


def test_two_contradictions_stand_side_by_side():
    """What other fields disagree about is another contradiction, and the drugs come first."""
    found = traits(
        refractory_to="bortezomib",
        exposed_to="bortezomib",
        high_risk_cytogenetics="no",
        t_4_14="yes",
        ecog=1,
        karnofsky=30,
    )
    assert [each.traits for each in found.contradictions] == [(), ("ecog_ge_2",), ("high_risk_cytogenetics",)]
    assert found.contradicted == {"high_risk_cytogenetics", "ecog_ge_2"}


def test_of_two_contradictions_of_one_trait_the_first_is_told():
    found = traits(high_risk_cytogenetics="no", del_17p="yes", t_4_14="yes")
    assert [each.fields[1] for each in found.contradictions] == ["del_17p", "t_4_14"]
    assert found["high_risk_cytogenetics"].how == f"contradiction: {found.contradictions[0].message}"


@for_each(
    ("values", "expected"),
    [
        ({"high_risk_cytogenetics": "no", "del_17p": "yes"}, {"high_risk_cytogenetics": PART, "del_17p": PART}),
        (
            {"prior_bcma": "no", "refractory_to": "teclistamab, bortezomib, lenalidomide, daratumumab"},
            {"prior_bcma": PART, "refractory_to": USED},
        ),
        (
            {"frail": "no", "age": 82},
            {"frail": "shown; does not settle Frail by itself", "age": USED},
        ),
        ({"refractory_to": "bortezomib", "naive_to": "bortezomib"}, {"refractory_to": PART, "naive_to": PART}),
    ],
    ids=["neither is used", "the other drugs still count", "open, and the age still counts", "one drug, two headings"],
)
def test_what_becomes_of_each_field(values, expected):
    found = traits(**values)
    assert notes(found) == expected
    assert {line.field: line.used for line in found.ledger} == {name: note == USED for name, note in expected.items()}


def test_an_answer_that_what_was_worked_out_speaks_against_leaves_the_trait_open():
    """(140 - 80) x 40 / (72 x 2) = 16.7 mL/min is below 45; age, weight and creatinine stay in use."""
    found = traits(renal_impairment="no", age=80, weight="40 kg", creatinine="2 mg/dL", sex="male")
    assert found.contradictions == ()
    assert found["renal_impairment"].how == (
        "left open: yes (creatinine clearance 16.7 mL/min (Cockcroft-Gault from age, body weight, creatinine and sex); "
        "cut-off: below 45 mL/min, or dialysis), but also no (said directly)"
    )


def test_what_does_not_settle_a_trait_is_said_and_what_is_for_findings_too():
    found = traits(t_4_14="no", gain_1q="yes", hbsag="no", crp="31 mg/L")
    assert notes(found) == {
        "t_4_14": "shown; does not settle High-risk cytogenetics by itself",
        "gain_1q": "shown; in no number",
        "crp": "shown; does not settle CAR-HEMATOTOX high by itself",
        "hbsag": "for findings and labels; in no number",
    }
    assert {line.field for line in found.ledger if line.for_findings} == {"hbsag"}


@for_each(
    ("values", "text"),
    [
        ({"age": 71}, "71 years"),
        ({"prior_lines": 4}, "4"),
        ({"iss": 2}, "II"),
        ({"ecog": 1}, "1"),
        ({"sex": "female"}, "female"),
        ({"dialysis": "no"}, "no"),
        ({"ferritin": "850 ng/mL"}, "850 ng/mL"),
        ({"refractory_to": "len, Velcade"}, "bortezomib, lenalidomide"),
        ({"prior_bcma_courses": ["adc:3", "car_t"]}, "antibody-drug conjugate (3 months ago), CAR-T (time unknown)"),
    ],
)
def test_a_field_is_written_as_it_is_spoken(values, text):
    (line,) = traits(**values).ledger
    assert line.text == text


def test_a_trait_says_from_what_it_follows():
    found = traits(high_risk_cytogenetics="yes", del_17p="yes", dialysis="yes", prior_bcma_courses="car_t:7", iss=3)
    assert [(found[name].state, found[name].text, found[name].how) for name in (
        "high_risk_cytogenetics", "renal_impairment", "prior_bcma", "iss_3",
    )] == [
        ("given", "yes", "given; del(17p) present"),
        ("derived", "yes", "dialysis"),
        ("derived", "yes", "earlier course of CAR-T (7 months ago)"),
        ("given", "yes", "ISS stage III"),
    ]  # fmt: skip


@for_each(
    ("values", "trait", "needs"),
    [
        ({}, "age", "needs an answer"),
        ({}, "high_risk_cytogenetics", "needs del(17p), t(4;14) and t(14;16)"),
        ({"t_4_14": "no"}, "high_risk_cytogenetics", "needs del(17p) and t(14;16)"),
        ({}, "renal_impairment", "needs creatinine clearance"),
        ({}, "prior_bcma", "needs an answer, or the drugs given"),
        ({}, "iss_3", "needs ISS stage"),
        ({}, "extramedullary_disease", "needs an answer"),
        (
            {"refractory_to": "lenalidomide"},
            "penta_drug_refractory",
            "needs drugs it is refractory to: proteasome inhibitor (2 more), immunomodulatory drug (1 more) "
            "and anti-CD38 antibody (1 more)",
        ),
        ({"age": 70}, "frail", "0 to 3 points; needs Charlson comorbidity index and ECOG"),
    ],
)  # fmt: skip
def test_an_unknown_trait_says_what_it_needs(values, trait, needs):
    found = traits(**values)[trait]
    assert (found.state, found.value, found.text, found.how) == ("unknown", None, "unknown", needs)


def test_refractoriness_says_to_which_drugs():
    found = traits(refractory_to="len, Velcade, dara", exposed_to="pom")["triple_class_refractory"]
    assert (found.state, found.how) == ("derived", "refractory to bortezomib, lenalidomide and daratumumab")
