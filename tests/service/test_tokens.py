"""Who may call: every way a token can be refused, and that the answer never says which."""

import base64
import hmac
import json
import socketserver
import threading
import time
import warnings

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from bcma_decide.errors import ServiceError
from bcma_decide.service.callers.key_sets import read_keys
from bcma_decide.service.callers.tokens import UsedTokens, Verifier
from bcma_decide.service.http.access_log import set_up_logging
from bcma_decide.service.settings import Issuer
from bcma_decide.service.shared.store import Memory
from tests.service.support.log import written
from tests.service.support.service import app, ask, post, run, view
from tests.service.support.tokens import AUDIENCE, EC, ISSUER, OTHER, RSA, bearer, claims, issuer, key, key_set, token
from tests.support.cases import for_each


@pytest.fixture
def guarded(tmp_path):
    return app(issuers=(issuer(tmp_path),))


def status(application, text, path="/evidence"):
    return ask(application, "GET", path, headers=bearer(text)).status_code


@pytest.mark.parametrize(("name", "algorithm"), [(EC, "ES384"), (RSA, "RS384")])
def test_a_token_of_a_known_issuer_admits_once(guarded, name, algorithm):
    text = token(name=name, algorithm=algorithm)
    assert [status(guarded, text), status(guarded, text)] == [200, 401]


def test_the_audience_may_be_a_list_and_times_may_differ_by_the_skew(guarded):
    now = int(time.time())
    assert status(guarded, token(aud=["https://elsewhere.org", f"{AUDIENCE}/evidence"])) == 200
    assert status(guarded, token(iat=now + 30, nbf=now + 30)) == 200
    assert status(guarded, token(exp=now - 30)) == 200


def coded(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unsigned():
    parts = ({"alg": "none", "kid": "ec-1", "typ": "JWT"}, claims())
    return ".".join(coded(json.dumps(each).encode()) for each in parts) + "."


def signed_with_the_public_key():
    public = key(*RSA).public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    parts = ({"alg": "HS256", "kid": "rsa-1", "typ": "JWT"}, claims())
    text = ".".join(coded(json.dumps(each).encode()) for each in parts)
    return f"{text}.{coded(hmac.digest(public, text.encode(), 'sha256'))}"


def with_a_part_it_must_understand():
    head, payload, _ = token().split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "===")) | {"crit": ["made-up"], "made-up": 1}
    text = f"{coded(json.dumps(header).encode())}.{payload}"
    algorithm = JWSRegistry(algorithms=["ES384"]).get_alg("ES384")
    return f"{text}.{coded(algorithm.sign(text.encode(), key(*EC)))}"


def changed():
    head, _, signature = token().split(".")
    other = base64.urlsafe_b64encode(json.dumps(claims(exp=int(time.time()) + 3000)).encode()).rstrip(b"=").decode()
    return f"{head}.{other}.{signature}"


