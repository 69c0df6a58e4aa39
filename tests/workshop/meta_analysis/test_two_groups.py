"""Odds ratios, risk ratios and risk differences are those of metafor, and tables that give none are named."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.pooled_tables import mantel_haenszel, peto
from bcma_decide.workshop.meta_analysis.two_groups import GROUP_MEASURES, compare_groups, ratio, tables
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.reference import results, rows

COLUMNS = {"bcg": ("tpos", "n1", "cpos", "n2"), "nielweise2007": ("ai", "n1i", "ci", "n2i")}
TABLES = {name: [[float(row[column]) for row in rows(name)] for column in columns] for name, columns in COLUMNS.items()}
steady = examples(25)
GROUP = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@for_each("measure", GROUP_MEASURES)
@for_each("name", TABLES)
def test_effects_are_those_of_escalc(name, measure):
    """Values and variances of every study, one without events in either group included."""
    found, expected = compare_groups(*TABLES[name], measure), results(name)[measure]["escalc"]
    assert expected["yi"] == pytest.approx(found.yi, rel=1e-12, abs=1e-14)
    assert expected["vi"] == pytest.approx(found.vi, rel=1e-12)


@for_each("measure", GROUP_MEASURES)
@for_each("name", TABLES)
def test_mantel_haenszel_is_that_of_metafor(name, measure):
    """Estimate, standard error, interval and Q."""
    found, expected = mantel_haenszel(*TABLES[name], measure), results(name)["MH"][measure]
    assert expected["beta"] == pytest.approx(found.estimate, rel=1e-11)
    assert expected["se"] == pytest.approx(found.se, rel=1e-11)
    assert [expected["ci_lb"], expected["ci_ub"]] == pytest.approx(found.ci, rel=1e-11)
    assert expected["QE"] == pytest.approx(found.q.q, rel=1e-11)
    assert found.uninformative == {"bcg": (), "nielweise2007": (14,)}[name]


@pytest.mark.parametrize("name", TABLES)
def test_peto_is_that_of_metafor(name):
    """Estimate, standard error and interval."""
    found, expected = peto(*TABLES[name]), results(name)["PETO"]
    assert expected["beta"] == pytest.approx(found.estimate, rel=1e-11)
    assert expected["se"] == pytest.approx(found.se, rel=1e-11)
    assert [expected["ci_lb"], expected["ci_ub"]] == pytest.approx(found.ci, rel=1e-11)


def test_effects_by_hand():
    """3 of 12 against 2 of 10: odds 3/9 and 2/8, risks 1/4 and 1/5."""
    odds, risk, difference = (compare_groups([3], [12], [2], [10], measure) for measure in GROUP_MEASURES)
    assert ratio(odds.yi) == pytest.approx([(3 / 9) / (2 / 8)])
    assert odds.vi == pytest.approx([1 / 3 + 1 / 9 + 1 / 2 + 1 / 8])
    assert ratio(risk.yi) == pytest.approx([1.25])
    assert risk.vi == pytest.approx([1 / 3 - 1 / 12 + 1 / 2 - 1 / 10])
    assert difference.yi == pytest.approx([0.05])
    assert difference.vi == pytest.approx([3 / 16 / 12 + 4 / 25 / 10])


def test_corrections_by_hand():
    """0 of 4 against 1 of 4 becomes 0.5 : 4.5 against 1.5 : 3.5; the other study stays as it is."""
    counts = ([0, 2], [4, 4], [1, 1], [4, 4])
    odds = [(0.5 / 4.5) / (1.5 / 3.5), 3]
    assert ratio(compare_groups(*counts).yi) == pytest.approx(odds)


def test_studies_without_or_with_only_events_say_little():
    """0 of 9 against 0 of 4, and 9 of 9 against 4 of 4, are kept with the variance that 0.5 in each cell gives."""
    odds = compare_groups([0, 9], [9, 9], [0, 4], [4, 4], "OR")
    assert odds.yi == pytest.approx([math.log(0.5 / 9.5 / (0.5 / 4.5)), math.log(9.5 / 0.5 / (4.5 / 0.5))])
    assert odds.vi == pytest.approx([2 + 1 / 9.5 + 2 + 1 / 4.5] * 2)


def test_mantel_haenszel_and_peto_by_hand():
    """One study alone: the Mantel-Haenszel ratios are its own, and Peto's is (O - E) / V."""
    table = ([3], [12], [2], [10])
    for measure in GROUP_MEASURES:
        alone = compare_groups(*table, measure)
        found = mantel_haenszel(*table, measure)
        assert found.estimate == pytest.approx(alone.yi[0])
        assert found.se**2 == pytest.approx(alone.vi[0], rel=0.1 if measure == "RD" else 1e-9)
        assert (found.q.df, found.q.p) == (0, None)
    found = peto(*table)
    variance = 12 * 10 * 5 * 17 / (22**2 * 21)
    assert found.estimate == pytest.approx((3 - 12 * 5 / 22) / variance)
    assert found.se == pytest.approx(1 / math.sqrt(variance))


