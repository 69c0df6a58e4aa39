"""Reading a FHIR server: a real one on loopback, which serves well, badly, or means harm."""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from bcma_decide.service.fetching.fhir_client import PAGES, FhirClient, fetch_parts
from bcma_decide.service.fetching.searches import KINDS, searches
from bcma_decide.service.hooks.prefetch import Part
from bcma_decide.service.http.metrics import Metrics
from bcma_decide.service.settings import Settings
from tests.service.support.fhir_server import (
    LOOPBACK,
    OUTCOME,
    TOKEN,
    bomb,
    dripping,
    late,
    odd_type,
    padded,
    record,
    redirect,
    serving,
    status,
)
from tests.service.support.service import model, run
from tests.support.cases import for_each

NOT_THERE = "the server does not have it"
OBSERVATIONS = ("observations",)
SEARCHES = searches(model().codes)
LISTS = len(SEARCHES.tries["observations"][0])
"""Searches of observations: by lists of codes."""


def resources(bundle, kind):
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def fetched(
    server, *, keys=tuple(KINDS), token=TOKEN, patient="example", networks=LOOPBACK, name=None, resolve=None, **more
):
    """What one call reads, and the counts of its results."""
    asked = name or server.base
    settings = Settings(**{"fhir_servers": [asked], "fhir_private_networks": networks, "fhir_seconds": 20} | more)
    metrics = Metrics("evidence")
    client = FhirClient(settings, metrics, SEARCHES, **({"resolve": resolve} if resolve else {}))
    parts = run(lambda: fetch_parts(client, asked, token, patient, keys))
    assert set(parts) == set(keys)
    return parts, counts(metrics)


def counts(metrics):
    lines = [
        line for line in metrics.text().decode().splitlines() if line.startswith("bcma_decide_fhir_searches_total")
    ]
    return {line.partition('"')[2].partition('"')[0]: float(line.rpartition(" ")[2]) for line in lines}


@pytest.mark.parametrize("page", [500, 3])
def test_a_record_comes_whole_however_many_pages_it_has(page):
    whole = record()
    with serving(whole, token=TOKEN, page=page) as server:
        parts, _ = fetched(server)
    assert parts["patient"] == Part("complete", tuple(resources(whole, "Patient")))
    assert parts["conditions"].state == "complete"
    by_id = {each["id"]: each for each in parts["observations"].resources}
    assert by_id == {each["id"]: each for each in resources(whole, "Observation")}
    assert parts["observations"].state == "complete"
    assert parts["procedures"] == Part("nothing")


def test_what_is_asked_is_asked_as_the_standard_has_it():
    with serving(record(), token=TOKEN) as server:
        fetched(server)
    assert sorted(each.path for each in server.asked) == sorted(
        f"/fhir/{query}" for key in KINDS for query in next(SEARCHES.of_patient(key, "example"))
    )
    for each in server.asked:
        assert each.method == "GET"
        assert each.headers["accept"] == "application/fhir+json"
        assert each.headers["authorization"] == f"Bearer {TOKEN}"
        assert "cookie" not in each.headers
        assert TOKEN not in each.path


def test_an_id_of_a_patient_cannot_change_what_is_asked():
    hostile = "a/b?x=1&patient=example#"
    with serving(record(), token=TOKEN) as server:
        parts, _ = fetched(server, keys=("patient", "observations"), patient=hostile)
        assert {key: part.state for key, part in parts.items()} == {"patient": "error", "observations": "nothing"}
        encoded = "a%2Fb%3Fx%3D1%26patient%3Dexample%23"
        observations = sorted(each.path for each in server.asked)
        assert len(observations) == LISTS, "and no path with an encoded slash"
        assert all(each.startswith(f"/fhir/Observation?patient={encoded}&code=") for each in observations)
        for hostile in ("../admin", "..", ".", "\ud800", "\n"):
            assert fetched(server, keys=("patient",), patient=hostile)[0]["patient"].state == "error"
    assert all(each.path.startswith("/fhir") for each in server.asked)


