"""What may explain that studies differ: class, design, targets, and how common each trait was among their patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bcma_decide.vocabulary import CLASS_LABELS, MODEL_TRAITS, ModelTrait
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.schema import Study
from bcma_decide.workshop.evidence.selection import SelectedRow
from bcma_decide.workshop.evidence_report.populations import figure_of, is_recalled
from bcma_decide.workshop.meta_analysis.moderators import Value
from bcma_decide.workshop.patient_model.margins import share_of

__all__ = ["Moderator", "characteristics", "traits"]

_STEP: Final = 10.0
"""Percentage points that a coefficient of a prevalence stands for."""


@dataclass(frozen=True)
class Moderator:
    """A characteristic of the rows: ``values`` in steps of ``step`` units of ``axis``, or levels with a reference."""

    id: str
    label: str
    values: tuple[Value, ...]
    reference: str | None = None
    axis: str = ""
    step: float = 1.0

    @property
    def known(self) -> int:
        """How many rows have a value."""
        return sum(value is not None for value in self.values)


def characteristics(catalogue: Catalogue, rows: Sequence[SelectedRow]) -> tuple[Moderator, ...]:
    """Class, design and number of targets."""
    targets = ["two or more" if len(catalogue.study(row.study).targets) > 1 else "one" for row in rows]
    return (
        Moderator("class", "Class", tuple(CLASS_LABELS[row.class_id][0] for row in rows), CLASS_LABELS["car_t"][0]),
        Moderator("design", "Design", tuple(row.design.replace("_", " ") for row in rows), "interventional"),
        Moderator("targets", "Targets", tuple(targets), "one"),
    )


def traits(catalogue: Catalogue, rows: Sequence[SelectedRow]) -> tuple[Moderator, ...]:
    """The traits of the model by study, without recalled figures: median age and lines, prevalence of the others."""
    return tuple(_trait(trait, [catalogue.study(row.study) for row in rows]) for trait in MODEL_TRAITS)


def _trait(trait: ModelTrait, studies: Sequence[Study]) -> Moderator:
    values = [_value(trait, study) for study in studies]
    if trait.kind == "age":
        return Moderator(trait.id, "Median age, per year", tuple(values), axis="Median age, years")
    if trait.kind == "prior_lines":
        return Moderator(trait.id, "Median prior lines, per line", tuple(values), axis="Median prior lines")
    shares = tuple(None if value is None else value / _STEP for value in values)
    label = f"{trait.label}, per {_STEP:g} percentage points"
    return Moderator(trait.id, label, shares, axis=f"{trait.label}, percent of patients", step=_STEP)


def _value(trait: ModelTrait, study: Study) -> float | None:
    figure = figure_of(study, trait)
    if figure is None or is_recalled(figure):
        return None
    if trait.kind == "binary":
        share = share_of(figure)
        return None if share is None else 100 * share
    number = figure.value
    return float(number) if isinstance(number, (int, float)) and not isinstance(number, bool) else None
