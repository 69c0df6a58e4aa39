"""Adding studies one by one."""

from __future__ import annotations

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.cumulative import cumulative
from bcma_decide.workshop.meta_analysis.pooling import pool
from tests.support.cases import for_each
from tests.workshop.meta_analysis.support.reference import results, rows

YEARS = [int(row["year"]) for row in rows("bcg")]
EFFECTS = results("bcg")["RR"]["escalc"]


@for_each("method", ["EE", "DL", "REML", "PM"])
@for_each("test", ["z", "knapp_hartung"])
def test_each_step_pools_the_studies_so_far(method, test):
    """In order of the year, ties as they stand; the first step is a single study."""
    found = cumulative(EFFECTS["yi"], EFFECTS["vi"], YEARS, method=method, test=test)
    assert sorted(range(13), key=YEARS.__getitem__) == found.added.tolist()
    y, v = np.array(EFFECTS["yi"])[found.added], np.array(EFFECTS["vi"])[found.added]
    for step in range(13):
        so_far = pool(y[: step + 1], v[: step + 1], method=method, test=test)
        assert found.fits.estimate[step] == pytest.approx(so_far.estimate, rel=1e-9)
        assert (found.fits.ci_low[step], found.fits.ci_high[step]) == pytest.approx(so_far.ci, rel=1e-9)
    assert np.isnan(found.fits.tau2[0])


@pytest.mark.parametrize("method", ["DL", "REML"])
def test_the_last_step_is_metafors_whole(method):
    """Whatever the order."""
    fit = results("bcg")["RR"]["pool"][method]["z"]
    for order in (YEARS, range(13), range(13, 0, -1)):
        last = cumulative(EFFECTS["yi"], EFFECTS["vi"], order, method=method).fits
        assert (fit["beta"], fit["se"], fit["tau2"]) == pytest.approx(
            (last.estimate[-1], last.se[-1], last.tau2[-1]), rel=1e-8
        )


def test_the_order_needs_a_number_for_each_study():
    """A missing year is refused by row."""
    with pytest.raises(SynthesisError, match=r"order\[1\] is nan"):
        cumulative([0, 1], [1, 1], [2000, None])
    with pytest.raises(SynthesisError, match="order has 1 rows but yi has 2"):
        cumulative([0, 1], [1, 1], [2000])
