"""The way from the decision to the treatment in the answer: shares that add up, both clocks, published counts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bcma_decide import Patient, compare, load_model
from bcma_decide.comparing.compare import answer_question
from bcma_decide.comparing.question import Question
from bcma_decide.comparison import result_json
from bcma_decide.vocabulary import CLASSES

PROFILES = {
    "nothing known": {},
    "with extramedullary disease": {"age": 66, "extramedullary_disease": "yes", "prior_lines": 4},
    "fit": {"age": 58, "extramedullary_disease": "no", "high_risk_cytogenetics": "no", "prior_bcma": "no"},
}
EACH = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)


def answer(profile, **more):
    return compare(Patient(**profile), **more)


def ways(found):
    return {way.option: way for way in found.ways}


def rows(found):
    return {row.option: row for row in found.survival if row.kind == "computed"}


@EACH
def test_every_option_has_its_way_and_shares_that_add_up_to_one(profile):
    found = answer(profile)
    assert [option.id for option in found.options] == [way.option for way in found.ways]
    for way in found.ways:
        assert bool(way.states) != bool(way.reason)
        for state in way.states:
            parts = (state.waiting, state.not_infused, state.free, state.progressed_or_died)
            assert all(part >= 0 for part in parts)
            assert sum(Decimal(str(part)) for part in parts) == 1


@EACH
def test_free_of_progression_from_the_decision_is_waiting_or_treated_and_free(profile):
    """Landmark of the survival row and state of the way are one number; a bispecific's are both from the first dose."""
    found = answer(profile)
    for option in found.options:
        way, row = ways(found)[option.id], rows(found)[option.id]
        if not way.states:
            continue
        last = way.states[-1]
        times = row.from_decision.times if option.class_id == "car_t" else row.times
        assert (last.month, times[0].month) == (6.0, 6.0)
        assert times[0].mean == pytest.approx(last.waiting + last.free, abs=2e-6)
        if option.class_id == "bite":
            assert row.from_decision is None
            assert {(state.waiting, state.not_infused) for state in way.states} == {(0.0, 0.0)}
            assert (way.infused, way.weeks, way.months_assumed) == (None, (), None)
        else:
            assert way.states[0].waiting == 1.0


@EACH
def test_the_chance_of_infusion_is_that_of_the_row_of_those_never_infused(profile):
    found = answer(profile)
    row = next(outcome for outcome in found.outcomes if outcome.id == "apheresed_not_infused")
    for option, way in ways(found).items():
        if way.infused:
            estimate = row.estimates[option]
            assert 1 - estimate.mean == pytest.approx(way.infused.mean, abs=2e-6)
            assert [1 - end for end in reversed(estimate.credible)] == pytest.approx(way.infused.credible, abs=2e-6)
    assert {"car_t", "cilta-cel", "ide-cel"} == {option for option, way in ways(found).items() if way.infused}


def test_published_counts_and_weeks():
    """CARTITUDE-4: 14 of 44 with and 18 of 164 without extramedullary disease not infused, 44 days (25 to 127), 10
    died waiting; Sidana 2025: 19 of 255; KarMMa-3: 24 of 249 not infused, 17 of 254 died never infused, 49 days."""
    found = ways(answer({}))
    counts = {(row.events, row.n) for row in found["cilta-cel"].published}
    assert {(14, 44), (18, 164), (32, 208), (19, 255), (16, 113), (6, 212), (0, 208), (10, 208)} == counts
    counts = {(row.events, row.n) for row in found["ide-cel"].published}
    assert {(24, 249), (17, 254), (3, 249), (12, 140), (36, 386)} <= counts
    (weeks,) = found["cilta-cel"].weeks
    assert pytest.approx((weeks.median, *weeks.range), abs=1e-6) == (44 / 7, 25 / 7, 127 / 7)
    assert weeks.n == 176
    assert [week.median for week in found["ide-cel"].weeks] == [49 / 7, 42 / 7]
    assert pytest.approx(found["cilta-cel"].months_assumed, abs=1e-6) == 44 / (365.25 / 12)
    assert [weeks.population for weeks in found["car_t"].weeks] == ["CARTITUDE-4", "KarMMa-3"]


def test_extramedullary_disease_keeps_more_from_the_infusion_and_lowers_what_follows():
    with_it, without = (answer({"extramedullary_disease": value}) for value in ("yes", "no"))
    for option in ("car_t", "cilta-cel", "ide-cel"):
        first, second = ways(with_it)[option], ways(without)[option]
        assert first.infused.mean < second.infused.mean - 0.05
        for sick, well in zip(first.states[1:], second.states[1:], strict=True):
            assert sick.not_infused > well.not_infused
            assert sick.waiting + sick.free < well.waiting + well.free
        for sick, well in zip(rows(with_it)[option].from_decision.times, rows(without)[option].from_decision.times):  # noqa: B905
            assert sick.mean < well.mean


def test_every_source_of_the_way_is_cited():
    found = answer({})
    keys = {key for way in found.ways for row in (*way.weeks, *way.published) for key in row.sources}
    assert "cartitude-4:S23" in keys
    assert keys <= {reference.key for reference in found.references}


def test_the_clock_changes_no_number():
    infusion, decision = answer({"age": 70}), answer({"age": 70}, clock="decision")
    assert (infusion.clock, decision.clock) == ("infusion", "decision")
    assert infusion == decision.model_copy(update={"clock": "infusion"})
    assert result_json(infusion).replace('"clock": "infusion"', '"clock": "decision"') == result_json(decision)


def test_the_clock_is_part_of_the_question_that_is_kept():
    pooled = load_model()
    question = Question(patient=Patient(age=70), clock="decision")
    assert '"clock":"decision"' in question.written()
    assert "clock" not in Question(patient=Patient(age=70)).written()
    again = Question.read(question.written(), pooled.definitions)
    assert result_json(answer_question(again, pooled)) == result_json(answer_question(question, pooled))


def test_what_takes_survival_away_takes_the_shares_away():
    """Plasma cell leukaemia withholds response and survival, not the chance of infusion; an age beyond all withholds
    that too."""
    for profile, chance in (({"plasma_cell_leukemia": "yes"}, True), ({"age": 97}, False)):
        found = answer(profile)
        for option in found.options:
            way, row = ways(found)[option.id], rows(found)[option.id]
            assert way.states == ()
            assert row.from_decision is None
            if row.state == "withheld":
                assert row.reason == way.reason
            assert (way.infused is not None) == (chance and option.class_id == CLASSES[0])


def test_an_option_without_a_curve_says_why():
    way = ways(answer({}))["linvoseltamab"]
    assert way.states == ()
    assert rows(answer({}))["linvoseltamab"].reason == way.reason
