"""Groups with one tau2 agree with metafor's regression on the group."""

from __future__ import annotations

import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.subgroup_test import groups_with_common_tau2
from tests.support.cases import for_each
from tests.workshop.meta_analysis.support.reference import rows, sets_holding

COLUMNS = {"debruin2009": "ethnicity", "bcg": "alloc", "molloy2014": "design", "begg1989": "trt"}
SETS = sets_holding("subgroup")


@for_each("method", ["DL", "REML", "PM"])
@for_each("place", SETS)
def test_common_tau2(place, method):
    """tau2, the test between groups, each group's mean (first level, then differences) and its standard error."""
    file, effects, subgroup = place.split("/")[0], SETS[place]["escalc"], SETS[place]["subgroup"]
    expected = subgroup[method]["common_tau2"]
    labels = [row[COLUMNS[file]] for row in rows(file)]
    found = groups_with_common_tau2(effects["yi"], effects["vi"], labels, method=method)
    assert list(found.groups) == list(dict.fromkeys(labels))
    assert expected["tau2"] == pytest.approx(found.tau2, rel=1e-7)
    assert (expected["QM"], expected["QMp"]) == pytest.approx((found.between.statistic, found.between.p), rel=1e-7)
    first, *others = subgroup["levels"]
    means = [expected["beta"][0], *(expected["beta"][0] + difference for difference in expected["beta"][1:])]
    assert means == pytest.approx([found.groups[level].estimate for level in (first, *others)], rel=1e-7)
    vcov = expected["vcov"]
    variances = [vcov[0][0], *(vcov[0][0] + 2 * vcov[0][i] + vcov[i][i] for i in range(1, len(means)))]
    assert variances == pytest.approx([found.groups[level].se ** 2 for level in (first, *others)], rel=1e-7)


def test_by_hand():
    """Two groups with yi = 0, 2 and 4, 6 and vi = 1: tau2 is 1, means 1 and 5, Q = 16 / (1 + 1) = 8."""
    found = groups_with_common_tau2([0, 2, 4, 6], [1, 1, 1, 1], ["a", "a", "b", "b"], method="DL")
    assert found.tau2 == pytest.approx(1)
    assert [group.estimate for group in found.groups.values()] == pytest.approx([1, 5])
    assert (found.between.statistic, found.between.df1) == pytest.approx((8, 1))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        pytest.param(["a", "b"], "groups has 2 rows but there are 3 studies", id="lengths"),
        pytest.param(["a", "", "b"], r"groups\[1\] is ''", id="no-name"),
        pytest.param(["a", "a", "a"], "at least two groups, not 1", id="one-group"),
        pytest.param(["a", "b", "c"], "too few", id="a-group-each"),
    ],
)
def test_bad_groups_are_refused(groups, message):
    """By row where a row is to blame."""
    with pytest.raises(SynthesisError, match=message):
        groups_with_common_tau2([0, 1, 2], [1, 1, 1], groups)
