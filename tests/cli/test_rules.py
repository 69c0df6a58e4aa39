"""``bcma-decide rules``, and the region and day of ``bcma-decide compare``."""

import json
import shutil
from functools import cache

import pytest
from rich.cells import cell_len

from bcma_decide import load_model
from bcma_decide.comparison import Comparison
from bcma_decide.pooled.location import evidence_directory
from tests.cli.support.program import completed, invoke
from tests.render.support.reading import DIRECTIVE, words
from tests.support.cases import for_each

BOOK = load_model().rules
RULES = {rule.id: rule for rule in BOOK.rules}
PRODUCTS = {product.id: product for product in BOOK.products}
TOPICS = list(dict.fromkeys(rule.topic for rule in BOOK.rules))
WIDTHS = pytest.mark.parametrize("width", [60, 80, 120])


@cache
def shown(*arguments, **changes):
    """What the command prints."""
    result = invoke("rules", *arguments, **changes)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def listed(*filters):
    """Ids of the rules a filter leaves."""
    return [rule["id"] for rule in json.loads(shown("list", *filters, "--json"))]


def refused(*arguments):
    """The message of a usage error, on one line."""
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    return words(result.stderr.replace("│", " "))


def squeezed(text):
    """The text without blanks and drawn lines: what wrapping leaves alone where nothing stands beside it."""
    return "".join(text.replace("─", "").split())


# List


def test_all_rules_are_listed_by_topic_with_their_conditions():
    text = shown("list", COLUMNS="140")
    for rule in json.loads(shown("list", "--json")):
        assert squeezed(f"{rule['id']}: {rule['severity']}") in squeezed(text)
        assert squeezed(rule["condition"]) in squeezed(text)
    assert listed() == list(RULES)
    assert text.endswith(f"{len(RULES)} of {len(RULES)} rules; details: bcma-decide rules show ID\n")
    assert [line.split()[1] for line in text.splitlines() if line.startswith("──")] == TOPICS


@pytest.mark.parametrize(
    ("option", "key", "values"),
    [
        ("--topic", "topic", TOPICS),
        ("--severity", "severity", ["contraindication", "caution", "information"]),
        ("--basis", "basis", ["verified", "derived", "recalled"]),
    ],
)
def test_a_filter_divides_the_rules(option, key, values):
    parts = {value: listed(option, value) for value in values}
    assert all(getattr(RULES[name], key) == value for value, names in parts.items() for name in names)
    assert sorted(name for names in parts.values() for name in names) == sorted(RULES)


def test_a_class_has_its_own_rules_and_those_of_both():
    car_t, bite = (set(listed("--class", class_id)) for class_id in ("car_t", "bite"))
    assert car_t | bite == set(RULES)
    assert car_t & bite == {name for name, rule in RULES.items() if rule.class_id == "any"}


def test_filters_add_up():
    filters = ("--class", "bite", "--severity", "contraindication", "--topic", "infection", "--basis", "verified")
    pairs = [filters[i : i + 2] for i in range(0, len(filters), 2)]
    assert set(listed(*filters)) == set.intersection(*(set(listed(*pair)) for pair in pairs))
    assert f"{len(listed(*filters))} of {len(RULES)} rules" in shown("list", *filters)


def test_of_recalled_rules_none_is_a_contraindication():
    assert listed("--severity", "contraindication", "--basis", "recalled") == []
    assert shown("list", "--severity", "contraindication", "--basis", "recalled").startswith("0 of ")


@WIDTHS
def test_the_list_fits_and_nothing_of_it_is_cut(width):
    text = shown("list", COLUMNS=str(width))
    assert max(map(cell_len, text.splitlines())) <= width
    assert sorted(squeezed(text)) == sorted(squeezed(shown("list", COLUMNS="140")))


def test_a_filter_that_does_not_exist_names_those_that_do():
    assert all(topic in refused("rules", "list", "--topic", "kidny") for topic in TOPICS)
    assert "contraindication" in refused("rules", "list", "--severity", "mild")
    assert "recalled" in refused("rules", "list", "--basis", "sure")
    assert "bite" in refused("rules", "list", "--class", "adc")


# Show

A_RULE = "kidney.fludarabine-30-to-49"
A_REGIONAL_RULE = "practical.near-centre-car-t-us"


@pytest.mark.parametrize("name", [A_RULE, A_REGIONAL_RULE, "infection.active-infection-car-t"])
def test_a_rule_with_everything_behind_it(name):
    rule, text = RULES[name], squeezed(shown("show", name, COLUMNS="140"))
    for said in (rule.id, rule.text, rule.note, rule.severity, rule.basis, rule.date, rule.since or "", *rule.products):
        assert squeezed(said) in text
    for key in rule.sources:
        assert squeezed(f"{key}: {BOOK.sources[key].citation}") in text
        assert squeezed(BOOK.sources[key].url or "") in text


