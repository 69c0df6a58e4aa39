"""What people type is read alike through Python, a file, an option and the form of the page, or refused alike."""

import json

import pytest
from typer.testing import CliRunner

from bcma_decide import Patient, ProfileError, compare
from bcma_decide.cli.sources import patient_from_sources
from bcma_decide.comparing.compare import load_pooled
from bcma_decide.comparing.question import Question
from bcma_decide.facts.traits import derive
from bcma_decide.logic import Chance
from bcma_decide.patient.entry import overridden
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.files import read_profile
from bcma_decide.patient.names import ALIASES, CALLED, by_name, fold_name, nearest_name
from bcma_decide.pooled.definitions import shipped_definitions
from bcma_decide.service.page.form_values import profile_of, texts_of
from bcma_decide.spellings import read_day, read_region
from tests.patient.support.spellings import READ, REFUSED
from tests.support.cases import for_each


def by_python(name, value):
    return Patient.read({name: value})


def by_option(name, value):
    return patient_from_sources(None, None, {name: value})


def by_file(name, value, folder):
    path = folder / "profile.json"
    path.write_text(json.dumps({name: value}), encoding="utf-8")
    return read_profile(path)


def by_form(name, value):
    """The form has controls of fields only; a control holds the text as it was typed."""
    field = by_name().get(fold_name(name), name)
    return Patient.read(profile_of({field: value}) or {field: value})


def known(patient, field):
    return patient.spans.get(field) if getattr(patient, field) is None else getattr(patient, field)


def test_the_tables_are_as_long_as_promised():
    assert len(READ) >= 60
    assert len(REFUSED) >= 40


@for_each(("name", "value", "field", "expected"), READ)
def test_what_is_read(name, value, field, expected, tmp_path):
    patient = by_python(name, value)
    found = known(patient, field)
    if hasattr(expected, "value"):
        assert found.unit == expected.unit
        assert found.value == pytest.approx(expected.value, rel=1e-12)
    else:
        assert found == expected
    assert by_file(name, value, tmp_path) == by_option(name, value) == by_form(name, value) == patient


@for_each(("name", "value", "message"), REFUSED)
def test_what_stays_refused(name, value, message, tmp_path):
    said = []
    for read in (by_python, by_option, by_form, lambda n, v: by_file(n, v, tmp_path)):
        with pytest.raises(ProfileError) as caught:
            read(name, value)
        said.append([(problem.field, problem.message, problem.fix) for problem in caught.value.problems])
    assert said[0] == said[1] == said[2] == said[3]
    assert message in " ".join(said[0][0])


# What was read is shown as read


@for_each(
    ("given", "shown"),
    [
        ({"hb": "10,4 g/dl"}, "Haemoglobin 10,4 g/dl read as 10.4 g/dL"),
        ({"plt": "85/nl"}, "Platelets 85/nl read as 85 10^9/L"),
        ({"lines": ">=4"}, "Earlier lines of therapy >=4 read as 4 or more"),
        ({"crcl": "ckd 3b"}, "Creatinine clearance ckd 3b read as 30 to 44 mL/min"),
        ({"crcl": "<30 ml/min"}, "Creatinine clearance <30 ml/min read as below 30 mL/min"),
        ({"refractory": "Kd"}, "Refractory to Kd read as carfilzomib, dexamethasone"),
        ({"ldh": "400 U/L", "ldh_uln": "250 U/L"}, "LDH 400 U/L read as 1.6 x ULN (upper limit 250 U/L)"),
        ({"hb": "10 mmol/L"}, "Haemoglobin 10 mmol/L read as 16.114 g/dL (monomer, 1 mmol/L = 1.611 g/dL)"),
    ],
)
def test_what_was_interpreted_is_shown_with_the_answer(given, shown):
    assert compare(Patient.read(given)).profile.read_as == (shown,)


@for_each(
    "given",
    [{"hemoglobin": "10.4 g/dL"}, {"platelets": "85 10^9/L"}, {"ldh": "1.3 x ULN"}, {"age": 71}, {"ecog": "2"},
     {"refractory_to": "lenalidomide"}, {"prior_bcma_courses": "car_t:7"}, {"crp": "30 mg/L"}],
)  # fmt: skip
def test_plain_spellings_are_not_told(given):
    assert Patient.read(given).read_as == ()


def test_a_question_is_written_and_read_with_what_was_interpreted():
    patient = Patient(hb="10,4 g/dl", lines=">=4", ecog="1-2", refractory="VRd", crcl="<30 ml/min")
    pooled = load_pooled()
    written = Question(patient=patient).written()
    again = Question.read(written, pooled.definitions)
    assert again.patient == patient
    assert again.written() == written
    assert compare(again.patient) == compare(patient)


def test_what_reading_adds_cannot_be_typed():
    with pytest.raises(ProfileError, match="read_as"):
        Patient.read({"read_as": ["<b>anything</b>"]})