def test_a_server_may_ask_for_no_token():
    with serving(record()) as server:
        parts, _ = fetched(server, token=None)
    assert parts["observations"].state == "complete"
    assert all("authorization" not in each.headers for each in server.asked)


@for_each(
    ("odd", "word"),
    [
        (status(401), "no leave"),
        (status(403), "no leave"),
        (status(404), "not found"),
        (status(500), "server error"),
        (status(503), "server error"),
        (status(204, b""), "server error"),
        (status(200), "outcome"),
        (status(200, {"resourceType": "Bundle", "entry": [{"resource": OUTCOME}]}), "outcome"),
        (status(200, {"resourceType": "Observation"}), "not FHIR"),
        (status(200, {"resourceType": "Bundle", "entry": [7]}), "not FHIR"),
        (status(200, {"entry": []}), "not FHIR"),
        (status(200, []), "not FHIR"),
        (status(200, b"{"), "not JSON"),
        (status(200, b'{"resourceType": "Bundle", "resourceType": "Bundle"}'), "not JSON"),
        (status(200, b'{"resourceType": "Bundle", "total": NaN}'), "not JSON"),
        (status(200, b'{"resourceType": "\xff"}'), "not JSON"),
        (status(200, b"[" * 100_000), "not JSON"),
        (status(200, b'{"resourceType": "Bundle", "x": ' + b"[" * 80 + b"]" * 80 + b"}"), "not JSON"),
        (status(200, b"no gzip", Content_Encoding="gzip"), "not JSON"),
        (status(200, b"", Content_Encoding="br"), "not JSON"),
        (odd_type("text/html"), "not JSON"),
        (odd_type("application/fhir+xml"), "not JSON"),
        (lambda handler: handler.wfile.write(b"SSH-2.0\r\n\r\n"), "no answer"),
        (lambda handler: setattr(handler, "close_connection", True), "no answer"),
    ],
)
def test_an_answer_that_cannot_be_used_is_an_error_of_its_key_alone(odd, word):
    with serving(record(), token=TOKEN, routes={"Observation": odd}) as server:
        parts, counted = fetched(server)
    why = {"no leave": "the server does not permit it", "not found": NOT_THERE}.get(word, "")
    assert parts["observations"] == Part("error", why=why)
    assert counted[word] == 1
    assert parts["conditions"].state == "complete"
    assert parts["patient"].state == "complete"


def test_the_patient_has_to_be_the_one_asked_for():
    with serving(record(), routes={"Patient": status(200, {"resourceType": "Patient", "id": "other"})}) as server:
        parts, counted = fetched(server, keys=("patient",))
    assert parts["patient"] == Part("error")
    assert counted == {"not FHIR": 1}


def test_what_was_not_asked_for_is_left_out():
    mixed = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "x"}},
             {"resource": {"resourceType": "Observation", "id": "o"}}, {"resource": OUTCOME}]}  # fmt: skip
    with serving(record(), routes={"Observation": status(200, mixed)}) as server:
        parts, _ = fetched(server, keys=OBSERVATIONS)
    assert [each["id"] for each in parts["observations"].resources] == ["o"]


def test_a_redirect_is_not_followed():
    with (
        serving(record()) as other,
        serving(
            record(), token=TOKEN, routes={"Observation": redirect(f"{other.base}/Observation?patient=example")}
        ) as server,
    ):
        parts, counted = fetched(server, keys=OBSERVATIONS)
    assert parts["observations"] == Part("error")
    assert counted == {"redirected": 1}
    assert other.asked == []


def test_a_next_page_elsewhere_is_not_followed_and_the_first_is_kept():
    with serving(record()) as other, serving(record(), token=TOKEN, page=3, next_base=other.base) as server:
        parts, counted = fetched(server, keys=OBSERVATIONS)
    assert (parts["observations"].state, len(parts["observations"].resources)) == ("first page", 3 * LISTS)
    assert counted == {"elsewhere": 1}
    assert other.asked == []


