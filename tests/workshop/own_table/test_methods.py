"""The paragraph on methods follows what was done: every method, test and measure, and what was asked for besides."""

import json
import re

import pytest

from bcma_decide.version import __version__
from bcma_decide.workshop.meta_analysis.pooled import PREDICTION_DFS
from bcma_decide.workshop.meta_analysis.study_table import read_table
from bcma_decide.workshop.own_table.analysis import AnalysisOptions, analyse
from bcma_decide.workshop.own_table.fitting import fitting
from bcma_decide.workshop.own_table.methods import methods_of
from bcma_decide.workshop.own_table.model_terms import Terms
from bcma_decide.workshop.own_table.reading import read_studies
from bcma_decide.workshop.synthesis.model import METHODS, TESTS, PoolingMethod
from bcma_decide.workshop.synthesis.studies import MEASURES
from tests.cli.support.program import invoke
from tests.support.cases import for_each
from tests.workshop.meta_analysis.support.reference import FOLDER

INPUTS = FOLDER / "inputs"
SINGLE = "study,events,n,g,x\nA,10,40,a,1\nB,30,50,a,2\nC,5,25,b,4\nD,44,60,b,3\nE,0,20,b,5\n"
PAIRS = "study,events1,n1,events2,n2\nA,10,40,20,41\nB,30,50,29,55\nC,5,25,9,30\nD,0,60,4,60\n"
PERSONS = "study,events,time\nA,3,40\nB,9,91\nC,0,33\nD,12,120\n"
PAIRED = "study,events1,time1,events2,time2\nA,3,40,5,44\nB,9,91,8,80\nC,0,33,4,30\nD,12,120,20,115\n"
HAZARDS = "study,estimate,lower,upper\nA,0.8,0.6,1.0667\nB,0.9,0.7,1.1571\nC,1.1,0.8,1.5125\n"
GIVEN = "study,yi,vi,trial\nA,0.1,0.2,s\nB,0.4,0.1,s\nC,-0.2,0.3,t\nD,0.5,0.2,u\nE,0.3,0.2,v\n"
OF_MEASURE = {
    "generic": GIVEN, "OR": PAIRS, "RR": PAIRS, "RD": PAIRS, "rate": PERSONS, "IRR": PAIRED, "HR": HAZARDS,
    "MD": HAZARDS,
}  # fmt: skip
TWO_GROUPS = ("MH", "PETO", "UM.FS", "UM.RS", "CM.EL", "CM.AL")
SAID = {
    "DL": "DerSimonian-Laird", "DLIT": "DerSimonian-Laird estimator, repeated",
    "HE": "Hedges", "HS": "Hunter-Schmidt", "HSk": "correction for small samples",
    "SJ": "Sidik-Jonkman", "ML": "by maximum likelihood", "REML": "restricted maximum likelihood",
    "EB": "empirical Bayes", "PM": "Paule-Mandel", "PMM": "median-unbiased Paule-Mandel", "EE": "equal-effects",
    "GLMM": "binomial-normal",
    "UM.FS": "(UM.FS, ", "UM.RS": "(UM.RS, ", "CM.EL": "(CM.EL, ", "CM.AL": "(CM.AL, ",
    "MH": "Mantel-Haenszel", "PETO": "Peto",
}  # fmt: skip
PART_OF = {"HSk": {"HS"}, "PMM": {"PM"}, "GLMM": {"ML"}, "DLIT": {"DL"}}
"""Words of one method that those of another have inside; the binomial-normal model is fitted by maximum likelihood."""
TESTED = {
    "z": "(Wald)", "t": "t distribution with k \N{MINUS SIGN} 1", "knha": "Hartung-Knapp-Sidik-Jonkman method.",
    "knha-floored": "never narrower", "kenward-roger": "Kenward-Roger",
}  # fmt: skip
MEASURED = {
    "logit": "log odds", "raw": "without a transformation", "arcsine": "arcsine square root",
    "freeman-tukey": "harmonic mean of the study sizes", "log": "as logarithms and transformed back",
    "generic": "as given", "OR": "odds ratios", "RR": "risk ratios", "RD": "risk differences",
    "rate": "per person-time", "IRR": "incidence rate ratios", "HR": "Hazard ratios as published",
    "MD": "Mean differences as published",
}  # fmt: skip


