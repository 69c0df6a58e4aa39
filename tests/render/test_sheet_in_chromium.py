"""The pages in a real browser: accessible, as wide as the screen, quiet, usable by keyboard, printable."""

import pytest

from bcma_decide.render.sheet.html import render_html
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.render.words import language
from tests.render.support import sheets
from tests.render.support.browsing import SPACING, assert_fits, letters, violations

pytestmark = pytest.mark.slow

PAGES = [
    (audience, code, name)
    for audience in language.AUDIENCES
    for code in language.languages(audience)
    for name in (sheets.LITTLE_KNOWN, sheets.FRAIL, sheets.FACTORY)
]
SAMPLE = (PAGES[0], PAGES[-1])
OPEN = "for (const each of document.querySelectorAll('details')) each.open = true"


@pytest.fixture(
    scope="module",
    params=[pytest.param(page, marks=[pytest.mark.sample] * (page in SAMPLE), id="-".join(page)) for page in PAGES],
)
def written(request, tmp_path_factory):
    """Address of a page."""
    audience, code, name = request.param
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(render_html(sheets.example(name), Sheet(audience=audience, language=code)), encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def opened(browser, written):
    """Opens the page in a fresh profile; whatever it reports or asks for must be nothing."""
    contexts, said, asked = [], [], []

    def opening(width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(written)
        return page

    yield opening
    for context in contexts:
        context.close()
    assert said == []
    assert set(asked) == {written}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing(opened, width, scheme):
    sheets.require("axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    page = opened(width, color_scheme=scheme)
    found = []
    if (width, scheme) == (1280, "light") and page.query_selector("details"):
        found += violations(Axe(), page)
    page.evaluate(OPEN)
    found += violations(Axe(), page)
    assert not found, "\n".join(dict.fromkeys(found))


@pytest.mark.parametrize("spaced", [False, True], ids=["plain", "spaced"])
def test_everything_fits_beside_each_other_at_every_width(opened, spaced):
    page = opened()
    if spaced:
        page.add_style_tag(content=SPACING)
    assert_fits(page)
    page.evaluate(OPEN)
    for width in (1280, 800, 640, 400, 320):  # 640: a screen of 1280 at 200 %
        page.set_viewport_size({"width": width, "height": 900})
        assert_fits(page)


def test_it_works_without_scripts(opened):
    with_scripts, without = opened(), opened(java_script_enabled=False)
    assert without.locator("script").count() == 0
    assert without.inner_text("body") == with_scripts.inner_text("body")
    if without.locator("details").count():
        closed = len(without.inner_text("body"))
        without.locator("summary").first.click()
        assert len(without.inner_text("body")) > closed


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_link_and_summary_is_reached_by_tab_and_shows_it(opened, scheme):
    page = opened(color_scheme=scheme)
    page.evaluate(OPEN)
    page.evaluate("document.querySelectorAll('a[href], summary').forEach((each, place) => each.dataset.place = place)")
    wanted = page.evaluate("document.querySelectorAll('[data-place]').length")
    reached = set()
    for _ in range(wanted):
        page.keyboard.press("Tab")
        place, width, style = page.evaluate(
            "() => { const style = getComputedStyle(document.activeElement); "
            "return [document.activeElement.dataset.place, parseFloat(style.outlineWidth), style.outlineStyle] }"
        )
        assert width > 0
        assert style != "none"
        reached.add(place)
    assert None not in reached
    assert len(reached) == wanted


def is_printed(piece, on_paper):
    """Whether a text stands on the paper, in one piece or on both sides of a page break."""
    parts = piece.split()
    return any(
        letters("".join(parts[:cut])) in on_paper and letters("".join(parts[cut:])) in on_paper
        for cut in range(len(parts))
    )


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_prints_as_the_sheet_alone_on_white(opened, tmp_path, paper, record_property):
    sheets.require("pdftotext", "pdfinfo", "pdftoppm")
    page = opened(color_scheme="dark")
    behind = [element.inner_text() for element in page.query_selector_all(".behind h2")]
    page.evaluate(OPEN)
    page.emulate_media(media="print", color_scheme="dark")
    pieces = page.evaluate(
        """() => { const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = []
        while (walker.nextNode()) { const node = walker.currentNode, element = node.parentElement
          if (node.data.trim() && !element.closest("svg, style, .behind") && element.checkVisibility()
            && !(element.closest("caption") && getComputedStyle(element.closest("caption")).clipPath !== "none"))
            found.push(node.data) }
        return found }"""
    )
    dark = page.evaluate(
        "getComputedStyle(document.body).color + ' on ' + getComputedStyle(document.body).backgroundColor"
    )
    data = page.pdf(format=paper, prefer_css_page_size=False)
    printed = sheets.printed(sheets.example(sheets.FRAIL), Sheet(), data)
    record_property("pages", printed.pages)
    text = printed.tool("pdftotext", "-raw")
    assert dark == "rgb(0, 0, 0) on rgb(255, 255, 255)"
    on_paper = letters(text)
    assert [piece for piece in dict.fromkeys(pieces) if not is_printed(piece, on_paper)] == []
    if behind:
        assert page.locator(".behind").is_hidden()
        assert (set(behind) - {piece.strip() for piece in pieces}) & set(text.splitlines()) == set()
    for number in range(1, printed.pages + 1):
        picture = printed.picture(tmp_path, number, 60)
        assert (picture.min(axis=2) > 240).mean() > 0.5, "the paper is not white"
        assert (picture.max(axis=2) < 120).any()
    over_each_other = list(sheets.over_each_other(sheets.words_on(printed)[1]))
    assert not over_each_other, over_each_other[:10]
    assert printed.pages <= 3
