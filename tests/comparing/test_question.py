"""What is asked can be written down and read again to the same comparison, byte for byte."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.comparing.compare import answer_question, compare, load_pooled
from bcma_decide.comparing.question import Question
from bcma_decide.comparison import Comparison, InputLine, RecordLedger, result_json
from bcma_decide.errors import ProfileError
from bcma_decide.fhir.reading.reader import read_bundle
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.stated_weights import Weights
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.support.places import RECORDS as BUNDLES

DAY = date(2026, 11, 26)


def again(asked):
    return Question.read(asked.written(), load_pooled().definitions)


@for_each("name", example_names())
def test_a_profile_gives_the_same_bytes_again(name):
    patient, pooled = load_example(name), load_pooled()
    asked = Question(patient=patient, setting="interventional", region="EU", date=DAY, explain=("orr",))
    expected = compare(patient, setting="interventional", region="EU", date=DAY, explain=("orr",), pooled=pooled)
    assert again(asked) == asked
    assert again(asked).written() == asked.written()
    assert result_json(answer_question(again(asked), pooled)) == result_json(expected)


@for_each("path", sorted(BUNDLES.glob("*.json")), ids=lambda path: path.stem)
@for_each("infer", [False, True])
def test_a_record_gives_the_same_bytes_again_ledger_included(path, infer):
    pooled = load_pooled()
    reading = read_bundle(json.loads(path.read_text("utf-8")), pooled.codes, pooled.definitions, DAY, infer=infer)
    asked = Question(patient=reading.patient, date=DAY, record=reading.ledger)
    expected = compare(reading.patient, date=DAY, pooled=pooled, record=reading.ledger)
    assert expected.profile.inputs
    assert result_json(answer_question(again(asked), pooled)) == result_json(expected)


def test_what_is_written_is_small_sorted_and_ascii():
    """By hand: unknown fields, and what is asked for as it is by default, are left out."""
    asked = Question(patient=Patient(age=71, ferritin="850 ug/L", weeks_since_last_therapy="never"))
    assert asked.written() == (
        '{"patient":{"age":71,"ferritin":{"unit":"ng/mL","value":850.0},"weeks_since_last_therapy":"never"}}'
    )


@for_each(
    ("asked", "field"),
    [
        ({"clock": "nope"}, "clock"),
        ({"clock": None}, "clock"),
        ({"date": 3}, "date"),
        ({"date": "2026-13-01"}, "date"),
        ({"pair": ("car_t",)}, "pair"),
        ({"region": None}, "region"),
        ({"order": None}, "order"),
        ({"explain": (3,)}, "explain"),
        ({"record": 3}, "record"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_name(asked, field):
    """Else it would stand in a document that its own schema does not allow."""
    with pytest.raises(ProfileError, match="what is asked cannot be used") as caught:
        compare(Patient(), **asked)
    assert [problem.field for problem in caught.value.problems] == [field]


def test_plain_data_stands_for_a_profile_a_day_a_pair_and_weights():
    weights = {"criteria": [{"criterion": "orr", "points": 1}]}
    plain = compare({"age": 71}, date="2026-11-26", pair=["car_t", "bite"], weights=weights)
    pair = ("car_t", "bite")
    assert plain == compare(Patient(age=71), date=DAY, pair=pair, weights=Weights.model_validate(weights))
    assert Comparison.model_validate_json(plain.model_dump_json()) == plain


@given(text=st.text(st.characters(exclude_categories=["Cs"])), age=st.none() | st.integers(0, 10**6))
@examples(100)
def test_whatever_a_record_says_comes_back(text, age):
    """Line ends and NUL too, which a column of text in PostgreSQL does not take as they are."""
    line = InputLine(field="", label=text, text=text, state="note", age_days=age)
    asked = Question(patient=Patient(), record=RecordLedger(inputs=(line,), date=DAY))
    assert asked.written().isascii()
    assert asked.written().isprintable()
    assert again(asked) == asked
