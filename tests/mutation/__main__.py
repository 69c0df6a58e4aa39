"""The command: ``python -m tests.mutation --help``."""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.mutation.changes import changes, shown
from tests.mutation.runs import Known, recorded, tried
from tests.support.places import ROOT

ROOMS: dict[str, tuple[str, ...]] = {
    "model": ("tests/model", "tests/golden"),
    "rules": ("tests/rules", "tests/golden"),
    "facts": ("tests/facts", "tests/rules/test_profiles.py", "tests/golden"),
    "fhir/reading": ("tests/fhir/reading", "tests/golden"),
    "patient": ("tests/patient", "tests/golden"),
}
"""Rooms and the tests that answer for them."""
USUAL = ("model", "rules", "facts", "fhir/reading")
"""Those that are tried where none is named: much of the others is words for the form, which no test repeats."""
LIBRARIES = ("hypothesis", "numpy", "pydantic", "pint", "yaml", "typer", "jinja2", "scipy.stats")
"""Imported once, before the processes part."""


class Mutant(NamedTuple):
    """One change of one module, and whether a test noticed it."""

    source: Path
    number: int
    line: int
    function: str
    noticed: bool = False


def mutants(room: str, module: str) -> list[Mutant]:
    """Every change of the modules of a room, or of one of them."""
    return [
        Mutant(source, number, change.line, change.function)
        for source in sorted((ROOT / "bcma_decide" / room).glob(f"{module or '*'}.py"))
        for number, change in enumerate(changes(ast.parse(source.read_text(encoding="utf-8"))))
    ]


def judged(chosen: Sequence[Mutant], room: str, known: Known, workers: int) -> Iterator[Mutant]:
    """Run the tests against every mutant, as they end."""
    tests = ROOMS[room]
    waiting, running, survived = list(reversed(chosen)), {}, False
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop()
            running[tried(mutant.source, mutant.number, mutant.function, tests, known)] = mutant
        ended, status = os.wait()
        survived |= status == 0
        yield running.pop(ended)._replace(noticed=status != 0)
    if not survived and os.waitpid(tried(ROOT, None, "", tests, known), 0)[1]:
        sys.exit(f"the tests of {room} fail as the code is: the rate says nothing")


def run(room: str, chosen: Sequence[Mutant], workers: int) -> list[Mutant]:
    """Judge the chosen mutants of a room, telling how far it is."""
    known = recorded(ROOT / "bcma_decide" / room, ROOMS[room])
    if not known:
        sys.exit(f"no test of {room} passes as the code is")
    done: list[Mutant] = []
    began = time.monotonic()
    for mutant in judged(chosen, room, known, workers):
        done.append(mutant)
        noticed = sum(each.noticed for each in done)
        left = (time.monotonic() - began) / len(done) * (len(chosen) - len(done))
        text = f"{room}: {noticed} of {len(done)} noticed, {len(chosen) - len(done)} to go, {left / 60:.0f} min"
        if sys.stderr.isatty():
            print(f"\r{text:<79}", end="\n" if len(done) == len(chosen) else "", file=sys.stderr, flush=True)
        elif len(done) % 10 == 0:
            print(text, file=sys.stderr, flush=True)
    return sorted(done)


def main() -> int:
    """Run, list what survived, and compare the rate with the one asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description="Do tests fail when the code is wrong?"
    )
    parser.add_argument("--room", action="append", choices=ROOMS, help=f"again for more; without it {', '.join(USUAL)}")
    parser.add_argument("--module", default="", help="only the module of this name")
    parser.add_argument("--sample", type=int, default=0, help="so many changes of each room; all without it")
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--workers", type=int, default=2, help="processes at a time")
    parser.add_argument("--fail-under", type=float, default=0.0, metavar="PERCENT", help="end with 1 below this rate")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found")
    parser.add_argument("--again", type=Path, metavar="FILE", help="only what survived in a file that --json wrote")
    asked = parser.parse_args()
    earlier = json.loads(asked.again.read_text(encoding="utf-8")) if asked.again else []
    again = {(each["source"], each["number"]) for each in earlier if not each["noticed"]}
    os.chdir(ROOT)
    for name in LIBRARIES:
        importlib.import_module(name)
    done: list[Mutant] = []
    for room in asked.room or USUAL:
        every = chosen = mutants(room, asked.module)
        if asked.again:
            chosen = [each for each in every if (str(each.source.relative_to(ROOT)), each.number) in again]
        elif 0 < asked.sample < len(every):
            chosen = sorted(random.Random(f"{asked.seed} {room}").sample(every, asked.sample))
        found = run(room, chosen, asked.workers) if chosen else []
        for mutant in found:
            if not mutant.noticed:
                where = f"{mutant.source.relative_to(ROOT)}:{mutant.line} {mutant.function}"
                print(f"{where}\n{shown(mutant.source, mutant.number)}")
        print(f"{room}: {rate(found):.1f} % of {len(found)} changes noticed ({len(every)} there are)")
        done += found
    print(f"all: {rate(done):.1f} % of {len(done)} changes noticed, seed {asked.seed}")
    if asked.json:
        rows = [{**each._asdict(), "source": str(each.source.relative_to(ROOT))} for each in done]
        asked.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(rate(done) < asked.fail_under)


def rate(done: Sequence[Mutant]) -> float:
    """Per cent of changes that were noticed."""
    return 100 * sum(each.noticed for each in done) / len(done) if done else 100.0


if __name__ == "__main__":
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    sys.exit(main())
