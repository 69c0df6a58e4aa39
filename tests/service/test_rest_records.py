"""Records over REST: as the whole body or as a field, with their ledger, hostile ones; and the answer as FHIR."""

import base64
import copy
import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from fhir.resources.R4B.bundle import Bundle

from bcma_decide.cli.serve import _read
from bcma_decide.comparing.compare import compare
from bcma_decide.comparison import Comparison, result_json
from bcma_decide.fhir.reading.reader import read_bundle
from bcma_decide.patient.files import example_names
from bcma_decide.render.sheet.pdf import missing
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
from tests.service.support.service import TODAY, app, ask, model, post
from tests.support.cases import for_each

SERVICE = app(reading=partial(_read, model()))
FHIR = "application/fhir+json"
HB = coded(LOINC, "718-7")
MARKER = "Zebedee-4711"


def record_of(name):
    return json.loads((BUNDLES / f"{name}.json").read_text(encoding="utf-8"))


def send(body, query="", service=SERVICE, **headers):
    """A Bundle as the whole body."""
    content = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return ask(service, "POST", f"/comparisons{query}", content=content, headers={"Content-Type": FHIR, **headers})


def problems(answer):
    return {each.get("field", ""): each["message"] for each in answer.json()["errors"]}


@for_each("name", example_names())
def test_a_record_gives_the_comparison_of_its_profile_with_the_ledger(name):
    record = record_of(name)
    reading = read_bundle(record, model().codes, model().definitions, TODAY)
    expected = compare(reading.patient, pooled=model(), date=TODAY, record=reading.ledger)
    for answer in (send(record), post(SERVICE, "/comparisons", {"record": record})):
        assert answer.status_code == 200, answer.text
        assert answer.text == result_json(expected)
    assert expected.profile.inputs


def test_options_stand_in_the_query_beside_a_bundle_and_in_the_body_of_a_request():
    record = bundle(person(birthDate="1958-02-03"), given("len", coded(RXNORM, "342369")))
    options = {"setting": "interventional", "region": "EU", "date": "2024-01-15", "infer": True, "clock": "decision"}
    whole = send(record, "?setting=interventional&region=EU&date=2024-01-15&infer=true&clock=decision")
    inside = post(SERVICE, "/comparisons", {"record": record, **options})
    assert whole.text == inside.text
    found = Comparison.model_validate_json(whole.content)
    assert (found.profile.setting, found.labels.region, found.labels.date) == ("interventional", "EU", "2024-01-15")
    assert (found.profile.record_date, found.profile.record_date_asked) == ("2024-01-15", True)
    traits = {each.trait: each for each in found.profile.traits}
    assert traits["age"].text == "65 years"  # born 1958-02-03, on 2024-01-15: not yet 66


def test_lines_are_inferred_only_on_request():
    record = bundle(person(), given("len", coded(RXNORM, "342369")))

    def lines(query):
        found = Comparison.model_validate_json(send(record, query).content)
        return {each.trait: each for each in found.profile.traits}["prior_lines"]

    assert lines("").state == "unknown"
    assert (lines("?infer=true").text, lines("?infer=true").how) == ("1", "given; inferred from the record")


def test_ages_are_counted_to_today_unless_a_day_is_asked_for():
    record = bundle(person(birthDate="1958-11-26"), observation("hb", HB, valueQuantity=quantity(9.8, "g/dL")))
    today = Comparison.model_validate_json(send(record).content)
    assert (today.labels.date, today.profile.record_date) == (TODAY.isoformat(), TODAY.isoformat())
    assert {"68 years"} == {each.text for each in today.profile.traits if each.trait == "age"}
    later = Comparison.model_validate_json(send(record, "?date=2027-01-15").content)
    assert {each.state for each in later.profile.inputs if each.field == "hemoglobin"} == {"stale"}


@for_each(
    ("body", "field"),
    [
        ({}, ""),
        ({"setting": "real_world"}, ""),
        ({"profile": {}, "record": {"resourceType": "Bundle"}}, ""),
        ({"profile": {}, "infer": True}, ""),
        ({"record": None}, "record"),
        ({"record": [1]}, "record"),
        ({"record": {"resourceType": "Bundle"}, "infer": "perhaps"}, "infer"),
        ({"resourceType": "Bundle", "type": "collection"}, "resourceType"),
    ],
)
def test_a_request_without_exactly_one_patient_is_422(body, field):
    answer = post(SERVICE, "/comparisons", body)
    assert answer.status_code == 422, answer.text
    assert list(problems(answer)) == [field]


