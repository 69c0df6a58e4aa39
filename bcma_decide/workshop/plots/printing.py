"""Drawings and pages as PDF and PNG, by what the extra ``pdf`` brings: WeasyPrint lays out, PDFium makes pixels.

Letters are the packaged ones of the printed sheets, so that a drawing looks alike on every machine.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from io import BytesIO
from typing import Final

from bcma_decide.errors import Problem, SheetError
from bcma_decide.render.sheet import pdf

__all__ = ["pdf_of_page", "png_of_drawing", "require_printing"]

_DOTS: Final = 2.0
"""Dots of a PNG along each pixel of a screen."""
_UNIT: Final = 96 / 72
"""Pixels of a screen in one of PDFium's units."""
_MOST_DOTS: Final = 100_000_000
"""Dots that are held at once, four bytes each; a drawing of thousands of studies gets fewer for each pixel."""
_FAMILY: Final = re.compile(r'font-family="[^"]*"')
_SIZE: Final = re.compile(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)"')
_FIGURE: Final = re.compile(r'<figure id="([a-z-]+)">(?=.*?<svg )', re.DOTALL)
_MARGIN: Final = 45.0
"""12 mm in pixels of CSS, as the page's own style has it."""
_PAPER: Final = (793.7, 1122.5)
"""A4 in pixels of CSS."""
_CAPTION: Final = 60.0
_FACES: Final = "".join(
    f'@font-face {{ font-family: "Sheet Text"; font-weight: {weight}; src: url("font:text-{weight}"); }}\n'
    for weight in (400, 600)
)
_BODY: Final = 'body { font-family: "Sheet Text", sans-serif !important; }\n'


def require_printing(*, pixels: bool) -> None:
    """Refuse before any work is done, unless what printing needs is installed; ``pixels`` for PNG.

    Raises
    ------
    SheetError
        Saying what to install.
    """
    needed = pdf.missing()
    if not needed and pixels and find_spec("pypdfium2") is None:
        needed = pdf.INSTALL
    if needed:
        what = "a PNG" if pixels else "a PDF"
        fix = f"install: {needed}; or take --svg or --html, which need nothing"
        raise SheetError(
            f"{what} cannot be written", [Problem("png" if pixels else "pdf", "parts are not installed", fix)]
        )


def pdf_of_page(page: str) -> bytes:
    """A page of :func:`~bcma_decide.workshop.plots.page.render_page` on A4; same page, same bytes.

    A drawing that would be cut at the end of a page has a page of its own, as long as it is.
    """
    return _printed(_lettered(page), _FACES + _BODY + "".join(_long_pages(page)))


def png_of_drawing(svg: str) -> bytes:
    """A drawing on white, twice as wide in dots as in pixels of the screen, but for the very largest."""
    import pypdfium2

    width, height = _size(svg)
    style = f"@page {{ size: {width}px {height}px; margin: 0; }}\nbody {{ margin: 0; color: #000; }}\n"
    style += "svg { display: block; }"
    printed = _printed(f"<!DOCTYPE html><html><body>{_lettered(svg)}</body></html>", _FACES + style)
    document = pypdfium2.PdfDocument(printed)
    try:
        dots = min(_DOTS, (_MOST_DOTS / (width * height)) ** 0.5)
        # Drawn twice as fine and averaged, where there is room: PDFium cuts the edges of small letters.
        finer = 2 if (2 * dots) ** 2 * width * height <= _MOST_DOTS else 1
        picture = document[0].render(scale=finer * dots * _UNIT).to_pil().reduce(finer)
    finally:
        document.close()
    written = BytesIO()
    picture.save(written, format="PNG")
    return written.getvalue()


def _printed(page: str, style: str) -> bytes:
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fonts, fetcher = FontConfiguration(), pdf.font_fetcher()
    with pdf.quiet_library():
        sheets = [CSS(string=style, font_config=fonts, url_fetcher=fetcher)]
        written = HTML(string=page, url_fetcher=fetcher).write_pdf(stylesheets=sheets, font_config=fonts)
    return bytes(written)


def _lettered(text: str) -> str:
    return _FAMILY.sub('font-family="Sheet Text, sans-serif"', text)


def _size(svg: str) -> tuple[float, float]:
    found = _SIZE.search(svg)
    assert found is not None  # noqa: S101, RUF100  # as our own writer writes it
    return float(found[1]), float(found[2])


def _long_pages(page: str) -> list[str]:
    """Style for the figures that are higher than a page when they are as wide as one."""
    rules = []
    room = _PAPER[0] - 2 * _MARGIN
    for figure in _FIGURE.finditer(page):
        width, height = _size(page[figure.end() :])
        high = height * min(1.0, room / width)
        if high + _CAPTION > _PAPER[1] - 2 * _MARGIN:
            name = figure[1]
            long = high + _CAPTION + 3 * _MARGIN
            rules.append(
                f"@page {name} {{ size: {_PAPER[0]}px {long:.0f}px; margin: 12mm; }}\n#{name} {{ page: {name}; }}\n"
            )
    return rules
