"""The service as a process of its own, on a port of its own."""

import contextlib
import re
import signal
import subprocess
import sys

from tests.cli.support.program import COMMAND, environment

PATIENCE = 60


@contextlib.contextmanager
def running(*options, code=None, **variables):
    """A server in a process of its own; gives the process and its port."""
    command = COMMAND if code is None else [sys.executable, "-c", code]
    process = subprocess.Popen(
        [*command, "serve", "--port", "0", *options] if code is None else command,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**variables),
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
