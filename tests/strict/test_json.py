"""What is no text and no number is refused with its line, or kept for a field to refuse by its own name."""

import json

import pytest

from bcma_decide.strict.json import NoNumberError, RepeatedNameError, strict_json
from tests.support.cases import for_each


@for_each(
    "text",
    ['{"a":\n "x\\ud83e"}', '{"a":\n "\\udd16x"}', '{"a":\n "\\ud83e\\ud83e"}', '{"a":\n"\ud83e"}', '{\n"\\ud83e": 1}'],
)
def test_half_of_a_letter_is_refused_with_its_line(text):
    with pytest.raises(json.JSONDecodeError, match="half of a letter") as found:
        strict_json(text)
    assert found.value.lineno == 2
    assert strict_json(text, keep_no_numbers=True)


@for_each(
    ("text", "value"), [('"\\ud83e\\udd16"', "\U0001f916"), ('"\\\\ud83e"', "\\ud83e"), ('"\U0001f916"', "\U0001f916")]
)
def test_a_whole_letter_is_read_however_it_is_written(text, value):
    assert strict_json(text) == value


def test_numbers_that_are_none_names_that_stand_twice_and_numbers_beyond_all():
    with pytest.raises(NoNumberError):
        strict_json('{"a": NaN}')
    with pytest.raises(RepeatedNameError):
        strict_json('{"a": 1, "a": 2}')
    assert strict_json("9" * 5000) == "9" * 5000
    with pytest.raises(RecursionError):
        strict_json("[" * 100_000)
