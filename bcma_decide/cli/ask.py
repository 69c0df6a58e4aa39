"""A profile by question and answer on a terminal. Enter leaves a field unknown, ``q`` leaves altogether."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bcma_decide.errors import ProfileError
from bcma_decide.facts.traits import Traits, derive
from bcma_decide.patient.fields import FIELDS, PANELS, ProfileField, definition_text
from bcma_decide.patient.profile import Patient
from bcma_decide.patient.reading import is_unknown
from bcma_decide.pooled.definitions import Definitions, shipped_definitions

if TYPE_CHECKING:
    from rich.console import Console

LEAVE: Final = frozenset({"q", "quit"})
YES: Final = frozenset({"y", "yes"})


class Left(Exception):  # noqa: N818  # not an error: the person left
    """The person left before the last question."""


def ask_patient(console: Console | None = None, definitions: Definitions | None = None) -> Patient:
    """Ask for every field and return the patient.

    Questions go to standard error, so that standard output holds results only.

    Raises
    ------
    Left
        When the person answers ``q`` or closes the input.
    """
    from rich.console import Console as Terminal

    console = console or Terminal(stderr=True, highlight=False)
    definitions = definitions or shipped_definitions()
    console.print("Enter leaves a field unknown, q leaves. Unknown is averaged over, never taken as normal.")
    answers: dict[str, str] = {}
    _ask_fields(answers, console, definitions, findings_only=False)
    console.print()
    rest = sum(field.findings_only for field in FIELDS.values())
    write_line(
        console, f"Another {rest} questions serve the findings only: infections, heart, nerves, practical matters."
    )
    if _wants(console, "Ask them too? (yes or no, Enter = no): "):
        _ask_fields(answers, console, definitions, findings_only=True)
    patient = Patient.read(answers, definitions)
    _summary(console, derive(patient, definitions))
    return patient


def _ask_fields(answers: dict[str, str], console: Console, definitions: Definitions, *, findings_only: bool) -> None:
    """Ask the questions of one kind, panel by panel; answers are added as text."""
    for panel in PANELS:
        fields = [f for f in FIELDS.values() if f.panel == panel and f.findings_only is findings_only]
        if fields:
            console.print()
            console.rule(panel, align="left", characters="-", style="dim")
        for field in fields:
            if field.skip_if not in answers:
                answer = _ask(field, console, definitions)
                if answer is not None:
                    answers[field.id] = answer


def _wants(console: Console, prompt: str) -> bool:
    """Read yes or no; anything else is no, ``q`` leaves."""
    answer = read_answer(console, prompt).casefold()
    if answer in LEAVE:
        raise Left
    return answer in YES


def _ask(field: ProfileField, console: Console, definitions: Definitions) -> str | None:
    """Ask one question until it is answered; None where the answer is unknown."""
    console.print()
    write_line(console, field.question, style="bold")
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


def _summary(console: Console, traits: Traits) -> None:
    """Show what was given and what follows from it."""
    from rich.table import Table

    console.print()
    console.rule("Summary", align="left", characters="-", style="dim")
    if not traits.ledger:
        write_line(console, "Nothing is known of this patient.")
        return
    table = Table("Given", "Value", "Remark", box=None, pad_edge=False)
    for line in traits.ledger:
        table.add_row(*_plain(line.label, line.text, line.note))
    console.print(table)
    derived = [value for value in traits if value.state == "derived"]
    if derived:
        console.print()
        table = Table("Worked out", "Value", "From", box=None, pad_edge=False)
        for value in derived:
            table.add_row(*_plain(_label(value.trait), value.text, value.how))
        console.print(table)
    for contradiction in traits.contradictions:
        write_line(console, f"[!] check the input: {contradiction.message}", style="bold")


def _label(trait: str) -> str:
    from bcma_decide.vocabulary import TRAIT_LABELS

    return TRAIT_LABELS[trait]


def _plain(*cells: str) -> list[Any]:
    from rich.text import Text

    return [Text(cell) for cell in cells]


def write_line(console: Console, text: str, style: str = "") -> None:
    """Print text that is never read as markup."""
    console.print(text, style=style, markup=False, soft_wrap=False)
