"""What a judgement carries beside its value: the words it rests on, what is missing, and the fields both come from."""

from bcma_decide.facts.traits import derive
from bcma_decide.logic import Bounds
from bcma_decide.patient.profile import Patient
from bcma_decide.pooled.conditions import Drugs, Every, HadCourse, Is, IsKnown, Not, OneOf, Score, Some, Within
from bcma_decide.pooled.definitions import shipped_definitions
from tests.support.cases import for_each

BELOW_45 = Within("creatinine_clearance", Bounds(below=45), "mL/min")
COURSES = "prior_bcma_courses"
KIDNEY = {"age": 70, "weight": "70 kg", "creatinine": "1.36 mg/dL"}
"""Cockcroft-Gault: 70 x 70 / (72 x 1.36) = 50.04 mL/min, in women 0.85 of it = 42.5."""


def judged(condition, **values):
    return derive(Patient(**values), shipped_definitions()).facts.judge(condition)


def test_a_trait_that_is_not_known_is_missing():
    assert judged(Is("dialysis", True)) == (None, (), ("dialysis",), ())
    assert judged(Is("high_risk_cytogenetics", True)) == (None, (), ("del(17p)", "t(4;14)", "t(14;16)"), ())
    assert judged(Is("iss_3", True)) == (None, (), ("ISS stage",), ())
    assert judged(Is("iss_3", True), albumin="3 g/dL") == (None, (), ("beta-2 microglobulin",), ())


@for_each(
    ("condition", "values", "expected"),
    [
        (Is("dialysis", True), {"dialysis": "yes"}, (True, ("dialysis: yes",), (), ("dialysis",))),
        (Is("dialysis", False), {"dialysis": "yes"}, (False, ("dialysis: yes",), (), ("dialysis",))),
        (Not(Is("dialysis", True)), {"dialysis": "yes"}, (False, ("dialysis: yes",), (), ("dialysis",))),
        (Is("hbsag", True), {"hbsag": "no"}, (False, ("HBsAg: negative",), (), ("hbsag",))),
        (
            Is("high_risk_cytogenetics", True),
            {"t_4_14": "yes"},
            (True, ("high-risk cytogenetics: yes (t(4;14) present)",), (), ("t_4_14",)),
        ),
        (
            Is("high_risk_cytogenetics", True),
            {"high_risk_cytogenetics": "yes", "t_4_14": "yes"},
            (True, ("high-risk cytogenetics: yes (t(4;14) present)",), (), ("high_risk_cytogenetics", "t_4_14")),
        ),
        (
            Is("high_risk_cytogenetics", False),
            {"high_risk_cytogenetics": "no"},
            (True, ("high-risk cytogenetics: no",), (), ("high_risk_cytogenetics",)),
        ),
        (IsKnown("hbsag", True), {"hbsag": "no"}, (True, ("HBsAg: known",), (), ())),
        (IsKnown("hbsag", True), {}, (False, ("HBsAg: not known",), (), ())),
        (IsKnown("hbsag", False), {}, (True, ("HBsAg: not known",), (), ())),
        (IsKnown("hbsag", False), {"hbsag": "yes"}, (False, ("HBsAg: known",), (), ())),
        (OneOf("sex", ("male",)), {"sex": "female"}, (False, ("sex: female",), (), ("sex",))),
        (OneOf("sex", ("male",)), {"sex": "male"}, (True, ("sex: male",), (), ("sex",))),
        (OneOf("sex", ("male",)), {}, (None, (), ("sex",), ())),
        (OneOf("ecog", (0, 1)), {"ecog": 1}, (True, ("ECOG performance status 1",), (), ("ecog",))),
        (OneOf("ecog", (0, 1)), {"ecog": 2}, (False, ("ECOG performance status 2",), (), ("ecog",))),
        (OneOf("ecog", (0, 1)), {}, (None, (), ("ECOG performance status",), ())),
    ],
)
def test_an_answer_is_told_with_where_it_comes_from(condition, values, expected):
    assert judged(condition, **values) == expected


