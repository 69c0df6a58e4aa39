"""One self-contained HTML page of titles, tables and drawings: no script, nothing loaded, for the screen and paper."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bcma_decide.errors import SynthesisError
from bcma_decide.render.sheet import html
from bcma_decide.render.sheet.templating import environment

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["Drawing", "Link", "ReportPage", "Section", "Table", "TableCell", "render_page"]

_TEMPLATES: Final = (Path(__file__).parent / "templates", html.TEMPLATES)


@dataclass(frozen=True)
class Link:
    """Words that lead to an address on the web."""

    words: str
    address: str

    def __post_init__(self) -> None:
        if not self.address.startswith(("https://", "http://")):
            raise SynthesisError(
                f"{self.words}: the address is {self.address!r}, but must start with http:// or https://"
            )

    def __str__(self) -> str:
        """The words alone."""
        return self.words


TableCell = str | Link


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row names it.

    Cells are numbers, set to the right, unless it is one of ``words``. A ``large`` one stays a table at any width and
    scrolls in a box of its own, with its titles and the names of its rows in sight.
    """

    caption: str
    titles: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    words: bool = False
    large: bool = False

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) != len(self.titles):
                raise SynthesisError(
                    f"{self.caption}: row {number} has {len(row)} cells but there are {len(self.titles)} titles"
                )


@dataclass(frozen=True)
class Drawing:
    """A drawing of this package (its text is taken over as it is) and the words below it.

    ``name`` is what it is led to by, of small letters and hyphens; a name stands once on a page.
    """

    svg: str
    caption: str
    name: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page under its own heading; ``parts`` follow what it holds itself."""

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    parts: tuple[Section, ...] = ()


@dataclass(frozen=True)
class ReportPage:
    """The page: ``lead`` stands below the title, ``foot`` at the end; with ``contents`` a list of all headings."""

    title: str
    sections: tuple[Section, ...]
    lead: tuple[str, ...] = ()
    foot: tuple[str, ...] = ()
    contents: bool = False


def render_page(page: ReportPage) -> str:
    """Write the page; all its text is escaped. Same page, same bytes."""
    text = _environment().get_template("page.html.j2").render(page=page)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return environment(*_TEMPLATES)
