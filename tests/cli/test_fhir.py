"""``bcma-decide compare --fhir``: the patient from a record, with its ledger on every face."""

import json
import re

import pytest

from bcma_decide.cli.records import patient_from_record
from tests.cli.support.program import invoke
from tests.fhir.reading.support.records import (
    BUNDLES,
    LOINC,
    RXNORM,
    SNOMED,
    bundle,
    coded,
    condition,
    given,
    observation,
    person,
    quantity,
)
from tests.support.cases import for_each

EXAMPLE = BUNDLES / "fit-58.json"
HB = coded(LOINC, "718-7")


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "record.json"
    path.write_text(
        json.dumps(
            bundle(
                person(birthDate="1958-02-03", gender="female"),
                condition("mm", SNOMED, "109989006"),
                observation("hb", HB, valueQuantity=quantity(9.8, "g/dL")),
                observation("old", coded(LOINC, "2276-4"), days=90, valueQuantity=quantity(500, "ng/mL")),
                observation("crp", coded(LOINC, "1988-5"), valueQuantity={**quantity(5, "mg/L"), "comparator": "<"}),
                given("len", coded(RXNORM, "342369")),
                given("new", {"text": "Wonderdrug"}),
            )
        ),
        encoding="utf-8",
    )
    return path


def result(*arguments, **more):
    done = invoke("compare", *arguments, "--json", **more)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_record_is_in_the_result(record):
    profile = result("--fhir", record)["profile"]
    states = {(line["field"], line["state"]) for line in profile["inputs"]}
    assert {("age", "used"), ("hemoglobin", "used"), ("ferritin", "stale"), ("crp", "used"), ("received", "used"),
            ("prior_lines", "not_usable")} <= states  # fmt: skip
    assert [line["text"] for line in profile["unmapped"]] == ["Wonderdrug"]
    assert (profile["record_date"], profile["record_date_asked"]) == ("2026-11-25", False)


def test_the_same_record_gives_the_same_bytes(record):
    first, second = (invoke("compare", "--fhir", record, "--json").stdout for _ in range(2))
    assert first == second


def test_standard_input_is_read(record):
    text = record.read_text(encoding="utf-8")
    assert result("--fhir", "-", given=text) == result("--fhir", record)


def test_the_numbers_are_those_of_the_same_profile_given_by_hand(record):
    by_hand = result("--age", "68", "--sex", "female", "--hemoglobin", "9.8 g/dL", "--received", "lenalidomide")
    assert result("--fhir", record)["outcomes"] == by_hand["outcomes"]


def test_the_asked_day_decides_what_is_old(record):
    profile = result("--fhir", record, "--date", "2027-01-15")["profile"]
    assert {line["state"] for line in profile["inputs"] if line["field"] == "hemoglobin"} == {"stale"}
    assert (profile["record_date"], profile["record_date_asked"]) == ("2027-01-15", True)


def test_an_option_replaces_a_field_and_the_ledger_says_so(record):
    profile = result("--fhir", record, "--hemoglobin", "11 g/dL")["profile"]
    (line,) = [line for line in profile["inputs"] if line["field"] == "hemoglobin"]
    assert (line["state"], line["note"]) == ("replaced", "replaced by --hemoglobin")
    assert any("11 g/dL" in line["text"] for line in profile["carried"])


def test_lines_are_inferred_only_on_request_and_marked(record):
    traits = {line["trait"]: line for line in result("--fhir", record, "--infer")["profile"]["traits"]}
    assert (traits["prior_lines"]["text"], traits["prior_lines"]["how"]) == ("1", "given; inferred from the record")
    assert {line["trait"]: line for line in result("--fhir", record)["profile"]["traits"]}["prior_lines"][
        "state"
    ] == "unknown"


def test_the_terminal_says_what_was_used_and_what_was_not(record):
    text = " ".join(invoke("compare", "--fhir", record, "--full").stdout.split())
    assert "From the record; ages counted to 25 November 2026, the newest date of the record" in text
    assert "Haemoglobin: 9.8 g/dL, 2026-11-22 (3 days)" in text
    assert "Ferritin: 500 ng/mL, 2026-08-27 (90 days), 90 days old, more than 14" in text
    assert "drugs not recognised: Wonderdrug" in text


