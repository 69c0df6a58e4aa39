"""The way to the infusion: rows and waits that exist, reasons that add up, words as the sources have them."""

from __future__ import annotations

import json

import pytest

from bcma_decide.workshop.evidence.check import check
from bcma_decide.workshop.evidence.way_to_infusion import FILE, load_way
from tests.workshop.evidence.support.factory import shipped

WAIT = {"study": "cartitude-4", "what": "vein_to_vein_days"}
LEFT = {"study": "us-mmic-cilta-cel-2025", "list": "outcomes", "outcome": "apheresed_not_infused"}
REASONS = {
    "progression or death": 13,
    "failed manufacture": 3,
    "myelodysplastic syndrome": 1,
    "lung cancer": 1,
    "lost": 1,
}
WAY = {"option": "cilta-cel", "waits": [WAIT], "rows": [LEFT | {"reasons": REASONS}]}


def problems(root, *ways):
    (root / FILE).write_text(json.dumps({"ways": ways}), encoding="utf-8")
    return {(problem.file, problem.field): problem.message for problem in check(root)}


def test_a_sound_way(root):
    assert problems(root, WAY) == {}


def test_counts_and_waits_in_words(root):
    """Sidana 2025: 19 of 255 not infused, 13 of them for progression or death; CARTITUDE-4: 44 days, 25 to 127."""
    problems(root, WAY)
    (way,) = load_way(root, shipped())["ways"]
    (count,), (wait,) = way["counts"], way["waits"]
    assert (count["events"], count["n"]) == (19, 255)
    assert count["text"].startswith("19 of 255 (7 %); progression or death 13, failed manufacture 3, ")
    assert wait == {
        "days": 44.0,
        "range": [25.0, 127.0],
        "population": "CARTITUDE-4",
        "n": 176,
        "sources": ["cartitude-4:S16"],
    }


SLIPS = {
    "no such option": ({"option": "cilta"}, "option", "cilta is not an option of the model"),
    "not offered": ({"option": "eque-cel"}, "option", "eque-cel is not an option of the model"),
    "no such study": ({"waits": [WAIT | {"study": "cartitude"}]}, "waits[0].study", "there is no study cartitude"),
    "no such time": ({"before": [WAIT | {"what": "crs_onset_days"}]}, "before[0]", "0 times of cartitude-4 fit"),
    "another class": (
        {"option": "teclistamab", "rows": []},
        "waits[0].study",
        "cartitude-4 is not of class bite",
    ),
    "no such row": (
        {"rows": [LEFT | {"outcome": "orr", "list": "splits"}]},
        "rows[0]",
        "3 primary rows of ",
    ),
    "recalled row": (
        {"rows": [LEFT | {"study": "karmma", "outcome": "manufacturing_failure"}]},
        "rows[0]",
        "a recalled figure is not shown as published",
    ),
    "reasons do not add up": (
        {"rows": [LEFT | {"reasons": REASONS | {"lost": 2}}]},
        "rows[0].reasons",
        "add up to 20, the row has 19 events",
    ),
}


@pytest.mark.parametrize(("change", "field", "message"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named_with_its_field(root, change, field, message):
    assert problems(root, WAY | change)[FILE, f"ways[0].{field}"].startswith(message)


def test_each_option_has_one_entry(root):
    assert problems(root, WAY, WAY)[FILE, "ways[1].option"] == "cilta-cel stands there twice"


def test_a_slip_in_the_limits_hides_none_on_the_way(root):
    (root / "limits.yaml").write_text(json.dumps({"limits": [{"id": "x"}]}), encoding="utf-8")
    found = problems(root, WAY | {"option": "cilta"})
    assert {file for file, _ in found} == {"limits.yaml", FILE}
