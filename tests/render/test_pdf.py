"""The printed sheet, read with tools that are not its maker's: poppler, pikepdf, pypdf."""

import hashlib
import io
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest

from bcma_decide.comparison import Comparison, result_json
from bcma_decide.patient.files import example_names
from bcma_decide.render.sheet import figures, patient_view, patient_words
from bcma_decide.render.sheet.clinician_findings import numbered_findings
from bcma_decide.render.sheet.pdf import ATTACHMENT, font_fetcher, render_pdf
from bcma_decide.render.sheet.sheet import PAPERS, Sheet
from bcma_decide.render.words import arrange, language, wording
from bcma_decide.render.words.finding_lines import finding_lines
from bcma_decide.render.words.first_screen import first_screen
from bcma_decide.render.words.screen_shapes import LABEL
from tests.render.support import sheets
from tests.render.support.reading import DIRECTIVE, GERMAN_DIRECTIVE, words

pytestmark = pytest.mark.slow

SPOKEN = [(audience, code) for audience in language.AUDIENCES for code in language.languages(audience)]
SIZES = {"A4": (595.28, 841.89), "Letter": (612.0, 792.0)}
SMALLEST = {"clinician": (9.0, 8.0), "patient": (8.5, 8.5)}
"""Points on the first and the second page, the foot in the margin among it."""
MARGINS = {"clinician": (12, 10, 12, 13), "patient": (12, 12, 12, 16)}
"""Left, top, right, bottom in millimetres, as designed."""
MM = 72 / 25.4


@pytest.fixture(autouse=True)
def parts():
    sheets.require("weasyprint", "fontpkg", "pikepdf", "pypdf", "PIL", "pdfinfo", "pdftotext", "pdffonts", "pdfdetach",
                   "pdftoppm")  # fmt: skip


@pytest.fixture(scope="module", params=[sheets.LITTLE_KNOWN, sheets.FRAIL])
def name(request):
    return request.param


@pytest.fixture(scope="module", params=SPOKEN, ids="-".join)
def sheet(request, name):
    audience, code = request.param
    return sheets.pdf(name, audience, language=code)


def outcome_of(comparison, outcome):
    return next(each for each in arrange.outcomes_with_survival(comparison) if each.id == outcome)


# paper and pages


@pytest.mark.parametrize(
    ("audience", "code", "paper"),
    [(audience, code, paper) for audience, code in SPOKEN for paper in PAPERS if code == "en" or paper == "A4"],
)
@pytest.mark.parametrize("example", [*example_names(), sheets.FACTORY])
def test_a_sheet_is_one_leaf_of_its_paper(example, audience, code, paper):
    printed = sheets.pdf(example, audience, paper, code)
    assert printed.pages == 2
    size, _ = sheets.words_on(printed)
    assert size == pytest.approx(SIZES[paper], abs=0.1)


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.sample
def test_sixty_cautions_fill_the_second_page_and_those_left_out_are_counted(paper):
    comparison = sheets.with_many_findings()
    printed = sheets.printed(comparison, Sheet(paper=paper))
    assert printed.pages == 2
    first, second = (f"{words(printed.text('-f', page, '-l', page))} " for page in "12")
    findings = numbered_findings(comparison)
    assert len(findings) == sheets.CONTRAINDICATIONS + sheets.CAUTIONS
    worst = [each for each in findings if each.finding.severity == "contraindication"]
    assert len(worst) == sheets.CONTRAINDICATIONS
    lines = [line.text for line in finding_lines(comparison) if line.severity == "contraindication"]
    assert lines
    assert all(words(text) in first for text in lines)
    together = re.sub(r"\s", "", second)  # a number may be broken over two lines
    in_full = [each for each in findings if re.sub(r"\s", "", each.finding.text) in together]
    assert in_full[: sheets.CONTRAINDICATIONS] == worst
    assert f"{len(findings) - len(in_full)} more cautions" in second
    assert len(in_full) < len(findings), "nothing had to be left out"
    assert "No randomised trial compares the two classes" in second
    _, found = sheets.words_on(printed)
    lowest = max(word.bottom for word in found if word.page == 2 and word.text != "2")
    assert lowest > 0.85 * SIZES[paper][1], "the page is not full"


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize(
    ("audience", "longer"), [("clinician", "comparison"), ("clinician", "everything"), ("patient", "everything")]
)
def test_a_third_more_text_still_fits(monkeypatch, longer, audience, paper):
    comparison = sheets.lengthened(sheets.example(sheets.FRAIL))
    assert Comparison.model_validate(comparison.model_dump()) == comparison
    if longer == "everything":
        wordy = language.Language("en", sheets.Wordy(), "en_GB")
        monkeypatch.setattr(language, "_language", lambda _code: wordy)
    # All texts a third longer at once, on the shorter paper: a third page is kept rather than anything lost.
    most = 3 if (longer, paper) == ("everything", "Letter") else 2
    assert sheets.printed(comparison, Sheet(audience=audience, paper=paper)).pages <= most


