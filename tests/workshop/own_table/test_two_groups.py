"""`meta` on 2-by-2 tables: empty cells, studies that tell nothing, models of exact counts, groups without an answer."""

import json
import math
from functools import partial

import pytest

from tests.cli.support.program import invoke
from tests.support.cases import for_each
from tests.workshop.meta_analysis.support.reference import FOLDER
from tests.workshop.own_table.support.command import pooled

INPUTS = FOLDER / "inputs"
EXACT = ("UM.FS", "UM.RS", "CM.EL", "CM.AL")
SOME = """study,events1,n1,events2,n2,ward,year,dose
A,3,100,9,100,x,2001,1
B,2,50,6,50,x,2002,2
C,0,40,3,40,y,2003,3
D,4,60,5,66,y,2000,4
E,0,30,0,31,z,2004,5
F,0,20,0,25,z,2005,6
G,1,20,4,25,y,2006,7
"""
DOUBLE_ZERO = "study,events1,n1,events2,n2\ns0,0,100,0,100\ns1,3,100,9,100\ns2,2,50,6,50\n"
NO_EVENTS = "study,events1,n1,events2,n2\ns0,0,10,0,10\ns1,0,15,0,10\ns2,0,20,0,30\n"
ONE_SIDE = "study,events1,n1,events2,n2,g\nA,0,9,2,8,x\nB,0,8,3,9,x\nC,2,8,3,9,y\nD,1,8,3,9,y\nE,2,9,1,9,y\n"


@pytest.fixture
def found(tmp_path):
    """The answer to a table as data."""
    return partial(pooled, tmp_path)


@pytest.fixture
def refused(tmp_path):
    """The message on a table that has no answer."""

    def message_on(text, *options):
        file = tmp_path / "table.csv"
        file.write_text(text)
        answer = invoke("meta", file, *options)
        assert answer.exit_code == 3, answer.output
        assert not answer.stdout
        return " ".join(answer.stderr.split())

    return message_on


def test_a_study_without_events_is_left_out_of_a_ratio_and_named(found):
    """metafor, rma(measure="OR", drop00=TRUE): 0.3099 (0.1096 to 0.8762); with it padded 0.3345 (0.1225 to 0.9139)."""
    without, with_it = found(DOUBLE_ZERO), found(DOUBLE_ZERO, "--keep-double-zero")
    back = without["back_transformed"]
    assert (without["k"], without["left_out"]) == (2, ["s0"])
    assert [back["estimate"], *back["ci"]] == pytest.approx([0.3099, 0.1096, 0.8762], abs=5e-5)
    assert any("groups of s0: left out, as it tells nothing of the odds ratio" in each for each in without["remarks"])
    back = with_it["back_transformed"]
    assert (with_it["k"], with_it["left_out"]) == (3, [])
    assert [back["estimate"], *back["ci"]] == pytest.approx([0.3345, 0.1225, 0.9139], abs=5e-5)
    assert any("groups of s0: kept" in each for each in with_it["remarks"])


def test_a_difference_keeps_it_unless_asked_otherwise(found):
    kept = found(DOUBLE_ZERO, "--measure", "RD")
    assert (kept["k"], kept["left_out"]) == (3, [])
    assert any("groups of s0: kept" in each for each in kept["remarks"])
    assert found(DOUBLE_ZERO, "--measure", "RD", "--drop-double-zero")["left_out"] == ["s0"]


@for_each("method", ["REML", "EE", "MH", *EXACT])
@for_each("keep", [(), ("--keep-double-zero",)])
@for_each("measure", ["OR", "RR"])
def test_a_table_without_events_has_no_ratio_by_any_method(refused, method, keep, measure):
    if method in EXACT and (keep or measure == "RR"):
        keep, measure = (), "OR"
    message = refused(NO_EVENTS, "--method", method, "--measure", measure, *keep)
    assert "in both groups of every study: no method can say anything" in message
    assert "--measure RD" in message


