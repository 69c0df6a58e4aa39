"""Events in person-time: the log rates and rate ratios of metafor, the Poisson-normal model of lme4."""

import json
import math

import pytest

from tests.support.cases import for_each
from tests.workshop.own_table.support.command import answered, pooled

ARMS = "study,events,time\nA,3,120.5\nB,0,60\nC,12,410\nD,7,333\nE,25,800.25\n"
UNLIKE = "study,events,person_years\nA,9,120.5\nB,0,60\nC,30,410\nD,7,333\nE,25,800.25\nF,4,44\n"
PAIRS = (
    "study,events1,time1,events2,time2\nA,3,120,6,115\nB,0,60,2,70\nC,12,410,10,300\nD,7,333,15,310\nE,25,800,0,790\n"
)


@for_each("method", ["REML", "DL", "EE"])
def test_rates_of_single_arms(tmp_path, method):
    """rma of escalc(measure="IRLN", xi=c(3,0,12,7,25), ti=c(120.5,60,410,333,800.25)); tau2 is 0 by each method."""
    ours = pooled(tmp_path, ARMS, "--method", method)
    assert ours["measure"] == "rate"
    yi = [-3.6930374642626, -4.7874917427820, -3.5312505099104, -3.8622323409251, -3.4660483539818]
    assert [each["yi"] for each in ours["studies"]] == pytest.approx(yi, rel=1e-12)
    assert [each["vi"] for each in ours["studies"]] == pytest.approx([1 / 3, 2, 1 / 12, 1 / 7, 1 / 25], rel=1e-12)
    expected = [-3.5691515709289, 0.1450952500220, 1.6724886138051]
    assert [ours["estimate"], ours["se"], ours["q"]] == pytest.approx(expected, rel=1e-10)
    assert ours["back_transformed"]["estimate"] == pytest.approx(math.exp(-3.5691515709289))
    assert any("Half an event is added" in remark and "(B)" in remark for remark in ours["remarks"])


def test_the_exact_model_of_rates(tmp_path):
    """glmer(x ~ 1 + (1|id) + offset(log(t)), poisson, nAGQ=25), and the deviance of glm without the intercepts."""
    ours = pooled(tmp_path, UNLIKE, "--method", "GLMM")
    assert ours["estimate"] == pytest.approx(-3.18434606163, rel=1e-8)
    assert ours["tau2"] == pytest.approx(0.259463357272, rel=1e-7)
    assert ours["se"] == pytest.approx(0.264874696163, rel=1e-7)
    assert [ours["q"], ours["q_p"]] == pytest.approx([23.84213504490587, 0.00023281427971], rel=1e-10)
    assert ours["statistic"] == pytest.approx(-12.0221946985, rel=1e-5)  # zval of rma.glmm(measure="IRLN", nAGQ=25)
    assert any("not of the Poisson-normal model" in remark for remark in ours["remarks"])
    [half] = [remark for remark in ours["remarks"] if "Half an event" in remark]
    assert half.endswith("(B): for rates of single studies and weighted diagnostics alone.")
    assert "Poisson-normal model" in ours["methods"]
    assert "logistic" not in ours["methods"]


@for_each(("text", "line"), [(ARMS, "study,,B,0,60.0,"), (PAIRS, "study,,E,25,800.0,0,790.0,")])
def test_counts_and_times_stand_in_the_table_of_values(tmp_path, text, line):
    answer = answered(tmp_path, text, "--csv", tmp_path / "values.csv")
    assert answer.exit_code == 0, answer.stderr
    assert line in (tmp_path / "values.csv").read_text()
    assert "correction of 0.5 was added to the events" in json.loads(answer.stdout)["methods"]


def test_the_unit_of_time_is_no_matter_to_the_exact_model(tmp_path):
    """In months: 12 times the time, the rate a twelfth, all else the same."""
    months = UNLIKE.splitlines()[:1]
    for line in UNLIKE.splitlines()[1:]:
        name, events, years = line.split(",")
        months.append(f"{name},{events},{12 * float(years)}")
    ours, other = (pooled(tmp_path, each, "--method", "GLMM") for each in (UNLIKE, "\n".join(months)))
    assert other["estimate"] == pytest.approx(ours["estimate"] - math.log(12), rel=1e-8)
    assert [other["tau2"], *other["tau2_ci"]] == pytest.approx([ours["tau2"], *ours["tau2_ci"]], rel=1e-6)


