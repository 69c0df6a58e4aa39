"""What is shown and in which order, decided once for all faces: columns, groups of rows, largest movers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from bcma_decide.behind import Explanation, Move, SurvivalExplanation
from bcma_decide.comparison import (
    Comparison,
    Contrast,
    ContrastWithoutBias,
    Estimate,
    Finding,
    Option,
    Outcome,
    RiskDifference,
    TraitLine,
    Unknown,
)
from bcma_decide.render.words import survival, wording
from bcma_decide.time_course import Clock
from bcma_decide.vocabulary import FAMILIES

_FAMILY_LABELS = {family.id: family.label for family in FAMILIES}

MOVERS_SHOWN = 3


@dataclass(frozen=True)
class OutcomeGroup:
    """Rows under one heading: a family of outcomes, or neighbours that share a time window."""

    title: str
    horizon: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Mover:
    """An unknown trait with the outcome it moves most, for every class shown."""

    unknown: Unknown
    outcome: Outcome
    moves: tuple[Move, ...]


def class_options(comparison: Comparison) -> tuple[Option, ...]:
    """Return the treatment classes, in the order of the comparison."""
    return tuple(option for option in comparison.options if option.kind == "class")


def product_options(comparison: Comparison) -> tuple[tuple[Option, tuple[Option, ...]], ...]:
    """Each class with its products, in the order of the comparison."""
    products = [option for option in comparison.options if option.kind == "product"]
    pairs = (
        (parent, tuple(product for product in products if product.class_id == parent.class_id))
        for parent in class_options(comparison)
    )
    return tuple((parent, members) for parent, members in pairs if members)


def ledger(comparison: Comparison) -> tuple[TraitLine, ...]:
    """Return the traits: those known and used, known and in no number, unknown and used, unknown and in none."""
    return tuple(sorted(comparison.profile.traits, key=lambda line: (line.state == "unknown", _idle(line))))


def _idle(line: TraitLine) -> bool:
    return not line.used and line.state != "contradiction"


def also_given(comparison: Comparison) -> tuple[str, ...]:
    """Return what was given but stands in no line of a trait: ``Gain of 1q: no``.

    A field that a trait follows from is said there; of a list, whatever is not named there remains.
    """
    said = " ".join(line.how for line in comparison.profile.traits)
    remaining = []
    for line in comparison.profile.carried:
        if line.for_findings:
            continue
        parts = line.text.split(", ")
        if line.used:
            parts = [part for part in parts if len(parts) > 1 and part not in said]
        if parts:
            remaining.append(f"{line.label}: {', '.join(parts)}")
    return tuple(remaining)


def given_for_findings(comparison: Comparison) -> tuple[str, ...]:
    """Return what was given for findings and labels only: ``LVEF: 58 %``."""
    return tuple(f"{line.label}: {line.text}" for line in comparison.profile.carried if line.for_findings)


def contradictions(comparison: Comparison) -> tuple[Finding, ...]:
    """Inputs that cannot all be true."""
    return tuple(finding for finding in comparison.findings if finding.id.startswith("contradiction."))


def remarks(comparison: Comparison) -> tuple[Finding, ...]:
    """What is said of a number that nothing contradicts: it lies beyond the range of the studies."""
    return tuple(finding for finding in comparison.findings if finding.id.startswith("held."))


def findings(comparison: Comparison) -> tuple[Finding, ...]:
    """Return the findings; one that several options share word for word stands once and names them all."""
    merged: dict[tuple[object, ...], Finding] = {}
    for finding in comparison.findings:
        same = (
            finding.severity,
            finding.state,
            finding.basis,
            finding.text,
            finding.value,
            finding.threshold,
            finding.needs,
        )
        alone = finding.model_copy(update={"applies_to": {option: option for option in concerned(finding)}})
        known = merged.setdefault(same, alone)
        if known is not alone:
            sources = tuple(dict.fromkeys((*known.sources, *finding.sources)))
            merged[same] = known.model_copy(
                update={"applies_to": known.applies_to | alone.applies_to, "sources": sources}
            )
    return tuple(merged.values())


def concerned(finding: Finding) -> tuple[str, ...]:
    """Ids of the options a finding speaks of: its product if it names one, else its class."""
    product = finding.applies_to.get("product")
    return (product,) if product else tuple(finding.applies_to.values())


def groups(comparison: Comparison) -> tuple[OutcomeGroup, ...]:
    """Outcomes by family, in the order of the comparison; families of one row share a time window."""
    result: list[OutcomeGroup] = []
    for family, members in groupby(comparison.outcomes, key=lambda outcome: outcome.family):
        outcomes = tuple(members)
        horizon = outcomes[0].horizon
        if len(outcomes) > 1:
            result.append(
                OutcomeGroup(_FAMILY_LABELS.get(family, capitalised(family.replace("_", " "))), horizon, outcomes)
            )
        elif result and result[-1].title == capitalised(horizon):
            result[-1] = OutcomeGroup(result[-1].title, "", result[-1].outcomes + outcomes)
        else:
            result.append(OutcomeGroup(capitalised(horizon), "", outcomes))
    return tuple(result)


def groups_with_survival(comparison: Comparison, clock: Clock | None = None) -> tuple[OutcomeGroup, ...]:
    """The same with progression-free survival at one year after the response, or first where there is no response.

    ``clock``: which its heading speaks of; default that of the comparison.
    """
    found = groups(comparison)
    if not survival.is_computed(comparison):
        return found
    outcome = survival.outcome_at(comparison, survival.MAIN, clock)
    place = sum(group.outcomes[0].family == FAMILIES[0].id for group in found)
    return (*found[:place], OutcomeGroup(survival.title(), outcome.horizon, (outcome,)), *found[place:])


def outcomes_with_survival(comparison: Comparison) -> tuple[Outcome, ...]:
    """Every outcome in the order of their groups, progression-free survival at one year among them."""
    return tuple(outcome for group in groups_with_survival(comparison) for outcome in group.outcomes)


def with_number(comparison: Comparison, options: Iterable[Option]) -> tuple[Comparison, tuple[Outcome, ...]]:
    """Return the comparison without the rows that hold nothing to read for any of these options, and those rows."""
    shown = tuple(options)
    empty = [
        outcome
        for outcome in comparison.outcomes
        if not any(is_shown(estimate_of(outcome, option)) for option in shown)
    ]
    kept = tuple(outcome for outcome in comparison.outcomes if outcome not in empty)
    return comparison.model_copy(update={"outcomes": kept}), tuple(empty)


def is_shown(estimate: Estimate) -> bool:
    """Whether there is something to read: a number, or published figures in the place of one that is withheld."""
    return wording.has_number(estimate) or estimate.state == "withheld"


def heading(group: OutcomeGroup) -> str:
    """Title and time window in one line."""
    return f"{group.title}: {group.horizon}" if group.horizon else group.title


def estimate_of(outcome: Outcome, option: Option) -> Estimate:
    """Return the estimate of an option; one that is absent counts as not reported, never as a blank."""
    return outcome.estimates.get(option.id) or Estimate(state="no_evidence")


def contrast_of(outcome: Outcome, first: Option, second: Option) -> Contrast | None:
    """Return the contrast as *first minus second*, turned round if it was stored the other way."""
    contrast = outcome.contrast
    if contrast is None or set(contrast.options) != {first.id, second.id}:
        return None
    if contrast.options == (first.id, second.id):
        return contrast
    bare = contrast.without_bias_term
    return contrast.model_copy(
        update={
            "options": (first.id, second.id),
            "risk_difference": _turned(contrast.risk_difference),
            "probability_first_higher": 1 - contrast.probability_first_higher,
            "tipping_point_log_or": -contrast.tipping_point_log_or,
            "without_bias_term": ContrastWithoutBias(
                risk_difference=_turned(bare.risk_difference),
                probability_first_higher=1 - bare.probability_first_higher,
            ),
        }
    )


def movers(comparison: Comparison) -> tuple[Mover, ...]:
    """Return the unknown traits that could move a class's number furthest, largest first."""
    outcomes = {outcome.id: outcome for group in groups_with_survival(comparison) for outcome in group.outcomes}
    classes = {option.id for option in class_options(comparison)}
    ranked: list[tuple[float, int, Mover]] = []
    for position, unknown in enumerate(comparison.unknowns):
        shown = moves_of_numbers(unknown, outcomes, classes)
        if not shown:
            continue
        widest = max(shown, key=lambda move: move.high - move.low)
        same_row = tuple(move for move in shown if move.outcome == widest.outcome)
        ranked.append((widest.low - widest.high, position, Mover(unknown, outcomes[widest.outcome], same_row)))
    return tuple(mover for _, _, mover in sorted(ranked, key=lambda entry: entry[:2])[:MOVERS_SHOWN])


