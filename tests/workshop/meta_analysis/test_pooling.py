"""Pooled estimates, their intervals and subgroup tests agree with metafor."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.effect_sizes import MEASURES, back_transform, effect_sizes, harmonic_mean
from bcma_decide.workshop.meta_analysis.heterogeneity import METHODS, cochran_q
from bcma_decide.workshop.meta_analysis.pooled import PREDICTION_DFS
from bcma_decide.workshop.meta_analysis.pooled_rates import pool_rates
from bcma_decide.workshop.meta_analysis.pooling import TESTS, pool
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.reference import (
    METHOD_LETTERS,
    TEST_LETTERS,
    effect_sets,
    effects_of,
    proportion_sets,
    relative_tolerance,
    results,
    rows,
)

RESULTS = effect_sets()
SEVERAL = {place: block for place, block in RESULTS.items() if len(effects_of(block)[0]) > 1}
FITS = [
    pytest.param(
        block["escalc"], method, block["pool"][method], relative_tolerance(place, method), id=f"{place}-{method}"
    )
    for place, block in SEVERAL.items()
    for method in METHOD_LETTERS
]


@for_each(("effects", "method", "fits", "rel"), FITS)
def test_every_fit_is_that_of_metafor(effects, method, fits, rel):
    """Mean, error, interval, heterogeneity and weights by every test; with EE, I2 and H2 are those from Q."""
    for letters, fit in fits.items():
        found = pool(effects["yi"], effects["vi"], method=method, test=TEST_LETTERS[letters])
        scale = 1e-9 * fit["se"]
        assert fit["k"] == found.k
        assert fit["df"] == found.df
        assert [fit["stat"], fit["pval"]] == pytest.approx([found.statistic, found.p], rel=1e-6, abs=1e-9)
        assert fit["beta"] == pytest.approx(found.estimate, rel=rel, abs=scale)
        assert fit["se"] == pytest.approx(found.se, rel=rel)
        assert [fit["ci_lb"], fit["ci_ub"]] == pytest.approx(found.ci, rel=rel, abs=scale)
        assert fit["tau2"] == pytest.approx(found.tau2, rel=rel, abs=1e-9 * min(effects["vi"]))
        assert fit["I2"] == pytest.approx(found.i2, rel=rel, abs=1e-7)
        assert fit["H2"] == pytest.approx(found.h2, rel=rel)
        assert 100 == pytest.approx(sum(found.weights))  # noqa: SIM300
        if "weights_pct" in fit:
            assert fit["weights_pct"] == pytest.approx(found.weights, rel=rel)


@for_each(("effects", "method", "fits", "rel"), [fit for fit in FITS if not fit.id.endswith("EE")])
def test_prediction_intervals_are_those_of_metafor(effects, method, fits, rel):
    """Every choice of degrees of freedom; for two studies metafor gives k - 2 = 0 one degree, we give none."""
    for letters, fit in fits.items():
        for kind, choice in {"riley": "k-2", "t": "k-1", **({"default": "normal"} if letters == "z" else {})}.items():
            expected = [fit["predict"][kind]["pi_lb"], fit["predict"][kind]["pi_ub"]]
            test = TEST_LETTERS[letters]
            found = pool(effects["yi"], effects["vi"], method=method, test=test, prediction_df=choice).prediction
            if kind == "riley" and fit["k"] == 2:
                assert found is None
            else:
                assert expected == pytest.approx(found, rel=rel, abs=1e-9 * fit["se"])


PROPORTIONS = [
    pytest.param(measure, method, events, total, block["pool"][method]["z"], id=f"{place}-{method}-prob")
    for place, measure, block, events, total in proportion_sets()
    for method in METHOD_LETTERS
    if len(events) > 1
]


@for_each(("measure", "method", "events", "total", "fit"), PROPORTIONS)
def test_pooled_proportions(measure, method, events, total, fit):
    """From counts to a proportion with its interval."""
    found, size = pool_rates(events, total, measure=measure, method=method), harmonic_mean(total)
    assert fit["beta"] == pytest.approx(found.estimate, rel=1e-7)
    if (harmonic := fit.get("n_used", {}).get("harmonic")) is not None:
        assert harmonic == pytest.approx(size)
    expected = [fit["prob_median"], *fit["prob_ci"]] if "prob_median" in fit else fit.get("prob", fit.get("prob_hm"))
    if expected:
        back = back_transform([found.estimate, *found.ci], measure, size)
        assert expected == pytest.approx(back.tolist(), rel=1e-8)
    average = found.average_rate
    assert fit.get("prob_mean") == (None if average is None else pytest.approx(average, rel=1e-7))


CORRECTED_OTHERWISE = {
    (place, "PRAW") for place in ("pritz1997", "nielweise2007/treated_arm_single", "nielweise2007/control_arm_single")
}
"""Not reproducible: rows with an empty cell, where meta corrects the variance of a raw proportion but not its value."""
META_MEASURES = {"PLOGIT": "logit", "PAS": "arcsine", "PFT": "freeman_tukey", "PRAW": "raw"}
META_PREDICTION = {
    "HTS": ("z", "k-2"),
    "V": ("z", "k-1"),
    "S": ("z", "normal"),
    "HK": ("knapp_hartung", "k-1"),
    "HK-PR": ("knapp_hartung", "k-2"),
    "KR": ("kenward_roger", "k-1"),
    "KR-PR": ("kenward_roger", "k-2"),
}


def meta_cases():
    """Counts, measure, method and the answers of meta, of every set of single proportions it was asked about."""
    places = {place.rpartition("/")[0]: (events, total) for place, _, _, events, total in proportion_sets()}
    for place, (events, total) in places.items():
        name, *part = place.split("/")
        block = results(name)[part[0]] if part else results(name)
        for key, fit in block.get("meta_package", {}).items():
            letters, _, method = key.partition("_")
            if letters in META_MEASURES and (place, letters) not in CORRECTED_OTHERWISE:
                yield pytest.param(
                    effect_sizes(events, total, META_MEASURES[letters]), method, fit, id=f"{place}-{key}"
                )


META = list(meta_cases())


def meta_tolerance(method, fit, found):
    """Ours moves with tau2, which meta leaves off early: REML where a step is below 1e-5, PM (uniroot) below 1.3e-4."""
    if method == "DL":
        return 1e-9
    assert fit["tau2"] == pytest.approx(found.tau2, abs={"REML": 1e-5, "PM": 1.3e-4}[method])
    return max(1e-9, 3 * abs(fit["tau2"] / found.tau2 - 1))


@for_each(("effects", "method", "fit"), META)
def test_intervals_of_the_mean_are_those_of_meta(effects, method, fit):
    """Hartung-Knapp, and Kenward-Roger where tau2 is by REML; meta's ends of tau2 are good to 1.3e-4."""
    for test, se, ends in (
        ("knapp_hartung", fit["se_random_HK"], [fit["lower_HK"], fit["upper_HK"]]),
        *([("kenward_roger", fit["KR"]["se"], [fit["KR"]["lower"], fit["KR"]["upper"]])] if "KR" in fit else []),
    ):
        found = pool(effects.yi, effects.vi, method=method, test=test)
        rel = meta_tolerance(method, fit, found)
        assert fit["Q"] == pytest.approx(found.q, rel=1e-9)
        assert fit["TE_random"] == pytest.approx(found.estimate, rel=rel)
        assert se == pytest.approx(found.se, rel=rel)
        assert ends == pytest.approx(found.ci, rel=rel, abs=rel * se)
        assert fit["tau2_ci"] == pytest.approx(found.tau2_ci, abs=1.3e-4)
        if test == "kenward_roger":
            assert fit["KR"]["df"] == pytest.approx(found.df, rel=rel)


