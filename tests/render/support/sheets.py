"""Sheets for the slow tests: comparisons, their PDFs (each laid out once), a browser, and what the tools say of a PDF.

Parts that are not installed make a test skip; where ``CI_PARTS=1`` is set, they make it fail.
"""

from __future__ import annotations

import importlib.util
import io
import math
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from gettext import NullTranslations
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bcma_decide import compare
from bcma_decide.comparison import Comparison
from bcma_decide.patient.files import load_example
from bcma_decide.render.sheet.pdf import render_pdf
from bcma_decide.render.sheet.sheet import Sheet
from bcma_decide.value import Value
from tests.render.support import factory

FRAIL = "frail-82-dialysis-prior-bcma"
LITTLE_KNOWN = "little-known-70"
FACTORY = "factory"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip

# parts


def require(*names: str) -> None:
    """Go on only if these programs and modules are here."""
    missing = [name for name in names if not _is_here(name)]
    if missing:
        do_without(*missing)


def do_without(*missing: str) -> None:
    """Skip the test for want of these parts, or fail where every part is asked for."""
    text = f"not installed: {', '.join(missing)}"
    if os.environ.get("CI_PARTS") == "1":
        pytest.fail(f"{text} (CI_PARTS=1 asks for every part)")
    pytest.skip(text)


def _is_here(name: str) -> bool:
    if name == "chromium":
        return CHROMIUM is not None
    if name.startswith("pdf"):
        return shutil.which(name) is not None
    return importlib.util.find_spec(name) is not None


# comparisons


@cache
def example(name: str) -> Comparison:
    """The comparison of a shipped example, or the hand-made one."""
    return factory.comparison() if name == FACTORY else compare(load_example(name))


CONTRAINDICATIONS = 6
CAUTIONS = 60
"""Findings of :func:`with_many_findings`."""


@cache
def with_many_findings() -> Comparison:
    """The frail example with its cautions repeated, each with a fact and a text of its own."""
    whole = example(FRAIL)
    fires = [f for f in whole.findings if f.state == "fires" and f.severity == "caution" and f.applies_to]
    other = [f for f in whole.findings if f not in fires]
    repeated = [fires[place % len(fires)] for place in range(CAUTIONS + CONTRAINDICATIONS)]
    many = [
        finding.model_copy(
            update={
                "id": f"{finding.id}-{place}",
                "severity": "contraindication" if place < CONTRAINDICATIONS else "caution",
                "value": f"measured fact number {place + 1} of this profile",
                "text": f"Text {place + 1}: {finding.text} {finding.text}",
                "basis": "verified",
            }
        )
        for place, finding in enumerate(repeated)
    ]
    return whole.model_copy(update={"findings": (*many, *other)})


_KEPT = {"id", "trait", "outcome", "option", "options", "study", "source", "sources", "key", "class_id", "hash", "date",
         "day", "since", "until", "url", "doi", "state", "severity", "family", "direction", "setting", "kind", "origin",
         "basis", "certainty", "design", "region", "applies_to", "version", "schema_version", "topic", "approval",
         "seen_until", "outcomes", "informed_traits", "borrowed_traits", "uninformed_traits",
         "clock", "endpoint", "order_of_therapies", "phase", "subject"}  # fmt: skip


def longer(text: str, share: float = 0.35) -> str:
    """The text with letters appended to its words until it is that much longer, as in a wordier language."""
    names = list(re.finditer(r"%\(\w+\)s|%%|\{[^}]*\}|[^\W\d_]{2,}", text))
    grown = [match for match in names if match[0][0].isalpha()]
    left = math.ceil(share * len(text)) if grown else 0
    parts, place = [], 0
    for number, match in enumerate(grown):
        extra = math.ceil(left / (len(grown) - number))
        left -= extra
        word = match[0]
        parts.append(text[place : match.end()] + (word[1:].lower() * (1 + extra))[:extra])
        place = match.end()
    return "".join(parts) + text[place:]


def lengthened(value: object) -> object:
    """A value of the comparison with every text in it longer; names, dates and addresses stay."""
    if isinstance(value, Value):
        changed = {name: lengthened(getattr(value, name)) for name in value.__struct_fields__ if name not in _KEPT}
        return value.model_copy(update=changed)
    if isinstance(value, tuple):
        return tuple(lengthened(each) for each in value)
    if isinstance(value, dict):
        return {key: lengthened(each) for key, each in value.items()}
    return longer(value) if isinstance(value, str) else value


