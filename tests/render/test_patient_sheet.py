"""The patient's sheet: the numbers of the comparison in plain words, the two options alike, nothing that directs."""

import re
from itertools import pairwise

import pytest
import textstat

from bcma_decide import compare
from bcma_decide.behind import Move
from bcma_decide.comparison import EvidenceStamp, Finding, Indication, Unknown, result_hash
from bcma_decide.errors import SheetError
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.render.sheet import figures, patient_words
from bcma_decide.render.sheet.html import Fit, render_html, render_print
from bcma_decide.render.sheet.patient_view import FIRST_PAGE, ROWS, patient_view
from bcma_decide.render.sheet.sheet import PATIENT_ROWS, Sheet
from bcma_decide.render.words import arrange, language, wording
from bcma_decide.vocabulary import OUTCOMES
from tests.render.support import factory
from tests.render.support.reading import DIRECTIVE, GERMAN_DIRECTIVE, words
from tests.support import parsed_once

LANGUAGES = language.languages("patient")
CLASSES = ("car_t", "bite")
AGAINST = "Something in your record may speak against this treatment now."
NOT_LABELLED = "The approval of this treatment, given alone, may not fit you now."
NOTHING = "The facts we have raise no such point for this treatment."


def page(comparison=None, **sheet):
    return render_html(comparison or factory.comparison(), Sheet(audience="patient", **sheet))


def document(comparison=None, **sheet):
    return parsed_once.page(page(comparison, **sheet), strict=True)


INLINE = {"b", "span", "a"}


def pieces(node):
    """Text of an element in reading order, drawings left out."""
    if node.name == "#text":
        yield node.data
    elif node.name not in ("svg", "style"):
        around = "" if node.name in INLINE else " "
        yield around
        for child in node.children:
            yield from pieces(child)
        yield around


def text(node):
    return words("".join(pieces(node)))


def elements(node):
    return [child for child in node.children if not child.name.startswith("#")]


def said(parsed):
    """All text of the page that is read."""
    return words(" ".join(text(part) for part in parsed.query("header, main, footer")))


def rows(parsed):
    """Text of both cells of every row of numbers."""
    return [row.query("td.cell") for row in parsed.query("tbody.row")]


def outcome_of(comparison, name):
    return next(outcome for outcome in arrange.outcomes_with_survival(comparison) if outcome.id == name)


def shape(node, depth=0):
    """Tags and classes of an element and all below it, one line each; which option it is, is left out."""
    kept = " ".join(name for name in (node.attrs.get("class") or "").split() if name not in ("first", "second"))
    inside = [] if node.name == "svg" else [line for child in elements(node) for line in shape(child, depth + 1)]
    return [f"{depth} {node.name} {kept}", *inside]


@pytest.fixture(scope="module", params=LANGUAGES)
def spoken(request):
    return request.param


@pytest.fixture(scope="module", params=example_names())
def example(request):
    return compare(load_example(request.param))


# the numbers


def test_every_row_shows_the_numbers_of_the_comparison(example, spoken):
    parsed = document(example, language=spoken)
    shown = rows(parsed)
    assert len(shown) == len(ROWS)
    with language.speaking(spoken):
        for name, cells in zip(ROWS, shown, strict=True):
            for option, cell in zip(CLASSES, cells, strict=True):
                estimate = outcome_of(example, name).estimates[option]
                assert wording.of_100(estimate.mean) == text(cell.query("p.number")[0])
                printed = text(cell)
                for end in estimate.credible:
                    assert re.search(rf"\b{wording.count(end)}\b", printed)


def test_how_sure_stands_once_and_every_number_that_differs_is_named(example):
    text = said(document(example))
    options = {each.id: each.words.name for each in patient_view(example, Sheet(audience="patient")).options}
    levels = {
        (name, option): outcome_of(example, name).estimates[option].certainty for name in ROWS for option in options
    }
    assert text.count("about these numbers.") + text.count("Most of these numbers are") == 1
    assert text.count("We are very unsure") <= 2
    for (name, _option), level in levels.items():
        here = re.search(patient_words.sure_of(level, ["(.*?)"])[:-1] + "[.]", text)
        if patient_words.sure(level) not in text:
            assert here, level
            assert patient_words.outcome_name(name) in here[1]


