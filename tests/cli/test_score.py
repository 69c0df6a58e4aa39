"""``bcma-decide score``: the list, a definition, a patient's score, and what it refuses."""

import json
import re
import shlex
from functools import cache

import pytest
from rich.cells import cell_len

from bcma_decide.comparison import ScoreLine
from bcma_decide.pooled.definitions import shipped_definitions
from tests.cli.support.program import ESCAPE, completed, invoke, on_terminal
from tests.render.support.reading import DIRECTIVE, words
from tests.support.cases import for_each

BOOK = shipped_definitions().scores
SCORES = [score.about for score in BOOK.every()]
IDS = [about.id.replace("_", "-") for about in SCORES]
EVERY = for_each("about", SCORES, ids=IDS)


@cache
def shown(*arguments, **changes):
    """What the command prints."""
    result = invoke("score", *arguments, **changes)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def line(*arguments, **more):
    """The score the command prints as JSON."""
    return ScoreLine.model_validate_json(shown(*arguments, "--json", **more))


def letters(text):
    """Everything printed but blanks and drawn lines, in no order: what wrapping leaves alone."""
    return sorted("".join(text.replace("─", "").split()))


# The list


def test_without_a_name_it_lists_all_with_their_names_and_purposes():
    text = shown(COLUMNS="120")
    assert re.findall(r"^[a-z]\S*", text, re.MULTILINE) == IDS
    for about in SCORES:
        assert f"{about.name}: {about.purpose}".replace(" ", "") in "".join(text.split())


def test_the_list_as_json():
    rows = json.loads(shown("--json"))
    assert rows == [{"id": about.id, "name": about.name, "purpose": about.purpose} for about in SCORES]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_list_fits_and_nothing_of_it_is_cut(width):
    text = shown(COLUMNS=str(width))
    assert max(map(cell_len, text.splitlines())) <= width
    assert letters(text) == letters(shown(COLUMNS="140"))


# A definition


@EVERY
def test_without_a_patient_it_prints_what_the_score_is_and_where_it_stops(about):
    text = words(shown(about.id, COLUMNS="140"))
    squeezed = text.replace(" ", "")
    for said in (about.name, about.text, about.purpose, about.measured_at, about.validation, about.limits, about.note):
        assert "".join(said.split()) in squeezed
    for key in about.sources:
        assert "".join(BOOK.sources[key].citation.split()) in squeezed
    assert "Needs " in text


@for_each(("name", "width"), [*((about.id, 60) for about in SCORES), ("car_hematotox", 80), ("car_hematotox", 120)])
def test_a_definition_fits_and_nothing_of_it_is_cut(name, width):
    text = shown(name, COLUMNS=str(width))
    assert max(map(cell_len, text.splitlines())) <= width
    assert letters(text) == letters(shown(name, COLUMNS="140"))


@EVERY
def test_its_own_words_tell_nobody_what_to_do(about):
    assert DIRECTIVE.findall(shown(about.id, COLUMNS="140").partition("Sources\n")[0]) == []


@pytest.mark.parametrize("spelling", ["car-hematotox", "car_hematotox", "CAR-HEMATOTOX", "Car_Hematotox"])
def test_hyphens_underscores_and_capitals(spelling):
    assert shown(spelling) == shown("car-hematotox")


# A patient


def test_an_example_patient():
    """Platelets of 160 give the one point; nothing else of her counts."""
    found = line("car-hematotox", "--example", "renal-74")
    assert (found.low, found.high, found.highest, found.group) == (1, 1, 7, "low")
    text = shown("car-hematotox", "--example", "renal-74")
    assert text.startswith("CAR-HEMATOTOX: 1 of 7: low\n")
    assert "platelets 160 10^9/L: 1 point\n" in text
    assert "haemoglobin 10.1 g/dL: 0 points\n" in text
    assert "Needs" not in text


