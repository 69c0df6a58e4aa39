"""Pieces of a launch: scopes, banner, keys, logins under way, settings."""

import asyncio
import contextlib
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey

from bcma_decide.comparison import RecordLedger
from bcma_decide.errors import ServiceError
from bcma_decide.service.sessions import Filled, Sessions
from bcma_decide.service.settings import read_settings
from bcma_decide.service.shared.store import Memory
from bcma_decide.service.smart.banner import banner_of
from bcma_decide.service.smart.client_key import read_client_key
from bcma_decide.service.smart.configuration import Configuration, read_configuration
from bcma_decide.service.smart.login import Logins
from bcma_decide.service.smart.scopes import access
from bcma_decide.service.smart.stopped import Stopped
from bcma_decide.service.smart.token import read_granted
from tests.service.support.service import app, run, written
from tests.support.cases import for_each

TODAY = date(2026, 11, 26)


@for_each(
    ("scope", "key", "expected"),
    [
        ("patient/Observation.rs", "observations", "whole"),
        ("patient/Observation.s", "observations", "whole"),
        ("patient/Observation.r", "observations", "none"),
        ("patient/Observation.cruds", "observations", "whole"),
        ("patient/*.rs", "observations", "whole"),
        ("user/Observation.rs", "observations", "whole"),
        ("patient/Observation.read", "observations", "whole"),
        ("patient/*.*", "observations", "whole"),
        ("patient/Observation.write", "observations", "none"),
        ("patient/Observation.cud", "observations", "none"),
        ("patient/Observation.rs?category=laboratory", "observations", "some"),
        ("patient/ObservationDefinition.rs", "observations", "none"),
        ("system/Observation.rs", "observations", "none"),
        ("patient/Observation.sr", "observations", "none"),
        ("launch/patient", "observations", "none"),
        ("patient/Patient.r", "patient", "whole"),
        ("patient/Patient.s", "patient", "none"),
        ("patient/Patient.read", "patient", "whole"),
    ],
)
def test_a_scope_opens_what_smart_says_it_does(scope, key, expected):
    """HL7 SMART App Launch 2.2, scopes: ``cruds`` in order; version 1: read is rs, write is cud."""
    assert access(key, {scope}) == expected


def test_a_whole_scope_beside_a_narrow_one_opens_everything():
    assert access("conditions", {"patient/Condition.rs?category=x", "patient/*.read"}) == "whole"


@for_each(
    ("patient", "expected"),
    [
        ({"name": [{"text": "Eva M."}], "birthDate": "1950"}, "Eva M., born 1950"),
        ({"name": [{"family": "Doe", "given": ["Jane", "B."]}], "birthDate": "1950-03"}, "Jane B. Doe, born 1950-03"),
        ({"name": [{"use": "nickname", "text": "Jo"}, {"use": "official", "text": "Joan Doe"}]},
         "Joan Doe, date of birth not given"),
        ({"name": [{"use": "old", "text": "Before"}, {"use": "usual", "text": "Now"}]},
         "Now, date of birth not given"),
        ({"name": [{"text": "Before", "period": {"end": "2020-01-01"}}, {"text": "Now"}]},
         "Now, date of birth not given"),
        ({"name": "junk", "birthDate": 7}, "name not given, date of birth not given"),
        ({"name": [{"given": [1, None, "A\nB"], "family": ["x"]}]}, "A B, date of birth not given"),
        ({}, "name not given, date of birth not given"),
    ],
)  # fmt: skip
def test_the_banner_says_the_name_in_use_and_the_birth_date(patient, expected):
    assert banner_of(patient, TODAY) == expected


UNUSABLE = {
    "not there": None,
    "empty": "",
    "no key": "nonsense",
    "a public key": lambda: json.dumps(ECKey.generate_key("P-384").as_dict(private=False)),
    "another curve": lambda: json.dumps(ECKey.generate_key("P-256").as_dict(private=True)),
    "a shared secret": lambda: json.dumps(OctKey.generate_key(256).as_dict(private=True)),
    "a public key as PEM": lambda: RSAKey.generate_key(2048).as_pem(private=False).decode(),
}


@pytest.mark.parametrize("content", UNUSABLE.values(), ids=UNUSABLE)
def test_a_key_that_cannot_sign_stops_the_start_and_is_not_repeated(tmp_path, content):
    file = tmp_path / "key"
    text = content() if callable(content) else content
    if text is not None:
        file.write_text(text)
    with pytest.raises(ServiceError) as caught:
        read_client_key(file)
    assert str(file) in str(caught.value)
    assert not text or text[:40] not in str(caught.value)
    entry = {"id": "a", "iss": "https://ehr.example.org/fhir", "client_id": "x", "key_file": file}
    with pytest.raises(ServiceError, match="key for an EHR"):
        app(smart=[entry], public_url="https://cds.example.org")


EHR = {"id": "a", "iss": "https://ehr.example.org/fhir", "client_id": "x"}
CONFIGURATION = Configuration("https://ehr.example.org/authorize", "https://ehr.example.org/token", "", "", "", False)


