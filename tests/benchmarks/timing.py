"""CPU time of calls and commands, and a piece of work it is held against.

Milliseconds belong to a machine and to what else it does; ratios to a yardstick taken in the same process, turn by
turn, do not. Only CPU time counts, the least of several turns: what others do can add to it and never take away.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tests.support.places import ROOT

Work = Callable[[], Any]
Name = TypeVar("Name", bound=Hashable)

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def yardstick() -> int:
    """Work of the kinds the program does, in about equal parts: dictionaries and text, and small arrays.

    No long arrays: how fast their exponential is against all else differs by a quarter from machine to machine, and
    with what others do at the time.
    """
    rows = [{"id": f"row {n}", "value": n / 7, "parts": [n, n + 1, str(n)]} for n in range(400)]
    text = json.dumps(rows)
    small = np.linspace(0.1, 1.0, 24)
    total = 0.0
    for _ in range(600):
        total += float((small * small + 1.0).sum())
    return len(json.loads(text)) + int(total)


def least_cpu(works: Mapping[Name, Work], seconds: float, fewest: int = 3) -> dict[Name, float]:
    """Least CPU seconds of each work, done turn by turn until ``seconds`` of CPU are used, each ``fewest`` times."""
    found = dict.fromkeys(works, float("inf"))
    begun, turns = time.process_time(), 0
    while turns < fewest or time.process_time() - begun < seconds:
        for name, work in works.items():
            before = time.process_time()
            work()
            found[name] = min(found[name], time.process_time() - before)
        turns += 1
    return found


def per_yardstick(
    works: Mapping[str, Work], seconds: float, fewest: int = 3, own: Mapping[str, Work] | None = None
) -> dict[str, float]:
    """CPU time of each work in yardsticks of the same process; ``own`` has those of works of another kind."""
    for work in works.values():
        work()
    others = {("", name): work for name, work in (own or {}).items() if name in works}
    found = least_cpu({"": yardstick, **others, **works}, seconds, fewest)
    return {name: found[name] / found[("", name) if ("", name) in others else ""] for name in works}


def least_cpu_of_commands(commands: Mapping[str, Sequence[str]], turns: int) -> dict[str, float]:
    """Least CPU seconds of whole processes, user and system, run turn by turn."""
    found = dict.fromkeys(commands, float("inf"))
    for turn in range(turns + 1):
        for name, command in commands.items():
            taken, _ = cpu_of(command)
            # the first turn fills the caches of files and bytecode
            found[name] = min(found[name], taken) if turn else found[name]
    return found


def cpu_of(command: Sequence[str], folder: Path = ROOT) -> tuple[float, str]:
    """CPU seconds of one process with its children, and what it printed."""
    environment = {**os.environ, **ONE_THREAD, "COLUMNS": "120", "PYTHONDONTWRITEBYTECODE": ""}
    before = os.times()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    after = os.times()
    taken = after.children_user + after.children_system - before.children_user - before.children_system
    return taken, done.stdout


def program(*arguments: str) -> list[str]:
    """The command line of the program from this folder."""
    start = "import sys; sys.path.insert(0, '.'); from bcma_decide.cli import main; main()"
    return [sys.executable, "-c", start, *arguments]


def surroundings() -> dict[str, Any]:
    """What the figures were taken on and with."""
    names = ("numpy", "scipy", "pydantic", "msgspec", "pymare", "statsmodels", "pyarrow")
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "system": platform.platform(terse=True),
        "load average": [round(each, 2) for each in os.getloadavg()],
        "python": platform.python_version(),
        **{name: found for name in names if (found := _version(name))},
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
