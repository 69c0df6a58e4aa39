"""A row of a summary of findings: absolute effects by hand, certainty rule by rule, what is left to the reviewer."""

import json

import pytest

from bcma_decide.errors import EvidenceError
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.workshop.own_table.certainty import FILE, load_limits
from tests.cli.support.program import invoke
from tests.support.cases import for_each

PAIRS = "study,events1,n1,events2,n2,rob\n"
ALIKE = PAIRS + "A,100,400,200,400,low\nB,90,400,190,400,low\nC,110,400,210,400,low\n"
"""Odds ratios of 1/3, 0.321 and 0.343, risks of 50, 47.5 and 52.5 percent without: precise, alike, not below 1/2.7."""
HALF = PAIRS + "A,150,400,200,400,low\nB,141,400,190,400,high\nC,159,400,210,400,low\n"
"""Odds ratios near 0.6, of which nothing is large."""
SMALL = PAIRS + "A,4,20,6,20,low\nB,5,22,7,22,low\nC,3,19,5,20,high\n"
APART = PAIRS + "A,20,400,200,400,low\nB,190,400,200,400,low\nC,110,400,210,400,low\nD,60,400,150,400,low\n"
RATES = "study,events,n,rob\nA,55,100,low\nB,60,100,low\nC,58,100,low\nD,57,100,high\n"
FEW = "study,events,n\nA,5,10\nB,6,12\nC,4,9\n"
"""15 of 31: log odds of -0.065 with a standard error of 0.359, 31.7 to 65.5 percent. Alike, so not inconsistent."""
RANDOMISED = ("--design", "randomised")
GIVEN = "study,yi,vi\nA,0.1,0.2\nB,0.4,0.1\nC,-0.2,0.3\n"


@pytest.fixture
def row(tmp_path):
    def of(text, *options):
        file = tmp_path / "outcome.csv"
        file.write_text(text)
        answer = invoke("meta", file, "--findings", "--json", *options)
        assert answer.exit_code == 0, answer.stderr
        return json.loads(answer.stdout)["findings"]

    return of


def test_a_rate_is_an_absolute_effect_per_time(row):
    """15 events in 300 units of time in all, studies alike: 0.05 a unit."""
    found = row("study,events,time\nA,5,100\nB,10,200\n")
    assert found["relative_effect"] is None
    assert found["absolute_effect"]["per"] == "units of time"
    assert found["absolute_effect"]["estimate"] == pytest.approx(0.05)


@for_each(
    ("measure", "wanted"),
    [("OR", 1 / 3 / (1 + 1 / 3) - 0.5), ("RR", 0.5 * 0.5 - 0.5), ("RD", -0.25)],
)
def test_absolute_effects_are_at_the_median_risk_without(row, measure, wanted):
    """Half of the patients without; with, an odds ratio of 1/3 makes 25 percent, a risk ratio of a half as many."""
    found = row(ALIKE, "--measure", measure)["absolute_effect"]
    assert found["comparator_risk"] == 0.5
    assert found["estimate"] == pytest.approx(wanted, abs=0.004)
    assert found["ci"][0] < found["estimate"] < found["ci"][1]


def test_a_rate_is_told_per_thousand_and_has_no_relative_effect(row):
    found = row(RATES)
    assert found["relative_effect"] is None
    assert found["absolute_effect"]["estimate"] == pytest.approx(0.575, abs=1e-3), "230 of 400"
    assert (found["studies"], found["patients"]) == (4, 400)


