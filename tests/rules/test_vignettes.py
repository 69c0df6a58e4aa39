"""Patients as they come, and what a specialist expects beside the numbers: findings, labels, lines of one screen."""

from __future__ import annotations

from functools import cache

import pytest

from bcma_decide import Patient, compare
from bcma_decide.render.sheet.clinician_view import banners
from bcma_decide.render.words.finding_lines import finding_lines, open_count
from bcma_decide.render.words.rule_view import label_heading, label_text, shown_labels
from bcma_decide.vocabulary import SEVERITIES
from tests.support.cases import for_each

NO_IMID = ["lenalidomide", "pomalidomide", "thalidomide"]
PENTA = ["lenalidomide", "daratumumab", "bortezomib"]
PROFILES = {
    "early-line": ("US", {"age": 55, "prior_lines": 1, "refractory_to": ["lenalidomide"],
                          "exposed_to": ["daratumumab", "bortezomib"], "ecog": 0,
                          "progression_on_last_therapy": "yes"}),
    "active-infection": ("US", {"age": 68, "prior_lines": 4, "refractory_to": PENTA, "active_infection": "yes"}),
    "low-counts-before-start": ("US", {"age": 62, "prior_lines": 5, "refractory_to": PENTA,
                                       "neutrophils": "0.4 10^9/L", "platelets": "25 10^9/L", "hemoglobin": "7.9 g/dL",
                                       "crp": "45 mg/L", "ferritin": "1800 ng/mL"}),
    "pregnancy-40": ("US", {"age": 40, "sex": "female", "prior_lines": 2, "refractory_to": ["lenalidomide"],
                            "exposed_to": ["bortezomib", "daratumumab"], "plasma_cell_leukemia": "yes",
                            "pregnancy": "yes", "igg": "150 mg/dL"}),
    "woman-of-79": ("US", {"age": 79, "sex": "female", "prior_lines": 4, "ecog": 2,
                           "creatinine_clearance": "23 mL/min"}),
    "unfit-81": ("US", {"age": 81, "prior_lines": 4, "ecog": 3, "too_unfit_for_car_t": "yes", "refractory_to": PENTA}),
    "after-teclistamab": ("US", {"age": 61, "prior_lines": 5, "refractory_to": [*PENTA, "teclistamab"],
                                 "prior_bcma_courses": ["bispecific:2"], "progression_on_bcma": "yes",
                                 "progression_on_last_therapy": "yes"}),
    "germany-three-lines": ("EU", {"age": 64, "prior_lines": 3,
                                   "refractory_to": ["lenalidomide", "daratumumab", "carfilzomib"],
                                   "progression_on_last_therapy": "yes"}),
    "parkinson": ("US", {"age": 70, "prior_lines": 4, "refractory_to": PENTA, "movement_disorder": "yes", "ecog": 1}),
    "viral-status-unknown": ("US", {"age": 60, "prior_lines": 4, "refractory_to": PENTA}),
}  # fmt: skip
PRODUCTS = {"car_t": {"ide-cel", "cilta-cel"}, "bite": {"teclistamab", "elranatamab", "linvoseltamab"}}


@cache
def answer(name, region=None):
    own, profile = PROFILES[name]
    return compare(Patient.read(profile), region=region or own)


def fired(name, subject, region=None):
    """Findings of a state that fire."""
    return [each for each in answer(name, region).findings if each.subject == subject and each.state == "fires"]


def concerned(findings):
    """Products that findings speak of, those of a whole class one by one."""
    found = set()
    for each in findings:
        product = each.applies_to.get("product")
        found |= {product} if product else PRODUCTS[each.applies_to["class"]]
    return found


def lines(name, region=None):
    return [line.text for line in finding_lines(answer(name, region))]


@for_each("name", PROFILES)
def test_lines_fit_and_stand_gravest_first_with_the_unverified_last(name):
    found = finding_lines(answer(name))
    ranks = [(not line.verified, SEVERITIES.index(line.severity)) for line in found]
    assert ranks == sorted(ranks)
    assert all(line.text and len(line.text) <= 72 for line in found)
    assert len({line.text for line in found}) == len(found)
    firing = {each.id for each in answer(name).findings if each.state == "fires"}
    assert {each for line in found for each in line.ids} == firing


