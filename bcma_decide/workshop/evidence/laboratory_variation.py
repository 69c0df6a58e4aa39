"""What ``evidence/laboratory_variation.yaml`` may say, and the checks a type cannot make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.conditions import Within, leaves
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.workshop.evidence.schema import CitationEntry, Number, Strict, Text

FILE = "laboratory_variation.yaml"

Percent = Annotated[Number, Field(ge=0, lt=200)]


class VariationEntry(Strict):
    """Within-subject biological and analytical coefficient of variation of one measured field, in percent."""

    field: str
    within_subject: Annotated[Number, Field(gt=0, lt=200)]
    analytical: Percent
    basis: Literal["verified", "derived"]
    sources: Annotated[list[str], Field(min_length=1)]
    reason: Text


class VariationFile(Strict):
    """The whole file."""

    variation: Annotated[list[VariationEntry], Field(min_length=1)]
    sources: dict[str, CitationEntry]

    def bedside(self) -> list[dict[str, Any]]:
        """Plain data for the pooled file."""
        return [entry.model_dump(include={"field", "within_subject", "analytical"}) for entry in self.variation]


def variation_problems(checked: VariationFile, definitions: Definitions) -> Iterator[tuple[str, str]]:
    """Entries that are missing, superfluous or twice there, and sources that are not cited: (entry, message)."""
    needed = varying_fields(definitions)
    counts = Counter(entry.field for entry in checked.variation)
    for name in sorted(needed - counts.keys()):
        yield name, "is read by a cut-off, a score or a stage and has no variation"
    for name, count in counts.items():
        if count > 1:
            yield name, "stands there twice"
        if name not in needed:
            yield name, "is no measured field that a cut-off, a score or a stage reads"
    cited = {source for entry in checked.variation for source in entry.sources}
    yield from (("sources", f"{name!r} is not listed") for name in sorted(cited - checked.sources.keys()))
    yield from (("sources", f"{name!r} is not cited") for name in sorted(checked.sources.keys() - cited))


def varying_fields(definitions: Definitions) -> set[str]:
    """Measured fields that traits of the model rest on: by a cut-off, a band of a score, a stage, or a formula.

    Body weight enters a formula and is left out: it is read off a scale, and one step of it moves a clearance by less
    than the variation of creatinine does.
    """
    scores = definitions.scores
    names = {cut.field for cut in definitions.cut_offs}
    names |= {str(item.field) for score in scores.points for item in score.items if item.field is not None}
    for staging in scores.stagings:
        for stage in staging.stages:
            found = leaves(stage.when) if stage.when is not None else ()
            names |= {leaf.trait for leaf in found if isinstance(leaf, Within)}
    if names & {formula.gives for formula in scores.formulas}:
        names.add("creatinine")
    return {name for name in names if FIELDS[name].kind == "quantity"}
