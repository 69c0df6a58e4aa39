"""Design matrices from named columns are metafor's, and every column that cannot be used is named."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.moderators import DroppedRow, Factor, code_new, moderators
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.reference import results, rows


def test_factors_and_numbers_are_coded_as_in_metafor():
    """Treatment coding of the BCG trials, reference first in sorted order; the intercept stands first."""
    expected = results("bcg")["RR"]["metareg"]["ablat_alloc"]
    table = rows("bcg")
    found = moderators({"ablat": [float(row["ablat"]) for row in table], "alloc": [row["alloc"] for row in table]})
    assert expected["design"] == found.matrix.tolist()
    assert found.names == ("intercept", "ablat", "alloc=random", "alloc=systematic")
    assert found.terms == ("ablat", Factor("alloc", ("alternate", "random", "systematic")))
    assert [row - 1 for row in expected["rows_used_1based"]] == list(found.rows)
    assert found.dropped == ()


def test_a_reference_can_be_stated():
    """It leads the levels and has no column."""
    found = moderators({"arm": ["a", "b", "c", "b"]}, reference={"arm": "b"})
    assert found.names == ("intercept", "arm=a", "arm=c")
    assert found.matrix.tolist() == [[1, 1, 0], [1, 0, 0], [1, 0, 1], [1, 0, 0]]


def test_rows_without_a_value_are_left_out_and_named():
    """With the moderators each lacks."""
    found = moderators(
        {"x": [1, None, 3, 4, 5, None, 7], "y": ["a", "b", "a", None, "b", None, "a"]}, studies=list("ABCDEFG")
    )
    assert found.rows == (0, 2, 4, 6)
    assert found.dropped == (
        DroppedRow(1, "B", ("x",)),
        DroppedRow(3, "D", ("y",)),
        DroppedRow(5, "F", ("x", "y")),
    )
    assert found.matrix.tolist() == [[1, 1, 0], [1, 3, 0], [1, 5, 1], [1, 7, 0]]
    assert moderators({"x": [1, None, 3, 4]}).dropped == (DroppedRow(1, "row 1", ("x",)),)


@for_each(
    ("columns", "options", "message"),
    [
        pytest.param({}, {}, "no moderator is named", id="none"),
        pytest.param({"x": [1, 2, 3], "y": [1, 2]}, {}, "y has 2 rows, but x has 3", id="lengths"),
        pytest.param({"x": [1, 2, 3]}, {"studies": ["A"]}, "studies has 1 rows, but x has 3", id="studies"),
        pytest.param({"x": [1, math.nan, 3]}, {}, r"x\[1\] is nan, but must be a finite number", id="nan"),
        pytest.param({"x": [1, [2], 3]}, {}, r"x\[1\] is \[2\], but must be a finite number", id="list"),
        pytest.param({"x": ["a", "b", 3]}, {}, r"x\[2\] is 3, but other rows of x are texts", id="mixed"),
        pytest.param({"x": ["a", "", "b"]}, {}, r"x\[1\] is an empty text", id="blank"),
        pytest.param({"x": [2, None, 2, 2]}, {}, "moderator x is 2 in every study used", id="constant"),
        pytest.param({"x": ["a", "a", "a"]}, {}, "moderator x is 'a' in every study used", id="one-level"),
        pytest.param({"x": [1, 2, 4]}, {"reference": {"x": "a"}}, "x is a column of numbers", id="number-reference"),
        pytest.param({"x": ["a", "b", "b"]}, {"reference": {"x": "c"}}, "'c', but its levels are a, b", id="level"),
        pytest.param({"x": [1, 2, 4]}, {"reference": {"z": "c"}}, "reference names z, which is not", id="stranger"),
        pytest.param({"x": [1, 2]}, {}, r"2 studies have a value of x, too few for 2 coefficients", id="too-few"),
        pytest.param({"x": [None, None, None]}, {}, "0 studies have a value of x", id="all-missing"),
        pytest.param(
            {"x": [1, 2, 3, 5], "z": [1960, 1970, 1980, 2000]},
            {},
            r"moderator z follows from those before it \(intercept, x\)",
            id="dependent",
        ),
        pytest.param(
            {"x": ["a", "b", "c", "c", "a"], "z": [0, 1, 0, 0, 0]}, {}, "moderator z follows from", id="alias"
        ),
    ],
)
def test_columns_that_cannot_be_used_are_named(columns, options, message):
    """No coefficient is given for what the studies cannot tell."""
    with pytest.raises(SynthesisError, match=message):
        moderators(columns, **options)


def test_new_values_are_coded_as_the_studies_were():
    """The order of the values given does not matter."""
    design = moderators({"x": [1, 2, 3, 4], "arm": ["b", "a", "a", "b"]})
    assert code_new(design, {"arm": ["a", "b"], "x": [0, 7]}).tolist() == [[1, 0, 0], [1, 7, 1]]


@for_each(
    ("values", "message"),
    [
        pytest.param({"x": [1]}, "arm is missing", id="missing"),
        pytest.param({"x": [1], "arm": ["a"], "z": [1]}, "z is not a moderator of this model", id="stranger"),
        pytest.param({"x": [1, 2], "arm": ["a"]}, "arm has 1 rows, but x has 2", id="lengths"),
        pytest.param({"x": ["1"], "arm": ["a"]}, r"x\[0\] is '1', but must be a finite number", id="text"),
        pytest.param({"x": [1], "arm": ["c"]}, r"arm\[0\] is 'c', but the studies had a, b", id="level"),
        pytest.param({"x": [None], "arm": ["a"]}, r"x\[0\] is None", id="none"),
    ],
)
def test_new_values_that_cannot_be_coded_are_named(values, message):
    """A prediction is made for values like those of the studies only."""
    design = moderators({"x": [1, 2, 3, 4], "arm": ["b", "a", "a", "b"]})
    with pytest.raises(SynthesisError, match=message):
        code_new(design, values)


@examples(60)
@given(st.lists(st.tuples(st.integers(-9, 9), st.sampled_from("abc")), min_size=6, max_size=15), st.randoms())
def test_order_of_the_studies_moves_the_rows_only(studies, random):
    """Whatever can be coded is coded the same in any order, and again as new values."""
    columns = {"x": [x for x, _ in studies], "arm": [arm for _, arm in studies]}
    try:
        design = moderators(columns)
    except SynthesisError:
        return
    order = random.sample(range(len(studies)), len(studies))
    shuffled = moderators({name: [values[i] for i in order] for name, values in columns.items()})
    np.testing.assert_array_equal(design.matrix[order], shuffled.matrix)
    np.testing.assert_array_equal(design.matrix, code_new(design, columns))


def test_interactions_are_products_in_the_order_of_r():
    """model.matrix(~ x * f): the product with each level but the reference, the first moderator's levels fastest."""
    columns = {"x": [1, 2, 3, 5, 8, 13, 21, 34, 4, 6], "f": list("abcabcabca"), "g": list("uuuvvvuuvu")}
    found = moderators(columns, interactions=[("x", "f"), ("f", "g")])
    assert found.names[5:] == ("x:f=b", "x:f=c", "f=b:g=v", "f=c:g=v")
    assert found.matrix[:, 5].tolist() == [0, 2, 0, 0, 8, 0, 0, 34, 0, 0]
    assert found.matrix[:, 8].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 1, 0]
    new = code_new(found, {"x": [7], "f": ["c"], "g": ["v"]})
    assert new.tolist() == [[1, 7, 0, 1, 1, 0, 7, 0, 1]]


def test_numbers_as_names_of_levels_stand_in_their_order():
    found = moderators({"dose": [150, 20.0, 450, 20, 150, None]}, factors=["dose"], reference={"dose": "150.0"})
    assert found.terms == (Factor("dose", ("150", "20", "450"), numeric=True),)
    assert found.names == ("intercept", "dose=20", "dose=450")
