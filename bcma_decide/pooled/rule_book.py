"""Rules, labels and practical facts as plain values; they reach the bedside inside the pooled file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from bcma_decide.pooled.conditions import Condition, from_plain
from bcma_decide.pooled.score_book import Citation, row_of, rows_of
from bcma_decide.vocabulary import Basis, ClassId, Origin, Severity

Approval = Literal["full", "accelerated", "conditional", "pending", "not_approved"]

SINGLE_AGENT = "monotherapy"
Phase = Literal["start", "during"]
ShortFor = Literal["products", "classes"]
OtherKind = Literal["not_seen", "nothing_said", "does_not_apply"]
NOT_IN_FORCE: tuple[Approval, ...] = ("pending", "not_approved")


class Rule(Struct, frozen=True):
    """One rule: whom it concerns, the condition, and what it says where the condition holds."""

    id: str
    state: str
    """State of the patient it speaks of, by the id of a :class:`PatientState`."""
    topic: str
    when: Condition
    class_id: ClassId | Literal["any"]
    severity: Severity
    origin: Origin
    short: str
    """The text in one line of at most 72 characters."""
    text: str
    basis: Basis
    sources: tuple[str, ...]
    date: str
    products: tuple[str, ...] = ()
    region: str | None = None
    since: str | None = None
    until: str | None = None
    note: str = ""
    phase: Phase = "start"
    """*during* where it speaks of doses under treatment: no reason against a start."""


class OtherProducts(Struct, frozen=True):
    """What is known of a state for products that no rule speaks of."""

    kind: OtherKind
    text: str
    class_id: ClassId | None = None
    products: tuple[str, ...] = ()
    """Empty for every product of the class, or of both classes."""
    region: str | None = None
    sources: tuple[str, ...] = ()


class RankDifference(Struct, frozen=True):
    """Why one state has different ranks for different products: what their texts say."""

    text: str
    region: str | None = None


class PatientState(Struct, frozen=True):
    """A state of the patient that rules speak of, for one product or several."""

    id: str
    label: str
    short: str = ""
    """One line for all products, where rules of one rank cover them; empty where each stands for itself."""
    short_for: ShortFor = "products"
    """Whether that line needs rules on every product offered, or on some product of either class."""
    asked_only_if: Condition | None = None
    """Nothing is asked about it where this is false."""
    others: tuple[OtherProducts, ...] = ()
    differences: tuple[RankDifference, ...] = ()


class LabelItem(Struct, frozen=True):
    """One thing a label asks for."""

    text: str
    when: Condition


class OutsideComparison(Struct, frozen=True):
    """What to name where no option of the comparison is left."""

    short: str
    text: str
    basis: Basis
    sources: tuple[str, ...]


class Label(Struct, frozen=True):
    """What a product is labelled for in one region and time."""

    region: str
    regimen: str
    approval: Approval | None
    """None where the source does not say which kind."""
    items: tuple[LabelItem, ...]
    basis: Basis
    source: str | None
    seen: str
    """Up to when it was seen to be as it stands here."""
    since: str | None = None
    """None where no beginning is known: the label may or may not have been in force."""
    until: str | None = None
    opinion: str | None = None
    """Day of the positive opinion of an application that is still pending."""
    note: str = ""


class PracticalFact(Struct, frozen=True):
    """Something about giving a product: where and when it holds, and how it is known."""

    topic: str
    text: str
    basis: Basis
    source: str | None = None
    region: str | None = None
    since: str | None = None
    until: str | None = None
    note: str = ""


class Product(Struct, frozen=True):
    """A product with its labels and practical facts."""

    id: str
    inn: str
    brand: str | None
    class_id: ClassId
    indications: tuple[Label, ...]
    facts: tuple[PracticalFact, ...]


class BurdenValue(Struct, frozen=True):
    """A burden by one fact: of which product or class, its value, and where and when the fact holds."""

    holder: str
    value: float
    text: str
    source: str
    region: str | None = None
    since: str | None = None
    until: str | None = None


class Burden(Struct, frozen=True):
    """What giving a product asks of the patient, as one figure; a product's own values stand before its class's."""

    id: str
    label: str
    unit: str
    values: tuple[BurdenValue, ...]


class Topic(Struct, frozen=True):
    """A row of the table of practical facts; ``shown`` in the short view or only carried."""

    id: str
    label: str
    shown: bool


class RuleBook(Struct, frozen=True, eq=False):
    """All of them, and up to when labels were seen; one book equals itself only, so that it can be a key."""

    as_of: str
    rules: tuple[Rule, ...]
    topics: tuple[Topic, ...]
    class_facts: Mapping[str, tuple[PracticalFact, ...]]
    products: tuple[Product, ...]
    sources: Mapping[str, Citation]
    burdens: tuple[Burden, ...] = ()
    states: tuple[PatientState, ...] = ()
    outside_comparison: OutsideComparison | None = None

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> RuleBook:
        """Build from plain data, as it stands in the pooled file."""
        return cls(
            as_of=plain["as_of"],
            rules=tuple(row_of(Rule, {**row, "when": from_plain(row["when"])}) for row in plain["rules"]),
            topics=rows_of(Topic, plain["topics"]),
            class_facts={key: rows_of(PracticalFact, rows) for key, rows in plain["class_facts"].items()},
            products=tuple(
                Product(
                    id=row["id"],
                    inn=row["inn"],
                    brand=row["brand"],
                    class_id=row["class_id"],
                    indications=tuple(_label(each) for each in row["indications"]),
                    facts=rows_of(PracticalFact, row["facts"]),
                )
                for row in plain["products"]
            ),
            sources={key: row_of(Citation, row) for key, row in plain["sources"].items()},
            burdens=tuple(
                Burden(row["id"], row["label"], row["unit"], rows_of(BurdenValue, row["values"]))
                for row in plain["burdens"]
            ),
            states=tuple(_state(row) for row in plain["states"]),
            outside_comparison=row_of(OutsideComparison, plain["outside_comparison"]),
        )

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions with a label, in the order of the file."""
        return tuple(dict.fromkeys(label.region for product in self.products for label in product.indications))


def _state(row: Mapping[str, Any]) -> PatientState:
    asked = row["asked_only_if"]
    return row_of(
        PatientState,
        {
            **row,
            "asked_only_if": from_plain(asked) if asked else None,
            "others": rows_of(OtherProducts, row["others"]),
            "differences": rows_of(RankDifference, row["differences"]),
        },
    )


def _label(row: Mapping[str, Any]) -> Label:
    items = tuple(LabelItem(item["text"], from_plain(item["when"])) for item in row["items"])
    return row_of(Label, {**row, "items": items})