@for_each(
    ("text", "options", "level", "reasons"),
    [
        pytest.param(HALF, ("--design", "randomised"), "high", ["start at high: randomised"], id="nothing lowers it"),
        pytest.param(HALF, (), "low", ["start at low: no design was given"], id="nobody said"),
        pytest.param(HALF, ("--design", "observational"), "low", ["as the reviewer says"], id="observational"),
        pytest.param(ALIKE, (), "moderate", ["up for a large effect"], id="large"),
        pytest.param(ALIKE, ("--design", "randomised"), "high", [], id="large and randomised"),
        pytest.param(
            SMALL, RANDOMISED, "moderate", ["holds no effect and an appreciable one, 30 events"], id="imprecise"
        ),
        pytest.param(SMALL, (), "very low", ["down for imprecision"], id="imprecise and observational"),
        pytest.param(APART, RANDOMISED, "moderate", ["down for inconsistency: I2 9"], id="inconsistent"),
        pytest.param(RATES, (), "low", ["single arms, without a comparison"], id="rates"),
        pytest.param(FEW, (), "very low", ["imprecision: interval 34 points wide, 31 patients"], id="few"),
        pytest.param(
            "study,events,n\nA,90,100\nB,20,100\nC,50,100\nD,60,100\n", (), "very low",
            ["the prediction interval is 100 points wide, p of Q <0.0001", "down for imprecision"], id="rates apart",
        ),
    ],
)  # fmt: skip
def test_the_certainty_follows_its_rules(row, text, options, level, reasons):
    found = row(text, *options)
    assert found["certainty"] == level, found["reasons"]
    said = "; ".join(found["reasons"])
    assert [each for each in reasons if each not in said] == []


@for_each(
    ("text", "level", "said"),
    [
        (HALF, "high", "33 % of the weight"),
        (HALF.replace("low", "high"), "moderate", "down for risk of bias: 100 % of the weight"),
        (HALF.replace("C,159,400,210,400,low", "C,159,400,210,400,-"), "moderate", "down for risk of bias: 67 %"),
        (HALF.replace("low", "unclear").replace("high", "some"), "high", "0 % of the weight"),
    ],
)
def test_most_of_the_weight_at_high_risk_lowers_it(row, text, level, said):
    found = row(text, "--design", "randomised", "--rob", "rob")
    assert found["certainty"] == level
    assert said in "; ".join(found["reasons"])
    assert not any("--rob" in each for each in found["not_judged"])


def test_a_domain_named_overall_counts_alone(row):
    text = HALF.replace("rob", "rob,Overall").replace("low", "high,low").replace("400,high\n", "400,high,low\n")
    assert row(text, "--rob", "rob,Overall", "--design", "randomised")["certainty"] == "high"
    assert row(text, "--rob", "rob", "--design", "randomised")["certainty"] == "moderate"


def test_what_no_rule_sees_is_left_to_the_reviewer(row):
    left = " ".join(row(HALF)["not_judged"])
    for domain in ("indirectness", "publication bias", "risk of bias (--rob"):
        assert domain in left
    given = row(GIVEN)
    assert any(each.startswith("imprecision (") for each in given["not_judged"])
    assert given["absolute_effect"] is None
    summed = row(HALF, "--method", "MH")
    assert any(each.startswith("inconsistency (") for each in summed["not_judged"])
    assert any("no judgement" in each for each in row(HALF.replace(",high", ","), "--rob", "rob")["not_judged"])


def test_every_limit_looked_at_is_listed_with_its_source(row):
    limits = {each["limit"]: each for each in row(SMALL, "--rob", "rob")["limits"]}
    assert set(limits) == {
        "high_risk_share",
        "heterogeneity_p",
        "appreciable_lower",
        "appreciable_higher",
        "few_events",
    }
    assert limits["few_events"]["value"] == 300
    assert "J Clin Epidemiol 2011" in limits["few_events"]["source"]


def test_it_stands_on_the_page_and_on_the_terminal(tmp_path):
    file, page = tmp_path / "deaths.csv", tmp_path / "page.html"
    file.write_text(HALF)
    shown = " ".join(invoke("meta", file, "--findings", "--html", page, "--title", "Deaths & <b>").stdout.split())
    text = page.read_text(encoding="utf-8")
    for part in ("Summary of findings", "Certainty low: start at low", "Not judged here: "):
        assert part in shown
        assert part in text
    assert "fewer" in shown
    assert "Limits behind the certainty" in text
    assert "Deaths &amp; &lt;b&gt;" in text
    assert "findings" not in json.loads(invoke("meta", file, "--json").stdout)


def test_limits_that_do_not_follow_their_schema_are_refused(tmp_path):
    real = evidence_directory() / FILE
    (tmp_path / FILE).write_text(real.read_text(encoding="utf-8").replace("few_events:", "fewest:"))
    with pytest.raises(EvidenceError, match=r"certainty_of_tables.yaml: few_events: Field required"):
        load_limits(tmp_path)
