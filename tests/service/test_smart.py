"""A launch from an EHR and a start without one, from the first address to the filled session."""

import json
import re

import httpx
import pytest
from joserfc.jwk import ECKey, KeySet, RSAKey

from bcma_decide.fhir.reading.reader import read_bundle
from tests.service.support.ehr import BUNDLES, NAME, PATIENT, Ehr, parameters, serving
from tests.service.support.launching import (
    PUBLIC,
    TODAY,
    begun,
    browser,
    configured,
    filled,
    launch,
    launched,
    returned,
)
from tests.service.support.service import model, run


@pytest.fixture
def ehr():
    with serving(Ehr()) as server:
        yield server


@pytest.mark.parametrize("standalone", [False, True], ids=["from the EHR", "standalone"])
def test_a_launch_fills_the_session_with_what_the_record_says(ehr, standalone):
    application = configured(ehr)
    answer, found = launch(application, ehr, standalone=standalone)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PUBLIC}/")
    assert ehr.faults == []
    bundle = json.loads((BUNDLES / "fit-58.json").read_text(encoding="utf-8"))
    expected = read_bundle(bundle, model().codes, model().definitions, TODAY)
    assert found.values == expected.values
    assert found.ledger.inputs == expected.ledger.inputs
    assert (found.ledger.unmapped, found.not_read, found.ledger.date) == (expected.ledger.unmapped, (), TODAY)
    assert len(found.values) > 10


def test_the_record_is_read_once_and_the_tokens_are_dropped(ehr):
    application = configured(ehr)
    _, found = launch(application, ehr)
    assert sorted(ehr.asked) == sorted(
        ["GET /fhir/.well-known/smart-configuration", "GET /authorize", "POST /token", "GET /keys", "POST /revoke",
         f"GET /fhir/Patient/{PATIENT}", "GET /fhir/Condition", "GET /fhir/Observation", "GET /fhir/Observation",
         "GET /fhir/DiagnosticReport", "GET /fhir/MedicationRequest", "GET /fhir/MedicationDispense",
         "GET /fhir/MedicationAdministration", "GET /fhir/MedicationStatement", "GET /fhir/Procedure"]
    )  # fmt: skip
    kept = repr(found) + repr(vars(application.state.sessions))
    assert not any(secret in kept for secret in {*ehr.tokens, *ehr.codes})
    assert ehr.revoked == list(ehr.tokens)
    ehr.asked.clear()
    launch(application, ehr)
    assert "GET /fhir/.well-known/smart-configuration" not in ehr.asked, "asked again within minutes"


def test_the_authorization_request_is_that_of_smart(ehr):
    """HL7 SMART App Launch 2.2: parameters of the request, scopes by the words of version 2."""

    async def going():
        async with browser(configured(ehr)) as client:
            first = await client.get("/smart/launch", params={"iss": ehr.iss, "launch": "abc"})
            second = await client.get("/smart/start")
            return first, second

    first, second = run(going)
    asked = parameters(first.headers["location"])
    record = ("Patient.r Condition.rs Observation.rs DiagnosticReport.rs MedicationRequest.rs "
              "MedicationAdministration.rs MedicationStatement.rs MedicationDispense.rs Procedure.rs")  # fmt: skip
    kinds = " ".join(f"patient/{each}" for each in record.split())
    assert asked["scope"] == f"launch openid fhirUser {kinds}"
    assert {name: asked[name] for name in ("response_type", "client_id", "redirect_uri", "aud", "launch")} == {
        "response_type": "code", "client_id": "bcma-decide", "redirect_uri": f"{PUBLIC}/smart/callback/ehr-1",
        "aud": ehr.iss, "launch": "abc",
    }  # fmt: skip
    assert len(asked["state"]) == 43
    standalone = parameters(second.headers["location"])
    assert standalone["scope"].startswith("launch/patient openid")
    assert "launch" not in standalone
    for name in ("state", "code_challenge", "nonce"):
        assert asked[name] != standalone[name]


