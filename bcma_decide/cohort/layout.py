"""Which columns an answer has: what is carried, what is said of a row, and every figure by outcome and option."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import pyarrow as pa

from bcma_decide.comparison import SCHEMA_VERSION
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.rules.many import LabelColumn
from bcma_decide.time_course import LANDMARKS, WITHIN
from bcma_decide.version import __version__
from bcma_decide.vocabulary import CLASSES, FAMILY_OF, INTENDED_USE, OUTCOMES, PFS

ONE_YEAR: Final = 12
RATE_FIGURES: Final = (
    "mean", "median", "credible_low", "credible_high", "prediction_low", "prediction_high",
)  # fmt: skip
CURVE_FIGURES: Final = ("mean", "credible_low", "credible_high", "prediction_low", "prediction_high")
DURATION_FIGURES: Final = ("value", *CURVE_FIGURES[1:])
MEDIAN: Final = "median_months"
RESTRICTED_MEAN: Final = "restricted_mean_months"
CONTRAST_FIGURES: Final = (
    "risk_difference",
    "risk_difference_low",
    "risk_difference_high",
    "probability_first_higher",
)
PROBLEMS: Final = "problems"
READ_AS: Final = "read_as"
UNKNOWN: Final = "unknown_traits"
FINDINGS: Final = "findings"
PROBLEM_TYPE: Final = pa.struct([("field", pa.string()), ("message", pa.string()), ("fix", pa.string())])
FINDING_TYPE: Final = pa.struct([("id", pa.string()), ("option", pa.string()), ("state", pa.string())])


class Cell(NamedTuple):
    """An option at an outcome; ``state`` is that of a patient without limits."""

    outcome: str
    option: str
    state: str

    @property
    def column(self) -> str:
        """Where its state stands."""
        return f"{self.outcome}.{self.option}.state"


class Figures(NamedTuple):
    """Figures that are given or withheld together: of one cell, or of the two classes at one outcome."""

    outcome: str
    options: tuple[str, ...]
    names: tuple[str, ...]
    """Of their columns."""
    acting: bool
    """Whether any trait moves them; otherwise they are the same for every patient of a setting."""
    month: int = 0
    """Of survival: that of the share."""
    duration: str = ""
    """Of survival: :data:`MEDIAN` or :data:`RESTRICTED_MEAN`, null where it is not reached within follow-up."""


@dataclass(frozen=True)
class Layout:
    """Columns of the answers for one evidence."""

    cells: tuple[Cell, ...]
    figures: tuple[Figures, ...]
    label_columns: tuple[str, ...]
    """Where the state of each label stands, in the order of the labels."""

    def schema(self, carried: Iterable[pa.Field], stamp: Mapping[str, str]) -> pa.Schema:
        """The schema of an answer: carried columns, what is said of the row, then states and figures by outcome."""
        fields = [
            *carried,
            pa.field(PROBLEMS, pa.list_(PROBLEM_TYPE)),
            pa.field(READ_AS, pa.list_(pa.string())),
            pa.field(UNKNOWN, pa.list_(pa.string())),
            *(pa.field(name, pa.string()) for name in self.label_columns),
            pa.field(FINDINGS, pa.list_(FINDING_TYPE)),
            *(pa.field(each.column, pa.string()) for each in self.cells),
            *(pa.field(name, pa.float64()) for each in self.figures for name in each.names),
        ]
        return pa.schema(fields, metadata={f"bcma_decide.{name}": text for name, text in stamp.items()})


def layout_of(pooled: PooledEvidence, labels: Iterable[LabelColumn]) -> Layout:
    """The columns for an evidence; ``labels`` are those that are judged."""
    return Layout(tuple(_cells(pooled)), tuple(_figures(pooled)), tuple(_labels(labels)))


def _labels(labels: Iterable[LabelColumn]) -> Iterator[str]:
    """The first of each product is the single agent, and has the name of the product alone."""
    seen: set[str] = set()
    for each in labels:
        yield f"label.{each.product}" + (f".{each.regimen.replace(' ', '_')}" if each.product in seen else "")
        seen.add(each.product)


def stamp_of(pooled: PooledEvidence, setting: str, region: str, date: str) -> dict[str, str]:
    """What stands in the metadata of every answer."""
    return {
        "version": __version__,
        "schema_version": SCHEMA_VERSION,
        "evidence_hash": pooled.hash,
        "evidence_date": pooled.date,
        "evidence_version": pooled.version,
        "setting": setting,
        "region": region,
        "date": date,
        "contrast": f"{CLASSES[0]} minus {CLASSES[1]}",
        "intended_use": INTENDED_USE,
    }


def _cells(pooled: PooledEvidence) -> Iterator[Cell]:
    for outcome in OUTCOMES:
        for option in pooled.options:
            place = outcome, option.id
            yield Cell(*place, "estimated" if place in pooled.place else pooled.missing[place][0])
    for option in pooled.options:
        yield Cell(PFS, option.id, pooled.survival.options[option.id].state)


def _figures(pooled: PooledEvidence) -> Iterator[Figures]:
    for outcome in OUTCOMES:
        acts = bool(pooled.used[pooled.family_index[FAMILY_OF[outcome].id]].any())
        for option in pooled.options:
            if (outcome, option.id) in pooled.place:
                yield Figures(outcome, (option.id,), _named(f"{outcome}.{option.id}", RATE_FIGURES), acts)
        if all((outcome, option) in pooled.place for option in CLASSES):
            yield Figures(outcome, CLASSES, _named(f"{outcome}.contrast", CONTRAST_FIGURES), acts)
    acts = bool(pooled.used[pooled.family_index[PFS]].any())
    followed = set()
    for option in pooled.options:
        entry = pooled.survival.options[option.id]
        if entry.state != "estimated":
            continue
        for month in LANDMARKS:
            if month <= entry.end_of_follow_up:
                names = _named(f"{PFS}.{option.id}.month_{month}", CURVE_FIGURES)
                yield Figures(PFS, (option.id,), names, acts, month)
                followed |= {option.id} if month == ONE_YEAR else set()
        for duration in (MEDIAN, RESTRICTED_MEAN):
            if duration == MEDIAN or entry.end_of_follow_up >= WITHIN:
                names = _named(f"{PFS}.{option.id}.{duration}", DURATION_FIGURES)
                yield Figures(PFS, (option.id,), names, acts, duration=duration)
    if followed >= set(CLASSES):
        names = _named(f"{PFS}.contrast.month_{ONE_YEAR}", CONTRAST_FIGURES)
        yield Figures(PFS, CLASSES, names, acts, ONE_YEAR)


def _named(place: str, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{place}.{name}" for name in names)
