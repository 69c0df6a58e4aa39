"""A page of the guide as HTML: its Markdown without any HTML of its own, links to other pages where they stand here.

What leads out of the guide into the repository is no link here, and a picture is its words: a page loads nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bcma_decide.guide import INDEX, Page, linked
from bcma_decide.service.page.page_access import GUIDE

_WEB: Final = ("https://", "http://")
_ROLES: Final = {
    "table_open": "table", "thead_open": "rowgroup", "tbody_open": "rowgroup", "tr_open": "row",
    "th_open": "columnheader", "td_open": "cell",
}  # fmt: skip
"""Written out, since on a narrow screen the styles make blocks of tables, and blocks have no role of their own."""


@lru_cache(maxsize=64)
def guide_body(page: Page, base: str) -> str:
    """Draw a page; ``base`` is the path below which the service is reached."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(page.text)
    _name_headings(tokens)
    _name_cells(tokens)
    for token in tokens:
        if token.children:
            token.children = list(_inline(token.children, page, base))
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def guide_address(page: Page, base: str) -> str:
    """Where a page stands."""
    return f"{base}{GUIDE}" if page.name == INDEX else f"{base}{GUIDE}/{page.name}"


def _name_headings(tokens: Sequence[Token]) -> None:
    """Give headings the ids that code hosts give them, so that links to a section lead there."""
    names: dict[str, int] = {}
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            name = re.sub(r"[^\w\- ]", "", inline.content.lower()).replace(" ", "-")
            names[name] = names.get(name, -1) + 1
            token.attrSet("id", f"{name}-{names[name]}" if names[name] else name)


def _name_cells(tokens: Sequence[Token]) -> None:
    """Put roles on tables and the column's title on each cell, in place of an alignment that the policy refuses."""
    titles: list[str] = []
    column = 0
    for token, inline in pairwise(tokens):
        if token.type not in _ROLES:
            continue
        token.attrs = {"role": _ROLES[token.type]}
        if token.type == "table_open":
            titles = []
        elif token.type == "tr_open":
            column = 0
        elif token.type == "th_open":
            titles.append(_text(inline))
        elif token.type == "td_open":
            token.attrSet("data-label", titles[column])
            column += 1


def _text(inline: Token) -> str:
    return "".join(part.content for part in inline.children or ())


def _inline(parts: Iterable[Token], page: Page, base: str) -> Iterable[Token]:
    """Parts of a line: links as they lead from here, or without the link; pictures as their words."""
    kept = False  # links do not nest: an end belongs to the last start
    for part in parts:
        if part.type == "link_open":
            target = _target(str(part.attrGet("href") or ""), page, base)
            kept = target is not None
            if target is not None:
                part.attrs = {"href": target}
                if target.startswith(_WEB):
                    part.attrSet("rel", "noreferrer")
                yield part
        elif part.type == "link_close":
            if kept:
                yield part
        elif part.type == "image":
            yield Token("text", "", 0, content=part.content)
        else:
            yield part


def _target(link: str, page: Page, base: str) -> str | None:
    """Where a link leads from the service, or ``None`` where it leads to something that is not there."""
    if link.startswith((*_WEB, "#")):
        return link
    file, sign, section = link.partition("#")
    other = linked(page, file)
    return None if other is None else f"{guide_address(other, base)}{sign}{section}"
