"""Time on both sheets: the numbers of the result, on the clock asked for; what is only quoted stands apart."""

import re
from datetime import date
from math import ceil

import pytest

from bcma_decide import Patient, compare
from bcma_decide.comparing.compare import answer_question, load_pooled
from bcma_decide.comparing.question import Question
from bcma_decide.patient.files import load_example
from bcma_decide.render.sheet import patient_words
from bcma_decide.render.sheet.clinician_view import Room, clinician_view
from bcma_decide.render.sheet.html import Fit, render_html, render_print
from bcma_decide.render.sheet.plot import Frame
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.render.words import language, quoted, survival, wording
from bcma_decide.vocabulary import PFS
from tests.render.support import sheets
from tests.render.support.reading import words
from tests.support import parsed_once

EXAMPLES = (sheets.LITTLE_KNOWN, sheets.FRAIL, "extramedullary-66-high-risk", "prior-car-t-63")
CLASSES = ("car_t", "bite")


def document(comparison, **sheet):
    return parsed_once.page(render_html(comparison, Sheet(**sheet)), strict=True)


def said(node):
    return words(" ".join(node.to_text().split()))


def computed(comparison, option):
    return next(row for row in comparison.survival if (row.kind, row.option) == ("computed", option))


def at(row, month):
    return next(time for time in row.times if time.month == month)


def from_decision(name):
    question = Question(patient=load_example(name), clock="decision", date=date(2026, 11, 22))
    return answer_question(question, load_pooled())


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request):
    return sheets.example(request.param)


@pytest.fixture(scope="module")
def withheld():
    """Plasma cell leukaemia: limits.yaml takes response away, and with it what a response lasts."""
    value = compare(Patient(age=66, plasma_cell_leukemia="yes"))
    assert {computed(value, option).state for option in CLASSES} == {"withheld"}
    return value


# clinician


def window(comparison):
    view = clinician_view(comparison, Sheet(), Room())
    return next(each for each in view.windows if any(row.outcome.id == PFS for row in each.rows))


def test_the_row_at_one_year_holds_the_numbers_of_the_result(example):
    rows = [
        row
        for row in document(example).query("table.sheet-table tr")
        if re.match(r"\d+ Without progression", said(row))
    ]
    (row,) = rows
    cells = [said(cell) for cell in row.query("td")]
    for option, cell in zip(CLASSES, cells, strict=False):
        year = at(computed(example, option), 12)
        assert cell.startswith(f"{wording.count(year.mean)} ({wording.interval(year.credible)})")
    decided = next(time for time in computed(example, "car_t").from_decision.times if time.month == 12)
    assert f"from the decision: {wording.count(decided.mean)} ({wording.interval(decided.credible)})" in cells[0]
    contrast = example.survival_contrast
    assert cells[2].startswith(wording.signed(contrast.risk_difference.mean))


def test_median_and_mean_of_two_years_stand_below_it(example):
    lines = {line.label: line.texts for line in window(example).lines}
    for option, median, mean in zip(
        CLASSES, lines[survival.median_title()], lines[survival.restricted_title()], strict=True
    ):
        row = computed(example, option)
        value, ends = row.median_months.value, row.median_months.credible
        assert median.startswith(f"{wording.whole(value)} ({wording.whole(ends[0])} to ")
        assert mean.startswith(f"{wording.whole(row.restricted_mean_months.value)} (")


def test_the_screen_has_every_month(example):
    screen = {said(head) for head in parsed_once.page(render_html(example), strict=True).query("th.below")}
    assert {survival.median_title(), *(survival.month_title(month) for month in (6, 18, 24))} <= screen


def test_paper_leaves_curves_and_the_first_months_to_the_screen(example):
    printed = parsed_once.page(render_print(example, Sheet(), Fit()), strict=True)
    assert printed.query("svg.dots")
    assert not printed.query(".behind svg.dots")


def test_every_drawing_says_its_numbers(example):
    pictures = document(example).query("section[aria-labelledby=time] svg.fan")
    assert len(pictures) == 2
    for option, picture in zip(CLASSES, pictures, strict=True):
        title = said(picture.query("title")[0])
        for time in computed(example, option).times:
            assert f"{time.month:g} months {wording.count(time.mean)} ({wording.interval(time.credible)})" in title


