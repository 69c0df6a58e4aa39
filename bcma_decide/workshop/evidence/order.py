"""``order_of_therapies.yaml``: what was published of a second T-cell therapy, by the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from bcma_decide.errors import EvidenceError, Problem, closest
from bcma_decide.vocabulary import UNVERIFIED, Basis, ClassId, CourseKind
from bcma_decide.workshop.evidence.catalogue import Catalogue, read_shape
from bcma_decide.workshop.evidence.conditions import BoundsEntry
from bcma_decide.workshop.evidence.published_rows import PublishedRow, figure, figure_sources, row_problems
from bcma_decide.workshop.evidence.rule_files import Key, RuleId
from bcma_decide.workshop.evidence.rules import RuleFiles
from bcma_decide.workshop.evidence.schema import Identifier, Strict, Study, Text, TimeToEvent

FILE: Final = "order_of_therapies.yaml"


class FirstEntry(Strict):
    """What these patients had before."""

    kinds: tuple[CourseKind, ...]
    """Empty where the source does not say which."""
    products: tuple[Identifier, ...] = ()
    months: BoundsEntry = BoundsEntry()
    """Since its last dose, where the source restricts it."""


class SecondEntry(Strict):
    """What they were given then."""

    class_id: ClassId | Literal["any"] = Field(alias="class")
    products: tuple[Identifier, ...] = ()


class OrderEntry(Strict):
    """Figures of one study on a second therapy after a first."""

    id: Key
    first: FirstEntry
    second: SecondEntry
    of_whom: dict[CourseKind, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """How many of the patients counted had each kind before, where the source says so."""
    rows: Annotated[tuple[PublishedRow, ...], Field(min_length=1)]
    remark: Text
    basis: Basis

    @model_validator(mode="after")
    def _holds_together(self) -> OrderEntry:
        if self.basis == UNVERIFIED:
            raise ValueError("a recalled statement is not shown as published")
        if len({row.study for row in self.rows}) > 1:
            raise ValueError("an entry has the figures of one study")
        if not set(self.of_whom) <= set(self.first.kinds):
            raise ValueError("of_whom counts kinds that first.kinds does not name")
        return self

    def bedside(self, catalogue: Catalogue) -> dict[str, Any]:
        """Plain data for the pooled file; what came second is only shown, so that it stands there by its label."""
        products = catalogue.vocabulary.ids.products
        return {
            "id": self.id,
            "study": catalogue.study(self.rows[0].study).name,
            "kinds": list(self.first.kinds),
            "first_products": list(self.first.products),
            "months": self.first.months.bounds().given(),
            "class_id": self.second.class_id,
            "second_products": [products[product].label for product in self.second.products],
            "of_whom": dict(self.of_whom),
            "figures": [_with_median(row, catalogue) for row in self.rows],
            "remark": self.remark,
            "basis": self.basis,
        }


def _with_median(row: PublishedRow, catalogue: Catalogue) -> dict[str, Any]:
    """The figure of a row without the words for its group, which the entry says; of a time to an event also its median.

    The interval of the median is the printed one.
    """
    found, plain = row.found_in(catalogue.study(row.study))[0], figure(row, catalogue)
    ids = catalogue.vocabulary.ids
    label = ids.endpoints[row.outcome] if isinstance(found, TimeToEvent) else ids.outcomes[row.outcome]
    median, ends = (found.median_months, found.ci95) if isinstance(found, TimeToEvent) else (None, None)
    return plain | {
        "text": f"{label}: {plain['text'].rpartition(': ')[2]}",
        "median_months": median,
        "interval": None if ends is None else list(ends),
    }


class FindingsEntry(Strict):
    """Rules that speak of what comes second after a kind of first therapy."""

    first: CourseKind
    second: ClassId
    rules: Annotated[tuple[RuleId, ...], Field(min_length=1)]


class OrderFile(Strict):
    """The whole file."""

    entries: tuple[OrderEntry, ...] = ()
    findings: tuple[FindingsEntry, ...] = ()
    not_known: tuple[Text, ...] = ()


def load_order(root: Path, catalogue: Catalogue, rules: RuleFiles) -> dict[str, Any]:
    """Read and check ``order_of_therapies.yaml``: plain data for the pooled file.

    Raises
    ------
    EvidenceError
        With every problem found, each naming the entry and its field.
    """
    problems: list[Problem] = []
    file = read_shape(root / FILE, OrderFile, root, problems)
    if file is not None:
        problems += order_problems(file, catalogue, rules)
    if file is None or problems:
        raise EvidenceError("the order of therapies cannot be used", problems)
    return {
        "entries": [entry.bedside(catalogue) for entry in file.entries],
        "findings": [entry.model_dump(mode="json") for entry in file.findings],
        "not_known": list(file.not_known),
        "sources": figure_sources([row for entry in file.entries for row in entry.rows], catalogue),
    }


def order_problems(file: OrderFile, catalogue: Catalogue, rules: RuleFiles) -> Iterator[Problem]:
    """Every reference that leads nowhere, and counts that cannot be."""
    counts = Counter(entry.id for entry in file.entries)
    studies = {study.id: study for study in catalogue.studies}
    for number, entry in enumerate(file.entries):
        for field, message, fix in _problems(entry, studies, catalogue):
            yield Problem(f"entries[{number}].{field}", message, fix, FILE)
        if counts[entry.id] > 1:
            yield Problem(f"entries[{number}].id", f"{entry.id} stands there twice", "give each its own id", FILE)
    known = {rule.id: rule for _, topic in rules.topics for rule in topic.rules}
    pairs = Counter((entry.first, entry.second) for entry in file.findings)
    for number, findings in enumerate(file.findings):
        place = f"findings[{number}]"
        if pairs[findings.first, findings.second] > 1:
            yield Problem(place, f"{findings.first} before {findings.second} stands there twice", "join them", FILE)
        for rule_id in findings.rules:
            rule = known.get(rule_id)
            if rule is None:
                yield Problem(f"{place}.rules", f"there is no rule {rule_id}", closest(rule_id, list(known)), FILE)
            elif rule.applies_to.class_id not in ("any", findings.second):
                yield Problem(f"{place}.rules", f"{rule_id} is not about class {findings.second}", "", FILE)
            elif rule.basis == UNVERIFIED:
                yield Problem(f"{place}.rules", f"{rule_id} is recalled: it is not shown as published", "", FILE)


def _problems(entry: OrderEntry, studies: Mapping[str, Study], catalogue: Catalogue) -> Iterator[tuple[str, str, str]]:
    # A study of one class may report the other as a later treatment: what its rows are of is said by the entry.
    slips = list(row_problems(entry.rows, studies, "any"))
    yield from slips
    products = catalogue.vocabulary.ids.products
    for field, named in (("first.products", entry.first.products), ("second.products", entry.second.products)):
        for product in named:
            if product not in products:
                yield field, f"{product} is not a product", closest(product, list(products))
            elif field.startswith("second") and products[product].class_id != entry.second.class_id:
                yield field, f"{product} is not of class {entry.second.class_id}", ""
    if slips:
        return
    study = studies[entry.rows[0].study]
    most = max((row.n for each in entry.rows for row in each.found_in(study) if row.n is not None), default=None)
    for kind, count in entry.of_whom.items():
        if most is None or count > most:
            counted = "nobody" if most is None else f"{most} patients"
            yield f"of_whom.{kind}", f"{count} with it, but the rows count {counted}", ""
