"""What the load tool measured of the service, as it wrote it: ``python -m tests.load``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COLUMNS = {
    "a_second": "a second",
    "p50": "half within, ms",
    "p90": "9 of 10 within, ms",
    "p99": "99 of 100 within, ms",
    "longest": "longest, ms",
    "refused": "refused",
    "broken": "broken",
}


def service(path: Path | None) -> dict[str, dict[str, Any]]:
    """One row for each run of the load tool, on the machine and under the load that its file says; none without one."""
    return {} if path is None else dict(map(_row, json.loads(path.read_text(encoding="utf-8"))["runs"]))


def _row(run: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    kept = "with an audit" if run["audit"] else "no audit"
    memory = {"MB of all processes, after": sum(run["after"].values())}
    return f"{run['kind']}, {kept}, {run['at_once']} at once", {COLUMNS[key]: run[key] for key in COLUMNS} | memory
