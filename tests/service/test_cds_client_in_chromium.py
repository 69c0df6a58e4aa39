"""A CDS client in a real browser, on another origin: preflight, signed calls, cards, feedback; or nothing at all."""

import contextlib
import http.server
import json
import re
import socket
import threading
from pathlib import Path

import httpx
import pytest

from tests.service.support.running import running, stop
from tests.service.support.tokens import EC, key, key_set
from tests.support.places import RECORDS

CLIENT = Path(__file__).parent / "cds_client"
RECORD = RECORDS / "extramedullary-66-high-risk.json"
ISSUER = "https://sandbox.example.org"
TYPES = {".html": "text/html", ".js": "text/javascript"}


class Client(http.server.BaseHTTPRequestHandler):
    """The client's own origin: its page, its key, and the FHIR server it reads."""

    resources = tuple(each["resource"] for each in json.loads(RECORD.read_text())["entry"])

    def do_GET(self):
        name = self.path.partition("?")[0].lstrip("/")
        if name.startswith("fhir/"):
            self.fhir(name.removeprefix("fhir/"))
        elif name == "key.json":
            self.give(json.dumps(key(*EC).as_dict(private=True)), "application/json")
        else:
            file = CLIENT / (name or "index.html")
            self.give(file.read_text(), TYPES[file.suffix])

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.fhir(self.path.removeprefix("/fhir/").removesuffix("/_search"))

    def fhir(self, asked):
        kind, _, name = asked.partition("/")
        found = [each for each in self.resources if each["resourceType"] == kind]
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in found]}
        self.give(json.dumps(found[0] if name else bundle), "application/fhir+json")

    def give(self, text, kind):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def client():
    """Serve the client; gives its origin."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Client) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextlib.contextmanager
def service(tmp_path, **variables):
    """A service that trusts the client's key, and lets pages of the given origins call."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(key_set(EC)))
    with socket.socket() as free:  # tokens name the whole address, so that the port is chosen before the start
        free.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{free.getsockname()[1]}"
    issuer = {"issuer": ISSUER, "audience": [f"{base}*"], "jwks_file": str(keys)}
    port = ("--port", base.rpartition(":")[2])
    with running(*port, BCMA_DECIDE_ISSUERS=json.dumps([issuer]), **variables) as (process, _):
        yield process, base


def patient():
    return next(each["id"] for each in Client.resources if each["resourceType"] == "Patient")


def opened(context, origin, base):
    page = context.new_page()
    page.goto(f"{origin}/?services={base}/cds-services&fhir={origin}/fhir&patient={patient()}&issuer={ISSUER}")
    page.wait_for_function("/done|failed/.test(document.querySelector('#log').textContent)", timeout=60_000)
    return page


@pytest.mark.slow
@pytest.mark.sample
def test_a_page_of_an_allowed_origin_gets_the_card_and_reports_its_dismissal(browser, tmp_path):
    with client() as origin, service(tmp_path, BCMA_DECIDE_CORS_ORIGINS=json.dumps([origin])) as (process, base):
        page = opened(browser.new_context(), origin, base)
        assert page.inner_text("#log").split("\n")[:3] == ["discovery 200", "call 200", "done"]
        [card] = page.query_selector_all("article")
        assert card.get_attribute("data-indicator") in ("info", "warning")
        assert re.match(r"CAR-T and Bispecific side by side", card.query_selector("h2").inner_text())
        page.get_by_role("button", name="Does not apply to this patient").click()
        page.wait_for_function("/feedback/.test(document.querySelector('#log').textContent)")
        assert "feedback 200" in page.inner_text("#log")
        counted = [line for line in httpx.get(f"{base}/metrics").text.splitlines() if "cds-not-applicable" in line]
        assert [line.rpartition(" ")[2] for line in counted if not line.startswith("#")][:1] == ["1.0"]
        page.context.close()
        code, out, _ = stop(process)
    assert code == 0
    routes = [(line["method"], line["route"], line["status"]) for line in map(json.loads, out.splitlines())]
    assert ("OPTIONS", 200) in {(method, status) for method, _, status in routes}, "the browser asked first"
    assert patient() not in out


@pytest.mark.slow
@pytest.mark.parametrize("origins", [[], ["http://other.example.org"]])
def test_a_page_of_another_origin_reads_nothing(browser, tmp_path, origins):
    with client() as origin, service(tmp_path, BCMA_DECIDE_CORS_ORIGINS=json.dumps(origins)) as (_, base):
        page = opened(browser.new_context(), origin, base)
        assert "failed" in page.inner_text("#log")
        assert not page.query_selector_all("article")
        page.context.close()