# what can be read


def test_no_text_is_too_small_to_read(sheet):
    for page, smallest in enumerate(SMALLEST[sheet.sheet.audience]):
        sizes = sheets.font_sizes(sheet, page)
        assert sizes
        assert {size: text for size, text in sizes.items() if size < smallest} == {}


@pytest.mark.parametrize("paper", PAPERS)
def test_every_word_lies_inside_the_margins(name, paper):
    for audience, code in SPOKEN:
        size, found = sheets.words_on(sheets.pdf(name, audience, paper, code))
        left, top, right, bottom = (MM * side for side in MARGINS[audience])
        outside = [
            word
            for word in found
            if word.left < left - 0.5
            or word.right > size[0] - right + 0.5
            or word.top < top - 2
            or (word.bottom > size[1] - bottom + 2 and not word.top > size[1] - bottom)  # the foot lies in the margin
            or word.bottom > size[1] - 5 * MM
        ]
        assert not outside, (audience, code, outside[:5])


@pytest.mark.parametrize("paper", PAPERS)
def test_no_words_are_printed_over_each_other(name, paper):
    for audience, code in SPOKEN:
        _, found = sheets.words_on(sheets.pdf(name, audience, paper, code))
        over_each_other = list(sheets.over_each_other(found))
        assert not over_each_other, (audience, code, over_each_other[:20])


def test_only_the_packaged_fonts_are_used_and_lie_inside(sheet):
    _, _, *lines = sheet.tool("pdffonts", after=()).splitlines()
    assert lines
    for line in lines:  # name, type, encoding, embedded, subset, mapped to Unicode, object
        assert re.fullmatch(r"[A-Z]{6}\+Sheet-(Text|Dense)\S* +CID TrueType +\S+ +yes +yes +yes +\d+ +\d+", line)


def test_every_sign_has_a_glyph(sheet):
    assert "\N{REPLACEMENT CHARACTER}" not in sheet.text()
    import pikepdf

    with pikepdf.open(io.BytesIO(sheet.data)) as document:
        for page in document.pages:
            for operands, operator in pikepdf.parse_content_stream(page):
                if str(operator) in ("Tj", "TJ"):
                    for piece in operands[0] if str(operator) == "TJ" else operands:
                        if isinstance(piece, pikepdf.String):
                            glyphs = bytes(piece)
                            pairs = [glyphs[at : at + 2] for at in range(0, len(glyphs), 2)]
                            assert b"\0\0" not in pairs, "a sign that the font lacks"


