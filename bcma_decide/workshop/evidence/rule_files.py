"""What ``evidence/rules/*.yaml`` and ``evidence/products.yaml`` may say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from bcma_decide.pooled.conditions import to_plain
from bcma_decide.pooled.in_force import days_of
from bcma_decide.pooled.rule_book import Approval, OtherKind, Phase, ShortFor
from bcma_decide.vocabulary import Basis, ClassId, Severity
from bcma_decide.workshop.evidence.conditions import ConditionEntry
from bcma_decide.workshop.evidence.schema import Identifier, Number, Source, Strict, Text


def _a_date(text: str) -> str:
    days_of(text)
    return text


Date = Annotated[str, AfterValidator(_a_date)]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Region = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z ]*$")]
Short = Annotated[str, Field(min_length=3, max_length=72, pattern=r"^[A-Z][^\u2013\u2014]*[^.]$")]
"""One line of a first screen."""
RuleId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9][a-z0-9.-]*$")]


class AppliesTo(Strict):
    """Whom a rule concerns: a class or any, some of its products, one region."""

    class_id: ClassId | Literal["any"] = Field(alias="class")
    products: tuple[Identifier, ...] = ()
    region: Region | None = None


class RuleEntry(Strict):
    """One rule."""

    id: RuleId
    state: Identifier
    when: ConditionEntry
    applies_to: AppliesTo
    severity: Severity
    origin: Literal["label", "consensus", "trial_entry", "study", "expert"]
    short: Short
    text: Text
    phase: Phase = "start"
    basis: Basis
    sources: tuple[Key, ...]
    date: Date
    since: Date | None = None
    until: Date | None = None
    note: str = ""

    def bedside(self, topic: str) -> dict[str, Any]:
        """Plain data for the pooled file."""
        kept = (
            "id",
            "state",
            "severity",
            "origin",
            "short",
            "text",
            "phase",
            "basis",
            "date",
            "since",
            "until",
            "note",
        )
        return {
            **{key: getattr(self, key) for key in kept},
            "topic": topic,
            "when": to_plain(self.when.condition()),
            "class_id": self.applies_to.class_id,
            "products": list(self.applies_to.products),
            "region": self.applies_to.region,
            "sources": list(self.sources),
        }


class RulesFile(Strict):
    """One topic."""

    topic: Key
    rules: Annotated[tuple[RuleEntry, ...], Field(min_length=1)]


class OtherProductsEntry(Strict):
    """What is known of a state for products that no rule speaks of."""

    kind: OtherKind
    text: Text
    class_id: ClassId | None = Field(default=None, alias="class")
    products: tuple[Identifier, ...] = ()
    region: Region | None = None
    sources: tuple[Key, ...] = ()

    def bedside(self) -> dict[str, Any]:
        """Plain data for the pooled file."""
        return {**self.model_dump(), "products": list(self.products), "sources": list(self.sources)}


class RankDifferenceEntry(Strict):
    """Why one state has different ranks for different products."""

    text: Text
    region: Region | None = None


class PatientStateEntry(Strict):
    """A state of the patient that rules speak of."""

    id: Identifier
    label: Text
    short: Short | None = None
    short_for: ShortFor = "products"
    asked_only_if: ConditionEntry | None = None
    others: tuple[OtherProductsEntry, ...] = ()
    differences: tuple[RankDifferenceEntry, ...] = ()

    def bedside(self) -> dict[str, Any]:
        """Plain data for the pooled file."""
        asked = self.asked_only_if
        return {
            "id": self.id,
            "label": self.label,
            "short": self.short or "",
            "short_for": self.short_for,
            "asked_only_if": to_plain(asked.condition()) if asked else None,
            "others": [each.bedside() for each in self.others],
            "differences": [each.model_dump() for each in self.differences],
        }


class PatientStatesFile(Strict):
    """States of the patient, so that what several rules say of one can be laid side by side."""

    states: Annotated[tuple[PatientStateEntry, ...], Field(min_length=1)]


class ConsensusDocument(Strict):
    """A document whose thresholds could not be seen, for later checking."""

    id: Key
    citation: Text
    pmid: int | None = None
    doi: str | None = None
    content_seen: str


class RuleSourcesFile(Strict):
    """Where the rules were seen, and what was looked for in vain."""

    sources: dict[Key, Source]
    consensus_documents: tuple[ConsensusDocument, ...] = ()
    not_found: tuple[Text, ...] = ()


class ItemEntry(Strict):
    """One thing a label asks for."""

    text: Text
    when: ConditionEntry


class IndicationEntry(Strict):
    """A labelled indication in one region and time."""

    region: Region
    regimen: Text
    since: Date | None = None
    until: Date | None = None
    approval: Approval | None
    items: tuple[ItemEntry, ...] = ()
    basis: Basis
    source: Key | None = None
    seen: Date | None = None
    """Up to when it was seen; None for the date of the file."""
    opinion: Date | None = None
    """Day of the positive opinion of an application that is still pending."""
    note: str = ""

    def bedside(self, as_of: str) -> dict[str, Any]:
        """Plain data for the pooled file, whose labels were seen up to ``as_of``."""
        plain: dict[str, Any] = self.model_dump(exclude={"items"})
        return plain | {
            "seen": self.seen or as_of,
            "items": [{"text": i.text, "when": to_plain(i.when.condition())} for i in self.items],
        }


class FactEntry(Strict):
    """Something about giving a product."""

    topic: Identifier
    region: Region | None = None
    since: Date | None = None
    until: Date | None = None
    text: Text
    figures: dict[Identifier, Number | str | tuple[Number, Number]] = Field(default_factory=dict)
    basis: Basis
    source: Key | None = None
    note: str = ""

    def bedside(self) -> dict[str, Any]:
        """Plain data for the pooled file."""
        plain: dict[str, Any] = self.model_dump(exclude={"figures"})
        return plain


class ClassFacts(Strict):
    """What holds for every product of a class."""

    facts: tuple[FactEntry, ...] = ()


class ProductEntry(Strict):
    """A product with its labels and practical facts."""

    id: Identifier
    inn: Text
    brand: str | None
    class_id: ClassId
    targets: tuple[str, ...]
    route: str | None = None
    indications: tuple[IndicationEntry, ...]
    facts: tuple[FactEntry, ...]


class TopicEntry(Strict):
    """A row of the table of practical facts."""

    id: Identifier
    label: Text
    shown: bool


class BurdenFigure(Strict):
    """A figure of a fact, and what makes the burden's unit of it."""

    figure: Identifier
    times: float | int = 1
    per: Annotated[float | int, Field(gt=0)] = 1

    def value(self, fact: FactEntry) -> float | None:
        """The burden by this fact; None where it holds no such figure."""
        found = fact.figures.get(self.figure)
        return float(found) * self.times / self.per if isinstance(found, (int, float)) else None


