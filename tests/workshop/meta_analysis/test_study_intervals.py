"""Intervals of single proportions are those of meta, and hold what they should."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.meta_analysis.study_intervals import STUDY_INTERVALS, study_intervals
from tests.support.cases import for_each
from tests.support.examples import examples
from tests.workshop.meta_analysis.support.reference import proportion_sets, results

META_INTERVALS = {"CP": "clopper_pearson", "WS": "wilson", "AC": "agresti_coull", "NAsm": "logit"}


def meta_cases():
    """Counts and the intervals of meta on the logit scale, where an end at 0 or 1 is missing."""
    places = {place.rpartition("/")[0]: (events, total) for place, _, _, events, total in proportion_sets()}
    for place, (events, total) in places.items():
        name, *part = place.split("/")
        block = results(name)[part[0]] if part else results(name)
        if "meta_package" in block:
            for letters, kind in META_INTERVALS.items():
                yield pytest.param(
                    events, total, kind, block["meta_package"]["study_ci"][letters], id=f"{place}-{kind}"
                )


@for_each(("events", "total", "kind", "expected"), list(meta_cases()))
def test_ends_are_those_of_meta(events, total, kind, expected):
    """On the scale of proportions."""
    found = study_intervals(events, total, kind)
    low = [0 if end is None else special.expit(end) for end in expected["lower"]]
    high = [1 if end is None else special.expit(end) for end in expected["upper"]]
    assert low == pytest.approx(found[:, 0], rel=1e-9, abs=1e-15)
    assert high == pytest.approx(found[:, 1], rel=1e-9)


def test_by_hand():
    """None of 10: Clopper-Pearson goes up to 1 - 0.025^(1/10), Wilson up to z^2 / (10 + z^2)."""
    z2 = special.ndtri(0.975) ** 2
    assert study_intervals([0], [10])[0] == pytest.approx([0, 1 - 0.025**0.1])
    assert study_intervals([0], [10], "wilson")[0] == pytest.approx([0, z2 / (10 + z2)], abs=1e-15)
    assert study_intervals([10], [10])[0] == pytest.approx([0.025**0.1, 1])


@examples(100)
@given(
    st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from(STUDY_INTERVALS)
)
def test_intervals_are_ordered_mirror_images(row, kind):
    """Within 0 and 1, around the proportion (the logit one around the corrected), wider at a higher level."""
    e, n = row
    low, high = study_intervals([e], [n], kind)[0]
    assert 0 <= low < high <= 1
    if kind != "logit":
        assert low <= e / n + 1e-12
        assert e / n <= high + 1e-12
    assert [1 - high, 1 - low] == pytest.approx(study_intervals([n - e], [n], kind)[0], abs=1e-12)
    wide = study_intervals([e], [n], kind, level=0.99)[0]
    assert wide[0] <= low
    assert high <= wide[1]


@examples(40)
@given(st.integers(1, 60), st.floats(0.01, 0.99))
def test_clopper_pearson_covers_as_often_as_it_says(n, p):
    """Summed over all outcomes."""
    outcomes = np.arange(n + 1)
    ends = study_intervals(outcomes, np.full(n + 1, n))
    weights = np.exp(
        special.gammaln(n + 1) - special.gammaln(outcomes + 1) - special.gammaln(n - outcomes + 1)
        + outcomes * math.log(p) + (n - outcomes) * math.log1p(-p)
    )  # fmt: skip
    assert weights[(ends[:, 0] <= p) & (p <= ends[:, 1])].sum() >= 0.95 - 1e-9


def test_bad_input_is_refused():
    """Counts by row, unknown kinds, levels in percent."""
    with pytest.raises(SynthesisError, match=r"events\[1\] is 3, more than"):
        study_intervals([1, 3], [2, 2])
    with pytest.raises(SynthesisError, match="kind is 'wald', but must be one of clopper_pearson, wilson"):
        study_intervals([1], [2], "wald")
    with pytest.raises(SynthesisError, match="level is 95"):
        study_intervals([1], [2], level=95)