# Spans: known only where the whole span says the same


@for_each(
    ("given", "trait", "expected"),
    [
        ({"crcl": "ckd 3b"}, "renal_impairment", True),  # 30 to 44, all below 45
        ({"crcl": "ckd 3a"}, "renal_impairment", False),  # 45 to 59
        ({"crcl": "ckd 3"}, "renal_impairment", None),  # 30 to 59
        ({"ecog": "0-1"}, "ecog_ge_2", False),
        ({"ecog": "1-2"}, "ecog_ge_2", None),
        ({"ecog": ">=2"}, "ecog_ge_2", True),
        ({"kps": "60-70"}, "ecog_ge_2", None),
        ({"lines": ">=4"}, "prior_lines", None),
    ],
)
def test_a_trait_is_known_only_where_the_whole_span_agrees(given, trait, expected):
    line = next(each for each in compare(Patient.read(given)).profile.traits if each.trait == trait)
    assert line.value is expected


def test_a_label_that_asks_for_four_lines_is_met_by_four_or_more():
    """US label of ide-cel and the rest: the item on lines is met by a span, and open where the span reaches below."""
    met, open_ = (compare(Patient(lines=text)).indications["teclistamab"].items for text in (">=4", "3-5"))
    lines = [place for place, item in enumerate(met) if "lines" in item.text or "prior" in item.text]
    assert lines
    assert {met[place].state for place in lines} == {"met"}
    assert {open_[place].state for place in lines} == {"cannot_be_judged"}


def test_a_span_that_settles_nothing_is_averaged_over_like_the_unknown():
    span, unknown = (compare(patient).outcomes for patient in (Patient(lines=">=4", ecog="1-2"), Patient()))
    assert [each.estimates["car_t"].mean for each in span] == [each.estimates["car_t"].mean for each in unknown]


def test_a_span_that_contradicts_something_is_not_used_either():
    """A clearance below 20 mL/min beside *no renal impairment*, which begins below 45: neither counts."""
    traits = derive(Patient(crcl="<20 ml/min", renal_impairment="no"), shipped_definitions())
    assert [set(each.fields) for each in traits.contradictions] == [{"renal_impairment", "creatinine_clearance"}]
    assert traits["renal_impairment"].value is None
    assert traits.facts.number("creatinine_clearance") is None


@for_each(("written", "unknown"), [("20-30 mL/min", 0.0), ("30-60 mL/min", 1.0), ("60-90 mL/min", 0.0)])
def test_a_measured_span_counts_with_the_share_that_holds_wherever_in_it_the_value_lies(written, unknown):
    """Cut-off 45 mL/min; the ends lie at least 25 % from it, and a clearance varies by 9 %."""
    found = derive(Patient(crcl=written), shipped_definitions())["renal_impairment"]
    chance = found.chance or Chance.of(found.value)
    assert chance.unknown == pytest.approx(unknown, abs=0.01)


# A pasted list


LIST = """Labor vom 22.11.2026
Hb 9,8 g/dl
Thrombozyten: 71 /nl (150-400)
Kreatinin\t1,4\tmg/dl\t0,5-0,9\tH
Leukozyten 3,2 /nl
LDH 400 U/l (<250)
β2-Mikroglobulin 5,5 mg/l
CRP 64 mg/L +
GFR (CKD-EPI) 48 ml/min
"""


def test_every_line_of_a_list_is_read_or_told():
    patient = Patient(labs=LIST)
    assert {name: str(value) for name, value in patient.given().items()} == {
        "hemoglobin": "9.8 g/dL",
        "platelets": "71 10^9/L",
        "creatinine": "1.4 mg/dL",
        "ldh": "1.6 x ULN",
        "beta2_microglobulin": "5.5 mg/L",
        "crp": "6.4 mg/dL",
        "egfr": "48 mL/min/1.73 m2",
    }
    told = " | ".join(patient.read_as)
    for line in LIST.splitlines():
        assert " ".join(line.split())[:20] in told
    assert "line 1, Labor vom 22.11.2026: not read" in told
    assert "line 5, Leukozyten 3,2 /nl: not read" in told


