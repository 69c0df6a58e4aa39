"""Every outcome of one patient in words and numbers: estimates, contrast, certainty, steps to this patient."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from bcma_decide.comparing.outside import outside_reasons
from bcma_decide.comparing.published import Withheld
from bcma_decide.comparison import (
    Contrast,
    ContrastWithoutBias,
    Estimate,
    FromDecision,
    Outcome,
    RiskDifference,
    Unknown,
    WaterfallStep,
)
from bcma_decide.model.alike import NOT_INFUSED, acting_values
from bcma_decide.model.beside import beside, kept_beside
from bcma_decide.model.certainty import LEVELS, Ground, rate_certainty
from bcma_decide.model.contrast import Difference
from bcma_decide.model.from_decision import from_decision
from bcma_decide.model.kept import Kept
from bcma_decide.model.moves import cumulative_means
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.time_course import Survival
from bcma_decide.vocabulary import (
    CLASS_LABELS,
    CLASSES,
    FAMILY_OF,
    MODEL_TRAIT_IDS,
    OUTCOMES,
    THRESHOLDS,
    TRAIT_LABELS,
)

FURTHER = "the product has no rows of its own: the class's for a further product"

SMALLEST_STEP = 5e-4
"""A waterfall step smaller than one in two thousand, nothing on a scale of whole points, is left to the last one."""


def all_outcomes(
    numbers: PatientNumbers,
    withheld: Mapping[tuple[str, str], Withheld],
    unknowns: Collection[Unknown],
    explain: Collection[str] = (),
) -> tuple[Outcome, ...]:
    """Return every outcome, those in ``explain`` with the steps from the average patient to this one.

    ``withheld`` has the numbers that are not given, by outcome and option; ``unknowns`` what could move the others.
    """
    draft = _draft(numbers, withheld, unknowns, _waterfalls(numbers, explain) if explain else {})
    return tuple(_outcome(draft, outcome) if outcome in explain else _alike(draft, outcome) for outcome in OUTCOMES)


KEPT: Final = 512
"""Outcomes: where no trait moves them, what differs is which traits are known, and an age beyond those studied."""


def _alike(draft: _Draft, outcome: str) -> Outcome:
    """An outcome where no number is taken away: the same for all of whom the same is known of what moves it."""
    numbers, family = draft.numbers, FAMILY_OF[outcome].id
    pooled = numbers.pooled
    if outcome in draft.touched or family not in draft.outside:
        return _outcome(draft, outcome)
    key = numbers.setting, outcome, draft.outside[family]
    kept: Kept[object, Outcome] = beside(pooled, "outcomes", lambda: Kept(KEPT))
    if not draft.moves(outcome):
        # no trait acts in either class, so that those known are the same ones in both
        known = draft.traits[family, 0].uninformed
        return kept.get((*key, known), lambda: _with_known(kept.get(key, lambda: _outcome(draft, outcome)), known))
    told = [
        (draft.traits[family, index], draft.open_moves.get((outcome, CLASSES[index]))) for index in range(len(CLASSES))
    ]
    # counted from the decision a number is moved by what moves the chance of the infusion too
    families = family, NOT_INFUSED
    extra = [numbers.extra_variance.get((each, index)) for each in families for index in range(len(CLASSES))]
    moved = acting_values(numbers, *families), *extra, *told
    return kept.get((*key, *moved), lambda: _outcome(draft, outcome))


def _with_known(outcome: Outcome, known: tuple[str, ...]) -> Outcome:
    """The same outcome of a patient of whom other traits are known, that move none of its numbers."""
    estimates = {
        option: each.with_texts(uninformed_traits=known) if each.state == "estimated" else each
        for option, each in outcome.estimates.items()
    }
    return outcome.with_texts(estimates=estimates)


class _TraitList(Struct, frozen=True):
    """Ids of one family's traits in one class, by what is known of them; whether any trait acts there."""

    informed: tuple[str, ...]
    borrowed: tuple[str, ...]
    uninformed: tuple[str, ...]
    any_acts: bool


class _Draft(Struct, frozen=True):
    """An answer with everything that several estimates share."""

    numbers: PatientNumbers
    withheld: Mapping[tuple[str, str], Withheld]
    touched: frozenset[str]
    """Outcomes of which any number is withheld."""
    open_moves: Mapping[tuple[str, str], tuple[tuple[str, float], ...]]
    """By outcome and class: label of each unknown trait, and how far it could move the number."""
    outside: Mapping[str, tuple[tuple[str, ...], ...]]
    """By family and class: why the patient lies outside the evidence."""
    waterfalls: Mapping[tuple[str, str], tuple[WaterfallStep, ...]]
    biased: Mapping[str, Difference]
    unbiased: Mapping[str, Difference]
    from_decision: Mapping[int, tuple[float, float, float, float, float]]
    traits: Mapping[tuple[str, int], _TraitList]

    def moves(self, outcome: str) -> bool:
        """Whether any trait moves an outcome."""
        return self.numbers.moves(outcome)


