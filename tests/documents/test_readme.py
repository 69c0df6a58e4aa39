"""The README says what the program does: its two commands, its table beside the source, its options."""

import re

from typer.main import get_command
from typer.testing import CliRunner

from bcma_decide.cli import app
from bcma_decide.vocabulary import INTENDED_USE
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence_report.published import pool_outcome
from tests.support.cases import for_each
from tests.support.places import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")

ROWS = [
    ("response", "CAR-T", "orr", "class", "CAR-T"),
    ("response", "bispecific", "orr", "class", "Bispecific"),
    ("CR or better", "CAR-T", "cr_or_better", "class", "CAR-T"),
    ("CR or better", "bispecific", "cr_or_better", "class", "Bispecific"),
    ("response", "dual-target CAR-T", "orr", "target-number", "CAR-T, dual target"),
]


def test_the_first_screen_holds_exactly_two_commands_and_a_picture():
    block = README.split("<!-- two commands -->")[1].split("<!-- end -->")[0]
    commands = [line for line in block.strip().splitlines() if not line.startswith("```")]
    assert len(commands) == 2
    assert "compare --example" in commands[0]
    assert "pytest" in commands[1]
    picture = re.search(r"!\[.*?\]\((\S+)\)", README)
    assert picture is not None
    assert (ROOT / picture[1]).is_file()


def test_the_intended_use_stands_there_in_full():
    assert INTENDED_USE in " ".join(README.replace("\n> ", " ").replace("**", "").split())


@for_each(("outcome", "group", "outcome_id", "by", "name"), ROWS, ids=lambda value: str(value))
def test_the_table_beside_the_source_is_current(outcome, group, outcome_id, by, name):
    line = next(row for row in README.splitlines() if row.startswith(f"| {outcome} | {group} |"))
    source, *cells, studies = [cell.strip() for cell in line.strip("|").split("|")][2:]
    catalogue = load_catalogue()
    counts = []
    for (method, window), cell in zip((("DL", "source"), ("REML", "source"), ("DL", "all")), cells, strict=True):
        found = next(
            g
            for g in pool_outcome(catalogue, outcome_id, by=by, method=method, window=window).groups
            if g.group == name
        )
        low, high = found.ci
        assert cell == f"{100 * found.estimate:.1f} ({100 * low:.1f} to {100 * high:.1f})"
        counts.append(found.k)
        assert window == "all" or 100 * low < float(source) < 100 * high
    assert studies == f"{counts[0]} / {counts[2]}"


def test_every_command_and_option_named_in_the_readme_exists():
    """Each `bcma-decide ...` line of the code blocks is looked up in the command line itself."""
    lines = [line.split("#")[0] for line in README.splitlines() if re.match(r"(\.venv/bin/)?bcma-decide [a-z]", line)]
    assert len(lines) > 15
    root = get_command(app)
    for line in lines:
        words = line.split()[1:]
        command = root.get_command(None, words[0])
        assert command is not None, line
        if hasattr(command, "commands") and len(words) > 1 and words[1] in command.commands:
            command = command.commands[words[1]]
        known = {option for parameter in command.params for option in parameter.opts}
        for option in re.findall(r"--[a-z-]+", line):
            assert option in known, (line, option)


@for_each("arguments", [[], ["--help"], ["compare", "--help"], ["evidence", "--help"], ["template", "--help"]])
def test_help_is_there_for_every_command(arguments):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "bcma-decide" in result.output or "Usage" in result.output