def test_no_other_number_of_100_is_printed_than_those_of_the_comparison(example):
    estimates = [
        estimate
        for outcome in arrange.outcomes_with_survival(example)
        for option, estimate in outcome.estimates.items()
        if option in CLASSES and wording.has_number(estimate)
    ]
    known = {wording.whole(100 * end) for e in estimates for end in (e.mean, *e.credible)}
    known |= {100 - wording.whole(100 * e.mean) for e in estimates}
    known |= {wording.whole(100 * e.from_decision.mean) for e in estimates if e.from_decision}
    known |= {wording.whole(100 * end) for u in example.unknowns for m in u.moves for end in (m.low, m.high)}
    two_years = [time for row in example.survival if row.kind == "computed" for time in row.times if time.month == 24]
    known |= {wording.whole(100 * time.mean) for time in two_years}
    printed = re.findall(r"(\d+) of 100", said(document(example)))
    assert printed
    assert {int(number) for number in printed} <= known | {1, 99, 100}


def counts(picture):
    """Icons by kind as drawn: each starts with one move."""
    return {path.attrs["class"]: path.attrs["d"].count("M") for path in picture.query("path")}


def as_count(printed):
    beyond = {"fewer than 1": 0, "more than 99": 100}
    return beyond[printed] if printed in beyond else int(printed)


def test_icons_are_as_many_as_the_printed_numbers_and_sum_to_100(example):
    parsed = document(example)
    pictures = parsed.query("svg.icons")
    assert len(pictures) == 6
    drawn = [cell for cells in rows(parsed)[:3] for cell in cells]
    for picture, cell in zip(pictures, drawn, strict=True):
        found = counts(picture)
        number = text(cell.query("p.number")[0])
        low, high = re.search(r"between (fewer than 1|\d+) and (\d+|more than 99)", text(cell)).groups()
        assert sum(found.values()) == 100
        assert found.get("sure", 0) == as_count(low)
        assert found.get("sure", 0) + found.get("likely", 0) == as_count(number.removesuffix(" of 100"))
        assert 100 - found.get("rest", 0) == as_count(high)
        title = words(picture.query("title")[0].to_text())
        assert title.endswith(f": {number}. It could be between {low} and {high}.")


def test_the_legend_explains_every_kind_of_icon():
    samples = document().query(".legend li svg")
    kinds = [{path.attrs["class"].split()[0] for path in sample.query("path")} for sample in samples]
    assert kinds == [{kind} for kind in figures.IconParts._fields]


def test_the_first_row_is_said_from_both_sides_and_sums_to_100(example):
    first, *others = rows(document(example))
    for cell in first:
        yes, no = (int(number) for number in re.search(r"(\d+) of 100 respond, (\d+) of 100", text(cell)).groups())
        assert yes + no == 100
    assert not any("do not" in text(cell) for cells in others for cell in cells)


def test_the_response_counted_from_the_decision_stands_below_its_row():
    note = document().query("td.note")
    assert [text(each) for each in note] == [
        "Some people never get their CAR-T cells back. Counted from the day cells are taken, 54 of 100 respond."
    ]


# rows and icons


def test_the_rows_asked_for_replace_the_usual_ones_in_the_order_of_the_comparison():
    parsed = document(rows=("treatment_related_death", "crs_any", "orr"))
    questions = [text(head).split("?")[0] for head in parsed.query("tbody.row th")]
    assert questions == [
        "How many people respond",
        "How many people get an immune reaction (CRS)",
        "How many people die from the treatment",
    ]


def test_the_icons_asked_for_replace_the_usual_ones_and_are_rows():
    parsed = document(rows=("orr", "crs_any"), icons=("crs_any", "infection_any"))
    drawn = [bool(row.query("svg.icons")) for row in parsed.query("tbody.row")]
    assert drawn == [False, True, True]


