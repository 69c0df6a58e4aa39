"""The page of results: one file, strict, escaped; in a browser accessible, quiet and printable."""

from __future__ import annotations

import re

import pytest
from justhtml import JustHTML

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.plots.forest import forest
from bcma_decide.workshop.plots.funnel import FunnelPoint, funnel
from bcma_decide.workshop.plots.page import Drawing, Link, ReportPage, Section, Table, render_page
from tests.render.support import sheets
from tests.render.support.browsing import violations
from tests.workshop.plots.support.drawings import HOSTILE, proportions, ratios

FUNNEL = funnel(
    [FunnelPoint("A", 0.1, 0.2), FunnelPoint("B", 0.4, 0.5)],
    0.2,
    title="Funnel",
    measure="Odds ratio",
    kind="log_ratio",
)
PAGE = ReportPage(
    "Response after treatment",
    (
        Section(
            "Forest plot",
            ("Three studies were pooled.",),
            (Table("Without each study", ("Study", "Estimate", "I²"), (("A", "0.49", "92 %"), ("B", "0.52", "90 %"))),),
            (Drawing(forest(proportions(3)), "Squares are studies."), Drawing(forest(ratios()), "Ratios.")),
        ),
        Section("Small-study effects", drawings=(Drawing(FUNNEL, "Funnel plot."),)),
    ),
    lead=("Random effects, REML.",),
    foot=("Made by the calculator.",),
)


def test_the_page_is_well_formed_and_loads_nothing():
    """Parsed strictly, no script, no address, and a policy that would stop both."""
    text = render_page(PAGE)
    JustHTML(text, strict=True)
    assert "default-src 'none'" in text
    assert not re.search(r"<script|\ssrc=|url\(|@import|<link", text)
    assert set(re.findall(r"https?://[^\s\"<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert text.count("<svg") == 3
    assert text.count('<h2 id="section-') == 2


def test_all_text_is_escaped():
    """Titles, paragraphs, cells and captions."""
    table = Table(HOSTILE, (HOSTILE, HOSTILE), ((HOSTILE, HOSTILE),))
    drawing = Drawing(FUNNEL, HOSTILE)
    text = render_page(
        ReportPage(HOSTILE, (Section(HOSTILE, (HOSTILE,), (table,), (drawing,)),), (HOSTILE,), (HOSTILE,))
    )
    JustHTML(text, strict=True)
    assert "<script" not in text
    assert "\x1b" not in text


def test_same_page_same_bytes():
    """Nothing random, no date."""
    assert render_page(PAGE) == render_page(PAGE)


def test_a_row_needs_a_cell_for_each_title():
    """The table and the row are named."""
    with pytest.raises(SynthesisError, match="T: row 1 has 1 cells but there are 2 titles"):
        Table("T", ("a", "b"), (("1", "2"), ("3",)))


def test_contents_lead_to_every_heading_and_cells_to_their_addresses():
    """Parts have headings of their own, and a large table a box that can be scrolled by keyboard."""
    cell = Link("Paper & more", "https://example.org/?a=1&b=2")
    table = Table("T", ("a", "b"), (("1", cell),), words=True, large=True)
    inner = Section("Inner", tables=(table,))
    text = render_page(ReportPage("P", (Section("One"), Section("Two", parts=(inner,))), contents=True))
    read = JustHTML(text, strict=True, sanitize=False)
    links = {link.to_text(): link.attrs["href"] for link in read.query("a")}
    places = {heading.to_text(): f"#{heading.attrs['id']}" for heading in read.query("h2, h3")}
    assert links == places | {"Paper & more": cell.address}
    assert str(cell) == "Paper & more"
    [box] = read.query(".scrolls")
    assert box.attrs["tabindex"] == "0"
    assert box.query_one("table").attrs["class"] == "words large"


def test_a_link_leads_to_the_web_only():
    """No other scheme."""
    with pytest.raises(SynthesisError, match="http"):
        Link("x", "javascript:alert(1)")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing(browser, tmp_path, width, scheme):
    """Accessible in both schemes, wide and narrow, silent, and no wider than the screen."""
    sheets.require("axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    file = tmp_path / "page.html"
    file.write_text(render_page(PAGE), encoding="utf-8")
    said = []
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    found = violations(Axe(), page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert found == []
    assert said == []
    assert wide <= width