def logins(**options):
    ehr = read_settings(smart=[EHR], public_url="https://cds.example.org").smart[0]
    found = Logins(Memory(), [ehr], secure=True, **options)

    async def begin():
        back = "https://cds.example.org/smart/callback/a"
        begun = await found.begin(ehr, CONFIGURATION, back, aud=ehr.iss, launch=None)
        state = begun.address.partition("state=")[2].partition("&")[0]
        return state, {begun.cookie: begun.secret}

    return found, begin


def test_of_too_many_logins_the_oldest_ends():
    found, begin = logins(most=3)

    async def going():
        begun = [await begin() for _ in range(4)]
        return [await found.take(state, cookies) is not None for state, cookies in begun]

    assert run(going) == [False, True, True, True]


def test_a_login_is_taken_once_and_by_its_own_browser_only():
    found, begin = logins()

    async def going():
        state, cookies = await begin()
        assert await found.take(state, {name: value[:-1] for name, value in cookies.items()}) is None
        assert await found.take(state, cookies) is None, "a state that showed up elsewhere is spent"
        state, cookies = await begin()
        login = await found.take(state, cookies)
        assert login.configuration == CONFIGURATION
        assert await found.take(state, cookies) is None
        assert await found.take("", {}) is None

    run(going)


def test_the_secrets_of_a_login_are_not_in_what_the_browser_gets_nor_in_its_text():
    found, begin = logins()

    async def going():
        state, cookies = await begin()
        kept = repr(vars(found._store))
        return state, cookies, await found.take(state, cookies), kept

    state, cookies, login, kept = run(going)
    assert len(login.verifier) == 43
    assert login.verifier not in repr(login)
    assert login.nonce not in repr(login)
    assert login.verifier not in state + repr(cookies) + kept


HEAD = '[[smart]]\nid = "a"\niss = "https://ehr.example.org/fhir"\nclient_id = "x"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD.replace("https", "http"), "smart.0.iss: write an https"),
        (HEAD.replace("/fhir", "/fhir?x=1"), "smart.0.iss"),
        (HEAD.replace('"a"', '"A b"'), "smart.0.id"),
        (HEAD + 'scopes = ["a b"]', "smart.0.scopes"),
        (HEAD + 'client_secret = "s"', "smart.0.client_secret: is not a setting"),
        (HEAD + HEAD.replace("/fhir", "/other"), "smart: each id and each iss stands there once"),
        (HEAD + HEAD.replace('"a"', '"b"').replace("/fhir", "/fhir/"), "smart: each id and each iss stands there once"),
        ('host = "0.0.0.0"\n' + HEAD, "smart needs public_url"),
        ('frame_ancestors = ["https://ehr.example.org"]', "frame_ancestors needs public_url with https"),
        ('frame_ancestors = ["https://ehr.example.org/"]', "frame_ancestors.0: write an origin"),
        ('frame_ancestors = ["https://a.example; script-src *"]', "frame_ancestors.0: write an origin"),
        ('frame_ancestors = ["http://a.example"]', "frame_ancestors.0: write an https"),
        ('frame_ancestors = ["*"]', "frame_ancestors.0"),
    ],
)
def test_a_mistake_in_the_settings_is_named(tmp_path, text, said):
    with pytest.raises(ServiceError) as caught:
        read_settings(written(tmp_path, text))
    assert said in str(caught.value)


def test_ehrs_are_read_from_the_file(tmp_path):
    found = read_settings(written(tmp_path, 'public_url = "https://cds.example.org"\n' + HEAD))
    (ehr,) = found.smart
    assert (ehr.id, ehr.iss, ehr.scopes[:3]) == ("a", EHR["iss"], ("openid", "fhirUser", "patient/Patient.r"))
    assert found.https
    assert not read_settings().https


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
GOOD_CONFIGURATION = {
    "authorization_endpoint": "https://ehr.example.org/authorize",
    "token_endpoint": "https://ehr.example.org/token",
    "grant_types_supported": ["authorization_code"],
    "code_challenge_methods_supported": ["S256"],
    "capabilities": ["sso-openid-connect"],
    "issuer": "https://ehr.example.org",
    "jwks_uri": "https://ehr.example.org/keys",
    "revocation_endpoint": "https://ehr.example.org/revoke",
}
GOOD_TOKEN = {"access_token": "a", "token_type": "Bearer", "patient": "1", "scope": "patient/*.rs", "id_token": "x",
              "need_patient_banner": True}  # fmt: skip


@pytest.mark.parametrize(
    ("read", "good"), [(read_configuration, GOOD_CONFIGURATION), (lambda each: read_granted(each, ("x",)), GOOD_TOKEN)],
    ids=["configuration", "token"],
)  # fmt: skip
@given(data=st.data())
def test_whatever_an_ehr_sends_is_read_or_stops_the_launch(read, good, data):
    read(good)
    key = data.draw(st.sampled_from(sorted(good)))
    with contextlib.suppress(Stopped):
        read(good | {key: data.draw(ANYTHING)})


def test_sessions_are_forgotten_even_when_nobody_calls(monkeypatch):
    monkeypatch.setattr("bcma_decide.service.app._SWEPT", 0.01)
    store = Memory()
    application = app(store=store)

    async def waiting():
        async with application.router.lifespan_context(application):
            await Sessions(store, longest=0.02).begin(Filled({"age": 71}, RecordLedger(date=TODAY), (), ""))
            await asyncio.sleep(0.2)
            return dict(store._kept["session"])

    assert run(waiting) == {}
