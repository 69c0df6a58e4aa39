"""The command: ``python -m tests.benchmarks --help``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bcma_decide.version import __version__
from tests.benchmarks.timing import ONE_THREAD, surroundings
from tests.support.places import ROOT

TITLES = {
    "bedside": "A comparison with its JSON in a running process, CPU time in yardsticks",
    "cold": 'Whole commands, CPU time over that of `python -c "import numpy, pydantic, typer, rich"`',
    "peers": "Pooling: CPU time of other packages over ours in the same run (above 1: ours is faster)",
    "growth": "How the time grows with the number of studies: exponent 1 is linear, 2 quadratic",
    "workshop": "The fit and its validation",
    "cohort": "A registry",
    "service": "The service, by `python -m tests.load`",
}
ABOUT = """# Benchmarks

Written by `python -m tests.benchmarks`; nothing here is edited by hand. CPU time, the least of several turns, taken
alternately with what it is compared to; a yardstick is a fixed piece of work (`tests/benchmarks/timing.py`), taken in
the same process. Ratios hold from machine to machine, seconds do not.
"""


def main() -> None:
    """Measure, and write both files."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "reports", help="folder of both files")
    parser.add_argument("--first", type=Path, help="folder of the first version, measured in the same run")
    parser.add_argument("--service", type=Path, help="JSON that python -m tests.load wrote")
    parser.add_argument("--only", nargs="*", choices=TITLES, help="these sections alone")
    parser.add_argument("--quick", action="store_true", help="fewer turns, and no validation: a look, not a figure")
    parser.add_argument("--keep", action="store_true", help="write the ratios of the guard anew")
    asked = parser.parse_args()
    from tests.benchmarks import bedside, cohort, guard, service, workshop

    if asked.keep:
        guard.keep()
        return
    seconds, turns = (0.5, 2) if asked.quick else (4.0, 8)
    sections = {
        "bedside": lambda: bedside.warm(seconds, asked.first),
        "cold": lambda: bedside.cold(turns),
        "peers": lambda: workshop.peers(seconds / 4),
        "growth": lambda: workshop.growth(seconds / 4),
        "workshop": lambda: workshop.commands(whole=not asked.quick),
        "cohort": cohort.cohort,
        "service": lambda: service.service(asked.service),
    }
    document: dict[str, Any] = {"software": f"bcma-decide {__version__}", "surroundings": surroundings()}
    for name in asked.only or TITLES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        document[name] = sections[name]()
    document["surroundings"]["load average at the end"] = [round(each, 2) for each in os.getloadavg()]
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "benchmarks.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (asked.out / "benchmarks.md").write_text(page(document), encoding="utf-8")


def page(document: Mapping[str, Any]) -> str:
    """The figures as tables."""
    lines = [ABOUT]
    for name, value in document["surroundings"].items():
        lines.append(f"- {name}: {' '.join(map(str, value)) if isinstance(value, list) else value}")
    for name, title in TITLES.items():
        if found := document.get(name):
            lines += ["", f"## {title}", "", *_table(found)]
    return "\n".join(lines) + "\n"


def _table(found: Mapping[str, Any]) -> list[str]:
    if not any(isinstance(value, Mapping) for value in found.values()):
        return ["| | |", "|---|---:|", *(f"| {name} | {_shown(value)} |" for name, value in found.items())]
    columns = list(dict.fromkeys(column for row in found.values() for column in row))
    head = [f"| | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    return head + [
        f"| {name} | {' | '.join(_shown(row[column]) if column in row else '' for column in columns)} |"
        for name, row in found.items()
    ]


def _shown(value: Any) -> str:
    return (
        f"{value:.3g}"
        if isinstance(value, float) and abs(value) < 1_000
        else f"{value:.0f}"
        if isinstance(value, float)
        else str(value)
    )


if __name__ == "__main__":
    # How many threads linear algebra takes is read when it is loaded, so before anything is measured.
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(
            sys.executable, [sys.executable, "-m", "tests.benchmarks", *sys.argv[1:]], {**os.environ, **ONE_THREAD}
        )
    main()