@for_each("link", ["/admin?x=1", "../admin", "//127.0.0.1:1/fhir/x", "http://[", 7, "", "file:///x",
                                  "/fhir/%2e%2e/admin"])  # fmt: skip
def test_a_next_page_outside_the_base_is_not_asked(link):
    page = {"resourceType": "Bundle", "link": [{"relation": "next", "url": link}],
            "entry": [{"resource": {"resourceType": "Observation"}}]}  # fmt: skip
    with serving(record(), routes={"Observation": status(200, page)}) as server:
        parts, _ = fetched(server, keys=OBSERVATIONS)
    assert parts["observations"].state == "first page"
    assert len(server.asked) == LISTS


def test_pages_that_lead_in_a_circle_or_never_end_are_left():
    page = {"resourceType": "Bundle", "link": [{"relation": "next", "url": "?again"}]}
    with serving(record(), routes={"Observation": status(200, page)}) as server:
        parts, counted = fetched(server, keys=OBSERVATIONS)
    assert parts["observations"].state == "error"
    assert counted == {"first page": 1}
    assert len(server.asked) == 2 * LISTS

    def endless(handler):
        more = {"relation": "next", "url": f"?page={len(server.asked)}"}
        handler.reply(
            {"resourceType": "Bundle", "link": [more], "entry": [{"resource": {"resourceType": "Observation"}}]}
        )

    with serving(record(), routes={"Observation": endless}) as server:
        parts, counted = fetched(server, keys=OBSERVATIONS)
    assert (parts["observations"].state, len(parts["observations"].resources)) == ("first page", LISTS * PAGES)
    assert len(server.asked) == LISTS * PAGES


@pytest.mark.slow
@pytest.mark.parametrize("odd", [late, dripping], ids=["silent", "byte by byte"])
def test_the_time_holds_and_what_came_in_it_is_kept(odd):
    """The server goes on until the client has given up."""
    given_up = threading.Event()
    with serving(record(), routes={"Observation": odd(given_up)}) as server:
        parts, counted = fetched(server, fhir_seconds=5.0)
        given_up.set()
    assert parts["observations"] == Part("error")
    assert counted["too late"] == 1
    assert parts["conditions"].state == "complete"


def test_a_name_that_is_not_resolved_in_time_is_given_up():
    async def asleep(host, port):
        await asyncio.Event().wait()

    parts, counted = fetched(None, name="https://fhir.example.org", resolve=asleep, fhir_seconds=0.3)
    assert {part.state for part in parts.values()} == {"error"}
    assert counted == {"too late": len(KINDS)}


@pytest.mark.parametrize("odd", [status(200, padded(200_000)), bomb(50_000_000)], ids=["plain", "packed"])
def test_a_body_is_cut_at_the_size(odd):
    with serving(record(), routes={"Observation": odd}) as server:
        parts, counted = fetched(server, keys=OBSERVATIONS, fhir_size_limit=100_000)
    assert parts["observations"] == Part("error")
    assert counted == {"too large": 1}


def test_a_packed_body_within_the_size_is_read():
    with serving(record(), routes={"Observation": bomb(50_000)}) as server:
        parts, _ = fetched(server, keys=OBSERVATIONS, fhir_size_limit=200_000)
    assert parts["observations"] == Part("nothing")


def test_the_size_holds_for_all_answers_together():
    whole = status(200, padded(40_000))
    routes = {"Observation": whole, "Procedure": whole, "MedicationRequest": whole}
    with serving(record(), routes=routes) as server:
        _, counted = fetched(server, keys=("observations", "procedures", "medicationRequests"), fhir_size_limit=100_000)
    assert counted["too large"] >= 1
    assert counted.get("nothing", 0) <= 2