@for_each("region", ["US", "EU"])
def test_active_infection_is_one_finding_of_one_rank_for_all_five(region):
    found = fired("active-infection", "active_infection", region)
    assert {each.severity for each in found} == {"contraindication"}
    assert {each.basis for each in found} == {"verified"}
    assert concerned(found) == PRODUCTS["car_t"] | PRODUCTS["bite"]
    assert lines("active-infection", region)[0] == "Active infection: start waits, all products"
    assert sum("ctive infection" in line for line in lines("active-infection", region)) == 1


def test_low_counts_rule_nothing_out_and_weigh_alike_on_both_classes():
    found = answer("low-counts-before-start").findings
    assert [each.id for each in found if each.state == "fires" and each.severity == "contraindication"] == []
    held = [each for each in found if each.phase == "during" and each.state == "fires"]
    assert {each.severity for each in held} == {"information"}
    assert "during treatment" in held[0].short
    cautions = [each for each in fired("low-counts-before-start", "neutropenia") if each.severity == "caution"]
    assert concerned(cautions) == PRODUCTS["car_t"] | PRODUCTS["bite"]
    platelets = fired("low-counts-before-start", "low_platelets")  # 25 is the limit itself for elranatamab
    assert concerned(platelets) == (PRODUCTS["car_t"] | PRODUCTS["bite"]) - {"elranatamab"}
    verified = [each for each in fired("low-counts-before-start", "neutropenia")
                if each.severity == "caution" and each.basis == "verified"]  # fmt: skip
    assert {each.applies_to["class"] for each in verified} == {"car_t", "bite"}
    assert {each.applies_to["class"] for each in fired("low-counts-before-start", "car_hematotox_high")} == {"car_t"}


@for_each("region", ["US", "EU"])
def test_pregnancy_is_a_finding_for_every_product(region):
    found = fired("pregnancy-40", "pregnancy", region)
    assert concerned(each for each in found if each.severity == "caution") == PRODUCTS["car_t"] | PRODUCTS["bite"]
    graver = [each for each in found if each.severity == "contraindication"]
    assert concerned(graver) == ({"ide-cel", "cilta-cel", "linvoseltamab"} if region == "EU" else set())
    assert ("Products differ" in found[0].note) is (region == "EU")


def test_plasma_cell_leukaemia_has_published_figures_and_no_computed_number():
    (response,) = (each for each in answer("pregnancy-40").outcomes if each.id == "orr")
    assert {each.state for each in response.estimates.values()} == {"withheld"}
    said = " ".join(figure.text for each in response.estimates.values() for figure in each.published)
    assert "15 of 45" in said
    assert "9 of 12" in said


@for_each(
    ("age", "sex", "asked"), [(79, "female", False), (40, "male", False), (40, "female", True), (79, None, False)]
)
def test_pregnancy_is_asked_only_where_it_can_be(age, sex, asked):
    patient = Patient(age=age, prior_lines=4) if sex is None else Patient(age=age, sex=sex, prior_lines=4)
    found = compare(patient)
    assert any(each.subject == "pregnancy" for each in found.findings) is asked
    open_states = {each.subject or each.id for each in found.findings if each.state == "cannot_be_judged"}
    assert open_count(found) == len(open_states)


def test_ecog_2_and_a_clearance_of_23_are_said_for_both_classes():
    for subject in ("ecog_2", "low_clearance"):
        found = [each for each in fired("woman-of-79", subject) if each.severity == "caution"]
        assert {each.applies_to["class"] for each in found} == {"car_t", "bite"}, subject
    kidney = fired("woman-of-79", "renal_impairment")
    assert {each.applies_to["class"] for each in kidney} == {"car_t", "bite"}
    assert any("fludarabine not given" in line for line in lines("woman-of-79"))


def test_few_patients_of_ecog_3_is_said_of_both_classes():
    found = fired("unfit-81", "ecog_3")
    assert {(each.applies_to["class"], each.severity) for each in found} == {("car_t", "caution"), ("bite", "caution")}
    assert "ECOG 3 or more: next to no patients in the trials of both classes" in lines("unfit-81")
    assert not any("no source seen for elranatamab" in line for line in lines("unfit-81"))


def test_after_teclistamab_another_one_has_no_number_and_other_targets_are_named():
    (response,) = (each for each in answer("after-teclistamab").outcomes if each.id == "orr")
    for option in ("bite", "teclistamab", "elranatamab", "linvoseltamab"):
        assert response.estimates[option].state == "withheld"
        assert any("33 %" in figure.text for figure in response.estimates[option].published)
    (early,) = fired("after-teclistamab", "bcma_within_6_months")[:1]
    assert (early.applies_to, early.severity) == ({"class": "car_t"}, "caution")
    assert any("GPRC5D" in line and "not compared" in line for line in lines("after-teclistamab")[:6])