@for_each(
    ("table", "options", "message"),
    [
        pytest.param(([1], [0], [1], [2]), {}, r"group 1: total\[0\] is 0", id="no-patients"),
        pytest.param(([1, 1], [2, 2], [1, 3], [2, 2]), {}, r"group 2: events\[1\] is 3, more than", id="too-many"),
        pytest.param(([1], [2], [1, 1], [2, 2]), {}, "group 1 has 1 rows but group 2 has 2", id="lengths"),
        pytest.param(([math.nan], [2], [1], [2]), {}, r"group 1: events\[0\] is nan", id="nan"),
        pytest.param(([1], [2], [1], [2]), {"measure": "HR"}, "measure is 'HR', but must be one of OR", id="hr"),
    ],
)
def test_bad_tables_and_options_are_refused(table, options, message):
    """The message names the group and the row."""
    with pytest.raises(SynthesisError, match=message):
        compare_groups(*table, **options)


@pytest.mark.parametrize(
    ("pooled", "table", "message"),
    [
        pytest.param(mantel_haenszel, ([0], [4], [0], [4]), "no study has both events and other", id="mh-no-events"),
        pytest.param(peto, ([4], [4], [4], [4]), "no study has both events and other", id="peto-only-events"),
        pytest.param(mantel_haenszel, ([0], [4], [1], [4]), "the studies together leave no odds", id="mh-one"),
    ],
)
def test_tables_that_leave_nothing_are_refused(pooled, table, message):
    """Instead of an infinite ratio."""
    with pytest.raises(SynthesisError, match=message):
        pooled(*table)


def test_a_risk_ratio_needs_events_on_both_sides():
    """The same for the risk ratio; the risk difference does not mind."""
    with pytest.raises(SynthesisError, match="the studies together leave no risk ratio"):
        mantel_haenszel([0], [4], [1], [4], "RR")
    assert mantel_haenszel([0], [4], [1], [4], "RD").estimate == pytest.approx(-0.25)


@steady
@given(st.lists(st.tuples(GROUP, GROUP), min_size=1, max_size=8), st.sampled_from(GROUP_MEASURES))
def test_changing_groups_changes_the_sign(studies, measure):
    """Group 2 against group 1 is the same with the other sign, and of an OR so are the other patients."""
    (a, n1), (c, n2) = (np.array(group).T for group in zip(*studies, strict=True))
    one, other = compare_groups(a, n1, c, n2, measure), compare_groups(c, n2, a, n1, measure)
    np.testing.assert_allclose(one.yi, -other.yi, atol=1e-12)
    np.testing.assert_allclose(one.vi, other.vi, rtol=1e-12)
    if measure == "OR":
        np.testing.assert_allclose(one.yi, -compare_groups(n1 - a, n1, n2 - c, n2).yi, atol=1e-12)


@steady
@given(st.lists(st.tuples(GROUP, GROUP), min_size=1, max_size=8), st.randoms(), st.sampled_from(GROUP_MEASURES))
def test_order_of_the_tables_does_not_matter(studies, random, measure):
    """The pooled value is the same for the studies in any order."""
    shuffled = random.sample(studies, len(studies))

    def pooled(some):
        (a, n1), (c, n2) = (np.array(group).T for group in zip(*some, strict=True))
        return mantel_haenszel(a, n1, c, n2, measure), peto(a, n1, c, n2)

    try:
        found = pooled(studies)
    except SynthesisError:
        with pytest.raises(SynthesisError):
            pooled(shuffled)
        return
    for one, other in zip(found, pooled(shuffled), strict=True):
        assert other.estimate == pytest.approx(one.estimate, rel=1e-9, abs=1e-12)
        assert other.se == pytest.approx(one.se, rel=1e-9)
        assert one.ci[0] <= one.estimate <= one.ci[1]


def test_totals_are_the_sums_of_the_cells():
    """Of each group."""
    found = tables([1, 2], [4, 5], [0, 3], [6, 7])
    assert found.total1.tolist() == [4, 5]
    assert found.total2.tolist() == [6, 7]
