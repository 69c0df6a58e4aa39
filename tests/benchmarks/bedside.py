"""One patient: a comparison with its JSON in a running process, and whole commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from bcma_decide import Patient, compare, load_pooled
from tests.benchmarks.timing import (
    ONE_THREAD,
    Work,
    least_cpu_of_commands,
    per_yardstick,
    program,
)
from tests.support.different_patients import different_patients
from tests.support.places import ROOT

FIRST_VERSION = """
import json, sys
sys.path[:0] = [".", {root!r}]
from bcma_decide import Patient, compare
sys.path.pop(0)
import importlib.util
spec = importlib.util.spec_from_file_location("timing", {root!r} + "/tests/benchmarks/timing.py")
import types
places = types.ModuleType("tests.support.places"); places.ROOT = {root!r}
sys.modules["tests.support.places"] = places
timing = importlib.util.module_from_spec(spec); sys.modules["timing"] = timing; spec.loader.exec_module(timing)
patient = Patient(age=58, extramedullary_disease="no")
print(json.dumps(timing.per_yardstick({{"it": lambda: compare(patient).model_dump_json()}}, {seconds})["it"]))
"""
"""Run in a folder that holds another version: the same work against the same yardstick."""


def warm_works() -> dict[str, Work]:
    """What a running process does for a patient, by name."""
    load_pooled()
    patient = Patient(age=58, extramedullary_disease="no")
    others = (Patient.read(profile) for profile in different_patients(1))
    found = compare(patient)
    return {
        "comparison and JSON, the same patient": lambda: compare(patient).model_dump_json(),
        f"{TEN} comparisons and JSON, another patient each time, who is read": lambda: [
            compare(next(others)).model_dump_json() for _ in range(TEN)
        ],
        JSON_ALONE: found.model_dump_json,
    }


TEN = 10
"""Different patients of one turn: the least of single ones would be that of the quickest patient."""
JSON_ALONE = "JSON alone, in encodings of the same document as plain data"


def own_yardsticks() -> dict[str, Work]:
    """What writes much memory is held against the same: the encoding of the document as dictionaries."""
    plain = json.loads(compare(Patient(age=58, extramedullary_disease="no")).model_dump_json())
    return {JSON_ALONE: lambda: msgspec.json.encode(plain)}


def warm(seconds: float, first: Path | None) -> dict[str, Any]:
    """In yardsticks; with the folder of the first version, its comparison and JSON of the same patient too."""
    found: dict[str, Any] = per_yardstick(warm_works(), seconds, own=own_yardsticks())
    if first is None:
        return found
    code = FIRST_VERSION.format(root=str(ROOT), seconds=seconds)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=first,
        env={**os.environ, **ONE_THREAD},
        capture_output=True,
        text=True,
        check=True,
    )
    reference = json.loads(done.stdout)
    return {**found, "first version, comparison and JSON": reference} | {
        f"{name} / first version": value / reference for name, value in found.items() if name != JSON_ALONE
    }


def cold(turns: int) -> dict[str, float]:
    """CPU time of whole commands over that of importing numpy, pydantic, typer and rich."""
    commands = {
        "": [sys.executable, "-c", "import numpy, pydantic, typer, rich"],
        "compare --json": program("compare", "--example", "fit-58", "--json"),
        "compare, terminal": program("compare", "--example", "fit-58"),
        "compare --help": program("compare", "--help"),
        "import bcma_decide": [sys.executable, "-c", "import sys; sys.path.insert(0, '.'); import bcma_decide"],
        "python alone": [sys.executable, "-c", "pass"],
    }
    found = least_cpu_of_commands(commands, turns)
    ratios = {name: value / found[""] for name, value in found.items() if name}
    return {
        **ratios,
        "import bcma_decide, ms above python": 1e3 * (found["import bcma_decide"] - found["python alone"]),
    }
