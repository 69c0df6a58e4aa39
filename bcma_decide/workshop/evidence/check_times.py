"""Whether the times to event of a study can be: one generator of problems per rule.

A row is *counted* if it is a point of an arm's whole-group curve (``primary``) or progression-free survival in a group
by a trait of the model. A printed median is read as the month at which half are free of the event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from bcma_decide.errors import Problem
from bcma_decide.pooled.location import STUDIES
from bcma_decide.vocabulary import MODEL_TRAIT_IDS, PFS, UNVERIFIED, ClassId
from bcma_decide.workshop.evidence.check_words import Found
from bcma_decide.workshop.evidence.schema import Interval, Origin, Study, TimeToEvent

HALF: Final = 50.0
STARTS: Final[dict[ClassId, tuple[Origin, ...]]] = {
    "car_t": ("randomisation", "apheresis", "infusion"),
    "bite": ("randomisation", "first_dose"),
}
"""What a counted time can start from, by class."""
CENSORING: Final = 1.0
"""Percentage points by which progression-free may exceed overall survival: it is also censored at a new therapy."""
RANDOMISED_STARTS: Final[tuple[Origin, ...]] = ("randomisation", "apheresis")
"""What counts everybody who was randomised, whether treated or not."""


@dataclass(frozen=True)
class Point:
    """One printed point of a curve: ``pct`` free of the event at ``month``, and the field it stands in."""

    row: int
    field: str
    month: float
    pct: float
    ci95: Interval | None
    is_median: bool

    @property
    def words(self) -> str:
        """The point as a problem quotes it."""
        return f"a median of {self.month:g} months" if self.is_median else f"{self.pct:g} % at {self.month:g} months"


def counted(row: TimeToEvent) -> bool:
    """Whether the row is meant for the model of progression-free survival."""
    return row.primary or (row.endpoint == PFS and row.trait in MODEL_TRAIT_IDS)


def points(index: int, row: TimeToEvent) -> tuple[Point, ...]:
    """Every point of a row: its landmarks, and its median where it was reached."""
    field = f"time_to_event[{index}]"
    found = [
        Point(index, f"{field}.landmarks[{place}].pct", landmark.month, landmark.pct, landmark.ci95, False)
        for place, landmark in enumerate(row.landmarks)
    ]
    if row.median_months is not None:
        found.append(Point(index, f"{field}.median_months", row.median_months, HALF, row.ci95, True))
    return tuple(found)


def origin_of_counted(study: Study) -> Found:
    """Ask of every counted row what it is counted from, and that its class and design can count from there."""
    randomised = _randomised(study)
    for index, row in enumerate(study.time_to_event):
        field = f"time_to_event[{index}].origin"
        if not counted(row):
            continue
        if row.origin is None:
            yield field, "a counted row needs the start of its time", "name it, or leave the row uncounted"
        elif row.origin not in STARTS[study.class_id]:
            yield field, f"{row.origin} does not start a time of class {study.class_id}", ""
        elif row.primary and randomised and row.origin not in RANDOMISED_STARTS:
            yield field, f"{row.origin}, but the study is randomised", "count from randomisation or apheresis"


def _randomised(study: Study) -> bool:
    return any(row.denominator == "randomised" for row in study.outcomes) or any(
        row.origin == "randomisation" for row in study.time_to_event
    )


def patients_of_counted(study: Study) -> Found:
    """Ask of every primary row how many patients it is about, and of every counted row no more than there are."""
    everybody = max(study.enrolled or 0, study.treated or 0)
    for index, row in enumerate(study.time_to_event):
        field = f"time_to_event[{index}].n"
        if row.primary and row.n is None and study.treated is None:
            yield field, "a primary row needs its number of patients", ""
        elif counted(row) and row.n is not None and 0 < everybody < row.n:
            yield field, f"{row.n} patients in a study of {everybody}", ""


def primary_can_be_counted(study: Study) -> Found:
    """Allow as primary only points of the whole group's progression-free survival, in a study that may be pooled."""
    for index, row in enumerate(study.time_to_event):
        field = f"time_to_event[{index}].primary"
        if not row.primary:
            continue
        if row.endpoint != PFS:
            yield field, f"{row.endpoint} is not counted", f"only {PFS} is"
        if row.trait is not None:
            yield field, f"a group by {row.trait} is not the whole group", ""
        if not points(index, row):
            yield field, "has neither a median nor a landmark", ""
        if row.inconsistent:
            yield field, "an inconsistent row is not counted", ""
        if study.pooling.role in ("context", "splits_only"):
            yield field, f"the whole group of a {study.pooling.role} study is not counted", ""


