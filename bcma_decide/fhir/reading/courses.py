"""What the doses of a record come to: one line a drug, and the courses of BCMA therapy with the time since each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from msgspec.structs import replace

from bcma_decide.fhir.reading.dates import When, whole_months
from bcma_decide.fhir.reading.exposure import Dose
from bcma_decide.fhir.reading.find import Find
from bcma_decide.pooled.codes import LAYERS
from bcma_decide.pooled.definitions import Definitions

COURSES: Final = "prior_bcma_courses"
_DENIED: Final = "an order or dispense only, and another record says that it was not given"
_NO_DOSE_DATE: Final = "the date is that of the order or statement; the day of a dose is not recorded"


def without_denied(doses: Sequence[Dose]) -> list[Dose]:
    """Refuse orders and dispenses of a drug that another record says was not given, where nothing says that it was."""
    given = {dose.drug for dose in doses if dose.find.state == "usable" and not dose.is_weak}
    denied = {dose.drug for dose in doses if dose.denies and not dose.is_weak} - given
    return [
        replace(dose, find=dose.find.refused(_DENIED)) if dose.drug in denied and dose.find.state == "usable" else dose
        for dose in doses
    ]


def one_line_each(doses: Sequence[Dose], definitions: Definitions) -> Iterator[tuple[str, Find, bool]]:
    """One find for each drug that was given, and for each reason why records of a drug do not count.

    Yields
    ------
    tuple
        The drug, the find to show (the surest step, the newest date), and whether it was given.
    """
    groups: dict[tuple[int, str], list[Dose]] = defaultdict(list)
    order = {drug.id: number for number, drug in enumerate(definitions.drugs)}
    for dose in doses:
        reason = "" if dose.find.state == "usable" else f"{dose.find.state}: {dose.find.note}"
        groups[order[dose.drug], reason].append(dose)
    for (number, _), group in sorted(groups.items()):
        surest = min(group, key=_surety)
        find = surest.find
        undated = _NO_DOSE_DATE if find.state == "usable" and find.when and not surest.dated else ""
        count = f"{len(group)} records" if len(group) > 1 else ""
        note = "; ".join(part for part in (find.note, undated, count) if part)
        drug = definitions.drugs[number].id
        text = find.text
        shown = text if text.casefold() == drug else f"{drug} ({text})" if text else drug
        ended = When(find.when.last, find.when.last, None, find.when.text) if find.when else None
        yield drug, replace(find, text=shown, note=note, when=ended), find.state == "usable"


def _surety(dose: Dose) -> tuple[int, int, str, str]:
    find = dose.find
    step = LAYERS.index(find.layer) if find.layer in LAYERS else len(LAYERS)
    return step, -(find.when.last.toordinal() if find.when else 0), find.text, find.resource


def courses(doses: Iterable[Dose], definitions: Definitions, on: date) -> tuple[list[str], list[Find]]:
    """Courses of BCMA therapy as the profile reads them, and the find of the last dose behind each."""
    given: dict[str, list[Dose]] = defaultdict(list)
    for dose in doses:
        if dose.find.state == "usable":
            given[dose.drug].append(dose)
    values, finds = [], []
    for drug in definitions.drugs:
        if "bcma" in drug.targets and drug.id in given:
            last, months, note = _time_since(given[drug.id], on)
            value = str(drug.modality) if months is None else f"{drug.modality}:{months}"
            values.append(value)
            finds.append(replace(last.find, field=COURSES, text=drug.id, value=value, note=note))
    return values, finds


def _time_since(doses: Sequence[Dose], on: date) -> tuple[Dose, int | None, str]:
    """The record to show, whole months since the last dose where they can be told, and how that is known."""
    ongoing = [dose for dose in doses if dose.ongoing or _goes_on(dose, on)]
    if ongoing:
        return max(ongoing, key=_last), None, "ongoing: there is no last dose yet"
    dated = [dose for dose in doses if dose.dated]
    if not dated:
        newest = max(doses, key=_last)
        return newest, None, "; ".join(
            part for part in ("months since the last dose not known", _NO_DOSE_DATE if newest.find.when else "") if part
        )  # fmt: skip
    last = max(dated, key=_last)
    when = last.find.when
    if any(_last(dose)[0] > _last(last)[0] for dose in doses if dose.is_order):
        return last, None, "ordered again after the last recorded dose; months since the last dose not known"
    months = whole_months(when, on) if when else None
    exact = f"last recorded dose {months} months before"
    return last, months, exact if months is not None else "its date is not exact enough for months"


def _goes_on(dose: Dose, on: date) -> bool:
    """Whether a period of doses ends after the day asked for."""
    when = dose.find.when
    return bool(dose.dated and when and when.end and when.end.first > on)


def _last(dose: Dose) -> tuple[int, str]:
    return (dose.find.when.last.toordinal() if dose.find.when else 0, dose.find.resource)
