"""Cards of records that were not sent but read from the client's FHIR server, through every layer of the service."""

import json
import logging
import re
import threading
from functools import partial

import httpx
import pytest

from bcma_decide.cli.serve import _read
from bcma_decide.service.fetching.searches import KINDS, searches
from tests.service.support.calls import call
from tests.service.support.fhir_server import FHIR, LOOPBACK, TOKEN, late, record, serving, status
from tests.service.support.running import PATIENCE, running, stop
from tests.service.support.service import JSON, SELECT, VIEW, app, ask, model, post, select
from tests.support.cases import for_each

ASKED = sum(len(tries[0]) for tries in searches(model().codes).tries.values())
"""Searches of one call, where none is refused."""
NOT_READ = "the record could not be read"


def service(server, **more):
    settings = {"fhir_servers": [server.base], "fhir_private_networks": LOOPBACK} | more
    return app(reading=partial(_read, model()), **settings)


def leave(**changes):
    parts = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs", "subject": "c"}
    return {key: value for key, value in (parts | changes).items() if value is not ...}


def unsent(server, *, kept=(), name="fit-58", **changes):
    """A call that holds only these keys, and where to read the others."""
    whole = call(name)
    whole["prefetch"] = {key: whole["prefetch"][key] for key in kept}
    return whole | {"fhirServer": server.base, "fhirAuthorization": leave()} | changes


def card(answer):
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["cards"]
    return found


def searches(application):
    lines = ask(application, "GET", "/metrics").text.splitlines()
    found = [line for line in lines if line.startswith("bcma_decide_fhir_searches_total")]
    return {line.partition('"')[2].partition('"')[0]: int(float(line.rpartition(" ")[2])) for line in found}


@pytest.mark.parametrize("name", ["fit-58", "frail-82-dialysis-prior-bcma", "prior-car-t-63"])
def test_a_record_that_is_read_gives_the_card_of_one_that_is_sent(name):
    with serving(record(name), token=TOKEN, page=4) as server:
        application = service(server)
        sent = card(post(application, VIEW, call(name)))
        assert server.asked == []
        assert card(post(application, VIEW, unsent(server, name=name))) == sent
    assert {each.token for each in server.asked} == {TOKEN}


def test_only_what_is_missing_is_read():
    with serving(record(), token=TOKEN) as server:
        asked = unsent(server, kept=[key for key in KINDS if key != "observations"])
        assert card(post(service(server), VIEW, asked)) == card(post(service(server), VIEW, call("fit-58")))
        assert server.kinds == ["Observation"]


@pytest.mark.parametrize(
    "sent",
    [{"resourceType": "OperationOutcome", "issue": []},
     {"resourceType": "Bundle", "link": [{"relation": "next", "url": "https://elsewhere.example/x"}], "entry": []}],
    ids=["error", "first page"],
)  # fmt: skip
def test_what_came_as_an_error_or_as_a_first_page_is_read(sent):
    with serving(record(), token=TOKEN) as server:
        whole = unsent(server, kept=KINDS)
        whole["prefetch"]["observations"] = sent
        assert card(post(service(server), VIEW, whole)) == card(post(service(server), VIEW, call("fit-58")))
        assert server.kinds == ["Observation"]


def test_what_the_record_has_none_of_is_not_asked_again():
    with serving(record(), token=TOKEN) as server:
        whole = unsent(server, kept=KINDS)
        whole["prefetch"]["observations"] = None
        card(post(service(server), VIEW, whole))
        assert server.asked == []


def test_a_first_page_that_came_stays_where_nothing_more_is_read():
    with serving(record(), token=TOKEN, routes={"Observation": status(500)}) as server:
        whole = unsent(server, kept=KINDS)
        whole["prefetch"]["observations"]["link"] = [{"relation": "next", "url": f"{server.base}/Observation?page=2"}]
        found = card(post(service(server), VIEW, whole))
    assert "observations: only a first part was read" in found["detail"]
    assert NOT_READ not in found["detail"]
    assert found["summary"] == card(post(service(server), VIEW, call("fit-58")))["summary"]


