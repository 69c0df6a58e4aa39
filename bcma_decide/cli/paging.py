"""Where a long answer goes: straight to standard output, or to a pager where it is longer than the terminal."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from rich.pager import SystemPager

from bcma_decide.render.terminal.console import Console

LESS: Final = "FRX"
"""Leave at once where all fits, keep colours, leave the text on the screen; used unless LESS says otherwise."""


def print_or_page(console: Console, write: Callable[[Console], None]) -> None:
    """Write to the console, by way of ``PAGER`` (or ``less``) where it is a terminal of fewer lines.

    ``PAGER=cat`` or a ``TERM`` that is ``dumb`` mean no pager; pipes and files never get one.
    """
    if not console.is_terminal or not console.file.isatty() or console.is_dumb_terminal:
        write(console)
        return
    with console.capture() as captured:
        write(console)
    text = captured.get()
    if text.count("\n") < console.height:
        console.file.write(text)
        return
    os.environ.setdefault("LESS", LESS)
    SystemPager().show(text)