@for_each(
    ("values", "expected"),
    [
        ({}, (None, (), ("creatinine clearance",), ())),
        (
            {"creatinine_clearance": 44},
            (True, ("creatinine clearance 44 mL/min",), (), ("creatinine_clearance",)),
        ),
        (
            {"creatinine_clearance": 45},
            (False, ("creatinine clearance 45 mL/min",), (), ("creatinine_clearance",)),
        ),
        (
            {**KIDNEY, "sex": "male"},
            (
                False,
                ("creatinine clearance 50 mL/min (Cockcroft-Gault from age, body weight, creatinine and sex)",),
                (),
                ("age", "weight", "creatinine", "sex"),
            ),
        ),
        (
            KIDNEY,
            (
                None,
                (
                    "creatinine clearance 42.5 to 50 mL/min "
                    "(Cockcroft-Gault from age, body weight, creatinine; sex not known)",
                ),
                ("sex",),
                ("age", "weight", "creatinine"),
            ),
        ),
    ],
    ids=["not known", "below", "at the limit", "worked out", "worked out for either sex"],
)
def test_a_number_is_told_with_where_it_comes_from(values, expected):
    assert judged(BELOW_45, **values) == expected


@for_each(
    ("trait", "value", "text"),
    [
        ("prior_lines", 4, "earlier lines of therapy 4"),
        ("charlson", 2, "Charlson comorbidity index 2"),
        ("karnofsky", 80, "Karnofsky performance status 80"),
        ("age", 71, "age 71 years"),
        ("iss", 2, "ISS stage II"),
    ],
)
def test_what_its_label_counts_is_not_said_again_by_a_unit(trait, value, text):
    assert judged(Within(trait, Bounds(at_least=1)), **{trait: value}) == (True, (text,), (), (trait,))


@for_each(
    ("condition", "values"),
    [
        (BELOW_45, {"creatinine_clearance": 90, "dialysis": "yes"}),
        (Is("frail", True), {"frail": "no", "ecog": 4}),
        (Score("simplified_frailty", Bounds(at_least=2)), {"frail": "no", "ecog": 4}),
        (OneOf("iss", (3,)), {"iss": 1, "r_iss": 3}),
        (HadCourse(("adc",)), {"prior_bcma": "no", "prior_bcma_courses": "adc"}),
        (HadCourse(("adc",)), {"prior_bcma": "no", "exposed_to": "belamaf"}),
        (Drugs("exposed", ("teclistamab",)), {"prior_bcma": "no", "prior_bcma_courses": "adc"}),
        (Drugs("exposed", ("talquetamab",)), {"prior_t_cell_redirection": "no", "prior_bcma_courses": "car_t"}),
        (
            Drugs("refractory", drug_class="anti_cd38"),
            {"triple_class_refractory": "no", "penta_drug_refractory": "yes"},
        ),
        (Drugs("refractory", drug_class="anti_cd38"), {"penta_drug_refractory": "yes", "prior_lines": 1}),
    ],
)
def test_what_contradicts_itself_is_judged_as_not_given(condition, values):
    assert judged(condition, **values) == judged(condition)
    assert judged(condition).value is None


def test_what_contradicts_itself_elsewhere_does_not_touch_other_drugs():
    found = judged(Drugs("exposed", ("selinexor",)), prior_bcma="no", prior_bcma_courses="adc", exposed_to="selinexor")
    assert found == (True, ("given selinexor",), (), ("exposed_to",))


