"""The pages of the guide: all there, found by name and by nothing else, linked to each other."""

from pathlib import Path

import bcma_decide.guide
from bcma_decide.guide import INDEX, find, linked, pages
from tests.support.cases import for_each

FOLDER = Path(bcma_decide.guide.__file__).parent
WRITTEN = {INDEX, "evidence", "glossary", "model", "own-table", "reading", "records", "service", "sheet", "validation"}


def test_every_file_is_a_page_with_its_heading_and_text():
    files = {path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.md")}
    assert {page.file: page.text for page in pages().values()} == files
    assert {page.text.splitlines()[0] for page in pages().values()} == {f"# {page.title}" for page in pages().values()}
    assert set(pages()) >= WRITTEN
    assert next(iter(pages())) == INDEX


def test_a_page_is_found_by_its_name_and_a_decision_by_its_own():
    for name, page in pages().items():
        assert find(name) == page
        assert find(name.rpartition("/")[2]) == page
    assert any("/" in name for name in pages())


@for_each(
    "topic",
    ["", ".", "..", "/", "../guide/model", "decisions/../model", "decisions/", "/model", "model.md", "model/", "MODEL",
     "__init__", "../README", "model\0", "x" * 100_000],
)  # fmt: skip
def test_nothing_else_is_a_page(topic):
    assert find(topic) is None


def test_links_lead_from_page_to_page_and_no_further():
    model, decision = pages()["model"], next(page for name, page in pages().items() if "/" in name)
    assert linked(model, "glossary.md") == linked(decision, "../glossary.md") == pages()["glossary"]
    assert linked(model, "./decisions/../reading.md") == pages()["reading"]
    for target in (
        "../README.md",
        "../../guide/model.md",
        "../guide/model.md",
        "/model.md",
        "glossary",
        "",
        "https://x",
    ):
        assert linked(model, target) is None, target
