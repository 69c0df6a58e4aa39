"""What is to be said of the labels as a whole: seen long ago, still pending, and none left in either class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from bcma_decide.comparing.findings import in_one_line
from bcma_decide.comparing.order_evidence import RESPONSE
from bcma_decide.comparing.published import Withheld
from bcma_decide.comparison import Finding, Indication, LabelContext, Option
from bcma_decide.pooled.rule_book import SINGLE_AGENT, OutsideComparison
from bcma_decide.vocabulary import CLASSES, UNVERIFIED, ClassId


def context_of_labels(
    labels: Mapping[str, Indication], region: str, on: date, seen_until: str, months: int
) -> LabelContext:
    """Region and day of the labels, and whether one of the region was seen longer ago than so many months."""
    aged = any(each.aged_months is not None for label in labels.values() for each in label.regimens)
    return LabelContext(region=region, date=on.isoformat(), seen_until=seen_until, aged_months=months if aged else None)


def label_findings(labels: Mapping[str, Indication], context: LabelContext) -> Iterator[Finding]:
    """Applications with a positive opinion, and labels that were seen long ago: one line for all of them."""
    regimens = [(product, each) for product, label in labels.items() for each in label.regimens]
    for product, label in regimens:
        if label.approval == "pending":
            name = label.label if label.regimen == SINGLE_AGENT else f"{label.label} {label.regimen}"
            opinion = f", opinion {label.opinion}" if label.opinion else ""
            yield Finding(
                id=f"label-pending.{product}.{label.regimen.replace(' ', '-')}",
                applies_to={"class": label.class_id, "product": product},
                severity="information",
                state="fires",
                text=f"{name}: no label in {context.region}, {label.items[0].value} (seen {label.seen})",
                sources=label.sources,
                topic="labels",
                short=in_one_line(f"{name}: pending in {context.region}{opinion}"),
                subject="label_pending",
            )
    old = [label for _, label in regimens if label.aged_months is not None]
    if old and context.aged_months is not None:
        seen = min(label.seen for label in old)
        names = ", ".join(dict.fromkeys(label.label for label in old))
        yield Finding(
            id="labels-aged",
            severity="information",
            state="fires",
            text=f"labels seen up to {seen}, older than {context.aged_months} months on {context.date}: {names}",
            topic="labels",
            short=in_one_line(f"Labels seen up to {seen}: older than {context.aged_months} months on {context.date}"),
            subject="labels_aged",
        )


def outside_comparison(
    outside: OutsideComparison | None,
    options: Iterable[Option],
    labels: Mapping[str, Indication],
    findings: Iterable[Finding],
    withheld: Mapping[tuple[str, str], Withheld],
) -> Iterator[Finding]:
    """Name what lies outside the comparison where both classes are closed: off label, ruled out, no number."""
    judged, listed = tuple(findings), tuple(options)
    if outside is None or not all(_closed(class_id, listed, labels, judged, withheld) for class_id in CLASSES):
        return
    yield Finding(
        id="outside-comparison",
        severity="information",
        state="fires",
        text=outside.text,
        sources=outside.sources,
        topic="labels",
        basis=outside.basis,
        short=outside.short,
        subject="outside_comparison",
    )


def _closed(
    class_id: ClassId,
    options: tuple[Option, ...],
    labels: Mapping[str, Indication],
    findings: tuple[Finding, ...],
    withheld: Mapping[tuple[str, str], Withheld],
) -> bool:
    of_class = [option.id for option in options if option.class_id == class_id and option.kind == "product"]
    products = [product for product in of_class if product in labels]
    return bool(products) and all(labels[product].off_label or _ruled_out(class_id, product, findings)
               or (RESPONSE, product) in withheld for product in products)  # fmt: skip


def _ruled_out(class_id: ClassId, product: str, findings: tuple[Finding, ...]) -> bool:
    return any(
        finding.state == "fires"
        and finding.severity == "contraindication"
        and finding.basis != UNVERIFIED
        and finding.applies_to.get("class") == class_id
        and finding.applies_to.get("product") in (None, product)
        for finding in findings
    )
