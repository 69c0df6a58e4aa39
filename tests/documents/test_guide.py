"""The guide says what is true: values, tables and states agree with the files and the program, links lead somewhere."""

import json
import math
import re
from typing import get_args

import numpy as np
import pytest
import yaml

from bcma_decide import Patient, compare
from bcma_decide.errors import (
    EXIT_DIFFERS,
    EXIT_INVALID_INPUT,
    EXIT_NO_EVIDENCE,
    EXIT_NOT_REPEATABLE,
    EXIT_USAGE,
)
from bcma_decide.version import __version__
from bcma_decide.vocabulary import CLASSES, MODEL_TRAITS, InputState
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.totals import RULES
from bcma_decide.workshop.evidence_report.published import pool_outcome
from bcma_decide.workshop.validation import aims
from bcma_decide.workshop.validation import curve_scores as curves
from tests.documents.support.pages import (
    GUIDE,
    GUIDE_PAGES,
    PAGES,
    README,
    anchors,
    links,
    name_of,
    prose,
    table,
    text_of,
    without_code,
)
from tests.golden.profiles import comparisons
from tests.support.places import EVIDENCE, ROOT
from tests.support.rooms import GROUND, ROOMS

DIRECTIVE = re.compile(r"\b(should|best|recommended|recommend|safe|prefer)\b", re.IGNORECASE)
MACHINE = re.compile(r"(?<![\w.])/(work|tmp|home|root|Users|mnt)/")
MODEL, VALIDATION = GUIDE / "model.md", GUIDE / "validation.md"
ROWS = [
    ("response", "CAR-T", "orr", "class", "CAR-T"),
    ("response", "bispecific", "orr", "class", "Bispecific"),
    ("CR or better", "CAR-T", "cr_or_better", "class", "CAR-T"),
    ("CR or better", "bispecific", "cr_or_better", "class", "Bispecific"),
    ("response", "dual-target CAR-T", "orr", "target-number", "CAR-T, dual target"),
]


def inside(page):
    """Pages a page links to, with the targets that lead nowhere."""
    found, broken = [], []
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or not there.is_relative_to(ROOT) or (anchor and anchor not in anchors(there)):
            broken.append(target)
        else:
            found.append(there)
    return found, broken


def test_every_link_leads_somewhere():
    assert [(name_of(page), broken) for page in PAGES if (broken := inside(page)[1])] == []


