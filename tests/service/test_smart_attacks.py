"""What a launch must not do for whoever means harm, and what people are told when it stops."""

import asyncio
import json
import re
import socket
import time

import httpx
import pytest
from joserfc.jwk import RSAKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from bcma_decide.service.http.access_log import set_up_logging
from tests.service.support.ehr import PATIENT, SIGNING, Ehr, parameters, serving
from tests.service.support.launching import begun, browser, configured, filled, launch, launched, returned
from tests.service.support.log import written
from tests.service.support.service import run

STRANGE = RSAKey.generate_key(2048, {"kid": "ehr-1"})


@pytest.fixture
def ehr():
    with serving(Ehr()) as server:
        yield server


def stopped(answer, status, *words):
    """A page in plain words, that repeats nothing and loads nothing."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "bcma-session" not in str(answer.headers.get_list("set-cookie"))
    for word in words:
        assert word in answer.text
    assert not re.search(r"script|Traceback|Texas|error_description", answer.text)


@pytest.mark.parametrize(
    "changed",
    [lambda iss: iss + "/other", lambda iss: iss + "?x=1", lambda iss: iss.upper(), lambda iss: "http://evil.example",
     lambda iss: iss.replace("127.0.0.1", "localhost"), lambda iss: f"{iss}@evil.example", lambda iss: "",
     lambda iss: "<script>alert(1)</script>", lambda iss: iss.replace("/fhir", "")],
)  # fmt: skip
def test_an_ehr_that_is_not_configured_is_never_asked(ehr, changed):
    async def going():
        async with browser(configured(ehr)) as client:
            return await client.get("/smart/launch", params={"iss": changed(ehr.iss), "launch": "x"})

    stopped(run(going), 400, "not among those configured")
    assert ehr.asked == []


def test_a_slash_at_the_end_of_the_address_is_the_same_ehr(ehr):
    async def going():
        async with browser(configured(ehr)) as client:
            return await client.get("/smart/launch", params={"iss": ehr.iss + "/", "launch": "x"})

    assert parameters(run(going).headers["location"])["aud"] == ehr.iss + "/", "as the EHR names itself"


@pytest.mark.parametrize("query", ["iss={0}", "iss={0}&iss={0}&launch=x", "iss={0}&launch=x&launch=y", "", "launch=x",
                                   "iss={0}&launch=" + "x" * 9000])  # fmt: skip
def test_a_launch_is_named_once(ehr, query):
    async def going():
        async with browser(configured(ehr)) as client:
            return await client.get("/smart/launch?" + query.format(ehr.iss))

    stopped(run(going), 400)
    assert ehr.asked == []


def test_a_return_counts_once(ehr):
    application = configured(ehr)

    async def going():
        async with browser(application) as client:
            address = await begun(client, ehr)
            cookies = dict(client.cookies)
            first = await returned(client, address)
            client.cookies = cookies
            return first, await returned(client, address)

    first, second = run(going)
    assert first.status_code == 303
    stopped(second, 400, "This launch is over")
    assert ehr.asked.count("POST /token") == 1


def test_a_return_belongs_to_the_browser_that_left(ehr):
    """Login CSRF: an attacker's answer in another browser would show the attacker's patient there."""
    application = configured(ehr)

    async def going():
        async with browser(application) as attacker, browser(application) as victim:
            address = await begun(attacker, ehr)
            await begun(victim, ehr)
            return await returned(victim, address), await returned(attacker, address)

    for answer in run(going):
        stopped(answer, 400, "in another browser")
    assert "POST /token" not in ehr.asked


def test_a_code_from_elsewhere_gains_nothing(ehr):
    """Code injection: the code of another login does not fit the verifier of this one."""

    async def going():
        async with browser(configured(ehr)) as victim, browser(configured(ehr)) as attacker:
            mine, stolen = await begun(attacker, ehr), await begun(victim, ehr)
            code = parameters(stolen)["code"]
            return await returned(attacker, mine.replace(parameters(mine)["code"], code))

    stopped(run(going), 400, "did not accept the launch")
    assert ehr.faults == ["code_verifier"]


def test_a_code_that_was_used_gains_nothing(ehr):
    async def going():
        async with browser(configured(ehr)) as client:
            one, two = await begun(client, ehr), await begun(client, ehr)
            await returned(client, one)
            return await returned(client, two.replace(parameters(two)["code"], parameters(one)["code"]))

    stopped(run(going), 400, "did not accept the launch")
    assert "code used before" in ehr.faults


def test_a_login_has_ten_minutes(ehr, monkeypatch):
    now = [1000.0]
    application = configured(ehr)
    monkeypatch.setattr(application.state.sessions._store, "_clock", lambda: now[0])

    async def going():
        async with browser(application) as client:
            early, late = await begun(client, ehr), await begun(client, ehr)
            now[0] += 599
            first = await returned(client, early)
            now[0] += 1
            return first, await returned(client, late)

    first, second = run(going)
    assert first.status_code == 303
    stopped(second, 400, "took too long")


def test_a_session_ends(ehr, monkeypatch):
    now = [1000.0]
    application = configured(ehr)
    monkeypatch.setattr(application.state.sessions._store, "_clock", lambda: now[0])

    async def going():
        async with browser(application) as client:
            await launched(client, ehr)
            before = await filled(application, client)
            now[0] += 1800
            return before, await filled(application, client)

    before, after = run(going)
    assert before is not None
    assert after is None


@pytest.mark.parametrize(
    ("names_itself", "returned_as"),
    [(True, {"iss": "https://evil.example"}), (True, {"iss": ...}), (False, {"iss": "https://evil.example"})],
    ids=["another", "none although it says it would", "another although none was needed"],
)
def test_who_answers_is_who_was_asked(ehr, names_itself, returned_as):
    """RFC 9207."""
    ehr.names_itself, ehr.returned = names_itself, returned_as
    answer, found = launch(configured(ehr), ehr)
    stopped(answer, 400, "Another server answered")
    assert found is None
    assert "POST /token" not in ehr.asked


@pytest.mark.parametrize("names_itself", [True, False], ids=["the EHR names itself", "it does not"])
def test_two_ehrs_cannot_be_mixed_up(ehr, names_itself):
    """RFC 9700 section 4.4: a dishonest EHR passes the browser on to an honest one, to be given its code."""
    ehr.names_itself = names_itself
    with serving(Ehr(names_itself=False)) as dishonest:
        application = configured(ehr, dishonest)

        async def going():
            async with browser(application) as client:
                sent = await client.get("/smart/launch", params={"iss": dishonest.iss, "launch": dishonest.launch()})
                asked = parameters(sent.headers["location"]) | {"aud": ehr.iss, "launch": ehr.launch()}
                async with httpx.AsyncClient(trust_env=False) as outside:
                    same = await outside.get(f"{ehr.base}/authorize", params=asked)
                    asked["redirect_uri"] = ehr.redirect_uris[0]
                    other = await outside.get(f"{ehr.base}/authorize", params=asked)
                return same, await returned(client, other.headers["location"])

        same, answer = run(going)
    assert same.status_code == 400, "the honest one sends browsers to its own address only"
    stopped(answer, 400)
    assert "POST /token" not in dishonest.asked + ehr.asked


@pytest.mark.parametrize(
    ("code", "words"),
    [("access_denied", "Access to the record was not permitted"), ("invalid_scope", "does not permit what"),
     ("temporarily_unavailable", "Try again in a minute"), ("<b>made up</b>", "The EHR refused the launch")],
)  # fmt: skip
def test_a_refusal_is_said_in_words_of_our_own(ehr, code, words):
    ehr.refuse = code
    answer, found = launch(configured(ehr), ehr)
    stopped(answer, 400, words)
    assert "made up" not in answer.text
    assert found is None


LARGE = Response(b'{"a": "' + b"x" * 1_100_000 + b'"}', media_type="application/json")
DEEP = Response(b"[" * 200_000, media_type="application/json")
PLACE = "/fhir/.well-known/smart-configuration"


@pytest.mark.parametrize(
    "response",
    [RedirectResponse("http://127.0.0.1:1/"), LARGE, DEEP, Response("<html>"), JSONResponse([]),
     JSONResponse({"a": 1}, 404), Response(b'{"a": 1, "a": 2}')],
    ids=["sends elsewhere", "too large", "too deep", "not JSON", "a list", "not found", "a name twice"],
)  # fmt: skip
def test_a_configuration_that_cannot_be_read_stops_the_launch(ehr, response):
    ehr.raw = {PLACE: response}

    async def going():
        async with browser(configured(ehr)) as client:
            return await client.get("/smart/launch", params={"iss": ehr.iss, "launch": "x"})

    stopped(run(going), 502, "does not give its SMART configuration")
    assert ehr.asked == [f"GET {PLACE}"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"token_endpoint": ...}, "token_endpoint"),
        ({"token_endpoint": "http://ehr.example.org/token"}, "token_endpoint"),
        ({"token_endpoint": "https://user@ehr.example.org/token"}, "token_endpoint"),
        ({"token_endpoint": "file:///etc/passwd"}, "token_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({"authorization_endpoint": ...}, "authorization_endpoint"),
        ({"authorization_endpoint": "https://ehr.example.org/a#b"}, "authorization_endpoint"),
        ({"grant_types_supported": ["client_credentials"]}, "grant_types_supported"),
        ({"code_challenge_methods_supported": ["plain"]}, "code_challenge_methods_supported"),
        ({"code_challenge_methods_supported": ...}, "code_challenge_methods_supported"),
        ({"capabilities": ...}, "capabilities"),
        ({"jwks_uri": "http://ehr.example.org/keys"}, "jwks_uri"),
    ],
)
def test_a_configuration_without_what_smart_requires_stops_the_launch(ehr, changes, key):
    ehr.configuration = changes

    async def going():
        async with browser(configured(ehr)) as client:
            return await client.get("/smart/launch", params={"iss": ehr.iss, "launch": "x"})

    stopped(run(going), 502, f"{key} is missing or does not fit")


@pytest.mark.parametrize("address", ["10.0.0.5", "169.254.169.254", "[fd00:ec2::254]", "192.168.7.7"])
def test_a_token_endpoint_at_an_address_that_is_not_listed_is_not_contacted(ehr, monkeypatch, address):
    ehr.configuration = {"token_endpoint": f"https://{address}/token"}
    tried, connect = [], socket.socket.connect

    def noted(self, where):
        tried.append(where[0])
        return connect(self, where)

    monkeypatch.setattr(socket.socket, "connect", noted)
    answer, found = launch(configured(ehr), ehr)
    stopped(answer, 502, "The EHR does not answer")
    assert found is None
    assert "127.0.0.1" in tried
    assert address.strip("[]") not in tried


def test_a_name_that_leads_to_an_address_that_is_not_listed_is_not_contacted(ehr):
    """The configuration too, however it is called: loopback is not listed here."""

    async def going():
        async with browser(configured(ehr, fhir_private_networks=())) as client:
            return await client.get("/smart/launch", params={"iss": ehr.iss, "launch": "x"})

    stopped(run(going), 502, "does not give its SMART configuration")
    assert ehr.asked == []


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"patient": ...}, 400, "did not say which patient"),
        ({"patient": None}, 400, "did not say which patient"),
        ({"patient": "../Patient/2"}, 502, "cannot be used"),
        ({"patient": ".."}, 502, "cannot be used"),
        ({"patient": ["example"]}, 502, "cannot be used"),
        ({"access_token": ...}, 502, "cannot be used"),
        ({"access_token": ""}, 502, "cannot be used"),
        ({"access_token": "a\r\nX-Evil: 1"}, 502, "cannot be used"),
        ({"access_token": "x" * 20_000}, 502, "cannot be used"),
        ({"token_type": "mac"}, 502, "cannot be used"),
        ({"token_type": ...}, 502, "cannot be used"),
        ({"scope": ""}, 400, "does not permit to read the record"),
        ({"scope": "openid launch patient/Observation.c"}, 400, "does not permit to read the record"),
    ],
)
def test_an_answer_that_grants_nothing_usable_stops_the_launch(ehr, changes, status, words):
    ehr.token_answer = changes
    answer, found = launch(configured(ehr), ehr)
    stopped(answer, status, words)
    assert found is None
    assert not [each for each in ehr.asked if each.startswith("GET /fhir/Observation")]


@pytest.mark.parametrize(
    "response", [LARGE, DEEP, RedirectResponse("http://127.0.0.1:1/"), JSONResponse({"error": "<script>"}, 400)]
)
def test_a_token_endpoint_that_fails_stops_the_launch(ehr, response):
    ehr.raw = {"/token": response}
    answer, found = launch(configured(ehr), ehr)
    assert answer.status_code in (400, 502)
    stopped(answer, answer.status_code, "EHR")
    assert found is None


NOW = int(time.time())


@pytest.mark.parametrize(
    "changes",
    [{"iss": "https://evil.example"}, {"aud": "another-client"}, {"aud": ["bcma-decide", "other"]}, {"aud": ...},
     {"nonce": "another"}, {"nonce": ...}, {"exp": NOW - 3600}, {"exp": ...}, {"iat": NOW + 3600}, {"sub": ...},
     {"exp": "never"}],
    ids=lambda changes: next(iter(changes)),  # without the time: each worker has its own
)  # fmt: skip
def test_an_identity_token_that_is_not_for_this_login_stops_it(ehr, changes):
    ehr.identity = changes
    answer, found = launch(configured(ehr), ehr)
    stopped(answer, 502, "could not be verified")
    assert found is None
    assert f"GET /fhir/Patient/{PATIENT}" not in ehr.asked


def test_an_identity_token_of_another_key_stops_the_login(ehr):
    ehr.identity_key = STRANGE
    answer, _ = launch(configured(ehr), ehr)
    stopped(answer, 502, "could not be verified")
    assert ehr.revoked == list(ehr.tokens), "given back all the same"


def test_a_token_that_cannot_be_given_back_stops_nothing(ehr):
    ehr.raw = {"/revoke": Response("no", 500)}
    answer, found = launch(configured(ehr), ehr)
    assert answer.status_code == 303
    assert found is not None


def test_an_ehr_that_does_not_answer_is_not_asked_by_everybody_in_turn(ehr):
    ehr.raw = {PLACE: JSONResponse({}, 503)}

    async def going():
        async with browser(configured(ehr)) as client:
            asking = [client.get("/smart/launch", params={"iss": ehr.iss, "launch": "x"}) for _ in range(20)]
            return await asyncio.gather(*asking)

    for answer in run(going):
        stopped(answer, 502, "Try again in a minute")
    assert ehr.asked == [f"GET {PLACE}"]


@pytest.mark.parametrize(
    "token", ["", "a.b", "e30.e30.", "eyJhbGciOiJub25lIiwia2lkIjoiZWhyLTEifQ.e30.", 7, "x" * 40_000]
)
def test_what_is_no_signed_identity_token_stops_the_login(ehr, token):
    ehr.token_answer = {"id_token": token}
    answer, _ = launch(configured(ehr), ehr)
    stopped(answer, 502, "could not be verified")


def test_an_identity_for_several_has_to_name_this_client(ehr):
    ehr.identity = {"aud": ["bcma-decide", "other"], "azp": "bcma-decide"}
    answer, _ = launch(configured(ehr), ehr)
    assert answer.status_code == 303
    assert SIGNING.kid == "ehr-1"


def test_a_record_of_another_patient_is_not_shown(ehr):
    """The server answers with another person than the one it was asked for."""
    other = JSONResponse({"resourceType": "Patient", "id": "other", "birthDate": "1950-01-01"})
    ehr.raw = {f"/fhir/Patient/{PATIENT}": other}
    ehr.resources.append(
        {"resourceType": "Observation", "id": "foreign", "status": "final", "subject": {"reference": "Patient/other"},
         "code": {"text": "x"}}
    )  # fmt: skip
    _, found = launch(configured(ehr), ehr)
    assert "age" not in found.values
    assert found.not_read == ("patient: could not be read", "1 entries of another patient, left out")


def test_a_record_that_does_not_answer_stops_the_launch(ehr):
    ehr.raw = {f"/fhir/{kind}": JSONResponse({}, 500) for kind in (
        f"Patient/{PATIENT}", "Condition", "Observation", "DiagnosticReport", "MedicationRequest",
        "MedicationAdministration", "MedicationStatement", "MedicationDispense", "Procedure")}  # fmt: skip
    answer, found = launch(configured(ehr), ehr)
    stopped(answer, 502, "let nothing of the record be read")
    assert found is None


def test_the_log_says_why_in_a_word_and_nothing_of_tokens_or_patients(ehr, capfd):
    set_up_logging()
    application = configured(ehr)
    launch(application, ehr)
    ehr.refuse = "access_denied"
    launch(application, ehr)
    out, err = written(capfd)
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(line["route"], line["status"], line.get("refused")) for line in lines] == [
        ("/smart/launch", 303, None), ("/smart/callback/{ehr}", 303, None),
        ("/smart/launch", 303, None), ("/smart/callback/{ehr}", 400, "access_denied"),
    ]  # fmt: skip
    assert not any(secret in out + err for secret in ehr.secrets() | {ehr.iss, "code=", "state="})
