"""The real server on a real socket: start, refusal to start, limits against hostile clients, graceful stop."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time

import httpx
import pytest

from tests.cli.support.program import COMMAND, environment
from tests.service.support.running import PATIENCE, SLOW, running, stop, until_running
from tests.service.support.tokens import bearer, issuer, token


def raw(port, content, *, patience=PATIENCE, pause=0.0):
    """What the server answers to these bytes, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        for part in content if isinstance(content, list) else [content]:
            try:
                connection.sendall(part)
            except OSError:
                break
            time.sleep(pause)
        answer = b""
        with contextlib.suppress(OSError):
            while part := connection.recv(65536):
                answer += part
        return answer.decode(errors="replace")


def head(length, path="/comparisons"):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{length}\r\n\r\n").encode()


def test_it_starts_answers_and_stops_with_exit_code_0():
    with running() as (process, port):
        assert "open: anyone on this machine may call" in process.stderr.readline()
        base = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{base}/readyz").json()["status"] == "ready"
        answer = httpx.post(f"{base}/comparisons", json={"profile": {"age": 71}}, timeout=PATIENCE)
        assert answer.status_code == 200
        code, out, err = stop(process)
    assert code == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["route"] for line in lines] == ["/readyz", "/comparisons"]
    assert err == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_it_refuses_to_be_open_to_a_network(host):
    done = subprocess.run(
        [*COMMAND, "serve", "--host", host, "--port", "0"], capture_output=True, text=True, timeout=PATIENCE,
        check=False, env=environment(),
    )  # fmt: skip
    assert done.returncode == 2
    assert "does not start without authentication" in done.stderr
    assert "configure issuers" in done.stderr
    assert "Traceback" not in done.stderr


def test_with_an_issuer_it_serves_elsewhere_and_asks_for_tokens(tmp_path):
    who = issuer(tmp_path).model_dump(mode="json", exclude_none=True)
    with running("--host", "0.0.0.0", BCMA_DECIDE_ISSUERS=json.dumps([who])) as (process, port):
        base = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{base}/evidence").status_code == 401
        assert httpx.get(f"{base}/evidence", headers=bearer(token())).status_code == 200
        assert httpx.get(f"{base}/readyz").status_code == 200
        code, _, err = stop(process)
    assert (code, err) == (0, "")


def test_a_port_that_is_taken_is_one_message():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [*COMMAND, "serve", "--port", str(taken.getsockname()[1])], capture_output=True, text=True,
            timeout=PATIENCE, check=False, env=environment(),
        )  # fmt: skip
    assert done.returncode == 2
    assert "cannot listen on 127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr


def until_closed(base):
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        try:
            httpx.get(f"{base}/healthz", timeout=PATIENCE)
        except httpx.TransportError:
            return
        time.sleep(0.02)
    raise AssertionError("takes new requests")


@pytest.mark.slow
@pytest.mark.sample
def test_a_request_that_runs_is_finished_before_it_stops(tmp_path):
    gate = tmp_path / "gate"
    with running(code=SLOW, GATE=str(gate)) as (process, port):
        answers = []
        base = f"http://127.0.0.1:{port}"
        asking = threading.Thread(
            target=lambda: answers.append(
                httpx.post(f"{base}/comparisons", json={"profile": {"age": 71}}, timeout=PATIENCE)
            )
        )
        asking.start()
        until_running(base, 2)  # that one, and the look at the metrics
        process.send_signal(signal.SIGTERM)
        until_closed(base)
        assert asking.is_alive()
        gate.touch()
        asking.join()
        assert process.wait(PATIENCE) == 0
    assert answers[0].status_code == 200
    assert answers[0].json()["options"]


@pytest.mark.slow
def test_limits_hold_against_raw_clients():
    with running(BCMA_DECIDE_BODY_LIMIT="1000", BCMA_DECIDE_TIME_LIMIT="2") as (process, port):
        announced = raw(port, head("Content-Length: 50000000") + b"{")
        assert announced.startswith("HTTP/1.1 413"), "refused before the body is there"
        chunk = b"100\r\n" + b" " * 256 + b"\r\n"
        chunked = raw(port, [head("Transfer-Encoding: chunked"), *[chunk] * 6])
        assert chunked.startswith("HTTP/1.1 413")
        slow = raw(port, [head("Content-Length: 500"), b"{", b" ", b" "], pause=0.2)
        assert slow.startswith("HTTP/1.1 408"), "the client sends no more, and is answered all the same"
        long = raw(port, b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n")
        assert long == "" or long.startswith("HTTP/1.1 4"), long
        assert "400" in raw(port, b"\x16\x03\x01 nonsense\r\n\r\n").split("\r\n")[0]
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        code, _, err = stop(process)
    assert code == 0
    assert "Traceback" not in err


def test_the_address_of_a_client_is_that_of_the_proxy_unless_it_is_trusted():
    """A header alone must not lift the rate limit or open the metrics."""
    spoofed = {"X-Forwarded-For": "203.0.113.7"}
    with running() as (_, port):
        assert httpx.get(f"http://127.0.0.1:{port}/metrics", headers=spoofed).status_code == 200
    with running(BCMA_DECIDE_TRUSTED_PROXIES='["127.0.0.1/32"]') as (_, port):
        assert httpx.get(f"http://127.0.0.1:{port}/metrics", headers=spoofed).status_code == 403
    assert os.environ.get("BCMA_DECIDE_TRUSTED_PROXIES") is None