def test_what_cannot_be_read_is_said_and_the_card_is_there():
    given_up = threading.Event()
    routes = {"Observation": status(403), "Procedure": late(given_up)}
    with serving(record(), token=TOKEN, routes=routes) as server:
        application = service(server, fhir_seconds=3)
        found = card(post(application, VIEW, unsent(server)))
        given_up.set()
        assert f"observations: {NOT_READ}" in found["detail"]
        assert f"procedures: {NOT_READ}" in found["detail"]
        assert searches(application) == {"complete": 3, "nothing": 4, "no leave": 1, "too late": 1}


@pytest.mark.parametrize("kind", ["Patient", "Condition"])
def test_without_patient_or_diagnoses_it_is_412_as_ever(kind):
    with serving(record(), token=TOKEN, routes={kind: status(403)}) as server:
        answer = post(service(server), VIEW, unsent(server))
    assert answer.status_code == 412
    assert TOKEN not in answer.text
    assert server.base not in answer.text


def test_a_search_without_results_is_unknown_and_no_card_without_the_disease():
    empty = status(200, {"resourceType": "Bundle", "type": "searchset"})
    with serving(record(), token=TOKEN, routes={"Condition": empty}) as server:
        assert post(service(server), VIEW, unsent(server)).json() == {"cards": []}
    with serving(record(), token=TOKEN, routes={"Observation": empty}) as server:
        found = card(post(service(server), VIEW, unsent(server)))
    assert "Not read from the record" not in found["detail"]
    assert "**Not known**" in found["detail"]


@for_each(
    ("changes", "word"),
    [
        ({"fhirServer": "https://fhir.example.org"}, "not listed"),
        ({"fhirAuthorization": leave(expires_in=0)}, "expired"),
        ({"fhirAuthorization": leave(expires_in=-5)}, "expired"),
        ({"fhirAuthorization": leave(patient="other")}, "another patient"),
        ({"fhirAuthorization": leave(patient="Patient/other")}, "another patient"),
        ({"fhirAuthorization": leave(access_token="a\r\nb")}, "token unfit"),
    ],
)
def test_without_leave_to_read_nothing_is_contacted(changes, word):
    with serving(record()) as server:
        application = service(server)
        asked = unsent(server, kept=("patient", "conditions"), **changes)
        found = card(post(application, VIEW, asked))
        assert "observations: " + (NOT_READ if word == "token unfit" else "not sent") in found["detail"]
        assert post(application, VIEW, unsent(server, **changes)).status_code == 412
    assert server.asked == []
    assert set(searches(application)) == {word}


def test_neither_server_nor_authorization_is_needed():
    with serving(record(), token=TOKEN) as server:
        for kept, expected in ((KINDS, 200), (("patient",), 412)):
            asked = unsent(server, kept=kept)
            del asked["fhirServer"], asked["fhirAuthorization"]
            assert post(service(server), VIEW, asked).status_code == expected
        assert server.asked == []
    with serving(record()) as server:
        asked = unsent(server)
        del asked["fhirAuthorization"]
        assert card(post(service(server), VIEW, asked))["summary"]


@for_each("scope", ["patient/*.read", "patient/Observation.rs?category=x user/*.cruds", "openid", ""])
@for_each("patient", ["example", "Patient/example", ...])
def test_scopes_of_every_form_are_tolerated(scope, patient):
    with serving(record(), token=TOKEN) as server:
        asked = unsent(server, fhirAuthorization=leave(scope=scope, patient=patient))
        card(post(service(server), VIEW, asked))
        assert len(server.asked) == ASKED


def test_an_order_of_something_else_reads_nothing():
    with serving(record(), token=TOKEN) as server:
        for name, expected in (("Paracetamol", 0), ("Tecvayli", 1)):
            asked = select(name, prefetch={}, fhirServer=server.base, fhirAuthorization=leave())
            asked["context"]["patientId"] = "example"
            assert len(post(service(server), SELECT, asked).json()["cards"]) == expected
            assert len(server.asked) == expected * ASKED


