"""The log: whole lines to whoever reads it, and nobody waits for who does not."""

import logging
import os
import threading
import time

import httpx
import pytest

from bcma_decide.service.http.log_lines import MOST, LogLines
from tests.service.support.running import running, stop

PIPE = 65_536
"""Bytes that a pipe holds."""


def line(number):
    return logging.LogRecord("bcma_decide.service", logging.INFO, "", 0, f"{number:06} {'x' * 200}", None, None)


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def read_until(reader, end):
    found = b""
    while end not in found:
        found += os.read(reader, PIPE)
    return found.decode().splitlines()


def test_who_logs_waits_for_no_reader_and_hears_how_much_was_lost(pipe):
    """Twice as many lines as may wait, into a pipe that nobody reads; then it is read."""
    reader, writer = pipe
    counted = []
    handler = LogLines(writer, lambda: counted.append(1))
    begun = time.monotonic()
    for number in range(2 * MOST):
        handler.handle(line(number))
    assert time.monotonic() - begun < 20, "a line takes microseconds, also on a busy machine"
    assert MOST - 1_000 < len(counted) <= MOST
    kept = 2 * MOST - len(counted)
    lines = read_until(reader, line(kept - 1).msg.encode() + b"\n")
    told = f"{len(counted)} lines of this log were lost: nobody read it"
    assert [each for each in lines if each != told] == [line(number).msg for number in range(kept)]
    assert lines.count(told) == 1


def test_lines_of_several_writers_do_not_mix(pipe):
    reader, writer = pipe
    handlers = [LogLines(writer) for _ in range(3)]
    for number in range(400):
        for handler in handlers:
            handler.handle(line(number))
    ends = threading.Thread(target=lambda: ([each.flush() for each in handlers], os.write(writer, b"end\n")))
    ends.start()
    lines = read_until(reader, b"end\n")
    ends.join()
    assert sorted(int(each[:6]) for each in lines[:-1]) == sorted(3 * list(range(400)))
    assert {len(each) for each in lines[:-1]} == {207}


def test_a_reader_that_goes_away_stops_nobody():
    reader, writer = os.pipe()
    counted = []
    handler = LogLines(writer, lambda: counted.append(1))
    os.close(reader)
    for number in range(3):
        handler.handle(line(number))
    handler.flush()
    os.close(writer)
    assert len(counted) == 3


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one", "two"])
def test_a_service_whose_log_nobody_reads_answers_and_stops(options):
    """A pipe that nobody reads is full after some 370 answers: the loop waited for it, and so did every request."""
    with running(*options, BCMA_DECIDE_REQUESTS_PER_MINUTE="0") as (process, port):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            assert {client.get("/healthz").status_code for _ in range(1_200)} == {200}
            assert 'route="/healthz"' in client.get("/metrics").text
        code, out, _ = stop(process)
    assert code == 0
    assert len(out.splitlines()) >= 1_200