def movers_of(comparison: Comparison, outcome: Outcome) -> tuple[Mover, ...]:
    """Return every unknown trait that could move a class's number of one outcome, the largest first."""
    classes = {option.id for option in class_options(comparison)}
    found = []
    for unknown in comparison.unknowns:
        moves = moves_of_numbers(unknown, {outcome.id: outcome}, classes)
        if moves:
            found.append(Mover(unknown, outcome, tuple(moves)))
    return tuple(sorted(found, key=lambda mover: min(move.low - move.high for move in mover.moves)))


def decisive(comparison: Comparison, outcome: Outcome, option: Option) -> tuple[Unknown, Move] | None:
    """Return the unknown trait that makes a number unstable by moving it furthest, if there is one."""
    found = [
        (unknown, move)
        for unknown in comparison.unknowns
        for move in unknown.moves
        if move.unstable and (move.outcome, move.option) == (outcome.id, option.id)
    ]
    return max(found, key=lambda each: each[1].high - each[1].low, default=None)


def moves_of_numbers(unknown: Unknown, outcomes: Mapping[str, Outcome], options: Collection[str]) -> list[Move]:
    """Return the moves of these options in these rows, as far as they move a number: none of one that is withheld."""
    return [
        move
        for move in unknown.moves
        if move.option in options
        and move.outcome in outcomes
        and (estimate := outcomes[move.outcome].estimates.get(move.option)) is not None
        and wording.has_number(estimate)
    ]


