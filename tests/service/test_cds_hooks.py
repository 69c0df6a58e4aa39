"""CDS Hooks: the checks of the published test kit for servers, re-implemented, and what only this service does."""

import re
from uuid import UUID

import pytest

from bcma_decide.service.fetching.searches import KINDS, searches
from bcma_decide.service.hooks import cds_hooks
from bcma_decide.service.hooks.cards import REASONS
from bcma_decide.vocabulary import INTENDED_USE
from tests.render.support.reading import DIRECTIVE
from tests.service.support.service import (
    ERROR,
    INSTANCE,
    MYELOMA,
    NONE,
    PATIENT,
    SELECT,
    SIGN,
    VIEW,
    app,
    ask,
    bundle,
    model,
    post,
    prefetch,
    resource,
    select,
    view,
)
from tests.support.cases import for_each

SERVICE = app(public_url="https://cds.example.org", smart_launch_url="https://cds.example.org/launch")
BARE = app()


def values(content, path=""):
    """Every value inside, with its path."""
    yield path, content
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in inner:
        yield from values(value, f"{path}/{key}")


def assert_no_empty_value(content, allowed=("/cards", "/services")):
    assert [path for path, value in values(content) if value in (None, "", [], {}) and path not in allowed] == []


def cards(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert list(content) == ["cards"]
    assert_no_empty_value(content)
    return content["cards"]


def assert_valid(card):
    """What the test kit asks of a card."""
    allowed = {"uuid", "summary", "detail", "indicator", "source", "overrideReasons", "links"}
    assert set(card) <= allowed, "no suggestions, no selectionBehavior"
    assert str(UUID(card["uuid"])) == card["uuid"]
    assert isinstance(card["summary"], str)
    assert 0 < len(card["summary"]) < 140
    assert "\n" not in card["summary"]
    assert card["indicator"] in ("info", "warning")
    assert isinstance(card["source"]["label"], str)
    assert set(card["source"]) <= {"label", "url"}
    for reason in card["overrideReasons"]:
        assert set(reason) == {"code", "system", "display"}
        assert reason["system"] == REASONS
    for link in card.get("links", []):
        assert link["type"] in ("absolute", "smart")
        assert link["url"].startswith("https://")
        assert link["label"]
        assert ("appContext" in link) == (link["type"] == "smart")
        assert set(link) <= {"label", "url", "type", "appContext"}


def test_discovery_describes_the_services():
    answer = ask(SERVICE, "GET", "/cds-services")
    assert answer.status_code == 200
    content = answer.json()
    assert_no_empty_value(content)
    assert [(each["hook"], f"/cds-services/{each['id']}") for each in content["services"]] == [
        ("patient-view", VIEW),
        ("order-select", SELECT),
        ("order-sign", SIGN),
    ]
    for each in content["services"]:
        assert {"hook", "id", "title", "description", "prefetch", "usageRequirements", "version", "hookVersion"} == set(
            each
        )
        assert re.fullmatch(r"\d+\.\d+\.\d+", each["version"])
        assert INTENDED_USE in each["description"]
        assert not DIRECTIVE.search(each["description"] + each["title"] + each["usageRequirements"])


def test_prefetch_templates_stay_within_what_2_0_allows():
    templates = searches(model().codes).templates
    assert set(templates) == set(KINDS)
    assert "code=" in templates["observations"]
    for template in templates.values():
        assert re.fullmatch(
            r"[A-Z][A-Za-z]+(/\{\{context\.patientId\}\}|\?patient=\{\{context\.patientId\}\}.*)", template
        )
        for parameter in template.partition("?")[2].split("&")[1:]:
            assert parameter.partition("=")[0] in ("_sort", "_count", "code")


def test_a_card_says_what_the_sheet_says():
    (card,) = cards(post(SERVICE, VIEW, view()))
    assert_valid(card)
    assert {"absolute", "smart"} == {link["type"] for link in card["links"]}
    links = {link["label"]: link["url"] for link in card["links"]}
    assert links["How good are these numbers?"] == "https://cds.example.org/guide/validation"
    assert "of 100: CAR-T" in card["summary"]
    plain = re.sub(r"\\(.)", r"\1", card["detail"])
    assert INTENDED_USE in plain
    assert "evidence of 2026" in plain
    assert "| Of 100 patients like this" in card["detail"]
    assert not DIRECTIVE.search(card["summary"])
    titles = ("**Cannot be judged yet**", "**Labels**", "**Not known**")
    assert all(title in card["detail"] for title in titles)
    assert "Not read from the record" not in card["detail"]


def test_time_without_progression_at_one_year_is_a_row_with_an_interval_for_each_class():
    (card,) = cards(post(SERVICE, VIEW, view()))
    (line,) = (line for line in card["detail"].splitlines() if line.startswith("| Without progression, 12 months"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert "from the infusion or the first dose" in cells[0]
    assert all(re.match(r"\d+ \(\d+ to \d+\)", cell) for cell in cells[1:3])
    assert not DIRECTIVE.search(line)


def test_the_same_call_gives_the_same_card_and_another_instance_another_id():
    (first,), (again,) = (cards(post(SERVICE, VIEW, view())) for _ in range(2))
    assert first == again
    (other,) = cards(post(SERVICE, VIEW, view(hookInstance="00000000-0000-4000-8000-000000000000")))
    assert other["uuid"] != first["uuid"]


def test_without_an_address_of_its_own_the_card_has_no_link():
    (card,) = cards(post(BARE, VIEW, view()))
    assert_valid(card)
    assert "links" not in card
    assert "How good are these numbers? bcma-decide guide validation" in re.sub(r"\\(.)", r"\1", card["detail"])
    assert "url" not in card["source"]


def test_a_contraindication_makes_it_a_warning_and_is_counted_in_the_summary():
    infection = bundle(resource("Observation", "active_infection", value="yes"))
    (card,) = cards(post(SERVICE, VIEW, view(prefetch=prefetch(observations=infection))))
    assert_valid(card)
    assert card["indicator"] == "warning"
    assert "contraindication" in card["summary"]
    assert "**Findings**\n\n- contraindication: " in card["detail"]
    quiet = bundle(resource("Observation", "active_infection", value="no"))
    (card,) = cards(post(SERVICE, VIEW, view(prefetch=prefetch(observations=quiet))))
    assert card["indicator"] == "info"


def test_what_decides_a_number_stands_beside_it():
    bare = view(prefetch={"patient": PATIENT, "conditions": MYELOMA})
    (card,) = cards(post(SERVICE, VIEW, bare))
    assert_valid(card)
    assert re.search(r"\| \d+ \(\d+ to \d+\); [^|]+: \d+ if \w+, \d+ if \w+ \|", card["detail"])


def test_text_of_the_record_stays_text():
    hostile = "[x](javascript:alert(1)) <img src=x onerror=alert(1)> **bold** | cell\n# title http://evil.example"
    found = bundle(resource("Observation", hostile, value=1))
    (card,) = cards(post(SERVICE, VIEW, view(prefetch=prefetch(procedures=found))))
    line = next(line for line in card["detail"].splitlines() if "javascript" in line)
    assert re.search(r"(?<!\\)[\[\]<>*#|]", line[2:]) is None
    assert "http://evil" not in line


def test_many_entries_that_mean_nothing_are_counted_not_listed():
    found = bundle(*(resource("Observation", f"thing {n}", value=1) for n in range(300)))
    (card,) = cards(post(SERVICE, VIEW, view(prefetch=prefetch(procedures=found))))
    assert "and 292 more" in card["detail"]


def test_no_myeloma_no_card():
    for conditions in (bundle(resource("Condition", "Something else")), NONE, None):
        assert cards(post(SERVICE, VIEW, view(prefetch=prefetch(conditions=conditions)))) == []


OPTIONAL = [key for key in KINDS if key not in ("patient", "conditions")]
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]}
NEXT = bundle(link=[{"relation": "next", "url": "https://fhir.example.org/page2"}])


@for_each("key", OPTIONAL)
@for_each(
    ("state", "said"),
    [
        (..., "not sent"),
        (None, ""),
        (NONE, ""),
        ({"resourceType": "Bundle"}, ""),
        (ERROR, "the record could not be read"),
        (bundle(ERROR), "the record could not be read"),
        (NEXT, "only a first part was read"),
        (bundle(WARNING, total=0), ""),
        (bundle(ERROR, resource("Procedure", "odd")), "only a first part was read"),
        ("<html><body>Bad gateway</body></html>", "the record could not be read"),
        ({}, "the record could not be read"),
        ([], "the record could not be read"),
        (7, "the record could not be read"),
        ({"resourceType": "Bundle", "entry": {}}, "the record could not be read"),
        ({"resourceType": "Bundle", "entry": [7]}, "the record could not be read"),
        ({"resourceType": "Bundle", "total": 3}, "the record could not be read"),
        (bundle(WARNING | {"issue": []}), "the record could not be read"),
    ],
    ids=[
        "absent",
        "null",
        "empty",
        "no entry",
        "error",
        "error inside",
        "more pages",
        "a warning inside",
        "an error beside",
        "a page of HTML",
        "an empty object",
        "an empty list",
        "a number",
        "no list of entries",
        "an entry that is none",
        "a count alone",
        "an outcome without issues",
    ],
)
def test_of_what_is_not_required_missing_is_unknown_and_said(key, state, said):
    (card,) = cards(post(BARE, VIEW, view(prefetch=prefetch(**{key: state}))))
    assert_valid(card)
    assert (said in card["detail"]) if said else ("Not read from the record" not in card["detail"])


@for_each(
    ("changes", "status"),
    [
        ({"patient": ...}, 412),
        ({"patient": None}, 412),
        ({"patient": ERROR}, 412),
        ({"conditions": ...}, 412),
        ({"conditions": ERROR}, 412),
        ({"conditions": bundle(resource("Condition", "Multiple myeloma"), link=NEXT["link"])}, 200),
        ({"patient": MYELOMA}, 412),
        ({"patient": {"resourceType": "Patient", "id": "2"}}, 400),
        ({"patient": bundle(PATIENT)}, 200),
        ({"patient": "Patient/1"}, 412),
        ({"patient": {}}, 412),
        ({"conditions": "<html>"}, 412),
    ],
)
def test_what_is_required(changes, status):
    answer = post(BARE, VIEW, view(prefetch=prefetch(**changes)))
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.headers["content-type"] == "application/fhir+json"
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert_no_empty_value(answer.json())


def test_no_prefetch_at_all_is_412():
    call = view()
    del call["prefetch"]
    answer = post(BARE, VIEW, call)
    assert answer.status_code == 412
    assert [each["code"] for each in answer.json()["issue"]] == ["required", "required"]


def test_entries_of_another_patient_are_left_out():
    mixed = bundle(resource("Observation", "extramedullary_disease", patient="2", value="yes"))
    (card,) = cards(post(BARE, VIEW, view(prefetch=prefetch(procedures=mixed))))
    assert "1 entries of another patient" in card["detail"]
    assert (
        cards(
            post(BARE, VIEW, view(prefetch=prefetch(conditions=bundle(resource("Condition", "Multiple myeloma", "2")))))
        )
        == []
    )


MALFORMED = {
    "no hook": {"hook": ...},
    "another hook": {"hook": "order-sign"},
    "no instance": {"hookInstance": ...},
    "instance no UUID": {"hookInstance": "1"},
    "no context": {"context": ...},
    "context a list": {"context": []},
    "no patient": {"context": {"userId": "Practitioner/1"}},
    "no user": {"context": {"patientId": "1"}},
    "empty patient": {"context": {"userId": "Practitioner/1", "patientId": ""}},
    "prefetch a list": {"prefetch": []},
    "authorization without server": {
        "fhirAuthorization": {
            "access_token": "t",
            "token_type": "Bearer",
            "expires_in": 1,
            "scope": "s",
            "subject": "c",
        }
    },
    "authorization incomplete": {"fhirServer": "https://f.example.org", "fhirAuthorization": {"access_token": "t"}},
}


@for_each("changes", MALFORMED.values(), ids=MALFORMED)
def test_malformed_calls_are_400(changes):
    call = {key: value for key, value in (view() | changes).items() if value is not ...}
    answer = post(BARE, VIEW, call)
    assert answer.status_code == 400, answer.text
    assert_no_empty_value(answer.json())


def test_a_prefetch_of_null_is_one_without_keys():
    assert post(BARE, VIEW, view(prefetch=None)).status_code == 412


def test_parts_that_are_not_known_are_passed_over():
    call = view(extension={"org.example.x": {"a": 1}}, actionSelectionBehavior="any")
    assert len(cards(post(BARE, VIEW, call))) == 1
    access = {
        "access_token": "s3cret",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.rs",
        "subject": "c",
    }
    assert len(cards(post(BARE, VIEW, view(fhirServer="https://f.example.org", fhirAuthorization=access)))) == 1


def test_an_unknown_service_is_404():
    for path in ("/cds-services/other", "/cds-services/other/feedback"):
        answer = post(BARE, path, view())
        assert answer.status_code == 404
        assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "name", ["Tecvayli 10 mg/mL", "TECLISTAMAB-cqyv", "cilta-cel infusion", "Idecabtagene vicleucel"]
)
def test_ordering_one_of_them_brings_the_card(name):
    (card,) = cards(post(SERVICE, SELECT, select(name)))
    assert_valid(card)


