"""The answer as values and as bytes: rounded throughout, laid out in pieces as it would be as a whole, read again."""

import json
from itertools import product
from math import copysign
from typing import Annotated, get_args, get_origin, get_type_hints

import msgspec
import pytest

from bcma_decide import Comparison, Patient, compare, load_pooled
from bcma_decide.comparing.question import Question
from bcma_decide.comparison import result_bytes, result_json
from bcma_decide.patient.files import load_example
from bcma_decide.time_course import StateShares, SurvivalTime
from bcma_decide.value import Number, Value, all_rounded, rounded
from bcma_decide.vocabulary import EXPLAINED

RICH = "extramedullary-66-high-risk"
EVERYTHING = {"explain": EXPLAINED, "order": True, "pair": ("cilta-cel", "teclistamab"), "clock": "decision"}
ELSEWHERE = {"region": "EU", "setting": "trial"}


@pytest.fixture(scope="module")
def answers():
    pooled = load_pooled()
    patients = [Patient(), load_example(RICH, pooled.definitions)]
    return [compare(patient, pooled=pooled, **asked) for patient, asked in product(patients, (EVERYTHING, ELSEWHERE))]


def numbers(value):
    if isinstance(value, Value):
        value = [getattr(value, name) for name in value.__struct_fields__]
    elif isinstance(value, dict):
        value = value.values()
    if isinstance(value, float):
        yield value
    elif not isinstance(value, str):
        try:
            yield from (number for each in value for number in numbers(each))
        except TypeError:  # a single thing that is no number
            return


def shapes(base=Value):
    for each in base.__subclasses__():
        yield each
        yield from shapes(each)


def holds_numbers(kind):
    return kind == Number or any(holds_numbers(each) for each in get_args(kind) if get_origin(kind) is not Annotated)


def test_no_number_leaves_unrounded(answers):
    for number in numbers(answers):
        assert type(number) is float
        assert number == round(number, 6)
        assert number or copysign(1.0, number) == 1.0


def test_the_document_in_pieces_is_the_document_as_a_whole(answers):
    for answer in answers:
        whole = msgspec.json.format(msgspec.json.encode(answer), indent=2) + b"\n"
        assert result_bytes(answer) == whole == result_json(answer).encode()
        assert result_bytes(answer) == whole  # its pieces are kept by now
        plain = answer.model_dump(mode="json")
        assert json.loads(whole) == json.loads(answer.model_dump_json()) == plain == json.loads(json.dumps(plain))


def test_what_is_written_is_read_again(answers):
    for answer in answers:
        assert Comparison.model_validate_json(result_bytes(answer)) == answer
        assert Comparison.model_validate(answer.model_dump()) == answer


def test_a_word_that_is_none_of_the_list_is_not_read(answers):
    text = answers[0].model_dump_json()
    with pytest.raises(ValueError, match="state"):
        Comparison.model_validate_json(text.replace('"state":"estimated"', '"state":"guessed"', 1))
    with pytest.raises(ValueError, match="unknown field"):
        Comparison.model_validate_json(text.replace('"evidence":', '"guess":1,"evidence":', 1))


def test_fields_of_numbers_are_told_by_the_names_of_their_types():
    """Their names are read, their types are not: the two have to say the same."""
    for shape in set(shapes()) - {Question, SurvivalTime, StateShares}:
        hints = get_type_hints(shape, include_extras=True)
        by_type = {name for name in vars(shape)["__annotations__"] if holds_numbers(hints[name])}
        rounding = vars(shape).get("__post_init__")
        assert by_type == {name for cell in getattr(rounding, "__closure__", ()) for name in cell.cell_contents}, shape


@pytest.mark.parametrize("value", [0.1234565, 1e-7, -1e-9, 0.0, 3, 1234.5678915, 0.5, -2.0000005])
def test_a_number_is_rounded_alone_as_among_many(value):
    np = pytest.importorskip("numpy")
    assert rounded(value) == pytest.approx(value, abs=5.1e-7)
    assert all_rounded(np.array([[value, 1.0]])) == [[rounded(value), 1.0]]
    assert str(rounded(value)) == str(all_rounded(np.array([value]))[0])
