"""Base of every shape of the answer: immutable, strict, numbers rounded once."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def rounded(value: float) -> float:
    """A number as it leaves the program: six decimals, so that machines agree to the last digit printed."""
    return round(value, 6) + 0.0


Number = Annotated[float, AfterValidator(rounded)]
Interval = tuple[Number, Number]
"""Lower and upper end of a 95 % interval."""


class Value(BaseModel):
    """Base of every shape here: immutable, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)
