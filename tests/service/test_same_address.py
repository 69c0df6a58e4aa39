"""HEAD, slashes, compression and other origins, on a real socket of a real process."""

import gzip
import http.client
import json

import pytest

from tests.service.support.running import PATIENCE, running, stop
from tests.service.support.service import VIEW, app, ask, view

ORIGIN = "https://ehr.example.org"
GETS = ("/healthz", "/readyz", "/", "/evidence", "/guide", "/cds-services", "/schema", "/openapi.json", "/metrics")


@pytest.fixture(scope="module")
def port():
    variables = {"BCMA_DECIDE_CORS_ORIGINS": json.dumps([ORIGIN]), "BCMA_DECIDE_HOSTS": '["cds.example.org"]'}
    with running(**variables) as (_, found):
        yield found


def send(port, method, path, body=None, **headers):
    """Status, headers and body, as they come: nothing is followed or unpacked."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


@pytest.mark.parametrize("path", GETS)
def test_head_is_what_get_is_without_a_body(port, path):
    status, headers, body = send(port, "GET", path)
    assert (status, bool(body)) == (200, True)
    again, same, nothing = send(port, "HEAD", path)
    assert (again, nothing) == (status, b"")
    assert same.keys() == headers.keys()
    if path not in ("/metrics", "/openapi.json"):
        assert same["content-length"] == headers["content-length"]


def test_head_of_what_is_not_there_and_of_what_is_posted(port):
    assert send(port, "HEAD", "/nothing")[0] == 404
    assert send(port, "HEAD", "/comparisons")[0] == 405


def test_a_connection_stays_usable_after_head(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    for method in ("HEAD", "GET", "HEAD", "GET"):
        connection.request(method, "/healthz")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"" if method == "HEAD" else b'{"status":"ok"}')
    connection.close()


@pytest.mark.parametrize("path", ["/healthz", "/cds-services", "/evidence", "/guide/model"])
def test_a_slash_at_the_end_is_answered_and_never_sent_elsewhere(port, path):
    """Behind a proxy a redirect would name a host and scheme that the client never called."""
    plain = send(port, "GET", path, Host="cds.example.org")
    status, headers, body = send(port, "GET", f"{path}/", Host="cds.example.org")
    assert (status, body) == (200, plain[2])
    assert "location" not in headers


def test_a_call_with_a_slash_at_the_end_gives_the_card(port):
    body = json.dumps(view()).encode()
    found = [send(port, "POST", path, body, Content_Type="application/json") for path in (VIEW, f"{VIEW}/")]
    assert found[0][0] == found[1][0] == 200
    assert found[0][2] == found[1][2]


def test_what_is_large_is_packed_for_who_takes_it(port):
    for path in ("/", "/evidence", "/guide/model"):
        _, _, plain = send(port, "GET", path)
        _, headers, packed = send(port, "GET", path, Accept_Encoding="gzip, br")
        assert headers["content-encoding"] == "gzip"
        assert "accept-encoding" in headers["vary"].lower()
        assert gzip.decompress(packed) == plain
        assert len(packed) < len(plain) / 2
    assert "content-encoding" not in send(port, "GET", "/healthz", Accept_Encoding="gzip")[1]
    for refused in ("identity", "gzip;q=0", "br, gzip; q=0.000", "x-gzip"):
        _, headers, body = send(port, "GET", "/", Accept_Encoding=refused)
        assert "content-encoding" not in headers, refused
        assert "accept-encoding" in headers["vary"].lower(), "another client gets another answer"
        assert len(body) > 100_000
    assert "content-encoding" in send(port, "GET", "/", Accept_Encoding="br;q=1, gzip; q=0.5")[1]


@pytest.mark.parametrize(
    ("headers", "packed"),
    [({}, False), ({"Sec_Fetch_Site": "cross-site"}, False), ({"Sec_Fetch_Site": "same-site"}, False),
     ({"Sec_Fetch_Site": "same-origin"}, True), ({"Sec_Fetch_Site": "none"}, True)],
)  # fmt: skip
def test_beside_a_cookie_nothing_is_packed_that_another_site_could_have_asked_for(port, headers, packed):
    """The length of a packed page gives away what stands in it (BREACH)."""
    sent = {"Accept_Encoding": "gzip", "Cookie": "bcma-session=x", **headers}
    assert ("content-encoding" in send(port, "GET", "/", **sent)[1]) is packed


def test_pages_of_configured_origins_may_call_and_read_answers_and_errors(port):
    body = json.dumps(view()).encode()
    for status, found in (
        (200, send(port, "GET", "/cds-services", Origin=ORIGIN)),
        (200, send(port, "POST", VIEW, body, Origin=ORIGIN, Content_Type="application/json")),
        (200, send(port, "POST", f"{VIEW}/feedback", FEEDBACK, Origin=ORIGIN, Content_Type="application/json")),
        (400, send(port, "POST", VIEW, b"{", Origin=ORIGIN, Content_Type="application/json")),
        (404, send(port, "GET", "/nothing", Origin=ORIGIN)),
        (405, send(port, "PUT", VIEW, b"", Origin=ORIGIN)),
        (413, send(port, "POST", VIEW, b"", Origin=ORIGIN, Content_Length="999999999")),
    ):
        assert found[0] == status
        assert found[1]["access-control-allow-origin"] == ORIGIN
    for method in ("GET", "POST"):
        status, headers, _ = send(port, "OPTIONS", VIEW, Origin=ORIGIN, Access_Control_Request_Method=method,
                                  Access_Control_Request_Headers="authorization, content-type")  # fmt: skip
        assert (status, headers["x-content-type-options"]) == (200, "nosniff")
        assert method in headers["access-control-allow-methods"]
        assert {"authorization", "content-type"} <= set(headers["access-control-allow-headers"].lower().split(", "))
    assert "access-control-allow-origin" not in send(port, "GET", "/cds-services", Origin="https://evil.example")[1]


FEEDBACK = json.dumps({"feedback": [{"card": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "outcome": "overridden",
                                     "outcomeTimestamp": "2026-11-26T10:00:00Z"}]}).encode()  # fmt: skip


def test_an_error_of_the_program_may_be_read_too():
    def failing(bundle, on, *, infer=False):
        raise RuntimeError("MARKER")

    service = app(reading=failing, cors_origins=[ORIGIN])
    headers = {"Content-Type": "application/json", "Origin": ORIGIN}
    answer = ask(service, "POST", VIEW, content=json.dumps(view()), headers=headers)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (500, ORIGIN)
    assert "MARKER" not in answer.text


def test_without_configured_origins_no_page_elsewhere_may_read():
    with running() as (process, port):
        for found in (
            send(port, "GET", "/cds-services", Origin=ORIGIN),
            send(port, "OPTIONS", VIEW, Origin=ORIGIN, Access_Control_Request_Method="POST"),
        ):
            assert not [name for name in found[1] if name.startswith("access-control")]
        send(port, "HEAD", "/healthz/")
        _, out, _ = stop(process)
    last = json.loads(out.splitlines()[-1])
    assert (last["method"], last["route"], last["status"]) == ("HEAD", "/healthz", 200), "logged as it was asked"
