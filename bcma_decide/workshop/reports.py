"""What stands in ``reports/``: each file by its name, made when it is asked for, with the same bytes each time."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from functools import cache, partial
from shutil import which
from typing import Final, NamedTuple

from bcma_decide.comparing.compare import compare
from bcma_decide.comparison import Comparison, schema_json
from bcma_decide.errors import SheetError
from bcma_decide.patient.files import example_names, load_example
from bcma_decide.pooled.location import evidence_directory
from bcma_decide.render.sheet.html import render_html
from bcma_decide.render.sheet.pdf import missing, render_pdf
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.render.terminal.picture import terminal_picture
from bcma_decide.render.words.language import AUDIENCES, Audience
from bcma_decide.workshop.evidence_report.report import evidence_report
from bcma_decide.workshop.validation.history import load_history
from bcma_decide.workshop.validation.page import validation_page
from bcma_decide.workshop.validation.stored import read_stored

__all__ = ["Report", "reports"]

_TERMINAL: Final = "extramedullary-66-high-risk"
"""The example in the picture of the terminal."""
_SHEET: Final = "renal-74"
"""The example in the picture of the sheet."""
_DRAWS: Final = ("pdftoppm", "-r", "100", "-png", "-singlefile", "-")


def _nothing() -> str:
    return ""


class Report(NamedTuple):
    """One file. ``missing`` says in one line what to install before it can be made, or nothing.

    ``settled`` is whether the bytes are those of this program and its libraries; else another program draws it.
    """

    name: str
    make: Callable[[], bytes]
    missing: Callable[[], str] = _nothing
    settled: bool = True


def reports() -> tuple[Report, ...]:
    """Every file; making one raises SheetError where its parts are missing."""
    return tuple(_all())


def _all() -> Iterator[Report]:
    yield Report("terminal.svg", _terminal)
    for name in example_names():
        for audience in AUDIENCES:
            yield Report(f"{name}.{audience}.html", partial(_page, name, audience))
            yield Report(f"{name}.{audience}.pdf", partial(_paper, name, audience), missing)
    yield Report("sheet.png", _picture, _undrawn, settled=False)
    yield Report("evidence.html", _evidence)
    yield Report("comparison.schema.json", lambda: schema_json().encode())
    yield Report("validation.html", _validation)


@cache
def _example(name: str) -> Comparison:
    return compare(load_example(name), name=name)


def _terminal() -> bytes:
    return terminal_picture(_example(_TERMINAL)).encode()


def _page(name: str, audience: Audience) -> bytes:
    return render_html(_example(name), Sheet(audience)).encode()


def _paper(name: str, audience: Audience) -> bytes:
    return render_pdf(_example(name), Sheet(audience))


def _picture() -> bytes:
    """The first page of a sheet, at 100 dots an inch."""
    if needed := _undrawn():
        raise SheetError(f"the sheet cannot be drawn as a picture; install: {needed}")
    drawn = subprocess.run(_DRAWS, input=_paper(_SHEET, AUDIENCES[0]), capture_output=True, check=False)
    if drawn.returncode:
        raise SheetError(f"{_DRAWS[0]} could not draw the sheet: {drawn.stderr.decode(errors='replace').strip()}")
    return drawn.stdout


def _undrawn() -> str:
    return missing() or ("" if which(_DRAWS[0]) else f"poppler-utils, for {_DRAWS[0]}")


def _evidence() -> bytes:
    return evidence_report(evidence_directory()).encode()


def _validation() -> bytes:
    """The page of the last whole run, which takes minutes and is not repeated; one of other numbers is refused."""
    directory = evidence_directory()
    return validation_page(read_stored(directory), load_history(directory)).encode()
