"""Cards of records on servers that stop at US Core, answer oddly, or lack a kind: real servers on loopback."""

import json
from functools import partial

from bcma_decide.cli.serve import _read
from bcma_decide.service.fetching.searches import KINDS, LONGEST, searches
from tests.service.support.calls import call
from tests.service.support.fhir_server import LOOPBACK, TOKEN, record, serving, status, us_core
from tests.service.support.service import VIEW, app, model, post
from tests.support.cases import for_each

SEARCHES = searches(model().codes)
NONE_FOUND = {"severity": "warning", "code": "processing", "details": {"text": "Resource request returns no results."}}
WARNING = {"resourceType": "OperationOutcome", "issue": [NONE_FOUND]}
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0,
         "entry": [{"search": {"mode": "outcome"}, "resource": WARNING}]}  # fmt: skip


def categorised(bundle):
    """A record whose resources have the category or intent that US Core wants of them."""
    wanted = {"Observation": {"category": [{"coding": [{"code": "laboratory"}]}]},
              "Condition": {"category": [{"coding": [{"code": "problem-list-item"}]}]}}  # fmt: skip
    entries = [{"resource": each["resource"] | wanted.get(each["resource"]["resourceType"], {})} for each in
               bundle["entry"]]  # fmt: skip
    return bundle | {"entry": entries}


def read_from(server, **changes):
    """The card of a record of which nothing was sent."""
    settings = {"fhir_servers": [server.base], "fhir_private_networks": LOOPBACK}
    leave = {"access_token": TOKEN, "token_type": "bearer", "expires_in": 300, "scope": "", "subject": "c"}
    asked = call("fit-58") | {"prefetch": {}, "fhirServer": server.base, "fhirAuthorization": leave} | changes
    answer = post(app(reading=partial(_read, model()), **settings), VIEW, asked)
    assert answer.status_code == 200, answer.text
    (card,) = answer.json()["cards"]
    return card


def sent():
    (card,) = post(app(reading=partial(_read, model())), VIEW, call("fit-58")).json()["cards"]
    return card


def asked_of(server, kind):
    return [each.path for each in server.asked if each.path.startswith(f"/fhir/{kind}")]


def only_category(kind, query):
    return kind == "Observation" and "category" not in query


def nothing_but_the_patient(kind, query):
    return us_core(kind, query) or bool(query.keys() & {"_sort", "_count"})


def condition_by_category(kind, query):
    return kind == "Condition" and "category" not in query


@for_each(
    "refuses", [us_core, only_category, nothing_but_the_patient, condition_by_category],
    ids=["code or category", "category alone", "no sort and no count", "diagnoses by category"],
)  # fmt: skip
def test_a_server_that_refuses_a_search_gives_the_same_card_by_a_plainer_one(refuses):
    with serving(categorised(record()), token=TOKEN, refuses=refuses) as server:
        assert read_from(server) == sent()


def report_by_category(kind, query):
    return kind == "DiagnosticReport" and "category" not in query


@for_each("category", ["LAB", "GE", "LP7839-6", "LP29684-5"])
def test_a_report_is_found_under_the_category_that_us_core_gives_it(category):
    """Of notes, as pathology and radiology write them, the categories are those of LOINC."""
    whole = categorised(record())
    fish = {
        "resourceType": "DiagnosticReport", "id": "report", "status": "final",
        "category": [{"coding": [{"code": category}]}], "code": {"coding": [{"system": "http://loinc.org",
        "code": "98014-4"}]}, "subject": {"reference": "Patient/example"}, "effectiveDateTime": "2026-10-02",
        "conclusion": "t(14;16) detected in 80 % of nuclei.",
    }  # fmt: skip
    whole["entry"] = [*whole["entry"], {"resource": fish}]
    with serving(whole, token=TOKEN) as plain:
        expected = read_from(plain)
    with serving(whole, token=TOKEN, refuses=report_by_category) as server:
        found = read_from(server)
    assert found == expected
    with serving(categorised(record()), token=TOKEN) as without:
        assert read_from(without)["detail"] != expected["detail"]


def test_a_server_that_answers_at_once_is_asked_once():
    with serving(record(), token=TOKEN, refuses=us_core) as server:
        read_from(server)
    assert len(server.asked) == sum(len(tries[0]) for tries in SEARCHES.tries.values())
    assert all("code=" in path for path in asked_of(server, "Observation"))


def test_a_server_that_refuses_everything_is_an_error_of_its_key_and_asked_no_more_than_its_tries():
    with serving(record(), token=TOKEN, refuses=lambda kind, query: kind == "Observation") as server:
        card = read_from(server)
    assert "observations: the record could not be read" in card["detail"]
    tries = SEARCHES.tries["observations"]
    assert len(asked_of(server, "Observation")) == sum(map(len, tries))


@for_each("status_of", [500, 503, 404, 403, 401])
def test_only_a_refused_search_is_asked_again(status_of):
    with serving(record(), token=TOKEN, routes={"Observation": status(status_of)}) as server:
        read_from(server)
    assert len(asked_of(server, "Observation")) == len(SEARCHES.tries["observations"][0])