def test_a_german_answer_goes_item_by_item_and_says_what_is_old_and_what_waits():
    found = answer("germany-three-lines")
    assert {
        name: found.indications[name].state for name in sorted(PRODUCTS["car_t"] | PRODUCTS["bite"])
    } == dict.fromkeys(sorted(PRODUCTS["car_t"] | PRODUCTS["bite"]), "met")
    assert len(found.indications["ide-cel"].items) == 5
    rows = dict(shown_labels(found))
    assert "positive opinion 2026-06-25" in label_text(rows["Teclistamab with daratumumab"])
    for name in ("Ide-cel", "Cilta-cel", "Teclistamab", "Elranatamab", "Linvoseltamab"):
        assert label_text(rows[name]).endswith("seen 2026-07, older than 3 months")
    assert "older than 3 months" in label_heading(found)
    assert "Teclistamab with daratumumab: pending in EU, opinion 2026-06-25" in lines("germany-three-lines")


def test_a_label_seen_lately_is_not_called_old():
    """The US label of linvoseltamab was seen unchanged on 28 October 2026, 25 days before."""
    assert answer("early-line").indications["linvoseltamab"].aged_months is None
    assert answer("early-line").indications["ide-cel"].aged_months == 3


def test_a_movement_disorder_says_whom_it_concerns():
    found = [each for each in fired("parkinson", "movement_disorder") if each.severity == "caution"]
    assert concerned(found) == {"cilta-cel"}
    assert "concerns patients with a movement disorder" in found[0].text
    silent = [each for each in fired("parkinson", "movement_disorder") if each.severity == "information"]
    assert concerned(silent) == {"ide-cel"} | PRODUCTS["bite"]


@for_each("name", ["viral-status-unknown", "early-line", "parkinson"])
def test_tests_for_viruses_are_one_line_for_all(name):
    found = [line for line in finding_lines(answer(name)) if "HIV" in line.text]
    assert [(line.text, line.ids, line.classes) for line in found] == [
        ("HIV, HBV, HCV: to be tested before the start, all products", ("infection.tests-open",), ("car_t", "bite"))
    ]


def test_one_line_of_therapy_is_on_the_labels_of_two():
    found = answer("early-line").indications
    states = {name: found[name].state for name in PRODUCTS["car_t"] | PRODUCTS["bite"]}
    assert states == {
        "cilta-cel": "met", "ide-cel": "not_met", "teclistamab": "not_met", "elranatamab": "not_met",
        "linvoseltamab": "not_met",
    }  # fmt: skip
    assert [(each.regimen, each.state) for each in found["teclistamab"].other_regimens] == [("with daratumumab", "met")]
    assert not [each.id for each in answer("early-line").findings if each.id.startswith("contradiction")]


def test_nothing_is_asked_for_products_that_are_on_no_label_of_this_patient():
    still = {each.applies_to.get("product") for each in answer("early-line").findings
             if each.state == "cannot_be_judged"}  # fmt: skip
    assert still & {"ide-cel", "elranatamab", "linvoseltamab"} == set()
    assert "cilta-cel" in still


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"prior_lines": 1, "naive_to": NO_IMID, "refractory_to": ["bortezomib"]}, True),
        ({"prior_lines": 4, "refractory_to": PENTA}, False),
        ({"prior_lines": 4, "refractory_to": PENTA, "active_infection": "yes"}, True),
        ({"prior_lines": 4, "refractory_to": PENTA, "plasma_cell_leukemia": "yes"}, True),
    ],
)
def test_what_lies_outside_is_named_where_neither_class_is_left(values, named):
    """Off every label, ruled out for the time being, or without a number in both classes."""
    found = compare(Patient.read({"age": 60, **values}))
    texts = [line.text for line in finding_lines(found)]
    assert ("Outside this comparison: other targets (talquetamab), trials" in texts) is named


def test_no_banner_calls_a_true_input_contradictory():
    """One line of therapy is beyond the central range of the studies and labels are old: neither is a contradiction."""
    assert banners(answer("early-line")) == ()
    assert banners(answer("germany-three-lines")) == ()
