"""The order of therapies: both plans of one patient, by the shipped evidence and by changed books."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bcma_decide import Patient, compare, load_model
from bcma_decide.comparing.order_evidence import nearest_first
from bcma_decide.comparing.order_history import Earlier
from bcma_decide.comparing.order_steps import Moment, step_difference
from bcma_decide.comparison import result_json
from bcma_decide.facts.traits import derive
from bcma_decide.logic import Bounds
from bcma_decide.model.numbers import patient_numbers
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.vocabulary import CLASSES

NEITHER = {"age": 70, "prior_lines": 5, "prior_bcma": "no"}
ON_TECLISTAMAB = {
    "age": 66,
    "prior_lines": 5,
    "prior_bcma_courses": ["bispecific:2"],
    "refractory_to": ["teclistamab"],
    "progression_on_bcma": "yes",
}
AFTER_IDE_CEL = {
    "age": 66,
    "prior_lines": 5,
    "prior_bcma_courses": ["car_t:14"],
    "exposed_to": ["idecabtagene vicleucel"],
}
PROFILES = {
    "nothing known": {},
    "neither": NEITHER,
    "on teclistamab": ON_TECLISTAMAB,
    "after ide-cel": AFTER_IDE_CEL,
    "both": {"prior_bcma_courses": ["car_t:20", "bispecific:3"]},
    "contradiction": {"prior_bcma": "no", "prior_bcma_courses": ["car_t:9"]},
}
EACH = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)


def plans(profile, **more):
    found = compare(Patient(**profile), order=True, **more).order_of_therapies
    return found, {plan.id: plan.steps for plan in found.plans}


def response(profile, option, **more):
    found = compare(Patient(**profile), **more)
    return next(outcome for outcome in found.outcomes if outcome.id == "orr").estimates[option]


def counted(count, first="bispecific", second="car_t"):
    """The shipped evidence with so many patients who had that order."""
    shipped = load_model()
    entries = tuple(
        replace(entry, of_whom={**entry.of_whom, first: count}) if entry.class_id == second else entry
        for entry in shipped.order.entries
    )
    return replace(shipped, order=replace(shipped.order, entries=entries))


def test_it_is_there_only_where_it_was_asked_for():
    assert compare(Patient(**NEITHER)).order_of_therapies is None


@EACH
def test_it_changes_nothing_else_but_adds_its_references(profile):
    without, found = compare(Patient(**profile)), compare(Patient(**profile), order=True)
    kept = {"order_of_therapies": None, "references": without.references}
    assert found.model_copy(update=kept) == without
    keys = {reference.key for reference in found.references}
    order = found.order_of_therapies
    assert {key for entry in order.evidence for figure in entry.figures for key in figure.sources} <= keys
    assert {key for finding in order.findings for key in finding.sources} <= keys


@EACH
def test_the_same_question_gives_the_same_bytes(profile):
    first, second = (result_json(compare(Patient(**profile), order=True)) for _ in range(2))
    assert first == second


@EACH
def test_a_next_therapy_has_the_number_of_the_table(profile):
    found, by_id = plans(profile)
    assert len(found.plans) == 2
    for steps in by_id.values():
        for step in steps:
            if step.when != "now":
                continue
            estimate = response(profile, step.option)
            if estimate.state == "estimated":
                given = (step.response.mean, step.response.credible, step.response.prediction)
                assert given == (estimate.mean, estimate.credible, estimate.prediction)
            else:
                assert (step.response.kind, step.response.mean) == ("not_known", None)
                assert step.response.reason == estimate.reason


def test_a_bispecific_after_car_t_is_that_of_a_patient_with_one_more_line_and_earlier_bcma_therapy():
    """US consortium: of 193 given teclistamab after BCMA therapy 99 had CAR-T only and 36 CAR-T and a conjugate."""
    _, by_id = plans(NEITHER)
    second = by_id["car_t-then-bite"][1]
    assert load_model().order.counted("car_t", "bite") == 99 + 36
    later = response({"age": 70, "prior_lines": 6, "prior_bcma_courses": ["car_t"]}, "bite")
    assert second.response.kind == "computed"
    assert (second.response.mean, second.response.credible) == (later.mean, later.credible)
    now = by_id["bite-then-car_t"][0].response
    assert second.than_now.mean == pytest.approx(second.response.mean - now.mean, abs=2e-6)
    low, high = second.than_now.interval
    assert low < second.than_now.mean < high < 0
    assert second.than_now.probability_first_higher < 0.025


def test_the_time_after_the_second_is_the_published_one_of_the_nearest_patients():
    """Blood Adv 2024;8:2207: 3.6 months (1.4 to not reached); CARTITUDE-2 cohort C: 9.1 months (1.5 to not reached)."""
    _, by_id = plans(NEITHER)
    bispecific, car_t = by_id["car_t-then-bite"][1].pfs, by_id["bite-then-car_t"][1].pfs
    assert (bispecific.kind, bispecific.published.median_months, bispecific.published.interval) == (
        "published",
        3.6,
        (1.4, None),
    )
    assert (car_t.kind, car_t.published.median_months, car_t.published.interval) == ("published", 9.1, (1.5, None))
    assert bispecific.median_months is car_t.median_months is None


def test_car_t_after_a_bispecific_has_no_computed_number_but_its_published_counts():
    """CARTITUDE-2 cohort C: response in 12 of 20, 7 of them after a bispecific antibody."""
    found, by_id = plans(NEITHER)
    step = by_id["bite-then-car_t"][1]
    assert (step.response.kind, step.response.mean, step.products, step.than_now) == ("published", None, (), None)
    assert (step.response.published.events, step.response.published.n) == (12, 20)
    assert step.response.reason.startswith("only 7 patients")
    assert found.second_steps is None
    assert "CAR-T: only 7 patients" in found.second_steps_reason


def test_a_second_of_the_same_class_right_after_progression_has_no_number():
    _, by_id = plans(ON_TECLISTAMAB)
    given, second = by_id["bite-then-bite"]
    assert (given.when, given.months_since, given.given, given.response) == ("had", 2, ("teclistamab",), None)
    assert (second.response.kind, second.response.mean, second.response.published) == ("not_known", None, None)
    assert second.response.reason.startswith("Right after progression on a bispecific antibody")
    assert second.products == ()
    assert "bispecific-after-bispecific-trial-patients" in second.evidence


def test_where_one_was_given_the_plans_begin_with_it_and_few_are_marked():
    """FUMANBA-1: 12 patients had a CAR-T before; 135 of the US consortium had one before teclistamab."""
    found, by_id = plans(AFTER_IDE_CEL)
    assert set(by_id) == {"car_t-then-car_t", "car_t-then-bite"}
    assert {steps[0].given for steps in by_id.values()} == {("ide-cel",)}
    assert by_id["car_t-then-car_t"][1].response.few == 12
    assert by_id["car_t-then-bite"][1].response.few is None
    contrast = next(each for each in compare(Patient(**AFTER_IDE_CEL)).outcomes if each.id == "orr").contrast
    assert found.second_steps.mean == contrast.risk_difference.mean
    assert found.second_steps.interval == contrast.risk_difference.interval
    assert found.second_steps.probability_first_higher == contrast.probability_first_higher
    assert {plan.reason for plan in found.plans} == {None}


def test_an_interval_rule_stands_only_where_it_can_hold():
    """Razzo 2025 speaks of less than nine months: not of the patient at fourteen, open in a plan."""
    rule = "sequence.car-t-within-9-months-teclistamab"
    assert rule not in plans(AFTER_IDE_CEL)[1]["car_t-then-bite"][1].findings
    recent = AFTER_IDE_CEL | {"prior_bcma_courses": ["car_t:5"]}
    assert rule in plans(recent)[1]["car_t-then-bite"][1].findings
    assert rule in plans(NEITHER)[1]["car_t-then-bite"][1].findings


def test_regional_rules_stand_only_in_their_region():
    rule = "sequence.prior-bcma-cilta-cel-eu"
    assert rule in plans(NEITHER, region="EU")[1]["bite-then-car_t"][1].findings
    assert rule not in plans(NEITHER, region="US")[1]["bite-then-car_t"][1].findings


@pytest.mark.parametrize(("count", "kind"), [(19, "published"), (20, "computed")])
def test_a_step_is_computed_from_twenty_patients_with_that_order_on(count, kind):
    found, by_id = plans(NEITHER, pooled=counted(count))
    assert by_id["bite-then-car_t"][1].response.kind == kind
    assert (found.second_steps is None) == (kind == "published")


def test_two_computed_second_steps_differ_by_their_difference_and_mirror():
    found, by_id = plans(NEITHER, pooled=counted(20))
    first, second = by_id["car_t-then-bite"][1].response, by_id["bite-then-car_t"][1].response
    assert found.second_steps.mean == pytest.approx(first.mean - second.mean, abs=2e-6)
    pooled = load_model()
    moments = []
    for kind in ("car_t", "bispecific"):
        numbers = patient_numbers(
            pooled.response_alone,
            derive(Patient(age=70, prior_lines=6, prior_bcma_courses=[kind]), pooled.definitions),
            "real_world",
        )
        moments.append(Moment(numbers, {}, Earlier(kind)))
    one, other = (moments[0], "bite"), (moments[1], "car_t")
    there, back = step_difference(one, other), step_difference(other, one)
    assert there.mean == -back.mean
    assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]), abs=2e-6)
    assert there.probability_first_higher == pytest.approx(1.0 - back.probability_first_higher, abs=2e-6)
    assert there.interval == pytest.approx(found.second_steps.interval, abs=2e-6)


def test_earlier_bcma_therapy_is_counted_once():
    """After a conjugate the model takes no more off for a CAR-T before the bispecific, so that no loss is shown."""
    conjugate = {"age": 70, "prior_lines": 5, "prior_bcma_courses": ["adc:20"]}
    found, by_id = plans(conjugate)
    assert set(by_id) == {"car_t-then-bite", "bite-then-car_t"}
    assert [step.than_now for steps in by_id.values() for step in steps] == [None] * 4
    assert any("counts it once" in note for note in found.notes)
    assert by_id["car_t-then-bite"][0].response.few == 13


def test_of_an_unknown_history_it_says_so():
    assert any("is not known" in note and "averaged" in note for note in plans({"age": 70})[0].notes)
    assert not any("averaged" in note for note in plans(NEITHER)[0].notes)


@pytest.mark.parametrize("name", example_names())
def test_no_recalled_figure_reaches_an_answer_and_either_is_not_known(name):
    """CARTITUDE-2 cohort C by kind (4 of 7, 8 of 13) and MagnetisMM pooled (39 of 86) are recalled only."""
    found = compare(load_example(name), order=True).order_of_therapies
    shown = {(figure.events, figure.n) for entry in found.evidence for figure in entry.figures}
    assert not shown & {(4, 7), (8, 13), (39, 86), (37, 50), (16, 29), (8, 15)}
    assert {entry.basis for entry in found.evidence} <= {"verified", "derived"}
    assert all(plan.responds_to_either is None for plan in found.plans)


@EACH
def test_the_time_without_progression_of_a_next_therapy_is_that_of_its_computed_row(profile):
    found = compare(Patient(**profile), order=True)
    rows = {row.option: row for row in found.survival if (row.endpoint, row.kind) == ("pfs", "computed")}
    steps = [step for plan in found.order_of_therapies.plans for step in plan.steps]
    for step in steps:
        row = rows[step.option]
        if step.when == "after":
            assert step.pfs.kind in ("published", "not_known")
        elif step.when == "now" and row.state == "estimated":
            assert (step.pfs.kind, step.pfs.median_months) == ("computed", row.median_months)
        elif step.when == "now":
            assert (step.pfs.kind, step.pfs.median_months, step.pfs.reason) == ("not_known", None, row.reason)


def test_the_nearest_interval_and_product_of_the_first_stand_first():
    book = load_model().order
    (entry,) = (each for each in book.entries if each.id == "bispecific-after-car-t-one-centre")
    late = replace(entry, id="late", months=Bounds(at_least=12))
    early = replace(entry, id="early", months=Bounds(below=12))
    same = replace(entry, id="same", first_products=("ide-cel",))
    other = replace(entry, id="other", first_products=("cilta-cel",))
    changed = replace(book, entries=(other, early, entry, same, late))
    before = Earlier("car_t", 14, ("ide-cel",))
    order = [each.id for each in nearest_first(changed, before, "bite")]
    assert order == ["late", "same", entry.id, "other", "early"]


def test_both_classes_are_treated_alike():
    """With as many patients after a bispecific as after CAR-T, the other plan has the same kinds of field."""
    _, by_id = plans(NEITHER, pooled=counted(135))
    one, other = by_id["car_t-then-bite"], by_id["bite-then-car_t"]
    for mine, theirs in zip(one, other, strict=True):
        assert (mine.when, mine.response.kind, mine.pfs.kind) == (theirs.when, theirs.response.kind, theirs.pfs.kind)
    assert {steps[0].option for steps in by_id.values()} == set(CLASSES)
