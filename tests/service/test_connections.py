"""Many connections on real sockets: idle and slow ones keep nobody from being answered; and by which name one asks."""

import contextlib
import http.client
import resource
import socket
import threading
import time

import httpx
import pytest

from tests.service.support.running import SLOW, running, stop, until_running
from tests.service.support.service import app, ask
from tests.support.cases import for_each

QUICK = 2.0
"""Seconds in which a look at the health is answered, whatever else goes on; in practice a hundredth of it."""


@pytest.fixture(autouse=True)
def room():
    """Files enough for the clients of this test."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connected(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def asked(connection, path="/healthz", host="127.0.0.1"):
    """Send one request on a connection that stays open, and read its answer."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return status_of(connection)


def status_of(connection):
    """Status of the next answer, read to its end."""
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


def health(port):
    """Status of a look at the health on a connection of its own, and how long it took."""
    begun = time.monotonic()
    with connected(port) as connection:
        return asked(connection), time.monotonic() - begun


def answers_quickly(port):
    status, seconds = health(port)
    assert status == 200
    assert seconds < QUICK


def test_200_idle_connections_are_no_requests():
    with running(BCMA_DECIDE_CONNECTIONS="4") as (process, port), contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connected(port)) for _ in range(200)]
        for connection in idle:
            assert asked(connection) == 200, "each has asked once, and is kept"
        silent = [stack.enter_context(connected(port)) for _ in range(200)]
        answers_quickly(port)
        answer = httpx.post(f"http://127.0.0.1:{port}/comparisons", json={"profile": {"age": 71}}, timeout=30)
        assert answer.status_code == 200, "nor does a comparison wait for them"
        assert asked(idle[0]) == 200
        assert len(silent) == 200
        code, _, err = stop(process)
    assert (code, err.count("Traceback")) == (0, 0)


def test_requests_at_work_are_counted_and_the_health_is_told_all_the_same(tmp_path):
    gate = tmp_path / "gate"
    with running(code=SLOW, GATE=str(gate), BCMA_DECIDE_CONNECTIONS="3") as (_, port):
        base, statuses = f"http://127.0.0.1:{port}", []

        def one():
            statuses.append(httpx.post(f"{base}/comparisons", json={"profile": {"age": 71}}, timeout=60).status_code)

        at_work = [threading.Thread(target=one) for _ in range(3)]
        for thread in at_work:
            thread.start()
        until_running(base, 4)
        refused = httpx.post(f"{base}/comparisons", json={"profile": {"age": 71}})
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.json()["detail"] == "too many requests at a time"
        for path in ("/healthz", "/readyz", "/metrics"):
            assert httpx.get(f"{base}{path}", timeout=QUICK).status_code == 200
        gate.touch()
        for thread in at_work:
            thread.join()
        assert statuses == [200, 200, 200]
        assert httpx.post(f"{base}/comparisons", json={"profile": {"age": 71}}, timeout=30).status_code == 200


@pytest.mark.slow
@pytest.mark.sample
def test_slow_heads_starve_nobody_and_are_closed():
    with running() as (process, port), contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connected(port)) for _ in range(1500)]
        for connection in slow:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHo")
        answers_quickly(port)
        begun, open_still = time.monotonic(), set(slow)
        while open_still and time.monotonic() - begun < 20:
            answers_quickly(port)
            for connection in list(open_still):
                try:
                    connection.sendall(b"s")  # a letter now and then does not prolong it
                    connection.setblocking(False)
                    if connection.recv(1) == b"":
                        open_still.discard(connection)
                except BlockingIOError:
                    pass
                except OSError:
                    open_still.discard(connection)
                finally:
                    connection.setblocking(True)
            time.sleep(0.5)
        assert not open_still, "a head that is never complete ends the connection"
        answers_quickly(port)
        code, _, err = stop(process)
    assert (code, err.count("Traceback")) == (0, 0)