@pytest.mark.sample
def test_the_headings_stand_in_the_designed_order():
    printed = sheets.pdf("fit-58", "clinician")
    first, second = (words(printed.tool("pdftotext", "-f", page, "-l", page)) for page in "12")
    assert_in_order(first, [
        "What does the evidence say for this profile?", "Labels,", "What the data can tell apart",
        "Of 100 patients like this", "Burden", "Findings", "Decision", "Signature:", "Not a medical device",
        "How good are these numbers?",
    ])  # fmt: skip
    assert_in_order(second, [
        "Contraindications and cautions in full", "Method", "What is not known", "Sources", "On the page, complete",
        "How good are these numbers?",
    ])  # fmt: skip
    printed = sheets.pdf("fit-58", "patient")
    first, second = (words(printed.tool("pdftotext", "-f", page, "-l", page)) for page in "12")
    assert_in_order(first, [
        "what can each one mean for you?", "What is this sheet for?", "What are the two treatments?",
        "What happened to people like you in studies?",
    ])  # fmt: skip
    assert_in_order(second, [
        "What do we know about you?", "What does nobody know yet?", "What can I ask my team?",
        "What do these words mean?", "My notes",
    ])  # fmt: skip


def assert_in_order(text, headings):
    places = [text.find(heading) for heading in headings]
    assert -1 not in places, [heading for heading, place in zip(headings, places, strict=True) if place < 0]
    assert places == sorted(places)


def test_nothing_on_the_sheet_directs(sheet):
    forbidden = GERMAN_DIRECTIVE if sheet.sheet.language == "de" else DIRECTIVE
    text = words(sheet.text())
    if sheet.sheet.audience == "clinician":  # titles of sources are their authors' words
        head, _, after = text.partition({"en": " Sources ", "de": " Quellen "}[sheet.sheet.language])
        text = (
            head
            + after.partition(
                {"en": "On the page, complete", "de": "Auf der Seite, vollständig"}[sheet.sheet.language]
            )[2]
        )
    assert [text[max(match.start() - 40, 0) : match.end() + 40] for match in forbidden.finditer(text)] == []


# numbers


@pytest.mark.parametrize("example", [sheets.LITTLE_KNOWN, sheets.FRAIL])
def test_every_row_of_the_clinician_is_that_of_the_first_screen(example):
    printed = sheets.pdf(example, "clinician")
    screen = first_screen(printed.comparison)
    rows = {row[0]: row[1:] for row in sheets.table_rows(printed)}
    assert [column.long_label for column in screen.columns] == rows["Outcome"]
    for row in screen.rows:
        if row.id != LABEL:
            cells = [
                f"{cell.number} ({cell.interval}){'*' if cell.text.endswith('*') else ''}" if cell.number else cell.text
                for cell in row.cells
            ]
            assert rows[row.label] == cells


def test_no_address_of_a_page_stands_among_the_sources(sheet):
    text = "".join(sheet.text().split())
    assert not re.search(r"https?://|www\.|\.(com|net|app|org)\b", text)


def test_every_row_of_the_patient_has_its_numbers(name):
    for code in language.languages("patient"):
        printed = sheets.pdf(name, "patient", language=code)
        pairs = [row for row in sheets.table_rows(printed) if len(row) == 2]
        with language.speaking(code):
            for outcome in patient_view.ROWS:
                estimates = [outcome_of(printed.comparison, outcome).estimates[option] for option in ("car_t", "bite")]
                assert any(
                    all(
                        cell.startswith(wording.of_100(estimate.mean))
                        and patient_words.could_be(estimate.credible) in cell
                        for cell, estimate in zip(row, estimates, strict=True)
                    )
                    for row in pairs
                ), outcome


# pictures


