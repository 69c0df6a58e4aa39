"""The page without a browser: the form there and back, what is refused and how, who sees it, what it never holds."""

import contextlib
import json
import re
import sqlite3
from datetime import date

import justhtml
import pytest

from bcma_decide.comparing.compare import compare
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.files import build, example_names, example_path, load_example, parse, read_profile, read_values
from bcma_decide.patient.profile import Patient
from bcma_decide.render.sheet.html import render_html, render_part
from bcma_decide.render.sheet.pdf import missing
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.render.words import wording
from bcma_decide.render.words.first_screen import first_screen
from bcma_decide.render.words.language import AUDIENCES, number
from bcma_decide.service.page.form_values import CONTROLS, profile_of, texts_of
from bcma_decide.service.page.form_view import FIRST
from bcma_decide.service.page.view_options import NAMES
from tests.render.support.reading import DIRECTIVE
from tests.service.support.log import written
from tests.service.support.page import (
    COOKIE,
    FORM,
    HERE,
    RECORD,
    Filled,
    Sessions,
    entries_of,
    parsed,
    send,
    text_of,
    upload,
    with_sessions,
)
from tests.service.support.service import TODAY, app, ask, model
from tests.service.support.tokens import bearer, issuer, token
from tests.support.cases import for_each

SERVICE = app()
PATIENT = {"age": "71", "extramedullary_disease": "yes", "creatinine": "1.4", "creatinine.unit": "mg/dL"}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
VALIDATION = "/guide/validation"
CHANGED = r"\b\d+ of 100\b"


def sheet_of(answer):
    """The sheet on the page, as it was put there."""
    start = answer.text.index('<div class="p-sheet"')
    return "\n".join(answer.text[start:].splitlines()[1:])


def expected_part(profile, sheet=None, **options):
    return render_part(
        compare(Patient.read(profile), date=TODAY, pooled=model(), **options), sheet or Sheet(), VALIDATION
    )


# the form there and back


def test_everything_is_unknown_at_first():
    answer = ask(SERVICE, "GET", "/")
    assert answer.status_code == 200
    entries = entries_of(answer)
    assert {name for name, _ in entries} == CONTROLS | NAMES - {"rows"}
    assert [name for name, _ in entries].count("age") == 1
    assert profile_of({name: value for name, value in entries if name in CONTROLS}) == {}
    assert "Known: 0 of 87." in text_of(answer)
    assert sheet_of(answer).startswith(expected_part({}))


def test_every_field_has_a_label_its_words_and_says_unknown_first():
    document = parsed(ask(SERVICE, "GET", "/"))
    groups = {each.attrs["data-field"]: each for each in document.query("#p-form [data-field]")}
    assert list(groups)[: len(FIRST)] == list(FIRST)
    assert set(FIELDS) <= set(groups)
    ids = {each.attrs["id"] for each in document.query("[id]")}
    for name, field in FIELDS.items():
        group = groups[name]
        label = group.query("legend")[0] if group.name == "fieldset" else group.query("label")[0]
        assert label.to_text().strip() == field.label
        described = [
            each.attrs["aria-describedby"].split() for each in (group, *group.query("[aria-describedby]"))
            if "aria-describedby" in each.attrs
        ]  # fmt: skip
        assert described
        assert set(described[0]) <= ids
        hint = document.query(f"#f-{name}-hint")
        words = " ".join(each.to_text() for each in hint)
        assert not hint or f"f-{name}-hint" in described[0]
        assert all(part in words for part in field.definition.split(". ")[:1])
        radios = group.query("input[type=radio]")
        if radios:
            assert radios[0].attrs["value"] == ""
            assert "checked" in radios[0].attrs
            assert "unknown" in group.query(".p-choices label")[0].to_text()
        else:
            controls = [each for each in group.query("input, textarea") if each.attrs.get("type") != "checkbox"]
            assert all(each.attrs["placeholder"] for each in controls)
            assert not any(each.attrs.get("value") for each in controls)
            assert not [each for each in group.query("input[type=checkbox]") if "checked" in each.attrs]
            shown = " ".join(each.to_text() for each in group.query("option, .p-unit"))
            assert all(unit.name in shown for unit in field.units)
        if field.kind == "quantity":
            assert f"{field.low:g} to {field.high:g}" in words


@for_each("name", example_names())
def test_a_profile_comes_back_from_the_form_as_it_went_in(name):
    values = read_values(example_path(name))
    texts = texts_of(values)
    assert set(texts) <= CONTROLS
    assert build(profile_of(texts)) == build(values)
    page = ask(SERVICE, "GET", f"/?example={name}")
    assert page.status_code == 200
    assert sheet_of(page).startswith(
        render_part(compare(load_example(name), date=TODAY, name=name), Sheet(), VALIDATION)
    )
    again = send(SERVICE, entries_of(page))
    assert again.status_code == 200
    assert entries_of(again) == entries_of(page)
    assert sheet_of(again).startswith(expected_part(values))