@pytest.mark.parametrize("query", ["setting=interventional", "region=EU", "date=2026-01-01", "infer=true"])
def test_options_in_the_query_of_a_request_in_json_are_not_passed_over(query):
    answer = post(SERVICE, f"/comparisons?{query}", {"profile": {"age": 71}})
    assert answer.status_code == 422
    assert list(problems(answer)) == [query.partition("=")[0]]


@for_each("query", ["setting=trial", "region=Atlantis", "date=soon", "date=2026-02-30", "infer=maybe"])
def test_options_that_cannot_be_used_are_422(query):
    answer = send(record_of("fit-58"), f"?{query}")
    assert answer.status_code == 422
    assert query.partition("=")[0] in next(iter(problems(answer)))


HOSTILE = {
    "no Bundle": ({"resourceType": "Patient", "id": "p"}, "resourceType"),
    "a profile": ({"profile": {"age": 71}}, "resourceType"),
    "a history": ({"resourceType": "Bundle", "type": "history"}, "type"),
    "entries that are no list": ({"resourceType": "Bundle", "entry": {"a": 1}}, "entry"),
    "two patients": (bundle(person(), {**person(), "id": "other"}), "entry[1].resource"),
    "a foreign value": (
        bundle(person(), observation("a", HB) | {"subject": {"reference": f"Patient/{MARKER}"}}),
        "entry[1].resource.subject",
    ),
}


