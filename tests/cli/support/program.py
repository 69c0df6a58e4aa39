"""How the tests run the program: in this process, in a process of its own, on a terminal, or from a new interpreter.

A process of its own is forked from a server that has the program loaded (``multiprocessing``'s fork server), which
saves the seconds of start and imports; its streams, terminal, signals, limits and environment are real. What depends
on the start of the interpreter itself (hash seed, encoding) is run anew.
"""

import codecs
import errno
import fcntl
import multiprocessing
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import contextmanager
from functools import cache
from multiprocessing import reduction
from pathlib import Path

from typer.testing import CliRunner

from bcma_decide.cli import main
from bcma_decide.cli.app import app

SCRIPT = shutil.which("bcma-decide", path=str(Path(sys.executable).parent))
COMMAND = [SCRIPT] if SCRIPT else [sys.executable, "-c", "from bcma_decide.cli import main; main()"]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PATIENCE = 120.0
"""Seconds after which a test gives up on a program that hangs; no test waits for it where the program works."""
SETTLED = {"PAGER", "LESS", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "BCMA_DECIDE_EVIDENCE", "TTY_COMPATIBLE"}
"""Variables of whoever runs the tests that would change what is printed."""
INTERRUPT = "\x03"
LOADED = [
    "bcma_decide.cli.app",
    "bcma_decide.cli.compare",
    "bcma_decide.cli.answer",
    "bcma_decide.cli.everyday",
    "bcma_decide.cli.sources",
    "bcma_decide.cli.batch",
    "bcma_decide.cli.ask",
    "bcma_decide.cli.views",
    "bcma_decide.cli.paging",
    "bcma_decide.cli.meta",
    "bcma_decide.comparing.compare",
    "bcma_decide.render.terminal.comparison",
    "bcma_decide.workshop.own_table.analysis",
    "typer._adapters",
]
"""What the server has in memory; everything else is imported by the process that needs it."""


def environment(**changes):
    """The environment without what would change the output, and with ``changes``."""
    return {name: value for name, value in os.environ.items() if name not in SETTLED} | changes


# In this process


def invoke(*arguments, given=None, **changes):
    """Run a command in this process, which is quickest; never on a terminal."""
    blank = dict.fromkeys(SETTLED)
    return CliRunner().invoke(app, [str(each) for each in arguments], input=given,
                              env={**blank, "COLUMNS": "80", **changes})  # fmt: skip


def completed(line):
    """What the shell offers after this line, by the protocol of bash."""
    position = str(len(line.split()) - (0 if line.endswith(" ") else 1))
    asked = {"_BCMA_DECIDE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": position}
    result = CliRunner().invoke(app, [], prog_name="bcma-decide", env=asked)
    assert result.exit_code == 0, result.output
    return result.stdout.split()


# From a new interpreter


def run_anew(*arguments, given=None, **changes):
    """Run the installed program; standard input is what is given, or closed."""
    source = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False,
        env=environment(**{"COLUMNS": "80", **changes}), **source,
    )  # fmt: skip


# In a process of its own


class Stream:
    """A file descriptor that can be handed to a process of the fork server."""

    def __init__(self, number):
        self.number = number

    def __reduce__(self):
        return _received, (reduction.DupFd(self.number),)


def _received(sent):
    return Stream(sent.detach())


@cache
def _server():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*LOADED, __name__])
    return context


def start(*arguments, streams, program=main, terminal=False, **changes):
    """The program as a process with these three streams; ``program`` is what runs, a function of a module."""
    sent = [Stream(each if isinstance(each, int) else each.fileno()) for each in streams]
    process = _server().Process(
        target=_run, args=(program, [str(each) for each in arguments], sent, terminal, environment(**changes),
                           str(Path.cwd())), daemon=True,
    )  # fmt: skip
    process.start()
    return process


