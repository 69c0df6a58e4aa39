"""The small pages of a launch: where to start from, and why one stopped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import HTMLResponse

from bcma_decide.render.sheet.templating import environment
from bcma_decide.service.http.headers import SHEET_POLICY
from bcma_decide.service.settings import Ehr
from bcma_decide.service.smart.stopped import Stopped
from bcma_decide.version import __version__
from bcma_decide.vocabulary import INTENDED_USE

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES: Final = Path(__file__).parent / "templates"


def stopped_page(stopped: Stopped, evidence: str) -> HTMLResponse:
    """Say what happened and what to do."""
    title = "The page could not be filled from the record"
    return _page("stopped.html.j2", stopped.status, evidence, title=title, what=stopped.what, remedy=stopped.remedy)


def choose_page(ehrs: Sequence[Ehr], evidence: str) -> HTMLResponse:
    """List the EHRs to start from."""
    return _page("choose.html.j2", 200, evidence, title="Which record?", ehrs=ehrs)


def _page(name: str, status: int, evidence: str, **parts: object) -> HTMLResponse:
    text = _environment().get_template(name).render(
        intended_use=INTENDED_USE, version=__version__, evidence=evidence, **parts
    )  # fmt: skip
    return HTMLResponse(text, status, {"Content-Security-Policy": SHEET_POLICY})


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return environment(_TEMPLATES)
