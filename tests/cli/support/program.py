"""How the tests run the installed program: as a process, on a terminal, or in this process."""

import errno
import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from typer.testing import CliRunner

from bcma_decide.cli import app

SCRIPT = shutil.which("bcma-decide", path=str(Path(sys.executable).parent))
COMMAND = [SCRIPT] if SCRIPT else [sys.executable, "-c", "from bcma_decide.cli import main; main()"]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PATIENCE = 30.0
SETTLED = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "BCMA_DECIDE_EVIDENCE", "TTY_COMPATIBLE"}
"""Variables of whoever runs the tests that would change what is printed."""


def environment(**changes):
    """The environment without what would change the output, and with ``changes``."""
    return {name: value for name, value in os.environ.items() if name not in SETTLED} | changes


def run(*arguments, given=None, **changes):
    """Run the program; standard input is what is given, or closed."""
    source = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False,
        env=environment(**{"COLUMNS": "80", **changes}), **source,
    )  # fmt: skip


def invoke(*arguments, given=None, **changes):
    """Run a command in this process, which is quicker; never on a terminal."""
    blank = dict.fromkeys(SETTLED)
    return CliRunner().invoke(app, [str(each) for each in arguments], input=given,
                              env={**blank, "COLUMNS": "80", **changes})  # fmt: skip


def on_terminal(*arguments, answers=(), width=80, **changes):
    """Run the program on a pseudo-terminal; each answer is typed once its question is seen.

    Returns the exit code and everything shown.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env=environment(**{"TERM": "xterm-256color", **changes}),
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    waiting, shown, seen = list(answers), "", 0
    limit = time.monotonic() + PATIENCE
    try:
        while True:
            assert time.monotonic() < limit, f"does not end: {shown[-2000:]!r}"
            if waiting and waiting[0][0] in shown[seen:]:
                prompt, text = waiting.pop(0)
                seen = shown.index(prompt, seen) + len(prompt)
                time.sleep(
                    0.3 if text == "\x03" else 0
                )  # an interrupt between prompt and reading waits for the next key
                os.write(master, text.encode())
            ready, _, _ = select.select([master], [], [], 0.2)
            part = _read(master) if ready else None
            if part == b"":
                return process.wait(timeout=PATIENCE), shown
            shown += (part or b"").decode(errors="replace").replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _read(master):
    try:
        return os.read(master, 65536)
    except OSError as error:  # Linux says EIO where the other end is closed
        if error.errno == errno.EIO:
            return b""
        raise
