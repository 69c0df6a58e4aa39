"""Writing plain data and lists to standard output, the same from every command."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from textwrap import wrap

from bcma_decide.errors import printable


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print a text as it may be shown: what it repeats of a file or a name does not steer the terminal."""
    stream = sys.stderr if err else sys.stdout
    stream.write(printable(text) + "\n" * nl)
    stream.flush()


def print_json(content: object) -> None:
    """Print plain data as indented JSON, names in their own letters."""
    import json

    say(json.dumps(content, indent=2, ensure_ascii=False))


def print_listing(lines: Mapping[str, str]) -> None:
    """Print names with a text each; on a terminal a long text is wrapped below itself, elsewhere one line stays one."""
    lead = max(map(len, lines), default=0) + 2
    for name, text in lines.items():
        line = f"{name:<{lead}}{text}"
        if sys.stdout.isatty():
            from shutil import get_terminal_size

            width = max(get_terminal_size().columns, lead + 20)
            line = "\n".join(wrap(line, width, subsequent_indent=" " * lead, break_on_hyphens=False))
        say(line)
