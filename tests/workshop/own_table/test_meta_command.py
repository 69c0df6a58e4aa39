"""`meta` as a user runs it: against metafor on the tables of the reference, every option, every kind of mistake."""

import json
import math
from xml.etree import ElementTree

import pytest

from tests.cli.support.program import ESCAPE, invoke, on_terminal
from tests.support.cases import for_each
from tests.workshop.meta_analysis.support.reference import FOLDER, results

INPUTS = FOLDER / "inputs"
TESTS = {"z": "z", "t": "t", "knha": "knha", "adhoc": "knha-floored"}
METHODS = ("EE", "DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM")
TABLES = {
    "bcg, RR": ("bcg", ("--measure", "RR", "--column", "study=trial"), results("bcg")["RR"]),
    "bcg, OR": ("bcg", ("--measure", "OR", "--column", "study=trial"), results("bcg")["OR"]),
    "bcg, RD": ("bcg", ("--measure", "RD", "--column", "study=trial"), results("bcg")["RD"]),
    "pritz, logit": ("pritz1997", (), results("pritz1997")["PLO"]),
    "pritz, raw": ("pritz1997", ("--measure", "raw"), results("pritz1997")["PR"]),
    "pritz, arcsine": ("pritz1997", ("--measure", "arcsine"), results("pritz1997")["PAS"]),
    "pritz, log": ("pritz1997", ("--measure", "log"), results("pritz1997")["PLN"]),
    "pritz, Freeman-Tukey": ("pritz1997", ("--measure", "freeman-tukey"), results("pritz1997")["PFT"]),
}


def found(name, *options):
    answer = invoke("meta", INPUTS / f"{name}.csv", *options, "--json")
    assert answer.exit_code == 0, answer.stderr
    return json.loads(answer.stdout)


@for_each("method", METHODS, plain=12)
@for_each("table", TABLES)
def test_every_method_gives_the_numbers_of_metafor(table, method):
    name, options, reference = TABLES[table]
    ours, theirs = found(name, *options, "--method", method), reference["pool"][method]["z"]
    rel = 1e-6
    assert ours["k"] == theirs["k"]
    assert ours["estimate"] == pytest.approx(theirs["beta"], rel=rel)
    assert ours["se"] == pytest.approx(theirs["se"], rel=rel)
    assert ours["ci"] == pytest.approx([theirs["ci_lb"], theirs["ci_ub"]], rel=rel)
    assert (ours["tau2"], ours["h2"]) == pytest.approx((theirs["tau2"], theirs["H2"]), rel=rel)
    assert ours["i2"] == pytest.approx(theirs["I2"], rel=rel)
    assert (ours["q"], ours["q_p"]) == pytest.approx((theirs["QE"], theirs["QEp"]), rel=rel, abs=1e-15)
    if method == "EE":
        assert ours["prediction"] is None
        return
    riley = theirs["predict"]["riley"]
    assert ours["prediction"] == pytest.approx([riley["pi_lb"], riley["pi_ub"]], rel=rel)
    profile = reference["pool"]["REML"]["z"]["tau2_ci_qprofile"]
    assert ours["tau2_ci"] == pytest.approx(profile["tau2"][1:], rel=rel)
    assert ours["i2_ci"] == pytest.approx(profile["I2"][1:], rel=rel)
    assert ours["h2_ci"] == pytest.approx(profile["H2"][1:], rel=rel)


@for_each("test", TESTS)
@for_each("method", ["DL", "REML"])
def test_every_test_gives_the_interval_of_metafor(method, test):
    ours = found("bcg", "--measure", "RR", "--column", "study=trial", "--method", method, "--test", TESTS[test])
    theirs = results("bcg")["RR"]["pool"][method][test]
    assert [ours["se"], *ours["ci"]] == pytest.approx([theirs["se"], theirs["ci_lb"], theirs["ci_ub"]], rel=1e-6)


