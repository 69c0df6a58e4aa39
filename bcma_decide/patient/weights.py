"""Weights as plain data and as files: read them, check them, write an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError

from bcma_decide.errors import Problem, WeightsError, closest, quote
from bcma_decide.patient.files import read_text, shown_name
from bcma_decide.pooled.criteria import OF_100, Criterion
from bcma_decide.preference_shapes import CriterionWeight, Weights
from bcma_decide.strict.yaml import read_yaml

SIZE_LIMIT: Final = 100_000
"""Bytes such a file may have; a usual one has a dozen lines."""
_CANNOT: Final = "the weights cannot be used"
_START: Final = "start from: bcma-decide template --weights"
_MESSAGES: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "greater_than_equal": "is too small",
    "too_short": "needs at least one criterion",
    "too_long": "holds too many: at most 12 changes can be set against each other",
    "string_type": "is not the name of a criterion",
}
_POINTS_FIX: Final = "a number from 0 on, or a range as [40, 60]"


def read_weights(source: Path | str, criteria: Mapping[str, Criterion]) -> Weights:
    """Read a YAML or JSON file, or standard input (``-``).

    Raises
    ------
    WeightsError
        With every problem, its place in the file and its line.
    """
    name = shown_name(source)
    text = read_text(source, SIZE_LIMIT, "weights have a dozen lines", partial(_refusal, name))
    if not text.strip():
        raise _refusal(name, "", "is empty", _START)
    values = read_yaml(text, name=name, error=WeightsError)
    try:
        return weights_from(values, criteria)
    except WeightsError as error:
        lines = _lines(text)
        placed = [Problem(_with_line(each.field, lines), each.message, each.fix, name) for each in error.problems]
        raise WeightsError(error.message, placed) from None


def weights_from(values: object, criteria: Mapping[str, Criterion]) -> Weights:
    """Check plain data; raises WeightsError with every problem."""
    if not isinstance(values, Mapping):
        raise WeightsError(_CANNOT, [Problem("", "is not a mapping with 'criteria:'", _START)])
    try:
        weights = Weights.model_validate(values)
    except ValidationError as error:
        raise WeightsError(_CANNOT, list(_shape_problems(error))) from None
    check_weights(weights, criteria)
    return weights


def check_weights(weights: Weights, criteria: Mapping[str, Criterion]) -> None:
    """Refuse weights that mean nothing here; raises WeightsError with every problem."""
    problems = [
        *(problem for place, each in enumerate(weights.criteria) for problem in _criterion(place, each, criteria)),
        *_together(weights),
    ]
    if problems:
        raise WeightsError(_CANNOT, problems)


def _criterion(place: int, weight: CriterionWeight, criteria: Mapping[str, Criterion]) -> Iterator[Problem]:
    at = f"criteria.{place}"
    low, high = weight.bounds
    if low > high:
        yield Problem(f"{at}.points", "the fewer points come first", f"[{high:g}, {low:g}]")
    if weight.points is not None and weight.rank is not None:
        yield Problem(f"{at}.rank", "stands beside points", "give points or ranks")
    criterion = criteria.get(weight.criterion)
    if criterion is None:
        fix = closest(weight.criterion, list(criteria)) or f"one of {', '.join(criteria)}"
        yield Problem(f"{at}.criterion", f"{quote(weight.criterion)} cannot be given a weight", fix)
        return
    if (weight.least is None) != (weight.most is None):
        yield Problem(
            f"{at}.{'from' if weight.least is None else 'to'}", "is missing beside the other end", "give both"
        )
    elif weight.least is None or weight.most is None:
        if criterion.scale is None:
            yield Problem(at, "a burden has no ends of its own", f"give from and to, in {criterion.unit}")
    else:
        yield from _ends(at, weight.least, weight.most, criterion)


def _ends(at: str, least: float, most: float, criterion: Criterion) -> Iterator[Problem]:
    if least == most:
        yield Problem(f"{at}.to", "is the same as from: no change to weigh", "give two different ends")
    elif (least < most) != (criterion.direction == "benefit"):
        word = "fewer" if criterion.direction == "benefit" else "more"
        yield Problem(f"{at}.from", f"is the less attractive end, with {word} {criterion.unit}", "exchange from and to")
    for name, value in (("from", least), ("to", most)):
        if value < 0 or (criterion.unit == OF_100 and value > 100):
            allowed = "0 to 100 of 100" if criterion.unit == OF_100 else f"0 {criterion.unit} or more"
            yield Problem(f"{at}.{name}", f"{value:g} cannot be", allowed)


def _together(weights: Weights) -> Iterator[Problem]:
    names = [each.criterion for each in weights.criteria]
    for place, name in enumerate(names):
        if name in names[:place]:
            yield Problem(f"criteria.{place}.criterion", f"{quote(name)} stands there twice", "keep one of them")
    pointed = [each.points is not None for each in weights.criteria]
    ranked = [each.rank for each in weights.criteria if each.rank is not None]
    if any(pointed):
        for place, has in enumerate(pointed):
            if not has and weights.criteria[place].rank is None:
                yield Problem(f"criteria.{place}.points", "is missing", "give points to every criterion, or to none")
        if all(each.bounds[1] == 0 for each in weights.criteria):
            yield Problem("criteria", "every criterion has 0 points", "give 100 to the change that matters most")
        elif all(each.bounds[0] == 0 for each in weights.criteria):
            yield Problem("criteria", "every criterion may have 0 points", "give one of them points above 0")
    elif ranked and sorted(ranked) != list(range(1, len(names) + 1)):
        yield Problem("criteria", "the ranks are not 1, 2, 3 and so on, each once", "rank every criterion, or none")


def _shape_problems(error: ValidationError) -> Iterator[Problem]:
    seen = set()
    for one in error.errors(include_url=False, include_input=False):
        parts = [part for part in one["loc"] if isinstance(part, int) or "[" not in str(part)]
        points = next((place for place, part in enumerate(parts) if part == "points"), None)
        if points is not None:  # a number or a range: one problem, whichever of the two it is not
            parts = parts[: points + 1]
            message, fix = "cannot be used", _POINTS_FIX
        else:
            message = _MESSAGES.get(one["type"], one["msg"].removeprefix("Value error, "))
            fix = _START if one["type"] in ("missing", "extra_forbidden") else ""
        where = ".".join(str(part) for part in parts if part != "float")
        if where not in seen:
            seen.add(where)
            yield Problem(where, message, fix)


def _lines(text: str) -> dict[str, int]:
    """Line of every value, by its place as in ``criteria.0.points``; YAML reads JSON too."""
    found: dict[str, int] = {}
    nodes: list[tuple[str, yaml.Node | None]] = [("", yaml.compose(text, Loader=yaml.SafeLoader))]
    while nodes:
        place, node = nodes.pop()
        if node is None:
            continue
        found[place] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            nodes += [(f"{place}.{key.value}".strip("."), value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            nodes += [(f"{place}.{index}", value) for index, value in enumerate(node.value)]
    return found


def _with_line(field: str, lines: Mapping[str, int]) -> str:
    """``line 4: criteria.0.points``: the line of the place, or of what it belongs to."""
    place = field
    while place and place not in lines:
        place = place.rpartition(".")[0]
    return f"line {lines[place]}: {field}" if place in lines and field else field


def weights_text(weights: Weights) -> str:
    """Write weights as a file that :func:`read_weights` reads."""
    lines = ["criteria:"]
    for each in weights.criteria:
        entries = [("criterion", each.criterion)]
        if isinstance(each.points, tuple):
            entries.append(("points", f"[{each.points[0]:g}, {each.points[1]:g}]"))
        elif each.points is not None:
            entries.append(("points", f"{each.points:g}"))
        entries += [("rank", f"{each.rank}")] if each.rank is not None else []
        if each.least is not None and each.most is not None:
            entries += [("from", f"{each.least:g}"), ("to", f"{each.most:g}")]
        lines += [f"  {'- ' if place == 0 else '  '}{key}: {value}" for place, (key, value) in enumerate(entries)]
    return "\n".join(lines) + "\n"


def weights_template(criteria: Mapping[str, Criterion]) -> str:
    """Write an example as YAML: what can be given a weight, how, and three lines to start from; no points are set."""
    listed = [f"#   {each.id:<30} {each.label} ({each.unit})" for each in criteria.values()]
    return "\n".join([*_EXPLAINED, "#", "# What can be given a weight:", *listed, "#", *_EXAMPLE]) + "\n"


_EXPLAINED: Final = (
    "# What matters to this person: bcma-decide compare profile.yaml --weights this-file.yaml",
    "#",
    "# A weight belongs to a change, from its less to its more attractive end, never to a name alone. First choose the",
    "# changes and their ends; then give 100 points to the change that matters most, and to each other one what it is",
    "# worth beside it: 50 points if it matters half as much, 0 if not at all.",
    "#   points: 100          points of the whole change",
    "#   points: [40, 60]     not sure: anything between",
    "#   rank: 1              an order only; every criterion has one, and none has points",
    "# No points and no ranks: how the options come out over all weights there could be.",
    "# from, to: of 100 patients (left out: the whole scale), or in the unit that stands behind the name.",
)
_EXAMPLE: Final = (
    "# Replace these three; the ends are an example and no points are set.",
    "criteria:",
    "  - criterion: cr_or_better",
    "    from: 20",
    "    to: 80",
    "  - criterion: icans_any",
    "    from: 40",
    "    to: 0",
    "  - criterion: infection_g3plus",
    "    from: 60",
    "    to: 20",
)


def problem_place(problem: Problem, before: str) -> Problem:
    """The same problem with where the weights stand before its place."""
    return Problem(f"{before}.{problem.field}".strip("."), problem.message, problem.fix)


def _refusal(name: str, where: str, message: str, fix: str) -> WeightsError:
    return WeightsError(_CANNOT, [Problem(where, message, fix, name)])
