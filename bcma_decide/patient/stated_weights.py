"""What somebody says that matters to them: the weights that go in.

They come from files, requests and forms and are validated; a comparison without them needs nothing of this.
"""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bcma_decide.preference_shapes import MOST_CRITERIA, MOST_POINTS, WeightKind


def _finite(value: float) -> float:
    if not isfinite(value):
        raise ValueError("is not a number that can be used")
    return value


Finite = Annotated[float, Field(strict=True), AfterValidator(_finite)]
Points = Annotated[float, Field(strict=True, ge=0, le=MOST_POINTS), AfterValidator(_finite)]


class CriterionWeight(BaseModel):
    """One criterion of the person's choice: the change from its least to its most attractive end, and what it counts.

    ``points``: of this change against the others, or the least and most points it may get; ``rank``: 1 for the change
    that matters most. Neither: nothing is said. ``from`` and ``to`` are of 100 patients, or in the unit of a fact.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)

    criterion: str = Field(min_length=1, max_length=60)
    points: Points | tuple[Points, Points] | None = None
    rank: Annotated[int, Field(strict=True, ge=1)] | None = None
    least: Finite | None = Field(default=None, alias="from")
    """Least attractive end of the change."""
    most: Finite | None = Field(default=None, alias="to")
    """Most attractive end of it."""

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and most points; 0 and 0 where none are given."""
        if isinstance(self.points, tuple):
            return self.points
        return (self.points or 0.0, self.points or 0.0)


class Weights(BaseModel):
    """What matters to somebody, by swing weighting.

    Points are given to changes, never to names of outcomes: the weight of a criterion is the worth of its whole change
    beside that of the others (von Winterfeldt D, Edwards W. Decision Analysis and Behavioral Research, 1986, ch. 8).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    criteria: tuple[CriterionWeight, ...] = Field(min_length=1, max_length=MOST_CRITERIA)

    @property
    def kind(self) -> WeightKind:
        """How the weights are stated."""
        if any(isinstance(each.points, tuple) for each in self.criteria):
            return "ranges"
        if any(each.points is not None for each in self.criteria):
            return "points"
        return "order" if any(each.rank is not None for each in self.criteria) else "open"

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, values: Any) -> Any:  # noqa: ANN401  # plain data of a file
        if isinstance(values, list):
            raise ValueError("write 'criteria:' before the list")  # noqa: TRY004  # pydantic wants a ValueError
        return values