class BurdenEntry(Strict):
    """What giving a product asks of the patient, as one figure of the facts of a topic."""

    id: Identifier
    label: Text
    unit: Text
    topic: Identifier
    figures: Annotated[tuple[BurdenFigure, ...], Field(min_length=1)]

    def bedside(self, holder: str, facts: tuple[FactEntry, ...]) -> Iterator[dict[str, Any]]:
        """Its values by the facts of a product or a class; recalled facts have none."""
        for fact in facts:
            if fact.topic != self.topic or fact.basis == "recalled":
                continue
            values = [value for each in self.figures if (value := each.value(fact)) is not None]
            if values:
                kept = ("region", "since", "until", "text", "source")
                yield {"holder": holder, "value": values[0], **{key: getattr(fact, key) for key in kept}}


class RenalRule(Strict):
    """What a label or a centre does with fludarabine by clearance; carried, never shown: no dosing advice."""

    id: Key
    clearance: str
    fraction_of_full_dose: Number
    label_dose_mg_m2: Number | None = None
    flu30_equivalent_mg_m2: Number | None = None
    derived_fields: tuple[str, ...] = ()
    rule: str = ""
    basis: Basis
    source: Key
    note: str = ""


class OutsideComparisonEntry(Strict):
    """What to name where no option of the comparison is left."""

    short: Short
    text: Text
    basis: Basis
    sources: tuple[Key, ...]

    def bedside(self) -> dict[str, Any]:
        """Plain data for the pooled file."""
        return {**self.model_dump(), "sources": list(self.sources)}


class ProductsFile(Strict):
    """The whole file."""

    as_of: Date
    outside_comparison: OutsideComparisonEntry
    topics: tuple[TopicEntry, ...]
    burdens: tuple[BurdenEntry, ...] = ()
    classes: dict[ClassId, ClassFacts]
    products: tuple[ProductEntry, ...]
    fludarabine_renal_rules: tuple[RenalRule, ...]
    not_found: tuple[Text, ...] = ()
    sources: dict[Key, Source]
