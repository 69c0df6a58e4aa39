"""Results without each study agree with metafor's leave1out."""

from __future__ import annotations

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.leave_one_out import leave_one_out
from bcma_decide.workshop.meta_analysis.pooling import pool
from tests.support.cases import for_each
from tests.workshop.meta_analysis.support.reference import sets_holding

METAFOR_NAMES = {
    "estimate": "estimate", "se": "se", "ci_low": "ci_lb", "ci_high": "ci_ub", "q": "Q", "q_p": "Qp",
    "tau2": "tau2", "i2": "I2", "h2": "H2",
}  # fmt: skip
SETS = sets_holding("diagnostics")


@for_each("quantity", METAFOR_NAMES)
@for_each("method", ["DL", "REML"])
@for_each("name", SETS)
def test_leave1out(name, method, quantity):
    """Every quantity on every set; tau2 at the boundary is compared on the scale of the variances."""
    effects, expected = SETS[name]["escalc"], SETS[name]["diagnostics"][method]["leave1out"][METAFOR_NAMES[quantity]]
    found = getattr(leave_one_out(effects["yi"], effects["vi"], method=method), quantity)
    near_zero = {"tau2": 1e-9 * min(effects["vi"]), "i2": 1e-7, "q_p": 1e-200}.get(quantity, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=near_zero)


@for_each("method", ["ML", "PM", "SJ", "EE"])
@for_each("test", ["t", "knapp_hartung"])
def test_other_methods_and_tests_are_those_of_pool(method, test):
    """Study by study, in blocks of less than the whole."""
    effects = SETS["debruin2009/PLO"]["escalc"]
    y, v = np.array(effects["yi"]), np.array(effects["vi"])
    found = leave_one_out(y, v, method=method, test=test, level=0.9)
    for i in range(y.size):
        alone = pool(np.delete(y, i), np.delete(v, i), method=method, test=test, level=0.9)
        assert (found.estimate[i], found.tau2[i]) == pytest.approx((alone.estimate, alone.tau2), rel=1e-9)
        assert (found.ci_low[i], found.ci_high[i]) == pytest.approx(alone.ci, rel=1e-9)


def test_two_studies_are_too_few():
    """One study would be left, of which heterogeneity cannot be told."""
    with pytest.raises(SynthesisError, match="at least three studies, not 2"):
        leave_one_out([0, 1], [1, 1])
    with pytest.raises(SynthesisError, match=r"vi\[1\] is 0"):
        leave_one_out([0, 1, 2], [1, 0, 1])