def test_entries_of_another_patient_are_left_out():
    foreign = {"resourceType": "Observation", "id": "f", "subject": {"reference": "Patient/other"}}
    page = {"resourceType": "Bundle", "entry": [{"resource": foreign}]}
    with serving(record(), token=TOKEN, routes={"Observation": status(200, page)}) as server:
        found = card(post(service(server), VIEW, unsent(server)))
    assert "1 entries of another patient, left out" in found["detail"]


def test_metrics_name_no_server_and_no_patient():
    with serving(record(), token=TOKEN) as server:
        application = service(server)
        card(post(application, VIEW, unsent(server)))
        text = ask(application, "GET", "/metrics").text
    assert "bcma_decide_fhir_seconds_count 1.0" in text
    assert not re.search(rf"example|{TOKEN}|127\.0\.0\.1", text)


@pytest.mark.slow
@pytest.mark.sample
def test_a_real_service_logs_neither_token_nor_address_nor_patient():
    """With servers that answer, refuse, send elsewhere, and that are not configured at all."""
    marked = json.loads(json.dumps(record()).replace("Patient/example", "Patient/M4RKED"))
    for entry in marked["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"]["id"] = "M4RKED"
    odd = {"Procedure": status(500), "MedicationRequest": lambda handler: handler.wfile.write(b"junk\r\n\r\n")}
    with serving(marked, token=TOKEN, routes=odd) as server:
        variables = {
            "BCMA_DECIDE_FHIR_SERVERS": json.dumps([server.base]),
            "BCMA_DECIDE_FHIR_PRIVATE_NETWORKS": json.dumps(LOOPBACK),
        }
        with running(**variables) as (process, port):
            for changes in ({}, {"fhirServer": "https://elsewhere.example/fhir"}):
                asked = unsent(server, kept=()) | changes
                asked["context"]["patientId"] = "M4RKED"
                answer = httpx.post(f"http://127.0.0.1:{port}{VIEW}", json=asked, timeout=PATIENCE)
                assert answer.status_code == (412 if changes else 200), answer.text
            _, out, err = stop(process)
    assert len(server.asked) == ASKED
    assert len(out.splitlines()) == 2
    where = server.base.removeprefix("http://").removesuffix("/fhir")
    assert not re.search(rf"{TOKEN}|M4RKED|elsewhere|{where}|{FHIR}", out + err)


def test_what_the_libraries_would_log_is_not_let_through():
    from bcma_decide.service.http.access_log import set_up_logging

    names = ("bcma_decide.service", "uvicorn", "asyncio", "httpx", "httpcore")
    before = {name: (logging.getLogger(name).handlers, logging.getLogger(name).propagate,
                     logging.getLogger(name).level) for name in names}  # fmt: skip
    try:
        set_up_logging()
        for name in ("httpx", "httpcore.connection", "httpcore.http11"):
            assert not logging.getLogger(name).isEnabledFor(logging.WARNING)
    finally:
        for name, (handlers, propagate, level) in before.items():
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)


def test_many_cards_at_a_time_hold_up_nobody():
    """Ten cards whose server does not answer, and one that needs none: it does not wait for them."""
    import asyncio

    from tests.service.support.service import client, run

    released = threading.Event()
    with serving(record(), token=TOKEN, routes={"Observation": late(released)}) as server:
        application = service(server, fhir_seconds=60)
        asked = unsent(server, kept=("patient", "conditions"))

        async def together():
            async with client(application) as found:
                slow = [asyncio.create_task(found.post(VIEW, json=asked, headers=JSON)) for _ in range(10)]
                while not server.asked:
                    await asyncio.sleep(0.01)
                quick = await found.post(VIEW, json=call("fit-58"), headers=JSON)
                waiting = [task for task in slow if not task.done()]
                released.set()
                return quick, len(waiting), await asyncio.gather(*slow)

        quick, waiting, slow = run(together)
    assert (quick.status_code, waiting) == (200, 10)
    assert {answer.status_code for answer in slow} == {200}
