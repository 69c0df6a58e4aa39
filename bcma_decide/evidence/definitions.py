"""What ``evidence/definitions.yaml`` may say, and the checks a type cannot make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bcma_decide.definitions import Band, Definitions, fold, holds, wording
from bcma_decide.errors import EvidenceError, Problem
from bcma_decide.evidence.schema import Basis
from bcma_decide.fields import FIELDS, ProfileField
from bcma_decide.vocabulary import MODEL_TRAIT_IDS
from bcma_decide.yaml_reader import read_yaml

FILE = "definitions.yaml"
NAMED_DIRECTLY = ("age", "prior_lines")
"""Traits that are the field itself and need no definition."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, Field(min_length=3)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Strict(BaseModel):
    """Unknown keys are errors and nothing is coerced from text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DrugClassEntry(Strict):
    """A class of drugs."""

    id: Name
    label: Text
    words: list[str]
    basis: Basis
    sources: list[str]


class DrugEntry(Strict):
    """A drug; modality and targets where having had it is a trait."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9 -]*$")]
    drug_class: Name
    names: list[str]
    modality: Literal["adc", "car_t", "bispecific"] | None = None
    targets: list[Name] = []


class DefinitionEntry(Strict):
    """What all definitions carry."""

    id: Name
    text: Text
    basis: Basis
    sources: Annotated[list[str], Field(min_length=1)]
    note: str = ""


class BoundsEntry(Strict):
    """Bounds of a value."""

    at_least: Number | None = None
    above: Number | None = None
    below: Number | None = None
    at_most: Number | None = None

    def edges(self) -> tuple[float, ...]:
        """Every bound given."""
        return tuple(b for b in (self.at_least, self.above, self.below, self.at_most) if b is not None)


class TermEntry(DefinitionEntry):
    """A trait that is said directly."""


class AnyOfEntry(DefinitionEntry):
    """Present if any of the fields is."""

    fields: Annotated[list[Name], Field(min_length=1)]
    not_counted: list[Name] = []


class NeedEntry(Strict):
    """How many drugs of a class."""

    drug_class: Name
    at_least: Annotated[int, Field(ge=1)]


class DrugCountEntry(DefinitionEntry):
    """Present if enough drugs of every class failed."""

    needs: Annotated[list[NeedEntry], Field(min_length=1)]
    fewest_prior_lines: Annotated[int, Field(ge=1)] | None = None
    hardly_without: list[Name] = []


class CutOffEntry(BoundsEntry, DefinitionEntry):
    """Present where the value lies inside the bounds."""

    field: Name
    unit: str
    or_any_of: list[Name] = []


class BandEntry(BoundsEntry):
    """Points for values inside the bounds."""

    points: Annotated[int, Field(ge=0)]


class ScoreItemEntry(Strict):
    """One item of a score."""

    field: Name | None
    label: Text
    unit: str
    bands: Annotated[list[BandEntry], Field(min_length=2)]


class ScoreEntry(DefinitionEntry):
    """Present from a number of points on."""

    at_least: Annotated[int, Field(ge=1)]
    items: Annotated[list[ScoreItemEntry], Field(min_length=1)]


class StageEntry(DefinitionEntry):
    """Present at one stage of a staging system."""

    field: Name
    stage: int
    base_field: Name | None = None
    same_as_base: list[int] = []
    sufficient_with: list[Name] = []


class SourceEntry(Strict):
    """Where a definition was seen."""

    citation: Text
    pmid: int | None = None
    doi: str | None = None
    url: str | None = None


class DefinitionsFile(Strict):
    """The whole file."""

    drug_classes: list[DrugClassEntry]
    drugs: list[DrugEntry]
    any_of: list[AnyOfEntry]
    drug_counts: list[DrugCountEntry]
    cut_offs: list[CutOffEntry]
    scores: list[ScoreEntry]
    stages: list[StageEntry]
    terms: list[TermEntry]
    sources: dict[str, SourceEntry]


def load_definitions(directory: Path) -> Definitions:
    """Read and check the file in an evidence directory.

    Raises
    ------
    EvidenceError
        With every problem found.
    """
    return check_definitions(read_yaml(directory / FILE))


def check_definitions(plain: object) -> Definitions:
    """Check plain data and return the bedside's definitions.

    Raises
    ------
    EvidenceError
        With every problem found.
    """
    try:
        checked = DefinitionsFile.model_validate(plain)
    except ValidationError as error:
        problems = [
            Problem(".".join(str(part) for part in one["loc"]), one["msg"], file=FILE) for one in error.errors()
        ]
        raise EvidenceError("the definitions cannot be used", problems) from None
    definitions = Definitions.from_dict(checked.model_dump())
    found = [Problem(field, message, file=FILE) for field, message in _problems(checked, definitions)]
    if found:
        raise EvidenceError("the definitions cannot be used", found)
    return definitions


