"""What a condition in an evidence file may say, and the checks a type cannot make: known traits, matching units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from bcma_decide.errors import closest
from bcma_decide.facts.measures import NUMERIC
from bcma_decide.logic import Bounds
from bcma_decide.patient.fields import FIELDS
from bcma_decide.patient.quantities import converted_quantity, find_unit
from bcma_decide.pooled.conditions import (
    BOUNDS,
    Condition,
    Drugs,
    Every,
    HadCourse,
    Is,
    IsKnown,
    Not,
    OneOf,
    Score,
    Some,
    Times,
    Within,
)
from bcma_decide.pooled.conditions import leaves as leaves_of
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.vocabulary import MODEL_TRAITS
from bcma_decide.workshop.evidence.schema import Number, Strict

Kind = Literal["adc", "car_t", "bispecific"]

YES_NO: Final = frozenset(
    [
        *(field.id for field in FIELDS.values() if field.kind == "yes_no"),
        *(trait.id for trait in MODEL_TRAITS if trait.kind == "binary"),
    ]
)
NUMBERS: Final = frozenset(NUMERIC)
LISTED: Final = frozenset(field.id for field in FIELDS.values() if field.kind in ("whole", "stage", "choice"))


def _of(kind: frozenset[str], what: str) -> AfterValidator:
    def check(trait: str) -> str:
        if trait not in kind:
            hint = closest(trait, sorted(kind))
            raise ValueError(f"{trait!r} is not {what}{f'; {hint}' if hint else ''}")
        return trait

    return AfterValidator(check)


class BoundsEntry(Strict):
    """Bounds of a value."""

    at_least: Number | None = None
    above: Number | None = None
    below: Number | None = None
    at_most: Number | None = None

    @model_validator(mode="after")
    def _one_interval(self) -> BoundsEntry:
        if self.at_least is not None and self.above is not None:
            raise ValueError("at_least and above exclude each other")
        if self.below is not None and self.at_most is not None:
            raise ValueError("below and at_most exclude each other")
        bounds = self.bounds()
        floor, ceiling = bounds.floor, bounds.ceiling
        closed = bounds.at_least is not None and bounds.at_most is not None
        if floor is not None and ceiling is not None and (floor > ceiling or (floor == ceiling and not closed)):
            raise ValueError(f"nothing lies {bounds.words()}")
        return self

    def bounds(self) -> Bounds:
        """The same as the bedside has it."""
        return Bounds(*(getattr(self, name) for name in BOUNDS))


class IsEntry(Strict):
    """``{trait: dialysis, is: true}``."""

    trait: Annotated[str, _of(YES_NO, "a yes-or-no trait")]
    wanted: bool = Field(alias="is")

    def condition(self) -> Condition:
        """As the bedside has it."""
        return Is(self.trait, self.wanted)


class KnownEntry(Strict):
    """``{trait: hiv, known: false}``; of a number, whether it is more than a span."""

    trait: Annotated[str, _of(YES_NO | NUMBERS, "a yes-or-no trait or a number")]
    known: bool

    def condition(self) -> Condition:
        """As the bedside has it."""
        return IsKnown(self.trait, self.known)


class OneOfEntry(Strict):
    """``{trait: ecog, one_of: [2]}``."""

    trait: Annotated[str, _of(LISTED, "a trait with values to list")]
    one_of: Annotated[list[int | str], Field(min_length=1)]

    @model_validator(mode="after")
    def _possible(self) -> OneOfEntry:
        field = FIELDS[self.trait]
        choices = [name for name, _ in field.choices]
        for value in self.one_of:
            if choices and value not in choices:
                raise ValueError(f"{value!r} is not one of {', '.join(choices)}")
            if not choices and not (isinstance(value, int) and field.low <= value <= field.high):
                raise ValueError(f"{value!r} is not a value of {self.trait}: {field.answer}")
        return self

    def condition(self) -> Condition:
        """As the bedside has it."""
        return OneOf(self.trait, tuple(self.one_of))


class WithinEntry(BoundsEntry):
    """``{trait: creatinine_clearance, below: 30, unit: mL/min}``; kept in the unit of the profile."""

    trait: Annotated[str, _of(NUMBERS, "a number of the profile")]
    unit: str = ""

    @model_validator(mode="after")
    def _in_a_unit(self) -> WithinEntry:
        field = FIELDS[self.trait]
        if not self.bounds().edges:
            raise ValueError(f"{self.trait} has no bound")
        if field.units and find_unit(field, self.unit) is None:
            raise ValueError(f"{self.trait} needs a unit: {', '.join(unit.name for unit in field.units)}")
        if not field.units and self.unit:
            raise ValueError(f"{self.trait} has no unit")
        return self

    def condition(self) -> Condition:
        """As the bedside has it."""
        field = FIELDS[self.trait]
        unit = find_unit(field, self.unit) if field.units else None
        if unit is None or unit is field.units[0]:
            return Within(self.trait, self.bounds(), field.unit)
        kept = (None if edge is None else converted_quantity(edge, unit, field.units[0]) for edge in self.bounds())
        return Within(self.trait, Bounds(*kept), field.unit)


class TimesEntry(BoundsEntry):
    """``{trait: creatinine_clearance, times: cockcroft_gault, above: 3}``."""

    trait: Annotated[str, _of(NUMBERS, "a number of the profile")]
    times: str

    @model_validator(mode="after")
    def _bounded(self) -> TimesEntry:
        if not self.bounds().edges:
            raise ValueError(f"{self.trait} has no bound")
        return self

    def condition(self) -> Condition:
        """As the bedside has it."""
        return Times(self.trait, self.times, self.bounds())


class DrugsEntry(Strict):
    """``{drugs: [lenalidomide], state: refractory}`` or ``{drug_class: anti_cd38, state: exposed}``."""

    drugs: Annotated[list[str], Field(min_length=1)] | None = None
    drug_class: str | None = None
    state: Literal["refractory", "exposed"]
    at_least: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _one_list(self) -> DrugsEntry:
        if (self.drugs is None) == (self.drug_class is None):
            raise ValueError("name either drugs or a drug_class")
        return self

    def condition(self) -> Condition:
        """As the bedside has it."""
        return Drugs(self.state, tuple(self.drugs or ()), self.drug_class or "", self.at_least)


class CoursesEntry(Strict):
    """``{courses: [bispecific, adc], months: {below: 6}}``."""

    courses: Annotated[list[Kind], Field(min_length=1)]
    months: BoundsEntry = BoundsEntry()

    @model_validator(mode="after")
    def _each_once(self) -> CoursesEntry:
        if len(set(self.courses)) < len(self.courses):
            raise ValueError("a kind stands there twice")
        return self

    def condition(self) -> Condition:
        """As the bedside has it."""
        return HadCourse(tuple(self.courses), self.months.bounds())


class ScoreConditionEntry(BoundsEntry):
    """``{score: car_hematotox, at_least: 2}``."""

    score: str

    @model_validator(mode="after")
    def _bounded(self) -> ScoreConditionEntry:
        if not self.bounds().edges:
            raise ValueError(f"{self.score} has no bound")
        return self

    def condition(self) -> Condition:
        """As the bedside has it."""
        return Score(self.score, self.bounds())


class AllEntry(Strict):
    """``{all: [...]}``."""

    parts: Annotated[list[ConditionEntry], Field(alias="all", min_length=1)]

    def condition(self) -> Condition:
        """As the bedside has it."""
        return Every(tuple(part.condition() for part in self.parts))


class AnyEntry(Strict):
    """``{any: [...]}``."""

    parts: Annotated[list[ConditionEntry], Field(alias="any", min_length=1)]

    def condition(self) -> Condition:
        """As the bedside has it."""
        return Some(tuple(part.condition() for part in self.parts))


class NotEntry(Strict):
    """``{not: {...}}``."""

    part: ConditionEntry = Field(alias="not")

    def condition(self) -> Condition:
        """As the bedside has it."""
        return Not(self.part.condition())


def _shape(plain: Any) -> str | None:  # noqa: ANN401  # whatever a file holds
    """Which shape an entry has, from the keys it has."""
    keys = set(plain) if isinstance(plain, dict) else set()
    for key in ("all", "any", "not", "courses", "score"):
        if key in keys:
            return key
    if keys & {"drugs", "drug_class"}:
        return "drugs"
    if "trait" in keys:
        return next((key for key in ("is", "known", "one_of", "times") if key in keys), "within")
    return None


ConditionEntry = Annotated[
    Annotated[AllEntry, Tag("all")]
    | Annotated[AnyEntry, Tag("any")]
    | Annotated[NotEntry, Tag("not")]
    | Annotated[IsEntry, Tag("is")]
    | Annotated[KnownEntry, Tag("known")]
    | Annotated[OneOfEntry, Tag("one_of")]
    | Annotated[WithinEntry, Tag("within")]
    | Annotated[TimesEntry, Tag("times")]
    | Annotated[DrugsEntry, Tag("drugs")]
    | Annotated[CoursesEntry, Tag("courses")]
    | Annotated[ScoreConditionEntry, Tag("score")],
    Discriminator(
        _shape,
        custom_error_type="condition",
        custom_error_message="is not a condition: all, any, not, trait, drugs, drug_class, courses or score",
    ),
]

for _entry in (AllEntry, AnyEntry, NotEntry):
    _entry.model_rebuild()


def naming_problems(condition: Condition, definitions: Definitions) -> Iterator[str]:
    """Drugs, drug classes and scores that a condition names and the definitions do not have."""
    drugs = {drug.id for drug in definitions.drugs}
    classes = {one.id for one in definitions.drug_classes}
    scores = {score.about.id for score in definitions.scores.every()}
    formulas = {formula.about.id for formula in definitions.scores.formulas}
    for leaf in leaves_of(condition):
        if isinstance(leaf, Drugs):
            for name in leaf.drugs:
                if name not in drugs:
                    yield f"{name!r} is not a drug of the definitions{_hint(name, drugs)}"
            if leaf.drug_class and leaf.drug_class not in classes:
                yield f"{leaf.drug_class!r} is not a drug class{_hint(leaf.drug_class, classes)}"
            elif len(leaf.drugs or definitions.agents(leaf.drug_class)) < leaf.at_least:
                yield f"at_least {leaf.at_least} is more than there are drugs"
        elif isinstance(leaf, Score) and leaf.score not in scores:
            yield f"{leaf.score!r} is not a score{_hint(leaf.score, scores)}"
        elif isinstance(leaf, Times) and leaf.other not in NUMBERS | formulas:
            yield f"{leaf.other!r} is neither a number of the profile nor a formula{_hint(leaf.other, formulas)}"


def _hint(name: str, known: set[str]) -> str:
    hint = closest(name, sorted(known))
    return f"; {hint}" if hint else ""