@for_each(("effects", "method", "fit"), META)
def test_prediction_intervals_are_those_of_meta(effects, method, fit):
    """Each of the seven, under the name it has there."""
    assert set(fit["prediction"]) <= set(META_PREDICTION)
    for name, expected in fit["prediction"].items():
        test, df = META_PREDICTION[name]
        found = pool(effects.yi, effects.vi, method=method, test=test, prediction_df=df)
        rel = meta_tolerance(method, fit, found)
        scale = rel * expected["se"]
        assert [expected["lower"], expected["upper"]] == pytest.approx(found.prediction, rel=rel, abs=scale)


@for_each("key", results("bourassa1996_sex")["deft"])
def test_effects_within_studies_are_pooled_as_by_metafor(key):
    """The difference between the sexes in each study, pooled."""
    block = results("bourassa1996_sex")
    fit, (method, letters) = block["deft"][key], key.split("_")
    effects = block["within_interaction"]
    found = pool(effects["yi"], effects["vi"], method=method, test=TEST_LETTERS[letters])
    assert [fit["beta"], fit["se"], fit["ci_lb"], fit["ci_ub"]] == pytest.approx(
        [found.estimate, found.se, *found.ci], rel=1e-8
    )
    assert [fit["tau2"], fit["I2"], fit["H2"]] == pytest.approx([found.tau2, found.i2, found.h2], rel=1e-8)