def explanation_of(comparison: Comparison, outcome_id: str) -> Explanation | None:
    """Return the explanation of an outcome, if there is one."""
    return next((entry for entry in comparison.explanations if entry.outcome == outcome_id), None)


def weights(explanation: Explanation) -> tuple[int, ...]:
    """Round each study's share to whole per cent; shares of one option that sum to 100 still do so."""
    return _whole_weights([(study.option, study.weight_pct) for study in explanation.studies])


def curve_weights(explanation: SurvivalExplanation) -> tuple[int, ...]:
    """The same of the studies behind the curves, by class."""
    return _whole_weights([(study.class_id, study.weight_pct) for study in explanation.studies])


def _whole_weights(weights_of: Sequence[tuple[str, float]]) -> tuple[int, ...]:
    result = [wording.whole(weight) for _, weight in weights_of]
    for option in {option for option, _ in weights_of}:
        places = [place for place, (owner, _) in enumerate(weights_of) if owner == option]
        shares = [weights_of[place][1] for place in places]
        if abs(sum(shares) - 100) < 0.5:
            for place, part in zip(places, wording.parts_of_100(shares), strict=True):
                result[place] = part
    return tuple(result)


def capitalised(text: str) -> str:
    """First letter large, the rest as it is."""
    return text[:1].upper() + text[1:]


def _turned(value: RiskDifference) -> RiskDifference:
    low, high = value.interval
    return RiskDifference(mean=-value.mean, interval=(-high, -low))
