"""The documents people read, shipped as Markdown: here their names and texts, drawn by whoever shows them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

__all__ = ["INDEX", "Page", "find", "linked", "pages"]

INDEX: Final = "index"
_FOLDER: Final = Path(__file__).parent


class Page(NamedTuple):
    """One page: its name (``model``, ``decisions/own-svg``), its first heading, its Markdown, its file here."""

    name: str
    title: str
    text: str
    file: str


@cache
def pages() -> Mapping[str, Page]:
    """Every page by its name: the index, then those beside it, then those of folders, each by name."""
    found = [_page(path) for path in _FOLDER.rglob("*.md")]
    return {each.name: each for each in sorted(found, key=lambda page: (page.name != INDEX, "/" in page.file, page))}


def find(topic: str) -> Page | None:
    """The page of a name, or of the last part of a name where only one page has it; ``None`` for anything else."""
    whole = pages().get(topic)
    if whole is not None:
        return whole
    ending = [page for page in pages().values() if page.name.endswith(f"/{topic}")]
    return ending[0] if len(ending) == 1 else None


def linked(page: Page, target: str) -> Page | None:
    """The page a relative link of a page leads to (``../glossary.md``); ``None`` where it leads out of the guide."""
    parts: list[str] = []
    for part in (PurePosixPath(page.file).parent / target).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            return None
    file = "/".join(parts)
    return next((each for each in pages().values() if each.file == file), None)


def _page(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    file = path.relative_to(_FOLDER).as_posix()
    name = file.removesuffix(".md")
    title = next((line[2:].strip() for line in text.splitlines() if line.startswith("# ")), name)
    return Page(name, title, text, file)
