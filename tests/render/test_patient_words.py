"""Words of the patient's sheet: there are some for everything the model knows, and they say the same number twice."""

import re
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.comparison import Estimate, PublishedFigure, TraitLine
from bcma_decide.render.sheet import patient_words
from bcma_decide.render.words import language, wording
from bcma_decide.vocabulary import CLASSES, FAMILIES, MODEL_TRAIT_IDS, OUTCOMES
from tests.support.cases import for_each

LANGUAGES = language.languages("patient")
BY_OUTCOME = (patient_words.question, patient_words.meaning, patient_words.outcome_name)


@pytest.fixture(params=LANGUAGES, autouse=True)
def spoken(request):
    with language.speaking(request.param):
        yield request.param


def line(trait, value):
    state = "unknown" if value is None else "given"
    return TraitLine(trait=trait, label="x", state=state, value=value, text="never printed")


@for_each("words", BY_OUTCOME, ids=lambda function: function.__name__)
def test_every_outcome_has_its_own_words(words):
    assert len({words(outcome) for outcome in OUTCOMES}) == len(OUTCOMES) == 18


def test_a_question_asks_and_a_meaning_states():
    for outcome in OUTCOMES:
        assert patient_words.question(outcome).endswith("?")
        assert patient_words.meaning(outcome).endswith(".")
        assert not patient_words.outcome_name(outcome).endswith((".", "?"))


def test_every_trait_has_its_own_name():
    assert len({patient_words.trait_name(trait) for trait in MODEL_TRAIT_IDS}) == len(MODEL_TRAIT_IDS) == 17


def test_every_time_window_of_the_model_has_words():
    horizons = {family.horizon for family in FAMILIES}
    assert len({patient_words.window(horizon) for horizon in horizons}) == len(horizons)


@for_each(
    ("figure", "sentences"),
    [
        (
            {"events": 6, "n": 13},
            ("In one study, it happened to 6 of 13 people.", "In einer Studie traf es 6 von 13 Menschen."),
        ),
        (
            {"rate": 0.33},
            (
                "In one study, it happened to about 33 of 100 people.",
                "In einer Studie traf es etwa 33 von 100 Menschen.",
            ),
        ),
        ({}, ("", "")),
    ],
)
def test_what_was_published_in_the_place_of_a_number(figure, sentences, spoken):
    known = PublishedFigure(text="Words for a clinician", outcome="orr", **figure)
    sentence = dict(zip(("en", "de"), sentences, strict=True))[spoken]
    where = {"en": " Source: doi 10.1000/x.", "de": " Quelle: doi 10.1000/x."}[spoken]
    assert patient_words.counted(known, "doi 10.1000/x") == (sentence + where if sentence else "")
    assert patient_words.counted(known, "") == sentence


@given(mean=st.floats(0, 1), outcome=st.sampled_from(OUTCOMES))
def test_both_ways_sum_to_100_and_say_the_printed_number(mean, outcome):
    text = patient_words.both_ways(outcome, mean)
    assert text.startswith(wording.count(mean)) or wording.count(mean) in text
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    assert numbers.count(100) == 2
    yes, no = (number for number in numbers if number != 100)
    few, most = wording.count(0.0), wording.count(1.0)
    assert (few in text) == (most in text)
    assert yes + no == 100  # below 1 stands beside more than 99: 1 and 99


@given(low=st.floats(0, 1), high=st.floats(0, 1))
def test_an_interval_names_both_ends_as_they_are_printed_elsewhere(low, high):
    text = patient_words.could_be((low, high))
    assert text.index(wording.count(low)) <= text.rindex(wording.count(high))


@pytest.mark.parametrize("value", [True, False])
def test_a_trait_is_yes_or_no(value, spoken):
    words = {"en": ("no", "yes"), "de": ("nein", "ja")}[spoken]
    assert patient_words.trait_value(line("frail", value)) == words[value]


def test_age_and_lines_keep_their_numbers(spoken):
    years = {"en": ("66 years", "1 year"), "de": ("66 Jahre", "1 Jahr")}[spoken]
    assert tuple(patient_words.trait_value(line("age", age)) for age in (66.0, 1.0)) == years
    assert patient_words.trait_value(line("prior_lines", 5.0)) == "5"


def test_the_four_levels_of_certainty_and_none_differ():
    levels = ("very low", "low", "moderate", "high", None)
    assert len({patient_words.sure(level) for level in levels}) == 5


def test_each_reason_for_no_number_has_its_sentence():
    states = ("no_evidence", "too_thin", "not_applicable", "estimated")
    sentences = {patient_words.no_number(Estimate(state=state)) for state in states}
    assert len(sentences) == 4
    assert all(sentence.endswith(".") and not re.search(r"\d", sentence) for sentence in sentences)


def test_the_options_get_the_same_space():
    first, second = (astuple(patient_words.option_words(class_id)) for class_id in CLASSES)
    for one, other in zip(first[1:], second[1:], strict=True):
        assert abs(len(one) - len(other)) <= 0.2 * max(len(one), len(other))
        assert abs(len(re.findall(r"[.!?]", one)) - len(re.findall(r"[.!?]", other))) <= 1


def test_the_texts_about_the_options_hold_no_number():
    for class_id in CLASSES:
        assert not re.search(r"\d", " ".join(astuple(patient_words.option_words(class_id))))
