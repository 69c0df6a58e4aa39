"""Files of nothing but fields: whatever is read of one without the YAML library, that library reads the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import ProfileError
from bcma_decide.patient.files import example_names, example_path, template
from bcma_decide.strict.scalars import flat_fields
from bcma_decide.strict.yaml import read_yaml

KEYS = st.sampled_from(["age", "hb", "n", "yes", "null", "ldh-uln", "a_1", "<<", "1", "Age", "-a", "? a"])
WRITTEN = (
    "no", "null", "~", "true", "1.5", "012", "1_000", "0x1f", "1e3", "1:30", "2026-11-22", "> 1", ">= 1", "15 %",
    "10^9/L", "a: b", "a #b", "a# b", "[a, b]", "[a, null]", "[a,]", "[a b]", "[]", "{a: b}", "- a", "&a b", "*a",
    "!x a",
    "'a'", '"a"', "|", "a\n  b", "", " ", "a ", "@a", "`a", "%a", "a,", "1e400", "a\tb", "4 -", "é", "\u00a0", "9" * 60,
)  # fmt: skip
VALUES = st.sampled_from(WRITTEN) | st.text(alphabet="ab1 .,:#[]{}'\"-+<>=%^/\n\t", max_size=12)
LINES = st.one_of(
    st.builds("{}: {}".format, KEYS, VALUES), st.builds("{}:{}".format, KEYS, VALUES), VALUES.map("# {}".format), VALUES
)


@given(st.lists(LINES, max_size=5).map("\n".join))
def test_what_it_reads_is_what_the_library_reads(text):
    fields = flat_fields(text)
    if fields is not None:
        assert repr(fields) == repr(read_yaml(text, error=ProfileError))


@pytest.mark.parametrize("name", example_names())
def test_examples_are_read_the_same(name):
    text = example_path(name).read_text(encoding="utf-8")
    assert flat_fields(text) in (None, read_yaml(text))


def test_a_file_of_fields_needs_no_library():
    text = example_path("fit-58").read_text(encoding="utf-8")
    assert flat_fields(text) == read_yaml(text)


def test_the_template_as_it_stands_needs_none():
    assert flat_fields(template()) == read_yaml(template())
