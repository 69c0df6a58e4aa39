"""Estimates with limits or p-values: pooled as R pools their logarithms, and every contradiction named by its line."""

import pytest

from tests.support.cases import for_each
from tests.workshop.own_table.support.command import answered, pooled

HAZARDS = "study,hr,lower,upper,p\nA,0.62,0.40,0.96,\nB,0.80,0.55,1.16,\nC,1.5,1.1,2.05,\nD,0.71,,,0.03\n"


def test_hazard_ratios_by_limits_and_p(tmp_path):
    """rma(log(hr), sei=c((log(up)-log(lo))/(2*qnorm(.975)), abs(log(.71))/qnorm(1-.03/2)))."""
    ours = pooled(tmp_path, HAZARDS)
    assert ours["measure"] == "HR"
    assert [ours["estimate"], ours["se"]] == pytest.approx([-0.146739522232, 0.199617080313], rel=1e-9)
    assert [ours["tau2"], ours["q"]] == pytest.approx([0.125953686180, 15.770936691342], rel=1e-9)
    assert any("p-values (p) on line 5" in remark for remark in ours["remarks"])
    assert not any("middle" in remark for remark in ours["remarks"]), "rounding explains all of them"


LEVELS = (0.90, 0.95, 0.99)


@for_each(
    ("text", "options"),
    [
        ("study,hr,ci.lb,ci.ub,level\nA,0.62,0.40,0.96,90\nB,0.80,0.55,1.16,95\nC,1.5,1.1,2.05,99\n", ()),
        ("study,hr,lcl,ucl,conf.level\nA,0.62,0.40,0.96,90 %\nB,0.80,0.55,1.16,\nC,1.5,1.1,2.05,99%\n", ()),
        ("study,estimate,ll,ul,level\nA,0.62,0.40,0.96,0.9\nB,0.8,0.55,1.16,\nC,1.5,1.1,2.05,.99", ("--measure", "HR")),
    ],
)  # fmt: skip
def test_intervals_of_several_levels(tmp_path, text, options):
    """rma(log(hr), sei=(log(up)-log(lo))/(2*qnorm(.5+c(.90,.95,.99)/2)), method="DL")."""
    ours = pooled(tmp_path, text, *options, "--method", "DL")
    expected = [-0.0653499715402, 0.2826106575658, 0.2012199153780]
    assert [ours["estimate"], ours["se"], ours["tau2"]] == pytest.approx(expected, rel=1e-9)


def test_one_level_for_all_is_an_option(tmp_path):
    """Half of a 90 % interval is 1.644854 standard errors, of a 95 % interval 1.959964."""
    text = "study,or,lower,upper\nA,0.62,0.40,0.96\nB,0.80,0.55,1.16\n"
    usual, other = (
        pooled(tmp_path, text, "--method", "EE"),
        pooled(tmp_path, text, "--method", "EE", "--input-level", "0.9"),
    )
    assert usual["measure"] == "OR"
    assert other["se"] / usual["se"] == pytest.approx(1.959963984540 / 1.644853626951, rel=1e-10)


def test_differences_stay_as_they_are(tmp_path):
    """rma(md, sei=(up-lo)/(2*qnorm(.975)), method="DL") of 1.2, -.4, 2.5."""
    ours = pooled(tmp_path, "study,md,lower,upper\nA,1.2,.2,2.2\nB,-.4,-1.5,.7\nC,2.5,1,4\n", "--method", "DL")
    assert ours["measure"] == "MD"
    expected = [1.03709890137, 0.78176928491, 1.45695860469]
    assert [ours["estimate"], ours["se"], ours["tau2"]] == pytest.approx(expected, rel=1e-9)
    assert ours["back_transformed"]["estimate"] == ours["estimate"]


def test_logarithms_are_read_back_as_ratios(tmp_path):
    ours = pooled(tmp_path, "study,yi,sei\nA,0.1,0.2\nB,0.1,0.3\n", "--measure", "HR")
    assert ours["back_transformed"]["estimate"] == pytest.approx(1.1051709180756)
    assert any("yi is read as logarithms of hazard ratios" in remark for remark in ours["remarks"])


def test_counts_stay_the_source_of_an_odds_ratio(tmp_path):
    """A column or without limits beside it is not read."""
    counted = "study,events1,n1,events2,n2{}\nA,1,9,2,8{}\nB,3,9,4,9{}\n"
    plain = pooled(tmp_path, counted.format("", "", ""))
    assert pooled(tmp_path, counted.format(",or", ",9", ",9"))["estimate"] == plain["estimate"]