def test_a_rule_says_its_condition_and_when_it_is_in_force():
    """The law on staying near the centre changed in the USA on 26 June 2025."""
    assert "creatinine clearance at least 30 and below 50 mL/min" in words(shown("show", A_RULE))
    assert "In force from 2025-06-26" in words(shown("show", A_REGIONAL_RULE))
    assert "CAR-T, US" in shown("show", A_REGIONAL_RULE)


@for_each("name", PRODUCTS)
def test_a_product_with_its_labels_facts_and_sources(name):
    product, text = PRODUCTS[name], squeezed(shown("show", name, COLUMNS="140"))
    assert squeezed(f"{product.id}: {product.inn}") in text
    for label in product.indications:
        for said in (label.region, label.regimen, label.since or "", label.until or "", label.note):
            assert squeezed(said) in text
        assert all(squeezed(item.text) in text for item in label.items)


@for_each("name", PRODUCTS)
def test_every_fact_of_a_product_and_its_class_is_shown(name):
    text = squeezed(shown("show", name, COLUMNS="140"))
    facts = (*PRODUCTS[name].facts, *BOOK.class_facts[PRODUCTS[name].class_id])
    assert [fact.text for fact in facts if squeezed(fact.text) not in text] == []


def test_every_fact_that_is_shown_has_its_source_below():
    for product in PRODUCTS.values():
        text = squeezed(shown("show", product.id, COLUMNS="140"))
        sources = {fact.source for fact in (*product.facts, *BOOK.class_facts[product.class_id]) if fact.source}
        assert {key for key in sources if f"{key}:" not in text} == set(), product.id


@for_each(
    ("name", "width"),
    [*((name, 60) for name in (A_RULE, *PRODUCTS)), (A_RULE, 80), ("cilta-cel", 80), ("cilta-cel", 120)],
)
def test_what_is_shown_fits_and_nothing_of_it_is_cut(name, width):
    text = shown("show", name, COLUMNS=str(width))
    assert max(map(cell_len, text.splitlines())) <= width
    assert sorted(squeezed(text)) == sorted(squeezed(shown("show", name, COLUMNS="140")))


@for_each("name", [A_RULE, *PRODUCTS])
def test_nothing_that_is_shown_tells_the_reader_what_to_do_or_prints_a_blank_as_a_word(name):
    text = shown("show", name, COLUMNS="140").partition("Sources\n")[0]
    assert DIRECTIVE.findall(text) == []
    assert not {"None", "True", "False"} & set(text.replace(",", " ").split())


def test_a_rule_and_a_product_as_json():
    rule = json.loads(shown("show", A_RULE, "--json"))
    assert {"id", "topic", "when", "class_id", "severity", "origin", "text", "basis", "sources", "date", "products",
            "short", "phase", "state",
            "region", "since", "until", "note", "condition"} == rule.keys()  # fmt: skip
    assert rule["when"] == {"trait": "creatinine_clearance", "at_least": 30, "below": 50, "unit": "mL/min"}
    product = json.loads(shown("show", "cilta-cel", "--json"))
    assert {"id", "inn", "brand", "class_id", "indications", "facts"} == product.keys()
    assert {"US", "EU"} <= {label["region"] for label in product["indications"]}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("kidney.fludarabine-below-3", "did you mean 'kidney.fludarabine-below-30'?"),
        ("cilta-cell", "did you mean 'cilta-cel'?"),
        ("mood", "see: bcma-decide rules list"),
    ],
)
def test_an_unknown_id_is_a_usage_error_with_a_suggestion(name, hint):
    assert f"{name!r} is neither a rule nor a product; {hint}" in refused("rules", "show", name)


# Check


@pytest.fixture
def copy(tmp_path):
    """The files the check reads, to be broken."""
    source = evidence_directory()
    for name in (
        "contradictions.yaml",
        "definitions.yaml",
        "laboratory_variation.yaml",
        "scores.yaml",
        "products.yaml",
    ):
        shutil.copy(source / name, tmp_path / name)
    shutil.copytree(source / "rules", tmp_path / "rules")
    return tmp_path


def test_the_shipped_rules_are_sound():
    text = shown("check")
    assert text.startswith(f"The rules are sound: {len(RULES)} rules (")
    assert text.endswith(f"of {len(PRODUCTS)} products.\n")
    assert json.loads(shown("check", "--json")) == []


def test_an_intact_copy_is_sound_too(copy):
    assert shown("check", "--evidence", copy) == shown("check")


