"""Effect sizes of single proportions agree with metafor's escalc and its back-transforms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.effect_sizes import (
    MEASURES,
    arcsine,
    back_transform,
    effect_sizes,
    freeman_tukey,
    harmonic_mean,
    inverse_arcsine,
    inverse_freeman_tukey,
    inverse_log,
    inverse_logit,
    log,
    logit,
    raw,
)
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.reference import effects_of, proportion_sets


def back_transforms(fit: dict[str, Any]) -> list[tuple[str, list[float], list[float], float]]:
    """What a fit says as proportions: name, values on the analysis scale, proportions, study size."""
    scale = [fit["beta"], fit["ci_lb"], fit["ci_ub"]]
    found = []
    if "prob_median" in fit:
        found.append(("median", scale, [fit["prob_median"], *fit["prob_ci"]], math.nan))
    if "prob" in fit:
        found.append(("prob", scale, fit["prob"], math.nan))
    for kind, proportions in fit.get("prob_by_n", {}).items():
        found.append((kind, scale, proportions, fit["n_used"][kind]))
    return found


steady = examples(25)
SETS = [pytest.param(*values, id=place) for place, *values in proportion_sets()]
PROPORTIONS = [
    pytest.param(measure, scale, proportions, size, id=f"{place}-{method}-{name}")
    for place, measure, block, _, _ in proportion_sets()
    for method, fits in block["pool"].items()
    for name, scale, proportions, size in back_transforms(fits["z"])
]


@for_each(("measure", "result", "events", "total"), SETS)
def test_effect_sizes_are_those_of_escalc(measure, result, events, total):
    """Values and variances agree in every row, corrected rows included."""
    effects = effect_sizes(events, total, measure)
    assert effects_of(result)[0] == pytest.approx(effects.yi, rel=1e-12, abs=1e-12)
    assert effects_of(result)[1] == pytest.approx(effects.vi, rel=1e-12)


@for_each(("measure", "scale", "proportions", "size"), PROPORTIONS)
def test_back_transforms_are_those_of_metafor(measure, scale, proportions, size):
    """Pooled values and interval ends go back to metafor's proportions, at each study size it was asked for."""
    assert proportions == pytest.approx(back_transform(scale, measure, size), rel=1e-10)


HARMONIC = [
    pytest.param(total, block["pool"]["DL"]["z"]["n_used"]["harmonic"], id=place)
    for place, measure, block, _, total in proportion_sets()
    if measure == "freeman_tukey"
]


@for_each(("total", "expected"), HARMONIC)
def test_harmonic_mean_is_the_size_metafor_used(total, expected):
    """The study size behind metafor's Freeman-Tukey inverse."""
    assert expected == pytest.approx(harmonic_mean(total), rel=1e-12)


def test_logit_by_hand():
    """3 of 12: log(3 / 9) and 1/3 + 1/9; 0 of 4 becomes 0.5 and 4.5; the other row is left alone."""
    effects = logit([3, 0], [12, 4])
    assert effects.yi == pytest.approx([math.log(1 / 3), math.log(1 / 9)], rel=1e-15)
    assert effects.vi == pytest.approx([4 / 9, 2 + 2 / 9], rel=1e-15)


def test_raw_by_hand():
    """3 of 12 has variance 0.25 * 0.75 / 12; 4 of 4 becomes 4.5 of 5."""
    effects = raw([3, 4], [12, 4])
    assert effects.yi == pytest.approx([0.25, 0.9], rel=1e-15)
    assert effects.vi == pytest.approx([0.015625, 0.018], rel=1e-13)


def test_log_by_hand():
    """3 of 12: log(1 / 4) and 1/3 - 1/12; 0 of 4 becomes 0.5 of 5."""
    effects = log([3, 0], [12, 4])
    assert effects.yi == pytest.approx([math.log(1 / 4), math.log(1 / 10)], rel=1e-15)
    assert effects.vi == pytest.approx([1 / 4, 2 - 1 / 5], rel=1e-15)


