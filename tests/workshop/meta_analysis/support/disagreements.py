"""Differences between this program and its peers that are known, with their reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

import yaml

from tests.support.places import ROOT

FILE = ROOT / "tests" / "reference" / "disagreements.yaml"


@dataclass(frozen=True)
class Disagreement:
    """Places, as patterns, where the comparison ``of`` finds different answers, and why."""

    of: str
    where: tuple[str, ...]
    reason: str


@cache
def known() -> tuple[Disagreement, ...]:
    """Every one, in the order of the file."""
    written = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(Disagreement(each["of"], tuple(each["where"]), each["reason"]) for each in written)


def expected(of: str, place: str) -> bool:
    """Whether the answers at this place are known to differ."""
    return any(fnmatchcase(place, pattern) for each in known() if each.of == of for pattern in each.where)


def outlived(of: str, places: Iterable[str]) -> list[str]:
    """Patterns of the comparison at which nothing differs any more."""
    differing = list(places)
    return [
        pattern
        for each in known()
        if each.of == of
        for pattern in each.where
        if not any(fnmatchcase(place, pattern) for place in differing)
    ]
