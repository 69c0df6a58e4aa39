"""Comparisons with one control group: pooled and regressed as rma.mv does with the same covariance."""

import numpy as np
import pytest

from bcma_decide.workshop.meta_analysis.coefficients import NamedDesignMatrix
from bcma_decide.workshop.meta_analysis.correlated import CORRELATED_METHODS, fit_correlated, pool_correlated
from bcma_decide.workshop.meta_analysis.pooling import pool
from tests.support.cases import for_each
from tests.workshop.own_table.support.command import answered, pooled

HEAD = "study,events1,n1,events2,n2,x\n"
ROWS = (
    "A,30,60,20,61,1\nA,18,62,20,61,2\nB,5,40,9,42,1\nC,15,120,41,118,3\nD,9,50,12,51,1\nD,4,48,12,51,2\n"
    "D,7,52,12,51,3\nE,0,30,3,29,2\n"
)
METAFOR = {
    "OR": {
        "REML": (-0.54968257269868, 0.29789934545987, 0.32887686649110),
        "ML": (-0.54602867728880, 0.28421845094489, 0.27375424731148),
        "EE": (-0.567938813364, 0.192581208709, 0),
        "Q": (20.31360690089324, 0.00493067713206),
        "x": (-0.517583883369, 0.237754132966, 0.1220938871066, 4.7392032983430, 9.5109420091937),
        "t": (-1.25410258951, -2.07778774203),
    },
    "RR": {
        "REML": (-0.41915424243442, 0.23052404878670, 0.19719568613060),
        "ML": (-0.41126914318408, 0.21937554276415, 0.16404989105406),
        "EE": (-0.320691084498, 0.142575959255, 0),
        "Q": (22.99236204521441, 0.00170983654683),
        "x": (-0.420549790483, 0.171408643834, 0.052001804086, 6.019624542975, 8.753647595368),
        "t": (-0.964256998771, -1.602263033058),
    },
    "RD": {
        "REML": (-0.09064421258237, 0.04198452626946, 0.00605395431795),
        "ML": (-0.09283758844640, 0.03996452429934, 0.00485944941994),
        "EE": (-0.113867755194, 0.029187300241, 0),
        "Q": (17.56829536179463, 0.01407726398518),
        "x": (-0.0758442423447, 0.0366948292796, 0.00295894507484, 4.27204178097508, 10.88959998357708),
        "t": (-0.189921841591, -0.299705011117),
    },
}
"""rma.mv(yi, V, random = ~ 1 | row) with V[i, j] the smaller of both controls' 1/c + 1/d (1/c - 1/n, c d / n^3) within
a study and vi on the diagonal, by optim(reltol = 1e-15); mods = ~ x; test = "t" with predict. Its tau2 has 7 digits."""


@for_each("measure", METAFOR)
def test_arms_that_share_a_control_are_pooled_with_their_covariance(tmp_path, measure):
    expected = METAFOR[measure]
    for method in ("REML", "ML", "EE"):
        ours = pooled(tmp_path, HEAD + ROWS, "--measure", measure, "--method", method)
        assert [ours[each] for each in ("estimate", "se", "tau2")] == pytest.approx(expected[method], rel=1e-6)
        assert [ours[each] for each in ("q", "q_p")] == pytest.approx(expected["Q"], rel=1e-9)
    assert {"influence", "small_studies"} & set(ours) == set()
    assert [each["study"] for each in ours["studies"]][:3] == ["A (1)", "A (2)", "B"]
    assert any("(A, lines 2, 3; D, lines 6, 7, 8)" in remark for remark in ours["remarks"])
    ours = pooled(tmp_path, HEAD + ROWS, "--measure", measure, "--test", "t", "--prediction", "k-1")
    assert [ours["ci"][0], ours["prediction"][0]] == pytest.approx(expected["t"], rel=1e-6)


def test_weights_are_the_sums_of_rows(tmp_path):
    """weights(fit, type = "rowsum")."""
    ours = pooled(tmp_path, HEAD + ROWS)["studies"]
    weights = [16.36734489262, 15.90038874263, 12.69835312266, 20.05765696122, 11.67809122696, 9.01431835491]
    assert [each["weight"] for each in ours[:6]] == pytest.approx(weights, rel=1e-6)


@for_each("measure", METAFOR)
def test_moderators(tmp_path, measure):
    ours = pooled(tmp_path, HEAD + ROWS, "--measure", measure, "--mods", "x", "--at", "x=2")["regression"]
    slope = ours["coefficients"][1]
    numbers = [slope["estimate"], slope["se"], ours["tau2"], ours["moderators"]["qm"], ours["qe"]]
    assert numbers == pytest.approx(METAFOR[measure]["x"], rel=2e-5)
    [there] = ours["expected"]
    assert there["estimate"] == pytest.approx(ours["coefficients"][0]["estimate"] + 2 * slope["estimate"])
    assert there["prediction"][0] < there["ci"][0]


