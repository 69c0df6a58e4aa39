"""What may not become slower: works in yardsticks, held to the committed ratios of ``reference.json``.

A busy machine, another processor or another version of NumPy moves ratios too, so the bound is wide, the least of
several turns counts, and what is over it is measured again for longer before it fails.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks import bedside, workshop
from tests.benchmarks.timing import Work, per_yardstick

REFERENCE = Path(__file__).with_name("reference.json")
SLOWER = 1.30
SECONDS = 3.0
AGAIN = 3


def works() -> dict[str, Work]:
    """Everything that is guarded."""
    return {**bedside.warm_works(), **workshop.guarded()}


def slower() -> dict[str, float]:
    """How many times its committed ratio each work takes that is over the bound in every attempt."""
    committed = json.loads(REFERENCE.read_text(encoding="utf-8"))
    left, own = works(), bedside.own_yardsticks()
    assert left.keys() == committed.keys(), "write the ratios anew: python -m tests.benchmarks --keep"
    least = dict.fromkeys(left, float("inf"))
    for attempt in range(AGAIN):
        found = per_yardstick(left, SECONDS * (attempt + 1), own=own)
        least |= {name: min(least[name], value) for name, value in found.items()}
        left = {name: work for name, work in left.items() if least[name] > SLOWER * committed[name]}
        if not left:
            break
    return {name: least[name] / committed[name] for name in left}


def keep() -> None:
    """Write today's ratios as the reference."""
    found = per_yardstick(works(), 4 * SECONDS, own=bedside.own_yardsticks())
    REFERENCE.write_text(
        json.dumps({name: round(value, 3) for name, value in found.items()}, indent=1) + "\n", encoding="utf-8"
    )
