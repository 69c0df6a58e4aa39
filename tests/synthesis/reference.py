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
