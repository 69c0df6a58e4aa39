"""Numbers of every size: an answer without holes, or one message; no warning, traceback or infinite number."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.support.program import invoke
from tests.support.cases import for_each
from tests.support.examples import examples

BASE = [(0.3, 0.04, 1, "a", 2001), (0.1, 0.09, 2, "b", 2002), (0.9, 0.02, 3, "a", 2003), (-0.2, 0.05, 5, "b", 2004),
        (0.5, 0.11, 4, "a", 2005), (0.45, 0.07, 7, "b", 2006)]  # fmt: skip
METHODS = ["EE", "DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM"]
PARTS = [(), ("--test", "knha"), ("--mods", "x"), ("--by", "g"), ("--order", "t"), ("--nested", "g"), ("--gosh",)]
CLAIMED = ("estimate", "se", "statistic", "p", "tau2", "i2", "h2", "q", "q_p")


def answered(path, head, rows, *options):
    """The document, or ``None`` where the table is refused with exit code 3."""
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
    answer = invoke("meta", path, *options, "--json")
    assert answer.exit_code in (0, 3), (answer.stderr, answer.exception)
    return json.loads(answer.stdout) if answer.exit_code == 0 else None


@for_each("effect", [-80, -20, -5, 0, 5, 15, 20])
@for_each("variance", [-28, -10, 0, 10, 40])
def test_effects_and_variances_of_any_unit(tmp_path, effect, variance):
    """One unit for all effects, one for all variances: an answer throughout, save where arms are nested."""
    place = METHODS[(effect + 3 * variance) % len(METHODS)]
    rows = [(f"s{i}", y * 10.0**effect, v * 10.0**variance, *more) for i, (y, v, *more) in enumerate(BASE)]
    part = PARTS[(effect * 5 + variance) % len(PARTS)]
    method = "REML" if "--nested" in part else "DL" if "--gosh" in part else place
    found = answered(tmp_path / "t.csv", "study,yi,vi,x,g,t", rows, "--method", method, *part)
    assert found is not None or "--nested" in part
    if found is not None and "--nested" not in part:
        assert all(found[name] is not None for name in CLAIMED)


@for_each("effect", [21, 60, 80, 300])
def test_effects_beyond_reckoning_are_refused(tmp_path, effect):
    rows = [(f"s{i}", f"{y}e{effect}", v) for i, (y, v, *_) in enumerate(BASE)]
    assert answered(tmp_path / "t.csv", "study,yi,vi", rows) is None


def test_variances_that_cannot_be_weighed_against_each_other_are_refused(tmp_path):
    rows = [("a", 1, 1e-8), ("b", 2, 0.1), ("c", 1.5, 1e5)]
    assert answered(tmp_path / "t.csv", "study,yi,vi", rows) is None


@examples(40)
@given(data=st.data())
def test_tables_of_mixed_scales(tmp_path_factory, data):
    k = data.draw(st.integers(2, 8))
    number = st.floats(-6, 6)
    rows = [
        (f"s{i}", data.draw(number) * 10 ** data.draw(number), 10 ** data.draw(number), i * i % 7, "ab"[i % 2], i)
        for i in range(k)
    ]
    path = tmp_path_factory.mktemp("scales") / "t.csv"
    options = ("--method", data.draw(st.sampled_from(METHODS)), *data.draw(st.sampled_from(PARTS[:5])))
    found = answered(path, "study,yi,vi,x,g,t", rows, *options)
    if found is not None:
        assert all(found[name] is not None for name in ("estimate", "se", "p", "tau2", "q"))


SIZES = st.sampled_from([1, 2, 3, 10, 1000, 10**6, 10**9, 10**12])


@st.composite
def counts(draw):
    n = draw(SIZES)
    return draw(st.sampled_from(sorted({0, 1, n // 2, n - 1, n}))), n


@examples(40)
@given(data=st.data())
def test_counts_up_to_a_million_millions(tmp_path_factory, data):
    rows = [(f"s{i}", *data.draw(counts()), "ab"[i % 2], i) for i in range(data.draw(st.integers(2, 6)))]
    parts = [(), ("--method", "GLMM"), ("--by", "g"), ("--order", "t"), ("--measure", "raw"), ("--measure", "log"),
             ("--measure", "freeman-tukey"), ("--mods", "t")]  # fmt: skip
    path = tmp_path_factory.mktemp("counts") / "t.csv"
    found = answered(path, "study,events,n,g,t", rows, *data.draw(st.sampled_from(parts)))
    if found is not None and found["pooled_by"] != "exact":
        assert all(found[name] is not None for name in ("estimate", "se", "p", "tau2", "q"))


@examples(40)
@given(data=st.data())
def test_two_groups_of_counts_up_to_a_million_millions(tmp_path_factory, data):
    k = data.draw(st.integers(2, 6))
    rows = [(f"s{i}", *data.draw(counts()), *data.draw(counts()), "ab"[i % 2], i) for i in range(k)]
    parts = [(), ("--measure", "RR"), ("--measure", "RD"), ("--method", "MH"), ("--method", "PETO"), ("--by", "g"),
             ("--method", "MH", "--measure", "RD"), ("--method", "PETO", "--order", "t")]  # fmt: skip
    path = tmp_path_factory.mktemp("groups") / "t.csv"
    found = answered(path, "study,events1,n1,events2,n2,g,t", rows, *data.draw(st.sampled_from(parts)))
    if found is not None:
        assert all(found[name] is not None for name in ("estimate", "se", "p", "q"))


@pytest.mark.parametrize("level", ["0.9999"])
def test_a_ratio_no_number_holds_is_one_message(tmp_path, level):
    rows = [("a", 1, 10, 9, 10), ("b", 9, 10, 1, 10), ("c", 5, 10, 0, 10)]
    assert answered(tmp_path / "t.csv", "study,events1,n1,events2,n2", rows, "--level", level) is None
