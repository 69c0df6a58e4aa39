"""One RiskAssessment per option that has numbers: a prediction per outcome, of 100 patients like this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bcma_decide.behind import Move
from bcma_decide.comparison import Comparison, Estimate, Option, Outcome, Unknown
from bcma_decide.fhir.writing.narrative import narrated
from bcma_decide.fhir.writing.notes import Findings, option_notes
from bcma_decide.fhir.writing.origin import DEVICE
from bcma_decide.fhir.writing.parts import (
    CERTAINTY,
    FURTHER_PRODUCT,
    OPTION,
    OUTCOME,
    POINT_ESTIMATE,
    PREDICTION_INTERVAL,
    UNKNOWN_RANGE,
    Frame,
    Written,
    as_notes,
    coded,
    filled,
    is_reference,
    months,
    percent,
    percent_range,
)
from bcma_decide.render.words import arrange, quoted, sentences, survival, wording
from bcma_decide.render.words.record_view import REACHED
from bcma_decide.time_course import LANDMARKS
from bcma_decide.vocabulary import PFS


def part_of(option: Option) -> str:
    """What the assessment of an option is called among the resources of the bundle."""
    return f"RiskAssessment {option.id}"


def assessed(comparison: Comparison) -> list[Option]:
    """The options that have any number, or one that is withheld."""
    return [
        option
        for option in comparison.options
        if any(
            arrange.is_shown(arrange.estimate_of(outcome, option))
            for outcome in arrange.outcomes_with_survival(comparison)
        )
    ]


def risk_assessment(frame: Frame, option: Option, findings: Findings) -> Written:
    """Write what is expected with one option."""
    comparison = frame.comparison
    software, evidence = comparison.software, comparison.evidence
    predictions = [*_predictions(comparison, option), *_survival(comparison, option)]
    notes = option_notes(comparison, option, findings)
    assessment = filled(
        {
            "resourceType": "RiskAssessment",
            "id": frame.id_of(part_of(option)),
            "identifier": [frame.identifier],
            "status": "final",
            "method": {
                "text": f"{software.name} {software.version}, evidence of {evidence.date} ({evidence.hash[:12]})"
            },
            "code": coded(OPTION, option.id, option.label, option.long_label),
            "subject": dict(frame.subject),
            "occurrenceDateTime": frame.recorded,
            "performer": frame.link(DEVICE),
            "basis": _basis(comparison),
            "prediction": predictions,
            "note": as_notes(notes),
        }
    )
    numbers = (f"{each['outcome']['text']}: {each['rationale']}" for each in predictions)
    return narrated(assessment, option.long_label, [*numbers, *notes])


def _basis(comparison: Comparison) -> list[dict[str, str]]:
    """Resources of the record that reached the profile; one without an id that FHIR allows cannot be named."""
    used = [line.resource for line in comparison.profile.inputs if line.state in REACHED]
    return [{"reference": name} for name in dict.fromkeys(used) if is_reference(name)]


def _predictions(comparison: Comparison, option: Option) -> Iterator[dict[str, Any]]:
    for outcome in comparison.outcomes:
        if wording.has_number(arrange.estimate_of(outcome, option)):
            named = coded(OUTCOME, outcome.id, outcome.label, f"{outcome.label}; {outcome.horizon}")
            yield _prediction(comparison, outcome, option, named)


def _survival(comparison: Comparison, option: Option) -> Iterator[dict[str, Any]]:
    """Of staying alive without progression through each of the months that the studies were followed for."""
    row = survival.computed(comparison, option)
    if row is None:
        return
    for month in LANDMARKS:
        outcome = survival.outcome_at(comparison, month, "infusion")
        if wording.has_number(arrange.estimate_of(outcome, option)):
            text = f"Alive without progression through {month} months, counted {quoted.counted_from(row.origin)}"
            named = coded(OUTCOME, PFS, survival.title(), text)
            yield {**_prediction(comparison, outcome, option, named), "whenRange": months(month)}


def _prediction(comparison: Comparison, outcome: Outcome, option: Option, named: Mapping[str, Any]) -> dict[str, Any]:
    """One outcome: its rate, the 95 % interval, and what an unknown input that decides would make of it."""
    estimate = arrange.estimate_of(outcome, option)
    assert estimate.mean is not None  # noqa: S101, RUF100  # it has a number
    assert estimate.credible is not None  # noqa: S101, RUF100
    widest = arrange.decisive(comparison, outcome, option)
    extensions: list[dict[str, Any]] = [{"url": POINT_ESTIMATE, "valueDecimal": percent(estimate.mean)}]
    if estimate.further_product:
        extensions.append({"url": FURTHER_PRODUCT, "valueBoolean": True})
    if widest is not None:
        extensions.append(_over_unknown(*widest))
    if estimate.prediction is not None:
        extensions.append({"url": PREDICTION_INTERVAL, "valueRange": percent_range(estimate.prediction)})
    if estimate.certainty is not None:
        extensions.append({"url": CERTAINTY, "valueString": estimate.certainty})
    return {
        "extension": extensions,
        "outcome": dict(named),
        "probabilityRange": percent_range(estimate.credible),
        "rationale": _rationale(comparison, outcome, option, estimate, widest),
    }


def _over_unknown(unknown: Unknown, move: Move) -> dict[str, Any]:
    return {
        "url": UNKNOWN_RANGE,
        "extension": [
            {"url": "input", "valueString": unknown.label},
            {"url": "range", "valueRange": percent_range((move.low, move.high))},
        ],
    }


def _rationale(
    comparison: Comparison,
    outcome: Outcome,
    option: Option,
    estimate: Estimate,
    widest: tuple[Unknown, Move] | None,
) -> str:
    """The number in words, its time window, and what stands behind it."""
    said = [_number(comparison, option, estimate, widest), f"Counted: {outcome.horizon}."]
    if estimate.prediction is not None:
        said.append(f"Next centre: 95 % interval {wording.interval(estimate.prediction)} of 100.")
    if (decided := estimate.from_decision) is not None:
        ends = wording.interval(decided.credible)
        said.append(f"From the decision: {wording.of_100(decided.mean)} (95 % interval {ends}).")
    return " ".join((*said, sentences.size(estimate), *sentences.estimate_facts(estimate, comparison)))


def _number(comparison: Comparison, option: Option, estimate: Estimate, widest: tuple[Unknown, Move] | None) -> str:
    """The number of 100 with its interval, and what each value of an unknown input that decides would make of it."""
    assert estimate.mean is not None  # noqa: S101, RUF100  # it has a number
    assert estimate.credible is not None  # noqa: S101, RUF100
    whom, ends = sentences.after_with(estimate, option), wording.interval(estimate.credible)
    said = (
        f"An average of {wording.of_100(estimate.mean)} patients like this with {whom} "
        f"(95 % interval of that average {ends})."
    )
    if widest is None:
        return said
    unknown, move = widest
    return f"{said} {unknown.label} is not known: {sentences.move_sentence(move, comparison)}."
