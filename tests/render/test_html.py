"""The HTML page: well formed, complete, accessible, closed to the network and to hostile text."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from bcma_decide.render.sheet import html
from bcma_decide.render.sheet.html import render_html
from tests.render.support.factory import HOSTILE, OPTIONS, comparison
from tests.render.support.reading import DIRECTIVE, numbers_of, numbers_of_contrast, words

VOID = {"meta", "br", "hr", "img", "input", "link", "circle", "rect", "line", "path"}


class Reader(HTMLParser):
    """Elements with their attributes and text; complains about tags that do not match."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.elements = []
        self.text = []
        self.problems = []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.problems.append(f"attribute twice in {tag}")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    def all(self, tag):
        """Attributes of every element of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page():
    return render_html(comparison())


@pytest.fixture(scope="module")
def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def test_every_tag_is_closed_where_it_was_opened(read):
    assert read.problems == []
    assert read.open == []


def test_a_strict_parser_finds_nothing_to_complain_about(page):
    justhtml = pytest.importorskip("justhtml")
    justhtml.JustHTML(page, strict=True, sanitize=False)


def test_the_document_has_its_landmarks(read):
    assert read.all("html") == [{"lang": "en"}]
    assert len(read.all("h1")) == 1
    for tag in ("header", "main", "footer"):
        assert len(read.all(tag)) == 1
    assert len(read.all("title")) == 1 + len(read.all("svg"))
    identifiers = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    assert {attributes["aria-labelledby"] for attributes in read.all("section")} <= set(identifiers)


def test_headings_do_not_skip_a_level(read):
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_every_table_has_a_caption_and_every_header_a_scope(read):
    assert len(read.all("table")) == len(read.all("caption"))
    assert {attributes.get("scope") for attributes in read.all("th")} <= {"col", "row", "rowgroup"}


def test_every_cell_says_what_it_is_when_stacked(read):
    assert all(attributes.get("data-label") for attributes in read.all("td"))


def test_every_drawing_has_a_title_and_is_either_read_out_or_hidden_because_its_number_stands_beside_it(page, read):
    assert len(read.all("svg")) == len(re.findall(r"<svg[^>]*><title>[^<]+</title>", page))
    for attributes in read.all("svg"):
        assert (attributes.get("aria-hidden") == "true") != (attributes.get("role") == "img")
    assert [attributes for attributes in read.all("svg") if "icons" in attributes["class"] and "role" in attributes]


def test_nothing_is_loaded_and_nothing_runs(page, read):
    names = {tag for tag, _ in read.elements}
    assert not names & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "video",
        "audio",
        "base",
        "form",
    }
    for _, attributes in read.elements:
        assert not {"src", "srcset", "xlink:href", "style"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL).group(1)
    assert "url(" not in style
    assert "@import" not in style


def test_links_lead_to_web_pages_only(read):
    targets = [attributes["href"] for attributes in read.all("a")]
    assert "https://doi.org/10.1000/example.2024.0001" in targets
    assert all(target.startswith("https://") for target in targets)


def test_hostile_text_is_shown_and_not_obeyed(page, read):
    shown = '[bold red]x[/] <script>alert("1")</script> [31mred & {{ 7*7 }} [/]'
    assert words("".join(read.text)).count(shown) == 6  # in citations, figures and lists
    assert "<script" not in page
    assert HOSTILE not in page
    assert not set(page) & {"\x1b", "\u202e", "\x00"}


def test_every_number_is_there(read):
    text = words("".join(read.text))
    for row in comparison().outcomes:
        for option in OPTIONS:
            if option.id in row.estimates:
                assert [n for n in numbers_of(row.estimates[option.id]) if n not in text] == []
        if row.contrast:
            assert [n for n in numbers_of_contrast(row.contrast) if n not in text] == []
    for shown in ("0.27 (0.15 to 0.49)", "95 of 97", "34 %", "9f2c1a77d0b34e6aa1b2c3d4e5f60718"):
        assert shown in text


def test_every_state_is_words_with_its_reason(read):
    text = words("".join(read.text))
    for shown in (
        "too few studies: one study of 12 patients",
        "does not apply: there is no apheresis or infusion to miss",
        "not comparable: the bispecific has no such step",
        "outside the evidence: Earlier BCMA therapy: seen in 9 patients",
    ):
        assert shown in text


def test_no_cell_is_empty(page):
    assert re.findall(r"<t[dh][^>]*>\s*</t[dh]>", page) == []


def test_nothing_tells_the_reader_what_to_do(read):
    assert DIRECTIVE.findall("".join(read.text)) == []


def test_same_comparison_same_bytes(page):
    html._environment.cache_clear()
    assert page == render_html(comparison())


def test_an_empty_comparison_does_not_fail():
    bare = comparison(outcomes=(), findings=(), unknowns=(), not_known=(), explanations=(), references=(), options=())
    assert "For haematologists" in render_html(bare)


def luminance(colour):
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast_ratio(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def themes():
    """The colours of the sheets on a light and on a dark screen, and of the clinician's on paper."""
    templates = html.TEMPLATES
    styles = [(templates / name).read_text(encoding="utf-8") for name in ("sheet.css", "clinician.css")]
    blocks = [block for style in styles for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)]
    found = [dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", block)) for block in blocks]
    return [found[0], found[1], {**found[0], **found[2]}]


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark", "print"])
def test_contrast_is_enough_for_text_and_for_drawings(theme):
    for name in ("ink", "quiet", "link"):
        assert contrast_ratio(theme[name], theme["page"]) >= 4.5
        assert contrast_ratio(theme[name], theme["band"]) >= 4.5
    for name in ("line", "edge", "first"):
        assert contrast_ratio(theme[name], theme["page"]) >= 3
