"""Intervals of the variances between and within studies are the profile likelihood's, as metafor's confint has them."""

import numpy as np
import pytest
from scipy import special

from bcma_decide.workshop.meta_analysis.multilevel import fit_multilevel
from bcma_decide.workshop.meta_analysis.multilevel_profile import variance_intervals
from tests.support.cases import for_each
from tests.workshop.meta_analysis.support.nested_tables import nested_tables

TABLES = [table for table in nested_tables() if "profile_ci" in table.fits["REML_z"]]


def fitted(table):
    return fit_multilevel(table.yi, table.vi, table.studies, table.design)


@for_each("table", TABLES, ids=lambda table: table.name)
def test_the_ends_are_those_of_metafor(table):
    """To 1e-4, which is what metafor's search gives; an end it did not find is null in the reference."""
    compared = 0
    for found, level in zip(variance_intervals(fitted(table)), ("1", "2"), strict=True):
        for mine, end in zip(found, table.fits["REML_z"]["profile_ci"][level][0][1:], strict=True):
            if end is not None:
                assert mine == pytest.approx(end, rel=1e-4, abs=1e-8)
                compared += 1
    assert compared >= 2


def test_at_an_end_the_likelihood_has_fallen_by_half_of_chi_squared():
    """Konstantopoulos's districts: the within variance held at its ends, the other searched by brute force."""
    table = TABLES[0]
    fit = fitted(table)
    fall = float(special.chdtri(1, 0.1)) / 2
    for end in variance_intervals(fit, level=0.9)[1]:
        best = max(fit.effects.log_likelihood(np.array([0.0005 * step, end]), restricted=True) for step in range(600))
        assert fit.log_likelihood - best == pytest.approx(fall, abs=2e-3)


def test_a_wider_level_holds_the_narrower():
    fit = fitted(TABLES[0])
    for (a, b), (low, high) in zip(
        variance_intervals(fit, level=0.8), variance_intervals(fit, level=0.99), strict=True
    ):
        assert low < a < b < high
