"""A small FHIR server on loopback that serves one bundle, well or badly, and remembers what it was asked."""

import gzip
import json
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.places import RECORDS as BUNDLES

FHIR = "application/fhir+json"
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    """With its query."""
    headers: dict
    """Names in lower case."""
    body: bytes = b""

    @property
    def token(self):
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass
class FhirServer:
    """A running server: its base address, and every request it got."""

    base: str = ""
    asked: list = field(default_factory=list)

    @property
    def kinds(self):
        """Resource types asked for, each once, sorted."""
        return sorted({urlsplit(each.path).path.split("/")[2] for each in self.asked})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with the default of 5, connections opened together would wait a second


@contextmanager
def serving(bundle, *, token=None, page=500, routes=None, tls=None, next_base=None, refuses=None):
    """Serve the resources of a bundle below ``/fhir``.

    Parameters
    ----------
    bundle
        Whose resources are found; of every patient in it.
    token
        Without it as bearer every answer is 401; None asks for none.
    page
        Resources on a page at most.
    routes
        By what follows ``/fhir/`` in the path, or its first part: a function of the request handler that answers
        instead, to any method. Some stand below.
    refuses
        From kind and query of a search to whether it is answered with 400: what a server does not do.
    tls
        Certificate and key file: then it speaks https.
    next_base
        What links to next pages begin with; default its own address.
    """
    server = FhirServer()
    httpd = _Server(("127.0.0.1", 0), _handler(server, bundle, token, page, routes or {}, next_base, refuses))
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    server.base = f"{'http' if tls is None else 'https'}://127.0.0.1:{httpd.server_address[1]}/fhir"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def _handler(server, bundle, token, page, routes, next_base, refuses):
    resources = [entry["resource"] for entry in bundle.get("entry", [])]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body leave together: no waiting for the other side's acknowledgement

        def log_message(self, *args):
            pass

        def handle(self):
            try:
                super().handle()
            except OSError:
                self.close_connection = True  # the other side went away, as it may

        def do_GET(self):
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.asked.append(Asked(self.command, self.path, headers, self.rfile.read(length)))
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/fhir/")
            odd = routes.get(path) or routes.get(path.partition("/")[0])
            if odd is not None:
                odd(self)
            elif token is not None and server.asked[-1].token != token:
                self.reply(OUTCOME, 401)
            elif self.command != "GET":
                self.reply(OUTCOME, 405)
            elif "/" in path:
                kind, _, name = path.partition("/")
                found = [each for each in resources if (each["resourceType"], each.get("id")) == (kind, name)]
                self.reply(found[0] if found else OUTCOME, 200 if found else 404)
            elif "patient" not in (query := parse_qs(parts.query)) or (refuses and refuses(path, query)):
                self.reply(OUTCOME, 400)
            else:
                self.reply(searched(path, query))

        do_POST = do_PUT = do_GET  # noqa: N815

        def reply(self, content, status=200, kind=FHIR, **headers):
            """Answer with JSON, or with bytes as they are."""
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

    def searched(kind, query):
        patient = query["patient"][0]
        of = [each for each in resources if each["resourceType"] == kind and _subject(each) == patient]
        for name in ("code", "category"):
            if name in query:
                wanted = query[name][0].split(",")
                of = [each for each in of if wanted_by(wanted, each.get(name))]
        if query.get("_sort") == ["-date"]:
            of.sort(key=lambda each: each.get("effectiveDateTime", ""), reverse=True)
        number, count = int(query.get("_page", ["1"])[0]), min(page, int(query.get("_count", ["500"])[0]))
        shown = of[(number - 1) * count : number * count]
        content = {"resourceType": "Bundle", "type": "searchset", "total": len(of)}
        if shown:
            content["entry"] = [{"resource": each, "search": {"mode": "match"}} for each in shown]
        if number * count < len(of):
            asked = urlencode({name: values[0] for name, values in query.items()} | {"_page": number + 1})
            content["link"] = [{"relation": "next", "url": f"{next_base or server.base}/{kind}?{asked}"}]
        return content

    return Handler


def wanted_by(tokens, concepts):
    """Whether one of the codes is asked for, with its system or without (token search of FHIR)."""
    concepts = concepts if isinstance(concepts, list) else [concepts or {}]
    codings = [coding for concept in concepts for coding in concept.get("coding", ())]
    return any(each.get("code") in tokens or f"{each.get('system')}|{each.get('code')}" in tokens for each in codings)


def us_core(kind, query):
    """A server that stops at US Core: for observations it wants a code or a category, as Epic does."""
    return kind == "Observation" and not query.keys() & {"code", "category"}


def _subject(resource):
    return resource.get("subject", {}).get("reference", "").rpartition("/")[2]


def status(code, content=OUTCOME, **headers):
    """Answer with a status."""
    return lambda handler: handler.reply(content, code, **headers)


def redirect(address):
    """Send the caller elsewhere."""
    return status(302, b"", Location=address)


def late(until, content=OUTCOME):
    """Wait for an event, then answer."""

    def answer(handler):
        until.wait(120)  # a test that fails is not to hang
        handler.reply(content)

    return answer


def dripping(until, pause=0.05):
    """Send a body byte by byte until an event."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", FHIR)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not until.wait(pause):
            handler.wfile.write(b" ")
            handler.wfile.flush()
        handler.close_connection = True

    return answer


def padded(size):
    """A bundle of so many bytes that holds nothing."""
    return b'{"resourceType": "Bundle", "type": "searchset"' + b" " * size + b"}"


def bomb(size):
    """The same packed: a thousandth of it on the way."""
    return status(200, gzip.compress(padded(size)), Content_Encoding="gzip")


def odd_type(kind):
    """An answer that says it is something else."""
    return lambda handler: handler.reply({"resourceType": "Bundle", "type": "searchset"}, kind=kind)


LOOPBACK = ["127.0.0.0/8"]


TOKEN = "S3CRET-token"


def record(name="fit-58"):
    return json.loads((BUNDLES / f"{name}.json").read_text(encoding="utf-8"))
