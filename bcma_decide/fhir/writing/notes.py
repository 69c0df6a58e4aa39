"""What is said about an option besides its numbers, in the words of the other faces; both classes are told alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bcma_decide.comparison import Comparison, Finding, Option
from bcma_decide.render.sheet.clinician_findings import FULL_RANKS
from bcma_decide.render.sheet.clinician_view import banners
from bcma_decide.render.words import arrange, published, quoted, rule_view, sentences, survival, wording
from bcma_decide.time_course import ENDPOINT_LABELS
from bcma_decide.vocabulary import UNVERIFIED

WORST: Final = FULL_RANKS[0]


@dataclass(frozen=True)
class Findings:
    """Contraindications and cautions that fire, contraindications that cannot be judged, and the class of an option."""

    fired: tuple[Finding, ...]
    unsettled: tuple[Finding, ...]
    class_of: Mapping[str, str]

    def concern(self, finding: Finding, option: Option) -> bool:
        """Whether a finding is about an option: what is said of a class is said of all its products."""
        if option.kind == "class":
            return any(self.class_of.get(whom, whom) == option.id for whom in arrange.concerned(finding))
        return any(whom in (option.id, option.class_id) for whom in arrange.concerned(finding))


def findings_of(comparison: Comparison) -> Findings:
    """Sort the findings once for all options, the worst first."""
    fired = [
        f for f in arrange.findings(comparison) if f.state == "fires" and f.applies_to and f.severity in FULL_RANKS
    ]
    return Findings(
        fired=tuple(sorted(fired, key=lambda each: FULL_RANKS.index(each.severity))),
        unsettled=tuple(
            each
            for each in comparison.findings
            if each.state == "cannot_be_judged" and each.severity == WORST and each.basis != UNVERIFIED
        ),
        class_of=rule_view.class_of(comparison),
    )


def option_notes(comparison: Comparison, option: Option, findings: Findings) -> list[str]:
    """Intended use, outcomes without a number, the difference, findings, labels, what is missing to judge findings."""
    return [
        comparison.intended_use,
        *banners(comparison),
        _without_number(comparison, option),
        difference(comparison) if option.kind == "class" else "",
        _computed_survival(comparison, option),
        _published_survival(comparison, option),
        *(finding_note(comparison, each) for each in findings.fired if findings.concern(each, option)),
        _open(comparison, [each for each in findings.unsettled if findings.concern(each, option)]),
        _labels(comparison, option),
    ]


def difference(comparison: Comparison) -> str:
    """The difference between the two classes for every outcome; empty where there are not two."""
    classes = arrange.class_options(comparison)
    if len(classes) != 2:
        return ""
    said = []
    for outcome in arrange.outcomes_with_survival(comparison):
        contrast = arrange.contrast_of(outcome, *classes)
        if contrast is None:
            said.append(f"{outcome.label}: not comparable, {sentences.contrast_reason(outcome)}")
        else:
            value = wording.difference(contrast.risk_difference)
            said.append(f"{outcome.label}: {value}, certainty {wording.certainty(contrast.certainty)}")
    return f"Difference, {sentences.difference_label(*classes)} (95 % interval): {'; '.join(said)}."


def finding_note(comparison: Comparison, finding: Finding) -> str:
    """Rank, whom it concerns, the text and what it rests on."""
    ground = sentences.finding_ground(finding)
    whom = sentences.applies_to(comparison, finding)
    text = f"{rule_view.rank_word(finding.severity)}, {whom}: {finding.text}"
    return f"{text} ({ground})" if ground else text


def _without_number(comparison: Comparison, option: Option) -> str:
    said = [
        f"{outcome.label}: {survival.without_curve(outcome, estimate) or published.without_number(estimate)}"
        for outcome in arrange.outcomes_with_survival(comparison)
        if not wording.has_number(estimate := arrange.estimate_of(outcome, option))
    ]
    return f"No number: {'; '.join(said)}." if said else ""


def _computed_survival(comparison: Comparison, option: Option) -> str:
    """Median, mean within two years and how far the studies reach; the shares are predictions."""
    row = survival.computed(comparison, option)
    if row is None or survival.figures(row) is None:
        return ""
    said = (f"{line.name}: {line.text}" for line in survival.lines(row, "infusion") if line.share is None)
    return f"{survival.title()}, counted {quoted.counted_from(row.origin)}. {'; '.join(said)}."


def _published_survival(comparison: Comparison, option: Option) -> str:
    """What was published of survival: the nearest group of each kind, marked as not calculated for the patient."""
    rows = (quoted.rows_of(comparison.survival, option.id, endpoint)[:1] for endpoint in ENDPOINT_LABELS)
    said = [f"{quoted.endpoint_name(row.endpoint)}: {quoted.row_text(row)}" for first in rows for row in first]
    return f"{quoted.title()}. {'. '.join(said)}." if said else ""


def _open(comparison: Comparison, unsettled: list[Finding]) -> str:
    """What is missing to judge these findings."""
    needed = rule_view.open_findings(comparison.model_copy(update={"findings": tuple(unsettled)}))
    return f"{rule_view.open_title()}: {'; '.join(map(rule_view.open_text, needed))}." if needed else ""


def _labels(comparison: Comparison, option: Option) -> str:
    own = comparison.indications.get(option.id)
    said = [
        f"{name}: {rule_view.label_text(label)}"
        for name, label in rule_view.shown_labels(comparison)
        if label.class_id == option.class_id and (option.kind == "class" or (own and label.label == own.label))
    ]
    return f"{rule_view.label_heading(comparison)}: {'. '.join(said)}." if said else ""
