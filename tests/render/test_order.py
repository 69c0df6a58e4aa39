"""Two ordered plans on a terminal: side by side, stacked, as plain lines; computed and quoted told apart."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from bcma_decide import Patient, compare
from bcma_decide.render.terminal.comparison import render_comparison
from bcma_decide.render.words import language
from bcma_decide.render.words import order as order_words
from tests.render.support.reading import DIRECTIVE, printed, words

PROFILES = {
    "neither": {"age": 70, "prior_lines": 5, "prior_bcma": "no"},
    "after ide-cel": {"age": 66, "prior_bcma_courses": ["car_t:14"], "exposed_to": ["idecabtagene vicleucel"]},
    "on teclistamab": {
        "prior_bcma_courses": ["bispecific:2"],
        "refractory_to": ["teclistamab"],
        "progression_on_bcma": "yes",
    },
}
EACH = pytest.mark.parametrize("name", PROFILES)


@pytest.fixture(scope="module")
def answers():
    return {name: compare(Patient(**profile), order=True) for name, profile in PROFILES.items()}


def part(comparison, width, **options):
    text = printed(lambda console: render_comparison(comparison, console, **options), width)
    return text[text.index("One after the other") :].partition("\nIn practice")[0]


@EACH
@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_console_and_no_word_tells_what_to_do(answers, name, width):
    text = part(answers[name], width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert DIRECTIVE.search(text) is None


def test_both_plans_stand_side_by_side_with_what_is_computed_and_what_is_published(answers):
    """CARTITUDE-2 cohort C: 12 of 20, 9.1 months (1.5 to not reached); Blood Adv 2024: 3.6 (1.4 to not reached)."""
    comparison = answers["neither"]
    table = part(comparison, 80).partition("\n\n")[0]
    lines = [" ".join(line.split()) for line in table.splitlines()]
    assert "CAR-T, then Bispecific Bispecific, then CAR-T" in lines
    first, second = (plan.steps for plan in comparison.order_of_therapies.plans)
    number = round(100 * first[1].response.mean)
    assert any(f"Response {number} of 100 (" in line and "published: 12 of 20 (60" in line for line in lines)
    fields = [field for row in order_words.rows(comparison, comparison.order_of_therapies) for field in row.fields]
    assert [field.lines for field in fields if field.kind == "published"] == [
        ("published: 12 of 20 (60 %)",),
        ("published: median 3.6 months (1.4 to not reached)",),
        ("published: median 9.1 months (1.5 to not reached)",),
    ]
    assert all("published" not in line for field in fields if field.kind == "computed" for line in field.lines)
    assert second[1].response.reason in words(part(comparison, 120))


def test_a_withheld_number_is_not_known_with_its_reason(answers):
    comparison = answers["on teclistamab"]
    order = comparison.order_of_therapies
    (row,) = (each for each in order_words.rows(comparison, order) if each.label == "Response")
    assert [field.kind for field in row.fields] == ["computed", "not_known"]
    assert "nobody reports a second one against the same target" in words(part(comparison, 80))


def test_few_patients_are_named_with_the_difference(answers):
    """FUMANBA-1: 9 of 12 patients with an earlier CAR-T; Blood Adv 2024;8:2207: 8.3 months (7.9 to not reached)."""
    text = words(part(answers["after ide-cel"], 80))
    assert "CAR-T (Ide-cel), given 14 months ago" in words(part(answers["after ide-cel"], 200))
    assert "CAR-T minus Bispecific: +" in text
    assert "12 published patients had this order" in text
    order = answers["after ide-cel"].order_of_therapies
    shown = {row.label: row.fields[0] for row in order_words.rows(answers["after ide-cel"], order)}
    assert (shown["Response"].kind, shown["Response"].beside) == ("computed", "published: 9 of 12 (75 %)")
    assert shown["Time without progression"].beside == "published: median 8.3 months (7.9 to not reached)"
    assert "Response to either" not in text


def test_from_the_decision_it_says_what_the_plans_are_counted_from(answers):
    comparison = answers["neither"]
    counted = "Both plans are counted from the infusion or the first dose."
    order = comparison.order_of_therapies
    assert counted not in order_words.remarks(comparison, order)
    assert counted in order_words.remarks(comparison.model_copy(update={"clock": "decision"}), order)


@EACH
def test_plain_lines_hold_every_field_evidence_and_finding(answers, name):
    comparison = answers[name]
    order = comparison.order_of_therapies
    text = printed(lambda console: render_comparison(comparison, console, plain=True), 80)
    lines = [line.split("\t") for line in text.splitlines() if line.startswith("order")]
    for row in order_words.rows(comparison, order):
        for plan, field in zip(order.plans, row.fields, strict=True):
            if field.lines:
                plan_name = order_words.plan_name(comparison, plan)
                assert any(
                    line[1] == plan_name and line[-len(field.all_lines) :] == [*field.all_lines] for line in lines
                )
    assert sum(line[0] == "order, published, not calculated" for line in lines) == len(order.evidence)
    assert sum(line[0] == "order, finding" for line in lines) == len(order.findings)


def test_the_words_are_there_in_german(answers):
    comparison = answers["neither"]
    with language.speaking("de"):
        shown = order_words.rows(comparison, comparison.order_of_therapies)
        assert order_words.title().startswith("Nacheinander")
    fields = [line for row in shown for field in row.fields for line in field.lines]
    assert "veröffentlicht: 12 von 20 (60 %)" in fields
    assert [row.label for row in shown if row.heads] == ["Erste Therapie", "Zweite Therapie"]