def _draft(
    numbers: PatientNumbers,
    withheld: Mapping[tuple[str, str], Withheld],
    unknowns: Collection[Unknown],
    waterfalls: Mapping[tuple[str, str], tuple[WaterfallStep, ...]],
) -> _Draft:
    return _Draft(
        numbers=numbers,
        withheld=withheld,
        touched=frozenset([outcome for outcome, _ in withheld]),
        open_moves=_open_moves(unknowns),
        outside=outside_reasons(numbers),
        waterfalls=waterfalls,
        biased=numbers.class_differences[True],
        unbiased=numbers.class_differences[False],
        from_decision=from_decision(numbers),
        traits=_trait_lists(numbers),
    )


def _trait_lists(numbers: PatientNumbers) -> dict[tuple[str, int], _TraitList]:
    """By family and class."""
    return _lists_of_known(numbers.pooled, tuple(value.value is not None for value in numbers.traits))


@kept_beside(KEPT)
def _lists_of_known(pooled: PooledEvidence, known: tuple[bool, ...]) -> dict[tuple[str, int], _TraitList]:
    """Families in which the same traits act share theirs; ``known`` (traits,)."""
    found: dict[tuple[bytes, bytes], _TraitList] = {}
    result = {}
    for family, position in pooled.family_index.items():
        for index in range(len(CLASSES)):
            used, borrowed = pooled.used[position, index], pooled.borrowed[position, index]
            each = used.tobytes(), borrowed.tobytes()
            if each not in found:
                found[each] = _trait_list(known, used.tolist(), borrowed.tolist())
            result[family, index] = found[each]
    return result


def _open_moves(unknowns: Collection[Unknown]) -> dict[tuple[str, str], tuple[tuple[str, float], ...]]:
    moves: dict[tuple[str, str], tuple[tuple[str, float], ...]] = {}
    for unknown in unknowns:
        for move in unknown.moves:
            place = move.outcome, move.option
            moves[place] = (*moves.get(place, ()), (unknown.label, move.high - move.low))
    return moves


def _trait_list(known: Sequence[bool], used: Sequence[bool], borrowed: Sequence[bool]) -> _TraitList:
    here = [
        each
        for each, is_known in zip(zip(MODEL_TRAIT_IDS, used, borrowed, strict=True), known, strict=True)
        if is_known
    ]
    return _TraitList(
        informed=tuple(trait for trait, u, _ in here if u),
        borrowed=tuple(trait for trait, u, b in here if u and b),
        uninformed=tuple(trait for trait, u, _ in here if not u),
        any_acts=any(used),
    )


def _outcome(draft: _Draft, outcome: str) -> Outcome:
    family = FAMILY_OF[outcome]
    estimates = {option.id: _estimate(draft, outcome, option.id) for option in draft.numbers.pooled.options}
    contrast, reason = None, None
    without = [option for option in CLASSES if estimates[option].state != "estimated"]
    if not without:
        contrast = _contrast(draft, outcome, estimates)
    else:
        reason = "; ".join(dict.fromkeys(str(estimates[option].reason) for option in without))
    return Outcome(
        id=outcome,
        label=THRESHOLDS[outcome].label,
        plain=THRESHOLDS[outcome].plain,
        family=family.id,
        direction=family.direction,
        horizon=family.horizon,
        estimates=estimates,
        contrast=contrast,
        contrast_reason=reason,
        notes=_notes(draft.numbers, outcome, estimates),
    )


def _estimate(draft: _Draft, outcome: str, option: str) -> Estimate:
    numbers = draft.numbers
    instead = draft.withheld.get((outcome, option))
    if instead is not None:
        return Estimate(state="withheld", reason=instead.reason, published=instead.published, sources=instead.sources)
    index = numbers.place.get((outcome, option))
    if index is None:
        state, reason = numbers.pooled.missing[outcome, option]
        return Estimate(state=state, reason=reason)
    cell = numbers.pooled.cells[index]
    traits = draft.traits[cell.family, cell.class_index]
    outside = draft.outside[cell.family][cell.class_index]
    difference = draft.biased.get(outcome) if option in CLASSES else None
    rates = numbers.rates[index]
    certainty, reasons = rate_certainty(
        numbers.pooled.assumptions,
        Ground(
            n_studies=cell.n_studies,
            n_patients=cell.n_patients,
            credible=rates.credible,
            prediction=rates.prediction,
            indirect=(
                *(f"outside the evidence ({reason})" for reason in outside),
                *((FURTHER,) if cell.further_product else ()),
            ),
            open_moves=draft.open_moves.get((outcome, CLASSES[cell.class_index]), ()),
            log_odds_ratio=difference.log_odds_ratio[1:] if difference is not None else None,
        ),
    )
    decision = draft.from_decision.get(index)
    return Estimate(
        state="estimated",
        median=rates.median,
        mean=rates.mean,
        credible=rates.credible,
        prediction=rates.prediction,
        certainty=certainty,
        reasons=reasons,
        informed_traits=traits.informed,
        borrowed_traits=traits.borrowed,
        uninformed_traits=traits.uninformed,
        outside_evidence=outside,
        n_studies=cell.n_studies,
        n_patients=cell.n_patients,
        follow_up_months=cell.follow_up_months,
        sources=cell.sources,
        further_product=cell.further_product,
        same_for_every_patient=not traits.any_acts,
        from_decision=FromDecision(mean=decision[0], credible=decision[1:3], prediction=decision[3:])
        if decision
        else None,
        waterfall=draft.waterfalls.get((outcome, option), ()),
    )