@for_each(
    ("entries", "values"),
    [
        ({"creatinine": "2.1 mg/dL"}, {"creatinine": "2.1 mg/dL"}),
        ({"creatinine": " 2.1mg/dL ", "creatinine.unit": ""}, {"creatinine": "2.1mg/dL"}),
        ({"creatinine": "2.1", "creatinine.unit": "mg/dL"}, {"creatinine": "2.1 mg/dL"}),
        ({"creatinine": "97 umol/L", "creatinine.unit": "mg/dL"}, {"creatinine": "97 umol/L"}),
        ({"creatinine": "", "creatinine.unit": "mg/dL"}, {}),
        ({"creatinine": "unknown", "creatinine.unit": "mg/dL"}, {}),
        ({"live_vaccine": "", "live_vaccine.unit": "never"}, {"live_vaccine": "never"}),
        ({"live_vaccine": "3", "live_vaccine.unit": "months"}, {"live_vaccine": "3 months"}),
        ({"ecog": "2", "frail": "", "iss": "3"}, {"ecog": "2", "iss": "3"}),
        ({"marrow_plasma_cells": "0.6"}, {"marrow_plasma_cells": "0.6"}),
        ({"weight.unit": "never"}, {}),
        (
            {"prior_bcma_courses.kind": "car_t", "prior_bcma_courses.months": "7", "prior_bcma_courses": "adc"},
            {"prior_bcma_courses": "car_t:7, adc"},
        ),
        ({"prior_bcma_courses.kind": "adc", "prior_bcma_courses.months": " "}, {"prior_bcma_courses": "adc"}),
        ({"prior_bcma_courses.kind": ""}, {}),
    ],
)
def test_what_several_controls_hold_becomes_one_text(entries, values):
    assert profile_of(entries) == values


@for_each(
    ("value", "texts"),
    [
        ({"creatinine": {"value": 97, "unit": "umol/l"}}, {"creatinine": "97", "creatinine.unit": "umol/L"}),
        ({"creatinine": "1.10 mg/dl"}, {"creatinine": "1.10", "creatinine.unit": "mg/dL"}),
        ({"creatinine": "high"}, {"creatinine": "high"}),
        ({"live_vaccine": "Never"}, {"live_vaccine": "", "live_vaccine.unit": "never"}),
        ({"frail": False, "hiv": "negative", "sex": "F", "iss": "II"},
         {"frail": "no", "hiv": "no", "sex": "female", "iss": "2"}),
        ({"received": ["a", "b"]}, {"received": "a, b"}),
        ({"prior_bcma_courses": [{"kind": "car_t", "months_since": 7}, {"kind": "adc"}]},
         {"prior_bcma_courses.kind": "car_t", "prior_bcma_courses.months": "7", "prior_bcma_courses": "adc"}),
        ({"prior_bcma_courses": "adc"}, {"prior_bcma_courses.kind": "adc"}),
        ({"prior_bcma_courses": "ide:14; adc"}, {"prior_bcma_courses": "ide:14, adc"}),
        ({"age": None, "frail": "?", "nonsense": 1}, {}),
        ({"age": [[1]], "frail": {"a": 1}}, {"age": "a list", "frail": "None"}),
    ],
)  # fmt: skip
def test_values_of_a_file_become_texts(value, texts):
    assert texts_of(value) == texts


def test_lists_may_stand_on_several_lines():
    answer = send(SERVICE, received="lenalidomide\r\n bortezomib \r\n")
    assert answer.status_code == 200
    assert dict(entries_of(answer))["received"] == "lenalidomide, bortezomib"


def test_drugs_are_boxes_to_tick_and_a_text_for_others():
    answer = send(
        SERVICE, [("refractory_to", each) for each in ("bortezomib", "daratumumab", "elotuzumab, pomalidomide")]
    )
    assert answer.status_code == 200
    assert sheet_of(answer).startswith(
        expected_part({"refractory_to": ["bortezomib", "daratumumab", "elotuzumab", "pomalidomide"]})
    )
    held = [value for name, value in entries_of(answer) if name == "refractory_to"]
    assert held == ["bortezomib", "pomalidomide", "daratumumab", "elotuzumab"]
    boxes = {each.attrs["value"] for each in parsed(answer).query("input[type=checkbox][name=refractory_to]")}
    needs = {need.drug_class for count in model().definitions.drug_counts for need in count.needs}
    assert boxes == {drug for each in needs for drug in model().definitions.agents(each)}


# the comparison


@pytest.mark.parametrize("audience", AUDIENCES)
def test_the_sheet_on_the_page_is_that_of_the_program(audience):
    options = {"setting": "interventional", "region": "EU", "date": "2024-01-15", "audience": audience,
               "paper": "Letter", "rows": "orr", "clock": "decision"}  # fmt: skip
    answer = send(SERVICE, PATIENT | options)
    assert answer.status_code == 200
    profile = {"age": "71", "extramedullary_disease": "yes", "creatinine": "1.4 mg/dL"}
    sheet = Sheet(audience=audience, paper="Letter", rows=("orr",))
    asked = {"setting": "interventional", "region": "EU", "date": date(2024, 1, 15), "clock": "decision"}
    found = compare(Patient.read(profile), **asked)
    assert sheet_of(answer).startswith(render_part(found, sheet, VALIDATION))
    assert justhtml.JustHTML(answer.text, strict=True, sanitize=False)
    live = send(SERVICE, PATIENT | options, "/page/result")
    assert sheet_of(live).startswith(render_part(found, sheet, VALIDATION))


