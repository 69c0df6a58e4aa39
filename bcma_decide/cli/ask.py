"""A profile by question and answer on a terminal: the eight inputs that move numbers most, then more by group.

Enter leaves a field unknown, ``q`` leaves altogether.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from bcma_decide.errors import ProfileError
from bcma_decide.patient.fields import FIELDS, PANELS, ProfileField, definition_text
from bcma_decide.patient.leading import FOLLOW_UP, LEADING
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.reading import is_unknown
from bcma_decide.pooled.definitions import Definitions, shipped_definitions

if TYPE_CHECKING:
    from bcma_decide.render.terminal.console import Console

LEAVE: Final = frozenset({"q", "quit"})
YES: Final = frozenset({"y", "yes"})


class Left(Exception):  # noqa: N818  # not an error: the person left
    """The person left before the last question."""


def ask_patient(console: Console | None = None, definitions: Definitions | None = None) -> Patient:
    """Ask for the leading fields and, group by group, for as many others as are wanted; return the patient.

    Questions go to standard error, so that standard output holds results only.

    Raises
    ------
    Left
        When the person answers ``q`` or closes the input.
    """
    from bcma_decide.render.terminal.console import Console as Terminal

    console = console or Terminal(stderr=True, highlight=False)
    definitions = definitions or shipped_definitions()
    write_line(console, "Enter skips a question, q leaves. Unknown is averaged over, never taken as normal.")
    answers: dict[str, str] = {}
    asked: set[str] = set()
    for name in LEADING:
        _ask_into(answers, FIELDS[name], console, definitions, briefly=True)
        asked.add(name)
        following = FOLLOW_UP.get(name)
        if following and getattr(Patient.read(answers, definitions), name) is True:
            _ask_into(answers, FIELDS[following], console, definitions, briefly=True)
            asked.add(following)
    console.print()
    if _wants(console, "More questions? [y/N] "):
        _ask_groups(answers, asked, console, definitions)
    return Patient.read(answers, definitions)


def _ask_groups(answers: dict[str, str], asked: Collection[str], console: Console, definitions: Definitions) -> None:
    """Ask for the groups that are wanted; fields that move numbers first, then those of findings and labels."""
    for panel in PANELS:
        fields = [field for field in FIELDS.values() if field.panel == panel and field.id not in asked]
        console.print()
        if not _wants(console, f"{panel}, {len(fields)} questions? [y/N] "):
            continue
        for field in sorted(fields, key=lambda each: each.findings_only):
            if field.skip_if not in answers:
                _ask_into(answers, field, console, definitions)


def _ask_into(
    answers: dict[str, str],
    field: ProfileField,
    console: Console,
    definitions: Definitions,
    *,
    briefly: bool = False,
) -> None:
    """Ask one question; the answer is added as text, an unknown one not at all."""
    answer = _ask(field, console, definitions, briefly=briefly)
    if answer is not None:
        answers[field.id] = answer


def _wants(console: Console, prompt: str) -> bool:
    """Read yes or no; anything else is no, ``q`` leaves."""
    answer = read_answer(console, prompt).casefold()
    if answer in LEAVE:
        raise Left
    return answer in YES


def _ask(field: ProfileField, console: Console, definitions: Definitions, *, briefly: bool) -> str | None:
    """Ask one question until it is answered; None where the answer is unknown. ``briefly``: without what it means."""
    console.print()
    write_line(console, field.question, style="bold")
    if not briefly:
        if meaning := definition_text(field, definitions):
            write_line(console, meaning)
        write_line(console, f"Why: {field.why}", style="dim")
    example = f", for example {field.example}" if field.example else ""
    prompt = f"{field.label} ({field.answer}{example}): "
    while True:
        answer = read_answer(console, prompt)
        if answer.casefold() in LEAVE:
            raise Left
        if is_unknown(answer):
            return None
        try:
            Patient.read({field.id: answer}, definitions)
        except ProfileError as error:
            for problem in error.problems:
                write_line(console, str(problem), style="red")
            continue
        return answer


def read_answer(console: Console, prompt: str) -> str:
    """Read one line from the terminal; raises Left where the input is closed."""
    try:
        return console.input(prompt, markup=False).strip()
    except EOFError:
        console.print()
        raise Left from None
    except KeyboardInterrupt:
        console.print()
        raise


def write_line(console: Console, text: str, style: str = "") -> None:
    """Print text that is never read as markup."""
    console.print(text, style=style, markup=False, soft_wrap=False)
