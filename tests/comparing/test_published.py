"""Numbers that are withheld, and options shown as published: by the shipped evidence."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from bcma_decide import Patient, compare, load_model
from bcma_decide.fhir.writing.bundle import bundle_json, fhir_bundle
from bcma_decide.vocabulary import CLASSES, FAMILY_OF, OUTCOMES
from tests.support.cases import for_each

RESPONSES = ("orr", "vgpr_or_better", "cr_or_better")
SECOND_BISPECIFIC = {
    "age": 63,
    "prior_lines": 6,
    "prior_bcma": "yes",
    "prior_bcma_courses": ["bispecific:2"],
    "progression_on_bcma": "yes",
}
SECOND_CAR_T = SECOND_BISPECIFIC | {"prior_bcma_courses": ["car_t:2"]}
LEUKAEMIA = {"age": 65, "prior_lines": 5, "plasma_cell_leukemia": "yes"}
CNS = {"age": 65, "cns_myeloma": "yes"}
CASES = {
    "second bispecific": (SECOND_BISPECIFIC, {"bite": {"response"}}),
    "second CAR-T": (SECOND_CAR_T, {"car_t": {"response"}}),
    "plasma cell leukaemia": (LEUKAEMIA, {"car_t": {"response"}, "bite": {"response"}}),
    "myeloma of the central nervous system": (
        CNS,
        {"car_t": {"response", "icans", "delayed_neurotoxicity"}, "bite": {"response", "icans"}},
    ),
}
FROM_EVERYBODY = {("delayed_neurotoxicity", "ide-cel")}
"""What no study of the product counts, and its own data contradict what the class gives."""
EACH = pytest.mark.parametrize(("profile", "taken"), CASES.values(), ids=CASES)


def answer(profile, **more):
    return compare(Patient(**profile), explain=OUTCOMES, **more)


def unlimited():
    shipped = load_model()
    return replace(shipped, published=replace(shipped.published, limits=()))


def estimates(found):
    return {
        (outcome.id, option.id): outcome.estimates[option.id] for outcome in found.outcomes for option in found.options
    }


def concerned(found, taken):
    classes = {option.id: option.class_id for option in found.options}
    of_classes = {place for place in estimates(found) if FAMILY_OF[place[0]].id in taken.get(classes[place[1]], ())}
    return of_classes | FROM_EVERYBODY


@EACH
def test_a_limit_takes_the_number_of_every_option_of_its_class_and_of_nothing_else(profile, taken):
    found, free = answer(profile), answer(profile, pooled=unlimited())
    gone = concerned(found, taken)
    assert {place for place, estimate in estimates(found).items() if estimate.state == "withheld"} == gone
    kept = estimates(free)
    for place, estimate in estimates(found).items():
        if place in gone:
            assert estimate.reason
            numbers = (estimate.mean, estimate.median, estimate.credible, estimate.prediction, estimate.from_decision)
            assert numbers == (None,) * 5
            assert estimate.waterfall == ()
        else:
            assert estimate == kept[place]


@EACH
def test_there_is_no_contrast_where_a_side_is_withheld_and_it_says_why(profile, taken):
    for outcome in answer(profile).outcomes:
        without = [each for each in ("car_t", "bite") if outcome.estimates[each].state == "withheld"]
        if without:
            assert outcome.contrast is None
            assert all(outcome.estimates[each].reason in outcome.contrast_reason for each in without)


def floats(plain):
    if isinstance(plain, dict):
        for value in plain.values():
            yield from floats(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from floats(value)
    elif isinstance(plain, float):
        yield plain


@EACH
def test_a_withheld_number_stands_nowhere_in_the_answer(profile, taken):
    """Not in contrasts, moves or explanations; another estimate may have the same six decimals by chance."""
    found, free = answer(profile), answer(profile, pooled=unlimited())
    hidden = set()
    for place in concerned(free, taken):
        estimate = estimates(free)[place]
        if estimate.mean is not None:
            of_decision = [estimate.from_decision.mean] if estimate.from_decision else []
            hidden |= {estimate.mean, estimate.median, *estimate.credible, *estimate.prediction, *of_decision}
    assert len(hidden) > 10
    others = [e for place, e in estimates(found).items() if place not in concerned(found, taken)]
    by_chance = {value for estimate in others for value in floats(estimate.model_dump(mode="json"))}
    assert not (hidden - by_chance) & set(floats(found.model_dump(mode="json")))
    moves = {(move.outcome, move.option) for unknown in found.unknowns for move in unknown.moves}
    assert not moves & concerned(found, taken)


@EACH
def test_a_withheld_number_is_no_prediction_in_fhir(profile, taken):
    shipped = load_model()
    found = compare(Patient(**profile))
    bundle = json.loads(bundle_json(fhir_bundle(found, shipped.codes, recorded=datetime(2026, 11, 29, tzinfo=UTC))))
    labels = {outcome.id: outcome.label for outcome in found.outcomes}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "RiskAssessment":
            option = resource["code"]["coding"][0]["code"]
            written = {each["outcome"]["text"] for each in resource["prediction"]}
            assert not written & {labels[o] for o, p in concerned(found, taken) if p == option}


def test_the_published_counts_stand_in_the_place_of_the_number():
    """15 of 45 with teclistamab and 6 of 13 with elranatamab (US series of plasma cell leukaemia)."""
    estimate = estimates(answer(LEUKAEMIA))["orr", "teclistamab"]
    assert [(figure.events, figure.n) for figure in estimate.published] == [(15, 45), (6, 13), (None, None)]
    assert "15 of 45 (33 %)" in estimate.published[0].text
    assert "median 3.2 months" in estimate.published[2].text


def test_figures_stand_with_the_family_they_are_of():
    found = estimates(answer(CNS))
    assert [figure.outcome for figure in found["icans_any", "car_t"].published] == ["icans_g3plus"]
    assert [figure.outcome for figure in found["delayed_neurotoxicity", "cilta-cel"].published] == [
        "delayed_neurotoxicity"
    ]
    assert found["orr", "bite"].published == ()


@pytest.mark.parametrize("left_out", ["progression_on_bcma", "prior_bcma_courses", "prior_bcma"])
def test_a_condition_that_cannot_be_judged_changes_nothing(left_out):
    profile = {key: value for key, value in SECOND_BISPECIFIC.items() if key not in ("prior_bcma", left_out)}
    limited = left_out == "prior_bcma"  # the course itself says it
    states = {estimate.state for place, estimate in estimates(answer(profile)).items() if place[0] == "orr"}
    assert ("withheld" in states) is limited


@for_each(("drug", "class_id"), [("teclistamab", "bite"), ("elranatamab", "bite"), ("idecabtagene vicleucel", "car_t")])
def test_disease_refractory_to_one_of_a_class_is_a_limit_however_long_ago_it_was_given(drug, class_id):
    estimates = compare(Patient(age=63, refractory_to=[drug])).outcomes[0].estimates
    other = next(each for each in CLASSES if each != class_id)
    assert estimates[class_id].state == "withheld"
    assert estimates[class_id].published
    assert estimates[other].state == "estimated"


def test_an_earlier_course_longer_ago_is_no_limit():
    profile = SECOND_BISPECIFIC | {"prior_bcma_courses": ["bispecific:6"]}
    assert estimates(answer(profile))["orr", "teclistamab"].state == "estimated"


def test_everything_cited_is_among_the_references_once():
    for profile, _ in CASES.values():
        found = answer(profile)
        keys = [reference.key for reference in found.references]
        assert len(set(keys)) == len(keys)
        cited = {key for estimate in estimates(found).values() for key in estimate.sources}
        cited |= {key for e in estimates(found).values() for figure in e.published for key in figure.sources}
        cited |= {key for option in found.published_options for key in option.sources}
        cited |= {key for option in found.published_options for figure in option.figures for key in figure.sources}
        assert cited <= set(keys)


def shown(region, day=None):
    found = compare(Patient(age=70), region=region, date=day)
    return {option.id: option for option in found.published_options}


def test_a_labelled_combination_is_shown_as_published():
    """MajesTEC-3: response 259 of 291, CR 238 of 291; 83.4 % without progression at 36 months."""
    option = shown("US")["teclistamab-daratumumab"]
    counts = {figure.outcome: (figure.events, figure.n) for figure in option.figures}
    assert counts["orr"] == (259, 291)
    assert counts["cr_or_better"] == (238, 291)
    texts = " | ".join(figure.text for figure in option.figures)
    assert "83.4 % at 36 months (78.2 to 87.4)" in texts
    assert "1 to 3 prior lines" in option.note
    assert "34.5 months" in option.study


def test_a_count_of_which_a_part_is_only_recalled_is_a_share_alone():
    """The 283 of the safety set were not seen, the 60.1 % were."""
    figure = next(f for f in shown("US")["teclistamab-daratumumab"].figures if f.outcome == "crs_any")
    assert (figure.events, figure.n, figure.rate) == (None, None, 0.601)


def test_a_published_option_is_shown_where_its_label_is_in_force():
    assert set(shown("US")) == {"teclistamab-daratumumab"}
    assert set(shown("US", date(2026, 3, 4))) == set()
    assert set(shown("EU")) == set()
    assert set(shown("China")) == {"eque-cel", "zevor-cel"}


def test_an_age_beyond_those_studied_leaves_no_number_of_its_class():
    """CAR-T was studied up to 83 years, the bispecific antibodies up to 92."""
    states = {place: estimate.state for place, estimate in estimates(compare(Patient(age=88, prior_lines=4))).items()}
    assert {state for (_, option), state in states.items() if option in ("car_t", "ide-cel", "cilta-cel")} == {
        "withheld"
    }
    assert states["orr", "teclistamab"] == "estimated"
    assert states["orr", "bite"] == "estimated"