def test_other_columns_are_those_of_the_studies_that_are_left(found):
    """E and F are out: the order, moderators and groups of the others stay theirs."""
    ours = found(SOME, "--order", "year", "--mods", "dose", "--by", "ward")
    assert [each["added"] for each in ours["cumulative"]] == ["D", "A", "B", "C", "G"]
    told = found("\n".join(line for line in SOME.splitlines() if line[0] not in "EF") + "\n", "--mods", "dose")
    assert ours["regression"]["coefficients"] == told["regression"]["coefficients"]
    assert [each["studies"] for each in ours["groups"]["groups"]] == [["A", "B"], ["C", "D", "G"], []]


@for_each("options", [(), ("--method", "MH"), ("--method", "PETO"), *(("--method", each) for each in EXACT)])
@for_each("keep", ["--drop-double-zero", "--keep-double-zero"])
def test_a_group_of_which_nothing_is_known_says_so(found, options, keep):
    """By any method, left out or kept; the test between groups is that of the others."""
    if options[-1:] != ("UM.RS",) and options and options[1] in EXACT:
        keep = "--drop-double-zero"
    groups = found(SOME, *options, keep, "--by", "ward")["groups"]
    z = groups["groups"][2]
    assert (z["group"], z["estimate"], z["ci"]) == ("z", None, None)
    assert "nothing can be said" in z["note"]
    assert (groups["left_out_of_between"], groups["between"]["df"]) == (["z"], 1)


@for_each("method", ["MH", "CM.EL"])
def test_a_group_with_an_infinite_ratio_stops_nothing(found, method):
    """Summed tables say so; an exact model leaves the group to weights, and says so."""
    x, y = found(ONE_SIDE, "--method", method, "--by", "g")["groups"]["groups"]
    assert y["pooled_by"] == method
    if method == "MH":
        assert x["estimate"] is None
        assert "one group has no event" in x["note"]
    else:
        assert x["pooled_by"] == "REML"
        assert "the odds ratio is infinite" in x["note"]


