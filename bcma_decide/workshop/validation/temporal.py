"""Later studies predicted from earlier ones: fitted to what was published by the source meta-analysis' search date."""

from __future__ import annotations

from dataclasses import replace

from bcma_decide.vocabulary import FAMILY_OF, OUTCOMES
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.validation.held_out import Evidence, effects_without
from bcma_decide.workshop.validation.leave_one_out import score_row
from bcma_decide.workshop.validation.shapes import ScoredRow

FEWEST_EARLIER = 2
"""Rows of a class from which a later one is predicted, as when single studies are left out."""


def search_date(catalogue: Catalogue) -> str:
    """The last date the source meta-analysis searched, as the evidence states it."""
    return next(str(fact.value) for fact in catalogue.source_meta_analysis.facts if fact.item == "search")


def undated(evidence: Evidence) -> tuple[str, ...]:
    """Studies with rows of which it is not known on which side of the date they lie: they are on neither."""
    used = {row.study for rows in evidence.rows.values() for row in rows}
    return tuple(sorted(study for study in used if evidence.inputs.studies[study].search_window is None))


def families_in_time() -> tuple[str, ...]:
    """Families by id, each one piece of work."""
    return tuple(dict.fromkeys(FAMILY_OF[outcome].id for outcome in OUTCOMES))


def predict_later(evidence: Evidence, family_id: str) -> list[ScoredRow]:
    """The later rows of one family, predicted from the earlier rows and contrasts.

    Contrasts of other reviews that name no study of the evidence stay in: they carry no date.
    """
    studies = evidence.inputs.studies
    outcomes = [outcome for outcome in OUTCOMES if FAMILY_OF[outcome].id == family_id]
    later = frozenset(study.id for study in studies.values() if not study.search_window)
    effects = effects_without(evidence, FAMILY_OF[outcomes[0]], later)
    earlier = {
        outcome: tuple(row for row in rows if studies[row.study].search_window)
        for outcome, rows in evidence.rows.items()
    }
    then = replace(evidence, rows=earlier)
    scored = []
    for outcome in outcomes:
        for row in (r for r in evidence.rows[outcome] if studies[r.study].search_window is False):
            mates = evidence.together[row.study]
            rest = [r for r in earlier[outcome] if r.class_id == row.class_id and r.study not in mates]
            if len(rest) >= FEWEST_EARLIER:
                scored.append(score_row(then, effects, row, rest))
    return scored