def subgroup_cases():
    """Effects, groups and expected separate fits of every subgroup analysis in the reference."""
    columns = {"debruin2009": "ethnicity", "bcg": "alloc", "molloy2014": "design", "begg1989": "trt"}
    for place, block in RESULTS.items():
        if "subgroup" in block:
            name = place.split("/")[0]
            labels = [row[columns[name]] for row in rows(name)]
            for method in ("DL", "REML", "PM"):
                yield pytest.param(block, labels, method, id=f"{place}-{method}-subgroup")


@for_each(("result", "labels", "method"), list(subgroup_cases()))
def test_subgroups(result, labels, method):
    """Each group's own mean and tau2, and the test between them."""
    effects, expected = (
        np.array([result["escalc"]["yi"], result["escalc"]["vi"]]),
        result["subgroup"][method]["separate_tau2"],
    )
    groups = [pool(*effects[:, np.array(labels) == level], method=method) for level in result["subgroup"]["levels"]]
    rel = 1e-8 if method == "REML" else 1e-9
    assert expected["k"] == [group.k for group in groups]
    assert expected["beta"] == pytest.approx([group.estimate for group in groups], rel=rel)
    assert expected["se"] == pytest.approx([group.se for group in groups], rel=rel)
    assert expected["tau2"] == pytest.approx([group.tau2 for group in groups], rel=rel, abs=1e-12)
    between = cochran_q([group.estimate for group in groups], [group.se**2 for group in groups])
    assert [expected["Q_between"], expected["df"], expected["p"]] == pytest.approx(
        [between.q, between.df, between.p], rel=rel
    )


COMBINATIONS = [(m, t) for m in METHODS for t in TESTS if t != "kenward_roger" or m == "REML"]


def test_by_hand():
    """vi = 1 and yi = 0, 2, 4: mean 2, tau2 3, se sqrt(4 / 3); t(0.975, 2) and t(0.975, 1) from tables."""
    found = pool([0, 2, 4], [1, 1, 1], method="DL", test="t")
    se = math.sqrt(4 / 3)
    assert found.estimate == pytest.approx(2)
    assert found.tau2 == pytest.approx(3)
    assert found.se == pytest.approx(se)
    assert found.ci == pytest.approx((2 - 4.30265273 * se, 2 + 4.30265273 * se), rel=1e-8)
    width = 12.7062047362 * math.sqrt(3 + 4 / 3)
    assert found.prediction == pytest.approx((2 - width, 2 + width), rel=1e-8)
    assert found.weights == pytest.approx([100 / 3] * 3)


@for_each(("method", "test"), COMBINATIONS)
def test_one_study_is_reported_as_it_is(method, test):
    """Estimate and normal interval are metafor's; where metafor says tau2 = 0 and I2 = 0, we say nothing."""
    reference = RESULTS["edge_cases/k1/PLO"]["pool"]["DL"]["z"]
    effect = effect_sizes([16], [17])
    found = pool(effect.yi, effect.vi, method=method, test=test)
    assert reference["beta"] == pytest.approx(found.estimate, rel=1e-12)
    assert reference["se"] == pytest.approx(found.se, rel=1e-12)
    assert [reference["ci_lb"], reference["ci_ub"]] == pytest.approx(found.ci, rel=1e-12)
    assert found.weights == (100,)
    assert (found.q, found.q_df, found.test) == (0, 0, "z")
    unknown = ("tau2", "se_tau2", "tau2_ci", "i2", "h2", "q_p", "prediction")
    assert dict.fromkeys(unknown) == {name: getattr(found, name) for name in unknown}


def test_kenward_roger_by_hand():
    """Three studies with vi = 1 and tau2 = 3, so w = 1/4, and information 2 / 16 / 2 = 1/16 on tau2.

    Variance 4/3 (1 + 2 (1/16 - 1/16) * 16) = 4/3: with equal weights there is nothing to widen; degrees of freedom
    2 / 16 / (4/3 * 3/16)^2 = 2, as many as those of t.
    """
    found = pool([0, 2, 4], [1, 1, 1], test="kenward_roger")
    assert found.se == pytest.approx(math.sqrt(4 / 3), rel=1e-8)
    assert found.df == pytest.approx(2, rel=1e-8)


