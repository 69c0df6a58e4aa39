"""The page in a real browser: accessible, silent, no wider than the screen."""

from __future__ import annotations

import pytest

from tests.render.support import sheets
from tests.render.support.browsing import violations
from tests.workshop.evidence_report.support.reading import text

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "evidence.html"
    file.write_text(text(), encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def opened(browser, written):
    contexts, said, asked = [], [], []

    def opening(width, scheme="light"):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(written)
        return page

    yield opening
    for context in contexts:
        context.close()
    assert said == []
    assert set(asked) == {written}


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_axe_finds_nothing(opened, width, scheme):
    sheets.require("axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    page = opened(width, scheme)
    found = violations(Axe(), page)
    assert not found, "\n".join(dict.fromkeys(found))


@pytest.mark.parametrize("width", [1280, 800, 320])
def test_the_page_is_no_wider_than_the_screen(opened, width):
    page = opened(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.evaluate(
        "[...document.querySelectorAll('.scrolls, .drawing')].filter(e => e.getBoundingClientRect().right > innerWidth)"
        ".length"
    )
    assert wide == 0


def test_titles_and_names_stay_in_sight_where_a_table_scrolls(opened):
    page = opened(1280)
    moved = page.evaluate(
        """() => { const box = [...document.querySelectorAll('.scrolls')].find(
            each => each.getAttribute('aria-label') === 'Every study on file')
          box.scrollTo(800, 2000)
          const edge = box.getBoundingClientRect()
          const title = box.querySelector('thead th:nth-child(5)').getBoundingClientRect()
          const name = box.querySelector('tbody tr:nth-child(40) th').getBoundingClientRect()
          return [box.scrollTop, box.scrollLeft, title.top - edge.top, name.left - edge.left] }"""
    )
    assert moved[0] > 1000
    assert moved[1] > 500
    assert 0 <= moved[2] < 60
    assert 0 <= moved[3] < 20
