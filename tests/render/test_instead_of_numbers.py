"""Every face alike: the mean of every estimate; published figures instead of a number that is withheld; marks.

A withheld value is checked as a property: nothing is in its place but what was published, whichever class it is.
"""

import re
from functools import cache, partial
from itertools import product
from uuid import UUID

import pytest

from bcma_decide import Patient, compare
from bcma_decide.behind import Move
from bcma_decide.comparing.compare import load_pooled
from bcma_decide.comparison import Estimate, PublishedFigure, result_hash
from bcma_decide.fhir.writing.bundle import fhir_bundle
from bcma_decide.guide import find
from bcma_decide.patient.files import example_names
from bcma_decide.render.sheet.html import render_html
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.render.terminal.comparison import render_comparison, render_explanation
from bcma_decide.render.words import published, sentences, wording
from bcma_decide.service.hooks.cards import CardContext, card_of
from bcma_decide.vocabulary import CLASSES
from tests.fhir.writing.support.written import RECORDED
from tests.render.support import factory
from tests.render.support.reading import DIRECTIVE, GERMAN_DIRECTIVE, printed, words
from tests.render.support.sheets import FACTORY, LITTLE_KNOWN, example
from tests.support import parsed_once
from tests.support.cases import for_each

RESPONSE = ("orr", "vgpr_or_better", "cr_or_better")
HIDDEN = {"low": 0.137, "high": 0.986}
"""What an unknown trait would make of a number that is withheld: 14 and 99 of 100, printed by nothing else here."""
MEDIAN = re.compile(
    r"\bmedian\b(?! follow-up| \d| time|;|, months)|typical centre|\bMedian(wert)?\b|typisch\w* Zentrum"
)
"""The words of the headline before it was a mean; a published median of months is no headline."""


def terminal(value, width=120, **options):
    return words(printed(lambda console: render_comparison(value, console, **options), width))


def plain(value):
    text = printed(lambda console: render_comparison(value, console, products=True, plain=True), 80)
    return [line.split("\t") for line in text.splitlines()]


def explained(value, outcome="orr", **options):
    return words(printed(lambda console: render_explanation(value, outcome, console, **options), 120))


def document(value, audience="clinician", **sheet):
    return parsed_once.page(render_html(value, Sheet(audience=audience, **sheet)), strict=True)


def said(node):
    return words(node.to_text(separator=" "))


def card(value, url=None):
    return card_of(value, CardContext(UUID(int=5), url), result_hash(value))


def detail(value):
    return re.sub(r"\\(.)", r"\1", card(value)["detail"])


def fhir(value):
    return fhir_bundle(value, load_pooled().codes, recorded=RECORDED)


def texts(value):
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in texts(each)]


def every_face(value):
    """All text of all faces by name."""
    return {
        "terminal 80": terminal(value, 80, products=True, sources=True),
        "terminal 120": terminal(value, 120, products=True),
        "stacked": terminal(value, 50, products=True),
        "plain": words(" ".join(" ".join(line) for line in plain(value))),
        "explained": explained(value, products=True),
        "sheet": said(document(value)),
        "patient": said(document(value, "patient")),
        "patient, German": said(document(value, "patient", language="de")),
        "card": detail(value),
        "FHIR": words(" ".join(texts(fhir(value)))),
    }


@cache
def withheld(class_id):
    """The hand-made value with a class's response withheld, though a trait would move what is not shown."""
    value = factory.with_withheld(class_id)
    move = Move(outcome="orr", option=class_id, low_when="present", high_when="absent", unstable=True, **HIDDEN)
    unknown = value.unknowns[0].model_copy(update={"moves": (move,)})
    return value.model_copy(update={"unknowns": (unknown,)})


# the mean


@for_each("name", example_names())
def test_every_number_of_every_example_stands_with_its_mean(name):
    value = example(name)
    rows = {tuple(line[1:3]): line for line in plain(value) if line[0] in ("estimate", "further product of the class")}
    for outcome in value.outcomes:
        for option in value.options:
            estimate = outcome.estimates[option.id]
            if wording.has_number(estimate):
                assert rows[outcome.label, option.label][3] == wording.count(estimate.mean)


