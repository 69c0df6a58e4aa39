"""``published_options.yaml``: labelled regimens that the model does not hold, shown with their published figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from bcma_decide.errors import EvidenceError, Problem, closest
from bcma_decide.vocabulary import UNVERIFIED, Basis
from bcma_decide.workshop.evidence.catalogue import Catalogue, read_shape
from bcma_decide.workshop.evidence.published_rows import PublishedRow, row_problems, with_share
from bcma_decide.workshop.evidence.rule_files import Key, ProductEntry
from bcma_decide.workshop.evidence.rules import RuleFiles
from bcma_decide.workshop.evidence.schema import Identifier, Strict, Text

FILE: Final = "published_options.yaml"


class PublishedOptionEntry(Strict):
    """One regimen: whose label it is, the study behind it, and which of its figures are shown."""

    id: Identifier
    label: Text
    long_label: Text
    product: Identifier
    regimen: Text
    study: Identifier
    design: Text
    rows: Annotated[tuple[PublishedRow, ...], Field(min_length=1)]
    note: Text
    """Comparison treatment, earlier lines studied, who was left out."""
    sources: Annotated[tuple[Key, ...], Field(min_length=1)]
    basis: Basis

    @model_validator(mode="after")
    def _was_seen(self) -> PublishedOptionEntry:
        if self.basis == UNVERIFIED:
            raise ValueError("a recalled statement is not shown as published")
        return self

    def bedside(self, catalogue: Catalogue, class_id: str) -> dict[str, Any]:
        """Plain data for the pooled file."""
        study = catalogue.study(self.study)
        months = study.median_follow_up_months
        follow_up = f", median follow-up {months:g} months" if months is not None else ""
        return {
            "id": self.id,
            "label": self.label,
            "long_label": self.long_label,
            "class_id": class_id,
            "product": self.product,
            "regimen": self.regimen,
            "study": f"{study.name}: {self.design}{follow_up}",
            "figures": [with_share(row, catalogue) for row in self.rows],
            "note": self.note,
            "sources": list(self.sources),
        }


class PublishedOptionsFile(Strict):
    """The whole file."""

    options: tuple[PublishedOptionEntry, ...] = ()


def load_published_options(root: Path, catalogue: Catalogue, rules: RuleFiles) -> tuple[PublishedOptionEntry, ...]:
    """Read and check ``published_options.yaml``.

    Raises
    ------
    EvidenceError
        With every problem found, each naming the option and its field.
    """
    problems: list[Problem] = []
    file = read_shape(root / FILE, PublishedOptionsFile, root, problems)
    if file is not None:
        problems += option_problems(file, catalogue, rules)
    if file is None or problems:
        raise EvidenceError("the published options cannot be used", problems)
    return file.options


def option_problems(file: PublishedOptionsFile, catalogue: Catalogue, rules: RuleFiles) -> Iterator[Problem]:
    """Every reference of the published options that leads nowhere, and options that the model holds."""
    counts = Counter(entry.id for entry in file.options)
    held = {product for product, known in catalogue.vocabulary.ids.products.items() if known.option}
    for number, entry in enumerate(file.options):
        for field, message, fix in _problems(entry, catalogue, rules):
            yield Problem(f"options[{number}].{field}", message, fix, FILE)
        if entry.id in held:
            yield Problem(f"options[{number}].id", f"{entry.id} is an option of the model", "leave it out", FILE)
        if counts[entry.id] > 1:
            yield Problem(f"options[{number}].id", f"{entry.id} stands there twice", "give each its own id", FILE)


def _problems(entry: PublishedOptionEntry, catalogue: Catalogue, rules: RuleFiles) -> Iterator[tuple[str, str, str]]:
    studies = {study.id: study for study in catalogue.studies}
    products: Mapping[str, ProductEntry] = {product.id: product for product in rules.products.products}
    product = products.get(entry.product)
    if product is None:
        yield "product", f"{entry.product} is not a product", closest(entry.product, list(products))
    else:
        regimens = {label.regimen for label in product.indications}
        if entry.regimen not in regimens:
            yield (
                "regimen",
                f"no label of {entry.product} is for {entry.regimen!r}",
                closest(entry.regimen, list(regimens)),
            )
        yield from row_problems(entry.rows, studies, product.class_id)
    if entry.study not in studies:
        yield "study", f"there is no study {entry.study}", closest(entry.study, list(studies))
    listed = rules.rule_sources.sources.keys() | rules.products.sources.keys()
    for key in entry.sources:
        if key not in listed:
            yield "sources", f"{key} is not in rules/sources.yaml or products.yaml", closest(key, list(listed))
