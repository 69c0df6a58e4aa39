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


@for_each(
    ("values", "fields", "disputed", "message"),
    [
        (
            {"high_risk_cytogenetics": "no", "del_17p": "yes"},
            ("high_risk_cytogenetics", "del_17p"),
            ("high_risk_cytogenetics",),
            "High-risk cytogenetics: yes (del(17p) present), but also no (said directly)",
        ),
        (
            {"high_risk_cytogenetics": "yes", "del_17p": "no", "t_4_14": "no", "t_14_16": "no"},
            ("high_risk_cytogenetics", "del_17p", "t_4_14", "t_14_16"),
            ("high_risk_cytogenetics",),
            "High-risk cytogenetics: yes (said directly), but also no (del(17p), t(4;14) and t(14;16) absent)",
        ),
        (
            {"high_risk_cytogenetics": "no", "del_17p": "yes", "t_4_14": "yes", "t_14_16": "no"},
            ("high_risk_cytogenetics", "del_17p", "t_4_14"),
            ("high_risk_cytogenetics",),
            "High-risk cytogenetics: yes (del(17p) and t(4;14) present), but also no (said directly)",
        ),
        (
            {"penta_drug_refractory": "yes", "naive_to": "daratumumab, isatuximab"},
            ("naive_to", "penta_drug_refractory"),
            ("triple_class_refractory", "penta_drug_refractory"),
            "Triple-class refractory: yes (penta-drug refractory: yes), but also no "
            "(not refractory to daratumumab and isatuximab (anti-CD38 antibody: 1 needed))",
        ),
        (
            {"penta_drug_refractory": "yes", "triple_class_refractory": "no"},
            ("triple_class_refractory", "penta_drug_refractory"),
            ("triple_class_refractory", "penta_drug_refractory"),
            "Triple-class refractory: yes (penta-drug refractory: yes), but also no (said directly)",
        ),
        (
            {"penta_drug_refractory": "yes", "naive_to": "lenalidomide"},
            ("penta_drug_refractory", "naive_to"),
            ("penta_drug_refractory",),
            "Penta-drug refractory: yes (said directly), but also no (lenalidomide never given)",
        ),
        (
            {"penta_drug_refractory": "yes", "prior_lines": 1},
            ("prior_lines", "penta_drug_refractory"),
            ("prior_lines", "penta_drug_refractory"),
            "1 earlier line of therapy, but penta-drug refractory takes at least 2",
        ),
        (
            {"prior_bcma": "no", "prior_bcma_courses": "adc"},
            ("prior_bcma", "prior_bcma_courses"),
            ("prior_bcma",),
            "Earlier BCMA therapy: yes (earlier course of antibody-drug conjugate (time unknown)), "
            "but also no (said directly)",
        ),
        (
            {"prior_bcma": "no", "exposed_to": "belantamab mafodotin"},
            ("prior_bcma", "exposed_to"),
            ("prior_bcma",),
            "Earlier BCMA therapy: yes (belantamab mafodotin given), but also no (said directly)",
        ),
        (
            {"prior_t_cell_redirection": "no", "prior_bcma_courses": "car_t:7"},
            ("prior_t_cell_redirection", "prior_bcma_courses"),
            ("prior_t_cell_redirection",),
            "Earlier T-cell redirection: yes (earlier course of CAR-T (7 months ago)), but also no (said directly)",
        ),
        (
            {"r_iss": 3, "iss": 1},
            ("iss", "r_iss"),
            ("iss_3", "r_iss_3"),
            "ISS stage III: yes (R-ISS stage III means ISS stage III), but also no (ISS stage I)",
        ),
        (
            {"r_iss": 1, "iss": 3},
            ("iss", "r_iss"),
            ("iss_3",),
            "ISS stage III: yes (ISS stage III), but also no (R-ISS stage I means ISS stage I)",
        ),
        (
            {"dialysis": "yes", "creatinine_clearance": 90},
            ("creatinine_clearance", "dialysis"),
            ("renal_impairment",),
            "Renal impairment: yes (dialysis), but also no "
            "(creatinine clearance 90 mL/min; cut-off: below 45 mL/min, or dialysis)",
        ),
        (
            {"frail": "no", "age": 82},
            ("frail", "age"),
            ("frail",),
            "Frail: yes (2 to 5 points: age 82 years (2); yes from 2 points), but also no (said directly)",
        ),
        (
            {"refractory_to": "bortezomib", "naive_to": "bortezomib"},
            ("refractory_to", "naive_to"),
            (),
            "bortezomib stands under 'refractory to' and 'never given'",
        ),
    ],
)
def test_both_sides_are_told_with_what_they_follow_from(values, fields, disputed, message):
    found = traits(**values)
    assert messages(found) == [(fields, disputed, message)]
    for trait in disputed:
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
        frail="no",
        age=82,
    )
    assert [each.traits for each in found.contradictions] == [(), ("high_risk_cytogenetics",), ("frail",)]
    assert found.contradicted == {"high_risk_cytogenetics", "frail"}


def test_of_two_contradictions_of_one_trait_the_first_is_told():
    found = traits(penta_drug_refractory="yes", prior_lines=1, naive_to="lenalidomide")
    assert len(found.contradictions) == 2
    assert found["penta_drug_refractory"].how == f"contradiction: {found.contradictions[0].message}"


@for_each(
    ("values", "expected"),
    [
        ({"high_risk_cytogenetics": "no", "del_17p": "yes"}, {"high_risk_cytogenetics": PART, "del_17p": PART}),
        ({"frail": "no", "age": 82}, {"age": USED, "frail": PART}),
        ({"r_iss": 1, "iss": 3}, {"iss": PART, "r_iss": USED}),
        ({"r_iss": 3, "iss": 1}, {"iss": PART, "r_iss": PART}),
        (
            {"prior_t_cell_redirection": "no", "prior_bcma_courses": "car_t:7"},
            {"prior_bcma_courses": USED, "prior_t_cell_redirection": PART},
        ),
        ({"penta_drug_refractory": "yes", "prior_lines": 1}, {"penta_drug_refractory": USED, "prior_lines": PART}),
        ({"refractory_to": "bortezomib", "naive_to": "bortezomib"}, {"refractory_to": PART, "naive_to": PART}),
    ],
    ids=["no trait is left", "the age still counts", "R-ISS I still says not R-ISS III", "both stages are disputed",
         "the course is still earlier BCMA therapy", "triple-class refractory still follows", "one drug, two headings"],
)  # fmt: skip
def test_a_field_counts_where_another_trait_still_follows_from_it(values, expected):
    found = traits(**values)
    assert notes(found) == expected
    assert {line.field: line.used for line in found.ledger} == {name: note == USED for name, note in expected.items()}


def test_what_a_disputed_number_was_worked_out_from_stays_known_to_the_rules():
    """(140 - 80) x 40 / (72 x 2) = 16.7 mL/min is below 45: it speaks against the answer, its inputs do not."""
    found = traits(renal_impairment="no", age=80, weight="40 kg", creatinine="2 mg/dL", sex="male")
    assert found.contradicted == {"renal_impairment"}
    assert found.facts.disputed == {"renal_impairment", "creatinine_clearance"}
    assert found["age"].value == 80


def test_a_disputed_number_that_was_given_is_unknown_to_the_rules():
    found = traits(renal_impairment="no", creatinine_clearance=30)
    assert found.facts.disputed == {"renal_impairment", "creatinine_clearance"}


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
