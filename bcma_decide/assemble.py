"""compare(): patient + model -> Comparison.

Same input, same bytes: no clock, no random state, no network, no file except the pooled evidence once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date as Day  # noqa: N812  # a parameter is called date
from functools import lru_cache
from pathlib import Path

import numpy as np

from bcma_decide.answer import (
    Answer,
    answer,
    cumulative_means,
    from_decision,
    trait_moves,
)
from bcma_decide.comparison import (
    SCHEMA_VERSION,
    Comparison,
    Contrast,
    ContrastWithoutBias,
    Estimate,
    EvidenceStamp,
    FromDecision,
    LabelContext,
    Move,
    Outcome,
    Profile,
    RiskDifference,
    SoftwareStamp,
    TraitLine,
    Unknown,
    WaterfallStep,
)
from bcma_decide.errors import NoEvidenceError, Problem, ProfileError
from bcma_decide.explain import explanation
from bcma_decide.findings import cited, indications, input_findings, practice, rule_findings, score_lines
from bcma_decide.location import pooled_path
from bcma_decide.model.artefact import Model, read_model
from bcma_decide.model.certainty import LEVELS, rate_certainty
from bcma_decide.model.contrast import Difference
from bcma_decide.patient import Patient
from bcma_decide.reading import closest
from bcma_decide.traits import derive
from bcma_decide.version import __version__
from bcma_decide.vocabulary import (
    CLASS_LABELS,
    CLASSES,
    FAMILY_OF,
    INTENDED_USE,
    MODEL_TRAIT_IDS,
    MODEL_TRAITS,
    OUTCOMES,
    THRESHOLDS,
    TRAIT_LABELS,
    Design,
)

DEFAULT_REGION = "US"

SMALLEST_MOVE = 0.01
"""An unknown trait that moves a rate by less than one in a hundred is not listed for it."""

SMALLEST_STEP = 5e-4
"""A waterfall step smaller than one in two thousand is left to the last one."""


@lru_cache(maxsize=4)
def _cached_model(path: Path, modified: int) -> Model:
    del modified  # part of the key: a rebuilt file is another model
    return read_model(path)


def load_model(evidence: Path | None = None) -> Model:
    """The model of the pooled file in ``evidence`` (default: the shipped one); read once per process.

    Raises
    ------
    NoEvidenceError
        When there is none, or it cannot be used.
    """
    path = pooled_path(evidence)
    return _cached_model(path, path.stat().st_mtime_ns if path.is_file() else 0)


def compare(
    patient: Patient,
    *,
    setting: Design = "real_world",
    region: str = DEFAULT_REGION,
    date: Day | None = None,
    explain: Collection[str] = (),
    name: str | None = None,
    model: Model | None = None,
) -> Comparison:
    """Compare BCMA CAR-T with BCMAxCD3 bispecific antibodies for one patient.

    Parameters
    ----------
    patient
        What is known; everything else is unknown and averaged over.
    setting
        Whose results to expect: those of ordinary care (``real_world``) or of trials (``interventional``).
    region
        Whose labels and regional rules to judge: ``US``, ``EU``, ``China`` or another of the evidence.
    date
        As of which day; default the date of the evidence, so that the same call gives the same bytes on any day.
    explain
        Outcome ids for which waterfall, studies and trait effects are included.
    name
        Name of a shipped example, shown in the profile.
    model
        A loaded model; default the shipped evidence.

    Raises
    ------
    ProfileError
        When the profile names a drug or value that cannot be used, or the region has no label.
    NoEvidenceError
        When the pooled evidence is missing, or ``explain`` names an outcome that does not exist.

    Examples
    --------
    >>> from bcma_decide import Patient, compare
    >>> comparison = compare(Patient(age=71, extramedullary_disease="yes"))
    >>> 0 < comparison.outcomes[0].estimates["car_t"].median < 1
    True
    """
    model = model or load_model()
    for outcome in explain:
        if outcome not in THRESHOLDS:
            problem = Problem("explain", f"unknown outcome {outcome!r}", f"one of {', '.join(OUTCOMES)}")
            raise NoEvidenceError("there is no evidence on that outcome", [problem])
    check_region(model, region)
    on = date or Day.fromisoformat(model.date)
    found = answer(model, derive(patient, model.definitions), setting)
    facts, book = found.traits.facts, model.rules
    findings = (*input_findings(found), *rule_findings(book, facts, region, on))
    labels = indications(book, facts, region, on, {option.id: option.label for option in model.options})
    practical = practice(book, region, on)
    scores = score_lines(model.definitions.scores, facts)
    sources = {**model.definitions.scores.sources, **book.sources}
    draft = _draft(found, _waterfalls(found, explain) if explain else {})
    return Comparison(
        evidence=EvidenceStamp(hash=model.hash, date=model.date, version=model.version),
        software=SoftwareStamp(name="bcma-decide", version=__version__, schema_version=SCHEMA_VERSION),
        intended_use=INTENDED_USE,
        profile=_profile(found, setting, name),
        options=model.options,
        outcomes=tuple(_outcome(draft, outcome) for outcome in OUTCOMES),
        labels=LabelContext(region=region, date=on.isoformat(), seen_until=book.as_of),
        findings=findings,
        indications=labels,
        practice=practical,
        scores=scores,
        unknowns=tuple(_unknowns(found)),
        not_known=model.not_known,
        explanations=tuple(explanation(model, outcome) for outcome in OUTCOMES if outcome in explain),
        references=(*model.references, *cited(findings, labels, practical, scores, sources)),
    )


def check_region(model: Model, region: str) -> None:
    """Refuse a region without any label; raises ProfileError."""
    if region not in model.rules.regions:
        known = ", ".join(model.rules.regions)
        hint = closest(region, list(model.rules.regions)) or f"one of {known}"
        raise ProfileError("the region cannot be used", [Problem("region", f"{region!r} has no label here", hint)])


def _profile(found: Answer, setting: Design, name: str | None) -> Profile:
    lines = []
    for position, trait in enumerate(MODEL_TRAITS):
        value = found.traits[trait.id]
        state = "contradiction" if trait.id in found.traits.contradicted else value.state
        lines.append(
            TraitLine(
                trait=trait.id,
                label=TRAIT_LABELS[trait.id],
                state=state,
                value=value.value,
                text=value.text,
                how=value.how,
                used=bool(found.model.used[:, :, position].any()),
            )
        )
    carried = tuple(
        TraitLine(
            trait=line.field, label=line.label, state="given", value=None, text=line.text, how=line.note, used=line.used
        )
        for line in found.traits.ledger
    )
    return Profile(name=name, setting=setting, traits=tuple(lines), carried=carried)


@dataclass(frozen=True)
class _TraitList:
    """Ids (and, for the certainty's reasons, labels) of one family's traits in one class, by what is known of them."""

    informed: tuple[str, ...]
    borrowed: tuple[str, ...]
    uninformed: tuple[str, ...]
    unknown_labels: tuple[str, ...]
    uninformed_present_labels: tuple[str, ...]


@dataclass(frozen=True)
class _Draft:
    """An answer with everything that several estimates share."""

    found: Answer
    waterfalls: Mapping[tuple[str, str], tuple[WaterfallStep, ...]]
    biased: Mapping[str, Difference]
    unbiased: Mapping[str, Difference]
    from_decision: Mapping[int, tuple[float, float, float]]
    traits: Mapping[tuple[str, int], _TraitList]


def _draft(found: Answer, waterfalls: Mapping[tuple[str, str], tuple[WaterfallStep, ...]]) -> _Draft:
    return _Draft(
        found=found,
        waterfalls=waterfalls,
        biased=found.differences(found.model.assumptions["unanchored_sd"]),
        unbiased=found.differences(0.0),
        from_decision=from_decision(found),
        traits={
            (family, index): _trait_list(found, family, index)
            for family in found.model.family_index
            for index in range(len(CLASSES))
        },
    )


def _trait_list(found: Answer, family: str, class_index: int) -> _TraitList:
    position = found.model.family_index[family]
    used = found.model.used[position, class_index].tolist()
    borrowed = found.model.borrowed[position, class_index].tolist()
    here = list(zip(MODEL_TRAITS, found.traits, used, borrowed, strict=True))
    known = [(trait, value, u, b) for trait, value, u, b in here if value.value is not None]
    return _TraitList(
        informed=tuple(trait.id for trait, _, u, _ in known if u),
        borrowed=tuple(trait.id for trait, _, u, b in known if u and b),
        uninformed=tuple(trait.id for trait, _, u, _ in known if not u),
        unknown_labels=tuple(trait.label for trait, value, u, _ in here if u and value.value is None),
        uninformed_present_labels=tuple(trait.label for trait, value, u, _ in known if not u and value.value is True),
    )


def _outcome(draft: _Draft, outcome: str) -> Outcome:
    family = FAMILY_OF[outcome]
    estimates = {option.id: _estimate(draft, outcome, option.id) for option in draft.found.model.options}
    contrast, reason = None, None
    if outcome in draft.biased:
        contrast = _contrast(draft, outcome, estimates)
    else:
        without = [option for option in CLASSES if estimates[option].state != "estimated"]
        reason = "; ".join(str(estimates[option].reason) for option in without)
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
        notes=_notes(draft.found, outcome, estimates),
    )


def _estimate(draft: _Draft, outcome: str, option: str) -> Estimate:
    found = draft.found
    index = found.place.get((outcome, option))
    if index is None:
        state, reason = found.model.missing[outcome, option]
        return Estimate(state=state, reason=reason)
    cell = found.model.cells[index]
    traits = draft.traits[cell.family, cell.class_index]
    outside = found.outside[cell.class_index]
    difference = draft.biased.get(outcome) if option in CLASSES else None
    credible = (float(found.rates.credible[index, 0]), float(found.rates.credible[index, 1]))
    prediction = (float(found.rates.prediction[index, 0]), float(found.rates.prediction[index, 1]))
    certainty, reasons = rate_certainty(
        found.model.assumptions,
        n_studies=cell.n_studies,
        n_patients=cell.n_patients,
        credible=credible,
        prediction=prediction,
        outside=outside,
        unknown=traits.unknown_labels,
        uninformed=traits.uninformed_present_labels,
        log_odds_ratio=difference.log_odds_ratio[1:] if difference is not None else None,
    )
    decision = draft.from_decision.get(index)
    return Estimate(
        state="estimated",
        median=float(found.rates.median[index]),
        mean=float(found.rates.mean[index]),
        credible=credible,
        prediction=prediction,
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
        from_decision=FromDecision(median=decision[0], credible=decision[1:]) if decision else None,
        waterfall=draft.waterfalls.get((outcome, option), ()),
    )


def _contrast(draft: _Draft, outcome: str, estimates: Mapping[str, Estimate]) -> Contrast:
    biased, unbiased = draft.biased[outcome], draft.unbiased[outcome]
    weaker = min((estimates[option] for option in CLASSES), key=lambda e: LEVELS.index(e.certainty or LEVELS[0]))
    return Contrast(
        options=CLASSES,
        risk_difference=RiskDifference(median=biased.risk_difference[0], interval=biased.risk_difference[1:]),
        probability_first_higher=biased.probability_first_higher,
        tipping_point_log_or=biased.log_odds_ratio[0],
        bias_sd=draft.found.model.assumptions["unanchored_sd"],
        without_bias_term=ContrastWithoutBias(
            risk_difference=RiskDifference(median=unbiased.risk_difference[0], interval=unbiased.risk_difference[1:]),
            probability_first_higher=unbiased.probability_first_higher,
        ),
        certainty=weaker.certainty or LEVELS[0],
        reasons=weaker.reasons,
    )


def _notes(found: Answer, outcome: str, estimates: Mapping[str, Estimate]) -> tuple[str, ...]:
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
            and max(times[0], times[1]) > found.model.assumptions["follow_up_ratio"] * min(times[0], times[1])
        ):
            notes.append("not the same time: the two options were not followed for equally long")
    if family.id == "response" and estimates[CLASSES[0]].from_decision:
        notes.append("CAR-T is counted from the infusion; the line from decision counts from apheresis")
    return tuple(notes)


def _waterfalls(found: Answer, explain: Collection[str]) -> dict[tuple[str, str], tuple[WaterfallStep, ...]]:
    traits, means = cumulative_means(found)
    result = {}
    for index, cell in enumerate(found.model.cells):
        if cell.outcome not in explain:
            continue
        column = [float(value) for value in means[:, index]]
        steps = [WaterfallStep(trait=None, label="average patient of the evidence", mean=column[0], change=0.0)]
        level = column[0]
        for trait, before, after in zip(traits[1:], column[:-1], column[1:], strict=True):
            if trait is not None and abs(after - before) >= SMALLEST_STEP:
                label = f"{TRAIT_LABELS[trait]}: {found.traits[trait].text}"
                level += after - before
                steps.append(WaterfallStep(trait=trait, label=label, mean=level, change=after - before))
        final = float(found.rates.mean[index])
        steps.append(WaterfallStep(trait=None, label="this patient", mean=final, change=final - level))
        result[cell.outcome, cell.option] = tuple(steps)
    return result


def _unknowns(found: Answer) -> list[Unknown]:
    moving = np.any(found.model.used, axis=(0, 1)).tolist()
    open_traits = [trait for trait in MODEL_TRAITS if found.traits[trait.id].value is None]
    traits = [trait for trait in open_traits if moving[MODEL_TRAIT_IDS.index(trait.id)]]
    all_moves = trait_moves(found, [trait.id for trait in traits])
    listed = []
    for trait in traits:
        moves = [move for move in all_moves.get(trait.id, ()) if move.high - move.low >= SMALLEST_MOVE]
        moves.sort(key=lambda move: (move.low - move.high, move.outcome, move.option))
        listed.append(
            Unknown(
                trait=trait.id,
                label=trait.label,
                needs=found.traits[trait.id].how,
                moves=tuple(
                    Move(
                        outcome=move.outcome,
                        option=move.option,
                        low=move.low,
                        high=move.high,
                        low_when=_when(trait.kind, move.low_value),
                        high_when=_when(trait.kind, move.high_value),
                    )
                    for move in moves
                ),
            )
        )
    return sorted(listed, key=lambda unknown: -max((m.high - m.low for m in unknown.moves), default=0.0))


def _when(kind: str, value: float) -> str:
    if kind == "age":
        return f"about {value:.0f} years"
    if kind == "prior_lines":
        return f"about {value:.0f}"
    return "present" if value > 0.5 else "absent"
