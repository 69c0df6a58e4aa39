"""``bcma-decide guide``: the documents of the program, in the terminal."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Final

import typer

from bcma_decide.cli.output import print_listing, say
from bcma_decide.cli.table import EPILOG
from bcma_decide.guide import find, pages

guide_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

WIDEST: Final = 100
"""Columns a line of text takes at most: longer ones are hard to read."""


@guide_app.command(epilog=EPILOG)
def guide(
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="TOPIC",
            help="A page as listed without it; of decisions/NAME the NAME is enough.",
            autocompletion=lambda: list(pages()),
        ),
    ] = None,
    no_pager: Annotated[
        bool, typer.Option("--no-pager", metavar="", help="Print a page longer than the terminal all at once.")
    ] = False,
) -> None:
    """List the pages of the guide, or show one: how to read an answer, the mathematics, what words mean.

    On a terminal a long page is shown by the program that PAGER names; elsewhere it is printed as its Markdown.

    Example: bcma-decide guide reading
    """
    if topic is None:
        print_listing({page.name: page.title for page in pages().values()})
        return
    page = find(topic)
    if page is None:
        from bcma_decide.errors import closest, quote

        names = {part for name in pages() for part in (name, name.rpartition("/")[2])}
        fix = closest(topic, sorted(names)) or f"pages: {', '.join(pages())}"
        raise typer.BadParameter(f"there is no page {quote(topic)}; {fix}", param_hint="TOPIC")
    if not sys.stdout.isatty():
        say(page.text, nl=False)
        return
    _show(page.text, paged=not no_pager)


def _show(text: str, *, paged: bool) -> None:
    """Draw Markdown on the terminal, through a pager where it is longer than that."""
    from rich.markdown import Markdown
    from rich.theme import Theme

    from bcma_decide.render.terminal.console import Console

    console = Console(highlight=False, theme=Theme({"markdown.code": "bold"}))
    console.width = min(console.width, WIDEST)
    content = Markdown(text, hyperlinks=False, code_theme="ansi_light")
    if not paged or len(console.render_lines(content)) < console.height:
        console.print(content)
        return
    os.environ.pop("MANPAGER", None)  # would be taken before PAGER
    os.environ.setdefault("LESS", "-R")  # lets less show bold and colour, as git does
    with console.pager(styles=True):
        console.print(content)
