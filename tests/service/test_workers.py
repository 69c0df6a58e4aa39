"""Several workers on one address: what they share, what becomes of them, and how all of them stop."""

import contextlib
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from bcma_decide.service.sessions import Sessions
from bcma_decide.service.shared.store_address import open_store
from tests.load.load import memory
from tests.service.support.audits import records
from tests.service.support.page import RECORD
from tests.service.support.redis import SERVER, redis_server
from tests.service.support.running import running
from tests.service.support.service import run
from tests.service.support.tokens import bearer, issuer, token

pytestmark = [pytest.mark.slow, pytest.mark.sample]

PATIENCE = 150
TWO = ("--workers", "2")
EVERYBODY = {
    "BCMA_DECIDE_REQUESTS_PER_MINUTE": "0", "BCMA_DECIDE_TIME_LIMIT": "150", "BCMA_DECIDE_PDF_SECONDS": "140",
    "BCMA_DECIDE_STOP_SECONDS": "140",
}  # fmt: skip
"""Limits that a machine with much else to do keeps."""


def stop(process):
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def parent(pid):
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return None


def workers(process):
    """Children of the parent, which starts nothing else."""
    return [int(pid) for pid in memory(process.pid) if parent(pid) == process.pid]


def state(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def until(what):
    limit = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < limit
        time.sleep(0.05)
    return found


def asked_of_each(process, base, **options):
    """The answer of each worker, got while the other one stands still."""
    for silent in workers(process):
        os.kill(silent, signal.SIGSTOP)
        yield httpx.get(f"{base}/", timeout=PATIENCE, **options)
        os.kill(silent, signal.SIGCONT)


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.skipif(SERVER is None, reason="no server"))])
def store(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    with redis_server(tmp_path) as server:
        yield server.address


def test_a_session_is_that_of_all_workers_and_outlives_a_restart(store, tmp_path):
    who = json.dumps([issuer(tmp_path).model_dump(mode="json", exclude_none=True)])
    variables = EVERYBODY | {"BCMA_DECIDE_STORE": store, "BCMA_DECIDE_ISSUERS": who}

    async def begun():
        kept = open_store(store)
        identifier = await Sessions(kept, secure=False).begin(RECORD)
        await kept.close()
        return identifier

    cookie = {"Cookie": f"bcma-session={run(begun)}"}
    for _ in range(2):
        with running(*TWO, **variables) as (process, port):
            base = f"http://127.0.0.1:{port}"
            answers = list(asked_of_each(process, base, headers=cookie))
            assert [answer.status_code for answer in answers] == [200, 200]
            assert all("Ms Zebedee" in answer.text for answer in answers)
            assert httpx.get(f"{base}/", timeout=PATIENCE).status_code == 403, "nobody else has it"
            code, out, err = stop(process)
        assert code == 0, err
        asked = [json.loads(line) for line in out.splitlines()]
        assert {line["worker"] for line in asked if line.get("route") == "/"} == {1, 2}


def test_a_token_is_used_once_over_all_workers_and_counts_are_those_of_all(tmp_path):
    who = json.dumps([issuer(tmp_path).model_dump(mode="json", exclude_none=True)])
    with running(*TWO, BCMA_DECIDE_ISSUERS=who, BCMA_DECIDE_REQUESTS_PER_MINUTE="30") as (_, port):
        base, once = f"http://127.0.0.1:{port}", bearer(token())
        statuses = [httpx.get(f"{base}/evidence", headers=once, timeout=PATIENCE).status_code for _ in range(6)]
        assert statuses.count(200) == 1
        assert statuses.count(401) == 5
        further = [httpx.get(f"{base}/evidence", timeout=PATIENCE).status_code for _ in range(50)]
        assert 429 in further
        refused = statuses.count(401) + further.count(401)
        counted = _metrics(base, client="127.0.0.2")
        assert f'bcma_decide_requests_total{{method="GET",route="unknown",status="401"}} {refused}.0' in counted


def _metrics(base, client):
    """Counts of requests as a client sees them that has not asked before, whose requests are within the limit."""
    with httpx.Client(transport=httpx.HTTPTransport(local_address=client), timeout=PATIENCE) as asking:
        found = asking.get(f"{base}/metrics")
    assert found.status_code == 200
    return [line for line in found.text.splitlines() if line.startswith("bcma_decide_requests_total")]


def test_a_worker_that_is_killed_is_replaced_and_loses_nothing_but_its_requests(tmp_path):
    where = f"sqlite:///{tmp_path}/audit.db"
    with running(*TWO, "--audit", where, **EVERYBODY) as (process, port):
        base, given, ended = f"http://127.0.0.1:{port}", [], threading.Event()

        def asking():
            while not ended.is_set():
                with contextlib.suppress(httpx.TransportError):
                    answer = httpx.post(f"{base}/comparisons", json={"profile": {"age": 71}}, timeout=PATIENCE)
                    assert answer.status_code == 200
                    given.append(answer.headers["Audit-Id"])

        threads = [threading.Thread(target=asking) for _ in range(3)]
        for thread in threads:
            thread.start()
        before = set(workers(process))
        assert len(before) == 2
        for victim in sorted(before):
            count = len(given)
            until(lambda count=count: len(given) > count + 2)
            os.kill(victim, signal.SIGKILL)
            until(lambda victim=victim: len(workers(process)) == 2 and victim not in workers(process))
            assert state(victim) == "", "its exit status was taken"
        count = len(given)
        until(lambda: len(given) > count + 4)
        ended.set()
        for thread in threads:
            thread.join()
        code, out, err = stop(process)
    assert (code, [line for line in err.splitlines() if "audit:" not in line and "open:" not in line]) == (0, [])
    assert out.count("ended (SIGKILL): another is started") == 2
    assert set(given) <= {record.id for record in records(where)}


def test_when_their_parent_is_killed_workers_and_what_makes_sheets_end_by_themselves():
    with running(*TWO, **EVERYBODY) as (process, port):
        httpx.post(f"http://127.0.0.1:{port}/comparisons?format=pdf", json={"profile": {"age": 71}}, timeout=PATIENCE)
        family = [int(pid) for pid in memory(process.pid)]
        assert len(family) >= 4
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: all(state(pid) in ("", "Z") for pid in family))