def test_a_part_has_what_the_sheet_alone_has_but_its_head():
    comparison = compare(load_example("renal-74"))
    for audience in AUDIENCES:
        alone, part = render_html(comparison, Sheet(audience)), render_part(comparison, Sheet(audience), "")
        body = alone.split("<body")[1].partition(">\n")[2].rsplit("</body>")[0]
        behind = body.find('<div class="behind">')
        front = part.replace("div>\n", "main>\n").replace(' aria-level="2"', "")
        front = front.partition('<main class="behind">' if behind < 0 else '<div class="behind">')[0]
        assert front == (body if behind < 0 else body[:behind]).replace("div>\n", "main>\n")
        assert "<style" not in part
        assert " style=" not in part
    assert number(0.5) == "0.5", "the language of the page stays English"


def test_another_language_is_marked_as_one():
    answer = send(SERVICE, audience="patient", lang="de")
    assert parsed(answer).query(".p-sheet")[0].attrs["lang"] == "de"
    refused = send(SERVICE, audience="clinician", lang="eo")
    assert refused.status_code == 422
    assert "Language" in text_of(refused, ".p-problems")


def test_the_table_beside_the_form_is_the_first_screen():
    answer = send(SERVICE, PATIENT)
    screen = first_screen(compare(Patient.read(profile_of(PATIENT)), date=TODAY, pooled=model()))
    (table,) = parsed(answer).query("#p-products")
    heads = [each.to_text().strip() for each in table.query("thead th")[1:]]
    assert heads == [column.long_label for column in screen.columns]
    rows = table.query("tbody tr")
    assert [each.attrs["data-row"] for each in rows] == [row.id for row in screen.rows]
    for shown, row in zip(rows, screen.rows, strict=True):
        for cell, expected in zip(shown.query("td"), row.cells, strict=True):
            said = " ".join(cell.query(".p-value")[0].to_text().split())
            if not expected.number:
                assert said == expected.text
                continue
            mark = " *" if expected.why else ""
            assert said.replace("–", "-") == f"{expected.number} {expected.interval}{mark}"
            assert len(cell.query("svg.dots")) == (1 if row.drawn else 0)
    assert text_of(answer, ".p-who").startswith(screen.patient)
    assert all(line in text_of(answer, "#t-numbers") for line in screen.tell_apart)


def test_a_dot_stands_where_its_number_is():
    answer = send(SERVICE, PATIENT)
    drawn = parsed(answer).query("#p-products td")
    found = [each for each in drawn if each.query("svg.dots")]
    assert found
    for each in found:
        number, interval = each.query("b")[0].to_text().strip(), each.query(".p-interval")[0].to_text().strip()
        (dot,) = each.query(".dot")
        x = float(dot.attrs["cx"]) if dot.name == "circle" else float(dot.attrs["x"]) + 3.3
        low, high = re.fullmatch(r"M([\d.]+) 5H([\d.]+)", each.query(".ends")[0].attrs["d"]).groups()
        for shown, place in zip((number, *interval.split("–")), (x, float(low), float(high)), strict=True):
            if shown.isdigit():
                assert abs(place - 4 - float(shown)) <= 1.1, (number, interval)  # the line runs from 4 to 104


def test_tabs_are_sections_to_go_to_without_scripts():
    document = parsed(send(SERVICE, PATIENT))
    names = [each.attrs["href"].removeprefix("#") for each in document.query(".p-tabs a")]
    assert names == ["t-numbers", "t-findings", "t-labels", "t-practice", "t-why", "t-sheet"]
    for name in names:
        (panel,) = document.query(f"#{name}")
        assert panel.to_text().strip()
        assert not [each for each in (panel, *panel.query("[hidden]")) if "hidden" in each.attrs]
    ids = [each.attrs["id"] for each in document.query("[id]")]
    assert len(ids) == len(set(ids))


def test_the_order_of_therapies_and_why_are_shown_where_they_are_asked_for():
    for chosen in ({}, {"order": "true", "explain": "orr"}):
        document = parsed(send(SERVICE, PATIENT | chosen, "/page/result"))
        assert len(document.query("#t-numbers #order")) == len(chosen) // 2
        assert len(document.query("#t-why #all-behind")) == len(chosen) // 2


# what is wrong


WRONG = {
    "age": "7", "creatinine": "1.4", "refractory_to": "water, lenalidomide", "prior_bcma_courses": "car_t:x",
    "ferritin": "much", "ferritin.unit": "ng/mL", "frail": "perhaps", "ecog": "9",
}  # fmt: skip
BAD_VIEW = {"paper": "A3"}


def test_every_entry_that_is_wrong_is_told_on_top_and_beside_it_and_the_rest_is_answered():
    answer = send(SERVICE, WRONG | {"extramedullary_disease": "yes"})
    assert answer.status_code == 200
    document = parsed(answer)
    summary = document.query(".p-problems[tabindex]")
    assert len(summary) == 1
    assert parsed(answer).query("#p-answer")[0].attrs["data-state"] == "partly"
    targets = {each.attrs["href"].removeprefix("#f-") for each in summary[0].query("a")}
    assert targets == {"age", "creatinine", "refractory_to", "prior_bcma_courses", "ferritin", "frail", "ecog"}
    for name in targets:
        group = next(each for each in document.query("#p-form [data-field]") if each.attrs["data-field"] == name)
        marked = group if "aria-invalid" in group.attrs else group.query("[aria-invalid=true]")[0]
        assert document.query(f"#f-{name}-error")[0].to_text().strip()
        assert f"f-{name}-error" in marked.attrs["aria-describedby"].split()
    assert sheet_of(answer).startswith(expected_part({"extramedullary_disease": "yes"}))
    kept = dict(entries_of(answer))
    for name in ("age", "creatinine", "prior_bcma_courses", "ferritin", "ferritin.unit"):
        assert kept[name] == WRONG[name]
    assert [value for name, value in entries_of(answer) if name == "refractory_to"] == ["lenalidomide", "water"]
    assert document.query("title")[0].to_text().startswith("Not all used")
    status = text_of(answer, "#p-status")
    assert status.startswith("Up to date. Known: 1 of 87. Not used: ")