def test_a_trait_that_decides_stands_beside_the_mean_and_never_instead_of_it():
    """Some example has one; its cell shows the mean with its interval first, then what each answer would give."""
    decided = 0
    for value in map(example, example_names()):
        rows = document(value).query("table.sheet-table tbody tr")
        for outcome, option in product(value.outcomes, value.options[:2]):
            moves = [
                move
                for unknown in value.unknowns
                for move in unknown.moves
                if move.unstable and (move.outcome, move.option) == (outcome.id, option.id)
            ]
            shown = [row for row in rows if re.search(rf"\d {re.escape(outcome.label)}", said(row))]
            if moves and shown:
                widest = max(moves, key=lambda move: move.high - move.low)
                cell = said(shown[0].query(f'td[data-label="{option.label}"]')[0])
                mean, interval = wording.count(outcome.estimates[option.id].mean), outcome.estimates[option.id].credible
                assert cell.startswith(f"{mean} ({wording.interval(interval)})")
                assert f"{wording.count(widest.low)} if {widest.low_when}, {wording.count(widest.high)} if" in cell
                decided += 1
        if decided > 3:
            return
    assert decided


@for_each("name", [LITTLE_KNOWN, FACTORY])
def test_no_face_calls_the_headline_a_median_or_a_typical_centre(name):
    value = example(name)
    legend = sentences.legend(value, value.options)[0]
    assert "average (mean) over centres and over everything not known of the patient" in legend
    assert "not which patient this is" in legend
    shown = (
        terminal(value).partition("Side by side")[2].partition("Published, not calculated")[0],
        explained(value),
        said(document(value, "patient")),
        said(document(value, "patient", language="de")),
        *map(said, document(value).query("#numbers ~ table caption, #icons ~ p, #method ~ p")),
    )
    for text in shown:
        assert MEDIAN.findall(text) == []


# withheld


@pytest.mark.parametrize("class_id", CLASSES)
def test_every_face_says_that_a_number_is_withheld_why_and_what_was_published(class_id):
    value = withheld(class_id)
    reason = factory.WITHHELD.reason.rstrip(".")
    for face, text in every_face(value).items():
        assert "4 of 12" in text or "4 von 12" in text, face
        if "patient" in face:
            assert "We give no number." in text or "Wir nennen keine Zahl." in text
            assert "10.1000/example.2024.0001" in text
            assert reason not in text
        else:
            assert f"number withheld: {reason}" in text, face
            assert "Time without progression, median 1.7 months" in text, face
            assert "example-2024" in text or "10.1000/example.2024.0001" in text, face


def digits(text):
    return set(re.findall(r"\d+", text))


PUBLISHED_DIGITS = {"4", "12", "33", "100", "1", "7", "10", "1000", "2024", "0001"}
"""Counts, shares (of 100) and months of the published figures, and their sources."""


@pytest.mark.parametrize("class_id", CLASSES)
def test_nothing_but_published_figures_stands_in_the_place_of_a_number(class_id):
    value = withheld(class_id)
    alone = value.model_copy(
        update={
            "options": tuple(option for option in value.options if option.class_id == class_id),
            "outcomes": tuple(outcome for outcome in value.outcomes if outcome.id in RESPONSE),
            "findings": (),
        }
    )
    labels = {option.label for option in alone.options}
    named = digits(" ".join(reference.citation for reference in value.references))
    for line in plain(value):
        if len(line) > 2 and line[2] in labels and line[1] in {outcome.label for outcome in alone.outcomes}:
            assert line[0] in ("estimate", "published")
            assert digits(" ".join(line[3:])) <= PUBLISHED_DIGITS
    for width in (50, 80, 120):
        text = printed(lambda console: render_comparison(alone, console, products=True), width)
        numbers = text.partition("Side by side")[2].partition("Published, not calculated")[0]
        table = re.sub(r"Of 100 patients|\b0 +100\b|xCD3", "", numbers.partition("Number: of 100")[0])
        assert digits(table) <= PUBLISHED_DIGITS, width
    label = next(option.label for option in value.options if option.id == class_id)
    for audience, cells in (("clinician", f'td[data-label="{label}"]'), ("patient", "td.cell")):
        rows = document(value, audience, rows=("orr",) if audience == "patient" else RESPONSE)
        shown = [said(cell) for cell in rows.query(cells) if "no number" in said(cell) or "withheld" in said(cell)]
        assert shown
        for text in shown:
            assert digits(text) <= PUBLISHED_DIGITS | named, text


@pytest.mark.parametrize("class_id", CLASSES)
def test_what_a_trait_would_make_of_a_withheld_number_is_said_nowhere(class_id):
    value = withheld(class_id)
    shown = {face: text for face, text in every_face(value).items() if re.search(r"\b14 if|\b99 if|14 of 100", text)}
    assert shown == {}
    bare = factory.with_withheld(class_id)
    move = value.unknowns[0].moves[0].model_copy(update={"option": next(c for c in CLASSES if c != class_id)})
    other = bare.model_copy(update={"unknowns": (value.unknowns[0].model_copy(update={"moves": (move,)}),)})
    assert "14 of 100 if present, 99 if absent" in terminal(other)  # the same move of a number that is shown