def test_angles_by_hand():
    """Half of the patients is an angle of pi / 4 on both arcsine scales; the variances are 1/40 and 1/42."""
    half, double = arcsine([5], [10]), freeman_tukey([5], [10])
    assert [half.yi[0], double.yi[0]] == pytest.approx([math.pi / 4] * 2, rel=1e-15)
    assert [half.vi[0], double.vi[0]] == pytest.approx([1 / 40, 1 / 42], rel=1e-15)


@for_each(
    ("events", "total", "message"),
    [
        pytest.param([], [], "events is empty", id="empty"),
        pytest.param([1, 2], [3], "events has 2 rows but total has 1", id="lengths"),
        pytest.param([1, 2], [3, 0], r"total\[1\] is 0", id="no-patients"),
        pytest.param([1, -2], [3, 3], r"events\[1\] is -2", id="negative"),
        pytest.param([1, 7, 9], [3, 5, 5], r"events\[1\] is 7, more than total\[1\] = 5", id="too-many"),
        pytest.param([1, math.nan], [3, 5], r"events\[1\] is nan", id="nan-events"),
        pytest.param([1, 2], [3, math.inf], r"total\[1\] is inf", id="infinite-total"),
        pytest.param(["a"], [3], "events must be numbers", id="text"),
        pytest.param([[1]], [[3]], "one dimension, not 2", id="two-dimensions"),
    ],
)
@for_each("measure", MEASURES)
def test_bad_counts_are_refused_by_row(measure, events, total, message):
    """A row that cannot be a proportion raises an error that names it."""
    with pytest.raises(SynthesisError, match=message):
        effect_sizes(events, total, measure)


def test_unknown_measures_and_sizes_are_refused():
    """The message lists what would have been right."""
    with pytest.raises(SynthesisError, match="'PLO', but must be one of logit, raw, arcsine, freeman_tukey, log"):
        effect_sizes([1], [2], "PLO")
    with pytest.raises(SynthesisError, match="'probit', but must be one of"):
        back_transform(0.0, "probit", 10)
    with pytest.raises(SynthesisError, match="positive study size"):
        inverse_freeman_tukey(0.5, 0)
    with pytest.raises(SynthesisError, match=r"total\[1\] is 0"):
        harmonic_mean([5, 0])


@steady
@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_inverses_undo_the_transforms(row):
    """Each inverse gives back e / n, or the corrected proportion where a cell was empty."""
    e, n = row
    half = 0.5 if e in (0, n) else 0.0
    padded = (e + half) / (n + 2 * half)
    assert padded == pytest.approx(inverse_logit(logit([e], [n]).yi)[0], rel=1e-12)
    assert padded == pytest.approx(inverse_log(log([e], [n]).yi)[0], rel=1e-12)
    assert padded == raw([e], [n]).yi[0]
    assert e / n == pytest.approx(inverse_arcsine(arcsine([e], [n]).yi)[0], rel=1e-12, abs=1e-15)
    assert e / n == pytest.approx(inverse_freeman_tukey(freeman_tukey([e], [n]).yi, n)[0], rel=1e-6, abs=1e-9)


@steady
@given(st.floats(-10, 10), st.floats(-10, 10), st.floats(0.5, 1e6), st.sampled_from(MEASURES))
def test_back_transforms_rise_and_stay_within_0_and_1(a, b, n, measure):
    """A larger value on the analysis scale never gives a smaller proportion."""
    low, high = back_transform(sorted([a, b]), measure, n)
    assert 0 <= low <= 1
    assert 0 <= high <= 1
    assert low <= high + 1e-9


@steady
@given(st.integers(1, 1000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@pytest.mark.parametrize("measure", ["logit", "arcsine", "freeman_tukey"])
def test_counting_the_others_mirrors_the_scale(measure, row):
    """Events and non-events sit symmetrically, with the same variance."""
    e, n = row
    one, other = effect_sizes([e], [n], measure), effect_sizes([n - e], [n], measure)
    total = 0.0 if measure == "logit" else math.pi / 2
    assert total == pytest.approx(one.yi[0] + other.yi[0], abs=1e-12)
    np.testing.assert_allclose(one.vi, other.vi, rtol=1e-12)
