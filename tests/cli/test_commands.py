"""The other commands: first steps, help, version, template, examples, completion."""

import pytest
from rich.cells import cell_len
from typer.main import get_command

from bcma_decide.cli.app import app
from bcma_decide.cli.table import COMMANDS
from bcma_decide.patient.files import example_names
from bcma_decide.version import __version__
from tests.cli.support.program import ESCAPE, completed, invoke, on_terminal, run, run_anew
from tests.render.support.reading import words
from tests.support.cases import for_each
from tests.support.commands import called, named


def commands(command=None, path=()):
    """Every command of the program with the words that lead to it."""
    command = command or get_command(app)
    yield path, command
    for name in named(command):
        yield from commands(called(command, name), (*path, name))


EVERY = [pytest.param(path, command, id=" ".join(path) or "bcma-decide") for path, command in commands()]
COMPLETION = ("--install-completion", "--show-completion")


def test_alone_it_shows_the_first_steps():
    result = run()
    assert result.returncode == 0
    assert "bcma-decide compare --example fit-58" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 110


def test_the_version():
    result = run_anew("--version")
    assert (result.returncode, result.stdout) == (0, f"bcma-decide {__version__}\n")


def test_an_unknown_command_is_a_usage_error():
    result = invoke("compute")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "No such command 'compute'" in result.stderr


@for_each(("path", "command"), EVERY)
def test_the_help_teaches(path, command):
    result = invoke(*path, "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    assert max(map(cell_len, result.stdout.splitlines())) <= 80
    text = words(result.stdout)
    assert words(command.help).split(".")[0][:60] in text
    own = [parameter for parameter in command.params if not set(COMPLETION) & set(parameter.opts)]
    assert [parameter.name for parameter in own if not parameter.help] == []
    assert all(name in text for name in COMMANDS) or path


@for_each(("path", "command"), EVERY)
def test_completion_is_installed_at_the_top_only(path, command):
    offered = {option for parameter in command.params for option in parameter.opts}
    assert (set(COMPLETION) <= offered) == (not path)
    assert bool(set(COMPLETION) & offered) == (not path)


def test_the_help_of_compare_is_grouped():
    text = invoke("compare", "--help-all", COLUMNS="100").stdout
    titles = ("Where the patient comes from", "What is shown", "How it is shown", "The patient: laboratory")
    assert [text.index(title) for title in titles] == sorted(text.index(title) for title in titles)
    assert "0 ok, 2 usage, 3 invalid input, 4 no usable evidence" in words(text)


# Profiles to start from


def test_the_template_is_a_profile_as_it_stands(tmp_path):
    printed = run("template")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert run("compare", "-", given=printed.stdout).returncode == 0
    path = tmp_path / "profile.yaml"
    path.write_text(printed.stdout, encoding="utf-8")
    result = invoke("compare", path)
    assert result.exit_code == 0
    assert "used, given" not in result.stdout


def test_the_examples_are_listed_one_a_line():
    result = invoke("examples")
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(example_names())
    assert len(example_names()) >= 6
    assert all("Fictional." in line for line in result.stdout.splitlines())


@pytest.mark.parametrize("width", [60, 80])
def test_on_a_terminal_the_list_fits(width):
    code, shown = on_terminal("examples", width=width)
    lines = ESCAPE.sub("", shown).splitlines()
    assert code == 0
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines if line.strip() and line[0] != " "] == list(example_names())


def test_an_example_can_be_printed_changed_and_used():
    printed = invoke("examples", "fit-58").stdout
    assert "age: 58" in printed
    result = invoke("compare", "-", given=printed.replace("age: 58", "age: 59"))
    assert result.stdout.startswith("59 y, ")


def test_an_example_that_is_not_there():
    result = invoke("examples", "nobody")
    assert (result.exit_code, result.stdout) == (3, "")


# Completion, by the protocol the shell uses


@for_each(
    ("line", "expected"),
    [
        ("bcma-decide ", list(COMMANDS)),
        ("bcma-decide comp", ["compare"]),
        ("bcma-decide compare --example ", list(example_names())),
        ("bcma-decide compare --explain crs", ["crs_any", "crs_g3plus"]),
        ("bcma-decide compare --setting ", ["real-world", "trial"]),
        ("bcma-decide examples f", ["fit-58", "frail-82-dialysis-prior-bcma"]),
        ("bcma-decide guide mod", ["model"]),
    ],
)
def test_the_shell_completes(line, expected):
    assert completed(line) == expected


def test_the_installed_program_completes():
    asked = {"_BCMA_DECIDE_COMPLETE": "complete_bash", "COMP_WORDS": "bcma-decide comp", "COMP_CWORD": "1"}
    result = run_anew(**asked)
    assert (result.returncode, result.stdout, result.stderr) == (0, "compare\n", "")


def test_the_completion_script_can_be_shown():
    result = run_anew(_BCMA_DECIDE_COMPLETE="source_bash")
    assert "complete -o default -F _bcma_decide_completion bcma-decide" in result.stdout
