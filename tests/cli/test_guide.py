"""`guide` as a user runs it: the list, a page as its Markdown, drawn on a terminal, through a pager."""

import pytest

from bcma_decide.guide import pages
from tests.cli.support.program import ESCAPE, invoke, on_terminal, run

DECISION = next(name for name in pages() if "/" in name)


def test_without_a_topic_the_pages_are_listed_one_a_line():
    result = invoke("guide")
    assert (result.exit_code, result.stderr) == (0, "")
    listed = [line.split(maxsplit=1) for line in result.stdout.splitlines()]
    assert listed == [[page.name, page.title] for page in pages().values()]


def test_a_page_that_is_piped_is_its_markdown():
    result = run("guide", "model", PAGER="false")
    assert (result.returncode, result.stdout, result.stderr) == (0, pages()["model"].text, "")


def test_a_decision_needs_no_folder():
    short, long = invoke("guide", DECISION.rpartition("/")[2]), invoke("guide", DECISION)
    assert short.stdout == long.stdout == pages()[DECISION].text


@pytest.mark.parametrize(
    ("topic", "said"), [("modle", "did you mean 'model'?"), ("weather", "pages: index"), ("../errors.py", "pages: ")]
)
def test_an_unknown_page_is_a_usage_error_with_what_there_is(topic, said):
    result = invoke("guide", topic)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize("width", [60, 140])
def test_on_a_terminal_it_is_drawn_no_wider_than_it_reads_well(width):
    code, shown = on_terminal("guide", "glossary", "--no-pager", width=width)
    lines = [line.rstrip() for line in ESCAPE.sub("", shown).splitlines()]
    assert code == 0
    assert pages()["glossary"].title in {line.strip() for line in lines}
    assert max(map(len, lines)) <= min(width, 100)
    assert not any(line.startswith("#") for line in lines)


def test_what_is_longer_than_the_terminal_goes_through_the_pager():
    """50 lines; the mathematics have more, whatever the width."""
    asked = {"PAGER": "sed 's/^/paged: /'", "MANPAGER": "false"}
    code, shown = on_terminal("guide", "model", **asked)
    assert code == 0
    assert len(shown.splitlines()) > 50
    assert all(line.startswith("paged: ") for line in shown.splitlines())
    assert "paged: " not in on_terminal("guide", "model", "--no-pager", **asked)[1]
    assert "paged: " not in on_terminal("guide", "index", **asked)[1]
