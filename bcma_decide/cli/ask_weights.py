"""Weights by question and answer on a terminal, by swing weighting: changes first, then the one that matters most.

No weight is proposed. The order of the questions is that of swing weighting (von Winterfeldt D, Edwards W. Decision
Analysis and Behavioral Research, 1986, ch. 8; Mussen F, Salek S, Walker S. Benefit-Risk Appraisal of Medicines, 2009).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bcma_decide.cli.ask import LEAVE, Left, read_answer, write_line
from bcma_decide.cli.sheets import write
from bcma_decide.errors import WeightsError
from bcma_decide.patient.weights import weights_from
from bcma_decide.patient.weights_files import weights_text
from bcma_decide.preference_shapes import MOST_CRITERIA

if TYPE_CHECKING:
    from bcma_decide.patient.stated_weights import Weights
    from bcma_decide.pooled.criteria import Criterion
    from bcma_decide.render.terminal.console import Console

Answer = TypeVar("Answer")

MOST_POINTS: Final = 100
_ONE_OR_TWO: Final = re.compile(
    r"(?:from\s+)?([0-9]+(?:\.[0-9]+)?)(?:(?:\s*-\s*|\s+to\s+|\s+)([0-9]+(?:\.[0-9]+)?))?", re.IGNORECASE
)
_SEPARATORS: Final = re.compile(r"[\s,;]+")


def ask_weights(criteria: Mapping[str, Criterion], console: Console | None = None) -> Weights:
    """Ask what matters and return the weights; offers to write them to a file.

    Questions go to standard error, so that standard output holds results only.

    Raises
    ------
    Left
        When the person answers ``q`` or closes the input.
    """
    from bcma_decide.render.terminal.console import Console as Terminal

    console = console or Terminal(stderr=True, highlight=False)
    write_line(console, "What matters here? First which outcomes and burdens, then which change of each, then what")
    write_line(console, "each change is worth beside the others. No weight is set beforehand; q leaves.")
    console.print()
    listed = list(criteria.values())
    for number, each in enumerate(listed, start=1):
        write_line(console, f"{number:>3}  {each.label} ({each.unit})")
    chosen = _until(console, "Which of these matter, by number, such as 3, 11: ", lambda text: _chosen(text, listed))
    rows = []
    for each in chosen:
        console.print()
        write_line(console, f"{each.label}: from which less attractive end to which more attractive one?", "bold")
        rows.append(_until(console, _ends_prompt(each), partial(_ends, criterion=each, criteria=criteria)))
    points = _points(console, chosen, rows)
    values = {"criteria": [{**row, "points": given} for row, given in zip(rows, points, strict=True)]}
    weights = weights_from(values, criteria)
    _offer_file(console, weights)
    return weights


def _until(console: Console, prompt: str, read: Callable[[str], Answer]) -> Answer:
    """Ask until the answer can be read."""
    while True:
        answer = read_answer(console, prompt)
        if answer.casefold() in LEAVE:
            raise Left
        try:
            return read(answer)
        except WeightsError as error:
            for problem in error.problems:
                write_line(console, f"{problem.message} ({problem.fix})" if problem.fix else problem.message, "red")
        except ValueError as error:
            write_line(console, str(error), "red")


def _chosen(text: str, listed: Sequence[Criterion]) -> list[Criterion]:
    parts = [part for part in _SEPARATORS.split(text) if part]
    if not parts or not all(part.isascii() and part.isdigit() and 1 <= int(part[:9]) <= len(listed) for part in parts):
        raise ValueError(f"numbers from 1 to {len(listed)}, separated by commas")
    places = list(dict.fromkeys(int(part) - 1 for part in parts))
    if len(places) > MOST_CRITERIA:
        raise ValueError(f"at most {MOST_CRITERIA} changes can be set against each other")
    return [listed[place] for place in places]


def _ends_prompt(criterion: Criterion) -> str:
    example = "from 20 to 80" if criterion.direction == "benefit" else "from 60 to 20"
    if criterion.scale is None:
        return f"Two numbers in {criterion.unit}, the less attractive first: "
    low, high = criterion.scale
    return f"Two numbers {criterion.unit}, such as {example} (Enter: the whole scale, {low:g} to {high:g}): "


def _ends(text: str, criterion: Criterion, criteria: Mapping[str, Criterion]) -> dict[str, Any]:
    row: dict[str, Any] = {"criterion": criterion.id}
    numbers = _read_numbers(text)
    if text and len(numbers) != 2:
        raise ValueError("two numbers, the less attractive end first")
    if numbers:
        row |= {"from": numbers[0], "to": numbers[1]}
    weights_from({"criteria": [row]}, criteria)
    return row


def _points(console: Console, chosen: Sequence[Criterion], rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Points of every change: 100 for the one that matters most, then the others beside it."""
    if len(chosen) == 1:
        return [MOST_POINTS]
    console.print()
    changes = [_change(each, row) for each, row in zip(chosen, rows, strict=True)]
    for number, change in enumerate(changes, start=1):
        write_line(console, f"{number:>3}  {change}")
    write_line(console, "If only one of these changes could be had, which would it be?", "bold")
    most = _until(console, "Its number: ", lambda text: _one_of(text, len(changes)))
    points: list[Any] = []
    for place, change in enumerate(changes):
        if place == most:
            points.append(MOST_POINTS)
            continue
        console.print()
        write_line(console, f"If that change counts {MOST_POINTS} points, how many does this one count?", "bold")
        write_line(console, change)
        points.append(_until(console, "Points from 0 to 100, or a range such as 40 to 60: ", _read_points))
    return points


def _change(criterion: Criterion, row: Mapping[str, Any]) -> str:
    low, high = (row["from"], row["to"]) if "from" in row else criterion.scale or (0, 0)
    return f"{criterion.label}: from {low:g} to {high:g} {criterion.unit}"


def _one_of(text: str, count: int) -> int:
    if not (text.isdigit() and 1 <= int(text) <= count):
        raise ValueError(f"a number from 1 to {count}")
    return int(text) - 1


def _read_points(text: str) -> float | list[float]:
    numbers = _read_numbers(text)
    if len(numbers) not in (1, 2) or numbers != sorted(numbers) or numbers[-1] > MOST_POINTS:
        raise ValueError("a number from 0 to 100, or two of them, the fewer points first")
    return numbers[0] if len(numbers) == 1 else numbers


def _read_numbers(text: str) -> list[float]:
    """One number or two, with a decimal point; nothing where the text is anything else."""
    found = _ONE_OR_TWO.fullmatch(text)
    return [] if found is None else [float(part) for part in found.groups() if part is not None]


def _offer_file(console: Console, weights: Weights) -> None:
    console.print()
    name = read_answer(console, "Write these weights to a file? (its name, Enter = no): ")
    if not name or name.casefold() in LEAVE:
        return
    write(Path(name), weights_text(weights).encode())
    write_line(console, f"wrote {name}")