def test_rows_beyond_the_first_page_open_the_second():
    parsed = document(rows=OUTCOMES[:PATIENT_ROWS])
    second = parsed.query("div.second-page tbody.row")
    assert len(second) == PATIENT_ROWS - FIRST_PAGE
    assert len(parsed.query("tbody.row")) == PATIENT_ROWS


def test_more_rows_than_fit_are_refused_and_icons_count_as_rows():
    with pytest.raises(SheetError, match=r"rows: 7 outcomes \(at most 6 for the patient\)"):
        Sheet(audience="patient", rows=OUTCOMES[:5], icons=OUTCOMES[5:7])
    shown = document(icons=OUTCOMES[1:4]).query("tbody.row")
    assert len(shown) == PATIENT_ROWS  # three asked for as icons, three of the usual ones


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ("delayed_neurotoxicity", "The studies do not report this."),
        ("treatment_related_death", "There are too few studies to give a number."),
        ("apheresed_not_infused", "This does not apply to this treatment."),
    ],
)
def test_a_cell_without_a_number_says_why(outcome, sentence):
    parsed = document(rows=(outcome,))
    first, second = rows(parsed)[0]
    assert text(second) == f"no number {sentence}"
    assert "of 100" in text(first)
    assert not re.search(r"\d", text(second))


# the two options alike


def test_both_columns_have_the_same_structure(example, spoken):
    parsed = document(example, language=spoken)
    for row in parsed.query("table.options tr"):
        first, second = (cell for cell in elements(row) if (cell.attrs.get("class") or "").startswith("option"))
        assert shape(first) == shape(second)
    for first, second in rows(parsed):
        assert shape(first) == shape(second)
        assert bool(text(first)) == bool(text(second))


def test_both_columns_have_the_same_width():
    style = page().split("<style>")[1].split("</style>")[0]
    assert ".numbers .option { width: 50%; }" in style
    assert "table-layout: fixed" in style
    widths = re.findall(r"[^{}]*\b(?:first|second|nth-child)\b[^{}]*\{[^}]*width[^}]*\}", style)
    assert widths == []


def test_the_options_stand_in_the_order_of_the_comparison():
    turned = factory.comparison(options=tuple(reversed(factory.OPTIONS)))
    names = [
        [text(head) for head in document(comparison).query("table.options th.option")]
        for comparison in (factory.comparison(), turned)
    ]
    assert names == [
        ["CAR-T cell treatment", "Bispecific antibody"],
        ["Bispecific antibody", "CAR-T cell treatment"],
    ]


def test_nothing_marks_one_option_but_its_look():
    parsed = document()
    attributes = {}
    for option in ("first", "second"):
        cells = [cell for cell in parsed.query("td, th") if option in (cell.attrs.get("class") or "").split()]
        attributes[option] = {name for cell in cells for name in cell.attrs}
    assert attributes["first"] == attributes["second"]


# what may speak against an option


def notices(comparison):
    """Text of the last row about the options, if it is about the patient."""
    last = document(comparison).query("table.options tbody tr")[-1]
    return [text(cell) for cell in last.query("td")] if "Do facts about you" in text(last) else []


def contraindication(state="fires", **applies_to):
    return Finding(id="x", applies_to=applies_to, severity="contraindication", state=state, text="Evidence text 77 %")


def test_usually_nothing_is_said_against_either():
    assert notices(factory.comparison()) == []


def test_a_contraindication_of_a_class_stands_below_it_without_its_evidence():
    changed = factory.comparison(findings=(contraindication(**{"class": "bite"}),))
    first, second = notices(changed)
    assert first.startswith(NOTHING)
    assert second.startswith(AGAINST)
    assert "Evidence text" not in page(changed)


def test_one_of_the_profile_itself_stands_below_both():
    assert [each.startswith(AGAINST) for each in notices(factory.comparison(findings=(contraindication(),)))] == [
        True,
        True,
    ]


def test_one_of_a_single_product_does_not_concern_its_class_but_one_of_all_does():
    products = [option.id for option in factory.OPTIONS if option.kind == "product" and option.class_id == "car_t"]
    each = [contraindication(**{"class": "car_t", "product": product}) for product in products]
    assert notices(factory.comparison(findings=tuple(each[:1]))) == []
    assert notices(factory.comparison(findings=tuple(each)))[0].startswith(AGAINST)


