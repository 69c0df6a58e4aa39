"""What ``evidence/definitions.yaml`` may say, and the checks a type cannot make."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError

from bcma_decide.errors import EvidenceError, Problem
from bcma_decide.patient.fields import FIELDS
from bcma_decide.pooled.conditions import to_plain
from bcma_decide.pooled.definitions import Definitions, fold, wording
from bcma_decide.strict.yaml import read_yaml
from bcma_decide.vocabulary import MODEL_TRAIT_IDS, Basis
from bcma_decide.workshop.evidence.conditions import BoundsEntry, ConditionEntry, naming_problems
from bcma_decide.workshop.evidence.contradictions import FILE as CONTRADICTIONS
from bcma_decide.workshop.evidence.contradictions import ContradictionsFile, contradiction_problems
from bcma_decide.workshop.evidence.laboratory_variation import FILE as VARIATION
from bcma_decide.workshop.evidence.laboratory_variation import VariationFile, variation_problems
from bcma_decide.workshop.evidence.schema import CitationEntry, Number, Strict, Text
from bcma_decide.workshop.evidence.scores import FILE as SCORES
from bcma_decide.workshop.evidence.scores import Name, ScoresFile, in_unit, score_problems

FILE = "definitions.yaml"
NAMED_DIRECTLY = ("age", "prior_lines")
"""Traits that are the field itself and need no definition."""

Shape = TypeVar("Shape", bound=Strict)


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
    targets: tuple[Name, ...] = ()


class DefinitionEntry(Strict):
    """What all definitions carry."""

    id: Name
    text: Text
    basis: Basis
    sources: Annotated[list[str], Field(min_length=1)]
    note: str = ""


class TermEntry(DefinitionEntry):
    """A trait that is said directly."""


class AnyOfEntry(DefinitionEntry):
    """Present if any of the fields is."""

    fields: Annotated[list[Name], Field(min_length=1)]
    not_counted: tuple[Name, ...] = ()


class NeedEntry(Strict):
    """How many drugs of a class."""

    drug_class: Name
    at_least: Annotated[int, Field(ge=1)]


class DrugCountEntry(DefinitionEntry):
    """Present if enough drugs of every class failed."""

    needs: Annotated[list[NeedEntry], Field(min_length=1)]


class CutOffEntry(BoundsEntry, DefinitionEntry):
    """Present where the value lies inside the bounds."""

    field: Name
    unit: str
    or_any_of: tuple[Name, ...] = ()


class FromScoreEntry(DefinitionEntry):
    """Present from a number of points of a score on."""

    score: Name
    at_least: Number


class StageEntry(DefinitionEntry):
    """Present at one stage of a staging system."""

    field: Name
    stage: int
    score: Name
    base_field: Name | None = None
    same_as_base: tuple[int, ...] = ()


class RuledOutEntry(Strict):
    """A field that is absent wherever the condition holds."""

    id: Name
    when: ConditionEntry


class DefinitionsFile(Strict):
    """The whole file."""

    drug_classes: list[DrugClassEntry]
    drugs: list[DrugEntry]
    any_of: list[AnyOfEntry]
    drug_counts: list[DrugCountEntry]
    cut_offs: list[CutOffEntry]
    from_scores: list[FromScoreEntry]
    stages: list[StageEntry]
    terms: list[TermEntry]
    ruled_out: list[RuledOutEntry]
    sources: dict[str, CitationEntry]


def load_definitions(directory: Path) -> Definitions:
    """Read and check the definitions, scores, laboratory variation and contradictions in an evidence directory.

    Raises
    ------
    EvidenceError
        With every problem found.
    """
    return check_definitions(*(read_yaml(directory / name) for name in (FILE, SCORES, VARIATION, CONTRADICTIONS)))


def check_definitions(
    plain: object, plain_scores: object, plain_variation: object, plain_contradictions: object
) -> Definitions:
    """Check plain data of the four files and return the bedside's definitions.

    Raises
    ------
    EvidenceError
        With every problem found.
    """
    scores = validated(ScoresFile, plain_scores, SCORES)
    found = [Problem(field, message, file=SCORES) for field, message in score_problems(scores)]
    if found:
        raise EvidenceError("the scores cannot be used", found)
    variation = validated(VariationFile, plain_variation, VARIATION)
    checked = validated(DefinitionsFile, plain, FILE)
    contradictions = validated(ContradictionsFile, plain_contradictions, CONTRADICTIONS)
    parts = {
        "scores": scores.bedside(),
        "variation": variation.bedside(),
        "contradictions": contradictions.bedside(),
    }
    definitions = Definitions.from_dict({**_bedside(checked), **parts})
    found = [Problem(field, message, file=FILE) for field, message in _problems(checked, definitions)]
    found += [
        Problem(where, message, file=SCORES)
        for where, condition in scores.conditions()
        for message in naming_problems(condition, definitions)
    ]
    if not found:
        found = [
            Problem(field, message, file=VARIATION) for field, message in variation_problems(variation, definitions)
        ]
        found += [
            Problem(field, message, file=CONTRADICTIONS)
            for field, message in contradiction_problems(
                contradictions, definitions, {*checked.sources, *scores.sources}
            )
        ]
    if found:
        raise EvidenceError("the definitions cannot be used", found)
    return definitions


def validated(shape: type[Shape], plain: object, file: str) -> Shape:
    """Read plain data into its strict shape.

    Raises
    ------
    EvidenceError
        With every problem, each naming its place in the file.
    """
    try:
        return shape.model_validate_json(json.dumps(plain))
    except ValidationError as error:
        problems = [
            Problem(".".join(str(part) for part in one["loc"]), one["msg"], file=file)
            for one in error.errors(include_url=False)
        ]
        raise EvidenceError(f"{file} cannot be used", problems) from None


def _bedside(checked: DefinitionsFile) -> dict[str, Any]:
    plain: dict[str, Any] = checked.model_dump(exclude={"ruled_out"})
    for entry, cut in zip(checked.cut_offs, plain["cut_offs"], strict=True):
        for name in BoundsEntry.model_fields:
            cut.pop(name)
        cut["bounds"] = entry.bounds().given()
    plain["ruled_out"] = [{"id": entry.id, "when": to_plain(entry.when.condition())} for entry in checked.ruled_out]
    return plain


def _problems(checked: DefinitionsFile, definitions: Definitions) -> Iterator[tuple[str, str]]:
    groups: tuple[Iterable[DefinitionEntry], ...] = (
        checked.any_of,
        checked.drug_counts,
        checked.cut_offs,
        checked.from_scores,
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
    yield from _field_problems(checked, definitions)


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
    for count in checked.drug_counts:
        for need in count.needs:
            members = sum(drug.drug_class == need.drug_class for drug in checked.drugs)
            if members < need.at_least:
                yield count.id, f"needs {need.at_least} of {need.drug_class}, which has {members} drugs"


def _field_problems(checked: DefinitionsFile, definitions: Definitions) -> Iterator[tuple[str, str]]:
    for any_of in checked.any_of:
        yield from _of_kind(any_of.id, [*any_of.fields, *any_of.not_counted], "yes_no")
    for cut in checked.cut_offs:
        yield from _of_kind(cut.id, cut.or_any_of, "yes_no")
        yield from in_unit(cut.id, cut.field, cut.unit)
        if not cut.bounds().edges:
            yield cut.id, "has no bound"
    for ruled_out in checked.ruled_out:
        yield from _of_kind(ruled_out.id, [ruled_out.id], "yes_no")
    points = {score.about.id for score in definitions.scores.points}
    stagings = {score.about.id for score in definitions.scores.stagings}
    for from_score in checked.from_scores:
        if from_score.score not in points:
            yield from_score.id, f"{from_score.score!r} is not a point score of {SCORES}"
    for stage in checked.stages:
        yield from _of_kind(stage.id, [stage.field, *([stage.base_field] if stage.base_field else [])], "stage")
        if stage.score not in stagings:
            yield stage.id, f"{stage.score!r} is not a staging of {SCORES}"


def _of_kind(where: str, names: Iterable[str], kind: str) -> Iterator[tuple[str, str]]:
    for name in names:
        if name not in FIELDS or FIELDS[name].kind != kind:
            yield where, f"{name!r} is not a {kind} field of the profile"