NOW = int(time.time())
REFUSED = {
    "no algorithm": unsigned,
    "a shared secret that is the public key": signed_with_the_public_key,
    "an algorithm that is not configured": lambda: token(name=RSA, algorithm="RS256"),
    "the algorithm of another key": lambda: token(header={"kid": "rsa-1"}),
    "changed after signing": changed,
    "another issuer": lambda: token(iss="https://evil.example"),
    "no issuer": lambda: token(iss=...),
    "an issuer that is no text": lambda: token(iss=["https://ehr.example.org"]),
    "another audience": lambda: token(aud="https://other.example.org/evidence"),
    "another address of this service": lambda: token(aud=f"{AUDIENCE}/comparisons"),
    "only the beginning of the address": lambda: token(aud=AUDIENCE),
    "no audience": lambda: token(aud=...),
    "expired": lambda: token(exp=NOW - 3600, iat=NOW - 7200),
    "without an end": lambda: token(exp=...),
    "an end that is no number": lambda: token(exp="never"),
    "an end that is not a number": lambda: token(exp=float("nan")),
    "an end that never comes": lambda: token(exp=float("inf")),
    "an end too far to count": lambda: token(exp=10**400),
    "an end before all time": lambda: token(exp=-(10**400)),
    "valid for a day": lambda: token(exp=NOW + 86_400),
    "not yet valid": lambda: token(nbf=NOW + 3600),
    "a beginning that is null": lambda: token(nbf=None),
    "made in the future": lambda: token(iat=NOW + 3600),
    "without the time it was made": lambda: token(iat=...),
    "without jti": lambda: token(jti=...),
    "a jti that is no text": lambda: token(jti=7),
    "an unknown key": lambda: token(name=OTHER),
    "without kid": lambda: token(header={"kid": ...}),
    "a key of that name, but not that key": lambda: token(name=OTHER, header={"kid": "ec-1"}),
    "of another type": lambda: token(header={"typ": "at+jwt"}),
    "a part it must understand": with_a_part_it_must_understand,
    "no token at all": lambda: "",
    "not a token": lambda: "a.b.c",
    "two parts": lambda: "a.b",
    "a list for a header": lambda: "W10.W10.x",
    "too long": lambda: token(sub="x" * 9000),
    "deeply nested": lambda: base64.urlsafe_b64encode(b"[" * 6000).decode() + ".e30.x",
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_gets_401_and_not_a_word(guarded, make):
    text = make()
    answer = ask(guarded, "GET", "/evidence", headers=bearer(text))
    assert answer.status_code == 401
    assert answer.json() == {"type": "about:blank", "title": "Unauthorized", "status": 401}
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_log_has_the_reason_in_a_word_and_nothing_of_the_token(guarded, capfd):
    set_up_logging()
    text = token(aud="https://other.example.org")
    assert status(guarded, text) == 401
    line = json.loads(written(capfd).out)
    assert (line["status"], line["refused"]) == (401, "audience")
    assert not any(part in json.dumps(line) for part in text.split("."))


def test_every_route_but_health_needs_a_token(guarded):
    for path in ("/evidence", "/schema", "/openapi.json", "/cds-services", "/nowhere"):
        assert ask(guarded, "GET", path).status_code == 401, path
    for path in ("/healthz", "/readyz", "/metrics"):
        assert ask(guarded, "GET", path).status_code == 200, path
    assert ask(guarded, "GET", "/evidence", headers={"Authorization": "Basic eDp5"}).status_code == 401
    twice = [("Authorization", f"Bearer {token()}")] * 2
    assert ask(guarded, "GET", "/evidence", headers=twice).status_code == 401


def test_in_cds_hooks_the_refusal_is_an_operation_outcome_without_detail(guarded):
    answer = post(guarded, "/cds-services/bcma-decide-patient-view", view())
    assert answer.status_code == 401
    assert answer.json() == {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "login", "diagnostics": "Unauthorized"}],
    }
    path = "/cds-services/bcma-decide-patient-view"
    assert post(guarded, path, view(), headers=bearer(token(path=path))).status_code == 200


def test_weaker_curves_only_where_the_issuer_is_configured_for_them(tmp_path):
    name = ("P-256", "p256")
    weak = app(issuers=(issuer(tmp_path, name, algorithms=("ES256",)),))
    assert status(weak, token(name=name, algorithm="ES256")) == 200
    strict = app(issuers=(issuer(tmp_path, name),))
    assert status(strict, token(name=name, algorithm="ES256")) == 401


def test_an_address_in_the_token_is_never_asked(guarded):
    """``jku`` of an attacker: the token is judged by the configured keys alone."""
    asked = []

    class Trap(socketserver.BaseRequestHandler):
        def handle(self):
            asked.append(self.request.recv(100))

    with socketserver.TCPServer(("127.0.0.1", 0), Trap) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        jku = f"http://127.0.0.1:{server.server_address[1]}/jwks.json"
        forged = token(name=OTHER, header={"jku": jku})
        honest = token(header={"jku": jku})
        embedded = token(name=OTHER, header={"jwk": key(*OTHER).as_dict(private=False), "x5u": jku})
        assert [status(guarded, each) for each in (forged, honest, embedded)] == [401, 200, 401]
        server.shutdown()
    assert asked == []


class Remote:
    """The key server of an issuer: counts how often it is asked."""

    def __init__(self, content):
        self.content, self.asked = content, 0

    def __call__(self, request):
        self.asked += 1
        assert str(request.url) == "https://ehr.example.org/jwks"
        if isinstance(self.content, Exception):
            raise self.content
        return self.content if isinstance(self.content, httpx.Response) else httpx.Response(200, json=self.content)