@for_each(
    ("condition", "values", "expected"),
    [
        (
            Drugs("refractory", ("lenalidomide", "pomalidomide")),
            {"refractory_to": "lenalidomide"},
            (True, ("refractory to lenalidomide",), (), ("refractory_to",)),
        ),
        (
            Drugs("refractory", ("lenalidomide", "pomalidomide")),
            {"exposed_to": "lenalidomide", "naive_to": "pomalidomide"},
            (False, ("not refractory to lenalidomide or pomalidomide",), (), ("exposed_to", "naive_to")),
        ),
        (
            Drugs("refractory", ("lenalidomide", "pomalidomide")),
            {"exposed_to": "lenalidomide"},
            (None, (), ("lenalidomide or pomalidomide (refractory or not)",), ()),
        ),
        (
            Drugs("exposed", ("lenalidomide",)),
            {},
            (None, (), ("lenalidomide (given or not)",), ()),
        ),
        (
            Drugs("exposed", ("lenalidomide",)),
            {"refractory_to": "lenalidomide"},
            (True, ("given lenalidomide",), (), ("refractory_to",)),
        ),
        (
            Drugs("exposed", ("lenalidomide",)),
            {"naive_to": "lenalidomide"},
            (False, ("not given lenalidomide",), (), ("naive_to",)),
        ),
        (
            Drugs("refractory", drug_class="anti_cd38"),
            {},
            (None, (), ("anti-CD38 antibody (refractory or not)",), ()),
        ),
        (
            Drugs("refractory", drug_class="anti_cd38"),
            {"triple_class_refractory": "yes"},
            (True, ("triple-class refractory: yes",), (), ("triple_class_refractory",)),
        ),
        (
            Drugs("refractory", drug_class="proteasome_inhibitor", at_least=2),
            {"triple_class_refractory": "yes"},
            (None, (), ("proteasome inhibitor (refractory or not)",), ()),
        ),
        (
            Drugs("refractory", drug_class="proteasome_inhibitor", at_least=2),
            {"penta_drug_refractory": "yes"},
            (True, ("penta-drug refractory: yes",), (), ("penta_drug_refractory",)),
        ),
        (
            Drugs("exposed", ("teclistamab", "belantamab mafodotin")),
            {"prior_bcma": "no"},
            (False, ("earlier BCMA therapy: no",), (), ("prior_bcma",)),
        ),
        (
            Drugs("exposed", ("talquetamab", "teclistamab")),
            {"prior_t_cell_redirection": "no"},
            (False, ("earlier T-cell redirection: no",), (), ("prior_t_cell_redirection",)),
        ),
        (
            Drugs("exposed", ("talquetamab", "teclistamab")),
            {"prior_bcma": "no"},
            (None, (), ("talquetamab or teclistamab (given or not)",), ()),
        ),
        (
            Drugs("exposed", ("talquetamab", "teclistamab")),
            {"prior_bcma": "no", "naive_to": "talquetamab"},
            (False, ("earlier BCMA therapy: no",), (), ("prior_bcma",)),
        ),
    ],
)
def test_drugs_are_told_by_name_with_the_heading_they_stand_under(condition, values, expected):
    assert judged(condition, **values) == expected


