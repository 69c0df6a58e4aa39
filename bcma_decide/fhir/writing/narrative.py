"""The same in words inside every resource: what a system shows that knows none of its elements."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from bcma_decide.fhir.writing.parts import Written
from bcma_decide.render.words import wording

_XHTML: Final = "http://www.w3.org/1999/xhtml"


def narrated(resource: Written, title: str, lines: Iterable[str]) -> Written:
    """The resource with its narrative, a title and a paragraph for each line; empty lines are left out."""
    said = "".join(f"<p>{_plain(line)}</p>" for line in lines if line)
    div = f'<div xmlns="{_XHTML}"><p><b>{_plain(title)}</b></p>{said}</div>'
    head = {name: resource[name] for name in ("resourceType", "id")}
    return {**head, "text": {"status": "generated", "div": div}, **resource}


def _plain(text: str) -> str:
    return escape(wording.visible(text), quote=False)