@for_each("name", ["age", "refractory_to", "creatinine", "ecog"])
def test_one_wrong_field_leaves_the_others_as_if_it_were_unknown(name):
    good = {"age": "71", "refractory_to": "lenalidomide", "creatinine": "1.4", "creatinine.unit": "mg/dL", "ecog": "1"}
    bad = {"age": "171", "refractory_to": "lenalidomid, water", "creatinine": "1,4,4", "ecog": "7"}
    answer = send(SERVICE, good | {name: bad[name]}, "/page/result")
    assert answer.status_code == 200
    others = {field: text for field, text in good.items() if field not in (name, f"{name}.unit")}
    assert sheet_of(answer).startswith(expected_part(profile_of(others)))
    assert {each.attrs["data-field"] for each in parsed(answer).query(".p-problems li")} == {name}


def test_no_number_is_shown_where_more_than_a_field_is_wrong():
    answer = send(SERVICE, WRONG | BAD_VIEW)
    assert answer.status_code == 422
    document = parsed(answer)
    assert document.query("#p-answer")[0].attrs["data-state"] == "refused"
    assert not document.query(".p-sheet, .p-table")
    assert not re.search(CHANGED, answer.text)
    assert dict(entries_of(answer))["age"] == "7"
    assert document.query("title")[0].to_text().startswith("Cannot be compared")


def test_a_group_is_open_where_something_in_it_is_wrong_and_says_how_much_is_known():
    closed = parsed(ask(SERVICE, "GET", "/")).query("#p-form details")
    assert closed
    assert not [each for each in closed if "open" in each.attrs]
    opened = [each for each in parsed(send(SERVICE, lvef="much")).query("#p-form details") if "open" in each.attrs]
    assert len(opened) == 1
    assert opened[0].query("#f-lvef")
    known = parsed(send(SERVICE, lvef="58 %")).query("#p-form details")
    assert not [each for each in known if "open" in each.attrs]
    assert "Heart, lung and liver 1 of 8" in [" ".join(each.query("summary")[0].to_text().split()) for each in known]


def test_the_live_answer_says_what_is_wrong_in_the_same_words():
    answer = send(SERVICE, WRONG, "/page/result")
    assert answer.status_code == 200
    whole = {
        (each.attrs["data-field"], each.to_text()) for each in parsed(send(SERVICE, WRONG)).query("li[data-field]")
    }
    live = {(each.attrs["data-field"], each.to_text()) for each in parsed(answer).query("li[data-field]")}
    assert live == whole
    assert parsed(answer).query("#p-answer")[0].attrs["data-state"] == "partly"


@for_each(
    ("entries", "said"),
    [
        ({"region": "Atlantis"}, "Region"),
        ({"setting": "trial"}, "Setting"),
        ({"clock": "noon"}, "Counted from"),
        ({"date": "2026-02-30"}, "As of"),
        ({"date": "soon"}, "As of"),
        ({"audience": "nurse"}, "Sheet for"),
        ({"paper": "A3"}, "Paper"),
        ({"order": "perhaps"}, "Order of therapies"),
        ({"explain": "luck"}, "Explain"),
        ({"lang": "../../etc"}, "Language"),
        ({"rows": "x"}, "Rows"),
        ([("region", "US"), ("region", "EU")], "Region"),
        ({"nonsense": "1"}, "no option of the page"),
    ],
)  # fmt: skip
def test_anything_else_that_is_wrong_is_named_and_nothing_shown(entries, said):
    for path in ("/", "/page/result"):
        answer = send(SERVICE, entries, path)
        assert answer.status_code == 422
        assert said in text_of(answer, ".p-problems")
        assert not re.search(CHANGED, answer.text)


@for_each(
    ("entries", "said"),
    [
        ([("age", "70"), ("age", "71")], "Age: stands there twice"),
        ({"age": "7" * 2_001}, "Age: 2001 characters"),
        ({"weight": "70", "weight.unit": "stone"}, "Body weight"),
        ({"age": "1e999"}, "Age"),
        ({"age": "nan"}, "Age"),
        ({"refractory_to": "x, " * 600}, "Refractory to"),
        ({"prior_bcma_courses.months": "3"}, "Earlier BCMA courses"),
    ],
    plain=4,
)
def test_a_field_that_cannot_be_meant_is_named_and_left_out(entries, said):
    for path in ("/", "/page/result"):
        answer = send(SERVICE, entries, path)
        assert answer.status_code == 200
        assert said in text_of(answer, ".p-problems")
        assert sheet_of(answer).startswith(expected_part({}))


def test_a_day_that_is_none_stays_as_it_was_typed():
    assert dict(entries_of(send(SERVICE, date="2026-02-30")))["date"] == "2026-02-30"


