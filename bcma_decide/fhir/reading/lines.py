"""Lines of therapy, inferred from dated exposure: never coded, so used only on request and always marked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from bcma_decide.fhir.reading.exposure import Dose
from bcma_decide.pooled.codes import LineRule


class Era(NamedTuple):
    """A stretch of time in which a drug was recorded."""

    start: date
    end: date
    drug: str


def inferred_lines(doses: Iterable[Dose], rule: LineRule) -> int | None:
    """Count lines of therapy; None where a drug has no exact date, or nothing was given."""
    spans: dict[str, list[tuple[date, date]]] = defaultdict(list)
    for dose in doses:
        if dose.find.state != "usable" or dose.drug in rule.not_counted:
            continue
        when = dose.find.when
        if when is None or (when.first != when.last and "/" not in when.text):
            return None
        spans[dose.drug].append((when.first, when.last))
    eras = sorted(era for drug, each in spans.items() for era in _eras(drug, sorted(each), rule.era_gap_days))
    return _count(eras, rule) if eras else None


def _eras(drug: str, spans: list[tuple[date, date]], gap: int) -> list[Era]:
    """Join spans of one drug that lie at most ``gap`` days apart."""
    eras: list[Era] = []
    for first, last in spans:
        if eras and first - eras[-1].end <= timedelta(days=gap):
            eras[-1] = eras[-1]._replace(end=max(eras[-1].end, last))
        else:
            eras.append(Era(first, last, drug))
    return eras


def _count(eras: list[Era], rule: LineRule) -> int:
    """Count lines: an era joins the current line if it begins in its window, or is one of its drugs without a pause."""
    lines = 0
    start = end = date.min
    drugs: set[str] = set()
    for era in eras:
        together = lines and era.start - start <= timedelta(days=rule.window_days)
        goes_on = era.drug in drugs and era.start - end <= timedelta(days=rule.gap_days)
        if together or goes_on:
            drugs.add(era.drug)
            end = max(end, era.end)
        else:
            lines, start, end, drugs = lines + 1, era.start, era.end, {era.drug}
    return lines