@pytest.mark.parametrize(
    "finding",
    [
        contraindication("cannot_be_judged", **{"class": "bite"}),
        Finding(id="x", applies_to={"class": "bite"}, severity="caution", state="fires", text="x"),
    ],
    ids=["cannot be judged", "caution"],
)
def test_what_does_not_fire_as_a_contraindication_is_left_to_the_team(finding):
    assert notices(factory.comparison(findings=(finding,))) == []


def label(state, since, class_id="bite"):
    return Indication(
        state=state,
        region="US",
        date="2026-11-01",
        label="x",
        class_id=class_id,
        regimen="monotherapy",
        since=since,
        items=(),
    )


def test_a_class_none_of_whose_labels_is_met_says_so():
    labels = {"a": label("not_met", "2022"), "b": label("not_met", "2023"), "c": label("met", None)}
    first, second = notices(factory.comparison(indications=labels))
    assert first.startswith(NOTHING)
    assert second.startswith(NOT_LABELLED)


@pytest.mark.parametrize("state", ["met", "cannot_be_judged"])
def test_one_label_that_is_met_or_open_is_enough(state):
    labels = {"a": label("not_met", "2022"), "b": label(state, "2023")}
    assert notices(factory.comparison(indications=labels)) == []


def test_the_column_stays_with_its_numbers():
    changed = factory.comparison(findings=(contraindication(**{"class": "bite"}),))
    assert [text(cell) for row in rows(document(changed)) for cell in row] == [
        text(cell) for row in rows(document()) for cell in row
    ]


# about the patient


def test_what_is_known_and_what_is_not_stand_apart():
    view = patient_view(factory.comparison(), Sheet(audience="patient"))
    assert [(trait.name, trait.value) for trait in view.known] == [
        ("Your age", "72 years"),
        ("Treatments for myeloma so far", "5"),
        ("Myeloma outside the bone marrow", "yes"),
        ("Three main kinds of medicine no longer work", "yes"),
        ("Low strength and reserve (frail)", "yes"),
        ("Earlier treatment with the same target (BCMA)", "yes"),
    ]
    assert view.to_check == ("Weak kidneys",)
    assert view.unknown == (
        "Gene changes that make myeloma harder to treat",
        "High ferritin (a blood test)",
        "Higher risk of low blood counts (a score)",
    )
    assert "Please check with your team: Weak kidneys" in said(document())


def test_every_trait_of_an_example_is_on_its_sheet(example):
    shown = said(document(example))
    for line in example.profile.traits:
        assert patient_words.trait_name(line.trait) in shown


def move(option, low, high, *, unstable=True, outcome="orr"):
    return Move(
        outcome=outcome,
        option=option,
        low=low,
        high=high,
        low_when="present",
        high_when="absent",
        unstable=unstable,
    )


def unknown(trait, *moves):
    return Unknown(trait=trait, label="label", needs="needs", moves=moves)


def changes(*unknowns):
    shown = document(factory.comparison(unknowns=unknowns)).query("#you ~ ul li")
    return [text(item) for item in shown if "could change" in text(item)]


def test_an_unknown_that_makes_a_number_unstable_is_said_with_what_each_answer_gives_for_both():
    found = changes(unknown("frail", move("car_t", 0.522, 0.643), move("bite", 0.446, 0.5, unstable=False)))
    assert found == [
        "We do not know this yet: Low strength and reserve (frail). It could change this number: response. "
        "CAR-T cell treatment: 52 of 100 if yes, 64 of 100 if no. "
        "Bispecific antibody: 45 of 100 if yes, 50 of 100 if no."
    ]


def test_a_trait_of_many_values_is_said_with_its_range():
    years = {"low_when": "about 48 years", "high_when": "about 79 years"}
    (found,) = changes(unknown("age", move("car_t", 0.522, 0.643).model_copy(update=years)))
    assert found.endswith("CAR-T cell treatment: between 52 and 64 of 100.")


