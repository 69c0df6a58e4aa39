"""The flow of a selection: the guide's example is drawn, and every count that does not add up has its line."""

import re

import pytest

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.own_table.selection_flow import KEYS, flow_drawing, flow_words, read_flow
from tests.cli.support.program import invoke
from tests.support.cases import for_each
from tests.support.places import ROOT
from tests.workshop.plots.support.drawings import described, words

FLOW = """identified:
  PubMed: 40
  "a register: [x] & <b>": 60
duplicates: 20
screened: 80
excluded_on_screening: {not in patients: 30, other disease: 20}
sought: 30
not_retrieved: 2
assessed: 28
excluded_on_assessment:
  other outcome: 10
  same patients: 4
included: {studies: 12, reports: 14}
"""
SHORT = "identified: 10\nscreened: 10\nexcluded_on_screening: 4\nassessed: 6\nexcluded_on_assessment: 3\nincluded: 3\n"


@pytest.fixture
def flow(tmp_path):
    def of(text):
        file = tmp_path / "flow.yaml"
        file.write_text(text, encoding="utf-8")
        return read_flow(file)

    return of


def test_every_count_stands_in_the_drawing_and_in_words(flow):
    drawing = flow_drawing(flow(FLOW), "Selection <b>")
    shown, said = " ".join(words(drawing)), described(drawing)
    for part in (
        "100 records", "PubMed: 40", "a register: [x] & <b>: 60", "Duplicates: 20", "80 records",
        "Excluded on screening: 50", "other disease: 20", "30 reports", "Not retrieved: 2", "28 reports",
        "Excluded on assessment: 14", "same patients: 4", "12 studies (14 reports)",
    ):  # fmt: skip
        assert part in shown, part
        assert part in said, part
    assert said == flow_words(flow(FLOW))


def test_optional_counts_may_be_left_out(flow):
    text = flow_words(flow(SHORT))
    assert "Sought" not in text
    assert "Removed before screening" not in text
    assert "Included: 3 studies." in text


@for_each(
    ("was", "becomes", "line", "part"),
    [
        (
            "screened: 80",
            "screened: 81",
            5,
            "screened: is 81, but 100 identified less 20 removed before screening leave 80",
        ),
        ("PubMed: 40", "PubMed: 41", 5, "screened: is 80, but 101 identified"),
        ("sought: 30", "sought: 29", 7, "sought: is 29, but 80 screened less 50 excluded on screening leave 30"),
        ("assessed: 28", "assessed: 30", 9, "assessed: is 30, but 30 sought less 2 not retrieved leave 28"),
        ("same patients: 4", "same patients: 5", 13, "included: is 14, but 28 assessed less 15 excluded"),
        ("PubMed: 40", "PubMed: -40", 2, "identified PubMed: is -40"),
        ("duplicates: 20", "duplicates: 20.5", 4, "duplicates: is 20.5"),
        ("duplicates: 20", "duplicates: true", 4, "duplicates: is True"),
        ("duplicates: 20", "duplicates:", 4, "duplicates: is nothing"),
        ("duplicates: 20", "duplicates: {a: 20}", 4, "duplicates: is a list"),
        ("duplicates: 20", "doubles: 20", 4, "doubles: is no count of this flow"),
        ("reports: 14", "reports: 11", 13, "11 reports are fewer than 12 studies"),
        ("reports: 14", "paper: 14", 13, "write a number, or studies and reports"),
        ("screened: 80", "screened: 80\nscreened: 80", 6, "screened"),
    ],
)
def test_what_does_not_add_up_is_refused_with_its_line(flow, was, becomes, line, part):
    assert FLOW.count(was) == 1
    with pytest.raises(SynthesisError) as caught:
        flow(FLOW.replace(was, becomes))
    said = str(caught.value)
    assert re.search(rf"flow.yaml: line {line}\b", said), said
    assert part in said


@for_each("key", [key for key in KEYS if key in SHORT])
def test_a_count_that_is_missing_is_named(flow, key):
    text = re.sub(rf"(?m)^{key}:.*\n", "", SHORT)
    with pytest.raises(SynthesisError, match=f"{key}: is missing"):
        flow(text)


def test_a_list_or_nothing_is_no_flow(flow):
    with pytest.raises(SynthesisError, match="is no list of counts"):
        flow("- 1\n")
    with pytest.raises(SynthesisError, match="is empty"):
        flow("")


def test_the_example_of_the_guide_is_drawn_and_another_number_of_studies_is_said(tmp_path):
    guide = (ROOT / "bcma_decide" / "guide" / "own-table.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```yaml\n(identified:.*?)```", guide, re.DOTALL)
    (tmp_path / "flow.yaml").write_text(example, encoding="utf-8")
    (tmp_path / "t.csv").write_text("study,events,n\nA,3,9\nB,4,9\n")
    answer = invoke(
        "meta", tmp_path / "t.csv", "--flow", tmp_path / "flow.yaml", "--svg", tmp_path, "--html", tmp_path / "p.html"
    )
    assert answer.exit_code == 0, answer.stderr
    assert (tmp_path / "flow.svg").exists()
    included = read_flow(tmp_path / "flow.yaml").studies
    assert f"The flow ends with {included} studies; 2 are pooled here." in answer.stdout
    assert 'id="flow"' in (tmp_path / "p.html").read_text(encoding="utf-8")