def test_every_page_of_the_guide_is_reached_from_its_index():
    reached, waiting = set(), [GUIDE / "index.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page in GUIDE_PAGES:
            reached.add(page)
            waiting += inside(page)[0]
    assert reached == set(GUIDE_PAGES)


def test_no_page_tells_what_to_choose_or_names_a_machine():
    directive = [
        (name_of(page), found[0]) for page in (README, *GUIDE_PAGES) for found in DIRECTIVE.finditer(prose(page))
    ]
    assert directive == []
    assert [name_of(page) for page in PAGES if MACHINE.search(text_of(page))] == []


def test_the_pooled_evidence_is_called_no_model():
    wrong = re.compile(r"pooled model|model file|(?<!load_)\bpooled evidence (?:is|as) (?:a|the) model", re.IGNORECASE)
    assert [
        name_of(page) for page in PAGES if wrong.search(text_of(page).replace("no longer called a model", ""))
    ] == []


def judgements():
    """Every single value of assumptions.yaml by its dotted key; of a list by the number of its place, from 1."""

    def leaves(entry, path):
        if isinstance(entry, (int, float)) and not isinstance(entry, bool):
            yield ".".join(path[:-1] if path[-1] == "value" else path), entry
        elif isinstance(entry, (dict, list)):
            inner = entry.items() if isinstance(entry, dict) else enumerate(entry, start=1)
            for key, each in inner:
                yield from leaves(each, [*path, str(key)])

    return dict(leaves(yaml.safe_load((EVIDENCE / "assumptions.yaml").read_text(encoding="utf-8")), []))


def test_the_values_of_the_mathematics_are_those_of_the_evidence():
    listed = {
        without_code(key): float(value) for _, value, key in table(MODEL, "symbol", "value", "key in assumptions.yaml")
    }
    assert listed == judgements()


def test_the_effects_of_the_mathematics_are_those_of_the_pooled_file():
    pooled = json.loads((EVIDENCE / "pooled.json").read_text(encoding="utf-8"))["families"]["response"]
    variance = np.diag(np.reshape(pooled["covariance"], (len(pooled["effects"]), -1)))
    cells = {}
    for effect, v in zip(pooled["effects"], variance.tolist(), strict=True):
        ends = [math.exp(effect["mean"] + z * math.sqrt(v)) for z in (0.0, -1.959964, 1.959964)]
        words = "{:.2f} ({:.2f} to {:.2f})".format(*ends) + (", borrowed" if effect["borrowed"] else "")
        cells[effect["trait"], effect["class_id"]] = words
    expected = [
        [trait.label, *(cells.get((trait.id, class_id), "–") for class_id in CLASSES)]
        for trait in MODEL_TRAITS
        if any((trait.id, class_id) in cells for class_id in CLASSES)
    ]
    assert table(MODEL, "trait", "CAR-T", "bispecific") == expected


def test_the_table_beside_the_source_is_current():
    catalogue = load_catalogue()
    rows = table(
        VALIDATION, "outcome", "group", "source", "DL, source window", "REML, source window", "DL, all studies",
        "studies (window / all)",
    )  # fmt: skip
    assert [row[:2] for row in rows] == [[outcome, group] for outcome, group, *_ in ROWS]
    for (*_, outcome_id, by, name), (_, _, source, *cells, studies) in zip(ROWS, rows, strict=True):
        counts = []
        for (method, window), cell in zip((("DL", "source"), ("REML", "source"), ("DL", "all")), cells, strict=True):
            pooled = pool_outcome(catalogue, outcome_id, by=by, method=method, window=window)
            found = next(group for group in pooled.groups if group.group == name)
            low, high = found.ci
            assert cell == f"{100 * found.estimate:.1f} ({100 * low:.1f} to {100 * high:.1f})"
            counts.append(found.k)
            assert window == "all" or 100 * low < float(source) < 100 * high
        assert studies == f"{counts[0]} / {counts[2]}"


def test_the_aims_of_the_guide_are_those_of_the_validation():
    said = dict(table(VALIDATION, "aim", "at least or at most"))
    names = {"class_reml": "class REML", "product_reml": "product REML", "product_bayes": "product Bayes"}
    expected = {f"log score better than {names[key]}, a row": f"{least:.2f}" for key, least in aims.LOG_SCORE.items()}
    expected |= {f"Winkler score, of that of {names[key]}": f"{most:.2f}" for key, most in aims.WINKLER.items()}
    expected |= {
        f"coverage of {100 * level:.0f} % intervals": f"{100 * least:.0f} to {100 * most:.0f} %"
        for level, _, least, most in aims.COVERAGE
    }
    expected["calibration slope"] = "{:g} to {:g}".format(*aims.SLOPE)
    few = f"behind class pooling, in any outcome and class with {aims.FEWEST_STUDIES} or more studies"
    expected[few] = f"{100 * aims.BEHIND:g} points of mean error"
    error, year, width = (f"{100 * share:g} points" for share in (curves.ERROR, curves.YEAR_ERROR, curves.WIDTH))
    expected |= {
        f"curves (of the {curves.COMPARED}): error at printed times": (
            f"{error}, and below the product's and the class's mean"
        ),
        "curves: error at 12 months": year,
        f"curves: points inside intervals narrower than {width}": f"{40 * curves.INSIDE:g} of 40",
        "curves: interval score": "below that of the product's mean",
    }
    assert said == expected


def test_numbers_named_in_passing_are_current():
    profiles = sum(1 for _ in comparisons())
    for page in (VALIDATION, GUIDE / "glossary.md", ROOT / "tests" / "README.md"):
        assert f"{profiles} profiles" in text_of(page)
    assert f"one of the {len(MODEL_TRAITS)} characteristics" in text_of(GUIDE / "glossary.md")
    codes = [path.read_text(encoding="utf-8") for path in (EVIDENCE / "codes").glob("*.yaml")]
    ages = [int(age) for text in codes for age in re.findall(r"^ +max_age_days: (\d+)", text, re.MULTILINE)]
    assert f"from {min(ages)} to {max(ages)} days" in text_of(GUIDE / "records.md")


def test_states_rules_and_exit_codes_are_those_of_the_program():
    states = {without_code(state) for state, _ in table(GUIDE / "records.md", "state", "meaning")}
    assert states == set(get_args(InputState))
    assert [without_code(rule) for rule, _ in table(GUIDE / "evidence.md", "rule", "asks")] == list(RULES)
    codes = [code for code, _ in table(GUIDE / "reading.md", "exit code", "meaning")]
    expected = [0, EXIT_USAGE, EXIT_INVALID_INPUT, EXIT_NO_EVIDENCE, EXIT_DIFFERS, EXIT_NOT_REPEATABLE]
    assert [int(code) for cell in codes for code in cell.split(", ")] == expected


def test_every_option_is_named_where_the_json_is_explained():
    text = text_of(GUIDE / "reading.md")
    assert [option.id for option in compare(Patient()).options if f"`{option.id}`" not in text] == []


def test_a_word_has_one_meaning():
    words = re.findall(r"^\| ([^|]+?) \| [^|]+ \|$", text_of(GUIDE / "glossary.md"), re.MULTILINE)
    words = [word for word in words if word not in ("word", "---")]
    assert len(words) > 100
    assert sorted(words) == sorted(set(words))


def test_a_decision_has_the_same_four_headings():
    for page in (GUIDE / "decisions").glob("*.md"):
        headings = re.findall(r"^## (.+)$", text_of(page), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Rejected"], page.name


def test_the_map_of_the_package_has_every_room_in_its_order():
    rows = table(ROOT / "bcma_decide" / "README.md", "room", "what is there")
    named = [set(re.findall(r"`(\w+)/?`", cell)) for cell, _ in rows]
    assert named == [GROUND, ROOMS[1] | {"guide"}, *ROOMS[2:]]


def test_the_changelog_has_this_version_with_its_date_and_what_moved():
    text = text_of(ROOT / "CHANGELOG.md")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert sections[0].startswith("[Unreleased]")
    dated = [
        section for section in sections if re.match(rf"\[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d\n", section)
    ]
    assert len(dated) == 1
    assert all("### Numbers that moved" in section for section in sections[1:])


@pytest.mark.parametrize("form", ["number-looks-wrong", "rule-out-of-date", "bug"])
def test_an_issue_form_is_one(form):
    folder = ROOT / ".github" / "ISSUE_TEMPLATE"
    said = yaml.safe_load((folder / f"{form}.yml").read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(said)
    inputs = [part for part in said["body"] if part["type"] != "markdown"]
    assert {part["type"] for part in inputs} <= {"input", "textarea", "dropdown", "checkboxes"}
    assert len({part["id"] for part in inputs}) == len(inputs)
    assert all(part["attributes"]["label"] for part in inputs)
    assert any(part.get("validations", {}).get("required") for part in inputs)
