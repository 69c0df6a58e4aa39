"""Groups of studies: each has a result whatever its size, and the tests between them use normal standard errors."""

import math

import numpy as np
import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.random_effects import interval
from bcma_decide.workshop.synthesis.groups import groups_of
from bcma_decide.workshop.synthesis.model import PoolingMethod
from bcma_decide.workshop.synthesis.remarks import group_remarks
from bcma_decide.workshop.synthesis.studies import Scale, Studies, counted_studies
from tests.support.cases import for_each


def arms(events, n, measure="logit"):
    return counted_studies([f"s{row}" for row in range(len(n))], events, n, measure)


def effects(yi, vi):
    return Studies(tuple(f"s{row}" for row in range(len(yi))), Scale("generic"), np.array(yi), np.array(vi))


@for_each("method", ["GLMM", "REML", "DL", "EE"])
def test_a_group_of_one_study_is_the_study_with_its_exact_interval(method):
    """3 of 100: R's binom.test(3, 100)."""
    found = groups_of(arms([1, 3, 1, 3], [40, 155, 121, 100]), list("aaab"), PoolingMethod(method), "trial")
    one = found.groups[1]
    assert (one.name, one.rows, one.result.k, one.result.method) == ("b", (3,), 1, "exact")
    assert Scale("logit").back(one.result.ci) == pytest.approx([0.00622997153831, 0.0851760529743], rel=1e-9)
    assert one.result.estimate == pytest.approx(math.log(3 / 97))
    assert "one study" in one.note


def test_the_other_group_is_pooled_as_asked():
    """metafor: rma.glmm(measure="PLO", xi=c(1,3,1), ni=c(40,155,121), nAGQ=25)."""
    found = groups_of(arms([1, 3, 1, 3], [40, 155, 121, 100]), list("aaab"), PoolingMethod("GLMM"), "trial")
    first = found.groups[0].result
    assert (first.method, first.estimate, first.se) == (
        "GLMM",
        pytest.approx(-4.13035499975, rel=1e-5),
        pytest.approx(0.450794088298, rel=1e-5),
    )
    assert (found.between.df, found.between_common, found.left_out) == (1, None, ())


def test_a_group_in_which_everybody_had_the_event_is_counted_together_and_left_out_of_the_test():
    """70 of 70: R's binom.test(70, 70); the others metafor's rma.glmm, nAGQ=25."""
    studies = arms([58, 40, 99, 30, 77], [60, 40, 100, 30, 80])
    model = PoolingMethod("GLMM")
    found = groups_of(studies, list("ababa"), model, "product")
    rest, full = (group.result for group in found.groups)
    assert full.method == "exact"
    assert Scale("logit").back(full.ci) == pytest.approx([0.948666202849, 1.0], rel=1e-9)
    assert rest.estimate == pytest.approx(3.66356164613, rel=1e-6)
    assert (found.between, found.left_out) == (None, ("b",))
    said = " ".join(group_remarks(studies, model, found))
    assert "everybody in 2 studies had the event" in said
    assert "No test between groups is made: the log odds of b are infinite" in said


def test_a_group_without_a_finite_effect_is_in_neither_test():
    """One study with all of 12. metafor: rma(PLO, xi=c(0,0,2,5,1), ni=c(30,40,50,60,70), mods=~g)$QM, 1.327773813."""
    studies = arms([0, 0, 2, 5, 1, 12], [30, 40, 50, 60, 70, 12])
    found = groups_of(studies, list("aabbbc"), PoolingMethod("REML"), "product")
    assert (found.left_out, found.between.df, found.between_common.df1) == (("c",), 1, 1)
    assert found.between_common.statistic == pytest.approx(1.327773813383, rel=1e-6)
    assert "The test between groups leaves out c" in " ".join(group_remarks(studies, PoolingMethod("REML"), found))


def test_no_group_has_an_effect_and_there_is_no_test():
    found = groups_of(arms([0, 0, 5, 9], [10, 20, 5, 9]), list("aabb"), PoolingMethod("GLMM"), "product")
    assert [group.result.estimate for group in found.groups] == [-math.inf, math.inf]
    assert (found.between, found.left_out) == (None, ("a", "b"))


def test_a_group_the_exact_model_cannot_be_fitted_to_is_pooled_otherwise_and_says_so():
    """Nobody of 12 and all of 15: no finite tau2 by maximum likelihood; REML adds half patients."""
    studies = arms([0, 15, 3, 5, 2], [12, 15, 30, 40, 25])
    found = groups_of(studies, list("aabbb"), PoolingMethod("GLMM"), "product")
    assert [group.result.method for group in found.groups] == ["REML", "GLMM"]
    assert found.groups[0].note.endswith("pooled by REML instead")
    assert found.groups[0].result.estimate == pytest.approx(
        groups_of(studies, list("aabbb"), PoolingMethod("REML"), "product").groups[0].result.estimate
    )


def test_every_study_a_group_of_its_own():
    found = groups_of(effects([0.1, 0.5, 0.9], [0.1, 0.2, 0.1]), list("abc"), PoolingMethod(), "trial")
    # The common effect's own Q: 0.8 between the ends and 0.5 in the middle of them.
    assert (found.between.q, found.between.df) == (pytest.approx(2 * 0.4**2 / 0.1), 2)
    assert found.between_common is None


def test_one_group_for_all_has_no_test():
    found = groups_of(effects([0.1, 0.5, 0.9], [0.1, 0.2, 0.1]), list("aaa"), PoolingMethod(), "trial")
    assert (found.between, found.between_common, len(found.groups)) == (None, None, 1)


@for_each("test", ["z", "t", "knha", "knha-floored"])
def test_between_groups_goes_by_normal_errors_whatever_test_the_means_have(test):
    """Two agreeing studies have no error by Knapp and Hartung. metafor: Q 0.5625, p 0.453254704754 of the two means."""
    studies = effects([0.3, 0.3, 0.1, 0.2], [0.04] * 4)
    found = groups_of(studies, list("aabb"), PoolingMethod(test=test), "group")
    assert (found.between.q, found.between.df) == (pytest.approx(0.5625), 1)
    assert found.between.p == pytest.approx(0.453254704754)
    if test == "knha":
        assert found.groups[0].result.ci == pytest.approx(interval(0.3, 0.0, 1, 0.95))


def test_a_method_that_does_not_go_with_the_studies_is_refused_before_any_group():
    with pytest.raises(SynthesisError, match="GLMM pools counts"):
        groups_of(effects([0.1, 0.5, 0.9], [0.1, 0.2, 0.1]), list("aab"), PoolingMethod("GLMM"), "trial")