@pytest.mark.parametrize(
    "call",
    [
        select("Paracetamol 500 mg"),
        select(selections=["MedicationRequest/b"]),
        select(selections=[]),
        select(""),
    ],
    ids=["another drug", "not the one selected", "none selected", "no name"],
)
def test_ordering_something_else_brings_none(call):
    assert cards(post(SERVICE, SELECT, call)) == []


def test_order_select_needs_selections_and_orders():
    for name in ("selections", "draftOrders"):
        call = select()
        call["context"] = {key: value for key, value in call["context"].items() if key != name}
        assert post(SERVICE, SELECT, call).status_code == 400
    deep = select()
    deep["context"]["draftOrders"] = {"entry": "x"}
    assert cards(post(SERVICE, SELECT, deep)) == []


def entry(**changes):
    return {"card": INSTANCE, "outcome": "overridden", "outcomeTimestamp": "2026-11-26T10:00:00Z"} | changes


@for_each(
    ("content", "status"),
    [
        ({"feedback": [entry()]}, 200),
        ({"feedback": [entry(), entry()]}, 200),
        ({"feedback": [entry(outcome="accepted", acceptedSuggestions=[{"id": INSTANCE}])]}, 200),
        ({"feedback": [entry(overrideReason={"reason": {"code": "need-more-info", "system": REASONS}})]}, 200),
        ({"feedback": [entry(overrideReason={"userComment": "the patient is a friend"})]}, 200),
        ({"feedback": []}, 400),
        ({}, 400),
        ({"feedback": [entry(outcome="ignored")]}, 400),
        ({"feedback": [entry(card="7")]}, 400),
        ({"feedback": "x"}, 400),
    ],
)
def test_feedback(content, status):
    assert post(SERVICE, f"{VIEW}/feedback", content).status_code == status


def test_feedback_is_counted_by_reason_and_nothing_of_it_is_kept():
    service = app()
    said = {"reason": {"code": "made-up MARKER", "system": "x"}, "userComment": "MARKER"}
    post(service, f"{VIEW}/feedback", {"feedback": [entry(overrideReason=said), entry(outcome="accepted")]})
    text = ask(service, "GET", "/metrics").text
    assert 'bcma_decide_feedback_total{outcome="overridden",reason="other"} 1.0' in text
    assert 'bcma_decide_feedback_total{outcome="accepted",reason="none"} 1.0' in text
    assert "MARKER" not in text


def test_without_a_reader_there_is_no_hook():
    assert ask(app(reading=None), "GET", "/cds-services").status_code == 404
    assert cds_hooks.VIEW in VIEW