def problem_found(copy, file, old, new):
    """The one problem of a copy with a slip in it, as text and as JSON."""
    path = copy / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    result = invoke("rules", "check", "--evidence", copy)
    as_json = invoke("rules", "check", "--evidence", copy, "--json")
    assert (result.exit_code, as_json.exit_code) == (3, 3)
    (problem,) = json.loads(as_json.stdout)
    assert problem.keys() == {"field", "message", "fix", "file"}
    assert problem["file"].endswith(file)
    assert problem["message"] in result.stdout
    return result.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("rules/kidney.yaml", "products: [cilta-cel]", "products: [cilta-cell]",
         "kidney.clearance-below-40-cilta-cel: 'cilta-cell' is not a product of products.yaml"),
        ("rules/kidney.yaml", "[fludara-label-us,", "[fludara,",
         "kidney.fludarabine-below-30: source 'fludara' is not listed in sources.yaml"),
        ("rules/kidney.yaml", "    date: 2026-07\n", "    date: 2026-07\n    since: 2025-06\n    until: 2024-06\n",
         "kidney.fludarabine-below-30: runs from 2025-06 to 2024-06"),
        ("rules/kidney.yaml", "kidney.dialysis-bispecific", "sequence.dialysis-bispecific",
         "sequence.dialysis-bispecific: its id begins with its topic: kidney."),
        ("products.yaml", "region: US", "region: [", "products.yaml"),
        ("products.yaml", "region: US", "regio: US", "regio"),
    ],
)  # fmt: skip
def test_a_slip_is_found_with_its_file_and_rule(copy, file, old, new, message):
    assert message in problem_found(copy, file, old, new)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\n    when: {trait: dialysis,", "\n    when: {trait: dialisis,", "did you mean 'dialysis'?"),
        ("\n    when:", "\n    mood: good\n    when:", "mood"),
    ],
)
def test_a_slip_in_the_shape_of_a_rule_names_the_rule_too(copy, old, new, message):
    name = "kidney.dialysis-car-t"
    found = problem_found(
        copy, "rules/kidney.yaml", f"id: {name}\n    state: dialysis{old}", f"id: {name}\n    state: dialysis{new}"
    )
    assert message in found
    assert name in found


def test_rules_that_are_not_there(tmp_path):
    result = invoke("rules", "check", "--evidence", tmp_path)
    assert result.exit_code == 3
    assert "Traceback" not in result.output


# Region and day of a comparison


def compared(*arguments):
    result = invoke("compare", "--example", "renal-74", *arguments, "--json")
    assert result.exit_code == 0
    return Comparison.model_validate_json(result.stdout)


def test_region_and_day_are_taken():
    found = compared("--region", "EU", "--date", "2024-01-15")
    assert (found.labels.region, found.labels.date) == ("EU", "2024-01-15")
    assert {(label.region, label.date) for label in found.indications.values()} == {("EU", "2024-01-15")}
    text = invoke("compare", "--example", "renal-74", "--region", "EU", "--date", "2024-01-15", "--labels").stdout
    assert "Labels: EU on 2024-01-15" in text


def test_left_out_it_is_the_usa_on_the_day_of_the_evidence():
    found = compared()
    assert (found.labels.region, found.labels.date) == ("US", found.evidence.date)


@pytest.mark.parametrize(("region", "hint"), [("Chinaa", "did you mean 'China'?"), ("Mars", "one of US, EU, China")])
def test_a_region_without_a_label_is_refused_with_a_suggestion(region, hint):
    result = invoke("compare", "--example", "fit-58", "--region", region)
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"{region!r} has no label here ({hint}" in result.stderr


@for_each("day", ["2024-13-15", "2024-02-30", "32.1.2024", "yesterday", ""])
def test_what_is_no_day_is_a_usage_error(day):
    assert f"{day!r} is not a day" in refused("compare", "--example", "fit-58", "--date", day)


# Help and completion


@for_each(
    ("path", "said"),
    [
        (("rules",), ["the rules, labels and practical facts behind the findings"]),
        (("rules", "list"), ["id, rank, whom they concern, the condition", "such as kidney"]),
        (("rules", "show"), ["one product with its labels by region and date"]),
        (("rules", "check"), ["list what is wrong and end with code 3 if anything is"]),
        (("compare",), ["Example: bcma-decide compare", "Whose labels to judge", "the date of the evidence"]),
    ],
)
def test_the_help_gives_an_example_or_explains(path, said):
    text = words(invoke(*path, "--help", COLUMNS="200").stdout.replace("│", " "))
    assert [each for each in said if each not in text] == []


def test_alone_it_shows_its_help():
    result = invoke("rules")
    assert "List, show and check the rules" in words(result.output)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("bcma-decide rules show kidney.dialysis-", ["kidney.dialysis-car-t", "kidney.dialysis-bispecific"]),
        ("bcma-decide compare --region ", ["US", "EU", "China"]),
    ],
)
def test_the_shell_completes(typed, expected):
    assert completed(typed) == expected
