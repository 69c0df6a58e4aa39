"""Small tables on which earlier versions went wrong, as a reviewer runs them; what is right is from R or by hand."""

import json

import pytest

from tests.cli.support.program import invoke
from tests.support.cases import for_each
from tests.workshop.meta_analysis.support.reference import FOLDER


@pytest.fixture
def meta(tmp_path):
    """Run the command on rows; the JSON, or the answer where it is refused."""

    def run(head, rows, *options, code=0):
        path = tmp_path / "table.csv"
        path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")
        answer = invoke("meta", path, *options, "--json")
        assert answer.exit_code == code, answer.stderr
        return json.loads(answer.stdout) if code == 0 else answer.stderr

    return run


RARE = [("s0", 0, 30), ("s1", 0, 31), ("s2", 0, 20), ("s3", 41, 821), ("s4", 0, 103), ("s5", 0, 141), ("s6", 0, 16),
        ("s7", 0, 74), ("s8", 0, 102), ("s9", 9, 236)]  # fmt: skip
FEW = [("s0", 1, 40), ("s1", 3, 155), ("s2", 9, 121), ("s3", 3, 300), ("s4", 1, 50), ("s5", 2, 90)]


def test_heterogeneity_of_rare_events_is_by_likelihood_ratio(meta):
    """rma.glmm's QE.LRT; the average over studies beside the typical one."""
    found = meta("study,events,n", RARE)
    assert (found["pooled_by"], found["q_by"], found["q_df"]) == ("GLMM", "likelihood ratio", 9)
    assert (found["q"], found["q_p"]) == (pytest.approx(41.21106, abs=1e-4), pytest.approx(4.578e-06, rel=1e-3))
    assert found["q_wald"] is None
    assert found["back_transformed"]["estimate"] == pytest.approx(0.0013, abs=5e-5)
    assert found["back_transformed"]["average_rate"] == pytest.approx(0.0176, abs=5e-5)


def test_a_group_of_one_study_does_not_stop_the_others(meta):
    rows = [("s0", 1, 40, "a"), ("s1", 3, 155, "a"), ("s2", 1, 121, "a"), ("s3", 3, 100, "b")]
    one = meta("study,events,n,g", rows, "--by", "g")["groups"]["groups"][1]
    assert (one["group"], one["k"], one["pooled_by"]) == ("b", 1, "exact")
    assert one["back_transformed"]["ci"] == pytest.approx([0.0062, 0.0852], abs=5e-5)


def test_a_group_in_which_everybody_responded_has_its_limit(meta):
    rows = [("s0", 58, 60, "a"), ("s1", 40, 40, "b"), ("s2", 99, 100, "a"), ("s3", 30, 30, "b"), ("s4", 77, 80, "a")]
    found = meta("study,events,n,product", rows, "--by", "product")
    full = found["groups"]["groups"][1]
    assert (full["estimate"], full["se"], full["pooled_by"]) == (None, None, "exact")
    assert full["back_transformed"]["estimate"] == 1.0
    assert full["back_transformed"]["ci"] == pytest.approx([0.9487, 1.0], abs=5e-5)
    assert found["groups"]["left_out_of_between"] == ["b"]
    assert any("everybody in 2 studies had the event" in remark for remark in found["remarks"])


@for_each(
    ("df", "ends"),
    [("normal", (-5.1125, -2.3428)), ("k-2", (-5.6894, -1.7659)), ("k-1", (-5.5440, -1.9113))],
)
def test_the_exact_model_predicts_by_the_distribution_asked_for(meta, df, ends):
    """From rma.glmm's estimate -3.72765, se 0.36902 and tau2 0.36308, with qnorm, qt(4) and qt(5)."""
    found = meta("study,events,n", FEW, "--method", "GLMM", "--prediction", df)
    assert found["prediction"] == pytest.approx(ends, abs=1e-4)


@for_each(
    ("df", "ends"),
    [
        ("normal", (-1.25476667029, -0.294083015286)),
        ("k-2", (-3.88842165689, 2.33957197131)),
        ("k-1", (-1.82890548204, 0.280055796458)),
    ],
)
def test_a_regression_predicts_by_the_distribution_asked_for(meta, df, ends):
    """predict(rma(mods = ~ x), newmods = 2), with qnorm, qt(1) and qt(2): two coefficients instead of one mean."""
    rows = [("s0", 5, 20, 0), ("s1", 9, 30, 1), ("s2", 2, 15, 2), ("s3", 11, 28, 3)]
    found = meta("study,events,n,x", rows, "--mods", "x", "--at", "x=2", "--prediction", df)
    assert found["regression"]["expected"][0]["prediction"] == pytest.approx(ends, rel=1e-8)


@for_each(
    ("df", "ends"),
    [
        ("k-2", (-0.46478159897, 0.834207926316)),
        ("k-1", (-0.464511255232, 0.833937582577)),
        ("normal", (-0.450230970085, 0.81965729743)),
    ],
)
def test_arms_in_studies_predict_by_the_distribution_asked_for(df, ends):
    """rma.mv(yi, vi, random = ~ 1 | district/study) of dat.konstantopoulos2011, with qt(54), qt(55) and qnorm."""
    table = FOLDER.parent / "peers" / "tables" / "konstantopoulos2011.csv"
    answer = invoke("meta", table, "--nested", "district", "--prediction", df, "--json")
    assert json.loads(answer.stdout)["prediction"] == pytest.approx(ends, rel=1e-6)


def test_the_exact_model_has_no_weights(meta):
    rows = [("s0", 40, 50000), ("s1", 12, 440), ("s2", 3, 3000), ("s3", 90, 31000)]
    found = meta("study,events,n", rows)
    assert found["pooled_by"] == "GLMM"
    assert [each["weight"] for each in found["studies"]] == [None] * 4
    assert sum(each["weight"] for each in meta("study,events,n", rows, "--method", "REML")["studies"]) == (
        pytest.approx(100)
    )


def test_agreeing_studies_of_a_group_do_not_make_a_difference(meta):
    """Both means with normal errors: Q 0.1^2... of metafor, rma(method = "EE") of the two."""
    rows = [("s0", 0.3, 0.04, "a"), ("s1", 0.3, 0.04, "a"), ("s2", 0.1, 0.04, "b"), ("s3", 0.2, 0.04, "b")]
    between = meta("study,yi,vi,g", rows, "--by", "g", "--test", "knha")["groups"]["between"]
    assert (between["q"], between["df"], between["p"]) == (pytest.approx(0.5625), 1, pytest.approx(0.453, abs=5e-4))


@for_each("vi", ["1e-300", "1e-40", "1e300", "1e61"])
def test_variances_beyond_reckoning_are_one_message(meta, vi):
    said = meta("study,yi,vi", [("a", 1, vi), ("b", 2, vi), ("c", 3, vi)], code=3)
    assert "give effects and variances in another unit" in " ".join(said.split())


def test_adding_one_by_one_ends_with_the_pooled_result(meta):
    rows = [("s0", 1, 40, 2000), ("s1", 3, 155, 2001), ("s2", 0, 121, 2002), ("s3", 3, 300, 2003), ("s4", 1, 50, 2004),
            ("s5", 2, 90, 2005)]  # fmt: skip
    found = meta("study,events,n,year", rows, "--order", "year")
    last = found["cumulative"][-1]
    assert found["estimate"] == pytest.approx(-4.31214, abs=1e-5)
    assert (last["estimate"], last["se"], last["p"]) == pytest.approx((found["estimate"], found["se"], found["p"]))