def _problems(checked: DefinitionsFile, definitions: Definitions) -> Iterator[tuple[str, str]]:
    groups: tuple[Iterable[DefinitionEntry], ...] = (
        checked.any_of,
        checked.drug_counts,
        checked.cut_offs,
        checked.scores,
        checked.stages,
        checked.terms,
    )
    entries = [entry for group in groups for entry in group]
    counts = Counter([*(entry.id for entry in entries), *NAMED_DIRECTLY])
    for trait in MODEL_TRAIT_IDS:
        if counts[trait] != 1:
            yield trait, f"is defined {counts[trait]} times; every trait of the model needs one definition"
    for entry in entries:
        if entry.id not in MODEL_TRAIT_IDS and not (isinstance(entry, TermEntry) and entry.id in FIELDS):
            yield entry.id, "is neither a trait of the model nor a field of the profile"
        try:
            wording(definitions.by_id[entry.id])
        except (KeyError, ValueError, IndexError, TypeError) as error:
            yield entry.id, f"its text cannot be filled in ({error!r})"
    cited = [(entry.id, source) for entry in entries for source in entry.sources]
    cited += [(one.id, source) for one in checked.drug_classes for source in one.sources]
    yield from ((name, f"source {source!r} is not listed") for name, source in cited if source not in checked.sources)
    unused = checked.sources.keys() - {source for _, source in cited}
    yield from (("sources", f"{source!r} is not cited") for source in sorted(unused))
    yield from _drug_problems(checked)
    yield from _field_problems(checked)


def _drug_problems(checked: DefinitionsFile) -> Iterator[tuple[str, str]]:
    classes = {one.id for one in checked.drug_classes}
    names = Counter(
        word
        for words in (
            *({fold(name) for name in (drug.id, *drug.names)} for drug in checked.drugs),
            *({fold(word) for word in (one.id, one.label, *one.words)} for one in checked.drug_classes),
        )
        for word in words
    )
    yield from (("drugs", f"{name!r} names more than one drug or class") for name, n in names.items() if n > 1)
    for drug in checked.drugs:
        if drug.drug_class not in classes:
            yield drug.id, f"drug class {drug.drug_class!r} is not listed"
        if bool(drug.modality) != bool(drug.targets):
            yield drug.id, "modality and targets belong together"
    known_drugs = {drug.id for drug in checked.drugs}
    for count in checked.drug_counts:
        for name in count.hardly_without:
            if name not in known_drugs:
                yield count.id, f"hardly_without names {name!r}, which is not a drug of the list"
        for need in count.needs:
            members = sum(drug.drug_class == need.drug_class for drug in checked.drugs)
            if members < need.at_least:
                yield count.id, f"needs {need.at_least} of {need.drug_class}, which has {members} drugs"


def _field_problems(checked: DefinitionsFile) -> Iterator[tuple[str, str]]:
    for any_of in checked.any_of:
        yield from _of_kind(any_of.id, [*any_of.fields, *any_of.not_counted], "yes_no")
    for cut in checked.cut_offs:
        yield from _of_kind(cut.id, cut.or_any_of, "yes_no")
        yield from _in_unit(cut.id, cut.field, cut.unit)
        if not cut.edges():
            yield cut.id, "has no bound"
    for score in checked.scores:
        for item in score.items:
            if item.field is not None:
                yield from _in_unit(score.id, item.field, item.unit)
            yield from (
                (score.id, f"{item.label}: {value:g} falls into {hits} bands")
                for value, hits in _coverage(item.bands)
                if hits != 1
            )
    for stage in checked.stages:
        yield from _of_kind(stage.id, [stage.field, *([stage.base_field] if stage.base_field else [])], "stage")


def _of_kind(where: str, names: Iterable[str], kind: str) -> Iterator[tuple[str, str]]:
    for name in names:
        if name not in FIELDS or FIELDS[name].kind != kind:
            yield where, f"{name!r} is not a {kind} field of the profile"


def _in_unit(where: str, name: str, unit: str) -> Iterator[tuple[str, str]]:
    field: ProfileField | None = FIELDS.get(name)
    if field is None or field.kind not in ("whole", "quantity"):
        yield where, f"{name!r} is not a numeric field of the profile"
    elif field.unit != unit:
        yield where, f"{name!r} is kept in {field.unit!r}, not {unit!r}"


def _coverage(bands: list[BandEntry]) -> Iterator[tuple[float, int]]:
    """How many bands hold at every bound, between the bounds and beyond them."""
    edges = sorted({edge for band in bands for edge in band.edges()})
    between = [(low + high) / 2 for low, high in pairwise(edges)]
    placed = [Band(**band.model_dump()) for band in bands]
    for value in sorted([*edges, *between, edges[0] - 1, edges[-1] + 1] if edges else [0.0]):
        yield value, sum(holds(band, value) for band in placed)