def test_groups_are_shown_and_drawn_without_an_answer(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(SOME)
    page = tmp_path / "page.html"
    for method in ("MH", "UM.FS"):
        answer = invoke("meta", file, "--by", "ward", "--order", "year", "--method", method, "--html", page)
        assert answer.exit_code == 0, answer.stderr
        shown = " ".join(answer.stdout.split())
        assert f"All studies ({method})" in shown
        assert "z 0 not known" in shown
        assert "The test between groups leaves out z, of which nothing is known" in shown
        assert "not known" in page.read_text(encoding="utf-8")


@for_each("method", ["MH", *EXACT])
def test_leaving_out_and_adding_are_by_the_method_itself(found, method):
    ours = found(SOME, "--method", method, "--order", "year")
    lines = SOME.splitlines()
    alone = found("\n".join([lines[0], *lines[2:]]) + "\n", "--method", method)
    without_a = ours["leave_one_out"][0]
    assert without_a["left_out"] == "A"
    assert (without_a["estimate"], without_a["tau2"]) == pytest.approx((alone["estimate"], alone["tau2"]), abs=1e-7)
    assert ours["cumulative"][-1]["estimate"] == pytest.approx(ours["estimate"], abs=1e-7)


PREDICTED = {"normal": 1.959964, "k-1": 2.178813, "k-2": 2.200985}
"""Quantiles of the normal, and of t with 12 and 11 degrees of freedom."""


@for_each(("prediction", "test"), [("normal", "z"), ("k-1", "t"), ("k-2", "t")])
def test_an_exact_model_is_told_whole(prediction, test):
    """metafor, rma.glmm(measure="OR", model="UM.FS") of the BCG trials: -0.7450 (0.1756), tau2 0.2949, Q 176.95."""
    options = ("--method", "UM.FS", "--prediction", prediction, "--test", test)
    answer = invoke("meta", INPUTS / "bcg.csv", "--column", "study=trial", *options, "--json")
    ours = json.loads(answer.stdout)
    assert (ours["pooled_by"], ours["q_by"], ours["test"]) == ("UM.FS", "likelihood ratio", test)
    assert [ours["estimate"], ours["se"], ours["tau2"]] == pytest.approx([-0.7450, 0.1756, 0.2949], abs=5e-5)
    assert [ours["i2"], ours["h2"], ours["q"], ours["q_df"]] == pytest.approx(
        [91.0233, 11.1400, 176.9544, 12], abs=5e-4
    )
    half = PREDICTED["normal" if test == "z" else "k-1"] * ours["se"]
    assert ours["ci"] == pytest.approx([ours["estimate"] - half, ours["estimate"] + half], abs=1e-5)
    half = PREDICTED[prediction] * math.hypot(ours["se"], ours["tau2"] ** 0.5)
    assert ours["prediction"] == pytest.approx([ours["estimate"] - half, ours["estimate"] + half], abs=1e-5)
    assert ours["tau2_ci"][0] < ours["tau2"] < ours["tau2_ci"][1]
    assert ours["se_tau2"] > 0
    assert all(study["weight"] is None for study in ours["studies"])
    assert any("log odds of its own" in remark for remark in ours["remarks"])


def test_a_correction_asked_for_is_made_by_weights_where_the_outcome_is_rare(found):
    """0 of 90, 1 of 95, 2 of 80: GLMM unless a correction is asked for, which it has no use for."""
    rare = "study,events,n\nA,0,90\nB,1,95\nC,2,80\n"
    assert (found(rare)["method"], found(rare)["correction"]) == ("GLMM", None)
    ours = found(rare, "--correction", "0.1", "--to", "all")
    assert (ours["method"], ours["correction"]["to"]) == ("REML", "all")
    assert ours["studies"][0]["yi"] == pytest.approx(math.log(0.1 / 90.1))


def test_the_one_study_that_is_left_is_itself(found):
    ours = found("study,events1,n1,events2,n2\nA,0,9,0,8\nB,3,8,1,9\n", "--test", "knha")
    assert ours["k"] == 1
    assert ours["estimate"] == pytest.approx(math.log(3 * 8 / 5))
    assert any("One study is left, B: the result is its own" in remark for remark in ours["remarks"])


WRONG = {
    "no number": (("--correction", "half"), "--correction: is 'half' (write a number, 0 or more, or treatment-arm)"),
    "less than nothing": (("--correction", "-1"), "--correction: is '-1'"),
    "no end": (("--correction", "inf"), "--correction: is 'inf'"),
    "sums take counts": (("--method", "MH", "--correction", "0.5"), "--method MH takes counts as they are"),
    "so do models": (("--method", "UM.FS", "--to", "all"), "--method UM.FS takes counts as they are"),
    "of a difference": (("--method", "UM.FS", "--measure", "RD"), "take --measure OR"),
    "of risks": (("--method", "CM.EL", "--measure", "RR"), "take --measure OR"),
    "a test of weights": (("--method", "CM.EL", "--test", "knha"), "with CM.EL take z or t"),
    "moderators": (("--method", "UM.RS", "--mods", "dose"), "beside --mods take a weighted method"),
    "arms": (("--method", "CM.EL", "--nested", "ward"), "--nested goes with --method REML or ML"),
    "nothing within": (("--method", "CM.EL", "--keep-double-zero"), "leave --keep-double-zero out, or take"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_go_together_has_its_remedy(refused, name):
    options, part = WRONG[name]
    assert part in refused(SOME, *options)


ONE_GROUP = "study,events,n\nA,0,9\nB,8,8\n"
WRONG_TABLES = {
    "infinite": ("study,events1,n1,events2,n2\nA,0,9,2,8\nB,0,8,3,9\n", ("--method", "CM.EL"), "take --method REML"),
    "none left": (ONE_GROUP, ("--correction", "0"), "every study has an empty cell, and nothing is added"),
    "two groups of one": (ONE_GROUP, ("--correction", "treatment-arm"), "give a number, as 0.5"),
    "tables of one": (ONE_GROUP, ("--drop-double-zero",), "are about two groups"),
    "a model of one": (ONE_GROUP, ("--method", "UM.FS"), "events1, n1, events2, n2"),
    "angles": (ONE_GROUP, ("--measure", "arcsine", "--to", "all"), "needs none: leave them out"),
    "effects": ("study,yi,vi\nA,1,1\nB,2,1\n", ("--correction", "0.5"), "needs none: leave them out"),
}


@pytest.mark.parametrize("name", WRONG_TABLES)
def test_what_does_not_go_with_the_table_has_its_remedy(refused, name):
    text, options, part = WRONG_TABLES[name]
    assert part in refused(text, *options)