@for_each(
    ("text", "field", "message"),
    [
        ("Hb 9,8", "labs[line 1]", "has no unit"),
        ("Hb 9,8 g/dl\nFerritin 1.200 ng/ml", "labs[line 2]", "may be 1.2 ng/mL or 1200 ng/mL"),
        ("Hb 9,8 g/dl\nHb 10,1 g/dl", "labs[line 2]", "stands in line 1 too"),
        ("Hb 9,8 g/dl nach Transfusion", "labs[line 1]", "is not name, number and unit"),
        ("LDH 400 U/l", "labs[line 1]", "upper limit"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_by_its_number(text, field, message):
    with pytest.raises(ProfileError) as caught:
        Patient(labs=text)
    (problem,) = caught.value.problems
    assert problem.field == field
    assert message in problem.message


def test_a_list_on_one_line_is_the_same_list():
    many, one = (Patient(labs=text).given() for text in ("Hb 9,8 g/dl\nPLT 71/nl", "Hb 9,8 g/dl, PLT 71/nl"))
    assert many == one


def test_a_value_given_by_itself_takes_the_place_of_a_line_and_that_is_told():
    patient = Patient(labs="Hb 9,8 g/dl", hemoglobin="10.4 g/dL")
    assert patient.hemoglobin.value == 10.4
    assert patient.read_as == ("line 1, Hb 9,8 g/dl: not read, Haemoglobin is given by itself",)


def test_options_replace_what_a_file_has_under_another_name():
    assert overridden({"hb": "9 g/dL", "age": 70}, {"hemoglobin": "10 g/dL"}) == {"age": 70, "hemoglobin": "10 g/dL"}
    assert overridden({"hemoglobin": "9 g/dL"}, {"labs": "Hb 10 g/dl"}) == {"labs": "Hb 10 g/dl"}


def test_a_list_comes_from_a_file_or_standard_input_on_the_command_line(tmp_path):
    from bcma_decide.cli.app import app

    path = tmp_path / "labs.txt"
    path.write_text(LIST, encoding="utf-8")
    outputs = [
        CliRunner().invoke(app, ["compare", "--labs", file, "--json"], input=LIST).output for file in (str(path), "-")
    ]
    assert outputs[0] == outputs[1]
    assert "Hb 9,8 g/dl read as Haemoglobin 9.8 g/dL" in json.loads(outputs[0])["profile"]["read_as"]


# Names


def test_every_name_names_one_field():
    names = [
        (fold_name(name), field)
        for field in FIELDS
        for name in {field, *ALIASES.get(field, ()), *CALLED.get(field, ())}
    ]
    meanings = {}
    for name, field in names:
        assert meanings.setdefault(name, field) == field
    assert ALIASES.keys() | CALLED.keys() <= FIELDS.keys()


@for_each(
    ("written", "suggested"),
    [("agee", "age"), ("thrombocyten", "platelets"), ("haemoglobine", "hemoglobin"), ("prior_line", "prior_lines")],
)
def test_a_suggestion_is_close_in_meaning(written, suggested):
    assert nearest_name(written) == suggested


@for_each("written", ["eds", "mdd", "emb", "crb", "pld", "asl", "kpl", "x", "hbx"])
def test_short_names_are_not_taken_for_other_short_names(written):
    assert nearest_name(written) == ""


# What is asked


@for_each(
    ("written", "region"),
    [("DE", "EU"), ("Germany", "EU"), ("Deutschland", "EU"), ("USA", "US"), ("us", "US"), ("cn", "China"),
     ("norway", "EU"), ("EU", "EU"), ("Switzerland", "CH")],
)  # fmt: skip
def test_a_country_stands_for_its_region(written, region):
    assert read_region(written, load_pooled().rules.regions) == region
    assert compare(Patient(), region=written).labels.region == region


@for_each("written", ["UK", "Mars", "", "Japan"])
def test_a_country_without_labels_is_refused(written):
    with pytest.raises(ProfileError, match="has no label here"):
        compare(Patient(), region=written)


@for_each(
    ("written", "day"),
    [("2026-11-22", "2026-11-22"), ("22.11.2026", "2026-11-22"), ("3.4.2026", "2026-04-03"),
     ("11/22/2026", "2026-11-22"), ("22/11/2026", "2026-11-22"), ("04/04/2026", "2026-04-04")],
)  # fmt: skip
def test_a_day_as_written(written, day):
    assert read_day(written).isoformat() == day


@for_each("written", ["03/04/2026", "31.02.2026", "22.11.26", "November 2026", "2026-13-01", ""])
def test_a_day_with_two_readings_or_none_is_refused(written):
    with pytest.raises(ProfileError, match="the day cannot be used"):
        read_day(written)


@for_each("written", ["trial", "Trials", "interventional"])
def test_a_setting_is_called_the_same_everywhere(written):
    assert compare(Patient(), setting=written) == compare(Patient(), setting="interventional")


@for_each("written", ["phase 3", "", None, 3])
def test_a_setting_that_is_none_says_what_is_allowed(written):
    with pytest.raises(ProfileError, match=r"real-world .* or trial"):
        compare(Patient(), setting=written)


def test_the_form_keeps_the_names_of_a_file_that_is_opened():
    from bcma_decide.patient.entry import canonical_names

    values, problems = canonical_names({"hb": "10,4 g/dl", "emd": "ja", "labs": "PLT 71/nl"})
    assert problems == []
    assert Patient.read(profile_of(texts_of(values))).given() == Patient.read(values).given()
