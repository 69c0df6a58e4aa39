"""REST: the comparison in its three forms, what is refused and how, headers, and what is never written anywhere."""

import json
import logging

import pytest
from jsonschema import Draft202012Validator

from bcma_decide.comparing.compare import compare, load_pooled
from bcma_decide.comparison import Comparison, result_json
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.files import example_names, example_path, load_example, read_values
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.weights import weights_from
from bcma_decide.pooled.criteria import criteria_of
from bcma_decide.render.sheet.html import render_html
from bcma_decide.render.sheet.pdf import missing
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.service.http.access_log import JsonLines, set_up_logging
from bcma_decide.vocabulary import INTENDED_USE, OUTCOMES
from tests.render.support.reading import DIRECTIVE
from tests.service.support.log import written
from tests.service.support.service import (
    SELECT,
    VIEW,
    app,
    ask,
    bundle,
    client,
    post,
    prefetch,
    resource,
    run,
    select,
    view,
)
from tests.support.cases import for_each

SERVICE = app()
ASKED = {"profile": {"age": 71, "extramedullary_disease": "yes"}}


@for_each("name", example_names())
def test_json_is_the_document_that_the_command_line_prints(name):
    answer = post(SERVICE, "/comparisons", {"profile": read_values(example_path(name))})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == result_json(compare(load_example(name)))
    assert answer.headers["cache-control"] == "no-store"


def test_setting_region_day_and_explanations_are_those_asked_for():
    asked = ASKED | {"setting": "interventional", "region": "EU", "date": "2024-01-15", "explain": ["orr"]}
    asked |= {"clock": "decision"}
    found = Comparison.model_validate_json(post(SERVICE, "/comparisons", asked).content)
    assert (
        found.profile.setting,
        found.labels.region,
        found.labels.date,
        found.explanations[0].outcome,
        found.clock,
    ) == ("interventional", "EU", "2024-01-15", "orr", "decision")
    assert found.survival_explanation is None


def test_progression_free_survival_can_be_explained_and_is_in_the_description():
    found = Comparison.model_validate_json(post(SERVICE, "/comparisons", ASKED | {"explain": ["pfs"]}).content)
    assert found.explanations == ()
    assert found.survival_explanation.endpoint == "pfs"
    described = ask(SERVICE, "GET", "/openapi.json").json()["paths"]["/comparisons"]["post"]["requestBody"]
    shape = described["content"]["application/json"]["schema"]["properties"]["explain"]
    assert shape["items"]["enum"] == [*OUTCOMES, "pfs"]
    assert post(SERVICE, "/comparisons", ASKED | {"explain": ["os"]}).status_code == 422


def test_the_differences_of_a_pair_are_there_where_they_are_asked_for():
    pair = ["cilta-cel", "teclistamab"]
    found = Comparison.model_validate_json(post(SERVICE, "/comparisons", ASKED | {"pair": pair}).content)
    assert list(found.pair.options) == pair
    assert {"orr", "pfs"} <= found.pair.contrasts.keys()
    refused = post(SERVICE, "/comparisons", ASKED | {"pair": ["cilta-cel", "talquetamab"]})
    assert refused.status_code == 422
    assert "talquetamab" in refused.text


def test_the_order_of_therapies_is_there_where_it_is_asked_for():
    without = Comparison.model_validate_json(post(SERVICE, "/comparisons", ASKED).content)
    found = Comparison.model_validate_json(post(SERVICE, "/comparisons", ASKED | {"order": True}).content)
    assert without.order_of_therapies is None
    assert len(found.order_of_therapies.plans) == 2


