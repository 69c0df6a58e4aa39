"""The everyday question: what is read without the command-line library is what that library reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from bcma_decide.cli import everyday
from bcma_decide.cli.answer import Asked
from bcma_decide.cli.app import app
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.names import LABS
from tests.cli.support.program import invoke, run
from tests.support.commands import called

COMMAND = called(get_command(app), "compare")
OPTIONS = sorted({name for parameter in COMMAND.params for name in parameter.opts if name.startswith("-")})
VALUES = ("58", "fit-58", "EU", "real-world", "decision", "infusion", "always", "orr", "a b", "", "-", "-1", "--",
          "x=y",
          "--json", "unknown")  # fmt: skip
WORDS = st.one_of(
    st.sampled_from(OPTIONS), st.sampled_from(VALUES), st.builds("{}={}".format, st.sampled_from(OPTIONS),
                                                                  st.sampled_from(VALUES)),
    st.sampled_from(["--exam", "--js", "-efit-58", "-h", "profile.yaml"]),
)  # fmt: skip


def by_the_library(words):
    """The parameters of ``compare`` as the library reads the words."""
    given = {
        name: value or None if value == () else value
        for name, value in COMMAND.make_context("compare", words).params.items()
    }
    fields = {name: given.pop(name) for name in (*FIELDS, LABS)}
    options = {name: value[0] if isinstance(value, tuple | list) else value for name, value in fields.items() if value}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()
            if name in Asked._fields} | {"options": options}  # fmt: skip


@given(st.lists(WORDS, max_size=6))
def test_what_is_everyday_is_read_alike(words):
    read = everyday.read(["compare", *words])
    if read is not None:
        assert Asked(**read)._asdict() == by_the_library(list(words))


@pytest.mark.parametrize("words", [
    ["--example", "fit-58", "--json"], ["profile.yaml", "--full", "--region", "EU"], ["-e", "fit-58"],
    ["--age=71", "--prior-lines", "4", "--emd", "yes", "--why", "orr", "--explain", "pfs", "--from", "decision"],
])  # fmt: skip
def test_the_usual_words_are_everyday(words):
    assert Asked(**everyday.read(["compare", *words]))._asdict() == by_the_library(words)


@pytest.mark.parametrize("words", [
    [], ["--help"], ["compare"], ["compare", "--help"], ["compare", "--example", "x", "--html"], ["compare", "-"],
    ["compare", "--ask"], ["compare", "--json"], ["score", "--age", "1"],
    ["compare", "--example", "x", "--color", "never ever"],
])  # fmt: skip
def test_what_is_not_is_left_to_the_library(words):
    assert everyday.read(words) is None


@pytest.mark.parametrize("words", [
    ("compare", "--example", "fit-58", "--plain"), ("compare", "--example", "fit-85"), ("compare", "--age", "x"),
    ("compare", "--age", "71", "--setting", "x"), ("compare", "--age", "71", "--pair", "a,b"),
])  # fmt: skip
def test_the_answers_and_refusals_are_the_same(words):
    anew, library = run(*words), invoke(*words)
    assert (anew.returncode, anew.stdout, anew.stderr) == (library.exit_code, library.stdout, library.stderr)
