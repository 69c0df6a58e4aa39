"""All subsets, or a repeatable sample of them."""

from __future__ import annotations

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis import subset_fits
from bcma_decide.workshop.meta_analysis.gosh import gosh
from bcma_decide.workshop.meta_analysis.pooling import pool
from tests.workshop.meta_analysis.support.reference import results

EFFECTS = results("bcg")["RR"]["escalc"]
Y, V = np.array(EFFECTS["yi"]), np.array(EFFECTS["vi"])


@pytest.mark.parametrize("method", ["EE", "DL", "REML"])
def test_every_subset_once(method):
    """2^13 - 1 subsets, none twice, the last of them all studies as metafor pools them."""
    found = gosh(Y, V, method=method)
    assert found.complete
    assert np.unique(found.included, axis=0).shape == (2**13 - 1, 13)
    fit = results("bcg")["RR"]["pool"][method]["z"]
    assert (fit["beta"], fit["tau2"], fit["QE"]) == pytest.approx(
        (found.fits.estimate[-1], found.fits.tau2[-1], found.fits.q[-1]), rel=1e-8
    )
    for row in (2, 100, 5000):
        alone = pool(Y[found.included[row]], V[found.included[row]], method=method)
        assert (found.fits.estimate[row], found.fits.i2[row]) == pytest.approx((alone.estimate, alone.i2), abs=1e-9)


def test_by_hand():
    """Of 0, 2, 4 with variance 1 the seven subsets have means 0, 2, 1, 4, 2, 3, 2."""
    assert gosh([0, 2, 4], [1, 1, 1]).fits.estimate == pytest.approx([0, 2, 1, 4, 2, 3, 2])


def test_more_subsets_than_wanted_are_sampled():
    """Same seed, same subsets; another seed, others; each study in about half of them; none empty."""
    found, again, other = (gosh(Y, V, most=2000, seed=seed) for seed in (7, 7, 8))
    assert not found.complete
    assert found.included.shape == (2000, 13)
    np.testing.assert_array_equal(found.included, again.included)
    assert (found.included != other.included).any()
    np.testing.assert_allclose(found.included.mean(axis=0), 0.5, atol=0.06)
    small = gosh([0, 1], [1, 1], most=2, seed=3)
    assert small.included.any(axis=1).all()


@pytest.mark.parametrize("method", ["PM", "REML"])
def test_progress_is_told_after_every_block(method, monkeypatch):
    """The last word is that all are done."""
    monkeypatch.setattr(subset_fits, "CELLS", 40)
    heard = []
    gosh(Y[:4], V[:4], method=method, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(10, 15), (15, 15)]


def test_what_cannot_be_done_is_refused():
    """Too few studies, no subsets, an unknown method."""
    with pytest.raises(SynthesisError, match="at least two studies"):
        gosh([1], [1])
    with pytest.raises(SynthesisError, match="most is 0"):
        gosh([1, 2], [1, 1], most=0)
    with pytest.raises(SynthesisError, match="method is 'FE'"):
        gosh([1, 2], [1, 1], method="FE")