def test_the_drawing_ends_where_the_result_does(example):
    last = 6 * ceil(max(computed(example, option).end_of_follow_up_months for option in CLASSES) / 6)
    for option, picture in zip(CLASSES, document(example).query("section[aria-labelledby=time] svg.fan"), strict=True):
        mean = next(path for path in picture.query("path") if path.attrs["class"] == "line mean")
        row = computed(example, option)
        assert mean.attrs["d"].count("L") == len(row.curve) - 1
        end = Frame(last).x(row.curve[-1].month)
        assert float(mean.attrs["d"].rpartition("L")[2].split()[0]) == pytest.approx(end, abs=0.05)
        assert row.curve[-1].month <= row.end_of_follow_up_months <= 36


def test_what_is_published_stands_apart_marked_and_never_among_the_numbers(example):
    page = document(example)
    (row,) = page.query("table.sheet-table tr.quoted")
    assert said(row).startswith("Published, not calculated for this patient")
    first = quoted.rows_of(example.survival, "ide-cel", "pfs")[0]
    assert quoted.figures(first) in said(row)
    for cell in page.query("table.sheet-table tr:not(.quoted) td"):
        assert quoted.figures(first) not in said(cell)
    listed = said(page.query("section[aria-labelledby=all-published]")[0])
    for each in example.survival:
        if each.kind == "published" and each.option in ("ide-cel", "teclistamab"):
            assert words(quoted.figures(each)) in listed


def test_the_way_from_the_decision_is_that_of_the_result(example):
    way = next(each for each in example.ways if each.option == "car_t")
    section = document(example).query("section[aria-labelledby=way]")[0]
    assert f"apheresis: {wording.count(way.infused.mean)} ({wording.interval(way.infused.credible)})" in said(section)
    for assumption in way.assumptions:
        assert words(assumption) in said(section)
    first, second = section.query("svg.months")
    parts = [path.attrs["class"] for path in second.query("path") if "field" in path.attrs["class"]]
    assert len(parts) == 2
    assert len([path for path in first.query("path") if "field" in path.attrs["class"]]) == 4


def test_from_the_decision_the_numbers_change_places_and_the_difference_says_which_it_is():
    value = from_decision(sheets.LITTLE_KNOWN)
    shown = {row.outcome.id: row for each in clinician_view(value, Sheet(), Room()).windows for row in each.rows}
    for outcome, own in (("orr", value.outcomes[0].estimates["car_t"]), (PFS, None)):
        cell = shown[outcome].cells[0]
        infusion = own.mean if own else at(computed(value, "car_t"), 12).mean
        decision = (
            own.from_decision.mean
            if own
            else next(time.mean for time in computed(value, "car_t").from_decision.times if time.month == 12)
        )
        assert cell.estimate.mean == decision != infusion
        assert cell.other_clock.startswith(f"from the infusion: {wording.count(infusion)} (")
        assert shown[outcome].higher.endswith("from the infusion")
    crs = next(outcome for outcome in value.outcomes if outcome.id == "crs_any")
    assert shown["crs_any"].cells[0].estimate == crs.estimates["car_t"]
    assert "from the infusion" not in shown["crs_any"].higher


def test_a_row_of_time_can_be_asked_for_alone_or_left_out():
    value = sheets.example(sheets.LITTLE_KNOWN)
    alone = document(value, rows=(PFS,))
    assert len(alone.query("table.sheet-table tbody sup, table.sheet-table td[data-label=Studies]")) == 1
    without = document(value, rows=("orr",))
    assert without.query("#time, #way") == []


# patient


def test_the_patient_reads_one_and_two_years_for_both_treatments(example):
    for code in language.languages("patient"):
        page = document(example, audience="patient", language=code)
        with language.speaking(code):
            (row,) = [each for each in page.query("tbody.row") if patient_words.question(PFS) in said(each)]
            for option, cell in zip(CLASSES, row.query("td.cell"), strict=True):
                year, two = (at(computed(example, option), month) for month in (12, 24))
                assert said(cell.query("p.number")[0]) == wording.of_100(year.mean)
                assert patient_words.could_be(year.credible) in said(cell)
                assert patient_words.after_two_years(two.mean, two.credible) in said(cell)
                assert cell.query("svg.icons") == []


