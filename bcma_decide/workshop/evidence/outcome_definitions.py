"""``outcome_definitions.yaml``: how an outcome was defined in a row, and whether such rows are pooled."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bcma_decide.workshop.evidence.schema import Identifier, Number, Strict, Text

FILE = "outcome_definitions.yaml"


class Offset(Strict):
    """Shift of near rows against rows of the usual definition, on the log odds: prior mean and SD."""

    mean: Number
    sd: Annotated[Number, Field(gt=0)]


class OutcomeDefinition(Strict):
    """One definition of one or more outcomes."""

    id: Identifier
    label: Text
    relation: Literal["same", "near"]
    """*same*: the usual definition, said outright. *near*: another one for nearly the same thing."""
    pooled: bool
    """Whether rows of it are pooled like any other; where not, they are there on request only."""
    rows_of: Annotated[dict[Identifier, Identifier], Field(min_length=1)]
    """Outcome of the row, and the outcome it stands for."""
    extra_sd: Annotated[Number, Field(gt=0)] | None = None
    """SD on the log odds that a model adds to a near row."""
    offset: Offset | None = None
    """Common shift of near rows on the log odds."""
    reason: Text
    source: Text

    @model_validator(mode="after")
    def _complete(self) -> OutcomeDefinition:
        if self.relation == "near" and (self.extra_sd is None or self.offset is None):
            raise ValueError("a near definition needs extra_sd and offset")
        if self.relation == "same" and (self.extra_sd is not None or self.offset is not None or not self.pooled):
            raise ValueError("the usual definition is pooled, without extra_sd or offset")
        return self


class OutcomeDefinitionsFile(Strict):
    """The whole file."""

    definitions: tuple[OutcomeDefinition, ...] = ()

    def get(self, definition: str | None) -> OutcomeDefinition | None:
        """Return the definition of this id; None where a row names none."""
        return next((one for one in self.definitions if one.id == definition), None)

    def on_request(self, definition: str | None, outcome: str) -> str | None:
        """Return the outcome that a row of ``outcome`` stands for on request only; None where it is no such row."""
        found = self.get(definition)
        return None if found is None or found.pooled else found.rows_of.get(outcome)
