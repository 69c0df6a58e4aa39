"""Weights as files: what is read, what is refused with its line, and that what is written is read again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcma_decide.errors import WeightsError
from bcma_decide.patient.weights import weights_from
from bcma_decide.patient.weights_files import read_weights, weights_template, weights_text
from bcma_decide.preference_shapes import MOST_CRITERIA
from bcma_decide.vocabulary import OUTCOMES
from tests.patient.support.weighable import WITH_DAYS as CRITERIA
from tests.support.cases import for_each
from tests.support.examples import examples


def written(folder, text, name="weights.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(text, folder):
    """Every problem as a line, without the name of the file."""
    path = written(folder, text)
    with pytest.raises(WeightsError) as caught:
        read_weights(path, CRITERIA)
    assert {problem.file for problem in caught.value.problems} == {str(path)}
    return [f"{problem.field}: {problem.message}" for problem in caught.value.problems]


def of(*rows):
    return weights_from({"criteria": list(rows)}, CRITERIA)


def test_every_outcome_and_share_free_of_progression_can_be_given_a_weight():
    assert {*OUTCOMES, "pfs_6m", "pfs_12m", "pfs_18m", "pfs_24m"} <= set(CRITERIA)


def test_yaml_and_json_are_read_alike(tmp_path):
    yaml = (
        "criteria:\n  - {criterion: orr, points: 100, from: 40, to: 90}\n  - {criterion: icans_any, points: [20, 40]}\n"
    )
    plain = {"criteria": [{"criterion": "orr", "points": 100, "from": 40, "to": 90},
                          {"criterion": "icans_any", "points": [20, 40]}]}  # fmt: skip
    one = read_weights(written(tmp_path, yaml), CRITERIA)
    assert one == read_weights(written(tmp_path, json.dumps(plain, indent="\t"), "weights.json"), CRITERIA)
    assert one.kind == "ranges"
    assert [each.bounds for each in one.criteria] == [(100, 100), (20, 40)]


@for_each("rows, kind", [
    ([{"criterion": "orr", "points": 10}], "points"),
    ([{"criterion": "orr", "points": [10, 20]}], "ranges"),
    ([{"criterion": "orr", "rank": 1}, {"criterion": "crs_any", "rank": 2}], "order"),
    ([{"criterion": "orr"}, {"criterion": "crs_any"}], "open"),
])  # fmt: skip
def test_how_weights_are_stated(rows, kind):
    assert of(*rows).kind == kind


@for_each("text, expected", [
    ("criteria:\n  - criterion: orr\n    points: -5\n", ["line 3: criteria.0.points: cannot be used"]),
    ("criteria:\n  - criterion: orr\n    points: '5'\n", ["line 3: criteria.0.points: cannot be used"]),
    ("criteria:\n  - criterion: orr\n    points: true\n", ["line 3: criteria.0.points: cannot be used"]),
    ("criteria:\n  - criterion: orr\n    points: .nan\n", ["line 3: criteria.0.points: cannot be used"]),
    ("criteria:\n  - criterion: orr\n    points: [1, 2, 3]\n", ["line 3: criteria.0.points: cannot be used"]),
    ("criteria:\n  - criterion: orr\n    points: [20, 10]\n",
     ["line 3: criteria.0.points: the fewer points come first"]),
    ("criteria:\n  - criterion: orx\n    points: 5\n",
     ["line 2: criteria.0.criterion: 'orx' cannot be given a weight"]),
    ("criteria:\n  - points: 5\n", ["line 2: criteria.0.criterion: is missing"]),
    ("criteria:\n  - criterion: orr\n    point: 5\n", ["line 3: criteria.0.point: is not known here"]),
    ("criteria:\n  - criterion: orr\n    points: 5\n    from: 40\n    to: 40\n",
     ["line 5: criteria.0.to: is the same as from: no change to weigh"]),
    ("criteria:\n  - criterion: orr\n    points: 5\n    from: 80\n    to: 40\n",
     ["line 4: criteria.0.from: is the less attractive end, with fewer of 100"]),
    ("criteria:\n  - criterion: crs_any\n    points: 5\n    from: 10\n    to: 40\n",
     ["line 4: criteria.0.from: is the less attractive end, with more of 100"]),
    ("criteria:\n  - criterion: orr\n    points: 5\n    from: 20\n    to: 120\n",
     ["line 5: criteria.0.to: 120 cannot be"]),
    ("criteria:\n  - criterion: orr\n    points: 5\n    to: 90\n",
     ["line 2: criteria.0.from: is missing beside the other end"]),
    ("criteria:\n  - criterion: days\n    points: 5\n", ["line 2: criteria.0: a burden has no ends of its own"]),
    ("criteria:\n  - criterion: orr\n    points: 0\n", ["line 2: criteria: every criterion has 0 points"]),
    ("criteria:\n  - criterion: orr\n    points: [0, 20]\n", ["line 2: criteria: every criterion may have 0 points"]),
    ("criteria:\n  - criterion: orr\n    points: 5\n  - criterion: crs_any\n",
     ["line 4: criteria.1.points: is missing"]),
    ("criteria:\n  - criterion: orr\n    points: 5\n  - criterion: orr\n    points: 6\n",
     ["line 4: criteria.1.criterion: 'orr' stands there twice"]),
    ("criteria:\n  - criterion: orr\n    points: 5\n    rank: 1\n", ["line 4: criteria.0.rank: stands beside points"]),
    ("criteria:\n  - criterion: orr\n    rank: 1\n  - criterion: crs_any\n",
     ["line 2: criteria: the ranks are not 1, 2, 3 and so on, each once"]),
    ("criteria:\n  - criterion: orr\n    rank: 1\n  - criterion: crs_any\n    rank: 1\n",
     ["line 2: criteria: the ranks are not 1, 2, 3 and so on, each once"]),
    ("criteria:\n  - criterion: orr\n    points: 5\n  - criterion: crs_any\n    rank: 1\n",
     ["line 2: criteria: some have points and others ranks"]),
    ("criteria:\n  - criterion: orr\n    points: 1.0e+308\n  - criterion: crs_any\n    points: 1.0e+308\n",
     ["line 3: criteria.0.points: cannot be used", "line 5: criteria.1.points: cannot be used"]),
    ("criteria:\n  - criterion: orr\n    points: 5\n    from: 20\n    to: 20.0000001\n",
     ["line 5: criteria.0.to: is the same as from: no change to weigh"]),
    ("criteria:\n", ["line 1: criteria: is not a list"]),
    ("criteria: []\n", ["line 1: criteria: needs at least one criterion"]),
    ("weights: 3\n", ["line 1: criteria: is missing", "line 1: weights: is not known here"]),
    ("- orr\n", [": is not a mapping with 'criteria:'"]),
    ("", [": is empty"]),
    ("criteria: [\n", ["line 2: did not find expected node content"]),
    ('{"criteria": [], "criteria": []}', ["'criteria': stands there twice"]),
])  # fmt: skip
def test_what_cannot_be_used_is_named_with_its_line(tmp_path, text, expected):
    found = refused(text, tmp_path)
    assert [line.removeprefix(": ") for line in found] == [line.removeprefix(": ") for line in expected]


def test_every_problem_is_named_at_once(tmp_path):
    text = "criteria:\n  - {criterion: orx, points: 5}\n  - {criterion: crs_any, points: 5, from: 1, to: 1}\n"
    assert len(refused(text, tmp_path)) == 2


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(WeightsError, match="cannot be read"):
        read_weights(tmp_path / "nowhere.yaml", CRITERIA)


def test_too_many_changes_are_refused():
    rows = [{"criterion": name, "points": 1} for name in list(CRITERIA)[: MOST_CRITERIA + 1]]
    with pytest.raises(WeightsError, match="holds too many"):
        of(*rows)


def test_the_example_can_be_used_as_it_is_and_sets_no_points(tmp_path):
    text = weights_template(CRITERIA)
    found = read_weights(written(tmp_path, text), CRITERIA)
    assert found.kind == "open"
    assert all(name in text for name in CRITERIA)
    assert max(map(len, text.splitlines())) <= 120


NUMBERS = st.floats(0, 100, allow_nan=False).map(lambda value: round(value, 2))


@given(data=st.data(), kind=st.sampled_from(["points", "ranges", "order", "open"]))
@examples(50)
def test_what_is_written_is_read_again(tmp_path_factory, data, kind):
    names = data.draw(st.lists(st.sampled_from(sorted(CRITERIA)), min_size=1, max_size=5, unique=True))
    rows = []
    for place, name in enumerate(names):
        row = {"criterion": name}
        if CRITERIA[name].scale is None or data.draw(st.booleans()):
            low, high = sorted(data.draw(st.lists(NUMBERS, min_size=2, max_size=2, unique=True)))
            benefit = CRITERIA[name].direction == "benefit"
            row |= {"from": low if benefit else high, "to": high if benefit else low}
        if kind == "points":
            row["points"] = round(data.draw(NUMBERS) + 1, 2)
        elif kind == "ranges":
            row["points"] = [1.5, round(data.draw(NUMBERS) + 2, 2)]
        elif kind == "order":
            row["rank"] = place + 1
        rows.append(row)
    stated = of(*rows)
    path = written(tmp_path_factory.mktemp("weights"), weights_text(stated))
    assert read_weights(path, CRITERIA) == stated
