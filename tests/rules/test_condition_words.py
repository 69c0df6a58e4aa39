"""A condition in words, every shape of it, as it stands beside the patient's value."""

from bcma_decide.logic import Bounds
from bcma_decide.pooled.conditions import Drugs, Every, HadCourse, Is, IsKnown, Not, OneOf, Score, Some, Within
from bcma_decide.pooled.definitions import shipped_definitions
from bcma_decide.rules.condition_words import condition_words
from tests.support.cases import for_each

DIALYSIS, HIV, MDS = Is("dialysis", True), Is("hiv", True), Is("mds", True)
IMIDS = ("lenalidomide", "pomalidomide", "thalidomide")


@for_each(
    ("condition", "words"),
    [
        (Is("dialysis", True), "dialysis"),
        (Is("dialysis", False), "no dialysis"),
        (Is("hiv", True), "HIV positive"),
        (Is("hbsag", False), "HBsAg negative"),
        (IsKnown("hbsag", True), "HBsAg known"),
        (IsKnown("hbsag", False), "HBsAg not known"),
        (OneOf("ecog", (0,)), "ECOG performance status 0"),
        (OneOf("ecog", (0, 1)), "ECOG performance status 0 or 1"),
        (OneOf("iss", (1, 2, 3)), "ISS stage 1, 2 or 3"),
        (OneOf("sex", ("male",)), "sex male"),
        (
            Within("creatinine_clearance", Bounds(below=30), "mL/min"),
            "creatinine clearance below 30 mL/min",
        ),
        (
            Within("ferritin", Bounds(above=400, at_most=2000), "ng/mL"),
            "ferritin above 400 and at most 2000 ng/mL",
        ),
        (Within("age", Bounds(at_least=70), "years"), "age at least 70 years"),
        (Within("prior_lines", Bounds(at_least=3), "lines"), "earlier lines of therapy at least 3"),
        (Within("charlson", Bounds(above=1), "points"), "Charlson comorbidity index above 1"),
        (Drugs("refractory", ("lenalidomide",)), "refractory to lenalidomide"),
        (Drugs("refractory", IMIDS), "refractory to lenalidomide, pomalidomide or thalidomide"),
        (Drugs("exposed", ("lenalidomide",)), "given lenalidomide"),
        (Drugs("exposed", IMIDS, at_least=2), "given 2 or more of lenalidomide, pomalidomide or thalidomide"),
        (Drugs("refractory", drug_class="anti_cd38"), "refractory to anti-CD38 antibody"),
        (
            Drugs("exposed", drug_class="proteasome_inhibitor", at_least=2),
            "given 2 or more of proteasome inhibitor",
        ),
        (HadCourse(("car_t",)), "earlier BCMA CAR-T"),
        (HadCourse(("adc", "bispecific")), "earlier BCMA antibody-drug conjugate or bispecific antibody"),
        (HadCourse(("car_t",), Bounds(below=6)), "earlier BCMA CAR-T, less than 6 months ago"),
        (
            HadCourse(("car_t",), Bounds(at_least=3, below=6)),
            "earlier BCMA CAR-T, at least 3 and less than 6 months ago",
        ),
        (Score("car_hematotox", Bounds(at_least=2)), "CAR-HEMATOTOX at least 2"),
        (Score("of_another_file", Bounds(below=2)), "of_another_file below 2"),
        (Not(DIALYSIS), "not (dialysis)"),
        (Every((DIALYSIS, HIV)), "dialysis and HIV positive"),
        (Some((DIALYSIS, HIV, Not(MDS))), "dialysis or HIV positive or not (earlier MDS or clonal cytopenia)"),
        (Every((Some((DIALYSIS, HIV)), DIALYSIS)), "(dialysis or HIV positive) and dialysis"),
        (Some((Every((DIALYSIS, HIV)), DIALYSIS)), "(dialysis and HIV positive) or dialysis"),
        (Not(Some((DIALYSIS, HIV))), "not (dialysis or HIV positive)"),
    ],
)  # fmt: skip
def test_a_condition_in_words(condition, words):
    assert condition_words(condition, shipped_definitions()) == words