def test_cookies_are_bound_to_the_host_and_out_of_reach_of_scripts(ehr):
    async def going():
        async with browser(configured(ehr)) as client:
            sent = await client.get("/smart/launch", params={"iss": ehr.iss, "launch": ehr.launch()})
            async with httpx.AsyncClient(trust_env=False) as outside:
                back = (await outside.get(sent.headers["location"])).headers["location"]
            return sent, await returned(client, back)

    sent, last = run(going)
    (login,) = sent.headers.get_list("set-cookie")
    assert re.fullmatch(
        r"__Host-bcma-launch-[0-9a-f]{16}=\S{43}; HttpOnly; Max-Age=600; Path=/; SameSite=lax; Secure", login
    )
    gone, session = last.headers.get_list("set-cookie")
    assert gone.startswith(login.split("=")[0] + '=""; ')
    assert last.headers["x-frame-options"] == "DENY"
    assert "Max-Age=0" in gone
    assert re.fullmatch(r"__Host-bcma-session=\S{43}; HttpOnly; Path=/; SameSite=lax; Secure", session)
    assert last.headers["cache-control"] == "no-store"
    assert last.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("required", [True, False, ...], ids=["required", "not required", "not said"])
def test_the_page_says_who_the_patient_is_unless_the_ehr_does(ehr, required):
    ehr.token_answer = {"need_patient_banner": required}
    _, found = launch(configured(ehr), ehr)
    born = next(each["birthDate"] for each in ehr.resources if each["resourceType"] == "Patient")
    assert found.banner == ("" if required is False else f"Maria <b>Eva</b> {NAME['family']}, born {born}")


def test_a_second_launch_of_a_browser_ends_its_first_session(ehr):
    application = configured(ehr)

    async def going():
        async with browser(application) as client:
            await launched(client, ehr)
            first = dict(client.cookies)
            await launched(client, ehr)
            return await application.state.sessions.find(first), await filled(application, client)

    first, second = run(going)
    assert first is None
    assert second is not None


def test_two_launches_of_a_browser_at_the_same_time_do_not_end_each_other(ehr):
    async def going():
        async with browser(configured(ehr)) as client:
            one, two = await begun(client, ehr), await begun(client, ehr)
            return [(await returned(client, each)).status_code for each in (one, two)]

    assert run(going) == [303, 303]


@pytest.mark.parametrize("kind", ["EC as JWK", "RSA as JWK", "EC as PEM", "RSA as PEM"])
def test_with_a_key_the_service_proves_who_it_is(ehr, kind, tmp_path):
    """RFC 7523: the EHR checks the signature, for whom, by whom, how long, and that it comes once."""
    key = ECKey.generate_key("P-384") if kind.startswith("EC") else RSAKey.generate_key(2048)
    file = tmp_path / "key"
    file.write_text(json.dumps(key.as_dict(private=True)) if "JWK" in kind else key.as_pem(private=True).decode())
    application = configured(ehr, ehr={"key_file": file})

    async def going():
        async with browser(application) as client:
            published = (await client.get("/smart/jwks.json")).json()
            ehr.client_keys = published
            return published, [await launched(client, ehr) for _ in range(2)]

    published, answers = run(going)
    assert [answer.status_code for answer in answers] == [303, 303]
    assert ehr.faults == []
    assert ehr.revoked == list(ehr.tokens)
    (entry,) = published["keys"]
    assert not {"d", "p", "q"} & set(entry)
    assert entry["alg"] == ("ES384" if kind.startswith("EC") else "RS384")
    ehr.client_keys = KeySet([ECKey.generate_key("P-384", {"kid": entry["kid"]})]).as_dict(private=False)
    refused, found = launch(application, ehr)
    assert (refused.status_code, found) == (400, None)