def test_pages_before_one_that_fails_are_kept():
    def second_fails(handler):
        if "page=2" in handler.path:
            handler.reply(OUTCOME, 500)
        else:
            handler.reply({"resourceType": "Bundle", "link": [{"relation": "next", "url": "?page=2"}],
                           "entry": [{"resource": {"resourceType": "Observation", "id": "1"}}]})  # fmt: skip

    with serving(record(), routes={"Observation": second_fails}) as server:
        parts, counted = fetched(server, keys=OBSERVATIONS)
    assert parts["observations"] == Part("first page", ({"resourceType": "Observation", "id": "1"},))
    assert counted == {"server error": 1}


def test_cookies_are_not_sent_back():
    def baking(handler):
        more = [] if "page=2" in handler.path else [{"relation": "next", "url": "?page=2"}]
        handler.reply({"resourceType": "Bundle", "link": more}, Set_Cookie="session=1; Path=/")

    with serving(record(), routes={"Observation": baking}) as server:
        fetched(server, keys=OBSERVATIONS)
    assert len(server.asked) == 2 * LISTS
    assert all("cookie" not in each.headers for each in server.asked)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    with serving(record()) as proxy, serving(record()) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.base)
        parts, _ = fetched(server, keys=OBSERVATIONS)
    assert parts["observations"].state == "complete"
    assert proxy.asked == []


@for_each(
    "change",
    [lambda base: base.replace("/fhir", "/other"), lambda base: base.replace("/fhir", "/fhirx"),
     lambda base: base.replace("127.0.0.1", "127.0.0.2"), lambda base: base.replace("127.0.0.1", "localhost"),
     lambda base: base.replace("http:", "https:"), lambda base: base + "/../x", lambda base: base + "?x=1",
     lambda base: base.replace("127", "user@127"), lambda base: "", lambda base: base[:-7] + "1/fhir",
     lambda base: "ftp" + base[4:], lambda base: base + "/%2e%2e"],
)  # fmt: skip
def test_a_server_that_is_not_configured_is_never_contacted(change):
    with serving(record()) as server:
        metrics = Metrics("evidence")
        client = FhirClient(Settings(fhir_servers=[server.base], fhir_private_networks=LOOPBACK), metrics, SEARCHES)
        parts = run(lambda: fetch_parts(client, change(server.base), TOKEN, "example", KINDS))
    assert {part.state for part in parts.values()} == {"error"}
    assert counts(metrics) == {"not listed": len(KINDS)}
    assert server.asked == []


def test_without_servers_configured_nothing_is_contacted():
    with serving(record()) as server:
        client = FhirClient(Settings(fhir_private_networks=LOOPBACK), Metrics("evidence"), SEARCHES)
        parts = run(lambda: fetch_parts(client, server.base, TOKEN, "example", KINDS))
    assert {part.state for part in parts.values()} == {"error"}
    assert server.asked == []


def test_a_configured_server_may_be_named_with_a_slash_or_below():
    with serving(record()) as server:
        settings = Settings(fhir_servers=[server.base[:-5]], fhir_private_networks=LOOPBACK)
        client = FhirClient(settings, Metrics("e"), SEARCHES)
        for name in (server.base, server.base + "/"):
            parts = run(lambda name=name: fetch_parts(client, name, TOKEN, "example", OBSERVATIONS))
            assert parts["observations"].state == "complete"


@for_each("token", ["a b", "a\r\nX-Evil: 1", "é", "\ud800", "a\x00", "a,b"])
def test_a_token_that_could_end_its_header_is_not_sent(token):
    with serving(record()) as server:
        parts, counted = fetched(server, keys=OBSERVATIONS, token=token)
    assert parts["observations"] == Part("error")
    assert counted == {"token unfit": 1}
    assert server.asked == []