def counted_once(study: Study) -> Found:
    """Require that no figure of a counted curve is entered for two cuts, and no patient in two whole-group curves."""
    arms = {row.arm for row in study.time_to_event if row.primary}
    if None in arms and len(arms) > 1:
        others = ", ".join(sorted(arm for arm in arms if arm is not None))
        yield "time_to_event", f"primary rows of the whole study and of {others}", "keep the whole or all of its arms"
    for rows in _counted_curves(study):
        seen: dict[float | str, Point] = {}
        for point in (point for index, row in rows for point in points(index, row)):
            earlier = seen.setdefault(_kind(point), point)
            if earlier is not point:
                what = "median" if point.is_median else f"rate at {point.month:g} months"
                yield (
                    point.field,
                    f"a second {what} of one curve",
                    f"keep the most mature cut; {earlier.field} is there",
                )


def one_origin(study: Study) -> Found:
    """Require that all rows of a counted curve start their time at one place."""
    for rows in _counted_curves(study):
        first, begun = rows[0]
        for index, row in rows[1:]:
            if None not in (row.origin, begun.origin) and row.origin != begun.origin:
                message = f"{row.origin}, but time_to_event[{first}] of the same curve from {begun.origin}"
                yield (
                    f"time_to_event[{index}].origin",
                    message,
                    "leave one of the rows without primary, or without the trait",
                )


def recalled_only_where_unseen(study: Study) -> Found:
    """Refuse a recalled primary row where the same kind of figure of that arm was seen."""
    known: dict[Hashable, int] = {}
    for index, row in enumerate(study.time_to_event):
        if row.endpoint == PFS and row.trait is None and row.basis != UNVERIFIED:
            for point in points(index, row):
                known.setdefault((row.arm, _kind(point)), index)
    for index, row in enumerate(study.time_to_event):
        seen = [known.get((row.arm, _kind(point))) for point in points(index, row)]
        if row.primary and row.basis == UNVERIFIED and any(place is not None for place in seen):
            place = next(place for place in seen if place is not None)
            yield (
                f"time_to_event[{index}].primary",
                f"is recalled, but time_to_event[{place}] was seen",
                "count that row",
            )


def _kind(point: Point) -> float | str:
    return "median" if point.is_median else point.month


def curves_fall(study: Study) -> Found:
    """Look for survival that rises with time among the points of one curve.

    A curve is the primary rows of an arm, the rows of one group, or the rows of one population. A landmark on the wrong
    side of a half, seen from the median, is let pass where its interval holds a half or that of the median its month:
    the two may be of different cuts.
    """
    return _unless_inconsistent(study, _rises)


def survival_in_order(study: Study) -> Found:
    """Look for overall survival below progression-free survival in the same population: a death is an event of both."""
    return _unless_inconsistent(study, _overall_below)


def inconsistent_is_so(study: Study) -> Found:
    """A row marked inconsistent contradicts another one."""
    conflicting = {
        point.row for rule in (_rises, _overall_below) for conflict in rule(study) for point in conflict.points
    }
    for index, row in enumerate(study.time_to_event):
        if row.inconsistent and index not in conflicting:
            yield f"time_to_event[{index}].inconsistent", "the figures do agree", "remove it"


@dataclass(frozen=True)
class _Conflict:
    """Two points that cannot both be; the first is where the problem is named."""

    points: tuple[Point, Point]
    message: str


def _unless_inconsistent(study: Study, rule: Callable[[Study], Iterable[_Conflict]]) -> Found:
    named: set[str] = set()
    for conflict in rule(study):
        here, there = conflict.points
        marked = any(study.time_to_event[point.row].inconsistent for point in conflict.points)
        if here.field not in named and not marked:
            named.add(here.field)
            yield here.field, conflict.message, f"mend it or {there.field}, or say why with inconsistent: ..."