def test_moderators_of_the_exact_model(tmp_path):
    """glmer(x ~ z + (1|id) + offset(log(t)), poisson, nAGQ=25), errors from the Hessian, and the deviance of glm."""
    counted = (9, 120.5, 1), (0, 60, 2), (30, 410, 2), (7, 333, 3), (25, 800.25, 5), (4, 44, 1), (12, 90, 4), (2, 20, 2)
    text = "study,events,time,z\n" + "".join(f"S{n},{e},{t},{z}\n" for n, (e, t, z) in enumerate(counted))
    ours = pooled(tmp_path, text, "--method", "GLMM", "--mods", "z", "--at", "z=3")["regression"]
    assert [each["estimate"] for each in ours["coefficients"]] == pytest.approx([-2.677729566, -0.108270111], rel=1e-7)
    assert [each["se"] for each in ours["coefficients"]] == pytest.approx([0.539096469, 0.175648172], rel=1e-5)
    assert ours["tau2"] == pytest.approx(0.318062963, rel=1e-6)
    assert [ours["qe"], ours["qe_df"]] == pytest.approx([27.810095458, 6], rel=1e-8)
    [there] = ours["expected"]
    assert there["back_transformed"]["estimate"] == pytest.approx(math.exp(-2.677729566 - 3 * 0.108270111), rel=1e-6)


def test_rate_ratios(tmp_path):
    """rma of escalc(measure="IRR"), and rma.mh(measure="IRR")."""
    ours = pooled(tmp_path, PAIRS)
    assert ours["measure"] == "IRR"
    yi = [-0.73570679497874, -1.45528723260684, -0.13005312824820, -0.83371024454815, 3.91924685051747]
    assert [each["yi"] for each in ours["studies"]] == pytest.approx(yi, rel=1e-12)
    expected = [-0.098389756390947, 0.655571206898483, 1.405207088615364]
    assert [ours["estimate"], ours["se"], ours["tau2"]] == pytest.approx(expected, rel=1e-8)
    summed = pooled(tmp_path, PAIRS, "--method", "MH")
    expected = [0.2422374784728063, 0.2252033800474786, 16.0248214847289532, 0.0029860371350312]
    assert [summed[each] for each in ("estimate", "se", "q", "q_p")] == pytest.approx(expected, rel=1e-11)


def test_a_study_without_events_tells_nothing_of_the_ratio(tmp_path):
    """rma.mh gives the same estimate and Q with it as without."""
    without = pooled(tmp_path, PAIRS, "--method", "MH")
    ours = pooled(tmp_path, f"{PAIRS}F,0,50,0,40\n", "--method", "MH")
    assert [ours[each] for each in ("estimate", "se", "q", "q_df")] == [
        without[each] for each in ("estimate", "se", "q", "q_df")
    ]
    assert any("Nobody had the event in F" in remark for remark in ours["remarks"])


def test_moderators_groups_and_drawings_of_rates(tmp_path):
    text = "study,events,time,g,x\n" + "".join(f"S{n},{n % 4},{40 + n},{'ab'[n % 2]},{n * n % 7}\n" for n in range(8))
    page = tmp_path / "page.html"
    ours = pooled(tmp_path, text, "--by", "g", "--mods", "x", "--html", page)
    assert [each["group"] for each in ours["groups"]["groups"]] == ["a", "b"]
    assert "Rate per unit of time" in page.read_text(encoding="utf-8")
    grouped = pooled(tmp_path, text, "--by", "g", "--method", "GLMM")["groups"]
    assert [each["pooled_by"] for each in grouped["groups"]] == ["GLMM", "GLMM"]


WRONG = {
    "no time": ("study,events,time\nA,1,0\nB,2,3\n", (), "line 2, column time: 0 is not more than 0"),
    "half an event": ("study,events,time\nA,1.5,1\nB,2,3\n", (), "line 2, column events: 1.5 is not a count"),
    "a missing time": ("study,events\nA,1\nB,2\n", ("--measure", "rate"), "column time: is missing"),
    "one group of two": (
        "study,events1,time1,events2\nA,1,1,2\nB,2,3,1\n",
        ("--measure", "IRR"),
        "column time2: is missing",
    ),
    "no event at all": ("study,events,time\nA,0,10\nB,0,30\n", ("--method", "GLMM"), "no study has an event"),
    "a test of weights": (ARMS, ("--method", "GLMM", "--test", "knha"), "with GLMM take z or t"),
    "nobody of one group": (
        "study,events1,time1,events2,time2\nA,0,9,2,8\nB,0,9,1,9\n",
        ("--method", "MH"),
        "one group has no event in all",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(tmp_path, name):
    text, options, part = WRONG[name]
    answer = answered(tmp_path, text, *options)
    assert answer.exit_code == 3, answer.stdout
    assert part in " ".join(answer.stderr.split())


def test_a_group_without_a_rate_ratio_stops_nothing(tmp_path):
    """By hand, of A alone: (3 * 115 / 235) / (6 * 120 / 235)."""
    text = "study,events1,time1,events2,time2,g\nA,3,120,6,115,a\nB,0,60,2,70,b\nC,0,20,0,22,c\n"
    ours = pooled(tmp_path, text, "--method", "MH", "--by", "g")
    first, second, third = ours["groups"]["groups"]
    assert math.exp(first["estimate"]) == pytest.approx(345 / 720)
    assert [second["estimate"], third["estimate"]] == [None, None]
    assert any("b: the studies together leave no rate ratio" in remark for remark in ours["remarks"])
