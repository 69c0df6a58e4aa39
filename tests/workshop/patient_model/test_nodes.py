"""Compressing grid nodes keeps the mixture's moments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.workshop.patient_model.nodes import compress_nodes


@given(
    st.lists(
        st.tuples(st.floats(0.01, 1), st.floats(-3, 3), st.floats(0.01, 2), st.floats(0, 2)), min_size=2, max_size=20
    ),
    st.integers(1, 6),
)
def test_total_weight_mean_and_variance_are_kept(rows, count):
    weight, mean, variance, spread2 = (np.array(column) for column in zip(*rows, strict=True))
    weight = weight / weight.sum()
    found = compress_nodes(weight, mean, variance, spread2, count)
    assert found.weight.size == min(count, len(rows))
    assert found.weight.sum() == pytest.approx(1.0)
    assert found.weight @ found.mean == pytest.approx(weight @ mean, abs=1e-9)
    second = weight @ (variance + mean**2)
    assert found.weight @ (found.variance + found.mean**2) == pytest.approx(second, abs=1e-9)
    assert found.weight @ found.spread2 == pytest.approx(weight @ spread2, abs=1e-9)