def test_fewer_scopes_leave_parts_unknown_and_named(ehr):
    ehr.granted = lambda asked: [
        scope for scope in asked if not re.search(r"Medication|Condition", scope)
    ] + ["patient/Condition.rs?category=problem-list-item"]  # fmt: skip
    answer, found = launch(configured(ehr), ehr)
    assert answer.status_code == 303
    assert ehr.faults == []
    assert found.not_read == (
        "diagnoses: the EHR permits some of them only",
        "prescriptions: not permitted by the EHR",
        "administrations of medicines: not permitted by the EHR",
        "statements on medicines: not permitted by the EHR",
        "medicines handed out: not permitted by the EHR",
    )
    assert "age" in found.values
    assert "received" not in found.values


def test_without_the_patient_resource_age_and_banner_are_unknown(ehr):
    ehr.granted = lambda asked: [scope for scope in asked if "Patient.r" not in scope]
    _, found = launch(configured(ehr), ehr)
    assert found.not_read == ("patient: not permitted by the EHR",)
    assert "age" not in found.values
    assert found.banner == ""
    assert "ferritin" in found.values


def test_scopes_of_version_1_open_the_record_too(ehr):
    scopes = ["openid", "patient/*.read"]
    _, found = launch(configured(ehr, ehr={"scopes": scopes}), ehr)
    assert ehr.faults == []
    assert found.not_read == ()


def test_an_ehr_without_identity_is_not_asked_for_one(ehr):
    ehr.configuration = {"capabilities": ["launch-ehr"], "issuer": ..., "jwks_uri": ..., "revocation_endpoint": ...}
    ehr.names_itself = False
    answer, _ = launch(configured(ehr), ehr)
    assert answer.status_code == 303
    assert "GET /keys" not in ehr.asked


def test_where_there_are_several_ehrs_people_choose(ehr):
    with serving(Ehr()) as other:
        application = configured(ehr, other)

        async def going():
            async with browser(application) as client:
                page = await client.get("/smart/start")
                unknown = await client.get("/smart/start", params={"ehr": "nowhere"})
                answer = await launched(client, other, standalone=True, name="ehr-2")
                return page, unknown, answer

        page, unknown, answer = run(going)
    assert page.status_code == 200
    assert re.findall(r'<a href="start\?ehr=([^"]+)">([^<]+)</a>', page.text) == [
        ("ehr-1", "Hospital 1"),
        ("ehr-2", "Hospital 2"),
    ]
    assert "Not a medical device" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert unknown.status_code == 404
    assert answer.status_code == 303
    assert ehr.asked == []


def test_routes_are_there_only_with_an_ehr_and_need_no_token_of_ours(ehr, tmp_path):
    from tests.service.support.service import app, ask
    from tests.service.support.tokens import issuer

    assert ask(app(), "GET", "/smart/start").status_code == 404
    guarded = configured(ehr, issuers=(issuer(tmp_path),))
    answer, found = launch(guarded, ehr)
    assert answer.status_code == 303
    assert found is not None
    assert ask(guarded, "GET", "/evidence").status_code == 401
    assert ask(guarded, "GET", "/smart").status_code == 401


def test_in_a_frame_of_a_configured_site_cookies_are_kept_apart_for_it(ehr):
    sites = ("https://ehr.example.org", "https://portal.example.org:8443")
    application = configured(ehr, frame_ancestors=sites)

    async def going():
        async with browser(application) as client:
            stopped = await client.get("/smart/launch")
            return stopped, await launched(client, ehr)

    stopped, last = run(going)
    for answer in (stopped, last):
        assert "x-frame-options" not in answer.headers
        assert answer.headers["content-security-policy"].count(f"frame-ancestors {' '.join(sites)}") == 1
        assert "frame-ancestors 'none'" not in answer.headers["content-security-policy"]
    for cookie in last.headers.get_list("set-cookie"):
        assert cookie.endswith("; SameSite=none; Secure; Partitioned")