def test_both_classes_are_treated_alike():
    """The same words and elements in the place of the number, whichever class it is withheld for."""
    told = {}
    for class_id in CLASSES:
        value = withheld(class_id)
        label = {option.id: option.label for option in value.options}[class_id]
        cells = document(value, rows=RESPONSE).query(f'table.sheet-table td[data-label="{label}"]')
        patient = document(value, "patient").query("td.cell")[CLASSES.index(class_id)]
        notes = next(each for each in published.withheld_lines(value.outcomes, value.options[:2]))
        lines = [line[3:] for line in plain(value) if line[:3] == ["estimate", "Response (PR or better)", label]]
        told[class_id] = (
            [(said(cell), [each.name for each in cell.query("*")]) for cell in cells[:3]],
            (said(patient), [each.name for each in patient.query("p")]),
            notes.removeprefix(label),
            lines,
        )
    assert told["car_t"] == told["bite"]


def test_without_a_published_figure_the_faces_say_so():
    estimate = Estimate(state="withheld", reason="Nobody like this was studied.", sources=("label-2024",))
    assert published.without_number(estimate) == (
        "number withheld: Nobody like this was studied (source: label-2024). No published figure was seen"
    )


def test_the_limits_of_the_evidence_reach_every_face():
    """Plasma cell leukaemia: 15 of 45 and 6 of 13 responded to bispecifics in the one series (limits.yaml)."""
    value = compare(Patient(age=66, plasma_cell_leukemia="yes"))
    assert {value.outcomes[0].estimates[each].state for each in CLASSES} == {"withheld"}
    for face, text in every_face(value).items():
        assert re.search(r"15 (of|von) 45", text), face
        assert re.search(r"6 (of|von) 13", text), face
    assert DIRECTIVE.findall(terminal(value).partition("Side by side")[2].partition("In practice")[0]) == []
    assert GERMAN_DIRECTIVE.findall(said(document(value, "patient", language="de").query("table.numbers")[0])) == []


@for_each(
    ("changes", "expected"),
    [
        ({"events": 6, "n": 13}, "6 of 13 (46 %)"),
        ({"events": 0, "n": 13}, "0 of 13 (0 %)"),
        ({"events": 13, "n": 13}, "13 of 13 (100 %)"),
        ({"events": 1, "n": 400}, "1 of 400 (<1 %)"),
        ({"rate": 0.33}, "33 %"),
        ({"rate": 0.0}, "0 %"),
        ({}, ""),
    ],
)
def test_counts_as_published(changes, expected):
    figure = PublishedFigure(text="one centre", outcome="orr", **changes)
    assert published.counts(figure) == expected
    line = published.figure_text(figure)
    assert line == (
        f"Response (PR or better), one centre: {expected}" if expected else "Response (PR or better), one centre"
    )


def test_a_figure_that_says_its_counts_itself_does_not_say_them_twice():
    figure = PublishedFigure(text="Response (PR or better): 6 of 13 (46 %)", outcome="orr", events=6, n=13)
    assert published.figure_text(figure) == "Response (PR or better): 6 of 13 (46 %)"
    other = figure.model_copy(update={"text": "Response (PR or better), 16 of 13 centres"})
    assert published.figure_text(other) == "Response (PR or better), 16 of 13 centres: 6 of 13 (46 %)"


# a further product, and what no trait moves


def test_a_further_product_never_looks_like_the_products_own_number():
    value = factory.comparison()
    own, further = (
        next(line for line in plain(value) if line[1:3] == ["CRS, any grade", label]) for label in ("CAR-T", "ide-cel")
    )
    assert (own[0], further[0]) == ("estimate", "further product of the class")
    table = printed(lambda console: render_comparison(value, console, products=True), 80)
    assert re.search(r"CRS, any grade\S* +not reported +further product\n +85 \(76 to 91\)", table)
    cells = document(value).query("td.further")
    assert [said(cell).startswith("further product of the class 85 of 100") for cell in cells][:1] == [True]
    assert len(cells) == 2
    stacked = terminal(value, 50, products=True)
    assert "ide-cel, a further product: 85 of 100" in stacked
    prediction = next(
        prediction
        for entry in fhir(value)["entry"]
        if entry["resource"].get("code", {}).get("coding", [{}])[0].get("code") == "ide_cel"
        for prediction in entry["resource"]["prediction"]
        if prediction["outcome"]["coding"][0]["code"] == "crs_any"
    )
    assert "with a further product of the class (ide-cel has no counts of its own here)" in prediction["rationale"]
    assert {"url": "urn:bcma-decide:fhir:further-product-of-the-class", "valueBoolean": True} in prediction["extension"]
    assert "With a further product of the class (linvoseltamab" not in explained(value, "orr", products=True)
    assert "(linvoseltamab has no counts of its own here)" in explained(value, "crs_any", products=True)
    assert "Further product: the product has no counts of its own" in terminal(value, products=True)
    assert "Further product: the product has no counts of its own" not in terminal(value)