def test_icons_are_as_many_as_the_numbers_say_and_differ_in_grey_and_in_shape(tmp_path):
    import numpy as np
    from scipy import ndimage

    printed = sheets.pdf("fit-58", "patient")
    colour, grey = printed.picture(tmp_path), printed.picture(tmp_path, grey=True)
    outcomes = patient_view.ICONS
    filled_share, levels = [], []
    for option, look in zip(("car_t", "bite"), figures.LOOKS, strict=True):
        wanted = [int(look.colour[at : at + 2], 16) for at in (1, 3, 5)]
        near = (np.abs(colour - wanted) < 40).all(axis=2)
        labels, _ = ndimage.label(near)
        side = 300 / 25.4 * 1.7 * (2 * figures._RADIUS / figures._CELL)
        icons = [
            (place, labels[place] == number)
            for number, place in enumerate(ndimage.find_objects(labels), 1)
            if all(0.75 * side < edge.stop - edge.start < 1.15 * side for edge in place)
            and abs((place[0].stop - place[0].start) - (place[1].stop - place[1].start)) < 2
        ]
        sure = sum(
            figures.icon_parts(estimate.mean, estimate.credible).sure
            for estimate in (outcome_of(printed.comparison, each).estimates[option] for each in outcomes)
        )
        assert sure > 20
        assert len(icons) in (sure, sure + 1), option  # a piece of the key of an option may be as large
        filled_share.append(np.median([inside.mean() for _, inside in icons]))
        levels.append(np.mean([grey[place][inside].mean() for place, inside in icons]))
    assert abs(levels[0] - levels[1]) > 40
    assert filled_share[0] < 0.88  # a circle fills pi/4 of its square
    assert filled_share[1] > 0.93


def test_no_drawing_is_solid_black(sheet, tmp_path):
    import numpy as np
    from scipy import ndimage

    black = (sheet.picture(tmp_path, dpi=150) < 60).all(axis=2)
    solid = ndimage.binary_erosion(black, np.ones((12, 12)))  # two millimetres, more than any letter or mark
    assert not solid.any()


# tags and metadata


def test_the_pdf_says_what_it_is(sheet):
    info = sheet.info()
    assert info["Tagged"] == "yes"
    assert info["Title"]
    assert info["JavaScript"] == "no"
    import pikepdf

    with pikepdf.open(io.BytesIO(sheet.data)) as document:
        assert str(document.Root.Lang) == sheet.sheet.language
        assert document.Root.ViewerPreferences.DisplayDocTitle
        with document.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == info["Title"]


def test_no_date_of_the_clock_is_in_it(sheet):
    assert "CreationDate" not in sheet.info()
    assert "ModDate" not in sheet.info()
    import pikepdf

    with pikepdf.open(io.BytesIO(sheet.data)) as document:
        with document.open_metadata() as metadata:
            assert not {"xmp:CreateDate", "xmp:ModifyDate", "xmp:MetadataDate"} & set(metadata)
        dates = [
            str(each.Params[key])
            for each in document.objects
            if isinstance(each, pikepdf.Dictionary | pikepdf.Stream) and "/Params" in each
            for key in ("/CreationDate", "/ModDate")
        ]
    assert len(dates) == 2
    assert {date[2:10] for date in dates} == {sheet.comparison.evidence.date.replace("-", "")}


def test_every_drawing_has_its_text(sheet):
    tree = sheets.structure(sheet)
    drawings = list(tree.all("Figure"))
    assert len(drawings) > 6
    assert [drawing for drawing in drawings if not drawing.alt] == []
    numbered = [drawing.alt for drawing in drawings if re.search(r"\d", drawing.alt)]
    assert len(numbered) >= 6


