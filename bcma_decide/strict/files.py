"""The one way a file that somebody names is opened: a plain file within a size, or refused without waiting.

A pipe, a socket or a device may never end, or give nothing for ever; what comes through a pipe is read from standard
input.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

_OPEN_ALREADY: Final = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Names of what the shell has opened for the program, as in ``<(command)``: read as standard input is."""
_KINDS: Final = (
    (stat.S_ISDIR, "a directory", "check the path"),
    (stat.S_ISFIFO, "a pipe", "pipe it to standard input: -"),
    (stat.S_ISSOCK, "a socket", "check the path"),
    (stat.S_ISCHR, "a device", "check the path"),
    (stat.S_ISBLK, "a device", "check the path"),
)
_NOT_WAITING: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class UnreadableFile(Exception):  # noqa: N818  # each reader makes its own error of it
    """A file that is not read; ``reason`` is a phrase such as *cannot be read: it is a pipe*, ``fix`` what to do."""

    def __init__(self, reason: str, fix: str = "check the path") -> None:
        self.reason, self.fix = reason, fix
        super().__init__(reason)


class TooLarge(UnreadableFile):
    """A file of more bytes than its reader allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"is larger than {size_text(limit)}", "")


def read_bytes(path: Path | str, limit: int) -> bytes:
    """Read a whole file, links followed.

    Parameters
    ----------
    path
        Its name.
    limit
        Bytes it may have; a larger one is refused before anything of it is read.

    Raises
    ------
    UnreadableFile
        When it is no plain file or cannot be read; TooLarge when it is too large.
    """
    try:
        if str(path).startswith(_OPEN_ALREADY):
            with Path(path).open("rb") as stream:
                content = stream.read(limit + 1)
        else:
            content = _read_plain(path, limit)
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror or error}") from None
    except ValueError:  # a name with a NUL in it
        raise UnreadableFile("cannot be read: it is no name of a file") from None
    if len(content) > limit:
        raise TooLarge(limit)
    return content


def _read_plain(path: Path | str, limit: int) -> bytes:
    check_plain(path)
    descriptor = os.open(path, os.O_RDONLY | _NOT_WAITING)
    try:
        _check_kind(os.fstat(descriptor))  # another file may stand there by now
        if os.fstat(descriptor).st_size > limit:
            raise TooLarge(limit)
    except UnreadableFile:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(limit + 1)


def check_plain(path: Path | str) -> None:
    """Refuse what is no plain file, links followed; raises UnreadableFile, and OSError where nothing is there."""
    _check_kind(os.stat(path))  # noqa: PTH116  # a name with a NUL is to be told apart


def _check_kind(status: os.stat_result) -> None:
    for is_kind, words, fix in _KINDS:
        if is_kind(status.st_mode):
            raise UnreadableFile(f"cannot be read: it is {words}", fix)


def size_text(limit: int) -> str:
    """A number of bytes as people say it."""
    return f"{limit // 1_000_000} MB" if limit >= 1_000_000 else f"{limit // 1_000} kB"  # noqa: PLR2004, RUF100