def remote_app(server, **settings):
    who = Issuer(issuer=ISSUER, audience=(f"{AUDIENCE}*",), jwks_url="https://ehr.example.org/jwks")
    return app(issuers=(who,), transport=httpx.MockTransport(server), **settings)


def test_remote_keys_are_kept_and_asked_again_for_an_unknown_one_once_per_interval(monkeypatch):
    now = time.time()
    monkeypatch.setattr("tests.service.support.tokens.time.time", lambda: now)
    server = Remote(key_set(EC))
    guarded = remote_app(server, jwks_refresh=300)
    assert [status(guarded, token()), status(guarded, token())] == [200, 200]
    assert server.asked == 1
    server.content = key_set(EC, RSA)
    assert [status(guarded, token(name=RSA, algorithm="RS384")) for _ in range(3)] == [401] * 3
    assert server.asked == 1


def test_a_rotated_key_is_found_after_the_interval(monkeypatch):
    passed = [0]
    monkeypatch.setitem(Verifier.__init__.__kwdefaults__, "clock", lambda: time.time() + passed[0])
    server = Remote(key_set(EC))
    guarded = remote_app(server, jwks_refresh=10)
    assert status(guarded, token()) == 200
    server.content = key_set(RSA)
    passed[0] = 11
    assert status(guarded, token(name=RSA, algorithm="RS384")) == 200
    assert status(guarded, token()) == 401, "a withdrawn key"
    assert server.asked == 2


@for_each(
    "content",
    [
        httpx.ConnectError("no"),
        httpx.Response(500),
        httpx.Response(302, headers={"Location": "http://127.0.0.1:1/"}),
        httpx.Response(200, content=b"{" * 100),
        httpx.Response(200, content=b"[]"),
        httpx.Response(200, content=b" " * 1_000_001),
    ],
    ids=["unreachable", "error", "sends elsewhere", "not JSON", "no key set", "too large"],
)
def test_a_key_server_that_fails_admits_no_one_and_breaks_nothing(content):
    assert status(remote_app(Remote(content)), token()) == 401


def test_only_public_keys_that_can_check_a_signature_are_taken():
    secret = {"kty": "oct", "kid": "s", "k": "c2VjcmV0"}
    encryption = key(*EC).as_dict(private=False) | {"kid": "e", "use": "enc"}
    private = key(*RSA).as_dict(private=True)
    nameless = {name: value for name, value in key(*EC).as_dict(private=False).items() if name != "kid"}
    found = read_keys({"keys": [secret, encryption, private, nameless, {"kty": "RSA", "kid": "x"}, 7]})
    assert list(found) == ["rsa-1"]
    assert not found["rsa-1"].is_private


def test_a_small_rsa_key_is_left_out():
    with warnings.catch_warnings(action="ignore"):
        small = RSAKey.generate_key(1024, {"kid": "small"}).as_dict(private=False)
        assert read_keys({"keys": [small]}) == {}


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "eA", "kid": "1"}]}']
)
def test_a_key_file_without_a_usable_key_stops_the_start(tmp_path, content):
    file = tmp_path / "keys.json"
    file.write_text(content)
    with pytest.raises(ServiceError, match="keys of an issuer"):
        app(issuers=(Issuer(issuer=ISSUER, audience=("x",), jwks_file=file),))


def test_an_issuer_that_stands_there_twice_stops_the_start(tmp_path):
    with pytest.raises(ServiceError, match="twice"):
        app(issuers=(issuer(tmp_path), issuer(tmp_path)))


def test_the_memory_of_used_tokens_is_bounded_and_never_forgets_early():
    now = [1000.0]
    tokens = UsedTokens(Memory(lambda: now[0]), lambda: now[0], most=3)

    async def using():
        assert [await tokens.use("a", str(n), 1010.0 + n) for n in range(3)] == [True] * 3
        assert await tokens.use("a", "new", 1010) is False, "full: refused rather than forgotten"
        assert await tokens.use("a", "0", 1010) is False
        now[0] = 1010.5
        assert await tokens.use("a", "new", 1020) is True
        assert await tokens.use("a", "1", 1020) is False
        assert await tokens.use("b", "2", 1020) is False, "still full"

    run(using)