def test_what_no_trait_moves_is_marked_once_a_row_and_counted_in_one_line():
    value = factory.comparison()
    both, one = "same for every patient: no trait moves it", "same for every patient, CAR-T: no trait moves it"
    count = "Same for every patient: 3 of these 27 numbers; no trait moves them."  # 15 rows of two, three without
    for text in (terminal(value), terminal(value, 50), terminal(value, plain=True)):
        assert (text.count(both), text.count(one), text.count(count)) == (1, 1, 1)
    first_page = said(document(value).query("section[aria-labelledby=classes]")[0])
    assert (first_page.count(both), first_page.count(one)) == (1, 1)
    method = said(document(value).query("section[aria-labelledby=certainty]")[0])
    assert method.count("Same for every patient: 3 of these 23 numbers") == 1
    patient = said(document(value, "patient", rows=("crs_any", "icans_any", "orr")))
    assert (
        patient.count("These numbers are the same for all people. Studies do not show what would change them for you.")
        == 1
    )
    assert patient.count("CAR-T cell treatment: this number is the same for all people.") == 1
    alike = factory.comparison(
        outcomes=tuple(
            outcome.model_copy(
                update={
                    "estimates": {
                        name: each.model_copy(update={"same_for_every_patient": False})
                        for name, each in outcome.estimates.items()
                    }
                }
            )
            for outcome in value.outcomes
        )
    )
    assert [face for face, text in every_face(alike).items() if re.search("(?i)same for (every|all)", text)] == []


# beside the numbers


def test_what_can_be_told_apart_is_said_once_on_every_clinical_face():
    value = factory.comparison()
    assert value.tell_apart
    for text in (terminal(value), terminal(value, 50), said(document(value)), detail(value)):
        assert text.count(words(value.tell_apart)) == 1
    assert words(value.tell_apart) in said(document(value).query("section[aria-labelledby=classes]")[0])
    silent = factory.comparison(tell_apart="")
    assert document(silent).query("p.apart") == []


def test_published_regimens_stand_beside_the_numbers_and_not_among_them():
    value = factory.comparison()
    (option,) = value.published_options
    for face, text in every_face(value).items():
        if "patient" in face or face == "explained":
            assert "EPSILON-3" not in text
        else:
            assert "ublished, not calculated" in text, face
            for part in (option.label, option.study, "261 of 287 (91 %)", "0 of 281 (0 %)", option.note.rstrip(".")):
                assert part in text, (face, part)
            assert "label-2024" in text, face
    assert option.label not in said(document(value).query("table.sheet-table")[0])
    assert "Published, not calculated" not in terminal(factory.comparison(published_options=()))


def test_every_face_says_where_to_see_how_good_the_numbers_are():
    value = factory.comparison()
    question, command = "How good are these numbers?", "bcma-decide guide validation"
    assert sentences.validation_command(value) == command
    assert find(command.split()[-1]) is not None
    for face, text in every_face(value).items():
        asked = "Wie gut sind diese Zahlen?" if "German" in face else question
        assert text.count(asked) >= 1, face
        assert command in text, face
    linked = {link["label"]: link["url"] for link in card(value, "https://cds.example.org")["links"]}
    assert linked[question] == "https://cds.example.org/guide/validation"


@pytest.mark.parametrize("audience", ["clinician", "patient"])
def test_a_part_of_another_page_links_there(audience):
    from bcma_decide.render.sheet.html import render_part

    part = partial(render_part, factory.comparison(), Sheet(audience=audience))
    assert 'href="/cds/guide/validation">bcma-decide guide validation<' in part("/cds/guide/validation")
    assert "/guide/validation" not in part("")


def test_the_legend_says_that_a_trait_without_own_effect_moves_no_number():
    value = example(FACTORY)
    idle = value.profile.traits[0].model_copy(update={"value": True, "used": False})
    value = value.model_copy(update={"profile": value.profile.model_copy(update={"traits": (idle,)})})
    (line,) = [each for each in sentences.legend(value, value.options) if each.startswith("No own effect")]
    assert "too little for the trait to move a number" in line
    assert "alike" not in line
