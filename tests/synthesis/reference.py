"""Answers of metafor, meta and lme4 to compare ours with; ``tests/reference/metafor/README.md`` says what they hold."""

import csv
import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "reference" / "metafor"
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


def relative_tolerance(place: str, method: str) -> float:
    """What the reference README calls safe: iterated estimates carry less, and least where tau2 is tiny."""
    if method not in ("REML", "ML", "EB"):
        return 1e-9
    return 1e-7 if place.endswith(("PR", "RD")) else 1e-8