@for_each(
    ("kind", "body", "status"),
    [
        ("application/json", b'{"age": 71}', 415),
        ("", b"age=71", 415),
        ("multipart/form-data; boundary=x", b"x", 415),
        (FORM["Content-Type"], b"age=" + b"7" * 500_001, 413),
        (FORM["Content-Type"], b"&".join(b"a%d=1" % n for n in range(1_000)), 400),
    ],
)
def test_what_is_no_form_is_a_page_that_says_so(kind, body, status):
    for path in ("/", "/page/result"):
        answer = ask(SERVICE, "POST", path, content=body, headers={"Content-Type": kind})
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert not re.search(CHANGED, answer.text)


@for_each("body", [b"%", b"age=%ff%fe", b"=&=&&", b"\xff\x00", b"age", b"age=71\x00"])
def test_broken_forms_are_answered(body):
    assert ask(SERVICE, "POST", "/", content=body, headers=FORM).status_code in (200, 400, 422)


HOSTILE = [
    '"><script>alert(1)</script>',
    "</textarea><img src=x onerror=alert(1)>",
    "{{ 7*7 }}",
    "' onfocus='x",
    "\u202e\x07",
]


@for_each("text", HOSTILE)
def test_text_of_a_stranger_stays_text(text):
    answers = [
        send(
            SERVICE,
            dict.fromkeys(("age", "creatinine.unit", "refractory_to", "frail", "region", "date", text), text),
        ),
        send(SERVICE, {"age": text, "refractory_to": text}, "/page/result"),
        ask(SERVICE, "GET", "/", params={"region": text, "example": text, text: text}),
        upload(SERVICE, json.dumps({text: text, "age": text, "received": [text]}).encode(), "p.json"),
    ]
    assert [answer.status_code for answer in answers] == [422, 200, 422, 422]
    for answer in answers:
        document = parsed(answer)
        assert not document.query("img, script:not([src])")
        assert len(document.query("script")) <= 1
        for element in document.query("*"):
            assert not [name for name in element.attrs if name.startswith("on") or name == "style"]
        assert "49" not in text_of(answer, ".p-problems")
        assert "\u202e" not in answer.text


# addresses hold nothing of a patient


def test_a_link_chooses_the_view_and_holds_no_patient():
    options = {"setting": "interventional", "region": "EU", "audience": "patient", "paper": "Letter", "lang": "de"}
    options |= {"clock": "decision", "order": "true", "explain": "orr"}
    answer = send(
        SERVICE, [*(PATIENT | options | {"date": "2025-01-01"}).items(), ("rows", "orr"), ("rows", "crs_any")]
    )
    assert answer.status_code == 200, text_of(answer, ".p-problems")
    link = parsed(answer).query("#p-link")[0].attrs["value"]
    for value in ("71", "1.4", "2025", "yes"):
        assert value not in link
    shown = dict(entries_of(ask(SERVICE, "GET", link)))
    assert {name: shown[name] for name in options} == options
    assert [v for name, v in entries_of(ask(SERVICE, "GET", link)) if name == "rows"] == ["orr", "crs_any"]
    assert shown["age"] == ""


@pytest.mark.parametrize("clock", ["infusion", "decision"])
def test_the_form_chooses_what_response_and_time_are_counted_from(clock):
    answer = send(SERVICE, {**PATIENT, "clock": clock}, "/page/result")
    page = parsed(answer)
    assert len(page.query(".time-box svg.fan")) == 2
    expected = compare(Patient.read(profile_of(PATIENT)), date=TODAY, pooled=model())
    response = expected.outcomes[0].estimates["car_t"]
    row = next(row for row in page.query("table.sheet-table tr") if row.to_text().split()[:2] == ["1", "Response"])
    shown = response.from_decision.mean if clock == "decision" else response.mean
    said = " ".join(row.query("td")[0].to_text().split())
    assert said.startswith(f"{wording.count(shown)} (")
    assert ("from the infusion" if clock == "decision" else "from the decision") in said


def test_time_can_be_chosen_as_a_row():
    document = parsed(ask(SERVICE, "GET", "/?rows=pfs"))
    (box,) = document.query('input[name=rows][value="pfs"]')
    assert "checked" in box.attrs
    assert len(document.query(".time-box svg.fan")) == 2
    assert document.query(".icons-box svg.icons") != []


def test_every_address_on_the_page_is_free_of_the_patient():
    for answer in (send(SERVICE, PATIENT), send(SERVICE, PATIENT | WRONG), send(SERVICE, PATIENT, "/page/result")):
        document = parsed(answer)
        addresses = [
            each.attrs[name] for each in document.query("*") for name in ("href", "src", "action", "formaction")
            if name in each.attrs
        ]  # fmt: skip
        own = [each for each in addresses if not each.startswith(("https://", "http://", "#"))]
        assert not [each for each in own if "71" in each.replace("-", "") and "/static/" not in each], own
        for form in document.query("form"):
            assert form.attrs["method"] == "post"


@pytest.mark.parametrize("query", ["age=71", "region=US&creatinine=1.4", "x=1"])
def test_a_patient_in_the_address_is_refused_and_not_shown(query):
    answer = ask(SERVICE, "GET", f"/?{query}")
    assert answer.status_code == 422
    assert "no option of the page" in text_of(answer, ".p-problems")
    assert dict(entries_of(answer))["age"] == ""
    assert not re.search(CHANGED, answer.text)


