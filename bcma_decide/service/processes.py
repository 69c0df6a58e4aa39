"""A fresh interpreter that runs one function, and the connection to it.

The multiprocessing library would start one process more, which tracks what is shared by names and ends after the
program has: nothing here is, and when the service has ended nothing of it may be left.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

_CODE = "import sys; sys.path[:] = {path!r}; from {module} import main; main()"


@dataclass(frozen=True)
class Child:
    """A process, and this end of the connection; the other end is closed by nothing but its death."""

    process: subprocess.Popen[bytes]
    connection: Connection

    def end(self) -> None:
        """End it and take its exit status, so that nothing of it stays behind."""
        self.connection.close()
        self.process.kill()
        self.process.wait()


def start(function: Callable[..., None], *arguments: object, keep: Sequence[int] = ()) -> Child:
    """Start an interpreter that calls ``function`` with its end of the connection and the arguments.

    What is called is sent by its name, arguments are pickled. Of the files open here it has those of ``keep``, by the
    same numbers, and no other: it is started by exec, with nothing of this process in its memory.
    """
    here, there = Pipe()
    code = _CODE.format(path=sys.path, module=__name__)
    command = [sys.executable, "-c", code, str(there.fileno())]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(there.fileno(), *keep))
    there.close()  # so that its death is seen here
    with suppress(OSError):  # it is dead already, which is seen where its answer is waited for
        here.send((function, arguments))
    return Child(process, here)


def main() -> None:
    """What runs in the process that was started."""
    connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
    try:
        function, arguments = connection.recv()
    except (EOFError, OSError):  # whoever started it has ended
        return
    function(connection, *arguments)