def test_tables_and_headings_are_tagged(sheet):
    tree = sheets.structure(sheet)
    for table in tree.all("Table"):
        has_headers = next(table.all("TH"), None) is not None
        assert has_headers, [tag.name for tag in table.all() if tag.name != "Span"]
    assert next(tree.all("Table"), None)
    levels = [int(tag.name[1]) for tag in tree.all("H1", "H2", "H3", "H4", "H5", "H6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert max(levels) <= 3


# the result inside


def test_the_result_lies_inside_and_gives_the_same_sheet_again(sheet, tmp_path):
    listed = sheet.tool("pdfdetach", "-list", after=())
    assert listed.startswith("1 embedded files")
    target = tmp_path / ATTACHMENT
    subprocess.run(["pdfdetach", "-save", "1", "-o", target, sheet.path], check=True, timeout=60)
    text = target.read_bytes().decode()
    assert text == result_json(sheet.comparison)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    joined = "".join(sheet.text().split())
    assert (digest if sheet.sheet.audience == "clinician" else digest[:12]) in joined
    again = Comparison.model_validate_json(text)
    assert again == sheet.comparison
    assert render_pdf(again, sheet.sheet) == sheet.data


FRESH = """
import sys
from hashlib import sha256
from bcma_decide import compare
from bcma_decide.patient.files import load_example
from bcma_decide.render.sheet.pdf import render_pdf
from bcma_decide.render.sheet.sheet import Sheet
print(sha256(render_pdf(compare(load_example(sys.argv[1])), Sheet(audience=sys.argv[2]))).hexdigest())
"""


@pytest.mark.parametrize("audience", language.AUDIENCES)
def test_two_fresh_processes_write_the_same_bytes(audience, name, tmp_path):
    here = hashlib.sha256(sheets.pdf(name, audience).data).hexdigest()
    for seed, zone in (("1", "Pacific/Auckland"), ("2", "America/Los_Angeles")):
        run = subprocess.run(
            [sys.executable, "-c", FRESH, name, audience],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)},
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        assert run.stdout.strip() == here
        assert run.stderr == ""


# nothing is fetched


@pytest.fixture
def loopback():
    """Address of a server and the list of what it was asked for."""
    asked = []

    class Listening(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Listening) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


@pytest.mark.parametrize("audience", language.AUDIENCES)
def test_text_of_a_patient_makes_the_sheet_ask_nobody(audience, loopback):
    address, asked = loopback
    texts = (
        f"<img src={address}/x>",
        f"<style>@import url({address}/s)</style>",
        f"a {{ background: url({address}/b) }}",
        f"</style></title><link rel=stylesheet href='{address}/l'>",
        f"\"><object data='{address}/o'>",
        "<img src=file:///etc/passwd>",
    )
    whole = sheets.example(sheets.FRAIL)
    hostile = whole.model_copy(
        update={
            "profile": whole.profile.model_copy(
                update={
                    "name": texts[3],
                    "traits": tuple(
                        line.model_copy(update={"text": texts[place % len(texts)], "label": texts[place % len(texts)]})
                        for place, line in enumerate(whole.profile.traits)
                    ),
                }
            ),
            "options": tuple(
                option.model_copy(update={"label": text, "long_label": text})
                for option, text in zip(whole.options, (texts * 3)[: len(whole.options)], strict=True)
            ),
            "findings": tuple(
                f.model_copy(update={"text": texts[place % len(texts)], "value": texts[place % len(texts)]})
                for place, f in enumerate(whole.findings)
            ),
        }
    )
    for label in texts:
        assert len(label) <= 80
    printed = sheets.printed(hostile, Sheet(audience=audience, label=texts[0], site=texts[4]))
    assert asked == []
    assert f"<imgsrc={address}/x>" in "".join(printed.text().split())
    assert "root:" not in printed.text()


@pytest.mark.sample
def test_the_fetcher_refuses_every_address(loopback):
    from weasyprint import HTML

    address, asked = loopback
    refused = (
        address, f"{address}/x.png", "http://127.0.0.1/", "https://example.org/a.css", "file:///etc/passwd",
        "file:///", "ftp://127.0.0.1/a", "data:text/css,a{}", "/etc/passwd", "", "font:text-700", "FONT:text-400",
        "font:text-400?x", "font:../text-400", "font:text-400/../../../etc/passwd",
    )  # fmt: skip
    for url in refused:
        with pytest.raises(ValueError, match="loads nothing"):
            font_fetcher().fetch(url)
    page = (
        f"<link rel=stylesheet href='{address}/a.css'><style>@import url({address}/b.css);"
        f"body {{ background: url({address}/c.png) }}</style><img src='{address}/d.png'><object data='{address}/e'>"
        f"</object><img src='file:///etc/passwd'><svg><image href='{address}/f.png'/></svg>"
    )
    HTML(string=page, url_fetcher=font_fetcher()).write_pdf()
    assert asked == []
