"""The parts of an answer by option, the help on one page, and the pager."""

import re

import pytest

from bcma_decide.patient.fields import FIELDS
from tests.cli.support.checks import refused
from tests.cli.support.program import Terminal, completed, ended, invoke, on_terminal
from tests.render.support.reading import words

TITLES = {
    "--classes": "Side by side",
    "--products": "Products: CAR-T",
    "--findings": "Cannot be judged yet",
    "--labels": "Labels: US on",
    "--practice": "In practice: US on",
    "--order": "One after the other",
    "--sources": "Sources",
}
EXAMPLE = ("compare", "--example", "extramedullary-66-high-risk")


def shown(*arguments, **changes):
    result = invoke(*EXAMPLE, *arguments, **changes)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("flag", TITLES)
def test_a_part_stands_by_itself_below_its_patient(flag):
    text = shown(flag)
    assert text.startswith("66 y, ")
    assert {other for other, title in TITLES.items() if f"\n{title}" in text or f"{title} " in text} == {flag}
    assert "not a medical device" in words(text)
    assert "Response, of 100" not in text


def test_parts_are_combined_in_the_order_of_everything():
    assert shown("--labels", "--findings", "--classes") == shown("--classes", "--labels", "--findings")
    text = shown("--labels", "--findings", "--classes")
    places = [text.index(TITLES[flag]) for flag in ("--classes", "--findings", "--labels")]
    assert places == sorted(places)


def test_everything_has_every_part_numbers_first():
    text = shown("--full", "--products", "--sources", "--order")
    assert all(title in text for title in TITLES.values())
    first = next(place for place, line in enumerate(text.splitlines()) if line.startswith("Response (PR or better)"))
    assert first < 12


def test_an_explanation_comes_without_the_rest():
    text = shown("--why", "orr")
    assert text.startswith("66 y, ")
    assert "Response (PR or better): how the numbers come about" in text
    assert not any(title in text for flag, title in TITLES.items() if flag != "--sources")


@pytest.mark.parametrize("flag", TITLES)
def test_plain_parts_are_lines_with_tabs(flag):
    lines = [line.split("\t") for line in shown("--plain", flag).splitlines()]
    assert all(len(line) > 1 and all(line) for line in lines)
    assert lines[0][0] == "patient"
    assert lines[-1][0] == "intended use"


def test_a_pair_by_id_or_name():
    assert shown("--pair", "cilta-cel,teclistamab") == shown("--pair", "Cilta-cel, Teclistamab")
    assert "Cilta-cel minus Teclistamab" in words(shown("--pair", "cilta-cel,teclistamab", "--labels"))


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("cilta-cel,talquetamab", "'talquetamab' is not compared here; two of car_t, bite, cilta-cel"),
        ("cilta-cel", "is not two options with a comma between them"),
        ("cilta-cel,cilta-cel", "is not two options"),
    ],
)
def test_a_pair_of_anything_else_is_refused(pair, message):
    refused(invoke(*EXAMPLE, "--pair", pair), message)


def test_the_help_fits_on_one_page():
    text = invoke("compare", "--help", COLUMNS="80").stdout
    assert len(text.splitlines()) <= 120
    assert max(map(len, text.splitlines())) <= 80
    for field in FIELDS.values():
        assert (f"{field.option} " in text) is not field.findings_only, field.id
    for flag in (*TITLES, "--full", "--why", "--pair", "--pdf", "--fhir", "--ask", "--json", "--help-all"):
        assert flag in text


def test_all_help_explains_every_field():
    text = invoke("compare", "--help-all", COLUMNS="120").stdout
    assert [field.id for field in FIELDS.values() if not re.search(rf"{field.option}[ ,]", text)] == []


def test_the_shell_completes_every_field():
    offered = completed("bcma-decide compare --")
    assert {field.option for field in FIELDS.values()} <= set(offered)
    assert {"--full", "--findings", "--pair", "--help-all"} <= set(offered)


def test_the_shell_completes_a_pair():
    assert {"cilta-cel,teclistamab", "cilta-cel,car_t"} <= set(completed("bcma-decide compare --pair cilta-cel,"))


# Pager


def test_what_is_longer_than_the_terminal_goes_through_the_pager():
    code, text = on_terminal(*EXAMPLE, "--full", PAGER="sed s/^/paged:/")
    assert code == 0
    lines = text.strip().splitlines()
    assert len(lines) > 50
    assert all(line.startswith("paged:") for line in lines)


def test_the_first_screen_needs_no_pager():
    code, text = on_terminal(*EXAMPLE, PAGER="sed s/^/paged:/")
    assert code == 0
    assert "Response, of 100" in text
    assert "paged:" not in text


@pytest.mark.parametrize("changes", [{"PAGER": "cat"}, {"PAGER": "sed s/^/paged:/", "TERM": "dumb"}])
def test_no_pager_where_none_is_wanted(changes):
    code, text = on_terminal(*EXAMPLE, "--full", **changes)
    assert code == 0
    assert "Side by side" in text
    assert "paged:" not in text


def test_a_pipe_gets_no_pager():
    assert "paged:" not in shown("--full", PAGER="sed s/^/paged:/")


def test_less_keeps_colours_and_leaves_on_q():
    with Terminal(*EXAMPLE, "--full", PAGER="less") as terminal:
        assert terminal.reads_until("\x1b[1m")
        assert terminal.reads_until(":")
        terminal.types("q")
        while terminal.reads():
            pass
        assert ended(terminal.process) == 0
        assert "For haematologists" not in terminal.shown
