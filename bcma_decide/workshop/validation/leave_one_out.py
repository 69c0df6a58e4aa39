"""Every arm total predicted without its study and without all that shares patients or a trial with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bcma_decide.vocabulary import FAMILY_OF, Family
from bcma_decide.workshop.evidence.selection import SelectedRow
from bcma_decide.workshop.patient_model.fit import has_later_stages
from bcma_decide.workshop.validation.forecast import judge
from bcma_decide.workshop.validation.held_out import Evidence, HeldOutEffects, effects_without, held_out_cells
from bcma_decide.workshop.validation.predictors import forecasts
from bcma_decide.workshop.validation.scores import predicted_of
from bcma_decide.workshop.validation.shapes import ScoredRow

STUDIES: Final = 6
"""Studies of one piece of work."""


def batched(values: Sequence[list[int]], size: int) -> Iterator[Sequence[list[int]]]:
    """Some values, ``size`` at a time."""
    return (values[start : start + size] for start in range(0, len(values), size))


def shared_fits(evidence: Evidence, outcomes: Iterable[str]) -> list[tuple[int, ...]]:
    """Places among `held_out_cells` of the cells to predict, those of a few studies that need the same fits together.

    Leaving out a study changes the trait effects of a family only where it brought a contrast, so most cells of a
    family share one fit of them; the outcomes of one study share the fits of the family's stages. Groups are small
    enough for several processes to end at one time.
    """
    wanted = set(outcomes)
    groups: dict[tuple[str, frozenset[str]], dict[str, list[int]]] = {}
    for place, (outcome, row, _) in enumerate(held_out_cells(evidence)):
        if outcome in wanted:
            family = FAMILY_OF[outcome]
            of_group = groups.setdefault((family.id, _contrasts_lost(evidence, family, row)), {})
            of_group.setdefault(row.study, []).append(place)
    return [
        tuple(place for of_study in some for place in of_study)
        for of_group in groups.values()
        for some in batched(list(of_group.values()), STUDIES)
    ]


def predict_cells(evidence: Evidence, places: Sequence[int]) -> list[tuple[int, ScoredRow]]:
    """Predict the cells of one group, each with its place; ``places`` is an item of :func:`shared_fits`."""
    cells = held_out_cells(evidence)
    outcome, row, _ = cells[places[0]]
    family = FAMILY_OF[outcome]
    effects = effects_without(evidence, family, _contrasts_lost(evidence, family, row))
    return [(place, score_row(evidence, effects, cells[place][1], cells[place][2])) for place in places]


def score_row(evidence: Evidence, effects: HeldOutEffects, row: SelectedRow, rest: Sequence[SelectedRow]) -> ScoredRow:
    """Predict one row from other rows of its class by every predictor, and hold each against the count."""
    said = forecasts(evidence, effects, row, rest)
    return ScoredRow(
        outcome=row.outcome,
        study=row.study,
        name=evidence.inputs.studies[row.study].name,
        arm=row.arm,
        class_id=row.class_id,
        design=row.design,
        events=row.events,
        n=row.n,
        product=row.products[0] if len(row.products) == 1 else None,
        predicted={name: predicted_of(judge(forecast, row.events, row.n)) for name, forecast in said.items()},
    )


def _contrasts_lost(evidence: Evidence, family: Family, row: SelectedRow) -> frozenset[str]:
    """Patient sets of the family's contrasts that leaving out this row's study leaves out."""
    contrasts = evidence.contrasts[family.id].contrasts
    if has_later_stages(family):
        contrasts = (*contrasts, *evidence.depth_contrasts)
    return frozenset(c.patients for c in contrasts) & evidence.together[row.study]