class Wordy(NullTranslations):
    """A pseudo-language in which every message is longer."""

    def gettext(self, message: str) -> str:
        return longer(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return longer(msgid1 if n == 1 else msgid2)


# PDFs


@dataclass(frozen=True)
class Printed:
    """A sheet as PDF, with the file for the tools and what they say of it."""

    comparison: Comparison
    sheet: Sheet
    data: bytes
    path: Path

    def tool(self, name: str, *options: str, after: tuple[str, ...] = ("-",)) -> str:
        """What a tool of poppler writes about the PDF."""
        call = [name, *options, str(self.path), *after]
        return subprocess.run(call, capture_output=True, check=True, timeout=60).stdout.decode()

    def text(self, *options: str) -> str:
        return self.tool("pdftotext", "-raw", *options)

    def info(self) -> dict[str, str]:
        lines = (line.partition(":") for line in self.tool("pdfinfo", after=()).splitlines())
        return {name: value.strip() for name, _, value in lines}

    @property
    def pages(self) -> int:
        return int(self.info()["Pages"])

    def picture(self, folder: Path, page: int = 1, dpi: int = 300, *, grey: bool = False):
        """A page as an array: height, width, and for colour the three channels."""
        import numpy as np
        from PIL import Image

        target = folder / f"{'grey' if grey else 'colour'}-{page}-{dpi}"
        options = f"-png -singlefile -r {dpi} -f {page} -l {page} {'-gray' if grey else ''}".split()
        subprocess.run(["pdftoppm", *options, str(self.path), str(target)], check=True, timeout=60)
        return np.asarray(Image.open(target.with_suffix(".png")).convert("L" if grey else "RGB"), dtype=int)


@cache
def _folder() -> Path:
    kept = tempfile.TemporaryDirectory(prefix="sheets-")
    _KEEP.append(kept)
    return Path(kept.name)


_KEEP: list[tempfile.TemporaryDirectory[str]] = []


def printed(comparison: Comparison, sheet: Sheet, data: bytes | None = None) -> Printed:
    """Lay a comparison out, unless its PDF is given."""
    data = render_pdf(comparison, sheet) if data is None else data
    path = _folder() / f"{len(list(_folder().iterdir()))}.pdf"
    path.write_bytes(data)
    return Printed(comparison, sheet, data, path)


@cache
def pdf(name: str, audience: str, paper: str = "A4", language: str = "en") -> Printed:
    """The sheet of an example, laid out once per session."""
    require("weasyprint", "fontpkg", "pdfinfo", "pdftotext")
    return printed(example(name), Sheet(audience=audience, language=language, paper=paper))


@dataclass(frozen=True)
class Word:
    """A word on a page and the box it is printed in, from the upper left corner, in points."""

    page: int
    text: str
    left: float
    top: float
    right: float
    bottom: float


def words_on(sheet: Printed) -> tuple[tuple[float, float], list[Word]]:
    """Size of the paper, and every word with its place."""
    root = ElementTree.fromstring(_without_control(sheet.tool("pdftotext", "-bbox")))
    space = "{http://www.w3.org/1999/xhtml}"
    found, size = [], (0.0, 0.0)
    for number, page in enumerate(root.iter(f"{space}page"), 1):
        size = float(page.attrib["width"]), float(page.attrib["height"])
        found += [
            Word(number, word.text or "", *(float(word.attrib[side]) for side in ("xMin", "yMin", "xMax", "yMax")))
            for word in page.iter(f"{space}word")
        ]
    return size, found


def _without_control(text: str) -> str:
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text)


def over_each_other(found: list[Word], share: float = 0.2) -> Iterator[tuple[str, str]]:
    """Pairs of words whose letters share more than this part of the smaller; a box is higher than its letters."""
    boxes = [
        (word, word.left, word.top + cut, word.right, word.bottom - cut)
        for word in sorted(found, key=lambda word: (word.page, word.top))
        for cut in [0.2 * (word.bottom - word.top)]
    ]
    for place, (one, left, top, right, bottom) in enumerate(boxes):
        for other, left2, top2, right2, bottom2 in boxes[place + 1 :]:
            if other.page != one.page or other.top > one.bottom:
                break
            width, height = min(right, right2) - max(left, left2), min(bottom, bottom2) - max(top, top2)
            smaller = min((right - left) * (bottom - top), (right2 - left2) * (bottom2 - top2))
            if width > 0 and height > 0 and width * height > share * smaller:
                yield one.text, other.text


def font_sizes(sheet: Printed, page: int) -> dict[float, str]:
    """Sizes of text on a page in points, each with the first words set in it."""
    import pypdf

    found: dict[float, str] = {}

    def note(text: str, matrix: list[float], text_matrix: list[float], _font: object, size: float) -> None:
        if text.strip():
            found.setdefault(round(abs(size * text_matrix[3] * matrix[3]), 2), text.strip()[:40])

    pypdf.PdfReader(io.BytesIO(sheet.data)).pages[page].extract_text(visitor_text=note)
    return found


@dataclass
class Tag:
    """An element of the structure tree, as a screen reader gets it."""

    name: str
    alt: str
    children: list[Tag]

    def all(self, *names: str) -> Iterator[Tag]:
        if not names or self.name in names:
            yield self
        for child in self.children:
            yield from child.all(*names)


def structure(sheet: Printed) -> Tag:
    """The structure tree with the alternative texts of its figures."""
    import pikepdf

    with pikepdf.open(io.BytesIO(sheet.data)) as document:
        return _tag(document.Root.StructTreeRoot, pikepdf)


def _tag(node, pikepdf) -> Tag:
    below = node.get("/K", [])
    below = list(below) if isinstance(below, pikepdf.Array) else [below]
    children = [_tag(each, pikepdf) for each in below if isinstance(each, pikepdf.Dictionary) and "/S" in each]
    return Tag(str(node.get("/S", "/Root"))[1:], str(node.get("/Alt", "")).strip(), children)


def table_rows(sheet: Printed) -> list[list[str]]:
    """Rows of all tables as the tagged text has them, each a list of its cells."""
    rows: list[list[str]] = []
    depth_of_cell = -1
    for line in sheet.tool("pdfinfo", "-struct-text", after=()).splitlines():
        stripped = line.strip()
        depth = len(line) - len(line.lstrip())
        name = re.match(r"(TR|TH|TD)\b", stripped)
        if name and name[1] == "TR":
            rows.append([])
            depth_of_cell = -1
        elif name and rows:
            rows[-1].append("")
            depth_of_cell = depth
        elif depth_of_cell >= 0 and depth <= depth_of_cell:
            depth_of_cell = -1
        elif depth_of_cell >= 0 and stripped.startswith('"'):
            rows[-1][-1] += " " + stripped.strip('"')
    return [[" ".join(cell.split()) for cell in row] for row in rows]


# browser


@pytest.fixture(scope="session")
def browser():
    """A Chromium that talks to nobody."""
    require("playwright", "chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield running
        running.close()