def test_two_years_that_nobody_was_watched_for_are_said_not_to_be_known():
    value = sheets.example(sheets.LITTLE_KNOWN)
    short = tuple(
        row.model_copy(update={"times": tuple(time for time in row.times if time.month < 24)})
        if row.option == "bite" and row.kind == "computed"
        else row
        for row in value.survival
    )
    page = document(value.model_copy(update={"survival": short}), audience="patient")
    first, second = next(
        row.query("td.cell") for row in page.query("tbody.row") if patient_words.question(PFS) in said(row)
    )
    assert "After 2 years: not known." in said(second)
    assert "After 2 years: not known." not in said(first)


def test_the_patient_reads_how_long_the_wait_is_and_who_gets_the_cells(example):
    note = said(document(example, audience="patient").query("td.note")[0])
    way = next(each for each in example.ways if each.option == "car_t")
    assert f"Of 100 people like you, {wording.count(way.infused.mean)} get their cells back" in note
    weeks = sorted(wording.whole(each.median) for each in way.weeks)
    treatments = said(document(example, audience="patient").query("table.options")[0])
    assert f"waited {weeks[0]} to {weeks[-1]} weeks" in treatments


def test_a_way_without_numbers_is_said_not_to_be_known():
    value = sheets.example(sheets.LITTLE_KNOWN)
    ways = tuple(way.model_copy(update={"infused": None, "weeks": ()}) for way in value.ways)
    page = document(value.model_copy(update={"ways": ways}), audience="patient")
    note = said(page.query("td.note")[0])
    assert "We do not know how long people waited for their cells." in said(page.query("table.options")[0])
    assert "We do not know how many people like you get their cells back." in note


# without a number


def test_a_withheld_number_is_on_no_sheet(withheld):
    clinician, patient = document(withheld), document(withheld, audience="patient")
    (row,) = [row for row in clinician.query("table.sheet-table tr") if re.match(r"\d+ Without progression", said(row))]
    assert re.findall(r"\d+", " ".join(said(cell) for cell in row.query("td")[:3])) == []
    assert clinician.query("svg.fan, svg.months") == []
    assert window(withheld).lines == ()
    (asked,) = [each for each in patient.query("tbody.row") if patient_words.question(PFS) in said(each)]
    for cell in asked.query("td.cell"):
        assert (
            said(cell) == "We give no number. Too few people like you were studied, or what was seen does "
            "not fit our numbers."
        )
    assert "how long the myeloma stays away" in said(patient.query("main")[0])


def test_what_was_published_of_such_patients_stands_in_its_place(withheld):
    """Median 3.2 months under bispecifics in the one series (us-mmic-pcl-bsab-2025)."""
    (row,) = document(withheld).query("table.sheet-table tr.quoted")
    assert "median 3.2 months" in said(row)
    assert "plasma cell leukaemia" in said(row)


# paper


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_printed_numbers_are_those_of_the_result(name):
    sheets.require("weasyprint", "fontpkg", "pdfinfo", "pdftotext")
    for audience, code in (("clinician", "en"), ("patient", "en"), ("patient", "de")):
        printed = sheets.pdf(name, audience, language=code)
        assert printed.pages == 2
        text = words(printed.text())
        with language.speaking(code):
            for option in ("cilta-cel", "teclistamab") if audience == "clinician" else CLASSES:
                row = computed(printed.comparison, option)
                year = at(row, 12)
                if audience == "clinician":
                    low, high = (wording.short_count(end) for end in year.credible)
                    assert f"{wording.short_count(year.mean)} ({low}-{high})" in text
                else:
                    two = at(row, 24)
                    assert words(patient_words.could_be(year.credible)) in text
                    assert words(patient_words.after_two_years(two.mean, two.credible)) in text
