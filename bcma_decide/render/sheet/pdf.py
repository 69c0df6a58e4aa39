"""A sheet as PDF: tagged, marked PDF/UA-1, fonts embedded, the result inside; the same bytes each time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from bcma_decide.comparison import Comparison, result_json
from bcma_decide.errors import Problem, SheetError
from bcma_decide.render.sheet.clinician_front import BURDEN
from bcma_decide.render.sheet.clinician_view import Room
from bcma_decide.render.sheet.html import Fit, render_print
from bcma_decide.render.sheet.sheet import Sheet

if TYPE_CHECKING:
    from weasyprint import Document
    from weasyprint.urls import URLFetcher

PAGES: Final = 2
"""A sheet is one leaf of paper, printed on both sides."""
ATTACHMENT: Final = "comparison.json"

SMALLEST: Final = 0.8
"""Text of the patient's sheet is never set smaller than this share of its usual size; the clinician's has one size."""
GROWTH: Final = 2.2
"""Power with which the height of a page grows with the size of its text: 1 for rows, 2 for running text, more where
cells of a table break into more lines."""
JUST_OVER: Final = 1.12
"""Height up to which a page may be too high by a line only: what cannot be broken is carried over whole."""
GENTLE: Final = 0.985
"""Step in the size of the text for such a page."""
LEAST_SPARE: Final = 0.98
"""Height at which a page counts as full: what stands last cannot be broken."""
END_FIRST: Final = "end-first"
END_SECOND: Final = "end-second"
TOPIC: Final = "topic-"
ITEM: Final = "item-"
BLOCK: Final = "back-"
END_ITEMS: Final = "end-items"
"""Where the content of the two pages ends, and where every part of the clinician's pages stands that may give way:
marked in the templates."""
COLUMNS: Final = 2
"""Of the clinician's second page."""
_MM: Final = 96 / 25.4
TOP: Final = 10 * _MM
MARGINS: Final = 23 * _MM
BETWEEN_ITEMS: Final = 0.5 * _MM
BETWEEN_BLOCKS: Final = 2.2 * _MM
"""Of the clinician's pages, as in their style, in the unit of a layout."""
UNBROKEN: Final = 6 * _MM
"""Room that what cannot be broken leaves empty at the end of a page or a column, as a first guess."""

INSTALL: Final = 'pip install "bcma-decide[pdf]"'
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

    The patient's text is set as large as it fits on two pages. The clinician's has one size: what has no room is
    counted on the sheet, and stands on the page and in the attached result.

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
    with quiet_library():
        return bytes(document.write_pdf(pdf_variant=_VARIANT))


def missing() -> str:
    """What to install before a PDF can be written, in one line; empty if nothing is missing."""
    try:
        import fontpkg
        import weasyprint

        for family, weight in _FONTS.values():
            fontpkg.path(family, weight)
    except ImportError:
        return INSTALL
    except OSError:  # the libraries below WeasyPrint
        return _LIBRARIES
    except fontpkg.FontpkgError:
        return INSTALL
    del weasyprint
    return ""


def _require() -> None:
    if needed := missing():
        fix = f"install: {needed}; or print the HTML from a browser"
        raise SheetError("a PDF cannot be written", [Problem("pdf", "parts are not installed", fix)])


def _fitted(comparison: Comparison, sheet: Sheet) -> Document:
    """Lay a sheet out on two pages; if nothing more can be done, it keeps a third page and loses nothing."""
    patient = sheet.audience == "patient"
    fit: Fit | None = Fit() if patient else Fit(room=Room(topics=tuple(range(len(BURDEN)))))
    tighter = _smaller if patient else _shorter
    while fit is not None:
        document = _laid_out(comparison, sheet, fit)
        if len(document.pages) <= PAGES:
            break
        fit = tighter(fit, document)
    return document


def _shorter(fit: Fit, document: Document) -> Fit | None:
    """Less on the clinician's pages, and never smaller; None where nothing more can give way."""
    boxes = _boxes(document)
    full = document.pages[0].height - MARGINS
    room = Room(_topics(fit.room.topics, boxes, full), _items(fit.room.items, boxes, full))
    return replace(fit, room=room) if room != fit.room else None


@dataclass(frozen=True)
class _Box:
    """Page, upper and lower edge of a part of the layout."""

    page: int
    top: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


def _boxes(document: Document) -> dict[str, _Box]:
    return {
        name: _Box(number, place[1], place[3])
        for number, page in enumerate(document.pages)
        for name, place in page.anchors.items()
    }


def _topics(shown: tuple[int, ...] | None, boxes: Mapping[str, _Box], full: float) -> tuple[int, ...] | None:
    """Topics for which the first page has room: one after the other, as far as each still fits."""
    end = boxes[END_FIRST]
    topics = {place: box for place in shown or () if (box := boxes.get(f"{TOPIC}{place}"))}
    if not end.page or not topics:
        return shown
    first_page = [box.bottom for box in topics.values() if not box.page]
    broken = len(first_page) < len(topics)
    empty = full + TOP - max(first_page) if first_page and broken else 0.0
    all_of_them = sum(box.height for box in topics.values())
    left = full - (end.page * full + end.top - TOP - empty - all_of_them)
    kept = []
    for place, box in topics.items():
        if box.height <= left:
            kept.append(place)
            left -= box.height
    return tuple(kept) if len(kept) < len(topics) else tuple(topics)[:-1]


def _items(shown: int | None, boxes: Mapping[str, _Box], full: float) -> int | None:
    """Items for which the second page has room below each other in its columns, above its foot."""
    if boxes[END_SECOND].page - boxes[END_FIRST].page < PAGES:
        return shown
    foot = boxes[END_SECOND].top - boxes[END_ITEMS].top
    items = {int(name.removeprefix(ITEM)): box for name, box in boxes.items() if name.startswith(ITEM)}
    titles = sum(box.height + BETWEEN_BLOCKS for name, box in boxes.items() if name.startswith(BLOCK))
    left = COLUMNS * (full - max(foot, 0.0)) - titles - UNBROKEN
    for place, item in enumerate(sorted(items)):
        left -= items[item].height + BETWEEN_ITEMS
        if left < 0:
            return min(place, (len(items) if shown is None else shown) - 1)
    return (len(items) if shown is None else shown) - 1


def _smaller(fit: Fit, document: Document) -> Fit | None:
    """Smaller text where a page of the patient's sheet overflows; None where it would become too small."""
    first, second = (_smaller_page(scale, height) for scale, height in zip(fit.scales, _heights(document), strict=True))
    smaller = replace(fit, scales=(first, second))
    return smaller if smaller != fit else None


def _smaller_page(scale: float, height: float) -> float:
    if height <= LEAST_SPARE:
        return scale
    wanted = scale * (GENTLE if height < JUST_OVER else (LEAST_SPARE / height) ** (1 / GROWTH))
    return round(max(wanted, SMALLEST), 3)


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


def _laid_out(comparison: Comparison, sheet: Sheet, fit: Fit) -> Document:
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration

    with quiet_library():
        page = HTML(string=render_print(comparison, sheet, fit), url_fetcher=font_fetcher())
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
def font_fetcher() -> URLFetcher:
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
def quiet_library() -> Iterator[None]:
    """Keep the library's remarks about refused addresses and unknown styles off the terminal."""
    logger = logging.getLogger("weasyprint")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