@pytest.mark.parametrize("networks", [[], ["10.0.0.0/8"], ["127.0.0.2/32"]])
def test_an_address_in_a_network_that_is_not_listed_is_refused(networks):
    with serving(record()) as server:
        for name in (server.base, server.base.replace("127.0.0.1", "localhost")):
            parts, counted = fetched(server, name=name, networks=networks)
            assert {part.state for part in parts.values()} == {"error"}
            assert counted == {"address refused": len(KINDS)}
    assert server.asked == []


def answering(*addresses):
    async def resolve(host, port):
        return addresses

    return resolve


@for_each("address", ["169.254.169.254", "::ffff:169.254.169.254", "10.1.2.3", "::1", "fe80::1", "0.0.0.0"])
def test_a_name_that_leads_to_another_network_is_refused(address):
    parts, counted = fetched(None, name="https://fhir.example.org/r4", resolve=answering(address), keys=OBSERVATIONS)
    assert parts["observations"] == Part("error")
    assert counted == {"address refused": 1}


def test_a_name_is_judged_by_each_of_its_addresses_and_connected_to_the_one_judged():
    """A name that leads to this machine first and elsewhere afterwards: only what was judged is connected to."""
    asked = []

    async def rebinding(host, port):
        asked.append(host)
        return ["169.254.169.254", "127.0.0.1"]

    with serving(record()) as server:
        name = server.base.replace("127.0.0.1", "localhost")
        parts, _ = fetched(server, name=name, resolve=rebinding, keys=OBSERVATIONS)
    assert parts["observations"].state == "complete"
    assert asked == ["localhost"] * LISTS, "once for a connection, by its name"
    assert server.asked[0].headers["host"] == name.split("/")[2]


def test_where_the_first_address_does_not_answer_the_next_is_tried():
    with serving(record()) as server:
        name = server.base.replace("127.0.0.1", "localhost")
        parts, _ = fetched(server, name=name, resolve=answering("127.0.0.9", "127.0.0.1"), keys=OBSERVATIONS)
    assert parts["observations"].state == "complete"


def test_a_port_where_nobody_listens_is_an_error():
    with serving(record()) as server:
        base = server.base
    parts, counted = fetched(None, name=base)
    assert {part.state for part in parts.values()} == {"error"}
    assert counted == {"no answer": len(KINDS)}


def certified(folder, *names):
    """A certificate for these names, signed by itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    files = folder / "server.pem", folder / "server.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()))
    return files


@pytest.mark.parametrize(
    ("certified_for", "trusted", "word"),
    [("fhir.example.org", True, "complete"), ("other.example.org", True, "no answer"),
     ("fhir.example.org", False, "no answer")],
)  # fmt: skip
def test_the_certificate_is_that_of_the_name_though_an_address_is_connected_to(
    tmp_path, monkeypatch, certified_for, trusted, word
):
    files = certified(tmp_path, certified_for)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    with serving(record(), token=TOKEN, tls=files) as server:
        name = server.base.replace("127.0.0.1", "fhir.example.org")
        _, counted = fetched(server, name=name, resolve=answering("127.0.0.1"), keys=OBSERVATIONS)
    assert counted == {word: 1}
    assert bool(server.asked) is (word == "complete"), "no token before the certificate is checked"


def test_searches_of_several_calls_wait_for_each_other():
    together, most = [0], [0]

    def counted(handler):
        together[0] += 1
        most[0] = max(most[0], together[0])
        time.sleep(0.02)
        together[0] -= 1
        handler.reply({"resourceType": "Bundle"})

    with serving(record(), routes={"Observation": counted, "Procedure": counted}) as server:
        settings = Settings(fhir_servers=[server.base], fhir_private_networks=LOOPBACK, fhir_searches=2)
        client = FhirClient(settings, Metrics("evidence"), SEARCHES)

        async def several():
            keys = ("observations", "procedures")
            return await asyncio.gather(*(fetch_parts(client, server.base, None, "example", keys) for _ in range(5)))

        for parts in run(several):
            assert {part.state for part in parts.values()} == {"nothing"}
    assert most[0] <= 2
