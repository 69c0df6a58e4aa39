"""The three standard streams, whatever they are: closed, a full disk, a pipe that nobody reads any more."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_STREAMS: Final = (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))
"""Name and mode of each, and how the empty device stands in for a closed one: reading from it or printing an answer to
it fails as it would on the closed one, messages are dropped. No file that is opened later gets its number."""

_LEAST: Final = {"COLUMNS": 20, "LINES": 1}
"""In less nothing is drawn."""
_DIGITS: Final = 6


def open_streams() -> None:
    """Put something in the place of every closed stream, and let no letter stop any of them."""
    for number, (name, mode, flags) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
        # a terminal that cannot show a letter, or bytes that are none, give a stand-in instead of a traceback
        getattr(sys, name).reconfigure(errors="replace")


def settle_size() -> None:
    """Leave the size of the terminal in a form that can be drawn in: what is no size is as if it were not said."""
    for name, least in _LEAST.items():
        said = os.environ.get(name)
        if said is not None and not (said.isascii() and said.isdigit() and len(said) < _DIGITS and int(said)):
            del os.environ[name]
        elif said is not None and int(said) < least:
            os.environ[name] = str(least)
    with suppress(OSError):
        if "COLUMNS" not in os.environ and 0 < os.get_terminal_size(sys.stdout.fileno()).columns < _LEAST["COLUMNS"]:
            os.environ["COLUMNS"] = str(_LEAST["COLUMNS"])


@contextmanager
def flushed() -> Iterator[None]:
    """Write out what is left at the end; one message and exit code 1 where that cannot be done.

    A pipe that nobody reads any more ends quietly, with the same code.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno is None:  # not from the system: a missing template of a broken installation, for example
            raise
        with suppress(OSError):
            if error.errno != errno.EPIPE:
                sys.stderr.write(f"cannot write the output: {error.strerror}\n")
                sys.stderr.flush()
        nothing = os.open(os.devnull, os.O_WRONLY)  # nothing is tried again on the way out
        for number in (1, 2):
            os.dup2(nothing, number)
        sys.exit(1)
