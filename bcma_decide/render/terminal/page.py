"""A terminal page: headings, paragraphs and lists in the width and with the signs of a console."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from bcma_decide.render.terminal.ink import Ink

SIDE_BY_SIDE = 80
"""Narrower consoles get stacked blocks."""

WITH_BARS = 96
"""Wider consoles have room for a bar beside each number."""

READABLE = 140
"""Nothing is drawn wider than this, however wide the console."""


@dataclass(frozen=True)
class Trimmed:
    """Another renderable without the blanks at the end of its lines."""

    content: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the content line by line."""
        for line in console.render_lines(self.content, options, pad=False):
            segments = [segment for segment in line if not segment.control]
            while segments and not segments[-1].text.rstrip(" "):
                segments.pop()
            yield from segments[:-1]
            if segments:
                last = segments[-1]
                yield Segment(last.text.rstrip(" "), last.style)
            yield Segment.line()


class TerminalPage:
    """Where a face of the terminal is written."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.ink = Ink.of(console)
        self.width = min(console.width, READABLE)

    @property
    def stacked(self) -> bool:
        """Whether columns would not fit."""
        return self.width < SIDE_BY_SIDE

    def put(self, content: RenderableType) -> None:
        """Print a renderable."""
        self.console.print(Trimmed(content), width=self.width, end="")

    def gap(self) -> None:
        """Print an empty line."""
        self.put(Text(""))

    def heading(self, title: str) -> None:
        """Print a heading with an empty line before it and a rule after it."""
        self.gap()
        self.put(self.ink.text(title, "bold"))
        self.rule()

    def subheading(self, title: str) -> None:
        """Print a heading of lower rank, drawn into its rule."""
        lead = self.ink.line * 2
        text = Text.assemble(f"{lead} ", self.ink.text(title, "bold"), overflow="fold")
        if text.cell_len < self.width - 3:
            text.append(" " + self.ink.line * (self.width - text.cell_len - 1))
        self.put(text)

    def rule(self) -> None:
        """Print a line over the whole width."""
        self.put(Text(self.ink.line * self.width, style="dim"))

    def paragraph(self, text: str, style: str = "", indent: int = 0) -> None:
        """Print wrapped text."""
        self.put(Padding(self.ink.text(text, style), (0, 0, 0, indent), expand=False))

    def items(self, rows: Iterable[tuple[str, str]], lead: int = 0, style: str = "") -> None:
        """Print a list: a short sign or word at least ``lead`` wide, then text in ``style`` that wraps beside it."""
        pairs = list(rows)
        if not pairs:
            return
        grid = Table.grid(padding=(0, 1, 0, 0))
        first = min(max(lead, *(Text(sign).cell_len for sign, _ in pairs)), self.width // 3)
        grid.add_column(width=first, overflow="fold")
        grid.add_column(width=max(1, self.width - first - 1), overflow="fold")
        for sign, text in pairs:
            grid.add_row(self.ink.text(sign), self.ink.text(text, style))
        self.put(grid)

    def bullets(self, texts: Iterable[str]) -> None:
        """Print a list of sentences."""
        self.items((self.ink.symbol("bullet"), text) for text in texts)

    def columns(self, widths: Sequence[int], rows: Iterable[Sequence[Text]], gap: int = 2) -> None:
        """Print rows of texts in columns of fixed width; long texts wrap inside their column."""
        grid = Table.grid(padding=(0, gap, 0, 0))
        for width in widths:
            grid.add_column(width=width, overflow="fold")
        for row in rows:
            grid.add_row(*row)
        self.put(grid)
