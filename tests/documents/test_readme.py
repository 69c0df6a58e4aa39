"""The README is short, and the first screen is what CI runs."""

import re

from typer.testing import CliRunner

from bcma_decide.cli.app import app
from bcma_decide.vocabulary import INTENDED_USE
from tests.documents.support.pages import GUIDE, README, links, text_of
from tests.support.cases import for_each
from tests.support.places import ROOT

LONGEST = 120
DOORS = ("reading", "model", "service")
TEXT = text_of(README)


def test_the_first_screen_holds_exactly_two_commands_and_a_picture():
    block = TEXT.split("<!-- two commands -->")[1].split("<!-- end -->")[0]
    commands = [line for line in block.strip().splitlines() if not line.startswith("```")]
    assert len(commands) == 2
    assert "compare --example" in commands[0]
    assert "pytest" in commands[1]
    picture = re.search(r"!\[.*?\]\((\S+)\)", TEXT)
    assert picture is not None
    assert (ROOT / picture[1]).is_file()


def test_it_can_be_read_in_one_go():
    assert len(TEXT.splitlines()) <= LONGEST


def test_the_intended_use_stands_there_in_full_and_in_the_guide():
    for page in (README, GUIDE / "reading.md"):
        assert INTENDED_USE in " ".join(text_of(page).replace("\n> ", " ").replace("**", "").split())


def test_its_doors_lead_into_the_guide():
    targets = set(links(README))
    assert {f"bcma_decide/guide/{door}.md" for door in DOORS} <= targets


@for_each("arguments", [[], ["--help"], ["compare", "--help"], ["evidence", "--help"], ["template", "--help"]])
def test_help_is_there_for_every_command(arguments):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "bcma-decide" in result.output or "Usage" in result.output
