"""Kleene's three values, and bounds judged on numbers known only to lie in a span."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.logic import Bounds, Span, all_of, any_of, negated
from tests.support.cases import for_each

TRUTHS = (True, False, None)
AND = {
    (True, True): True, (True, False): False, (True, None): None,
    (False, True): False, (False, False): False, (False, None): False,
    (None, True): None, (None, False): False, (None, None): None,
}  # fmt: skip
OR = {
    (True, True): True, (True, False): True, (True, None): True,
    (False, True): True, (False, False): False, (False, None): None,
    (None, True): True, (None, False): None, (None, None): None,
}  # fmt: skip

truths = st.lists(st.sampled_from(TRUTHS), max_size=6)


def worlds(values):
    """Every way the unknown values could turn out."""
    return product(*((True, False) if value is None else (value,) for value in values))


def verdict(outcomes):
    """What is certain of outcomes one of which is the true one."""
    seen = set(outcomes)
    return seen.pop() if len(seen) == 1 else None


@for_each("pair", AND)
def test_kleene_s_tables(pair):
    assert all_of(pair) is AND[pair]
    assert any_of(pair) is OR[pair]


def test_negation_keeps_unknown():
    assert [negated(value) for value in TRUTHS] == [False, True, None]


def test_of_nothing_everything_holds_and_nothing_does():
    assert all_of([]) is True
    assert any_of([]) is False


@given(truths)
def test_a_result_is_known_exactly_where_no_unknown_value_could_change_it(values):
    assert all_of(values) is verdict(all(world) for world in worlds(values))
    assert any_of(values) is verdict(any(world) for world in worlds(values))


@given(truths)
def test_de_morgan(values):
    assert negated(all_of(values)) is any_of(negated(value) for value in values)
    assert negated(any_of(values)) is all_of(negated(value) for value in values)


@given(truths, st.randoms())
def test_the_order_does_not_matter(values, random):
    shuffled = random.sample(values, len(values))
    assert all_of(values) is all_of(shuffled)
    assert any_of(values) is any_of(shuffled)


@pytest.mark.parametrize("value", TRUTHS)
def test_double_negation_changes_nothing(value):
    assert negated(negated(value)) is value


NAMES = "abc"
formulas = st.recursive(
    st.sampled_from(NAMES),
    lambda part: st.tuples(st.just("not"), part) | st.tuples(st.sampled_from(["and", "or"]), part, part),
    max_leaves=8,
)


def value_of(formula, known):
    if isinstance(formula, str):
        return known[formula]
    join, *parts = formula
    values = [value_of(part, known) for part in parts]
    return negated(*values) if join == "not" else all_of(values) if join == "and" else any_of(values)


@given(formulas, st.fixed_dictionaries(dict.fromkeys(NAMES, st.sampled_from(TRUTHS))))
def test_knowing_more_never_contradicts_a_known_result(formula, known):
    result = value_of(formula, known)
    later = {value_of(formula, dict(zip(known, world, strict=True))) for world in worlds(known.values())}
    assert result is None or later == {result}


HALVES = [n / 2 for n in range(-6, 7)]
QUARTERS = [n / 4 for n in range(-12, 13)]


@st.composite
def bounds(draw):
    """Bounds that something lies inside of, with whole edges."""
    floor, ceiling = (draw(st.none() | st.integers(-3, 3)) for _ in range(2))
    low, high = draw(st.sampled_from(["at_least", "above"])), draw(st.sampled_from(["at_most", "below"]))
    if floor is not None and ceiling is not None:
        floor, ceiling = sorted((floor, ceiling))
        if floor == ceiling:
            low, high = "at_least", "at_most"
    return Bounds(**{low: floor, high: ceiling})


@given(bounds(), st.sampled_from(HALVES), st.sampled_from(HALVES))
def test_a_span_is_judged_as_all_its_points_are(limits, one, other):
    span = Span(min(one, other), max(one, other))
    points = [point for point in QUARTERS if span.low <= point <= span.high]  # one in every gap between edges
    assert limits.judge(span) is verdict(map(limits.hold, points))


@for_each(
    ("limits", "inside", "outside"),
    [
        (Bounds(at_least=2), (2, 2.5), (1.9,)),
        (Bounds(above=2), (2.1,), (2, 1)),
        (Bounds(below=2), (1.9, -5), (2, 3)),
        (Bounds(at_most=2), (2, 1), (2.1,)),
        (Bounds(at_least=30, below=50), (30, 49.9), (29.9, 50)),
        (Bounds(at_least=3, at_most=3), (3,), (2, 4)),
        (Bounds(), (-1e9, 0, float("inf")), ()),
        (Bounds(below=4), (), (float("inf"),)),
    ],
)
def test_a_known_number_is_inside_or_not(limits, inside, outside):
    assert all(limits.judge(Span.of(value)) is True for value in inside)
    assert all(limits.judge(Span.of(value)) is False for value in outside)


def test_a_span_of_one_point_is_exact():
    assert Span.of(3) == (3.0, 3.0)
    assert Span.of(3).exact
    assert not Span(3, 4).exact


@for_each(
    ("limits", "unit", "words"),
    [
        (Bounds(at_least=2), "", "at least 2"),
        (Bounds(above=1, at_most=3), "mg/L", "above 1 and at most 3 mg/L"),
        (Bounds(below=0.75), "10^9/L", "below 0.75 10^9/L"),
        (Bounds(at_least=30, below=50), "mL/min", "at least 30 and below 50 mL/min"),
        (Bounds(at_most=200_000), "ng/mL", "at most 200000 ng/mL"),
    ],
)
def test_limits_in_words(limits, unit, words):
    assert limits.words(unit) == words


def test_every_limit_is_an_edge():
    assert Bounds(above=1, at_most=3).edges == (1, 3)
    assert Bounds().edges == ()
