"""``quoted_survival.yaml``: published survival shown as printed, by group of patients, the nearest group first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from bcma_decide.errors import EvidenceError, Problem, closest
from bcma_decide.pooled.conditions import leaves, to_plain
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.time_course import Endpoint
from bcma_decide.vocabulary import CLASSES, UNVERIFIED
from bcma_decide.workshop.evidence.catalogue import Catalogue, read_shape
from bcma_decide.workshop.evidence.conditions import ConditionEntry, naming_problems
from bcma_decide.workshop.evidence.published_options import PublishedOptionEntry
from bcma_decide.workshop.evidence.published_rows import PublishedRow, row_problems
from bcma_decide.workshop.evidence.schema import AdjustedEffect, Identifier, Strict, Study, Text, TimeToEvent

FILE: Final = "quoted_survival.yaml"


class GroupEntry(Strict):
    """A group of patients that studies report apart."""

    id: Identifier
    label: Text
    when: ConditionEntry

    def bedside(self) -> dict[str, Any]:
        """Plain data for the pooled file."""
        return {"id": self.id, "label": self.label, "when": to_plain(self.when.condition())}


class FigureEntry(Strict):
    """One row of a study, and the row of its randomised comparison group."""

    endpoint: Endpoint
    population: Text
    """As it stands in the study's row."""
    source: str | None = None
    not_reached: bool = False
    """The source says that the median was not reached; not needed where it prints an interval for it."""
    immature: bool = False
    """Called so by its source, or a median far beyond the follow-up: it stands after others of the same group."""
    comparator: Text | None = None
    """Population of the comparison group's row."""
    hazard_ratio: Text | None = None
    """Contrast of the study's effect."""
    note: str = ""

    def row(self, study: str, population: str, source: str | None = None) -> PublishedRow:
        """Return what finds a row of this endpoint."""
        return PublishedRow(
            study=study, list="time_to_event", outcome=self.endpoint, population=population, source=source
        )


class PartEntry(Strict):
    """Rows of the groups in ``of``; without any, of everybody in the study."""

    of: tuple[Identifier, ...] = ()
    rows: Annotated[tuple[FigureEntry, ...], Field(min_length=1)]


