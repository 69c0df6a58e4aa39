"""Numbers that the tests of metafor, PyMARE and statsmodels expect; ``tests/reference/peers/README.md``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.support.places import ROOT

FOLDER = ROOT / "tests" / "reference" / "peers"


@dataclass(frozen=True)
class Case:
    """A table, options of ``meta``, and numbers by their place in its JSON, each to half a unit of a decimal."""

    source: str
    table: str
    options: tuple[str, ...]
    expected: dict[str, Any]
    decimals: int = 4


@cache
def cases() -> tuple[Case, ...]:
    """Every case that is asked of the command."""
    written = yaml.safe_load((FOLDER / "cases.yaml").read_text(encoding="utf-8"))
    return tuple(Case(**(each | {"options": tuple(each["options"].split())})) for each in written)


@cache
def pymare() -> dict[str, Any]:
    """The designs of PyMARE's comparison with metafor, and its answers."""
    found: dict[str, Any] = json.loads((FOLDER / "pymare.json").read_text(encoding="utf-8"))
    return found


def found_at(document: Any, place: str) -> list[float]:
    """Numbers at ``a.b``, ``a.0.b`` or ``a.*.b`` of a document; ``tau`` and ``z`` are worked out where they stand."""
    values = list(_walked(document, place.split(".")))
    return [number for value in values for number in (value if isinstance(value, list) else [value])]


def _walked(document: Any, parts: list[str]) -> Iterator[Any]:
    if not parts:
        yield document
        return
    first, rest = parts[0], parts[1:]
    if first == "*":
        for each in document:
            yield from _walked(each, rest)
    elif isinstance(document, list):
        yield from _walked(document[int(first)], rest)
    elif first == "tau" and "tau" not in document:
        yield math.sqrt(document["tau2"])
    elif first == "z" and "ci" in document:
        low, high = document["ci"]
        yield document["estimate"] / ((high - low) / 2 / 1.959963984540054)
    else:
        yield from _walked(document[first], rest)