@for_each(("record", "place"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_record_of_one_patient_is_refused_with_its_place(record, place):
    whole, inside = send(record), post(SERVICE, "/comparisons", {"record": record})
    for answer, field in ((whole, place), (inside, f"record.{place}")):
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:bcma-decide:problem:invalid-record"
        assert list(problems(answer)) == [field]
        assert MARKER not in answer.text


BROKEN = {
    "empty": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "deep": b'{"resourceType": "Bundle", "entry":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "not UTF-8": b'{"resourceType": "\xff"}',
    "twice": b'{"resourceType": "Bundle", "resourceType": "Bundle"}',
    "NaN": b'{"resourceType": "Bundle", "total": NaN}',
}


@for_each("body", BROKEN.values(), ids=BROKEN)
def test_what_is_no_json_object_is_400(body):
    assert send(body).status_code == 400


@pytest.mark.parametrize("depth", [65, 200, 800])
def test_depth_that_the_parser_still_takes_is_refused_further_in(depth):
    nested = b'{"resourceType": "Bundle", "x": ' + b"[" * depth + b"]" * depth + b"}"
    whole = send(nested)
    assert whole.status_code == 422
    assert "nested deeper" in whole.text
    inside = post(SERVICE, "/comparisons", b'{"record": ' + nested + b"}")
    assert inside.status_code == 422


@for_each(
    "value",
    [
        quantity(9.8, "mg/L"),
        quantity(9.8, ""),
        {"value": 9.8},
        quantity("9.8", "g/dL"),
        quantity(1e308, "g/dL"),
        quantity(-1, "g/dL"),
        quantity(None, "g/dL"),
        [9.8],
        "\x00",
    ],
)
def test_a_value_that_cannot_be_used_is_in_the_ledger_and_in_no_number(value):
    answer = send(bundle(person(), observation("hb", HB, valueQuantity=value)))
    assert answer.status_code == 200
    found = Comparison.model_validate_json(answer.content)
    (line,) = [each for each in found.profile.inputs if each.field == "hemoglobin"]
    assert (line.state, bool(line.note)) == ("not_usable", True)
    assert not [each for each in found.profile.carried if each.trait == "hemoglobin"]


def test_numbers_beyond_any_measure_are_answered():
    text = json.dumps(bundle(person(), observation("hb", HB, valueQuantity=quantity(0, "g/dL"))))
    for huge in ("1" + "0" * 5000, "1e999"):
        assert send(text.replace('"value": 0', f'"value": {huge}')).status_code == 200


@for_each("junk", [None, 1, "x", [], [None], {}, {"coding": 1}, True], plain=10)
@for_each("element", ["code", "valueQuantity", "effectiveDateTime", "subject", "id", "resourceType"])
def test_junk_in_a_resource_never_breaks_the_service(element, junk):
    hb = observation("hb", HB, valueQuantity=quantity(9, "g/dL")) | {element: junk}
    for query in ("", "?format=fhir"):
        assert send(bundle(person(), hb), query).status_code in (200, 422)


def test_the_disease_need_not_be_named_but_that_is_said():
    found = Comparison.model_validate_json(send(bundle(person(birthDate="1955-03-01"))).content)
    assert any("no condition with a code of multiple myeloma" in each.text for each in found.profile.inputs)


@pytest.mark.parametrize("kind", ["application/fhir+xml", "text/json", "application/x-ndjson"])
def test_other_types_of_body_are_415(kind):
    record = json.dumps(record_of("fit-58"))
    assert ask(SERVICE, "POST", "/comparisons", content=record, headers={"Content-Type": kind}).status_code == 415


def test_a_service_without_a_reader_says_so():
    service = app(reading=None)
    for answer in (
        send(record_of("fit-58"), service=service),
        post(service, "/comparisons", {"record": record_of("fit-58")}),
    ):
        assert answer.status_code == 501
        assert "send a profile" in answer.json()["detail"]
    assert post(service, "/comparisons", {"profile": {"age": 71}}).status_code == 200


def test_nothing_of_a_record_reaches_the_log(capfd):
    record = bundle(person(name=[{"text": MARKER}]), observation(MARKER, {"text": MARKER}))
    assert [send(record).status_code, send({**record, "type": MARKER}).status_code] == [200, 422]
    written = capfd.readouterr()
    assert MARKER not in written.out + written.err


@pytest.mark.parametrize("how", ["accept", "format"])
def test_the_answer_as_fhir_is_about_the_patient_of_the_record(how):
    record = bundle(
        person(birthDate="1958-02-03"),
        condition("mm", SNOMED, "109989006"),
        observation("hb", HB, valueQuantity=quantity(9.8, "g/dL")),
    )
    answer = send(record, Accept=FHIR) if how == "accept" else send(record, "?format=fhir")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == FHIR
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    Bundle.model_validate_json(answer.content)
    made = datetime.fromisoformat(found["timestamp"])
    assert timedelta(0) <= datetime.now(UTC) - made < timedelta(minutes=1)
    resources = [entry["resource"] for entry in found["entry"]]
    assert all(each["subject"] == {"reference": "Patient/example"} for each in resources if "subject" in each)
    (assessment, *_) = [each for each in resources if each["resourceType"] == "RiskAssessment"]
    assert assessment["basis"] == [{"reference": "Observation/hb"}, {"reference": "Condition/mm"}]


@pytest.mark.slow
@pytest.mark.skipif(missing() != "", reason="the PDF libraries are not here")
def test_with_fhir_the_sheet_comes_inside_if_asked_for():
    answer = send(record_of("fit-58"), "?format=fhir&with_pdf=true")
    Bundle.model_validate(answer.json())
    [document] = [each["resource"] for each in answer.json()["entry"]
                  if each["resource"]["resourceType"] == "DocumentReference"]  # fmt: skip
    pdf = base64.b64decode(document["content"][0]["attachment"]["data"])
    assert pdf.startswith(b"%PDF-")
    assert document["content"][0]["attachment"]["size"] == len(pdf)


def test_of_a_profile_the_answer_as_fhir_names_no_patient():
    found = post(SERVICE, "/comparisons?format=fhir", {"profile": {"age": 71}}).json()
    assert found["type"] == "transaction"
    subjects = [entry["resource"]["subject"] for entry in found["entry"] if "subject" in entry["resource"]]
    assert {json.dumps(each) for each in subjects} == {'{"display": "patient of this request"}'}


def test_the_same_record_gives_the_same_answer_whatever_the_order_of_its_entries():
    record = record_of("fit-58")
    turned = copy.deepcopy(record)
    turned["entry"].reverse()
    assert send(record).text == send(turned).text


def test_openapi_describes_both_bodies_with_an_example_that_works():
    operation = ask(SERVICE, "GET", "/openapi.json").json()["paths"]["/comparisons"]["post"]
    content = operation["requestBody"]["content"]
    assert set(content) == {"application/json", FHIR}
    for example in content[FHIR]["examples"].values():
        found = Comparison.model_validate_json(send(example["value"], "?date=2026-11-26").content)
        assert {each.field for each in found.profile.inputs if each.state == "used"} >= {"age", "hemoglobin"}
    assert FHIR in operation["responses"]["200"]["content"]
    assert {"setting", "clock", "region", "date", "infer"} <= {each["name"] for each in operation["parameters"]}
    assert "oneOf" in content["application/json"]["schema"]
