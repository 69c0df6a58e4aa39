"""A sheet as PDF: tagged, marked PDF/UA-1, fonts embedded, the result inside; the same bytes each time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from bcma_decide.comparison import Comparison, result_json
from bcma_decide.errors import Problem, SheetError
from bcma_decide.render.sheet.html import Fit, render_print
from bcma_decide.render.sheet.sheet import Sheet

if TYPE_CHECKING:
    from weasyprint import Document
    from weasyprint.urls import URLFetcher

PAGES: Final = 2
"""A sheet is one leaf of paper, printed on both sides."""
ATTACHMENT: Final = "comparison.json"

SMALL: Final = 0.88
"""Share of its usual size below which text is set only when lists of findings are as short as they may get."""
SMALLEST: Final = 0.8
"""Text is never set smaller than this."""
FEWEST_LINES: Final = 2
"""Lists of findings are not cut below this."""
GROWTH: Final = 2.2
"""Power with which the height of a page grows with the size of its text: 1 for rows, 2 for running text, more where
cells of a table break into more lines."""
JUST_OVER: Final = 1.12
"""Height up to which a page may be too high by a line only: what cannot be broken is carried over whole."""
GENTLE: Final = 0.985
"""Step in the size of the text for such a page."""
LINE_HEIGHT: Final = 0.018
"""Height of one entry of a list of findings, in pages."""
LEAST_SPARE: Final = 0.98
"""Height at which a page counts as full: what stands last cannot be broken."""
END_FIRST: Final = "end-first"
END_SECOND: Final = "end-second"
"""Where the content of the two pages ends, marked in the templates."""

_INSTALL: Final = 'pip install "bcma-decide[pdf]"'
_LIBRARIES: Final = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_VARIANT: Final = "pdf/ua-1"
_FONTS: Final = {
    f"font:{name}-{weight}": (family, weight)
    for name, family in (("text", "Fira Sans"), ("dense", "Fira Sans Condensed"))
    for weight in (400, 600)
}
"""The only addresses that are ever served, and the packaged font behind each."""


def render_pdf(comparison: Comparison, sheet: Sheet | None = None) -> bytes:
    """Write a comparison as PDF of at most two pages; same comparison, same sheet, same versions: same bytes.

    The text is set as large as it fits on two pages; lists that are still too long end with what is left out and
    stand complete in the attached result.

    Parameters
    ----------
    comparison
        What to write; it is attached as JSON.
    sheet
        For whom, in which language, on which paper.

    Raises
    ------
    SheetError
        When the extra ``pdf`` or the libraries it needs are not installed.
    """
    sheet = sheet or Sheet()
    _require()
    document = _fitted(comparison, sheet)
    document.metadata.attachments.append(_attachment(comparison))
    with _quiet():
        return bytes(document.write_pdf(pdf_variant=_VARIANT))


def missing() -> str:
    """What to install before a PDF can be written, in one line; empty if nothing is missing."""
    try:
        import fontpkg
        import weasyprint

        for family, weight in _FONTS.values():
            fontpkg.path(family, weight)
    except ImportError:
        return _INSTALL
    except OSError:  # the libraries below WeasyPrint
        return _LIBRARIES
    except fontpkg.FontpkgError:
        return _INSTALL
    del weasyprint
    return ""


def _require() -> None:
    if needed := missing():
        fix = f"install: {needed}; or print the HTML from a browser"
        raise SheetError("a PDF cannot be written", [Problem("pdf", "parts are not installed", fix)])


def _fitted(comparison: Comparison, sheet: Sheet) -> Document:
    """Lay a sheet out as large as it fits; if nothing more can be done, it keeps a third page and loses nothing."""
    fit: Fit | None = widest_fit(comparison, sheet)
    while fit is not None:
        document = _laid_out(comparison, sheet, fit)
        heights = _heights(document)
        if len(document.pages) <= PAGES:
            break
        fit = _tighter(fit, heights)
    return document


def _heights(document: Document) -> tuple[float, float]:
    """Height of the first and of the second page's content, in pages; half of it where one flows into the other."""
    ends = {
        name: number + place[1] / page.height
        for number, page in enumerate(document.pages)
        for name, place in page.anchors.items()
        if name in (END_FIRST, END_SECOND)
    }
    total = ends.get(END_SECOND, float(len(document.pages)))
    if END_FIRST not in ends:
        return total / PAGES, total / PAGES
    return ends[END_FIRST], total - ceil(ends[END_FIRST])


def _tighter(fit: Fit, heights: tuple[float, float]) -> Fit | None:
    """Smaller text where a page overflows; where it would become too small, fewer lines. None if both are done."""
    (first, first_lines), (second, second_lines) = (
        _tighter_page(*page) for page in zip(fit.scales, fit.lists, heights, strict=True)
    )
    tighter = Fit((first, second), (first_lines, second_lines))
    return tighter if tighter != fit else None


def _tighter_page(scale: float, lines: int, height: float) -> tuple[float, int]:
    if height <= LEAST_SPARE:
        return scale, lines
    wanted = scale * (GENTLE if height < JUST_OVER else (LEAST_SPARE / height) ** (1 / GROWTH))
    if wanted >= SMALL:
        return round(wanted, 3), lines
    if lines <= FEWEST_LINES:
        return round(max(wanted, SMALLEST), 3), lines
    expected = height * (SMALL / scale) ** GROWTH
    return SMALL, max(FEWEST_LINES, lines - max(1, ceil((expected - LEAST_SPARE) / LINE_HEIGHT)))


def _laid_out(comparison: Comparison, sheet: Sheet, fit: Fit) -> Document:
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration

    with _quiet():
        page = HTML(string=render_print(comparison, sheet, fit), url_fetcher=_fetcher())
        return page.render(font_config=FontConfiguration(), pdf_variant=_VARIANT)


def _attachment(comparison: Comparison) -> Any:  # noqa: ANN401  # the library gives no types
    from weasyprint import Attachment

    day = datetime.fromisoformat(comparison.evidence.date).replace(tzinfo=UTC)
    return Attachment(
        string=result_json(comparison),
        name=ATTACHMENT,
        description="The result as JSON",
        created=day,  # of the evidence, not of the clock: the same sheet has the same bytes
        modified=day,
        relationship="Data",
    )


@cache
def _fetcher() -> URLFetcher:
    """Serves the packaged fonts and refuses every other address, whatever a page asks for."""
    import fontpkg
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    files = {address: fontpkg.path(family, weight) for address, (family, weight) in _FONTS.items()}

    class Fonts(URLFetcher):  # type: ignore[misc]  # the library gives no types
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
            del headers
            if url not in files:
                raise ValueError(f"a sheet loads nothing: {url}")
            return URLFetcherResponse(url, files[url].read_bytes(), {"Content-Type": "font/ttf"})

    return Fonts()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's remarks about refused addresses and unknown styles off the terminal."""
    logger = logging.getLogger("weasyprint")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