@pytest.fixture
def said(tmp_path):
    def of(text, measure=None, **options):
        file = tmp_path / "table.csv"
        file.write_text(text)
        table = read_table(file)
        names = {name: options.pop(name) for name in ("method", "test", "level", "prediction") if name in options}
        studies = read_studies(table, measure or fitting(table), apart="nested" not in options)
        return methods_of(analyse(table, studies, AnalysisOptions(PoolingMethod(**names), **options)))

    return of


def test_every_method_test_and_measure_has_words():
    assert set(SAID) == set(METHODS)
    assert set(TESTED) == set(TESTS)
    assert set(MEASURED) == set(MEASURES)


@for_each("method", METHODS)
def test_the_method_is_named_and_no_other(said, method):
    text = said(PAIRS if method in TWO_GROUPS else SINGLE, method=method)
    assert {name for name, words in SAID.items() if words in text} == {method} | PART_OF.get(method, set())
    assert ("equal-effects" in text or "one effect for all" in text or "one odds ratio for all" in text) == (
        method in ("EE", "MH", "PETO")
    )
    assert ("prediction interval" in text) == (method not in ("EE", "MH", "PETO"))


@for_each("test", TESTS)
def test_the_test_is_named(said, test):
    text = said(SINGLE, test=test)
    assert TESTED[test] in text
    assert [name for name, words in TESTED.items() if words in text] == [test]


@for_each("measure", MEASURES)
def test_the_measure_is_named_with_its_correction(said, measure):
    """One study of each table has an empty cell; the angles need no correction, effects as given cannot have one."""
    text = said(OF_MEASURE.get(measure, SINGLE), measure)
    assert MEASURED[measure] in text
    corrected = "continuity correction of 0.5 was added" in text
    assert corrected == (measure in ("logit", "raw", "log", "OR", "RR", "RD", "rate", "IRR"))
    assert ("Clopper-Pearson" in text) == (measure not in OF_MEASURE)


@for_each("prediction", PREDICTION_DFS)
def test_the_prediction_interval_is_named(said, prediction):
    [sentence] = re.findall(r"The 80 % prediction interval[^.]*\.", said(SINGLE, prediction=prediction, level=0.8))
    wanted = {"k-2": "k \N{MINUS SIGN} 2", "k-1": "k \N{MINUS SIGN} 1", "normal": "normal"}[prediction]
    assert wanted in sentence


def test_counts_themselves_need_no_correction(said):
    text = said(SINGLE, method="GLMM")
    assert "correction" not in text
    assert "likelihood-ratio test (Q)" in text
    assert "profile likelihood" in text


def test_rates_per_time_have_a_model_of_their_own(said):
    text = said(PERSONS, method="GLMM")
    assert "Counts of events in person-time in single arms of 4 studies were pooled on the log scale." in text
    assert "The model was a Poisson-normal model" in text
    assert "looked for by Egger's regression test" in text
    assert "logi" not in text, "neither the logit scale nor logistic regression"


def test_half_an_event_is_for_those_without_any(said):
    added = "A continuity correction of 0.5 was added to the events of both groups of 1 study without events"
    assert f"{added}." in said(PAIRED)
    assert f"{added}, for effects of single studies and the test of heterogeneity only." in said(PAIRED, method="MH")
    assert "correction" not in said(PERSONS, method="GLMM")


def test_nothing_is_said_of_a_correction_that_was_not_needed(said):
    assert "No study needed a continuity correction." in said(SINGLE.replace("E,0,20", "E,1,20"))


