"""Compressing grid nodes keeps the mixture's moments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.workshop.patient_model.nodes import compress_nodes


@given(st.integers(2, 20), st.integers(1, 6), st.integers(0, 10_000))
def test_total_weight_mean_and_covariance_are_kept(nodes, count, seed):
    """Two levels together; second moments of the mixture by summing over its nodes."""
    rng = np.random.default_rng(seed)
    weight = rng.dirichlet(np.ones(nodes))
    mean, spread2 = rng.uniform(-3, 3, (nodes, 2)), rng.uniform(0, 2, nodes)
    root = rng.uniform(-1, 1, (nodes, 2, 2))
    covariance = root @ np.swapaxes(root, 1, 2)
    found = compress_nodes(weight, mean, covariance, spread2, count)
    assert found.weight.size == min(count, nodes)
    assert found.weight.sum() == pytest.approx(1.0)
    assert found.weight @ found.mean == pytest.approx(weight @ mean, abs=1e-9)

    def second(w, m, v):
        return np.einsum("k,kij->ij", w, v + m[:, :, None] * m[:, None, :])

    expected = second(weight, mean, covariance)
    assert second(found.weight, found.mean, found.covariance) == pytest.approx(expected, abs=1e-9)
    assert found.weight @ found.spread2 == pytest.approx(weight @ spread2, abs=1e-9)
