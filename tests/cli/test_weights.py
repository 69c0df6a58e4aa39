"""Weights from a file and from questions: what is added, what stays as it is, what is refused."""

import json

import pytest

from bcma_decide.patient.weights_files import read_weights
from tests.cli.support.program import ESCAPE, invoke, on_terminal
from tests.patient.support.weighable import CRITERIA
from tests.render.support.reading import DIRECTIVE
from tests.support.cases import for_each

PATIENT = ("--example", "little-known-70")
STATED = """\
criteria:
  - {criterion: pfs_12m, points: 100, from: 20, to: 80}
  - {criterion: infection_g3plus, points: [40, 80], from: 60, to: 20}
  - {criterion: icans_any, points: 30, from: 40, to: 0}
"""
HEADING = "With the stated weights"


@pytest.fixture
def stated(tmp_path):
    path = tmp_path / "weights.yaml"
    path.write_text(STATED, encoding="utf-8")
    return path


def test_ranks_stand_after_the_numbers_and_only_with_weights(stated):
    with_them = invoke("compare", *PATIENT, "--full", "--weights", stated).stdout
    without = invoke("compare", *PATIENT, "--full").stdout
    assert HEADING not in without
    assert with_them.index("Side by side:") < with_them.index("What is not known") < with_them.index(HEADING)
    assert "ranks first in" in with_them
    assert "of 100 draws" in with_them
    assert "Would change if the weight of" in with_them


def test_nothing_before_them_changes(stated):
    with_them = invoke("compare", *PATIENT, "--full", "--weights", stated).stdout
    without = invoke("compare", *PATIENT, "--full").stdout
    assert with_them.partition(HEADING)[0].rstrip() in without


@for_each("more", [(), ("--products",), ("--plain",), ("--plain", "--products")])
def test_the_words_are_neutral(stated, more):
    text = invoke("compare", *PATIENT, "--weights", stated, *more).stdout
    assert DIRECTIVE.search(text) is None


def test_plain_lines_say_the_same(stated):
    lines = invoke("compare", *PATIENT, "--weights", stated, "--plain", "--full").stdout.splitlines()
    kinds = [line.partition("\t")[0] for line in lines]
    assert kinds.count("criterion") == 3
    assert kinds.index("weights") > kinds.index("tell apart")


def test_products_are_ranked_where_they_are_shown(stated):
    assert "Cilta-cel ranks first in" not in invoke("compare", *PATIENT, "--weights", stated).stdout
    assert "Cilta-cel ranks first in" in invoke("compare", *PATIENT, "--weights", stated, "--products").stdout


def test_json_has_them_and_null_without(stated):
    found = json.loads(invoke("compare", *PATIENT, "--weights", stated, "--json").stdout)["preferences"]
    assert found["kind"] == "ranges"
    assert [each["kind"] for each in found["rankings"]] == ["class", "product"]
    assert json.loads(invoke("compare", *PATIENT, "--json").stdout)["preferences"] is None


def test_standard_input_is_read():
    result = invoke("compare", *PATIENT, "--weights", "-", given=STATED)
    assert result.exit_code == 0
    assert HEADING in result.stdout


def test_what_cannot_be_used_gives_no_number(tmp_path):
    path = tmp_path / "weights.yaml"
    path.write_text("criteria:\n  - {criterion: orr, points: -1}\n", encoding="utf-8")
    result = invoke("compare", *PATIENT, "--weights", path)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "line 2: criteria.0.points" in result.stderr


@for_each("options, said", [
    (("--weights", "w.yaml", "--ask-weights"), "give no file with it"),
    (("--ask-weights",), "no terminal to ask on"),
])  # fmt: skip
def test_usage_that_cannot_be(options, said):
    result = invoke("compare", *PATIENT, *options)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())


def test_patient_and_weights_do_not_both_come_from_standard_input():
    result = invoke("compare", "-", "--weights", "-", given="age: 70\n")
    assert result.exit_code == 2


def test_the_example_is_written_and_can_be_used(tmp_path):
    text = invoke("template", "--weights").stdout
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")
    assert HEADING in invoke("compare", *PATIENT, "--weights", path).stdout


def chosen(criterion):
    return str(list(CRITERIA).index(criterion) + 1)


def test_questions_lead_to_weights_and_write_them(tmp_path):
    """Which matter, from where to where, the one that matters most, the others beside it; wrong answers ask again."""
    path = tmp_path / "mine.yaml"
    code, shown = on_terminal(
        "compare", *PATIENT, "--ask-weights",
        answers=[
            ("by number", "none of them\n"),
            ("by number", f"{chosen('orr')}, {chosen('icans_any')}\n"),
            ("Two numbers", "90 to 40\n"),
            ("Two numbers", "40 to 90\n"),
            ("Two numbers", "\n"),
            ("Its number", "1\n"),
            ("Points from 0", "-20\n"),
            ("Points from 0", "20 to 60\n"),
            ("Write these", f"{path}\n"),
        ],
        width=100,
    )  # fmt: skip
    assert code == 0, shown
    seen = ESCAPE.sub("", shown)
    assert "If only one of these changes could be had" in seen
    assert "ranks first in" in seen
    first, second = read_weights(path, CRITERIA).criteria
    assert (first.criterion, first.points, first.least, first.most) == ("orr", 100, 40, 90)
    assert (second.criterion, second.points, second.least) == ("icans_any", (20, 60), None)


def test_whoever_leaves_gets_nothing():
    code, shown = on_terminal("compare", *PATIENT, "--ask-weights", answers=[("by number", "q\n")], width=100)
    assert code == 0
    assert "Side by side" not in shown
