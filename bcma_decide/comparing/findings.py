"""What the input itself gives to check, the order of all findings, and the references of everything that is said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import ceil, floor

from bcma_decide.comparing.outside import outside_reasons
from bcma_decide.comparing.published import Withheld
from bcma_decide.comparison import Finding, Indication, PublishedOption, ScoreLine
from bcma_decide.model.beside import kept_beside
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.model.prediction import numeric_range
from bcma_decide.patient.phrases import and_list, label_of
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.time_course import Survival, WayToTreatment
from bcma_decide.vocabulary import (
    CLASS_LABELS,
    CLASSES,
    MODEL_TRAITS,
    ONE_LINE,
    SEVERITIES,
    UNVERIFIED,
    model_scale,
    natural_scale,
)


def input_findings(numbers: PatientNumbers) -> Iterator[Finding]:
    """What the input itself gives to check: contradictions, traits outside the evidence, numbers held at its edge."""
    for contradiction in numbers.traits.contradictions:
        yield Finding(
            id="contradiction." + ".".join(contradiction.fields),
            severity="caution",
            state="fires",
            text=f"check the input: {contradiction.message}; {_not_used(contradiction.fields)}",
            needs=tuple(contradiction.fields),
            short=in_one_line(f"Contradiction: {and_list([label_of(name) for name in contradiction.fields])}"),
        )
    of_families = outside_reasons(numbers).values()
    for index, class_id in enumerate(CLASSES):
        reasons = dict.fromkeys(reason for family in of_families for reason in family[index])
        for number, reason in enumerate(reasons, start=1):
            yield Finding(
                id=f"outside-evidence.{class_id}.{number}",
                applies_to={"class": class_id},
                severity="caution",
                state="fires",
                text=f"outside the evidence: {reason}; intervals are widened",
                short=in_one_line(f"{reason[0].upper()}{reason[1:]} ({CLASS_LABELS[class_id][0]})"),
            )
    ends = _ends(numbers.pooled)
    for position, trait in enumerate(MODEL_TRAITS):
        value = model_scale(trait.id, numbers.traits[trait.id].value)
        low, high = ends[0][position], ends[1][position]
        if trait.kind != "binary" and value is not None and not low <= value <= high:
            # Ages and lines are whole: those inside the range are named, so that the value lies visibly outside.
            first, last = (round(natural_scale(trait.id, end), 9) for end in (low, high))
            span = f"{ceil(first)} to {floor(last)}"
            yield Finding(
                id=f"held.{trait.id}",
                severity="information",
                state="fires",
                text=f"{trait.label} beyond the central range of the studies ({span}): its effect is held at the edge",
                value=numbers.traits[trait.id].text,
                threshold=span,
                short=in_one_line(
                    f"{trait.label[0].upper()}{trait.label[1:]} beyond {span}: its effect is held at the edge"
                ),
            )


@kept_beside(4)
def _ends(pooled: PooledEvidence) -> tuple[list[float], list[float]]:
    """Ends of the range in which each trait acts."""
    low, high = numeric_range(pooled)
    return low.tolist(), high.tolist()


def in_one_line(text: str) -> str:
    """The text, or as many whole words of it as one line holds."""
    if len(text) <= ONE_LINE:
        return text
    kept = text[: ONE_LINE + 1].rsplit(" ", 1)[0]
    return kept.rstrip(" ,;:(")


def that_can_apply(findings: Iterable[Finding], labels: Mapping[str, Indication]) -> tuple[Finding, ...]:
    """Leave out what would be asked for products only that are on no label of this patient.

    Where the region has no label at all there is nothing to go by, and everything stays.
    """
    if not any(each.since for label in labels.values() for each in label.regimens):
        return tuple(findings)
    on_label = {product for product, label in labels.items() if not label.off_label}
    classes = {labels[product].class_id for product in on_label}

    def asked(finding: Finding) -> bool:
        if finding.state == "fires" or not finding.applies_to:
            return True
        product = finding.applies_to.get("product")
        return product in on_label if product else finding.applies_to["class"] in classes

    return tuple(finding for finding in findings if asked(finding))


def _not_used(fields: tuple[str, ...]) -> str:
    return "neither is used" if len(fields) == 2 else "none of them is used"


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Order by rank, what fires before what cannot be judged; unverified ones last whatever their rank."""
    return tuple(sorted(findings, key=_place))


def _place(finding: Finding) -> int:
    unverified = finding.basis == UNVERIFIED
    return 2 * (unverified * len(SEVERITIES) + SEVERITIES.index(finding.severity)) + (finding.state != "fires")


def cited(
    findings: tuple[Finding, ...],
    labels: Mapping[str, Indication],
    practical: frozenset[str],
    scores: tuple[ScoreLine, ...],
    withheld: Iterable[Withheld],
    beside: tuple[PublishedOption, ...],
    survival: tuple[Survival, ...],
    ways: tuple[WayToTreatment, ...],
) -> frozenset[str]:
    """Keys of everything that is cited here; ``practical`` are those of the practical facts."""
    return practical.union(
        *[finding.sources for finding in findings],
        *[each.sources for label in labels.values() for each in label.regimens],
        *[each.sources for each in scores],
        *[each.sources for each in withheld],
        *[each.sources for each in beside],
        *[each.sources for each in survival],
        *[figure.sources for option in beside for figure in option.figures],
        *[each.sources for way in ways for each in way.weeks],
        *[each.sources for way in ways for each in way.published],
    )