def test_small_moves_other_rows_and_products_are_not():
    assert (
        changes(
            unknown("frail", move("car_t", 0.5, 0.6, unstable=False)),
            unknown("iss_3", move("car_t", 0.1, 0.9, outcome="cr_or_better")),
            unknown("ferritin_high", move("cilta_cel", 0.1, 0.9)),
        )
        == []
    )


def test_the_largest_come_first_and_more_are_mentioned():
    found = changes(
        unknown("frail", move("car_t", 0.5, 0.61)),
        unknown("iss_3", move("car_t", 0.4, 0.7)),
        unknown("ferritin_high", move("bite", 0.4, 0.6)),
    )
    assert [re.search(r": (.*?)\.", line).group(1) for line in found[:2]] == [
        "Stage 3 by blood tests (ISS)",
        "High ferritin (a blood test)",
    ]
    assert found[2:] == ["Other facts we do not know could change numbers too."]


# heading, footer, state of the evidence


def test_label_and_site_are_printed_or_a_line_to_write_on_is():
    parsed = document(label="A. B. 12", site="Clinic of Examples")
    assert "A. B. 12" in said(parsed)
    assert "Clinic: Clinic of Examples" in said(parsed)
    assert len(parsed.query(".blank")) == 1
    assert len(document().query(".blank")) == 2
    assert "Clinic:" not in said(document())


def test_the_footer_identifies_the_sheet_and_the_evidence(example):
    footer = text(document(example).query("footer")[0])
    for expected in (
        result_hash(example)[:12],
        example.evidence.hash,
        example.evidence.version,
        example.software.version,
        "not a medical device",
    ):
        assert expected in footer


def test_the_date_is_written_as_the_language_does():
    assert "22 November 2026" in said(document(compare(load_example("fit-58"))))
    assert "22. November 2026" in said(document(compare(load_example("fit-58")), language="de"))


def test_old_evidence_gets_a_banner():
    stamp = EvidenceStamp(hash="0" * 8, date="2020-01-01", version="2020.01", out_of_date=True)
    assert "numbers on this sheet are old" in said(document(factory.comparison(evidence=stamp)))
    assert "numbers on this sheet are old" not in said(document())


# the page


def test_the_same_comparison_gives_the_same_bytes(spoken):
    assert page(language=spoken) == page(language=spoken)


def test_hostile_text_is_printed_as_text():
    parsed = document(label=factory.HOSTILE, site=factory.HOSTILE)
    assert parsed.query("script") == []
    assert said(parsed).count('<script>alert("1")</script>') == 2
    raw = page(label=factory.HOSTILE, site=factory.HOSTILE)
    assert not set(raw) & {"\x1b", "\u202e"}
    assert "49" not in raw.split("<header>")[1].split("</header>")[0]


def test_text_of_the_profile_and_the_evidence_is_not_printed(example):
    shown = said(document(example))
    for finding in example.findings:
        assert finding.text not in shown
    assert factory.HOSTILE not in page()
    assert "alert" not in page()


def test_no_product_is_named(example, spoken):
    shown = said(document(example, language=spoken))
    for option in example.options:
        if option.kind == "product":
            assert option.label not in shown
            assert option.long_label not in shown


def test_the_document_has_its_landmarks_and_headings(spoken):
    parsed = document(language=spoken)
    assert parsed.query("html")[0].attrs["lang"] == spoken
    for tag in ("h1", "header", "main", "footer", "head title"):
        assert len(parsed.query(tag)) == 1
    levels = [int(node.name[1]) for node in parsed.query("h1, h2, h3, h4, h5, h6")]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    names = [node.attrs["id"] for node in parsed.query("[id]")]
    assert len(names) == len(set(names))
    assert {node.attrs["aria-labelledby"] for node in parsed.query("section")} <= set(names)


def test_every_heading_of_a_table_has_a_scope_and_every_drawing_a_title():
    parsed = document()
    assert {head.attrs.get("scope") for head in parsed.query("th")} == {"col", "row", "rowgroup"}
    for drawing in parsed.query("svg"):
        title = drawing.query("title")
        assert len(title) == 1
        assert words(title[0].to_text())