def _contrast(draft: _Draft, outcome: str, estimates: Mapping[str, Estimate]) -> Contrast:
    bias = draft.numbers.pooled.assumptions["unanchored_sd"]
    sides = [estimates[option] for option in CLASSES]
    return contrast_value(CLASSES, draft.biased[outcome], draft.unbiased[outcome], bias, sides)


def contrast_value(
    options: tuple[str, str],
    biased: Difference,
    unbiased: Difference,
    bias_sd: float,
    sides: Iterable[Estimate | Survival],
) -> Contrast:
    """The difference of two options as it stands in the answer.

    Parameters
    ----------
    options
        First and second.
    biased, unbiased
        With and without the bias term.
    bias_sd
        Standard deviation of that term on the log-odds scale.
    sides
        The two numbers; their difference is no surer than the less sure of them.
    """
    weaker = min(sides, key=lambda side: LEVELS.index(side.certainty or LEVELS[0]))
    return Contrast(
        options=options,
        risk_difference=RiskDifference(mean=biased.risk_difference[0], interval=biased.risk_difference[1:]),
        probability_first_higher=biased.probability_first_higher,
        # A bias of this size would make the two equal: the estimate itself, as the bias has mean 0.
        tipping_point_log_or=biased.log_odds_ratio[0],
        bias_sd=bias_sd,
        without_bias_term=ContrastWithoutBias(
            risk_difference=RiskDifference(mean=unbiased.risk_difference[0], interval=unbiased.risk_difference[1:]),
            probability_first_higher=unbiased.probability_first_higher,
        ),
        certainty=weaker.certainty or LEVELS[0],
        reasons=weaker.reasons,
    )


def _notes(numbers: PatientNumbers, outcome: str, estimates: Mapping[str, Estimate]) -> tuple[str, ...]:
    family = FAMILY_OF[outcome]
    notes = []
    times = [estimates[option].follow_up_months for option in CLASSES]
    if family.grows_with_follow_up:
        followed = [
            f"{CLASS_LABELS[option][0]} {months:.0f}" for option, months in zip(CLASSES, times, strict=True) if months
        ]
        if followed:
            notes.append(f"this rate grows with time; median follow-up in months: {', '.join(followed)}")
        if (
            times[0]
            and times[1]
            and max(times[0], times[1]) > numbers.pooled.assumptions["follow_up_ratio"] * min(times[0], times[1])
        ):
            notes.append("not the same time: the two options were not followed for equally long")
    if family.id == "response" and estimates[CLASSES[0]].from_decision:
        notes.append("response to CAR-T is given from the infusion, and from the decision: of everybody with apheresis")
    return tuple(notes)


def _waterfalls(numbers: PatientNumbers, explain: Collection[str]) -> dict[tuple[str, str], tuple[WaterfallStep, ...]]:
    traits, means = cumulative_means(numbers)
    result = {}
    for index, cell in enumerate(numbers.pooled.cells):
        if cell.outcome not in explain:
            continue
        column = [float(value) for value in means[:, index]]
        steps = [WaterfallStep(trait=None, label="average patient of the evidence", mean=column[0], change=0.0)]
        level = column[0]
        for trait, before, after in zip(traits[1:], column[:-1], column[1:], strict=True):
            # The level advances by the steps that are listed alone, so that they add up to the last line exactly.
            if trait is not None and abs(after - before) >= SMALLEST_STEP:
                label = f"{TRAIT_LABELS[trait]}: {numbers.traits[trait].text}"
                level += after - before
                steps.append(WaterfallStep(trait=trait, label=label, mean=level, change=after - before))
        final = numbers.rates[index].mean
        steps.append(WaterfallStep(trait=None, label="this patient", mean=final, change=final - level))
        result[cell.outcome, cell.option] = tuple(steps)
    return result