def test_options_and_what_is_missing():
    """Platelets below 75 give 2, neutrophils and CRP 1 each; haemoglobin and ferritin may add 3."""
    arguments = ("car-hematotox", "--platelets", "71 10^9/L", "--neutrophils", "1.1 10^9/L", "--crp", "64 mg/L")
    found = line(*arguments)
    assert (found.low, found.high, found.group, found.needs) == (4, 7, "high", ("haemoglobin", "ferritin"))
    text = shown(*arguments)
    assert text.startswith("CAR-HEMATOTOX: 4 to 7 of 7: high\n")
    assert "Needs haemoglobin, ferritin.\n" in text
    assert "ferritin not known: 0 to 2 points\n" in text


def test_a_category_that_may_change_is_not_told():
    text = shown("simplified-frailty", "--age", "75", "--ecog", "1")
    assert text.startswith("Simplified frailty index: 1 to 2 of 5: not frail or frail, not settled\n")


def test_an_option_over_an_example_a_file_and_standard_input(tmp_path):
    profile = tmp_path / "patient.yaml"
    profile.write_text("age: 60\nsex: male\nweight: 80 kg\ncreatinine: 1.2 mg/dL\n")
    assert line("cockcroft-gault", "--profile", profile).low == pytest.approx(74.1, abs=0.05)
    piped = line("cockcroft-gault", "-p", "-", "--creatinine", "1 mg/dL", given=profile.read_text())
    assert piped.low == pytest.approx(88.9, abs=0.05)
    assert line("simplified-frailty", "--example", "renal-74", "--age", "81", "--charlson", "0").low == 3


def test_a_formula_prints_its_value_with_its_unit_or_that_there_is_none():
    known = ("cockcroft-gault", "--age", "60", "--weight", "80 kg", "--creatinine", "1.0 mg/dL")
    assert shown(*known, "--sex", "male").startswith("Cockcroft-Gault: 88.9 mL/min\n")
    assert shown(*known).startswith("Cockcroft-Gault: 75.6 to 88.9 mL/min\nNeeds sex.\n")
    assert shown(*known[:3]).startswith("Cockcroft-Gault: cannot be worked out\n")
    assert line(*known, "--dialysis", "yes").low is None


def test_the_keys_of_the_json():
    document = json.loads(shown("mycare", "--example", "fit-58", "--json"))
    assert list(document) == list(ScoreLine.__struct_fields__)
    assert document["items"][0].keys() == {"label", "text", "points", "missing"}
    assert document["applies_to"] == ["car_t"]


def test_on_a_terminal_it_is_the_same_text():
    code, seen = on_terminal("score", "mycare", "--example", "fit-58", width=80)
    assert code == 0
    assert ESCAPE.sub("", seen) == shown("mycare", "--example", "fit-58")


# What it refuses


@pytest.mark.parametrize(
    ("name", "hint"),
    [("car-hematotx", "did you mean 'car-hematotox'?"), ("R-IS", "did you mean 'r-iss'?"), ("mood", "one of ecog")],
)
def test_an_unknown_name_is_a_usage_error_with_a_suggestion(name, hint):
    result = invoke("score", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{name!r} is not a score; {hint}" in words(result.stderr.replace("│", " ").replace("_", "-"))


@for_each(
    ("arguments", "code", "message"),
    [
        (("--crp", "64"), 3, "crp: '64' has no unit; use mg/dL or mg/L"),
        (("--example", "nobody"), 3, "is not an example"),
        (("--profile", "nowhere.yaml"), 3, "nowhere.yaml"),
        (("--evidence", "/nowhere"), 4, "/nowhere"),
        (("--mood", "good"), 2, "--mood"),
    ],
)
def test_what_cannot_be_used(arguments, code, message):
    result = invoke("score", "car-hematotox", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in words(result.stderr.replace("│", " "))


# Help and completion


def test_the_help_explains_and_its_example_works():
    text = words(invoke("score", "--help", COLUMNS="300").stdout.replace("│", " "))
    assert "Without a patient it prints the definition" in text
    example = re.search(r"Example: bcma-decide score (car-hematotox .*?mg/L\")", text)[1]
    assert "4 to 7 of 7: high" in shown(*shlex.split(example))


@pytest.mark.parametrize(
    ("typed", "expected"), [("bcma-decide score ", IDS), ("bcma-decide score ck", ["ckd-epi-2021"])]
)
def test_the_shell_completes_names(typed, expected):
    assert completed(typed) == expected
