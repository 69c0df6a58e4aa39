"""The command line: one short file per group of commands, loaded only when it is asked for."""

from __future__ import annotations

import gc
import sys

from bcma_decide.cli.streams import flushed, open_streams, settle_size


def main() -> None:
    """Entry point of the ``bcma-decide`` command."""
    from bcma_decide.cli.everyday import answered

    open_streams()
    settle_size()
    gc.disable()  # an answer is over before there is much to collect
    with flushed():
        if not answered(sys.argv[1:]):
            gc.enable()
            from bcma_decide.cli.app import run

            run(sys.argv[1:])