def test_what_was_withdrawn_is_told_with_its_reason_and_what_was_left_out_is_counted_first(record):
    bundle = json.loads(record.read_text(encoding="utf-8"))
    given = {
        "resourceType": "MedicationAdministration", "id": "tec", "status": "entered-in-error",
        "medicationCodeableConcept": {"text": "teclistamab"}, "effectiveDateTime": "2026-01-10",
        "subject": bundle["entry"][1]["resource"]["subject"],
    }  # fmt: skip
    bundle["entry"].append({"resource": given})
    record.write_text(json.dumps(bundle), encoding="utf-8")
    text = " ".join(invoke("compare", "--fhir", record, "--full").stdout.split())
    assert re.search(r"\? ignored [^.]*teclistamab, 2026-01-10[^.]*entered-in-error", text)
    short = " ".join(invoke("compare", "--fhir", record).stdout.split())
    states = [line["state"] for line in result("--fhir", record)["profile"]["inputs"]]
    used, left = states.count("used"), sum(state in ("stale", "not_usable", "contradiction") for state in states)
    assert left >= 1
    assert f"{used} values from the record, {left} seen and not used" in short, short


def test_no_section_without_a_record():
    assert "From the record" not in invoke("compare", "--age", "68", "--full").stdout


def test_plain_lines_have_one_value_each(record):
    rows = [line.split("\t") for line in invoke("compare", "--fhir", record, "--plain", "--full").stdout.splitlines()]
    found = [row for row in rows if row[0] == "from the record" and row[1] == "Haemoglobin"]
    assert [row[1:] for row in found] == [
        ["Haemoglobin", "9.8 g/dL", "used", "2026-11-22", "3", "Observation/hb", "loinc 718-7", "code, verified", ""]
    ]
    assert ["not read", "drug", "Wonderdrug", "", "1"] in rows


def test_the_sheet_has_dates_beside_values_and_the_rest_on_its_second_page(record, tmp_path):
    page = tmp_path / "sheet.html"
    assert invoke("compare", "--fhir", EXAMPLE, "--html", page).exit_code == 0
    text = " ".join(re.sub("<[^>]+>", " ", page.read_text(encoding="utf-8")).split())
    assert "ISS stage III: no (oldest 2025-10-21, 400 days)" in text
    assert invoke("compare", "--fhir", record, "--html", page, "--infer").exit_code == 0
    text = " ".join(re.sub("<[^>]+>", " ", page.read_text(encoding="utf-8")).split())
    assert "Prior lines: 1 (inferred from the record)" in text
    assert "too old: Ferritin: 500 ng/mL" in text
    printed = text.partition("In the record, seen and not used")[2].partition("Method")[0]
    assert "Ferritin: 500 ng/mL" in printed, "on paper too, where the rest of the record has no room"
    assert "drugs not recognised: Wonderdrug" in text


@for_each(
    ("arguments", "code", "message"),
    [
        (["--fhir", "none.json"], 3, "none.json: cannot be read"),
        (["--fhir", "-"], 3, "standard input: line 1: not JSON"),
        (["--fhir", EXAMPLE, "--example", "fit-58"], 2, "two patients"),
        (["profile.yaml", "--fhir", EXAMPLE], 2, "two patients"),
        (["--infer", "--age", "70"], 2, "give --fhir with it"),
        (["--fhir", EXAMPLE, "--ask"], 2, "give no other patient with it"),
        (["--fhir", EXAMPLE, "--date", "tomorrow"], 2, "is not a day"),
        (["--fhir", EXAMPLE, "--hemoglobin", "high"], 3, "hemoglobin"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, code, message):
    done = invoke("compare", *arguments, given="x")
    assert done.exit_code == code
    assert message in " ".join(re.sub("[│╭╮╰╯─]", " ", done.output).split())


def test_the_message_names_the_file_and_the_place_in_it(tmp_path):
    path = tmp_path / "two.json"
    path.write_text(json.dumps(bundle(person(), {**person(), "id": "b"})), encoding="utf-8")
    done = invoke("compare", "--fhir", path, COLUMNS="300")
    assert done.exit_code == 3
    assert f"{path}: entry[1].resource: is a second patient (one patient per bundle)" in done.output


def test_a_record_without_any_date_asks_for_one(tmp_path):
    path = tmp_path / "undated.json"
    path.write_text(json.dumps(bundle(person(), timestamp=None)), encoding="utf-8")
    done = invoke("compare", "--fhir", path)
    assert done.exit_code == 3
    assert "--date" in done.output
    assert invoke("compare", "--fhir", path, "--date", "2026-11-25").exit_code == 0


def test_help_teaches_it():
    text = invoke("compare", "--help", COLUMNS="200").stdout
    assert "--fhir" in text
    assert "--infer" in text
    assert "bundle.json" in text
    assert patient_from_record.__doc__
