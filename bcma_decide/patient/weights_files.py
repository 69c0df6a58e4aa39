"""Weights as files: read them with the line of everything that is wrong, write them, write an example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import yaml

from bcma_decide.errors import Problem, WeightsError, quote
from bcma_decide.patient.files import read_text, shown_name
from bcma_decide.patient.stated_weights import Weights
from bcma_decide.patient.weights import CANNOT, START, weights_from
from bcma_decide.pooled.criteria import Criterion
from bcma_decide.strict.json import RepeatedNameError, strict_json
from bcma_decide.strict.yaml import read_yaml

SIZE_LIMIT: Final = 100_000
"""Bytes such a file may have; a usual one has a dozen lines."""


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
        raise _refusal(name, "", "is empty", START)
    values = _parsed(text, name)
    try:
        return weights_from(values, criteria)
    except WeightsError as error:
        lines = _lines(text)
        placed = [Problem(_with_line(each.field, lines), each.message, each.fix, name) for each in error.problems]
        raise WeightsError(error.message, placed) from None


def _parsed(text: str, name: str) -> object:
    if text.lstrip().startswith("{"):
        try:
            return strict_json(text, keep_no_numbers=True)
        except RepeatedNameError as error:
            raise _refusal(name, quote(error.name), "stands there twice", "keep one of them") from None
        except RecursionError:
            raise _refusal(name, "", "is nested too deeply", "mend the JSON") from None
        except json.JSONDecodeError:  # YAML that begins with a brace, or broken: its reader says where
            pass
    return read_yaml(text, name=name, error=WeightsError)


def _lines(text: str) -> dict[str, int]:
    """Line of every value, by its place as in ``criteria.0.points``; YAML reads JSON too."""
    found: dict[str, int] = {}
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:  # JSON indented with tabs
        return found
    nodes: list[tuple[str, yaml.Node | None]] = [("", root)]
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


def _refusal(name: str, where: str, message: str, fix: str) -> WeightsError:
    return WeightsError(CANNOT, [Problem(where, message, fix, name)])