def test_what_was_asked_for_empty_cells_is_told(tmp_path):
    def of(*options):
        file = tmp_path / "table.csv"
        file.write_text(PAIRS + "E,0,20,0,21\n")
        return json.loads(invoke("meta", file, "--json", *options).stdout)["methods"]

    nothing = of("--correction", "0")
    assert "of this measure or have no effect where nothing is added to empty cells: D, E." in nothing
    assert "Nothing was added to empty cells." in nothing
    assert "Left out, as they tell nothing of this measure: E." in of()
    assert "in a study, 1 with the event and 1 without, shared out" in of("--correction", "treatment-arm")


def test_everybody_or_nobody_is_told(said):
    text = said("study,events,n\nA,0,9\nB,0,8\n", method="GLMM")
    assert "counted together, with the exact interval" in text
    assert "random-effects" not in text


@for_each(
    ("options", "part"),
    [
        ({"by": "g"}, "grouped by g and pooled in each group"),
        ({"terms": Terms(("x",))}, "Meta-regression was on x"),
        (
            {"terms": Terms(("x", "g")), "permutations": 20},
            "x and g; all moderators were tested together against chi-squared, ",
        ),
        ({"terms": Terms(("x",)), "test": "knha"}, "against F"),
        ({"order": "x"}, "one by one by x (cumulative"),
        ({"gosh": True}, "(GOSH)"),
        ({"diagnostics": True}, "Egger's regression test"),
    ],
)
def test_what_was_done_besides_is_said(said, options, part):
    assert part in said(SINGLE, **options)
    others = {"diagnostics": False} if part != "Egger's regression test" else {"diagnostics": False, "by": "g"}
    assert part not in said(SINGLE, **others)


def test_groups_are_told_as_they_were_pooled(said):
    """Nobody in group a: one count. Without a variance between studies no group has one of its own."""
    rare = "study,events,n,g\nA,0,40,a\nB,0,50,a\nC,1,60,b\nD,2,60,b\nE,1,80,b\n"
    assert "Pooled otherwise: a by one count with its exact interval." in said(rare, method="GLMM", by="g")
    assert "tau2 of its own" in said(SINGLE, by="g")
    for method in ("MH", "EE"):
        text = said(PAIRS.replace("n2", "n2,g").replace("1\n", "1,a\n").replace("5\n", "5,a\n").replace("0\n", "0,b\n"),
                    method=method, by="g")  # fmt: skip
        assert "pooled in each group;" in text
        assert "tau2 of its own" not in text
        assert "Pooled otherwise" not in text


def test_what_needs_weights_says_so_beside_a_model_that_has_none(said):
    text = said(SINGLE, method="GLMM", terms=Terms(("x",)), permutations=20)
    assert "Each study was left out in turn." in text
    for begin in ("Influence statistics of each study were worked out", "20 permutations)"):
        assert f"{begin} (by the weighted REML model on the logit scale)." in text
    assert "weighted REML model" not in said(SINGLE, terms=Terms(("x",)), permutations=20)


def test_arms_of_studies_are_three_levels(said):
    text = said(GIVEN, "generic", nested="trial")
    assert "nested in 4 studies (trial): a three-level random-effects model" in text
    assert "(5 arms)" in text


def test_it_is_printed_on_the_page_and_in_the_answer(tmp_path):
    page = tmp_path / "page.html"
    answer = invoke("meta", INPUTS / "pritz1997.csv", "--method", "DL", "--json", "--html", page)
    methods = json.loads(answer.stdout)["methods"]
    assert methods in page.read_text(encoding="utf-8").replace("&#39;", "'")
    assert f"bcma-decide {__version__}" in methods
    printed = invoke("meta", INPUTS / "pritz1997.csv", "--method", "DL", "--methods").stdout
    assert "DerSimonian-Laird" in " ".join(printed.split())
    assert "Methods." not in invoke("meta", INPUTS / "pritz1997.csv").stdout
