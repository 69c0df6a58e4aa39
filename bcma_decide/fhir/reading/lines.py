"""Lines of therapy, inferred from dated exposure: never coded, so used only on request and always marked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from bcma_decide.fhir.reading.dates import When
from bcma_decide.fhir.reading.exposure import Dose
from bcma_decide.fhir.reading.find import Find
from bcma_decide.pooled.codes import LineRule
from bcma_decide.pooled.definitions import Definitions

_CAR_T: Final = "car_t"
_WHOLE_DAY: Final = len("2026-11-25")


class Era(NamedTuple):
    """A stretch of time in which a drug was recorded."""

    start: date
    end: date
    drug: str
    transplant: bool = False
    """Whether it belongs to a transplantation: mobilisation, high-dose therapy, or the transplantation itself."""


def inferred_lines(
    doses: Iterable[Dose], transplants: Iterable[Find], rule: LineRule, definitions: Definitions, on: date
) -> int | None:
    """Count lines of therapy; None where nothing was given, or the days of a drug are not known.

    Orders and statements without the day of a dose add nothing where other records of the drug have one.
    """
    spans: dict[str, list[tuple[date, date]]] = defaultdict(list)
    undated: set[str] = set()
    for dose in doses:
        if dose.find.state != "usable" or dose.drug in rule.not_counted:
            continue
        if not dose.dated:
            undated.add(dose.drug)
            continue
        span = _exact(dose.find.when, on, ongoing=dose.ongoing)
        if span is None:
            return None
        spans[dose.drug].append(span)
    if undated - spans.keys():
        return None
    eras = [era for drug, each in spans.items() for era in _eras(drug, sorted(each), rule.era_gap_days)]
    days = [span for find in transplants if find.state == "usable" and (span := _exact(find.when, on)) is not None]
    cells = {drug.id for drug in definitions.drugs if drug.modality == _CAR_T}
    counted = [*_without_bridging(eras, cells, rule), *(Era(first, last, "") for first, last in days)]
    return _count(_with_transplants(sorted(counted), rule), rule) if eras else None


def _exact(when: When | None, on: date, *, ongoing: bool = False) -> tuple[date, date] | None:
    """First and last day of a time; None where either is not exact."""
    if when is None:
        return None
    start = when.text.partition("/")[0]
    end = when.end or when
    if len(start) != _WHOLE_DAY or end.first != end.last:
        return None
    return when.first, max(when.first, on) if ongoing else end.last


def _eras(drug: str, spans: list[tuple[date, date]], gap: int) -> list[Era]:
    """Join spans of one drug that lie at most ``gap`` days apart."""
    eras: list[Era] = []
    for first, last in spans:
        if eras and first - eras[-1].end <= timedelta(days=gap):
            eras[-1] = eras[-1]._replace(end=max(eras[-1].end, last))
        else:
            eras.append(Era(first, last, drug))
    return eras


def _with_transplants(eras: Sequence[Era], rule: LineRule) -> list[Era]:
    """Mark what belongs to a transplantation; drugs of it are given over a few days, longer ones are of a regimen."""
    near = timedelta(days=rule.mobilisation_days)
    short = [era for era in eras if era.end - era.start <= timedelta(days=rule.high_dose_days)]
    days = [era.start for era in short if not era.drug or era.drug in rule.high_dose]
    around = {
        era
        for era in short
        if (era.start in days and (not era.drug or era.drug in rule.high_dose))
        or (era.drug in rule.mobilising and any(era.start <= day and day - era.start <= near for day in days))
    }  # fmt: skip
    return [era._replace(transplant=era in around) for era in eras]


def _without_bridging(eras: Sequence[Era], cells: set[str], rule: LineRule) -> Iterator[Era]:
    """Leave out what was given between the collection of cells and their infusion."""
    infusions = [era.start for era in eras if era.drug in cells]
    within = timedelta(days=rule.bridging_days)
    for era in eras:
        bridges = any(era.start < day and day - era.start <= within and era.end <= day for day in infusions)
        if era.drug in cells or not bridges:
            yield era


def _count(eras: Sequence[Era], rule: LineRule) -> int:
    """Count lines.

    An era joins the current line if it begins in its window, is one of its drugs without a pause, or belongs to its
    transplantation or follows it.
    """
    lines = 0
    start = end = date.min
    drugs: set[str] = set()
    transplanted: date | None = None
    gap, near = timedelta(days=rule.gap_days), timedelta(days=rule.transplant_gap_days)
    for era in eras:
        if era.transplant and lines and era.start - end <= near:
            transplanted, end = era.end, max(end, era.end)
            continue
        if not era.drug:
            continue
        together = lines and era.start - start <= timedelta(days=rule.window_days)
        goes_on = era.drug in drugs and era.start - end <= gap
        follows = transplanted is not None and era.start - transplanted <= near
        if together or goes_on or follows:
            drugs.add(era.drug)
            end = max(end, era.end)
        else:
            lines, start, end, drugs, transplanted = lines + 1, era.start, era.end, {era.drug}, None
    return lines
