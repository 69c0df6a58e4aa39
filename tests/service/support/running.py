"""The service as a process of its own, on a port of its own."""

import contextlib
import re
import signal
import subprocess
import sys
import time

import httpx

from tests.cli.support.program import COMMAND, environment

PATIENCE = 60
SLOW = """
import os, time
from bcma_decide.service import answering
answer_question = answering.answer_question
def slow(*arguments):
    while not os.path.exists(os.environ["GATE"]):
        time.sleep(0.02)
    return answer_question(*arguments)
answering.answer_question = slow
import sys
sys.argv = ["bcma-decide", "serve", "--port", "0"]
from bcma_decide.cli import main
main()
"""
"""The service with answers that wait until the file ``GATE`` is there."""


@contextlib.contextmanager
def running(*options, code=None, log=subprocess.PIPE, **variables):
    """A server in a process of its own; gives the process and its port."""
    command = COMMAND if code is None else [sys.executable, "-c", code]
    process = subprocess.Popen(
        [*command, "serve", "--port", "0", *options] if code is None else command,
        stdout=log, stderr=subprocess.PIPE, text=True, env=environment(**variables),
    )  # fmt: skip
    try:
        line = process.stderr.readline()
        found = re.search(r"listening on http://\S+:(\d+)", line)
        assert found, line + process.stderr.read()
        yield process, int(found[1])
    finally:
        process.kill()
        process.communicate()


def stop(process):
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def until_running(base, count):
    limit = time.monotonic() + PATIENCE
    while f"bcma_decide_requests_running {count}.0" not in httpx.get(f"{base}/metrics").text:
        assert time.monotonic() < limit
        time.sleep(0.05)
