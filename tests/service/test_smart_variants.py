"""Launches from EHRs that do what the standards allow and others do not: real servers on loopback."""

import base64
import json

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, RSAKey
from starlette.responses import JSONResponse

from bcma_decide.service.callers.key_sets import only_key
from bcma_decide.service.http.access_log import set_up_logging
from bcma_decide.service.smart.refusal import OTHER, error_code, said_of
from tests.service.support.ehr import PATIENT, SIGNING, Ehr, parameters, serving
from tests.service.support.launching import browser, configured, launch
from tests.service.support.log import written
from tests.service.support.service import run
from tests.support.cases import for_each

OTHER_RSA = RSAKey.generate_key(2048, {"kid": "other"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
EC_384 = ECKey.generate_key("P-384", {"kid": "ec-384"})


@pytest.fixture
def ehr():
    with serving(Ehr()) as server:
        yield server


def public(key, **changes):
    return {name: value for name, value in (key.as_dict(private=False) | changes).items() if value is not ...}


def without_kid(ehr):
    """Identity tokens as smart-launcher-v2 signs them: RS256, and no key named in the header."""

    def token(nonce):
        claims = json.loads(base64.urlsafe_b64decode(signed(nonce).split(".")[1] + "=="))
        return jws.serialize_compact({"alg": "RS256", "typ": "JWT"}, json.dumps(claims).encode(), ehr.identity_key)

    signed = ehr.identity_token
    ehr.identity_token = token


@for_each(
    "keys",
    [[public(SIGNING)], [public(SIGNING, use=..., key_ops=["verify"])], [public(SIGNING, kid=...)],
     [public(EC), public(SIGNING)], [public(SIGNING), public(OTHER_RSA, use="enc")],
     [public(SIGNING), public(OTHER_RSA, alg="RS384")]],
    ids=["one key", "the launcher's", "a key without a name", "one a kind", "one to encrypt", "another algorithm"],
)  # fmt: skip
def test_a_token_need_not_name_its_key_where_one_alone_fits(keys):
    with serving(Ehr()) as ehr:
        without_kid(ehr)
        ehr.raw = {"/keys": JSONResponse({"keys": keys})}
        answer, found = launch(configured(ehr), ehr)
    assert answer.status_code == 303, answer.text
    assert "age" in found.values


@for_each(
    "keys",
    [[public(SIGNING), public(OTHER_RSA)], [public(OTHER_RSA)], [public(EC)], [],
     [public(SIGNING, key_ops=["sign"])], [public(SIGNING, use="enc")]],
    ids=["two fit", "another key", "another kind", "none", "not to verify", "to encrypt"],
)  # fmt: skip
def test_a_token_that_names_no_key_is_refused_where_none_or_several_fit(keys):
    with serving(Ehr()) as ehr:
        without_kid(ehr)
        ehr.raw = {"/keys": JSONResponse({"keys": keys})}
        answer, found = launch(configured(ehr), ehr)
    assert (answer.status_code, found) == (502, None)


def test_a_key_of_elliptic_curves_fits_by_its_curve():
    whole = KeySet([EC, EC_384]).as_dict(private=False)
    assert only_key(whole, "ES384").curve_name == "P-384"
    assert only_key(whole, "ES256").curve_name == "P-256"
    assert only_key(whole, "RS256") is None


@for_each("kind", ["Bearer", "bearer", "BEARER"])
@for_each("patient", [PATIENT, f"Patient/{PATIENT}"])
def test_the_answer_of_a_token_endpoint_is_read_as_the_standards_write_it(kind, patient):
    with serving(Ehr(token_answer={"token_type": kind, "patient": patient})) as ehr:
        answer, found = launch(configured(ehr), ehr)
    assert answer.status_code == 303, answer.text
    assert "age" in found.values


@for_each("patient", ["Patient/../x", "Practitioner/7", "Patient/", "Patient/Patient/1", "https://x.example/Patient/1"])
def test_what_is_no_id_of_a_patient_is_refused(patient):
    with serving(Ehr(token_answer={"patient": patient})) as ehr:
        answer, found = launch(configured(ehr), ehr)
    assert (answer.status_code, found) == (502, None)


@for_each("configured_slash", ["", "/"])
@for_each("launched_slash", ["", "/"])
def test_the_ehr_is_named_to_its_authorization_server_as_it_names_itself(configured_slash, launched_slash):
    with serving(Ehr()) as ehr:
        application = configured(ehr, ehr={"iss": ehr.iss + configured_slash})

        async def going():
            async with browser(application) as client:
                address = {"iss": ehr.iss + launched_slash, "launch": "x"}
                return (await client.get("/smart/launch", params=address)).headers["location"]

        assert parameters(run(going))["aud"] == ehr.iss + launched_slash


@for_each("configured_slash", ["", "/"])
def test_without_a_launch_the_ehr_is_named_as_its_configuration_names_it(configured_slash):
    """Whoever starts standalone has brought no address."""
    with serving(Ehr()) as ehr:
        application = configured(ehr, ehr={"iss": ehr.iss + configured_slash})

        async def going():
            async with browser(application) as client:
                return (await client.get("/smart/start")).headers["location"]

        assert parameters(run(going))["aud"] == ehr.iss


def test_a_whole_launch_passes_where_the_configured_address_has_a_slash(ehr):
    answer, found = launch(configured(ehr, ehr={"iss": ehr.iss + "/"}), ehr)
    assert (answer.status_code, ehr.faults) == (303, [])
    assert "age" in found.values


# what an authorization server says of a refusal


def log_lines(capfd):
    return [json.loads(line) for line in written(capfd).out.splitlines()]


def test_a_refusal_is_in_the_log_with_its_plain_words_and_on_the_page_by_its_code(ehr, capfd):
    set_up_logging()
    ehr.returned = {"code": ..., "error": "invalid_request", "error_description": "Bad audience (p4t13nt-77)"}
    answer, found = launch(configured(ehr), ehr)
    assert (answer.status_code, found) == (400, None)
    assert "The EHR refused the launch (invalid_request)." in answer.text
    assert "audience" not in answer.text
    last = log_lines(capfd)[-1]
    assert (last["refused"], last["said"]) == ("refused", "invalid_request: ... audience ...")


def test_what_a_token_endpoint_refuses_is_in_the_log_without_its_secrets(ehr, capfd):
    """The server of the tests repeats the code in its description."""
    set_up_logging()
    ehr.returned = {"code": "S3cretC0de-of-another-launch"}
    answer, _ = launch(configured(ehr), ehr)
    assert answer.status_code == 400
    assert "(invalid_grant)" in answer.text
    out = written(capfd).out
    assert json.loads(out.splitlines()[-1])["said"] == "invalid_grant: echo ..."
    assert "S3cret" not in out


@for_each(
    ("content", "code", "said"),
    [
        ({"error": "invalid_scope"}, "invalid_scope", "invalid_scope"),
        ({"error": "made_up", "error_description": "No such thing."}, OTHER, "another error: ... such thing."),
        ({"error": "access_denied", "error_description": "user Anna Weber (WEBER) said no"}, "access_denied",
         "access_denied: user ... ... ... said no"),
        ({"error": 7}, "", ""),
        ({}, "", ""),
        ({"error": "server_error", "error_description": ["x"]}, "server_error", "server_error"),
        ({"error": "invalid_grant", "error_description": "https://x.example/a eyJhbGciOi.x.y Ab9 aBcD 12 \u202e ok"},
         "invalid_grant", "invalid_grant: ... ... ... ... ... ... ok"),
        ({"error": "invalid_grant", "error_description": "a " * 50}, "invalid_grant",
         "invalid_grant: " + "a " * 20 + "..."),
    ],
)  # fmt: skip
def test_only_known_codes_and_plain_words_are_repeated(content, code, said):
    assert (error_code(content), said_of(content)) == (code, said)
