"""Answers of metafor, meta and lme4 to compare ours with; ``tests/reference/metafor/README.md`` says what they hold."""

import csv
import json
import lzma
from functools import cache
from typing import Any

from tests.support.places import ROOT

FOLDER = ROOT / "tests" / "reference" / "metafor"
NAMES = sorted(path.name.removesuffix(".json.xz") for path in (FOLDER / "results").iterdir())


@cache
def document(name: str) -> dict[str, Any]:
    """Everything that was computed for one table, with its notes."""
    return json.loads(lzma.decompress((FOLDER / "results" / f"{name}.json.xz").read_bytes()))


def results(name: str) -> dict[str, Any]:
    """The results for one table."""
    return document(name)["results"]


def rows(name: str) -> list[dict[str, str]]:
    """The table itself."""
    with (FOLDER / "inputs" / f"{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


METHOD_LETTERS = ("EE", "DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM")
TEST_LETTERS = {"z": "z", "t": "t", "knha": "knapp_hartung", "adhoc": "floored_knapp_hartung"}
MEASURE_LETTERS = {"PLO": "logit", "PR": "raw", "PAS": "arcsine", "PFT": "freeman_tukey", "PLN": "log"}


@cache
def effect_sets() -> dict[str, dict[str, Any]]:
    """Every set of effects that was pooled, by file, arms and measure joined with ``/``."""
    found: dict[str, dict[str, Any]] = {}

    def collect(place: str, block: Any) -> None:
        if isinstance(block, dict):
            if "escalc" in block and "pool" in block:
                found[place] = block
                return
            for key, inner in block.items():
                collect(f"{place}/{key}", inner)

    for name in NAMES:
        collect(name, results(name))
    return found


def sets_holding(block: str) -> dict[str, dict[str, Any]]:
    """Those of them with a further block of that name."""
    return {place: results for place, results in effect_sets().items() if block in results}


_COUNTS = {"treated_arm_single": ("ai", "n1i"), "control_arm_single": ("ci", "n2i"), "bcg_control_arms": ("x", "n")}


def proportion_sets() -> list[tuple[str, str, dict[str, Any], list[float], list[float]]]:
    """Every set of single proportions: place, measure, results, events and totals."""
    found = []
    for place, block in effect_sets().items():
        name, *part, letters = place.split("/")
        if letters not in MEASURE_LETTERS:
            continue
        arms = part[0] if part else name
        x, n = _COUNTS.get(arms, ("xi", "ni"))
        chosen = [row for row in rows(name) if row.get("case", arms) == arms]
        events, total = [float(row[x]) for row in chosen], [float(row[n]) for row in chosen]
        found.append((place, MEASURE_LETTERS[letters], block, events, total))
    return found


def effects_of(block: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Effects and variances of a set, as lists even where there is one study."""
    yi, vi = block["escalc"]["yi"], block["escalc"]["vi"]
    return (yi, vi) if isinstance(yi, list) else ([yi], [vi])


def relative_tolerance(place: str, method: str) -> float:
    """What the reference README calls safe: iterated estimates carry less, and least where tau2 is tiny."""
    if method not in ("REML", "ML", "EB"):
        return 1e-9
    return 1e-7 if place.endswith(("PR", "RD")) else 1e-8
