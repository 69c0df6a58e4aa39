"""The everyday question, read without the command-line library, whose loading costs more than the answer.

``compare`` with a PROFILE or ``--example`` and whole names of options, each followed by its value: nothing else is read
here. Help, errors, abbreviations, standard input, questions and files to write are left to the library, which reads the
same words to the same values (tests/cli/test_everyday.py).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from bcma_decide.cli.stand_ins import stood_in

COMMAND: Final = "compare"
FLAGS: Final[Mapping[str, str]] = {
    **{f"--{name}": name for name in ("full", "findings", "labels", "practice", "classes", "order", "products",
                                      "sources", "plain")},
    "--json": "as_json",
}  # fmt: skip
VALUES: Final[Mapping[str, str]] = {
    **{f"--{name}": name for name in ("example", "setting", "region", "date", "pair", "color", "evidence")},
    "-e": "example",
    "--from": "counted_from",
}
REPEATED: Final[Mapping[str, str]] = {"--why": "explain", "--explain": "explain"}
ONE_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "counted_from": ("infusion", "decision"),
    "color": ("auto", "always", "never"),
}
"""What is left to the library to refuse where it is something else."""


def answered(words: Sequence[str]) -> bool:
    """Answer an everyday question; False, with nothing printed, where the library has to read the words."""
    asked = read(words)
    if asked is None:
        return False
    # What the shapes are made with, without what it asks for words of types that `typing` has by now itself.
    with stood_in({"typing_extensions": None}):
        import_module("msgspec")
    from bcma_decide.cli.answer import Asked, answer
    from bcma_decide.cli.errors import Misuse
    from bcma_decide.cli.output import say
    from bcma_decide.errors import BcmaDecideError

    try:
        answer(Asked(**asked))
    except Misuse:
        return False
    except BcmaDecideError as error:
        say(str(error), err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    return True


def read(words: Sequence[str]) -> dict[str, Any] | None:
    """The parameters of ``compare`` by name, those that are given; None where anything is not everyday."""
    if not words or words[0] != COMMAND or os.name == "nt":  # where the library expands the names of files
        return None
    given: dict[str, Any] = {}
    options: dict[str, str] = {}
    rest = iter(words[1:])
    for word in rest:
        if word in FLAGS:
            given[FLAGS[word]] = True
            continue
        if not word.startswith("-"):
            name, value = "profile", word
        else:
            option, equals, value = word.partition("=")
            if not equals:
                value = next(rest, "")
            name = VALUES.get(option) or REPEATED.get(option) or ""
            if not name and (field := _fields().get(option)):
                if field in options or not value or value.startswith("-"):
                    return None
                options[field] = value
                continue
        if not name or not value or value.startswith("-") or value not in ONE_OF.get(name, (value,)):
            return None
        if name == "explain":
            given.setdefault(name, []).append(value)
        elif name in given:
            return None
        else:
            given[name] = value
    if not options and not {"profile", "example"} & given.keys():
        return None
    if "evidence" in given:
        from pathlib import Path

        given["evidence"] = Path(given["evidence"])
    return {**given, "options": options}


def _fields() -> dict[str, str]:
    """The field of each of its options."""
    from bcma_decide.patient.fields import FIELDS
    from bcma_decide.patient.names import ALIASES, LABS

    names = {name: field.id for field in FIELDS.values() for name in (field.option, *_short(ALIASES, field.id))}
    return {**names, f"--{LABS}": LABS}


def _short(aliases: Mapping[str, Sequence[str]], field: str) -> list[str]:
    return [f"--{name}" for name in aliases.get(field, ())]