def test_an_example_that_does_not_exist_is_said():
    answer = ask(SERVICE, "GET", "/?example=../../etc/passwd")
    assert answer.status_code == 422
    assert "is not an example" in text_of(answer, ".p-problems")


# files


@pytest.mark.parametrize("form", ["yaml", "json"])
@pytest.mark.parametrize("name", example_names())
def test_a_saved_profile_is_read_by_the_program_and_by_the_page(tmp_path, name, form):
    page = ask(SERVICE, "GET", f"/?example={name}")
    saved = send(SERVICE, [*entries_of(page), ("format", form)])
    assert saved.status_code == 200
    assert saved.headers["content-disposition"] == f'attachment; filename="profile.{form}"'
    file = tmp_path / f"profile.{form}"
    file.write_bytes(saved.content)
    assert read_profile(file) == load_example(name)
    opened = upload(SERVICE, saved.content, file.name)
    assert opened.status_code == 200
    assert entries_of(opened) == entries_of(page)


def test_a_profile_of_which_nothing_is_known_can_be_saved_and_opened():
    saved = send(SERVICE, format="yaml")
    assert parse(saved.text) == {}
    assert upload(SERVICE, saved.content).status_code == 200


@pytest.mark.parametrize("form", ["pdf", "yaml", "json"])
def test_no_file_is_made_of_what_is_wrong(form):
    answer = send(SERVICE, WRONG | {"format": form})
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "content-disposition" not in answer.headers


def test_a_form_of_answer_that_does_not_exist_is_refused():
    assert send(SERVICE, format="exe").status_code == 422


def test_the_pdf_is_the_sheet_and_a_download():
    if missing():
        pytest.skip(missing())
    answer = send(SERVICE, PATIENT | {"format": "pdf"})
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["content-disposition"] == 'attachment; filename="comparison.pdf"'


def test_without_the_parts_of_a_pdf_it_is_not_offered(monkeypatch):
    monkeypatch.setattr("bcma_decide.service.printing.printing.missing", lambda: "the extra pdf")
    monkeypatch.setattr("bcma_decide.service.page.page_view.missing", lambda: "the extra pdf")
    assert not parsed(ask(SERVICE, "GET", "/")).query("button[value=pdf]")
    answer = send(SERVICE, format="pdf")
    assert answer.status_code == 503
    assert "the extra pdf" in text_of(answer)


@for_each(
    ("content", "name", "said"),
    [
        (b"", "p.yaml", "is empty"),
        (b"\xff\xfe", "p.yaml", "is not UTF-8 text"),
        (b"{", "p.json", "not JSON"),
        (b"[1]", "p.json", "is not a mapping"),
        (b"age: [", "p.yaml", "line 2: did not find"),
        (b"age: 7\nferritn: 3\n", "p.yaml", "did you mean 'ferritin'?"),
        (b"&a [*a]", "p.yaml", ""),
    ],
)
def test_a_file_that_cannot_be_used_is_said(content, name, said):
    answer = upload(SERVICE, content, name)
    assert answer.status_code == 422
    assert said in text_of(answer, ".p-problems")
    assert not re.search(CHANGED, answer.text)


def test_the_rest_of_a_file_with_a_mistake_is_kept():
    kept = dict(entries_of(upload(SERVICE, b"age: 7\nsex: f\nferritin: 850 ug/L\n")))
    assert (kept["age"], kept["sex"], kept["ferritin"], kept["ferritin.unit"]) == ("7", "female", "850", "ug/L")


@for_each(("content", "name"), [(b"age: {a: [1]}\nsex: f\n", "p.yaml"), (b'{"age": "\\ud800", "sex": "f"}', "p.json")])
def test_a_field_of_a_file_that_cannot_be_used_is_left_out(content, name):
    answer = upload(SERVICE, content, name)
    assert answer.status_code == 200
    assert "Age" in text_of(answer, ".p-problems")
    assert sheet_of(answer).startswith(expected_part({"sex": "f"}))