def test_what_several_searches_bring_counts_once():
    whole = categorised(record())
    for entry in whole["entry"]:
        if entry["resource"]["resourceType"] == "Observation":
            entry["resource"]["category"][0]["coding"].append({"code": "survey"})
    with serving(whole, token=TOKEN, refuses=only_category) as server:
        assert read_from(server) == sent()


def test_an_old_fish_report_and_stage_come_however_many_newer_results_there_are():
    """Laboratory values come newest first; what never ages has a search of its own."""
    whole = record()
    fish = next(each["resource"] for each in whole["entry"] if each["resource"].get("id") == "fish")
    fish["effectiveDateTime"] = "2019-01-05"
    newer = [{"resource": {"resourceType": "Observation", "id": f"hb-{n}", "status": "final",
                           "subject": {"reference": "Patient/example"}, "effectiveDateTime": "2024-01-01",
                           "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
                           "valueQuantity": {"value": 9.9, "unit": "g/dL"}}} for n in range(60)]  # fmt: skip
    with serving(whole | {"entry": [*newer, *whole["entry"]]}, token=TOKEN, page=5) as server:
        card = read_from(server)
        first = asked_of(server, "Observation")
    assert "observations: only a first part was read" in card["detail"]
    assert sum("98014-4" in path for path in first) == 1


def test_addresses_stay_short_and_hold_every_code_that_is_read():
    codes = model().codes
    read = {code.code for row in codes.observations for code in row.codes if code.usable}
    read |= {code.code for code in (*codes.cytogenetics.panel, *codes.cytogenetics.variant) if code.usable}
    recalled = {code.code for row in codes.observations for code in row.codes if not code.usable}
    for queries in SEARCHES.tries["observations"][:2]:
        lists = [query.partition("code=")[2].partition("&")[0] for query in queries]
        assert all(len(each) <= LONGEST for each in lists)
        asked = {code for each in lists for code in each.split(",")}
        assert asked == read
        assert not asked & (recalled - read)
    assert set(SEARCHES.templates["observations"].partition("code=")[2].partition("&")[0].split(",")) == read


@for_each("key", [key for key in KINDS if key not in ("patient", "conditions", "observations")])
def test_an_empty_search_with_a_warning_is_nothing_found(key):
    without = [each for each in record()["entry"] if each["resource"]["resourceType"] != KINDS[key]]
    with serving(record() | {"entry": without}, token=TOKEN) as plain:
        expected = read_from(plain)
    with serving(record(), token=TOKEN, routes={KINDS[key]: status(200, EMPTY)}) as server:
        assert read_from(server) == expected
    assert "Not read from the record" not in expected["detail"]


def bare(handler, content):
    """An answer of these bytes without any content type."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


@for_each(
    "answered",
    [bare, lambda handler, content: handler.reply(b"\xef\xbb\xbf" + content),
     lambda handler, content: bare(handler, b"\xef\xbb\xbf" + content),
     lambda handler, content: handler.reply(content, kind="application/json+fhir; charset=utf-8")],
    ids=["no content type", "byte order mark", "both", "the type of older servers"],
)  # fmt: skip
def test_answers_without_a_content_type_or_with_a_byte_order_mark_are_read(answered):
    whole = record()
    found = [each for each in whole["entry"] if each["resource"]["resourceType"] == "MedicationAdministration"]
    content = json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": found}).encode()
    routes = {"MedicationAdministration": lambda handler: answered(handler, content)}
    with serving(whole, token=TOKEN, routes=routes) as server:
        assert read_from(server) == sent()


@for_each("key", ["medicationStatements", "medicationDispenses", "diagnosticReports", "procedures"])
@for_each(("code", "said"), [(403, "the server does not permit it"), (404, "the server does not have it")])
def test_a_kind_that_a_server_lacks_is_noted_and_the_rest_is_read(key, code, said):
    with serving(record(), token=TOKEN, routes={KINDS[key]: status(code)}) as server:
        card = read_from(server)
    assert said in card["detail"]
    assert card["summary"] == sent()["summary"]


def test_a_fish_report_that_is_a_diagnostic_report_is_read():
    def with_report(conclusion):
        whole = record()
        kept = [each for each in whole["entry"] if each["resource"].get("id") != "fish"]
        report = {"resourceType": "DiagnosticReport", "id": "fish", "status": "final", "conclusion": conclusion,
                  "subject": {"reference": "Patient/example"}, "effectiveDateTime": "2026-01-05",
                  "code": {"coding": [{"system": "http://loinc.org", "code": "98014-4"}]}}  # fmt: skip
        return whole | {"entry": [*kept, {"resource": report}]}

    cards = []
    for conclusion in ("del(17p): detected", "del(17p): not detected"):
        with serving(with_report(conclusion), token=TOKEN) as server:
            cards.append(read_from(server)["detail"])
    assert cards[0] != cards[1]


def test_the_case_of_epic_as_it_was_seen():
    """HTTP 400 with severity fatal and code required, for observations asked for by patient alone."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "fatal", "code": "required"}]}

    def epic(handler):
        if "code=" in handler.path or "category=" in handler.path:
            handler.reply({"resourceType": "Bundle", "type": "searchset"})
        else:
            handler.reply(outcome, 400)

    with serving(record(), token=TOKEN, routes={"Observation": epic}) as server:
        assert "observations: the record" not in read_from(server)["detail"]
