"""The page as the tests read it: parsed strictly once, its tables as rows of words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from justhtml import JustHTML

from bcma_decide.pooled.location import evidence_directory
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence_report.accounts import account_for
from bcma_decide.workshop.evidence_report.report import evidence_report


@dataclass(frozen=True)
class ReadTable:
    """Titles and rows of a table."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, title: str) -> tuple[str, ...]:
        place = self.titles.index(title)
        return tuple(row[place] for row in self.rows)


@cache
def text() -> str:
    return evidence_report(evidence_directory())


@cache
def document() -> JustHTML:
    return JustHTML(text(), strict=True, sanitize=False)


@cache
def tables() -> dict[str, ReadTable]:
    """Every table by its caption."""
    found = {}
    for table in document().query("table"):
        head, *rows = [
            tuple(" ".join(cell.to_text().split()) for cell in row.query("th, td")) for row in table.query("tr")
        ]
        found[table.query_one("caption").to_text()] = ReadTable(head, tuple(rows))
    return found


def table(start: str) -> ReadTable:
    """The table whose caption starts like this."""
    [found] = [each for caption, each in tables().items() if caption.startswith(start)]
    return found


@cache
def catalogue():
    return load_catalogue()


@cache
def accounts():
    return account_for(catalogue())
