"""``limits.yaml``: conditions under which no number is given, and the published figures that stand in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from bcma_decide.errors import EvidenceError, Problem, closest
from bcma_decide.pooled.conditions import to_plain
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.vocabulary import FAMILIES, PFS_FAMILY, Basis
from bcma_decide.workshop.evidence.catalogue import Catalogue, read_shape
from bcma_decide.workshop.evidence.conditions import ConditionEntry, naming_problems
from bcma_decide.workshop.evidence.published_rows import PublishedRow, figure, row_problems
from bcma_decide.workshop.evidence.rule_files import AppliesTo, Key
from bcma_decide.workshop.evidence.rules import RuleFiles
from bcma_decide.workshop.evidence.schema import Identifier, Strict, Study, Text

FILE: Final = "limits.yaml"


class LimitEntry(Strict):
    """One condition, whom it concerns, the families without a number, why, and what was published."""

    id: Key
    when: ConditionEntry | None = None
    """None: for every patient, where the published data of a product contradict what its class gives for it."""
    applies_to: AppliesTo
    families: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    reason: Text
    rows: tuple[PublishedRow, ...]
    sources: tuple[Key, ...]
    basis: Basis
    note: str = ""

    @model_validator(mode="after")
    def _has_an_origin(self) -> LimitEntry:
        if not self.rows and not self.sources:
            raise ValueError("name the published rows, or a source that says there are none")
        if self.basis == "recalled":
            raise ValueError("a recalled statement takes no number away")
        if self.when is None and not self.applies_to.products:
            raise ValueError("a limit without a condition names the products that it is about")
        return self

    def bedside(self, catalogue: Catalogue) -> dict[str, Any]:
        """Plain data for the pooled file."""
        return {
            "id": self.id,
            "when": None if self.when is None else to_plain(self.when.condition()),
            "class_id": self.applies_to.class_id,
            "products": list(self.applies_to.products),
            "families": list(self.families),
            "reason": self.reason,
            "figures": [_of_study(row, catalogue) for row in self.rows],
            "sources": list(self.sources),
        }


def _of_study(row: PublishedRow, catalogue: Catalogue) -> dict[str, Any]:
    plain = figure(row, catalogue)
    return plain | {"text": f"{catalogue.study(row.study).name}: {plain['text']}"}


class LimitsFile(Strict):
    """The whole file."""

    limits: tuple[LimitEntry, ...] = ()


def load_limits(root: Path, catalogue: Catalogue, rules: RuleFiles, definitions: Definitions) -> tuple[LimitEntry, ...]:
    """Read and check ``limits.yaml``.

    Raises
    ------
    EvidenceError
        With every problem found, each naming the limit and its field.
    """
    problems: list[Problem] = []
    file = read_shape(root / FILE, LimitsFile, root, problems)
    if file is not None:
        problems += limit_problems(file, catalogue, rules, definitions)
    if file is None or problems:
        raise EvidenceError("the limits cannot be used", problems)
    return file.limits


def limit_problems(
    file: LimitsFile, catalogue: Catalogue, rules: RuleFiles, definitions: Definitions
) -> Iterator[Problem]:
    """Every reference of the limits that leads nowhere."""
    counts = Counter(entry.id for entry in file.limits)
    products = {product.id: product.class_id for product in rules.products.products}
    studies = {study.id: study for study in catalogue.studies}
    for number, entry in enumerate(file.limits):
        for field, message, fix in _problems(entry, studies, rules, products):
            yield Problem(f"limits[{number}].{field}", message, fix, FILE)
        for message in naming_problems(entry.when.condition(), definitions) if entry.when else ():
            yield Problem(f"limits[{number}].when", message, "", FILE)
        if counts[entry.id] > 1:
            yield Problem(f"limits[{number}].id", f"{entry.id} stands there twice", "give each its own id", FILE)


def _problems(
    entry: LimitEntry, studies: Mapping[str, Study], rules: RuleFiles, products: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    families = {family.id: family for family in (*FAMILIES, PFS_FAMILY)}
    class_id = entry.applies_to.class_id
    for family in entry.families:
        if family not in families:
            yield "families", f"{family} is not a family of the model", closest(family, list(families))
        elif class_id != "any" and class_id not in families[family].classes:
            yield "families", f"{family} does not occur with {class_id}", ""
    for product in entry.applies_to.products:
        if product not in products:
            yield "applies_to.products", f"{product} is not a product", closest(product, list(products))
        elif products[product] != class_id:
            yield "applies_to.products", f"{product} is not of class {class_id}", ""
    for key in entry.sources:
        if key not in rules.rule_sources.sources:
            yield "sources", f"{key} is not in rules/sources.yaml", closest(key, list(rules.rule_sources.sources))
    if entry.applies_to.region is not None:
        yield "applies_to.region", "a limit holds in every region", "leave it out"
    yield from row_problems(entry.rows, studies, class_id)
