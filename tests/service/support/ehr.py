"""An EHR on this machine: SMART 2 authorization server and FHIR server in one, strict about what it is asked.

Written from the specifications (SMART App Launch 2.2, RFC 6749, 7523, 7636, 9207, OpenID Connect Core), not from the
service it tests. Whatever breaks them is refused and noted in ``faults``.
"""

import base64
import contextlib
import hashlib
import json
import re
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.places import RECORDS as BUNDLES

PATIENT = "example"
NAME = {"family": "Testperson-Äß", "given": ["Maria", "<b>Eva</b>"]}
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
UNRESERVED = re.compile(r"[A-Za-z0-9._~-]{43,128}")
SIGNING = RSAKey.generate_key(2048, {"kid": "ehr-1", "use": "sig", "alg": "RS256"})


def records(name="fit-58"):
    """The resources of a shipped record, with a name for the banner."""
    bundle = json.loads((BUNDLES / f"{name}.json").read_text(encoding="utf-8"))
    found = [entry["resource"] for entry in bundle["entry"]]
    return [each | {"name": [NAME]} if each["resourceType"] == "Patient" else each for each in found]


@dataclass
class Ehr:
    """The server and what it is told to do otherwise than it should."""

    client_id: str = "bcma-decide"
    redirect_uris: tuple = ()
    client_keys: dict | None = None
    """JWKS of a confidential client; None: a public one."""
    resources: list = field(default_factory=records)
    granted: object = None
    """Function from the scopes asked for to those granted."""
    refuse: str = ""
    """Error code the authorization endpoint answers with."""
    names_itself: bool = True
    configuration: dict = field(default_factory=dict)
    """Changes to the SMART configuration; ... takes a key out."""
    token_answer: dict = field(default_factory=dict)
    """Changes to the answer of the token endpoint; ... takes a key out."""
    identity: dict = field(default_factory=dict)
    """Changes to the claims of the identity token."""
    identity_key: object = field(default_factory=lambda: SIGNING)
    returned: dict = field(default_factory=dict)
    """Changes to the parameters of the return; ... takes one out."""
    raw: dict = field(default_factory=dict)
    """Path to a response given instead of the proper one."""
    delay: float = 0.0
    base: str = ""
    faults: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    launches: dict = field(default_factory=dict)
    codes: dict = field(default_factory=dict)
    tokens: dict = field(default_factory=dict)
    revoked: list = field(default_factory=list)
    used_jti: set = field(default_factory=set)

    @property
    def iss(self):
        return f"{self.base}/fhir"

    def launch(self, patient=PATIENT):
        """A launch from the chart of a patient."""
        identifier = secrets.token_urlsafe(16)
        self.launches[identifier] = patient
        return identifier

    def secrets(self):
        """Everything that must stand in no log."""
        return {*self.codes, *self.tokens, PATIENT, NAME["family"]}

    # SMART

    def smart_configuration(self):
        whole = {
            "issuer": self.iss,
            "jwks_uri": f"{self.base}/keys",
            "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "revocation_endpoint": f"{self.base}/revoke",
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "scopes_supported": ["openid", "launch", "patient/*.rs"],
            "capabilities": ["launch-ehr", "launch-standalone", "client-public", "client-confidential-asymmetric",
                             "sso-openid-connect", "context-ehr-patient", "permission-patient", "permission-v2"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.names_itself,
        }  # fmt: skip
        return changed(whole, self.configuration)

    def authorize(self, given):
        """Parameters of the return, or a fault that is shown to the user instead (RFC 6749 section 4.1.2.1)."""
        if any(len(values) > 1 for values in given.values()):
            return self.fault("a parameter stands there twice")
        asked = {name: values[0] for name, values in given.items()}
        if asked.get("client_id") != self.client_id:
            return self.fault("client_id")
        if asked.get("redirect_uri") not in self.redirect_uris:
            return self.fault("redirect_uri")
        scopes = asked.get("scope", "").split()
        named = asked.get("launch")
        wrong = [
            text
            for text, holds in {
                "response_type": asked.get("response_type") == "code",
                "state": len(asked.get("state", "")) >= 122 / 6,
                "aud": asked.get("aud") == self.iss,
                "code_challenge_method": asked.get("code_challenge_method") == "S256",
                "code_challenge": re.fullmatch(r"[A-Za-z0-9_-]{43}", asked.get("code_challenge", "")),
                "launch": named in self.launches if "launch" in scopes else named is None,
                "a launch scope": ("launch" in scopes) != ("launch/patient" in scopes),
                "nonce": "openid" not in scopes or asked.get("nonce"),
            }.items()
            if not holds
        ]
        if wrong:
            return self.fault(*wrong)
        answer = {"state": asked["state"]} | ({"iss": self.iss} if self.names_itself else {})
        if self.refuse:
            answer |= {"error": self.refuse, "error_description": "<script>alert(1)</script>Texas"}
        else:
            code = secrets.token_urlsafe(24)
            self.codes[code] = {**asked, "until": time.time() + 60, "used": False,
                                "patient": self.launches.pop(named) if named else PATIENT}  # fmt: skip
            answer["code"] = code
        return asked["redirect_uri"] + "?" + urlencode(changed(answer, self.returned))

    def fault(self, *texts):
        self.faults += texts

    def exchange(self, form, headers):
        """Status and body of the token endpoint."""
        if headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
            self.fault("content type")
        given = {name: values[0] for name, values in parse_qs(form, strict_parsing=True).items()}
        if error := self.unauthenticated(given):
            self.fault(error)
            return 401, {"error": "invalid_client"}
        code = self.codes.get(given.get("code"))
        if given.get("grant_type") != "authorization_code" or code is None:
            return 400, {"error": "invalid_grant", "error_description": "echo " + given.get("code", "")}
        verifier = given.get("code_verifier", "")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        wrong = [
            text
            for text, holds in {
                "code used before": not code["used"],
                "code too old": code["until"] > time.time(),
                "redirect_uri of the code": given.get("redirect_uri") == code["redirect_uri"],
                "code_verifier": UNRESERVED.fullmatch(verifier) and digest == code["code_challenge"],
            }.items()
            if not holds
        ]
        if wrong:
            self.fault(*wrong)
            return 400, {"error": "invalid_grant"}
        code["used"] = True
        scopes = self.granted(code["scope"].split()) if self.granted else code["scope"].split()
        token = secrets.token_urlsafe(32)
        self.tokens[token] = (code["patient"], scopes)
        answer = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": " ".join(scopes),
            "patient": code["patient"],
            "need_patient_banner": True,
            "refresh_token": "never-used",
            "appContext": "a card",
            "fhirContext": [{"reference": "ImagingStudy/1"}],
        }
        if "openid" in scopes:
            answer["id_token"] = self.identity_token(code.get("nonce"))
        return 200, changed(answer, self.token_answer)

    def revoke(self, form):
        """Status of the revocation endpoint (RFC 7009)."""
        given = {name: values[0] for name, values in parse_qs(form, strict_parsing=True).items()}
        if error := self.unauthenticated(given):
            self.fault(error)
            return 401
        self.revoked.append(given.get("token"))
        return 200

    def unauthenticated(self, given):
        """What is wrong with how the client authenticates (RFC 7523 section 3; SMART: within five minutes)."""
        if self.client_keys is None:
            return "" if given.get("client_id") == self.client_id else "client_id"
        if given.get("client_assertion_type") != ASSERTION:
            return "client_assertion_type"
        try:
            keys = KeySet.import_key_set(self.client_keys)
            found = jwt.decode(given.get("client_assertion", ""), keys, algorithms=["ES384", "RS384"])
        except Exception as error:  # whatever is wrong with it
            return f"client_assertion: {type(error).__name__}"
        claims, now = found.claims, time.time()
        holds = {
            "typ": found.header.get("typ") == "JWT",
            "kid": found.header.get("kid") in {key["kid"] for key in self.client_keys["keys"]},
            "iss": claims.get("iss") == self.client_id,
            "sub": claims.get("sub") == self.client_id,
            "aud": claims.get("aud") == f"{self.base}/token",
            "exp": now < claims.get("exp", 0) <= now + 300,
            "jti": claims.get("jti") and claims["jti"] not in self.used_jti,
        }
        self.used_jti.add(claims.get("jti"))
        return ", ".join(f"client assertion: {name}" for name, good in holds.items() if not good)

    def identity_token(self, nonce):
        now = int(time.time())
        claims = {"iss": self.iss, "sub": "dr-7", "aud": self.client_id, "iat": now, "exp": now + 300, "nonce": nonce,
                  "fhirUser": f"{self.iss}/Practitioner/7"}  # fmt: skip
        key = self.identity_key
        header = {"alg": "RS256", "kid": key.kid}
        return jwt.encode(header, changed(claims, self.identity), key, ["RS256"])

    # FHIR

    def fhir(self, path, query, authorization):
        """Status and body of the FHIR server."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            self.fault("bearer")
            return 401, outcome("login")
        patient, scopes = self.tokens[token]
        kind, _, identifier = path.partition("/")
        own = f"patient/{kind}."
        may = {letter for scope in scopes if scope.startswith((own, "patient/*.")) for letter in
               scope.partition(".")[2].partition("?")[0].replace("read", "rs")}  # fmt: skip
        if ("r" if identifier else "s") not in may:
            self.fault(f"not granted: {path}")
            return 403, outcome("forbidden")
        if identifier:
            found = [each for each in self.resources if each["resourceType"] == kind and each["id"] == identifier]
            return (200, found[0]) if found and identifier == patient else (404, outcome("not-found"))
        asked = query.get("patient", query.get("subject", [""]))[0].removeprefix("Patient/")
        if asked != patient:
            self.fault("a search for another patient")
            return 403, outcome("forbidden")
        found = [each for each in self.resources if each["resourceType"] == kind]
        entries = [{"resource": each, "search": {"mode": "match"}} for each in found]
        return 200, {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}

    def app(self):
        async def answer(request):
            path = request.url.path
            self.asked.append(f"{request.method} {path}")
            if self.delay:
                time.sleep(self.delay)
            if path in self.raw:
                return self.raw[path]
            if path == "/fhir/.well-known/smart-configuration":
                return JSONResponse(self.smart_configuration())
            if path == "/authorize":
                target = self.authorize(parse_qs(request.url.query, keep_blank_values=True))
                return RedirectResponse(target, 302) if target else PlainTextResponse("refused", 400)
            if path == "/token" and request.method == "POST":
                status, body = self.exchange((await request.body()).decode(), request.headers)
                return JSONResponse(body, status, {"Cache-Control": "no-store"})
            if path == "/revoke" and request.method == "POST":
                return Response(status_code=self.revoke((await request.body()).decode()))
            if path == "/keys":
                return JSONResponse({"keys": [SIGNING.as_dict(private=False)]})
            if path.startswith("/fhir/"):
                query = parse_qs(request.url.query or (await request.body()).decode())
                authorization = request.headers.get("authorization", "")
                status, body = self.fhir(path.removeprefix("/fhir/"), query, authorization)
                return JSONResponse(body, status, media_type="application/fhir+json")
            return PlainTextResponse("nothing here", 404)

        return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


def changed(whole, changes):
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def outcome(code):
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


@contextlib.contextmanager
def serving(ehr):
    """The EHR on a socket of this machine."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        ehr.base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(ehr.app(), log_config=None, access_log=False, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield ehr
        finally:
            server.should_exit = True
            thread.join(10)


def parameters(address):
    """The query of an address as a dict of single values."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