@for_each(
    ("name", "columns", "silent"),
    [("bcg", ("--column", "study=trial"), []), ("nielweise2007", (), ["15"])],
)
@for_each("measure", ["OR", "RR", "RD", "Peto"])
def test_summed_tables_are_those_of_metafor(name, columns, silent, measure):
    """Mantel-Haenszel for each measure, Peto's odds ratio; metafor's Q of the reference is of the former only."""
    asked = ("--method", "PETO") if measure == "Peto" else ("--method", "MH", "--measure", measure)
    ours = found(name, *columns, *asked)
    if measure != "RD":
        assert ours["left_out"] == silent
        ours = found(name, *columns, *asked, "--keep-double-zero")
    theirs = results(name)["PETO"] if measure == "Peto" else results(name)["MH"][measure]
    assert ours["estimate"] == pytest.approx(theirs["beta"], rel=1e-11)
    assert ours["se"] == pytest.approx(theirs["se"], rel=1e-11)
    assert ours["ci"] == pytest.approx([theirs["ci_lb"], theirs["ci_ub"]], rel=1e-11)
    if measure != "Peto":
        assert ours["q"] == pytest.approx(theirs["QE"], rel=1e-11)
    assert ours["q_df"] == ours["k"] - 1 - len(silent)
    assert [ours[each] for each in ("tau2", "prediction", "tau2_ci", "i2", "h2")] == [0, None, None, None, None]
    back = ours["back_transformed"]["estimate"]
    assert back == pytest.approx(ours["estimate"] if measure == "RD" else math.exp(ours["estimate"]))
    assert {"influence", "small_studies"} & set(ours) == set()
    assert len(ours["leave_one_out"]) == ours["k"]
    said = [remark for remark in ours["remarks"] if "not counted in Q" in remark]
    assert [remark.split(" in ")[1].split(":")[0] for remark in said] == silent


def test_summed_tables_by_group_are_those_of_the_group_alone(tmp_path):
    whole = found("bcg", "--column", "study=trial", "--by", "alloc", "--method", "MH")["groups"]
    assert whole["between"]["df"] == 2
    assert whole["between_common_tau2"] is None
    lines = (INPUTS / "bcg.csv").read_text().splitlines()
    file = tmp_path / "random.csv"
    file.write_text("\n".join([lines[0], *(line for line in lines if '"random"' in line)]))
    alone = json.loads(invoke("meta", file, "--column", "study=trial", "--method", "MH", "--json").stdout)
    assert whole["groups"][0]["group"] == "random"
    assert [whole["groups"][0][each] for each in ("k", "estimate", "ci", "q")] == [
        alone[each] for each in ("k", "estimate", "ci", "q")
    ]


def test_steps_and_subsets_are_seen_without_a_drawing(tmp_path):
    """rma(yi, vi, method="EE") of (0, 1, 2), vi 1: means 0, 0.5, 1; of two or more 0.5, 1, 1 and 1.5."""
    file = tmp_path / "table.csv"
    file.write_text("study,yi,vi,year\nLate,2,1,2003\nEarly,0,1,2001\nMiddle,1,1,2002\n")
    answer = invoke("meta", file, "--order", "year", "--gosh", "--method", "EE")
    lines = [line.split() for line in answer.stdout.splitlines()]
    steps = lines[lines.index(["One", "study", "after", "another,", "by", "year"]) + 2 :][:3]
    assert [[line[1], line[2], line[3]] for line in steps] == [
        ["Early", "1", "0.00"], ["Middle", "2", "0.50"], ["Late", "3", "1.00"],
    ]  # fmt: skip
    first = next(number for number, line in enumerate(lines) if line[:1] == ["lowest"])
    assert [line[-2] for line in lines[first : first + 5]] == ["0.50", "0.88", "1.00", "1.12", "1.50"]
    assert "Every subset of two or more studies (4)" in " ".join(answer.stdout.split())


