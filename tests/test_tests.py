"""The tests themselves: their kinds, their helpers, and that a table of cases fails when a case does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import for_each
from tests.support.examples import FACTORS, PROFILE, examples
from tests.support.kinds import KINDS, PLACES, kind_of
from tests.support.places import ROOT

TESTS = ROOT / "tests"
MODULES = sorted(path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py"))
ON_THEIR_OWN = ("support", "golden", "mutation", "fuzz", "benchmarks", "load")
"""Folders that hold other modules than tests: helpers, and tools with the tests of them."""


def test_every_test_here_has_one_kind(request):
    for item in request.session.items:
        kinds = {mark.name for mark in item.iter_markers()} & KINDS.keys()
        assert len(kinds) == 1, (item.nodeid, kinds)


def test_every_module_has_one_kind_and_every_place_is_there():
    assert {kind_of(module) for module in MODULES} <= KINDS.keys()
    assert [place for place in PLACES if not (TESTS / place).exists()] == []


def test_the_kinds_are_the_markers(pytestconfig):
    listed = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    assert KINDS.keys() | {"slow", "sample", "nightly"} <= listed


def test_helpers_stand_out_of_the_way_of_tests():
    between = [
        path.relative_to(TESTS).as_posix()
        for path in TESTS.rglob("*.py")
        if not path.name.startswith("test_") and path.name not in ("__init__.py", "conftest.py")
        and not set(path.relative_to(TESTS).parts) & set(ON_THEIR_OWN)
    ]  # fmt: skip
    assert between == []


def test_no_test_module_is_imported_by_another():
    lent = [
        (path.relative_to(TESTS).as_posix(), line)
        for path in TESTS.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(from|import) tests\.(\w+\.)*test_", line)
    ]
    assert lent == []


def test_a_sample_is_slow():
    """A sample that is not slow would be no choice among the slow ones, unless it is a test of several databases."""
    marked = []
    for module in MODULES:
        text = (TESTS / module).read_text(encoding="utf-8")
        if "mark.sample" in text and "mark.slow" not in text and "mark.nightly" not in text:
            marked.append(module)
    assert marked == []


@pytest.mark.parametrize("name", sorted(FACTORS))
def test_every_profile_tries_at_least_as_much_as_the_plain_one(name):
    assert FACTORS[name] >= FACTORS["plain"]


def test_the_profile_is_the_one_asked_for():
    assert examples(100).max_examples == 100 * FACTORS[PROFILE]
    assert 1 <= examples(1).max_examples <= max(1, FACTORS[PROFILE])
    assert (examples(1).derandomize, examples(1).deadline, examples(1).database) == (True, None, None)


# A table of cases


def failing(names, values, function, **options):
    with pytest.raises(AssertionError) as caught:
        for_each(names, values, **options)(function)()
    return str(caught.value)


def test_each_case_that_fails_is_named_and_those_that_hold_are_not():
    def even(number):
        assert number % 2 == 0

    text = failing("number", [2, 3, 4, 5], even)
    assert text.startswith("2 of 4 cases fail\n3: AssertionError")
    assert "\n5: AssertionError" in text
    assert "\n4:" not in text


def test_an_error_that_does_not_come_is_a_failure():
    def refuses(number):
        with pytest.raises(ZeroDivisionError):
            1 / (number % 2 - 1)

    assert failing("number", [1, 2], refuses).startswith("1 of 2 cases fail\n2: Failed")


def test_an_error_of_another_kind_is_a_failure():
    assert failing("number", [0], lambda number: 1 / number).startswith("1 of 1 cases fail\n0: ZeroDivisionError")


def test_tables_are_crossed_and_keep_their_ids():
    tried = []
    crossed = for_each("a", [1, pytest.param(2, id="two")])(
        for_each(("b", "c"), [(3, 4), ("x", None)])(lambda a, b, c: tried.append((a, b, c)))
    )
    crossed()
    assert sorted(tried, key=str) == sorted([(1, 3, 4), (2, 3, 4), (1, "x", None), (2, "x", None)], key=str)
    assert {label for label, _ in crossed.looped.rows} == {"3-4-1", "3-4-two", "x-None-1", "x-None-two"}


def test_a_table_without_cases_and_a_case_with_a_mark_are_refused():
    with pytest.raises(ValueError, match="no cases"):
        for_each("number", [])
    with pytest.raises(ValueError, match="a test of its own"):
        for_each("number", [pytest.param(1, marks=pytest.mark.slow)])
    with pytest.raises(ValueError, match="2 names"):
        for_each("a, b", [(1, 2, 3)])


@for_each("low", [0, 10])
@examples(5)
@given(st.integers(0, 5))
def test_properties_can_be_looped_over(low, number):
    assert low <= low + number


def test_fixtures_reach_every_case(tmp_path):
    seen = []
    for_each("number", [1, 2])(lambda number, tmp_path: seen.append((number, tmp_path)))(tmp_path=tmp_path)
    assert seen == [(1, tmp_path), (2, tmp_path)]


def test_a_loop_asks_for_the_fixtures_of_its_function_only():
    import inspect

    looped = for_each("number", [1])(lambda number, tmp_path: None)
    assert list(inspect.signature(looped).parameters) == ["tmp_path"]
