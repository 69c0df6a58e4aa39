"""Published survival beside the numbers: quoted as printed, the group nearest to the patient first.

A row is shown where its group is this patient's: every group in ``of`` holds, nobody like the patient was left out, and
the study did not take in others only. What cannot be judged is not shown as this patient's; where only the study's
entry cannot be judged, the row stands last and says so. Nearness, for one option and endpoint:

1. rows of studies whose entry is settled;
2. the row whose groups (those of ``of`` and those the study took in) stand first in the evidence's list of groups: what
   sets a patient apart before its absence, more groups before fewer, everybody last;
3. figures that the evidence does not call immature;
4. the setting asked for;
5. the longest follow-up, then the most patients;
6. the name of the study.

Rows of a class stand in where a product of the class has no settled row of the same endpoint and first group: under the
class, and, where they are of a group, under each such product.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bcma_decide.comparison import PublishedOption
from bcma_decide.facts.leaf_table import CODE, TRUTH, LeafTable, code_of_one
from bcma_decide.logic import Truth, all_of
from bcma_decide.model.beside import kept_beside
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.pooled.quoted_book import Ends, QuotedComparator, QuotedFigures, QuotedRow
from bcma_decide.time_course import ENDPOINT_LABELS, Comparator, Duration, Survival, SurvivalTime
from bcma_decide.value import rounded
from bcma_decide.vocabulary import CLASSES, Design

ENDPOINTS: Final = tuple(ENDPOINT_LABELS)


class _Fit(Struct, frozen=True):
    """A row that fits the patient: where its groups stand in the list, and what of the study's entry is not known."""

    row: QuotedRow
    groups: tuple[int, ...]
    open: tuple[int, ...]
    option: str
    """Under which it is shown: its own, or a product that a row of the class stands in for."""

    def nearness(self, setting: Design, groups: int) -> tuple[object, ...]:
        """Sort key within one option and endpoint; ``groups`` is the length of the list."""
        row, n = self.row, self.row.figures.n
        return (
            bool(self.open),
            (*self.groups, groups),
            row.immature,
            row.setting != setting,
            -(row.follow_up_months or 0.0),
            -(n or 0),
            row.study,
            row.population,
        )


def quoted_survival(
    numbers: PatientNumbers, setting: Design, beside: Sequence[PublishedOption]
) -> tuple[Survival, ...]:
    """Every published row that fits the patient, by option and endpoint, the nearest first.

    ``beside`` are the regimens shown as published; rows of others are not shown.
    """
    pooled = numbers.pooled
    table = _groups(pooled)
    codes = [CODE[each.value] for each in table.judged(numbers.traits.facts)]
    holds = tuple(TRUTH[code_of_one(program, codes)] for program in table.programs)
    return _rows(pooled, setting, tuple(option.id for option in beside), holds)


@kept_beside(4)
def _groups(pooled: PooledEvidence) -> LeafTable:
    return LeafTable((group.when for group in pooled.published.survival.groups), pooled.definitions)


@kept_beside(256)
def _rows(
    pooled: PooledEvidence, setting: Design, beside: tuple[str, ...], holds: tuple[Truth, ...]
) -> tuple[Survival, ...]:
    """The rows of all patients of whom the same groups hold; ``holds`` by group."""
    order = [*(option.id for option in pooled.options), *beside]
    fits = list(_fits(pooled, holds, set(order)))
    shown = [fit for fit in fits if fit.row.option not in CLASSES]
    shown += [each for fit in fits if fit.row.option in CLASSES for each in _standing_in(fit, shown, pooled)]
    labels = tuple(group.label for group in pooled.published.survival.groups)

    def place(fit: _Fit) -> tuple[object, ...]:
        return order.index(fit.option), ENDPOINTS.index(fit.row.endpoint), fit.nearness(setting, len(labels))

    return tuple(
        _survival(fit.row, fit.option, tuple(labels[i] for i in fit.groups), tuple(labels[i] for i in fit.open))
        for fit in sorted(shown, key=place)
    )


def _fits(pooled: PooledEvidence, by_group: Sequence[Truth], options: Collection[str]) -> Iterator[_Fit]:
    groups = pooled.published.survival.groups
    place = {group.id: index for index, group in enumerate(groups)}
    holds = {group.id: value for group, value in zip(groups, by_group, strict=True)}
    for row in pooled.published.survival.rows:
        entry = [holds[group] for group in row.studied]
        out = any(holds[group] for group in row.left_out)
        if row.option not in options or out or all_of(entry) is False:
            continue
        if all_of(holds[group] for group in row.of) is True:
            known = {place[group] for group in (*row.of, *row.studied) if holds[group]}
            unknown = {place[group] for group in row.studied if holds[group] is None}
            yield _Fit(row, tuple(sorted(known)), tuple(sorted(unknown)), row.option)


def _standing_in(fit: _Fit, own: Sequence[_Fit], pooled: PooledEvidence) -> Iterator[_Fit]:
    """A row of a class under the class and its products, as far as products lack one of their own."""
    having = {
        other.option
        for other in own
        if other.row.endpoint == fit.row.endpoint and other.groups[:1] == fit.groups[:1] and not other.open
    }
    lacking = [
        option.id
        for option in pooled.options
        if option.kind == "product" and option.class_id == fit.row.option and option.id not in having
    ]
    if lacking:
        yield fit
    if fit.groups:
        yield from (replace(fit, option=product) for product in lacking)


@lru_cache(maxsize=512)
def _survival(row: QuotedRow, option: str, subgroup: tuple[str, ...], not_settled: tuple[str, ...]) -> Survival:
    figures = row.figures
    return Survival(
        option=option,
        endpoint=row.endpoint,
        label=ENDPOINT_LABELS[row.endpoint],
        kind="published",
        origin=row.origin,
        population=row.population,
        subgroup=subgroup,
        not_settled=not_settled,
        of_class=option != row.option,
        setting=row.setting,
        times=_times(figures),
        median_months=_median(figures),
        n_studies=1,
        n_patients=figures.n,
        follow_up_months=row.follow_up_months,
        study=row.study,
        comparator=_comparator(row.comparator),
        basis=row.basis,
        sources=row.sources,
        note=row.note,
    )


def _median(figures: QuotedFigures) -> Duration | None:
    """None where nothing is said of it; without a value where it was not reached."""
    if figures.median is None and figures.reached:
        return None
    return Duration(value=figures.median, credible=figures.ends)


def _times(figures: QuotedFigures) -> tuple[SurvivalTime, ...]:
    return tuple(
        SurvivalTime(
            month=rounded(each.month),
            mean=rounded(each.share),
            credible=each.ends and (_rounded(each.ends[0]), _rounded(each.ends[1])),
        )
        for each in figures.times
    )


def _rounded(end: float | None) -> float | None:
    return None if end is None else rounded(end)


def _comparator(beside: QuotedComparator | None) -> Comparator | None:
    if beside is None:
        return None
    figures = beside.figures
    return Comparator(
        label=beside.label,
        times=_times(figures) if figures else (),
        median_months=_median(figures) if figures else None,
        n_patients=figures.n if figures else None,
        hazard_ratio=beside.hazard_ratio,
        hazard_ratio_interval=_whole(beside.ends),
    )


def _whole(ends: Ends | None) -> tuple[float, float] | None:
    """An interval with both ends."""
    return (ends[0], ends[1]) if ends is not None and ends[0] is not None and ends[1] is not None else None
