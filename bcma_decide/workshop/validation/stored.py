"""The last whole run as a file beside the pooled file: written, read, and known to be of that pooled file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from bcma_decide.errors import EvidenceError, NoEvidenceError, Problem
from bcma_decide.workshop.validation.shapes import Validation
from bcma_decide.workshop.validation.validate import FILE, pooled_hash

_REMEDY: Final = "run: bcma-decide evidence validate"


def stored_text(validation: Validation) -> str:
    """The document as text: one row, group or case to a line."""
    lines = []
    for key, value in validation.model_dump(mode="json").items():
        if isinstance(value, list) and value:
            inner = ",\n ".join(json.dumps(item, separators=(",", ":"), ensure_ascii=False) for item in value)
            lines.append(f"{json.dumps(key)}:[\n {inner}]")
        else:
            lines.append(f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'), ensure_ascii=False)}")
    return "{" + ",\n".join(lines) + "}\n"


def read_stored(directory: Path) -> Validation:
    """The stored run of an evidence directory.

    Raises
    ------
    NoEvidenceError
        When there is none.
    EvidenceError
        When it cannot be read, or is of another pooled file than the one there.
    """
    path = directory / FILE
    try:
        validation = Validation.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError:
        raise NoEvidenceError("there is no validation", [Problem(FILE, "is missing", _REMEDY)]) from None
    except ValidationError:
        problem = Problem(FILE, "does not have the shape of a validation", _REMEDY)
        raise EvidenceError("the validation cannot be read", [problem]) from None
    if validation.stamp.pooled_hash != pooled_hash(directory):
        problem = Problem(FILE, "was made from another pooled file than the one there", _REMEDY)
        raise EvidenceError("the validation is not of these numbers", [problem])
    return validation
