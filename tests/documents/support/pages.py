"""The documents people read, and what can be looked up in them: snippets, spans of code, links, tables."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

from typer.main import get_command

from bcma_decide.cli.app import app
from tests.support.commands import called, named
from tests.support.places import ROOT

GUIDE = ROOT / "bcma_decide" / "guide"
GUIDE_PAGES = tuple(sorted(GUIDE.rglob("*.md")))
README = ROOT / "README.md"
BESIDE_CODE = tuple(
    ROOT / name
    for name in (
        "bcma_decide/README.md",
        "tests/README.md",
        "reports/README.md",
        "evidence/README.md",
        ".github/CONTRIBUTING.md",
        ".github/SECURITY.md",
        "CHANGELOG.md",
    )
)
PAGES = (README, *GUIDE_PAGES, *BESIDE_CODE)

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[str]:
    """The fenced blocks in any of the languages."""
    return [body for language, body in _BLOCK.findall(text_of(page)) if language in languages]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _BLOCK.sub("", text_of(page))


def spans(page: Path) -> list[str]:
    """What stands as code inside sentences and tables."""
    return _SPAN.findall(prose(page))


def links(page: Path) -> list[str]:
    """Targets of links and pictures."""
    text = _SPAN.sub("", prose(page)) if page not in (README,) else prose(page)
    return _LINK.findall(text) + re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", text)


def anchors(page: Path) -> set[str]:
    """Names of the headings as the code host makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table(page: Path, *header: str) -> list[list[str]]:
    """The rows of the table with this first line, cells stripped."""
    lines = text_of(page).splitlines()
    first = lines.index(f"| {' | '.join(header)} |")
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def without_code(cell: str) -> str:
    return cell.strip("`")


def command_lines(page: Path) -> list[list[str]]:
    """Every line of the shell blocks that calls the program, as words; what follows > is left out."""
    found = []
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            for part in re.split(r"\s&&\s", line):
                words = shlex.split(part, comments=True)
                if words and words[0].removeprefix(".venv/bin/") == "bcma-decide":
                    found.append(words[1 : words.index(">")] if ">" in words else words[1:])
    return found


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words call, and the words left for it."""
    command, rest = get_command(app), list(words)
    while hasattr(command, "get_command") and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        command = called(command, name)
        assert command is not None, f"there is no command {name!r}"
    return command, rest


def parse(words: list[str]) -> None:
    """Have the command line itself take the words apart; raises for what it does not know."""
    command, rest = command_of(words)
    if command is not None:
        command.make_context(" ".join(words), rest)


def options_of(command: Any) -> set[str]:
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


@cache
def every_option() -> frozenset[str]:
    """All options of all commands."""
    found: set[str] = set()
    waiting = [get_command(app)]
    while waiting:
        command = waiting.pop()
        found |= options_of(command)
        waiting += [called(command, name) for name in named(command)]
    return frozenset(found)