def test_a_place_reads_as_it_was_asked_for(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("study,yi,vi,year\nA,2,1,2003\nB,0,1,2001\nC,1,2,2002\nD,1,1,2005\n")
    answer = invoke("meta", file, "--mods", "year", "--at", "year=2004")
    assert "year 2004 " in answer.stdout
    assert "on 1 degree of freedom," in answer.stdout


def test_summed_tables_are_drawn_with_their_diamond(tmp_path):
    page = tmp_path / "page.html"
    answer = invoke(
        "meta", INPUTS / "bcg.csv", "--column", "study=trial", "--method", "MH", "--svg", tmp_path, "--html", page,
        "--diagnostics",
    )  # fmt: skip
    assert answer.exit_code == 0, answer.stderr
    assert "All studies (MH)" in answer.stdout
    assert "0.62" in answer.stdout, "exp(-0.473410988388585)"
    assert "Influence and asymmetry, which weigh studies, are left out" in " ".join(answer.stdout.split())
    assert {path.stem for path in tmp_path.glob("*.svg")} == {"forest", "funnel", "leave-one-out"}
    root = ElementTree.fromstring((tmp_path / "forest.svg").read_text(encoding="utf-8"))
    assert "All studies (MH)" in "".join(root.itertext())
    assert "All studies (MH)" in page.read_text(encoding="utf-8")


def test_ratios_are_read_back_by_the_exponential_and_rates_by_the_logistic():
    """exp(-0.714532342158139) = 0.48942; the pooled log risk ratio of the 13 trials by REML."""
    ours = found("bcg", "--measure", "RR", "--column", "study=trial")["back_transformed"]
    assert ours["estimate"] == pytest.approx(0.4894209, rel=1e-6)
    theirs = results("pritz1997")["PLO"]["pool"]["REML"]["z"]
    assert found("pritz1997")["back_transformed"]["estimate"] == pytest.approx(theirs["prob_median"], rel=1e-6)


def test_the_exact_model_gives_the_maximum_of_the_likelihood():
    ours, theirs = found("pritz1997", "--method", "GLMM"), results("pritz1997")["GLMM"]["intercept_only"]["exact"]
    assert ours["estimate"] == pytest.approx(theirs["beta"], rel=1e-7)
    assert ours["tau2"] == pytest.approx(theirs["tau2"], rel=1e-7)
    assert 0 < ours["back_transformed"]["average_rate"] < ours["back_transformed"]["estimate"] < 1


def test_moderators_give_the_regression_of_metafor():
    options = ("--measure", "RR", "--column", "study=trial", "--mods", "ablat,year", "--test", "knha")
    ours, theirs = found("bcg", *options)["regression"], results("bcg")["RR"]["metareg"]["ablat_year"]["REML"]["knha"]
    assert [each["estimate"] for each in ours["coefficients"]] == pytest.approx(theirs["beta"], rel=1e-6)
    assert [each["se"] for each in ours["coefficients"]] == pytest.approx(theirs["se"], rel=1e-6)
    assert (ours["moderators"]["qm"], ours["moderators"]["p"]) == pytest.approx((theirs["QM"], theirs["QMp"]), rel=1e-6)
    assert (ours["qe"], ours["r2"]) == pytest.approx((theirs["QE"], theirs["R2"]), rel=1e-6)


def test_effects_at_values_of_the_moderators_are_those_of_metafor():
    options = ("--measure", "RR", "--column", "study=trial", "--mods", "ablat", "--at", "ablat=10", "--at", "ablat=50")
    ours = found("bcg", *options)["regression"]["expected"]
    theirs = results("bcg")["RR"]["metareg"]["ablat"]["REML"]["z"]["predict_new"]["riley"]
    for one, row in zip(ours, (0, 2), strict=True):
        assert one["estimate"] == pytest.approx(theirs["pred"][row], rel=1e-6)
        assert one["ci"] == pytest.approx([theirs["ci_lb"][row], theirs["ci_ub"][row]], rel=1e-6)
        assert one["prediction"] == pytest.approx([theirs["pi_lb"][row], theirs["pi_ub"][row]], rel=1e-6)
        assert one["back_transformed"]["estimate"] == pytest.approx(math.exp(theirs["pred"][row]), rel=1e-6)


def test_a_rare_outcome_is_pooled_by_the_exact_model_unless_asked_otherwise(tmp_path):
    """6 of 300 is 2 %, 294 of 300 is 98 %; 60 of 300 is 20 %. Effects as they are have no such model."""
    file = tmp_path / "table.csv"
    for events, method in (((1, 2, 3), "GLMM"), ((99, 98, 97), "GLMM"), ((10, 20, 30), "REML")):
        file.write_text("study,events,n\n" + "".join(f"S{n},{n},100\n" for n in events))
        assert json.loads(invoke("meta", file, "--json").stdout)["method"] == method
        assert json.loads(invoke("meta", file, "--method", "REML", "--json").stdout)["method"] == "REML"
        assert json.loads(invoke("meta", file, "--test", "knha", "--json").stdout)["method"] == "REML"
        assert json.loads(invoke("meta", file, "--measure", "raw", "--json").stdout)["method"] == "REML"


def test_a_factor_groups_and_an_order():
    options = ("--measure", "RR", "--column", "study=trial", "--by", "alloc", "--order", "year", "--mods", "alloc")
    ours = found("bcg", *options, "--permutations", "50")
    assert [group["group"] for group in ours["groups"]["groups"]] == ["random", "alternate", "systematic"]
    assert sum(group["k"] for group in ours["groups"]["groups"]) == 13
    assert [each["name"] for each in ours["regression"]["coefficients"]][1:] == ["alloc=random", "alloc=systematic"]
    assert ours["regression"]["permutation"]["permutations"] == 50
    assert ours["cumulative"][0]["added"] == "1", "the trial of 1948"
    assert ours["cumulative"][-1]["estimate"] == pytest.approx(ours["estimate"], rel=1e-9)
    assert [each["left_out"] for each in ours["leave_one_out"]] == [str(n) for n in range(1, 14)]


def test_arms_in_studies_give_the_two_levels_of_metafor():
    ours = found("konstantopoulos2011", "--nested", "district")
    theirs = results("konstantopoulos2011")["nested"]["REML_z"]["polished"]
    assert (ours["estimate"], ours["se"]) == pytest.approx((theirs["beta"], theirs["se"]), rel=1e-7)
    assert (ours["nested"]["between"], ours["nested"]["within"]) == pytest.approx(theirs["sigma2"], rel=1e-7)
    assert ours["nested"]["robust"][0]["df"] < ours["nested"]["studies"]


def test_every_subset_is_told_by_its_distribution():
    ours = found("pritz1997", "--gosh")["gosh"]
    assert (ours["subsets"], ours["complete"]) == (2**14 - 1, True)
    assert ours["estimate"] == sorted(ours["estimate"])


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_view_fits_and_shows_every_study(width):
    code, shown = on_terminal(
        "meta", str(INPUTS / "debruin2009.csv"), "--by", "ethnicity", "--diagnostics", width=width
    )
    assert code == 0
    lines = ESCAPE.sub("", shown).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width
    for part in ("Andrade et al.", "Wohl et al.", "Pooled result", "tau2", "prediction interval", "Egger", "Hunter"):
        assert part.lower() in shown.lower(), part


def test_drawings_and_the_page(tmp_path):
    folder, page = tmp_path / "drawings", tmp_path / "page.html"
    answer = invoke(
        "meta", INPUTS / "bcg.csv", "--measure", "RR", "--column", "study=trial", "--mods", "ablat", "--order", "year",
        "--gosh", "--svg", folder, "--html", page, "--title", "BCG <trials>",
    )  # fmt: skip
    assert answer.exit_code == 0, answer.stderr
    names = {"baujat", "bubble", "cumulative", "forest", "funnel", "gosh", "leave-one-out"}
    assert {path.stem for path in folder.iterdir()} == names
    for path in folder.iterdir():
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        assert (root.get("role"), root.find("{*}title") is not None) == ("img", True), path.name
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == len(names)
    assert "BCG &lt;trials&gt;" in text
    assert "BCG <trials>" not in text
    assert "Risk ratio" in text


TWO_GROUPS = "study,events1,n1,events2,n2\nA,1,9,2,8\nB,3,9,4,9\nC,1,5,2,6\n"
WRONG = {
    "no such file": (None, (), 3, "No such file or directory"),
    "a missing column": ("study,events\nA,1\nB,2\n", (), 3, "column n: is missing"),
    "names and cells": ("study,events,n\nA,1,2\n,1,3\nC,x,4\n", (), 3, "line 4, column events: 'x' is not a number"),
    "an interaction alone": (
        "study,yi,vi,a,b\nA,1,1,1,2\nB,2,1,2,2\nC,2,1,2,3\n",
        ("--mods", "a:b"),
        3,
        "--mods has the interaction a:b without its columns: write a*b, or a,b,a:b",
    ),
    "another language": ("Studie;n\nA;1\nB;2\n", (), 3, "column events: is missing (there are Studie, n)"),
    "events > n": ("study,events,n\nA,1,2\nB,5,4\n", (), 3, "line 3, column events: 5 events, but 4 patients"),
    "a negative variance": ("study,yi,vi\nA,1,1\nB,2,-1\n", (), 3, "line 3, column vi: -1 is not positive"),
    "one study": ("study,events,n\nA,1,2\n", (), 3, "there is one study, 'A': nothing to pool"),
    "a study twice": ("study,events,n\nA,1,2\nA,1,3\n", (), 3, "'A' stands on lines 2, 3"),
    "NaN": ("study,events,n\nA,NaN,2\nB,1,3\n", (), 3, "line 2, column events: 'NaN' is not a finite number"),
    "no such group": ("study,events,n\nA,1,2\nB,1,3\n", ("--by", "dose"), 3, "column dose: is missing"),
    "no such moderator": ("study,events,n\nA,1,2\nB,1,3\nC,1,4\n", ("--mods", "dose"), 3, "column dose: is missing"),
    "a moderator twice": ("study,events,n,d\nA,1,2,1\nB,1,3,2\nC,1,4,3\n", ("--mods", "d,d"), 3, "'d' twice"),
    "a constant moderator": ("study,events,n,d\nA,1,2,1\nB,1,3,1\nC,1,4,1\n", ("--mods", "d"), 3, "d"),
    "an exact model of effects": ("study,yi,vi\nA,1,1\nB,2,1\n", ("--method", "GLMM"), 3, "--measure logit"),
    "an exact model of arms for groups": (TWO_GROUPS, ("--method", "GLMM"), 3, "take UM.FS or CM.EL for odds ratios"),
    "a test of another estimator": (
        "study,yi,vi\nA,1,1\nB,2,1\n",
        ("--method", "DL", "--test", "kenward-roger"),
        3,
        "--test kenward-roger is made for --method REML, not DL: take that",
    ),
    "an exact model of all or nothing": ("study,events,n\nA,0,9\nB,8,8\n", ("--method", "GLMM"), 3, "--method REML"),
    "a test of weights for it": ("study,events,n\nA,1,9\nB,2,8\n", ("--method", "GLMM", "--test", "knha"), 3, "z or t"),
    "a column that is none": ("study,events,n\nA,1,2\nB,1,3\n", ("--column", "size"), 3, "write NAME=COLUMN"),
    "groups of arms": ("study,yi,vi\nA,1,1\nA,2,1\nB,1,2\n", ("--nested", "study", "--by", "vi"), 3, "--by takes"),
    "a place without moderators": ("study,events,n\nA,1,2\nB,1,3\n", ("--at", "d=1"), 3, "--at goes with --mods"),
    "a place of another moderator": (
        "study,events,n,d\nA,1,2,1\nB,1,3,2\nC,1,4,3\n",
        ("--mods", "d", "--at", "e=1"),
        3,
        "a value of each of d",
    ),
    "a place that is no number": (
        "study,events,n,d\nA,1,2,1\nB,1,3,2\nC,1,4,3\n",
        ("--mods", "d", "--at", "d=x"),
        3,
        "give a number",
    ),
    "a place that is none": (
        "study,events,n,d\nA,1,2,1\nB,1,3,2\nC,1,4,3\n",
        ("--mods", "d", "--at", "d"),
        3,
        "write MODERATOR=VALUE",
    ),
    "tables of one group": ("study,events,n\nA,1,9\nB,2,8\n", ("--method", "MH"), 3, "measure is 'logit'"),
    "effects without tables": (
        "study,yi,vi\nA,1,1\nB,2,1\n",
        ("--method", "MH", "--measure", "generic"),
        3,
        "take --measure OR or RR or RD",
    ),
    "Peto's risk ratio": (TWO_GROUPS, ("--method", "PETO", "--measure", "RR"), 3, "take --measure OR with"),
    "a t interval of sums": (TWO_GROUPS, ("--method", "MH", "--test", "knha"), 3, "--test cannot stand beside it"),
    "a prediction of sums": (TWO_GROUPS, ("--method", "MH", "--prediction", "k-1"), 3, "--prediction cannot stand"),
    "moderators of sums": (TWO_GROUPS, ("--method", "PETO", "--mods", "n1"), 3, "--mods cannot stand"),
    "arms of sums": (TWO_GROUPS, ("--method", "MH", "--nested", "study"), 3, "--nested cannot stand"),
    "subsets of sums": (TWO_GROUPS, ("--method", "MH", "--gosh"), 3, "--gosh cannot stand beside it"),
    "no events to sum": (
        "study,events1,n1,events2,n2\nA,0,9,0,8\nB,0,9,0,9\n",
        ("--method", "MH"),
        3,
        "no method can say anything of the odds ratio",
    ),
    "an unknown method": ("study,events,n\nA,1,2\nB,1,3\n", ("--method", "XX"), 2, "Invalid value"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_has_its_message_and_no_number(tmp_path, name):
    text, options, code, part = WRONG[name]
    file = tmp_path / "table.csv"
    if text is not None:
        file.write_text(text)
    answer = invoke("meta", file, *options, "--json")
    assert answer.exit_code == code, answer.stderr
    assert part in answer.stderr.replace("\n", " ")
    assert answer.stdout == ""


def test_two_studies_say_what_they_do_not_allow(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("study,events,n\nA,1,20\nB,5,30\n")
    ours = json.loads(invoke("meta", file, "--json").stdout)
    assert ours["prediction"] is None
    assert {"leave_one_out", "influence", "small_studies"} & set(ours) == set()
    assert any("prediction interval needs more studies" in remark for remark in ours["remarks"])


def test_a_folder_that_cannot_be_made_is_one_message(tmp_path):
    (tmp_path / "file").write_text("")
    answer = invoke("meta", INPUTS / "pritz1997.csv", "--svg", tmp_path / "file")
    assert answer.exit_code == 3
    assert "the drawings cannot be written" in answer.stderr


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        ("A,0,900,1\nB,0,800,1\nC,0,500,1\nD,30,900,1\nE,0,10,1\n", ()),
        ("A,2,5,3.5\nB,0,1000,1\nC,1,1,2\nD,30,30,3.5\nE,1,1,3.5\nF,1,2,1\n", ("--mods", "x")),
    ],
)
def test_a_model_that_nobody_asked_for_does_not_end_the_command(tmp_path, rows, options):
    """Hardly any of the patients, and studies too unlike for the exact model: by REML, and said so."""
    file = tmp_path / "table.csv"
    file.write_text(f"study,events,n,x\n{rows}")
    answer = invoke("meta", file, *options, "--json")
    assert answer.exit_code == 0, answer.stderr
    ours = json.loads(answer.stdout)
    assert ours["method"] == "REML"
    assert [remark for remark in ours["remarks"] if "REML takes its place" in remark]
    refused = invoke("meta", file, *options, "--method", "GLMM", "--json")
    assert refused.exit_code == 3