@for_each("method", CORRELATED_METHODS)
@for_each("test", ["z", "t", "knapp_hartung", "floored_knapp_hartung"])
def test_without_covariances_it_is_the_plain_model(method, test):
    y, v = np.array([0.0, 1.2, -0.4, 2.5, 0.9, 0.8]), np.array([0.1, 0.4, 0.2, 0.3, 0.1, 0.6])
    ours = pool_correlated(y, np.diag(v), method=method, test=test)
    theirs = pool(y, v, method=method, test=test)
    for each in ("estimate", "se", "tau2", "q", "statistic"):
        assert getattr(ours, each) == pytest.approx(getattr(theirs, each), rel=1e-8), each
    if method != "EE":
        assert ours.tau2_ci == pytest.approx(theirs.tau2_ci, rel=1e-8)
        assert [ours.i2, *ours.h2_ci] == pytest.approx([theirs.i2, *theirs.h2_ci], rel=1e-8)


def test_of_two_peaks_the_higher_is_taken():
    """As for the plain model: y 0, 0, 4.5 with v .5, .5, 3.5 has peaks at 0 and at 2.606."""
    one = NamedDesignMatrix(np.ones((3, 1)), ("intercept",))
    fit = fit_correlated(np.array([0.0, 0.0, 4.5]), np.diag([0.5, 0.5, 3.5]), one, method="REML", test="z", level=0.95)
    assert fit.tau2.value == pytest.approx(2.60611, rel=1e-5)


def test_a_copy_of_an_arm_adds_nothing_but_its_own_patients(tmp_path):
    """Arms of endless size with one control know the difference no better for being two."""
    one = pooled(tmp_path, HEAD + "A,500000,1000000,20,61,1\nB,500000,1000000,9,42,1\n", "--method", "EE")
    two = pooled(tmp_path, HEAD + 2 * "A,500000,1000000,20,61,1\n" + "B,500000,1000000,9,42,1\n", "--method", "EE")
    assert [two["estimate"], two["se"]] == pytest.approx([one["estimate"], one["se"]], rel=1e-5)


def test_groups_leave_out_their_test_where_controls_are_in_several(tmp_path):
    ours = pooled(tmp_path, HEAD + ROWS, "--by", "x")["groups"]
    assert (ours["between"], ours["between_common_tau2"]) == (None, None)
    assert [each["k"] for each in ours["groups"]] == [3, 3, 2]


def test_a_control_has_its_name(tmp_path):
    """Two controls of the same counts are two where they have two names."""
    head = "study,events1,n1,events2,n2,control\n"
    rows = "A,30,60,20,61,{}\nA,18,62,20,61,{}\nB,5,40,9,42,p\nB,6,40,9,42,p\n"
    assert "share" in " ".join(pooled(tmp_path, head + rows.format("p", "p"))["remarks"])
    answer = answered(tmp_path, head + rows.format("p", "q"))
    assert answer.exit_code == 3
    assert "'A' stands on lines 2, 3, with different second groups" in " ".join(answer.stderr.split())


def test_rates_share_a_control_too(tmp_path):
    """With v = 1/e1 + 1/e2 and covariance 1/e2 = 1/10: V^-1 sums by hand; EE of 1/5 + 1/10, 1/20 + 1/10."""
    ours = pooled(tmp_path, "study,events1,time1,events2,time2\nA,5,10,10,10\nA,20,10,10,10\n", "--method", "EE")
    # Weights of the arms' own variances, 5 and 20; the control's variance stays.
    estimate = (5 * np.log(0.5) + 20 * np.log(2)) / 25
    assert ours["estimate"] == pytest.approx(estimate, rel=1e-12)
    assert ours["se"] == pytest.approx(np.sqrt(1 / 25 + 1 / 10), rel=1e-12)


def test_nested_rows_with_one_control_are_told_of_it(tmp_path):
    ours = pooled(tmp_path, HEAD + ROWS, "--nested", "study")
    assert any("5 rows have the same second group" in remark for remark in ours["remarks"])


WRONG = {
    "other controls": (ROWS.replace("A,18,62,20,61", "A,18,62,21,61"), (), "with different second groups"),
    "summed tables": (ROWS, ("--method", "MH"), "--method MH takes rows for independent"),
    "an estimator of weights": (ROWS, ("--method", "HE"), "their events1 and n1 added up"),
    "a test of them": (ROWS, ("--test", "kenward-roger"), "--test kenward-roger takes rows for independent"),
    "subsets": (ROWS, ("--gosh",), "--gosh takes rows for independent"),
    "deals": (ROWS, ("--mods", "x", "--permutations", "9"), "--permutations takes rows for independent"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_done_has_its_remedy(tmp_path, name):
    rows, options, part = WRONG[name]
    answer = answered(tmp_path, HEAD + rows, *options)
    assert answer.exit_code == 3, answer.stdout
    assert part in " ".join(answer.stderr.split())


def test_a_named_control_has_its_counts_everywhere(tmp_path):
    text = "study,events1,n1,events2,n2,control\nA,30,60,20,61,p\nA,18,62,21,61,p\nB,5,40,9,42,p\n"
    answer = answered(tmp_path, text)
    assert answer.exit_code == 3
    said = " ".join(answer.stderr.split())
    assert "line 3, column control: 'p' of 'A' has 21 of 61 here and 20 of 61 on line 2" in said


def test_many_rows_are_not_left_out_one_by_one(tmp_path):
    rows = "".join(f"S{n // 2},{3 + n % 5},30,{4 + n // 2 % 3},31,{n}\n" for n in range(302))
    ours = pooled(tmp_path, HEAD + rows)
    assert "leave_one_out" not in ours
    assert any("no more than 300" in remark for remark in ours["remarks"])