class QuotedStudyEntry(Strict):
    """What is quoted of one study for one option, and whom the study took in and left out."""

    study: Identifier
    option: Identifier
    population: Text
    """Whom the study took in, in words."""
    studied: tuple[Identifier, ...] = ()
    left_out: tuple[Identifier, ...] = ()
    comparator: Text | None = None
    """The randomised comparison treatment."""
    parts: Annotated[tuple[PartEntry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _comparison_is_named(self) -> QuotedStudyEntry:
        compared = any(row.comparator or row.hazard_ratio for part in self.parts for row in part.rows)
        if compared and self.comparator is None:
            raise ValueError("name the comparison treatment with comparator")
        return self

    @property
    def groups(self) -> Iterator[tuple[str, str]]:
        """Every group named here, with its field."""
        for field in ("studied", "left_out"):
            yield from ((field, group) for group in getattr(self, field))
        for place, part in enumerate(self.parts):
            yield from ((f"parts[{place}].of", group) for group in part.of)

    def bedside(self, catalogue: Catalogue) -> Iterator[dict[str, Any]]:
        """Plain data for the pooled file, row by row."""
        study = catalogue.study(self.study)
        for part in self.parts:
            for entry in part.rows:
                row = _curve(study, entry.row(self.study, entry.population, entry.source))
                follow_up = study.median_follow_up_months if row.follow_up_months is None else row.follow_up_months
                beside, cited = self._beside(study, entry)
                yield {
                    "option": self.option,
                    "endpoint": entry.endpoint,
                    "population": f"{row.population}; {self.population}",
                    "of": list(part.of),
                    "studied": list(self.studied),
                    "left_out": list(self.left_out),
                    "figures": _figures(row, reached=not entry.not_reached),
                    "origin": row.origin or "not_stated",
                    "follow_up_months": follow_up,
                    "immature": entry.immature,
                    "setting": study.design,
                    "study": study.name,
                    "basis": row.basis,
                    "note": entry.note,
                    "comparator": beside,
                    "sources": [f"{study.id}:{key}" for key in dict.fromkeys([row.source, *cited]) if key],
                }

    def _beside(self, study: Study, entry: FigureEntry) -> tuple[dict[str, Any] | None, tuple[str | None, ...]]:
        if entry.comparator is None and entry.hazard_ratio is None:
            return None, ()
        row = _curve(study, entry.row(self.study, entry.comparator)) if entry.comparator else None
        effect = _effects(study, entry)[0] if entry.hazard_ratio else None
        plain = {
            "label": self.comparator,
            "figures": row and _figures(row, reached=True),
            "hazard_ratio": effect and effect.value,
            "ends": effect and effect.ci95 and list(effect.ci95),
        }
        return plain, tuple(each.source for each in (row, effect) if each is not None)


class QuotedSurvivalFile(Strict):
    """The whole file."""

    groups: tuple[GroupEntry, ...] = ()
    """The one that tells most of a patient first."""
    studies: tuple[QuotedStudyEntry, ...] = ()

    def bedside(self, catalogue: Catalogue) -> dict[str, Any]:
        """Plain data for the pooled file."""
        return {
            "groups": [group.bedside() for group in self.groups],
            "rows": [row for study in self.studies for row in study.bedside(catalogue)],
        }

    def sources(self, catalogue: Catalogue) -> dict[str, Any]:
        """Citations of the rows, by the key that they carry."""
        keys = {key for study in self.studies for row in study.bedside(catalogue) for key in row["sources"]}
        found = {}
        for key in sorted(keys):
            study, source = key.split(":")
            found[key] = catalogue.study(study).sources[source].bedside()
        return found


def load_quoted_survival(
    root: Path, catalogue: Catalogue, definitions: Definitions, options: Sequence[PublishedOptionEntry]
) -> QuotedSurvivalFile:
    """Read and check ``quoted_survival.yaml``; ``options`` are the published ones.

    Raises
    ------
    EvidenceError
        With every problem found, each naming its field.
    """
    problems: list[Problem] = []
    file = read_shape(root / FILE, QuotedSurvivalFile, root, problems)
    if file is not None:
        problems += quoted_problems(file, catalogue, definitions, options)
    if file is None or problems:
        raise EvidenceError("the quoted survival cannot be used", problems)
    return file


def quoted_problems(
    file: QuotedSurvivalFile,
    catalogue: Catalogue,
    definitions: Definitions,
    options: Sequence[PublishedOptionEntry],
) -> Iterator[Problem]:
    """Groups that are not there, rows that lead nowhere or to several, and what may not be quoted."""
    counts = Counter(group.id for group in file.groups)
    for number, group in enumerate(file.groups):
        for message in naming_problems(group.when.condition(), definitions):
            yield Problem(f"groups[{number}].when", message, "", FILE)
        if counts[group.id] > 1:
            yield Problem(f"groups[{number}].id", f"{group.id} stands there twice", "give each its own id", FILE)
    products = _products(catalogue, options)
    traits = {group.id: _traits(group) for group in file.groups}
    for number, entry in enumerate(file.studies):
        for field, group_id in entry.groups:
            if group_id not in counts:
                hint = closest(group_id, list(counts))
                yield Problem(f"studies[{number}].{field}", f"{group_id} is not among the groups", hint, FILE)
        for field, message, fix in _study_problems(entry, catalogue, products, traits):
            yield Problem(f"studies[{number}].{field}", message, fix, FILE)


def _products(catalogue: Catalogue, options: Sequence[PublishedOptionEntry]) -> dict[str, str]:
    """Product of each option that has rows of its own."""
    offered = {product: product for product, each in catalogue.vocabulary.ids.products.items() if each.option}
    return offered | {each.id: each.product for each in options}


def _traits(group: GroupEntry) -> frozenset[str]:
    """Traits that the condition of a group speaks of."""
    return frozenset(str(getattr(leaf, "trait", "")) for leaf in leaves(group.when.condition()))


def _study_problems(
    entry: QuotedStudyEntry, catalogue: Catalogue, products: dict[str, str], traits: dict[str, frozenset[str]]
) -> Iterator[tuple[str, str, str]]:
    studies = {study.id: study for study in catalogue.studies}
    if entry.option not in (*CLASSES, *products):
        yield "option", f"{entry.option} is not an option", closest(entry.option, [*CLASSES, *products])
        return
    study = studies.get(entry.study)
    if study is None:
        yield "study", f"there is no study {entry.study}", closest(entry.study, list(studies))
        return
    if study.design not in ("interventional", "real_world"):
        yield "study", f"{study.id} is a {study.design}", "quote the study itself"
    product = products.get(entry.option)
    if product is not None and product not in study.products:
        yield "option", f"{study.id} did not give {product}", ", ".join(study.products)
    for place, part in enumerate(entry.parts):
        spoken_of = frozenset[str]().union(*(traits.get(group, frozenset()) for group in part.of))
        for number, figure in enumerate(part.rows):
            field = f"parts[{place}].rows[{number}]"
            for inner, message, fix in _figure_problems(figure, study, studies, spoken_of):
                yield f"{field}{inner}", message, fix


def _figure_problems(
    figure: FigureEntry, study: Study, studies: dict[str, Study], spoken_of: frozenset[str]
) -> Iterator[tuple[str, str, str]]:
    row = figure.row(study.id, figure.population, figure.source)
    for _, message, fix in row_problems([row], studies, "any"):
        yield "", message, fix
    found = row.found_in(study)
    if len(found) == 1 and isinstance(found[0], TimeToEvent):
        curve = found[0]
        empty = curve.median_months is None and curve.ci95 is None and not curve.landmarks
        if empty and not figure.not_reached:
            yield "", "the row has neither a median nor a landmark", "say not_reached where the source does"
        if figure.not_reached and curve.median_months is not None:
            yield ".not_reached", f"the row has a median of {curve.median_months:g} months", "leave it out"
        if curve.trait is not None and curve.trait not in spoken_of:
            yield "", f"the row is of patients by {curve.trait}, but no group of the part is", "name the group with of"
        if curve.inconsistent:
            yield "", "the source contradicts itself here", "quote another row"
    if figure.comparator is not None:
        for _, message, fix in row_problems([figure.row(study.id, figure.comparator)], studies, "any"):
            yield ".comparator", message, fix
    if figure.hazard_ratio is not None:
        effects = _effects(study, figure)
        if len(effects) != 1:
            known = [effect.contrast for effect in study.effects if effect.outcome == figure.endpoint]
            hint = closest(figure.hazard_ratio, known)
            yield ".hazard_ratio", f"{len(effects)} hazard ratios of {study.id} fit", hint
        elif effects[0].basis == UNVERIFIED:
            yield ".hazard_ratio", "a recalled figure is not shown as published", ""


def _effects(study: Study, entry: FigureEntry) -> tuple[AdjustedEffect, ...]:
    return tuple(
        effect
        for effect in study.effects
        if effect.outcome == entry.endpoint
        and effect.contrast == entry.hazard_ratio
        and effect.measure == "HR"
        and isinstance(effect.value, float | int)
    )


def _curve(study: Study, row: PublishedRow) -> TimeToEvent:
    found = row.found_in(study)[0]
    if not isinstance(found, TimeToEvent):
        raise TypeError(f"{study.id}: {row.outcome} is not a time to an event")
    return found


def _figures(row: TimeToEvent, *, reached: bool) -> dict[str, Any]:
    """Median and landmarks; an interval without a median says that the median was not reached."""
    return {
        "n": row.n,
        "median": row.median_months,
        "reached": reached and not (row.median_months is None and row.ci95 is not None),
        "ends": row.ci95 and list(row.ci95),
        "times": [
            {
                "month": each.month,
                "share": each.pct / 100.0,
                "ends": each.ci95 and [None if end is None else end / 100.0 for end in each.ci95],
            }
            for each in row.landmarks
        ],
    }