@for_each(
    ("condition", "values", "expected"),
    [
        (HadCourse(("car_t",)), {}, (None, (), ("earlier BCMA CAR-T",), ())),
        (
            HadCourse(("car_t",)),
            {"prior_bcma_courses": "car_t:7"},
            (True, ("earlier CAR-T (7 months ago)",), (), (COURSES,)),
        ),
        (
            HadCourse(("car_t",)),
            {"prior_bcma_courses": "car_t"},
            (True, ("earlier CAR-T (time unknown)",), (), (COURSES,)),
        ),
        (
            HadCourse(("car_t",), Bounds(below=6)),
            {"prior_bcma_courses": "car_t:7"},
            (False, ("earlier CAR-T (7 months ago)",), (), (COURSES,)),
        ),
        (
            HadCourse(("car_t",), Bounds(below=6)),
            {"prior_bcma_courses": "car_t"},
            (None, (), ("time since the BCMA CAR-T",), ()),
        ),
        (
            HadCourse(("car_t",), Bounds(below=6)),
            {"prior_bcma_courses": ["car_t:7", "car_t:2"]},
            (True, ("earlier CAR-T (2 months ago)",), (), (COURSES,)),
        ),
        (
            HadCourse(("adc", "car_t"), Bounds(below=6)),
            {"prior_bcma_courses": "car_t:7"},
            (None, ("earlier CAR-T (7 months ago)",), ("earlier BCMA antibody-drug conjugate",), (COURSES,)),
        ),
        (
            HadCourse(("bispecific",)),
            {"exposed_to": "teclistamab"},
            (True, ("teclistamab given",), (), ("exposed_to",)),
        ),
        (
            HadCourse(("bispecific",), Bounds(below=6)),
            {"exposed_to": "teclistamab"},
            (None, (), ("time since the BCMA bispecific antibody",), ()),
        ),
        (
            HadCourse(("bispecific",)),
            {"exposed_to": "talquetamab"},
            (None, (), ("earlier BCMA bispecific antibody",), ()),
        ),
        (
            HadCourse(("adc",), Bounds(below=6)),
            {"naive_to": "belamaf"},
            (False, ("belantamab mafodotin never given",), (), ("naive_to",)),
        ),
        (
            HadCourse(("car_t", "adc"), Bounds(below=6)),
            {"prior_bcma": "no"},
            (False, ("earlier BCMA therapy: no",), (), ("prior_bcma",)),
        ),
        (
            HadCourse(("car_t",)),
            {"prior_t_cell_redirection": "no"},
            (False, ("earlier T-cell redirection: no",), (), ("prior_t_cell_redirection",)),
        ),
        (HadCourse(("adc",)), {"prior_t_cell_redirection": "no"},
         (None, (), ("earlier BCMA antibody-drug conjugate",), ())),
    ],
)  # fmt: skip
def test_courses_are_told_with_their_time(condition, values, expected):
    assert judged(condition, **values) == expected


@for_each(
    ("values", "expected"),
    [
        ({}, (None, (), ("age", "Charlson comorbidity index", "ECOG"), ())),
        ({"age": 81}, (True, ("Simplified frailty index 2 to 5",), (), ("age",))),
        ({"age": 70}, (None, ("Simplified frailty index 0 to 3",), ("Charlson comorbidity index", "ECOG"), ("age",))),
        (
            {"age": 70, "ecog": 0, "charlson": 0},
            (False, ("Simplified frailty index 0",), (), ("age", "charlson", "ecog")),
        ),
    ],
)
def test_a_score_is_told_as_far_as_it_is_settled(values, expected):
    assert judged(Score("simplified_frailty", Bounds(at_least=2)), **values) == expected


def test_of_several_parts_those_that_settle_it_speak():
    either = Some((Is("dialysis", True), Is("hiv", True), Is("mds", True)))
    assert judged(either, dialysis="no", hiv="yes") == (True, ("HIV: positive",), (), ("hiv",))
    assert judged(either, dialysis="no") == (
        None,
        ("dialysis: no",),
        ("HIV", "earlier MDS or clonal cytopenia"),
        ("dialysis",),
    )
    both = Every((Is("dialysis", True), Is("hiv", True), Is("mds", True)))
    assert judged(both, dialysis="yes", hiv="no") == (False, ("HIV: negative",), (), ("hiv",))
    assert judged(both, dialysis="yes") == (
        None,
        ("dialysis: yes",),
        ("HIV", "earlier MDS or clonal cytopenia"),
        ("dialysis",),
    )
    twice = Every((Is("dialysis", True), Is("dialysis", True)))
    assert judged(twice) == (None, (), ("dialysis",), ())
    assert judged(twice, dialysis="yes") == (True, ("dialysis: yes",), (), ("dialysis",))


def test_an_open_number_is_no_claim():
    """Between the ends of women and men nothing is said, so that nothing can contradict the answer given."""
    found = derive(Patient(**KIDNEY, renal_impairment="no"), shipped_definitions())
    assert found.contradictions == ()
    assert (found["renal_impairment"].value, found["renal_impairment"].how) == (False, "given")
