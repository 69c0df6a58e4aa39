"""Killed in the middle of writing, again and again, the audit holds every record whose answer was given."""

import contextlib
import random
import signal
import threading
import time

import httpx
import pytest

from tests.cli.support.program import invoke
from tests.service.support.audits import records  # a fixture among them
from tests.service.support.running import running

pytestmark = pytest.mark.slow

CLIENTS = 6
ROUNDS = 4
PATIENCE = 60
QUIET = {"BCMA_DECIDE_REQUESTS_PER_MINUTE": "0"}


class Clients:
    """Several at a time ask without pause; keeps the id of every answer that came, and how many were refused."""

    def __init__(self, port):
        self.given, self.refused, self._stop = [], 0, threading.Event()
        self._base = f"http://127.0.0.1:{port}"
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number):
        with httpx.Client(base_url=self._base, timeout=PATIENCE) as client:
            while not self._stop.is_set():
                try:
                    answer = client.post("/comparisons", json={"profile": {"age": 50 + number}})
                except httpx.TransportError:
                    time.sleep(0.05)
                    continue
                if answer.status_code == 200:
                    self.given.append(answer.headers["Audit-Id"])
                else:
                    assert answer.status_code == 503
                    self.refused += 1
                    time.sleep(0.05)

    def wait_for_refusal(self):
        """Until one more was refused."""
        limit, before = time.monotonic() + PATIENCE, self.refused
        while self.refused == before:
            assert time.monotonic() < limit
            time.sleep(0.01)

    def wait_for(self, count):
        """Until so many more answers came."""
        limit, wanted = time.monotonic() + PATIENCE, len(self.given) + count
        while len(self.given) < wanted:
            assert time.monotonic() < limit
            time.sleep(0.01)


@contextlib.contextmanager
def read_away(process):
    """Its log is read all along: a pipe that is full would stop it."""
    reader = threading.Thread(target=process.stdout.read)
    reader.start()
    try:
        yield
    finally:
        process.kill()
        reader.join()


def is_clean(where):
    done = invoke("replay", "--all", "--audit", where)
    return done.exit_code == 0 and "0 differs, 0 changed, 0 not repeatable" in done.stdout


@pytest.mark.sample
def test_a_service_that_is_killed_loses_no_record_of_an_answer(address):
    given, chance = [], random.Random(20261126)
    for _ in range(ROUNDS):
        with running("--audit", address, **QUIET) as (process, port), read_away(process), Clients(port) as clients:
            clients.wait_for(5)
            time.sleep(chance.uniform(0, 0.5))
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE)
        given += clients.given
    assert len(given) >= 5 * ROUNDS
    assert len(set(given)) == len(given)
    assert set(given) <= {record.id for record in records(address)}
    assert is_clean(address)


def test_a_database_that_is_killed_loses_none_and_the_service_goes_on_when_it_is_back(postgresql):
    """Meanwhile every answer is refused; afterwards the same process answers again."""
    where = postgresql.new()
    with running("--audit", where, **QUIET) as (process, port), read_away(process), Clients(port) as clients:
        for _ in range(2):
            clients.wait_for(10)
            postgresql.kill()
            clients.wait_for_refusal()
            postgresql.start()
        clients.wait_for(10)
        assert process.poll() is None
    assert clients.refused
    assert set(clients.given) <= {record.id for record in records(where)}
    assert is_clean(where)