def test_a_worker_that_cannot_start_says_why_and_nothing_is_left(tmp_path):
    (tmp_path / "audit.db").write_bytes(b"no database " * 1000)
    with (
        pytest.raises(AssertionError, match="the audit cannot be opened"),
        running(*TWO, "--audit", f"sqlite:///{tmp_path}/audit.db"),
    ):
        pass


@pytest.mark.parametrize("options", [(), TWO], ids=["one", "two"])
def test_told_to_stop_sheets_being_made_are_finished_and_those_that_wait_are_refused(options):
    answers = []
    with running(*options, **EVERYBODY) as (process, port):
        base = f"http://127.0.0.1:{port}"

        def sheet():
            answers.append(
                httpx.post(f"{base}/comparisons?format=pdf", json={"profile": {"age": 71}}, timeout=PATIENCE)
            )

        sheet()
        assert answers.pop().content.startswith(b"%PDF-")
        asking = [threading.Thread(target=sheet) for _ in range(6)]
        for thread in asking:
            thread.start()
        time.sleep(1.5)
        family = [int(pid) for pid in memory(process.pid)]
        code, _, err = stop(process)
        for thread in asking:
            thread.join()
    assert code == 0, err
    assert all(state(pid) == "" for pid in family), "no process is left, not even a dead one"
    assert len(answers) == 6, "nobody was left without an answer"
    made = [each for each in answers if each.status_code == 200]
    refused = [each for each in answers if each.status_code == 503]
    assert len(made) + len(refused) == 6
    assert made
    assert all(each.content.startswith(b"%PDF-") for each in made)
    for each in refused:
        assert each.headers["content-type"] == "application/problem+json"
        assert int(each.headers["Retry-After"]) > 0
        assert each.json()["detail"] == "the service is being stopped"


def test_clients_that_come_together_are_shared_out_evenly():
    """Eight connections at once, three times: each worker has four, or as few as one more or less."""
    with running(*TWO, **EVERYBODY) as (process, port):
        for _ in range(3):
            clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
            for client in clients:
                client.sendall(b"GET /schema HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for client in clients:
                assert client.recv(100).startswith(b"HTTP/1.1 200")
                client.close()
            until(lambda: _open_connections(process, port) == 0)
        _, out, _ = stop(process)
    asked = [json.loads(line)["worker"] for line in out.splitlines() if '"/schema"' in line]
    assert len(asked) == 24
    for begin in (0, 8, 16):
        assert 3 <= asked[begin : begin + 8].count(1) <= 5


def _open_connections(process, port):
    """Connections that the workers have, by what the system says of their sockets (proc(5), net/tcp)."""
    lines = [line.split() for line in Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()[1:]]
    return sum(line[1].endswith(f":{port:04X}") and line[3] in ("01", "08") for line in lines)
