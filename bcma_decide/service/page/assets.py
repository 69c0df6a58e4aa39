"""Files the page loads, each under a name that holds a hash of its content, so that browsers may keep them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from bcma_decide.render.sheet.html import TEMPLATES, part_style
from bcma_decide.render.sheet.sheet import PAPERS, Paper, Sheet
from bcma_decide.render.words.language import AUDIENCES, Audience

_FILES: Final = Path(__file__).parent / "templates"
_BEHIND: Final = "behind.css"
_OF_CLINICIAN: Final = ("detail.css", "clinician.css")
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Asset(NamedTuple):
    """One file: its content and type."""

    content: bytes
    media_type: str


@cache
def assets() -> Mapping[str, Asset]:
    """Every file by the name it is served under."""
    return {_served(name, content): Asset(content, _TYPES[_ending(name)]) for name, content in _contents().items()}


@cache
def asset_name(name: str) -> str:
    """The name a file is served under: ``page-0123456789ab.css`` for ``page.css``."""
    return _served(name, _contents()[name])


def style_name(audience: Audience, paper: Paper) -> str:
    """The name the styles of a sheet are served under."""
    return asset_name(_style(audience, paper))


@cache
def _contents() -> Mapping[str, bytes]:
    files = {path.name: path.read_bytes() for path in _FILES.iterdir() if _ending(path.name) in _TYPES}
    styles = {
        _style(audience, paper): part_style(Sheet(audience=audience, paper=paper)).encode()
        for audience in AUDIENCES
        for paper in PAPERS
    }
    return files | styles | {_BEHIND: _behind().encode()}


def _behind() -> str:
    """Styles of what is behind the clinician's sheet, for the tabs only: the sheet beside them may be another's."""
    return f".p-behind {{\n{''.join((TEMPLATES / name).read_text(encoding='utf-8') for name in _OF_CLINICIAN)}}}\n"


def _style(audience: str, paper: str) -> str:
    return f"{audience}-{paper}.css"


def _served(name: str, content: bytes) -> str:
    stem, _, ending = name.rpartition(".")
    return f"{stem}-{sha256(content).hexdigest()[:12]}.{ending}"


def _ending(name: str) -> str:
    return name.rpartition(".")[2]