def _rises(study: Study) -> Iterator[_Conflict]:
    for curve in _curves(study):
        for early, late in combinations(sorted(curve, key=lambda point: (point.month, -point.pct)), 2):
            if early.month < late.month and late.pct > early.pct and not _within_reach(early, late):
                yield _Conflict((late, early), f"{late.words}, but {early.words}")


def _within_reach(one: Point, other: Point) -> bool:
    """Whether a median and a landmark differ by no more than their intervals."""
    if one.is_median == other.is_median:
        return False
    median, landmark = (one, other) if one.is_median else (other, one)
    return _holds(landmark.ci95, HALF) or _holds(median.ci95, landmark.month)


def _holds(interval: Interval | None, value: float) -> bool:
    if interval is None:
        return False
    low, high = interval
    return (low is None or low <= value) and (high is None or value <= high)


def _curves(study: Study) -> list[list[Point]]:
    """Points that lie on one curve, arm by arm, group by group and population by population."""
    curves: defaultdict[Hashable, list[Point]] = defaultdict(list)
    for index, row in enumerate(study.time_to_event):
        found = points(index, row)
        curves["population", row.endpoint, row.arm, row.population] += found
        if row.primary:
            curves["primary", row.endpoint, row.arm] += found
        elif row.trait is not None:
            curves["group", row.endpoint, row.arm, row.trait, row.level, row.origin] += found
    return list(curves.values())


def _overall_below(study: Study) -> Iterator[_Conflict]:
    """Overall survival under progression-free survival, which held at a later month or the same."""
    by_population: defaultdict[Hashable, dict[str, list[Point]]] = defaultdict(lambda: defaultdict(list))
    for index, row in enumerate(study.time_to_event):
        by_population[row.arm, row.population][row.endpoint] += points(index, row)
    for found in by_population.values():
        for overall in found.get("os", ()):
            for free in found.get(PFS, ()):
                both_medians = overall.is_median and free.is_median
                below = overall.pct < free.pct - CENSORING
                if overall.month <= free.month and (below or both_medians):
                    yield _Conflict((overall, free), f"OS has {overall.words}, PFS {free.words}")


def _counted_curves(study: Study) -> list[list[tuple[int, TimeToEvent]]]:
    """The counted rows, whole group by whole group and level by level of a trait."""
    curves: defaultdict[Hashable, list[tuple[int, TimeToEvent]]] = defaultdict(list)
    for index, row in enumerate(study.time_to_event):
        if row.primary:
            curves["whole", row.arm].append((index, row))
        elif counted(row):
            curves[row.arm, row.trait, row.group, row.at_least, row.below].append((index, row))
    return list(curves.values())


TIME_RULES: Final[tuple[Callable[[Study], Found], ...]] = (
    origin_of_counted,
    patients_of_counted,
    primary_can_be_counted,
    counted_once,
    one_origin,
    recalled_only_where_unseen,
    curves_fall,
    survival_in_order,
    inconsistent_is_so,
)


def time_remarks(studies: Sequence[Study]) -> tuple[Problem, ...]:
    """What to look at again, though it is no error: an unknown start, a month past the longest follow-up."""
    return tuple(
        Problem(field=field, message=message, fix=fix, file=f"{STUDIES}/{study.id}.yaml")
        for study in studies
        for field, message, fix in _remarks(study)
    )


def _remarks(study: Study) -> Found:
    longest = study.longest_follow_up_months
    for index, row in enumerate(study.time_to_event):
        field = f"time_to_event[{index}]"
        if row.origin is None and row.endpoint in ("pfs", "os", "dor"):
            yield f"{field}.origin", "the start of the time is not known", ""
        if row.endpoint == PFS and row.trait in MODEL_TRAIT_IDS and row.n is None:
            yield f"{field}.n", f"the size of the group by {row.trait} is not known", ""
        for point in points(index, row):
            if longest is not None and row.follow_up_months is None and point.month > longest:
                yield point.field, f"{point.words}, past the longest follow-up of {longest:g} months", ""