def test_two_studies_have_no_prediction_with_k_minus_2():
    """No degrees of freedom are left; the other choices still give an interval."""
    assert pool([0, 1], [1, 1]).prediction is None
    assert pool([0, 1], [1, 1], prediction_df="k-1").prediction is not None


def test_a_common_effect_model_predicts_nothing():
    """tau2 is assumed, so it has neither error nor interval."""
    found = pool([0, 1, 5], [1, 1, 1], method="EE")
    assert (found.tau2, found.se_tau2, found.tau2_ci, found.prediction) == (0, None, None, None)


@for_each(
    ("options", "message"),
    [
        pytest.param({"method": "FE"}, "method is 'FE', but must be one of DL, REML", id="method"),
        pytest.param({"test": "knha"}, "test is 'knha', but must be one of z, t, knapp_hartung", id="test"),
        pytest.param({"test": "kenward_roger", "method": "DL"}, "by REML, not by DL: use method REML", id="kr"),
        pytest.param({"prediction_df": 3}, "prediction_df is 3, but must be one of k-2", id="prediction_df"),
        pytest.param({"level": 95}, "level is 95", id="level"),
        pytest.param({"measure": "PLO"}, "measure is 'PLO'", id="measure"),
    ],
)
@for_each("k", [1, 3])
def test_unknown_options_are_refused(k, options, message):
    """However many studies there are."""
    with pytest.raises(SynthesisError, match=message):
        pool_rates([1, 2, 3][:k], [9, 9, 9][:k], **options)


steady = examples(20)
STUDIES = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 5)), min_size=1, max_size=12)
COUNTS = st.lists(
    st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=12
)


@steady
@given(STUDIES, st.sampled_from(COMBINATIONS))
def test_the_mean_lies_among_the_studies(studies, combination):
    """It is a weighted mean with weights that sum to 100; its interval holds it; a floor never narrows."""
    y, v = np.array(studies).T
    method, test = combination
    found = pool(y, v, method=method, test=test)
    assert y.min() - 1e-12 <= found.estimate <= y.max() + 1e-12
    assert found.estimate == pytest.approx(np.dot(found.weights, y) / 100, abs=1e-9)
    assert found.ci[0] <= found.estimate <= found.ci[1]
    if test in ("floored_knapp_hartung", "kenward_roger"):
        assert found.se >= pool(y, v, method=method, test="t").se


@steady
@given(STUDIES, st.sampled_from(METHODS), st.randoms(use_true_random=False))
def test_order_does_not_matter(studies, method, random):
    """Shuffled studies give the same estimate and standard error, and the weights move with them."""
    shuffled = random.sample(range(len(studies)), len(studies))
    y, v = np.array(studies).T
    found, again = pool(y, v, method=method), pool(y[shuffled], v[shuffled], method=method)
    assert again.estimate == pytest.approx(found.estimate, rel=1e-6, abs=1e-8)
    assert again.se == pytest.approx(found.se, rel=1e-6)
    assert again.weights == pytest.approx(np.array(found.weights)[shuffled], rel=1e-6, abs=1e-8)


@steady
@given(STUDIES, st.floats(0.01, 100), st.floats(-5, 5))
def test_a_common_effect_is_pooled_in_any_order(studies, variance, effect):
    """With tau2 = 0, pooling a pooled result with one more study equals pooling all at once."""
    y, v = np.array(studies).T
    first = pool(y, v, method="EE")
    twice = pool([first.estimate, effect], [first.se**2, variance], method="EE")
    once = pool([*y, effect], [*v, variance], method="EE")
    assert once.estimate == pytest.approx(twice.estimate, abs=1e-9)
    assert once.se == pytest.approx(twice.se, rel=1e-9)


@steady
@given(COUNTS, st.sampled_from(MEASURES), st.sampled_from(METHODS), st.sampled_from(PREDICTION_DFS))
def test_proportions_stay_within_0_and_1(rows, measure, method, prediction_df):
    """Whatever the counts, ends are ordered proportions and the prediction interval holds the interval."""
    events, total = np.array(rows).T
    found, size = (
        pool_rates(events, total, measure=measure, method=method, prediction_df=prediction_df),
        harmonic_mean(total),
    )
    ends = back_transform([found.ci[0], found.estimate, found.ci[1]], measure, size).tolist()
    assert all(0 <= end <= 1 for end in ends)
    if measure != "freeman_tukey":
        assert ends == sorted(ends)
    if found.prediction is not None:
        assert found.prediction[0] - 1e-6 <= found.ci[0]
        assert found.ci[1] <= found.prediction[1] + 1e-6