def test_a_file_is_limited_before_it_is_parsed_and_never_on_a_disk(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a file on the disk")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert upload(SERVICE, b"#" * 1_020_000).status_code == 413
    assert upload(SERVICE, b"age: 71\n" + b"#" * 999_000).status_code == 200


def test_opening_without_a_file_is_said():
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = ask(SERVICE, "POST", "/page/open", content=b"--x--\r\n", headers=headers)
    assert answer.status_code == 422
    assert "none was chosen" in text_of(answer, ".p-problems")
    assert ask(SERVICE, "POST", "/page/open", content=b"x", headers=headers).status_code in (400, 422)


# headers


def test_the_policy_of_the_page_allows_its_own_files_only():
    for answer in (
        ask(SERVICE, "GET", "/"),
        send(SERVICE, PATIENT, "/page/result"),
        ask(SERVICE, "GET", "/evidence", headers=HTML),
    ):
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert not answer.headers.get("set-cookie")
        assert not parsed(answer).query("style")


def test_files_of_the_page_have_a_name_for_each_content_and_may_be_kept():
    document = parsed(ask(SERVICE, "GET", "/"))
    names = [each.attrs.get("href") or each.attrs.get("src") for each in document.query("head link, head script")]
    assert len(names) == 5
    for name in names:
        assert re.fullmatch(r"/static/[\w-]+-[0-9a-f]{12}\.(css|js|svg)", name)
        answer = ask(SERVICE, "GET", name)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    other = parsed(ask(SERVICE, "GET", "/?audience=patient&paper=Letter")).query("#p-sheet-style")[0].attrs["href"]
    assert other.startswith("/static/patient-Letter-")
    assert "size: Letter" in ask(SERVICE, "GET", other).text
    for name in ("page.css", "x", "..%2Fpage.py", "page-000000000000.css"):
        assert ask(SERVICE, "GET", f"/static/{name}").status_code == 404


def test_answers_are_compressed_for_who_takes_it():
    plain = ask(SERVICE, "GET", "/", headers={"Accept-Encoding": "identity"})
    packed = ask(SERVICE, "GET", "/", headers={"Accept-Encoding": "gzip"})
    assert plain.text == packed.text
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 4


def test_below_a_path_every_address_of_the_page_stands_below_it():
    service = app(public_url="https://cds.example.org/bcma")
    document = parsed(ask(service, "GET", "/"))
    for each in document.query("head link, head script, form"):
        assert (each.attrs.get("href") or each.attrs.get("src") or each.attrs["action"]).startswith("/bcma/")
    assert document.query("#p-link")[0].attrs["value"].startswith("https://cds.example.org/bcma/?")


# who sees it


def test_with_issuers_the_page_is_for_who_comes_from_a_record(tmp_path):
    service = app(issuers=(issuer(tmp_path),))
    for answer in (
        ask(service, "GET", "/"),
        send(service, PATIENT),
        send(service, PATIENT, "/page/result"),
        upload(service, b"age: 71"),
    ):
        assert answer.status_code == 403
        assert "from the record of a patient" in answer.text
        assert not re.search(CHANGED, answer.text)
        assert not parsed(answer).query("#p-form")
    assert ask(service, "GET", "/static/x").status_code == 404
    for path in ("/comparisons", "/evidence", "/schema", "/page", "/static"):
        assert ask(service, "GET", path).status_code == 401


def test_behind_a_gate_of_the_site_it_is_open_and_the_rest_is_not(tmp_path):
    service = app(issuers=(issuer(tmp_path),), page="open")
    assert ask(service, "GET", "/").status_code == 200
    assert send(service, PATIENT).status_code == 200
    assert ask(service, "POST", "/comparisons").status_code == 401


def test_switched_off_there_is_none(tmp_path):
    for service, status in ((app(page="off"), 404), (app(page="off", issuers=(issuer(tmp_path),)), 401)):
        for path in ("/", "/static/x", "/page/result"):
            assert ask(service, "GET", path).status_code == status
    assert ask(app(page="off"), "GET", "/evidence", headers=HTML).headers["content-type"] == "application/json"


@for_each("service", [SERVICE, with_sessions()], ids=["open", "from a record"])
@for_each("path", ["/", "/page/result", "/page/open"])
def test_a_form_that_another_site_sends_is_refused(service, path):
    for origin in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        assert send(service, PATIENT, path, headers=COOKIE | origin).status_code == 403


def test_with_a_session_a_browser_has_to_say_where_a_form_comes_from():
    service = with_sessions()
    assert send(service, PATIENT, headers=COOKIE).status_code == 403
    assert send(service, PATIENT, headers=COOKIE | HERE).status_code == 200
    assert send(service, PATIENT, headers=COOKIE | {"Origin": "http://cds.example.org"}).status_code == 200
    assert send(SERVICE, PATIENT).status_code == 200, "without a session there is nothing to take"


# from a record


def test_a_record_fills_the_form_and_says_what_it_filled(tmp_path):
    service = with_sessions(issuers=(issuer(tmp_path),))
    assert ask(service, "GET", "/").status_code == 403
    answer = ask(service, "GET", "/", headers=COOKIE)
    assert answer.status_code == 200
    shown = dict(entries_of(answer))
    assert (shown["age"], shown["creatinine"], shown["creatinine.unit"]) == ("71", "1.4", "mg/dL")
    assert (shown["received"], shown["frail"]) == ("lenalidomide, bortezomib", "no")
    document = parsed(answer)
    assert document.query("#f-creatinine-source")[0].to_text().startswith("From the record, 20 November 2026")
    assert not document.query("#f-ferritin-source")
    assert [each for each in document.query(".p-replaced") if "hidden" not in each.attrs] == []
    assert text_of(answer).count(RECORD.banner) == 1
    ledger = text_of(answer, ".p-record")
    for part in (
        "Ferritin: 900",
        "has no unit",
        "Zebedee-mab",
        "procedures: the server refused",
        "Creatinine: 1.4 mg/dL",
    ):
        assert part in ledger
    assert RECORD.banner not in sheet_of(answer).split("</footer>")[0]
    assert not document.query(".p-sources"), "no example and no file over a record"


def test_what_is_changed_is_marked_as_replaced_and_the_banner_is_not_in_the_live_answer():
    service = with_sessions()
    entries = dict(entries_of(ask(service, "GET", "/", headers=COOKIE)))
    untouched = send(service, entries, "/page/result", headers=COOKIE | HERE)
    assert parsed(untouched).query("#p-answer")[0].attrs["data-replaced"] == ""
    changed = entries | {"age": "72", "frail": "", "ferritin": "900 ng/mL"}
    live = send(service, changed, "/page/result", headers=COOKIE | HERE)
    assert set(parsed(live).query("#p-answer")[0].attrs["data-replaced"].split()) == {"age", "frail", "ferritin"}
    assert "replaced: Age: 71 years" in text_of(live, ".p-record")
    assert "replaced on the page" in text_of(live, ".p-record")
    assert RECORD.banner not in live.text
    whole = parsed(send(service, changed, headers=COOKIE | HERE))
    marked = {each.parent.attrs["id"] for each in whole.query(".p-replaced") if "hidden" not in each.attrs}
    assert marked == {"f-age-source", "f-frail-source"}


def test_an_example_is_not_shown_over_a_record():
    answer = ask(with_sessions(), "GET", "/?example=fit-58", headers=COOKIE)
    assert answer.status_code == 422
    assert dict(entries_of(answer))["age"] == "71"


def test_without_its_cookie_the_record_is_not_shown():
    service = with_sessions()
    for cookies in ({}, {"Cookie": "session=other"}):
        assert "Zebedee" not in ask(service, "GET", "/", headers=cookies).text


def test_text_of_a_record_stays_text():
    from bcma_decide.service.app import create_app
    from bcma_decide.service.settings import Settings

    filled = Filled({"age": HOSTILE[0], "received": [HOSTILE[1]]}, banner=HOSTILE[0], not_read=(HOSTILE[1],))
    service = create_app(Settings(), model(), sessions=Sessions(filled), today=lambda: TODAY)
    answer = ask(service, "GET", "/", headers=COOKIE)
    assert answer.status_code == 200
    assert parsed(answer).query("#p-answer")[0].attrs["data-state"] == "partly"
    assert not parsed(answer).query("img")
    assert len(parsed(answer).query("script")) == 1


# the evidence as a page


def test_evidence_is_a_page_for_readers_and_json_for_programs(tmp_path):
    service = app(issuers=(issuer(tmp_path),))
    page = ask(service, "GET", "/evidence", headers=HTML)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["vary"] == "Accept, Accept-Encoding"
    text = text_of(page)
    for each in (model().hash, *(study.name for study in model().studies), *(f.label for f in FIELDS.values())):
        assert each in text
    assert ask(service, "GET", "/evidence").status_code == 401
    assert ask(service, "GET", "/evidence", headers={"Accept": "application/json"}).status_code == 401
    assert ask(service, "POST", "/evidence", headers=HTML).status_code == 401
    as_json = ask(service, "GET", "/evidence", headers=bearer(token()))
    assert as_json.json() == ask(SERVICE, "GET", "/evidence").json()
    assert as_json.headers["content-type"] == "application/json"
    assert justhtml.JustHTML(page.text, strict=True, sanitize=False)


# words and log


def test_it_directs_nobody():
    for answer in (send(SERVICE, WRONG), ask(SERVICE, "GET", "/evidence", headers=HTML)):
        document = parsed(answer)
        own = " ".join(
            each.to_text()
            for each in document.query(
                "h1, h2, h3, label, legend, summary, button, p:not(.p-hint):not(.as-printed), .p-problems li, "
                ".p-top, footer"
            )
        )
        assert not DIRECTIVE.search(own), DIRECTIVE.search(own)


def test_nothing_of_a_form_reaches_the_log(capfd):
    from bcma_decide.service.http.access_log import set_up_logging

    set_up_logging()
    marker = "Zebedee-4711"
    send(SERVICE, {"age": marker, marker: marker})
    upload(SERVICE, f"{marker}: 1".encode(), f"{marker}.yaml")
    ask(SERVICE, "GET", f"/?region={marker}")
    out, err = written(capfd)
    assert marker not in out + err
    assert {json.loads(line)["route"] for line in out.splitlines()} == {"/", "/page/open"}


# the audit


def test_every_comparison_on_the_page_is_recorded_and_repeated_from_its_record(tmp_path):
    pytest.importorskip("sqlalchemy")
    from bcma_decide.service.audit.replay import replay
    from tests.service.support.audits import audited, records

    address = f"sqlite:///{tmp_path}/audit.db"
    with audited(address) as service:
        answers = [
            ask(service, "GET", "/?example=renal-74"),
            send(service, PATIENT | {"region": "EU"}),
            send(service, PATIENT, "/page/result"),
            upload(service, b"age: 71\n"),
        ]
        others = [send(service, PATIENT | {"format": "yaml"}), send(service, BAD_VIEW), ask(service, "GET", "/?x=1")]
    found = records(address)
    assert [each.face for each in found] == ["page"] * len(answers)
    assert [each.id for each in reversed(found)] == [answer.headers["audit-id"] for answer in answers]
    assert not [answer for answer in others if "audit-id" in answer.headers]
    assert [replay(each, model()).verdict for each in found] == ["same"] * len(answers)


def test_what_cannot_be_recorded_is_not_shown(tmp_path):
    pytest.importorskip("sqlalchemy")
    from tests.service.support.audits import audited

    path = tmp_path / "audit.db"
    with audited(f"sqlite:///{path}") as service:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("ALTER TABLE audit RENAME TO away")
        for answer in (ask(service, "GET", "/"), send(service, PATIENT), send(service, PATIENT, "/page/result")):
            assert answer.status_code == 503
            assert "cannot be recorded" in answer.text
            assert not re.search(CHANGED, answer.text)