@for_each(
    ("row", "told"),
    [
        ("0.62,0.40,0.96", None),
        # 0.62 lies 0.002 below the root of 0.40 x 0.97 = 0.623; two digits cannot tell.
        ("0.62,0.40,0.97", None),
        ("0.72,0.40,0.96", "0.72 on line 2, the middle being 0.62"),
        ("0.6197,0.4000,0.9600", None),
        ("0.62,0.4000,0.9700", "0.62 on line 2, the middle being 0.623"),
    ],
)
def test_an_estimate_off_the_middle_is_told(tmp_path, row, told):
    remarks = pooled(tmp_path, f"study,hr,lower,upper\nA,{row}\nB,0.8,0.5,1.28\n")["remarks"]
    said = [remark for remark in remarks if "middle" in remark]
    assert len(said) == (told is not None)
    assert told is None or told in said[0]


HEAD = "study,hr,lower,upper,p\nA,0.8,0.5,1.28,\n"
WRONG = {
    "out of order": (HEAD + "B,0.8,1.28,0.5,\n", (), "line 3, column lower: 1.28 is above the upper limit 0.5"),
    "outside": (HEAD + "B,1.8,0.5,1.28,\n", (), "line 3, column hr: 1.8 does not lie within its limits 0.5 and 1.28"),
    "a logarithm": (HEAD + "B,-0.2,-0.5,0.1,\n", (), "line 3, column hr: -0.2 is not more than 0"),
    "a rounded limit": (HEAD + "B,0.01,0.00,0.2,\n", (), "0 is rounded: give more digits"),
    "limits alike": (HEAD + "B,0.8,0.8,0.8,\n", (), "line 3, column lower: both limits are 0.8"),
    "one limit": (HEAD + "B,0.8,0.5,,\n", (), "line 3, column hr: has neither both limits nor a p-value"),
    "a bound": (HEAD + "B,0.8,,,<0.001\n", (), "line 3, column p: '<0.001' is a bound, not a p-value"),
    "a p of 0": (HEAD + "B,0.8,,,0\n", (), "line 3, column p: 0 is a rounded p-value"),
    "a p of 1": (HEAD + "B,0.8,,,1\n", (), "line 3, column p: 1 gives no standard error"),
    "no effect and p": (HEAD + "B,1,,,0.9\n", (), "line 3, column hr: 1 with a p-value gives no standard error"),
    "text": (HEAD + "B,0.8,x,1.2,\n", (), "line 3, column lower: 'x' is not a number"),
    "no limits": ("study,hr\nA,1\nB,2\n", ("--measure", "HR"), "column lower: is missing"),
    "no estimates": ("study,lower,upper\nA,1,2\nB,1,2\n", ("--measure", "HR"), "column hr: is missing"),
    "a level": ("study,hr,lower,upper,level\nA,1,.5,2,95\nB,1,.5,2,950\n", (), "line 3, column level: 950 is no level"),
    "two levels": (
        "study,hr,lower,upper,level\nA,1,.5,2,95\nB,1,.5,2,90\n",
        ("--input-level", "0.9"),
        "line 2, column level: 95 is another level than --input-level 0.9",
    ),
    "a level of nothing": ("study,yi,vi\nA,1,1\nB,2,1\n", ("--input-level", "0.9"), "--input-level is that of"),
    "estimates of no kind": ("study,estimate,lower,upper\nA,1,.5,2\nB,1,.5,2\n", (), "--measure: is not given"),
    "of two kinds": ("study,hr,or,lower,upper\nA,1,1,.5,2\nB,1,1,.5,2\n", (), "--measure: may be OR or HR"),
    "beside counts of one arm": (
        "study,events,n,hr,lower,upper\nA,5,9,1,.5,2\nB,6,9,1,.5,2\n",
        (),
        "--measure: may be logit or HR by the columns there are",
    ),
    "beside counts": (
        "study,or,lower,upper,events1,n1,events2,n2\nA,1,.5,2,1,9,2,8\nB,1,.5,2,2,9,3,9\n",
        ("--measure", "OR"),
        "leave the columns of one kind out of the file",
    ),
    "counts in part": ("study,events1,n1,events2\nA,1,9,2\nB,2,9,3\n", ("--measure", "OR"), "column n2: is missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(tmp_path, name):
    text, options, part = WRONG[name]
    answer = answered(tmp_path, text, *options)
    assert answer.exit_code == 3, answer.stdout
    assert part in " ".join(answer.stderr.split())
    assert answer.stdout == ""