def test_the_page_on_the_screen_loads_nothing():
    raw = page()
    assert "default-src 'none'" in raw
    assert not re.search(r"<script|url\(|src=|href=", raw)


def test_only_the_page_for_paper_asks_for_the_packaged_fonts():
    sheet = Sheet(audience="patient", paper="Letter")
    raw = render_print(factory.comparison(), sheet, Fit((1.0, 1.0), (0, 0)))
    assert 'url("font:text-400")' in raw
    assert "size: Letter" in raw
    assert {address for address in re.findall(r'url\("([^"]*)"\)', raw) if not address.startswith("font:")} == set()


# the words


def blocks(parsed):
    """Everything in the body that is a paragraph, an entry, a heading or a cell, without names and numbers."""
    nodes = parsed.query("h1, h2, h3, p, li, dt, dd, th, td")
    found = {text(node) for node in nodes if not node.query("p, li, dd, h3")}
    return {each for each in found if re.search(r"[A-Za-z]{2}", each)}


def test_the_german_sheet_holds_no_english(example):
    english, german = (blocks(document(example, language=code)) for code in ("en", "de"))
    stamp = {text(node) for node in document(example, language="de").query(".stamp")}
    assert english & german - stamp <= {"CRS", "ICANS"}
    common = re.compile(r"\b(the|and|of|is|you|your|we|how|what|with|for|not|people|this)\b", re.IGNORECASE)
    assert [each for each in german if common.search(each)] == []


def test_nothing_directs(example):
    for place in range(0, len(OUTCOMES), PATIENT_ROWS):
        rows = OUTCOMES[place : place + PATIENT_ROWS]
        assert DIRECTIVE.findall(said(document(example, rows=rows))) == []
        assert GERMAN_DIRECTIVE.findall(said(document(example, rows=rows, language="de"))) == []


def running(parsed):
    """The running text of the sheet: whole sentences of paragraphs, entries, meanings and cells."""
    skipped = {"number", "stamp", "who"}
    nodes = [
        node
        for node in parsed.query("h2, h3, main p, main li, dd, table.options td, tbody.row th, td.note")
        if not node.query("p, li") and (node.attrs.get("class") or "") not in skipped
    ]
    return " ".join(sentence for sentence in map(text, nodes) if sentence.endswith((".", "?")))


GRADE = 7
"""US school grade of readers of about twelve years; the scale of the Vienna formula is the same."""


def test_english_is_read_at_twelve_years(example):
    textstat.set_lang("en_US")
    read = running(document(example))
    assert len(read.split()) > 300
    assert textstat.automated_readability_index(read) <= GRADE
    assert textstat.coleman_liau_index(read) <= GRADE


def test_german_is_read_at_twelve_years(example):
    textstat.set_lang("de")
    try:
        read = running(document(example, language="de"))
        assert len(read.split()) > 300
        assert all(textstat.wiener_sachtextformel(read, variant) <= GRADE for variant in (1, 2, 3, 4))
    finally:
        textstat.set_lang("en_US")


def test_the_clinicians_words_would_not_pass():
    textstat.set_lang("en_US")
    comparison = factory.comparison()
    assert textstat.automated_readability_index(" ".join((comparison.intended_use, *comparison.not_known))) > GRADE


# on paper


@pytest.mark.slow
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_fits_two_pages(example, spoken, paper):
    pytest.importorskip("weasyprint")
    from bcma_decide.render.sheet import pdf

    sheet = Sheet(audience="patient", language=spoken, paper=paper)
    laid_out = pdf._fitted(example, sheet)
    assert len(laid_out.pages) <= 2


@pytest.mark.slow
def test_the_pdf_is_the_same_each_time(spoken):
    pytest.importorskip("weasyprint")
    from bcma_decide.render.sheet.pdf import render_pdf

    sheet = Sheet(audience="patient", language=spoken, label="A. B.")
    assert render_pdf(factory.comparison(), sheet) == render_pdf(factory.comparison(), sheet)


def test_the_looks_are_those_of_the_comparison():
    view = patient_view(factory.comparison(), Sheet(audience="patient"))
    assert tuple(option.look for option in view.options) == figures.LOOKS