def _run(program, arguments, streams, terminal, variables, folder):
    """In the process itself: what the shell sets up, and then the program."""
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background have it ignored
    for number, stream in enumerate(streams):
        os.dup2(stream.number, number)
    for stream in streams:
        if stream.number > 2:
            os.close(stream.number)
    if terminal:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False, buffering=1 if os.isatty(1) else -1)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    sys.argv = ["bcma-decide", *arguments]
    program()


def ended(process):
    """The exit code, once it has ended."""
    process.join(PATIENCE)
    assert process.exitcode is not None, "does not end"
    return process.exitcode


def run(*arguments, given=None, program=main, **changes):
    """Run the program in a process of its own; standard input is a pipe with what is given, or closed."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, _source(given) as source:
        process = start(*arguments, streams=(source, out, err), program=program, **{"COLUMNS": "80", **changes})
        code = ended(process)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


@contextmanager
def _source(given):
    if given is None:
        with Path(os.devnull).open() as nothing:
            yield nothing
        return
    reading, writing = os.pipe()
    os.write(writing, given.encode())  # far less than a pipe holds
    os.close(writing)
    try:
        yield reading
    finally:
        os.close(reading)


def on_terminal(*arguments, answers=(), width=80, program=main, **changes):
    """Run the program on a pseudo-terminal; each answer is typed once its question is seen.

    Returns the exit code and everything shown.
    """
    with Terminal(*arguments, width=width, program=program, **changes) as terminal:
        for prompt, text in answers:
            if not terminal.reads_until(prompt):
                break
            terminal.types(text)
        while terminal.reads():
            pass
        return ended(terminal.process), terminal.shown


class Terminal:
    """The program on a pseudo-terminal, followed as it goes."""

    def __init__(self, *arguments, width=80, program=main, out=None, **changes):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
        self.process = start(*arguments, streams=(slave, out or slave, slave), program=program, terminal=True,
                             **{"TERM": "xterm-256color", "PAGER": "cat", **changes})  # fmt: skip
        os.close(slave)
        self.shown, self._read_to = "", 0
        self._letters = codecs.getincrementaldecoder("utf-8")(errors="replace")  # one may come in two parts

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()
        os.close(self._master)

    @property
    def seen(self):
        """What is searched for a prompt."""
        return self.shown

    def reads(self):
        """Take what is shown next; false once the program has closed the terminal."""
        limit = time.monotonic() + PATIENCE
        while not select.select([self._master], [], [], 1.0)[0]:
            assert time.monotonic() < limit, f"shows nothing more: {self.shown[-2000:]!r}"
        try:
            part = os.read(self._master, 65536)
        except OSError as error:  # Linux says EIO where the other end is closed
            if error.errno == errno.EIO:
                return False
            raise
        self.shown = (self.shown + self._letters.decode(part)).replace("\r\n", "\n")
        return bool(part)

    def reads_until(self, expected):
        """Whether it was shown, after what was waited for before."""
        while expected not in self.seen[self._read_to :]:
            if not self.reads():
                return False
        self._read_to = self.seen.index(expected, self._read_to) + len(expected)
        return True

    def types(self, text):
        """Type; an interrupt only once the program waits for a key, since one before that waits for the next."""
        if text == INTERRUPT:
            self._until_it_waits()
        os.write(self._master, text.encode())

    def _until_it_waits(self):
        """Until it sleeps: one that is only kept waiting by other programs counts as running, however long."""
        state, asleep = Path(f"/proc/{self.process.pid}/stat"), 0
        limit = time.monotonic() + PATIENCE
        while asleep < 10:
            assert time.monotonic() < limit, "never waits for a key"
            time.sleep(0.01)
            asleep = asleep + 1 if state.read_text().rpartition(")")[2].split()[0] == "S" else 0


def interrupted_at(module, name, count):
    """Let the program be interrupted, as by Control-C, when ``module.name`` is called for the ``count``-th time."""
    whole, calls = getattr(module, name), []

    def counted(*arguments, **options):
        calls.append(name)
        if len(calls) == count:
            os.kill(os.getpid(), signal.SIGINT)
        return whole(*arguments, **options)

    setattr(module, name, counted)
