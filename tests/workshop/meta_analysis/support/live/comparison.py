"""Number by number: what two programs say of the same tables, and where they are further apart than they may be."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import numpy as np

HERE = Path(__file__).parent

TOLERANCES: Final = (
    ("*/effects/*", 1e-12),
    ("*/glmm*", 5e-4),
    ("*/q_profile/*", 1e-8),
    ("*/henmi_copas/half_width", 5e-4),
    ("*/trim_and_fill/*", 2e-5),
    ("moderators nearly collinear/*", 1e-5),
    ("*/pool/ML/*", 1e-6), ("*/pool/REML/*", 1e-6), ("*/pool/EB/*", 1e-6),
    ("*/pool/PM/*", 1e-8), ("*/pool/PMM/*", 1e-8),
    ("*/regression/*", 1e-6),
    ("*/asymmetry/*", 1e-6),
    ("*/diagnostics/*", 1e-6),
    ("*/cumulative/*", 1e-6),
    ("*", 1e-9),
)  # fmt: skip
"""What may lie between two programs, relatively, by path; the first that fits. metafor's iterations end at 1e-12 to
1e-10 of the variances, its trim and fill at 1e-5, its integral in ``hc`` at 1e-4; lme4's search at 1e-4 of tau2."""
NOTHING: Final = 1e-11
"""Absolutely, in units of the table: a 0 and what rounding leaves of it are the same. See `_unit`."""
_PERCENT: Final = 1e3
_TRIMMED: Final = 1e6
"""The same for tau2 of trim and fill, where metafor stops at 1e-5."""


@dataclass(frozen=True)
class Difference:
    """Where two answers differ: ours and theirs, numbers or messages."""

    path: str
    ours: object
    theirs: object


@dataclass(frozen=True)
class Outcome:
    """How many numbers were compared by block, the largest relative difference that counts as equal, the others."""

    compared: dict[str, int]
    largest: dict[str, float]
    differences: tuple[Difference, ...]


def metafor(tables: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Answers and versions of R's side, from one call."""
    asked, said = folder / "tables.json", folder / "answers.json"
    asked.write_text(json.dumps(tables))
    subprocess.run(["Rscript", "--vanilla", HERE / "metafor.R", asked, said], check=True, timeout=1800)
    found: dict[str, Any] = json.loads(said.read_text())
    return found


def compared(tables: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> Outcome:
    """Compare the answers for the same tables."""
    count: dict[str, int] = {}
    largest: dict[str, float] = {}
    differences = []
    for path, mine, other in _leaves("", _plain(ours), theirs):
        block = _block(path)
        count[block] = count.get(block, 0) + 1
        if isinstance(mine, float) and isinstance(other, float):
            tolerance = tolerance_of(path)
            apart = _apart(mine, other, NOTHING * _unit(tables[path.split("/")[0]], path))
            if apart <= tolerance:
                largest[block] = max(largest.get(block, 0.0), apart)
            else:
                differences.append(Difference(path, mine, other))
        elif mine != other and not (_refused(mine) and _refused(other)):
            differences.append(Difference(path, mine, other))
    return Outcome(count, largest, tuple(differences))


def tolerance_of(path: str) -> float:
    """What may lie between two numbers at this path, relatively."""
    return next(tolerance for pattern, tolerance in TOLERANCES if fnmatchcase(path, pattern))


def _unit(table: dict[str, Any], path: str) -> float:
    """Variances are told in those of the table, effects in their roots; counts have effects and statistics near 1."""
    if "/effects/" in path:
        return 0.0
    if path.endswith("trim_and_fill/tau2"):
        return _TRIMMED
    name = next(part for part in reversed(path.split("/")) if not part.isdigit())
    if name == "i2":
        return _PERCENT
    if "vi" not in table:
        return 1.0
    typical = float(np.mean(table["vi"]))
    if name in ("tau2", "se_tau2", "tau2_del"):
        return typical
    return math.sqrt(typical) if name in ("beta", "estimate", "se", "limit", "ci") or "prediction" in name else 1.0


def _apart(mine: float, other: float, nothing: float) -> float:
    if math.isnan(mine) or math.isnan(other):
        return 0.0 if math.isnan(mine) and math.isnan(other) else math.inf
    if mine == other or abs(mine - other) <= nothing:
        return 0.0
    return abs(mine - other) / max(abs(mine), abs(other)) if math.isfinite(mine - other) else math.inf


def _block(path: str) -> str:
    """``drawn 1/pool/DL/z/beta/0`` is of the block ``pool``, ``x/OR/mh/beta`` of ``mh``."""
    parts = path.split("/")[1:]
    return parts[1] if parts[0] in ("OR", "RR", "RD") else parts[0]


def _refused(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"error"}


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _leaves(path: str, mine: object, other: object) -> Iterator[tuple[str, object, object]]:
    if _refused(mine) or _refused(other):
        yield path, mine, other
    elif isinstance(mine, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*mine, *other]):
            yield from _leaves(f"{path}/{key}" if path else key, mine.get(key), other.get(key))
    elif isinstance(mine, list) or isinstance(other, list):
        # A vector of one is a number to R.
        a, b = (each if isinstance(each, list) else [each] for each in (mine, other))
        if len(a) != len(b):
            yield path, mine, other
            return
        for place, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from _leaves(f"{path}/{place}", x, y)
    else:
        yield path, _number(mine), _number(other)


def _number(value: object) -> object:
    if value is None or value == "NA":
        return math.nan
    if value in ("Inf", "-Inf"):
        return math.inf if value == "Inf" else -math.inf
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