@pytest.mark.slow
def test_a_head_that_comes_in_time_is_answered_on_a_connection_kept_for_long():
    with running() as (_, port), connected(port) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        time.sleep(6)
        connection.sendall(b"Host: 127.0.0.1\r\n\r\n")
        assert status_of(connection) == 200
        for _ in range(4):
            time.sleep(3)
            assert asked(connection) == 200, "the time is that of one head, not of the connection"


def test_slow_bodies_do_not_keep_the_health_from_being_told():
    with (
        running(BCMA_DECIDE_CONNECTIONS="20", BCMA_DECIDE_TIME_LIMIT="3") as (_, port),
        contextlib.ExitStack() as stack,
    ):
        for _ in range(60):
            connection = stack.enter_context(connected(port))
            head = (
                "POST /comparisons HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 90"
            )
            connection.sendall(f"{head}\r\n\r\n{{".encode())
        answers_quickly(port)
        time.sleep(4)
        answer = httpx.post(f"http://127.0.0.1:{port}/comparisons", json={"profile": {"age": 71}}, timeout=30)
        assert answer.status_code == 200, "their time was over"


# By which name


NAMES = [
    ("127.0.0.1", 200),
    ("localhost:8000", 200),
    ("LOCALHOST", 200),
    ("localhost.", 200),
    ("[::1]:9", 200),
    ("evil.example", 421),
    ("127.0.0.1.evil.example", 421),
    ("localhost.evil.example", 421),
    ("10.0.0.1", 421),
    ("", 400),
    ("local host", 400),
    ("localhost/x", 400),
    ("user@localhost", 400),
    ("localhost:port", 400),
    ("[::1", 400),
    ("localhost,evil.example", 400),
]


def test_on_this_machine_it_answers_to_the_names_of_this_machine_only():
    """A page from elsewhere whose own name leads to 127.0.0.1 does not reach a service for development."""
    with running() as (_, port):
        for name, status in NAMES:
            with connected(port) as connection:
                assert asked(connection, "/evidence", name) == status, name
        with connected(port) as connection:
            connection.sendall(
                b"GET /evidence HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            assert status_of(connection) == 400
        with connected(port) as connection:
            connection.sendall(b"GET /evidence HTTP/1.0\r\n\r\n")
            assert status_of(connection) == 400
        for path in ("/healthz", "/readyz", "/metrics"):
            with connected(port) as connection:
                connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
                assert status_of(connection) == 200, "as load balancers ask, without a name"


def test_it_answers_to_its_public_name_and_those_configured():
    settings = {
        "BCMA_DECIDE_PUBLIC_URL": "https://cds.example.org",
        "BCMA_DECIDE_HOSTS": '["backend", "10.20.0.7", "[fd12::7]"]',
    }
    with running(**settings) as (_, port):
        for name, status in [("cds.example.org", 200), ("CDS.example.org:443", 200), ("backend:8000", 200),
        ("10.20.0.7", 200),
                             ("[fd12::7]:8000", 200), ("127.0.0.1", 200), ("example.org", 421),
                             ("x.cds.example.org", 421),
                             ("10.20.0.8", 421)]:  # fmt: skip
            with connected(port) as connection:
                assert asked(connection, "/evidence", name) == status, name
        for name in ("10.20.0.8", "pod-7.cluster.local:8000"):
            for path in ("/healthz", "/readyz", "/metrics"):
                with connected(port) as connection:
                    assert asked(connection, path, name) == 200, "an orchestrator asks by the address of a container"
        with connected(port) as connection:
            assert asked(connection, "/healthz", "no host") == 400


@for_each("path", ["/cds-services", "/", "/comparisons", "/smart/launch", "/nowhere"])
def test_a_wrong_name_is_refused_before_anything_else_and_says_how_to_mend_it(path):
    found = ask(app(public_url="https://cds.example.org"), "GET", path, headers={"Host": "evil.example"})
    assert found.status_code == 421
    assert "public_url and hosts" in found.text
    assert "evil" not in found.text


@for_each("name", ["cds.example.org:443", "https://cds.example.org", "a/b", "", "*", "a b"])
def test_a_name_with_more_than_a_name_is_no_setting(name):
    with pytest.raises(ValueError, match="without port"):
        app(hosts=(name,))
