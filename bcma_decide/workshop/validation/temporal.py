"""Later studies predicted from earlier ones: fitted to what was published by the source meta-analysis' search date."""

from __future__ import annotations

from dataclasses import replace

from bcma_decide.vocabulary import Family
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.validation.held_out import FEWEST_OTHERS, Evidence, effects_without, others
from bcma_decide.workshop.validation.leave_one_out import score_row
from bcma_decide.workshop.validation.shapes import ScoredRow


def search_date(catalogue: Catalogue) -> str:
    """The last date the source meta-analysis searched, as the evidence states it."""
    return next(str(fact.value) for fact in catalogue.source_meta_analysis.facts if fact.item == "search")


def undated(evidence: Evidence) -> tuple[str, ...]:
    """Studies with rows of which it is not known on which side of the date they lie: they are on neither."""
    used = {row.study for rows in evidence.rows.values() for row in rows}
    return tuple(sorted(study for study in used if evidence.inputs.studies[study].search_window is None))


def predict_later(evidence: Evidence, family: Family) -> list[ScoredRow]:
    """The later rows of one family, predicted from the earlier rows and contrasts.

    Contrasts of other reviews that name no study of the evidence stay in: they carry no date.
    """
    studies = evidence.inputs.studies
    later = frozenset(study.id for study in studies.values() if not study.search_window)
    effects = effects_without(evidence, family, later)
    earlier = {
        outcome: tuple(row for row in rows if studies[row.study].search_window)
        for outcome, rows in evidence.rows.items()
    }
    then = replace(evidence, rows=earlier)
    scored = []
    for threshold in family.thresholds:
        for row in (r for r in evidence.rows[threshold.id] if studies[r.study].search_window is False):
            rest = others(then, threshold.id, row)
            if len(rest) >= FEWEST_OTHERS:
                scored.append(score_row(then, effects, row, rest))
    return scored
