"""Where the evidence lies: an explicit directory, the environment, the installed package, or the source tree."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from bcma_decide.errors import NoEvidenceError, Problem

ENVIRONMENT_VARIABLE = "BCMA_DECIDE_EVIDENCE"
POOLED_FILE = "pooled.json"
STUDIES = "studies"


def evidence_directory(explicit: Path | None = None) -> Path:
    """Directory of the evidence.

    Order: ``explicit``, the variable BCMA_DECIDE_EVIDENCE, the copy inside the installed package, the source tree.

    Raises
    ------
    NoEvidenceError
        When the directory named does not exist, or none of the usual places has one.
    """
    named = explicit or (Path(os.environ[ENVIRONMENT_VARIABLE]) if os.environ.get(ENVIRONMENT_VARIABLE) else None)
    if named is not None:
        if not named.is_dir():
            problem = Problem(str(named), "is not a directory", f"name a folder with {POOLED_FILE} in it")
            raise NoEvidenceError("the evidence directory was not found", [problem])
        return named
    for candidate in _usual_places():
        if (candidate / POOLED_FILE).is_file() or (candidate / STUDIES).is_dir():
            return candidate
    raise NoEvidenceError("the package came without its evidence", [Problem("", "reinstall it, or use --evidence DIR")])


@cache
def _usual_places() -> tuple[Path, ...]:
    """Inside the installed package, and beside it in the source tree."""
    package = Path(__file__).resolve().parents[1]
    return package / "_evidence", package.parent / "evidence"


def pooled_path(explicit: Path | None = None) -> Path:
    """Path of the pooled file in the evidence directory (it may not exist yet)."""
    return evidence_directory(explicit) / POOLED_FILE