@for_each(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("text/*", "text/html; charset=utf-8"),
        ("application/json;q=0.2, text/html;q=0.9", "text/html; charset=utf-8"),
        ("TEXT/HTML", "text/html; charset=utf-8"),
        ("application/fhir+json", "application/fhir+json"),
        ("application/fhir+json, application/json;q=0.9", "application/fhir+json"),
    ],
)
def test_the_form_is_negotiated(accept, kind):
    headers = {} if accept is None else {"Accept": accept}
    answer = post(SERVICE, "/comparisons", ASKED, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert answer.headers["vary"] == "Accept, Accept-Encoding"


@for_each("accept", ["image/png", "application/fhir+xml", "text/html;q=0", "*/*;q=0", "x", "text/html;q=x"])
def test_a_form_that_does_not_exist_is_406(accept):
    answer = post(SERVICE, "/comparisons", ASKED, headers={"Accept": accept})
    assert answer.status_code == 406
    assert "application/json" in answer.json()["detail"]


def test_the_page_is_the_sheet_and_the_name_in_the_address_goes_before_accept():
    answer = post(
        SERVICE,
        "/comparisons?format=html&audience=patient&lang=de&paper=Letter",
        ASKED,
        headers={"Accept": "image/png"},
    )
    expected = render_html(
        compare(Patient.read(ASKED["profile"])), Sheet(audience="patient", language="de", paper="Letter")
    )
    assert answer.text == expected
    assert "style-src 'unsafe-inline'" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_pdf_is_the_sheet():
    if missing():
        pytest.skip(missing())
    answer = post(SERVICE, "/comparisons", ASKED, headers={"Accept": "application/pdf"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


def test_without_the_parts_of_a_pdf_it_is_503_and_says_what_to_install(monkeypatch):
    monkeypatch.setattr("bcma_decide.service.printing.printing.missing", lambda: 'pip install "bcma-decide[pdf]"')
    answer = post(SERVICE, "/comparisons?format=pdf", ASKED)
    assert answer.status_code == 503
    assert "bcma-decide[pdf]" in answer.json()["detail"]


def test_every_field_that_is_wrong_is_named_with_its_remedy():
    profile = {"age": "old", "ferritin": 850, "ferritn": 1, "frail": "maybe", "refractory_to": ["water"], "sex": "male"}
    answer = post(SERVICE, "/comparisons", {"profile": profile})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:bcma-decide:problem:invalid-profile"
    assert (problem["title"], problem["status"]) == ("Unprocessable Content", 422) or problem["status"] == 422
    named = {each["field"].split(".")[1] for each in problem["errors"]}
    assert {"age", "ferritin", "ferritn", "frail", "refractory_to"} == named
    assert all(each["message"] for each in problem["errors"])


@for_each(
    ("changes", "field"),
    [
        ({"profile": 7}, "profile"),
        ({"profile": None}, "profile"),
        ({"setting": "trial"}, "setting"),
        ({"region": "Atlantis"}, "region"),
        ({"region": 7}, "region"),
        ({"date": "yesterday"}, "date"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": 20260101}, "date"),
        ({"explain": ["x"]}, "explain"),
        ({"explain": "orr"}, "explain"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_request_that_cannot_be_used_names_the_field(changes, field):
    answer = post(SERVICE, "/comparisons", ASKED | changes)
    assert answer.status_code == 422, answer.text
    assert [field] == [each["field"] for each in answer.json()["errors"]]


@for_each("query", ["audience=nurse", "paper=A3", "lang=xx", "format=xml", "lang=../../etc"])
def test_a_sheet_that_cannot_be_written_is_422(query):
    assert post(SERVICE, f"/comparisons?{query}", ASKED).status_code == 422


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_any_day_of_the_calendar_has_an_answer(day):
    assert post(SERVICE, "/comparisons", ASKED | {"date": day}).status_code == 200


HOSTILE = {
    "empty": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "NaN": b'{"profile": {"age": NaN}}',
    "infinite": b'{"profile": {"age": Infinity}}',
    "deep": b'{"profile":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "not UTF-8": b'{"profile": {"sex": "\xff"}}',
    "twice": b'{"profile": {"age": 60, "age": 70}}',
}


@for_each("path", ["/comparisons", VIEW, f"{VIEW}/feedback"])
@for_each("body", HOSTILE.values(), ids=HOSTILE)
def test_bodies_that_are_no_json_object_are_400(path, body):
    answer = post(SERVICE, path, body)
    assert answer.status_code == 400
    kind = "application/problem+json" if path == "/comparisons" else "application/fhir+json"
    assert answer.headers["content-type"] == kind


@for_each(
    "value",
    [
        1e999,
        10**39,
        -(10**39),
        "9" * 5000,
        {"value": 1e308, "unit": "ng/mL"},
        [[[[]]]],
        {"a": {"b": 1}},
        True,
        "\x00",
        "\ud800",
    ],
)
@for_each("field", ["age", "ferritin", "refractory_to", "prior_bcma_courses", "frail", "live_vaccine"])
def test_values_of_any_kind_are_answered_or_refused_never_an_error(field, value):
    body = json.dumps({"profile": {field: value}}).replace("Infinity", "1e999")
    # half a surrogate pair is no text of JSON at all: malformed, not merely invalid
    allowed = (400,) if value == "\ud800" else (200, 422)
    assert post(SERVICE, "/comparisons", body).status_code in allowed


@pytest.mark.parametrize("depth", [200, 800])
def test_depth_that_the_parser_still_takes_breaks_nothing_further_in(depth):
    nested = b"[" * depth + b"]" * depth
    assert post(SERVICE, "/comparisons", b'{"profile": {"age": ' + nested + b"}}").status_code in (400, 422)
    whole = json.dumps(select()).encode().replace(b'"resourceType": "MedicationRequest"', b'"x": ' + nested)
    assert post(SERVICE, SELECT, whole).status_code in (200, 400)


def test_a_huge_number_of_digits_is_refused_as_a_value():
    body = b'{"profile": {"age": ' + b"9" * 100_000 + b"}}"
    assert post(SERVICE, "/comparisons", body).status_code == 422


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_a_body_that_is_not_declared_as_json_is_415(kind):
    """So that no web page can send one without asking first."""
    assert (
        ask(SERVICE, "POST", "/comparisons", content=json.dumps(ASKED), headers={"Content-Type": kind}).status_code
        == 415
    )


def test_unknown_paths_and_methods_are_problems_too():
    for method, path, status in (("GET", "/nowhere", 404), ("GET", "/comparisons", 405), ("DELETE", "/evidence", 405)):
        answer = ask(SERVICE, method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


def test_evidence_says_what_stands_behind_the_numbers():
    content = ask(SERVICE, "GET", "/evidence").json()
    assert content["intended_use"] == INTENDED_USE
    assert content["evidence"] == json.loads(post(SERVICE, "/comparisons", ASKED).content)["evidence"]
    assert list(OUTCOMES) == [each["id"] for each in content["outcomes"]]
    assert list(FIELDS) == [each["id"] for each in content["fields"]]
    ferritin = next(each for each in content["fields"] if each["id"] == "ferritin")
    assert "ng/mL" in ferritin["units"]
    assert "US" in content["regions"]
    assert content["counts"]["studies"] > 20


def test_the_answer_follows_its_schema():
    schema = ask(SERVICE, "GET", "/schema").json()
    Draft202012Validator(schema).validate(post(SERVICE, "/comparisons", ASKED).json())
    assert schema == Comparison.model_json_schema(mode="serialization")


def test_openapi_has_working_examples():
    document = ask(SERVICE, "GET", "/openapi.json").json()
    assert {"/comparisons", "/evidence", "/schema", "/healthz", "/readyz", "/metrics", "/cds-services"} <= set(
        document["paths"]
    )
    tried = 0
    for path, operations in document["paths"].items():
        body = operations.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        address = path.replace("{service_id}", "bcma-decide-patient-view")
        for example in body.get("examples", {}).values():
            answer = post(SERVICE, address, example["value"])
            assert answer.status_code == 200, (path, answer.text)
            tried += 1
    assert tried == len(example_names()) + 3
    text = json.dumps(document)
    assert "$defs" not in text
    for reference in {part.split('"')[0] for part in text.split('"$ref": "#/components/schemas/')[1:]}:
        assert reference in document["components"]["schemas"]
    assert not DIRECTIVE.search(document["info"]["description"])


@pytest.mark.parametrize("path", ["/evidence", "/healthz", "/nowhere", "/cds-services"])
def test_every_answer_has_the_headers(path):
    answer = ask(SERVICE, "GET", path)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.headers["x-request-id"]) == 32
    assert "server" not in answer.headers


ORIGIN = {"Origin": "https://ehr.example.org"}
PREFLIGHT = ORIGIN | {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


def test_no_cors_unless_configured():
    for answer in (
        ask(SERVICE, "GET", "/cds-services", headers=ORIGIN),
        ask(SERVICE, "OPTIONS", VIEW, headers=PREFLIGHT),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_cors_for_the_configured_origin_on_get_post_refusals_and_preflight():
    service = app(cors_origins=("https://ehr.example.org",))
    answers = [
        ask(service, "GET", "/cds-services", headers=ORIGIN),
        post(service, VIEW, view(), headers=ORIGIN),
        post(service, VIEW, b"{", headers=ORIGIN),
        ask(service, "OPTIONS", VIEW, headers=PREFLIGHT),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 400, 200]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "https://ehr.example.org"
        assert "access-control-allow-credentials" not in answer.headers
    assert {"GET", "POST"} <= set(answers[-1].headers["access-control-allow-methods"].replace(" ", "").split(","))
    allowed = answers[-1].headers["access-control-allow-headers"].casefold()
    assert "authorization" in allowed
    assert "content-type" in allowed
    other = ask(service, "GET", "/cds-services", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


def test_a_preflight_needs_no_token(tmp_path):
    from tests.service.support.tokens import issuer

    service = app(cors_origins=("https://ehr.example.org",), issuers=(issuer(tmp_path),))
    assert ask(service, "OPTIONS", VIEW, headers=PREFLIGHT).status_code == 200
    refused = ask(service, "GET", "/cds-services", headers=ORIGIN)
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://ehr.example.org"


def test_metrics_count_by_template_and_are_read_from_configured_addresses_only():
    service = app()
    post(service, "/comparisons", ASKED)
    post(service, VIEW, view())
    ask(service, "BREW", "/nowhere")
    text = ask(service, "GET", "/metrics").text
    assert 'bcma_decide_requests_total{method="POST",route="/comparisons",status="200"} 1.0' in text
    assert 'route="/cds-services/{service_id}",status="200"' in text
    assert 'method="other",route="unknown",status="404"' in text
    assert ask(service, "GET", "/metrics", address="203.0.113.9").status_code == 403
    assert ask(app(metrics=False), "GET", "/metrics").status_code == 404


MARKER = "Zebedee-4711"


def test_nothing_of_a_request_reaches_the_log_or_the_metrics(capfd):
    """A marker in every place a request has; an error that carries it, too."""

    def failing(bundle, on):
        raise ValueError(f"cannot read {bundle}")

    service, broken = app(), app(reading=failing)
    set_up_logging()
    named = view(prefetch=prefetch(procedures=bundle(resource("Procedure", MARKER))))
    answers = [
        post(service, f"/comparisons?lang={MARKER}", {"profile": {"age": 71, MARKER: 1, "sex": MARKER}}),
        post(
            service,
            "/comparisons",
            {"profile": {"age": MARKER}},
            headers={"X-Request-Id": MARKER, "User-Agent": MARKER},
        ),
        post(service, VIEW, named, headers={"Authorization": f"Bearer {MARKER}"}),
        post(service, f"/cds-services/{MARKER}", named),
        ask(service, "GET", f"/{MARKER}"),
        post(service, f"{VIEW}/feedback", {"feedback": [{"card": MARKER, "outcome": MARKER}]}),
        post(broken, VIEW, named),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 200, 404, 404, 400, 500]
    assert MARKER not in answers[-1].text
    out, err = written(capfd)
    assert MARKER not in out + err
    assert MARKER not in ask(service, "GET", "/metrics").text + ask(broken, "GET", "/metrics").text
    lines = [json.loads(line) for line in out.splitlines()]
    assert [each["status"] for each in lines if "status" in each] == [422, 422, 200, 404, 404, 400, 500]
    assert {"time", "method", "route", "status", "milliseconds", "request"} == set(lines[0])
    error = next(each for each in lines if "error" in each)
    assert error["error"] == "ValueError"
    assert "test_rest.py" in error["where"]


def test_an_error_of_the_server_is_logged_without_its_message():
    try:
        int(MARKER)
    except ValueError as error:
        record = logging.LogRecord(
            "uvicorn.error", logging.ERROR, "", 0, "failed", None, (type(error), error, error.__traceback__)
        )
    line = json.loads(JsonLines().format(record))
    assert line["error"] == "ValueError"
    assert MARKER not in json.dumps(line)


def test_limits_of_size_rate_and_time(monkeypatch):
    small = app(body_limit=1000, requests_per_minute=5, time_limit=0.3)
    answer = post(small, "/comparisons", b" " * 1001)
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"

    async def parts():
        for _ in range(11):
            yield b" " * 100

    async def chunked():
        async with client(small) as found:
            return await found.post("/comparisons", content=parts(), headers={"Content-Type": "application/json"})

    assert run(chunked).status_code == 413
    monkeypatch.setattr("bcma_decide.service.answering.answer_question", lambda *_: __import__("time").sleep(0.6))
    assert post(small, "/comparisons", ASKED).status_code == 503
    monkeypatch.undo()
    statuses = [ask(small, "GET", "/evidence").status_code for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    refused = ask(small, "GET", "/evidence")
    assert refused.headers["retry-after"] == "60"
    assert ask(small, "GET", "/healthz").status_code == 200
    assert ask(small, "GET", "/evidence", address="203.0.113.9").status_code == 200


def test_addresses_of_one_ipv6_home_count_as_one():
    small = app(requests_per_minute=1)
    assert ask(small, "GET", "/evidence", address="2001:db8::1").status_code == 200
    assert ask(small, "GET", "/evidence", address="2001:db8::2").status_code == 429
    assert ask(small, "GET", "/evidence", address="2001:db8:0:1::1").status_code == 200


def test_fifty_megabytes_are_refused_by_their_announced_size():
    answer = post(SERVICE, "/comparisons", b"[" * 50_000_000)
    assert answer.status_code == 413


WEIGHTS = {"criteria": [{"criterion": "orr", "points": 100, "from": 40, "to": 90},
                        {"criterion": "icans_any", "points": [20, 40]}]}  # fmt: skip


def test_weights_rank_and_the_answer_is_that_of_the_program():
    answer = post(SERVICE, "/comparisons", ASKED | {"weights": WEIGHTS})
    stated = weights_from(WEIGHTS, criteria_of(load_pooled()))
    assert answer.text == result_json(compare(Patient.read(ASKED["profile"]), weights=stated))
    assert answer.json()["preferences"]["kind"] == "ranges"


@for_each("criterion, place", [
    ({"criterion": "nothing", "points": 5}, "weights.criteria.0.criterion"),
    ({"criterion": "orr", "points": 5, "from": 60, "to": 60}, "weights.criteria.0.to"),
    ({"criterion": "orr", "points": 0}, "weights.criteria"),
    ({"criterion": "orr", "points": "many"}, "weights.criteria.0.points"),
])  # fmt: skip
def test_weights_that_mean_nothing_are_refused_with_their_place(criterion, place):
    answer = post(SERVICE, "/comparisons", ASKED | {"weights": {"criteria": [criterion]}})
    assert answer.status_code == 422
    assert any(each["field"].startswith(place) for each in answer.json()["errors"])
