"""Progression-free survival of every option for one patient, computed: shares by month, median, restricted mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.behind import STARTS, Move, PrintedPoint, SurvivalExplanation, SurvivalStudy
from bcma_decide.comparing.explanation import effect_lines
from bcma_decide.comparing.outcomes import contrast_value
from bcma_decide.comparing.outside import outside_reasons
from bcma_decide.comparing.published import Withheld
from bcma_decide.comparing.unknowns import move_line
from bcma_decide.comparison import Contrast, Option
from bcma_decide.model.alike import Alike, alike_in_curves, patients_alike
from bcma_decide.model.beside import kept_beside
from bcma_decide.model.certainty import Ground, rate_certainty
from bcma_decide.model.contrast import Difference, Side, differences, higher_of_pairs
from bcma_decide.model.decision_clock import FromDecision
from bcma_decide.model.kept import KEPT
from bcma_decide.model.moves import TraitMove, ends
from bcma_decide.model.numbers import PatientNumbers
from bcma_decide.model.survival import (
    MONTHS,
    Curve,
    averages_alike,
    curves_alike,
    reaches,
    restricted_mean,
    shares_by_patient,
)
from bcma_decide.pooled.evidence import PooledEvidence
from bcma_decide.time_course import LANDMARKS, WITHIN, Clocked, Duration, Survival, SurvivalTime
from bcma_decide.value import all_rounded
from bcma_decide.vocabulary import CLASSES, MODEL_TRAITS, PFS, PFS_FAMILY, ModelTrait, State

Array = NDArray[np.float64]

METHOD: Final = (
    "A log-logistic line for every study, from printed medians and landmarks at their own times; studies and products "
    "vary around their class in level and slope, and practice differs from trials by a term of its own. Curves that "
    "start before the infusion are carried to it by the share infused and the months waited. Trait effects come only "
    "from contrasts inside studies: hazard ratios, adjusted ones first, then curves of the levels. The number is the "
    "posterior mean of the average over centres and over patients of the evidence who are alike in what is known."
)
ONE_YEAR: Final = 12
SMALLEST_MOVE: Final = 0.01
_DRAWN: Final = 8 * KEPT
"""Curves whose figures are kept: some options for every kind of patient."""


_OfClass = tuple[tuple[ModelTrait, Move], ...]
SurvivalMoves = Mapping[str, _OfClass]
"""By class: an unknown trait, and what knowing it would do to the share at one year."""


class _Draft(Struct, frozen=True):
    """What the rows of all options share."""

    numbers: PatientNumbers
    curves: Mapping[str, Curve]
    decided: Mapping[str, FromDecision]
    withheld: Mapping[tuple[str, str], Withheld]
    outside: tuple[tuple[str, ...], ...]
    moves: SurvivalMoves


def computed_survival(
    numbers: PatientNumbers,
    curves: Mapping[str, Curve],
    decided: Mapping[str, FromDecision],
    withheld: Mapping[tuple[str, str], Withheld],
    moves: SurvivalMoves,
) -> tuple[Survival, ...]:
    """One row for each option, in their order; without figures where it has no curve or a limit takes it away.

    ``curves``, ``decided``: from the infusion or first dose, and from the decision, by option. ``moves`` are those of
    `survival_moves`.
    """
    draft = _Draft(numbers, curves, decided, withheld, outside_reasons(numbers)[PFS], moves)
    return tuple(_row(draft, option) for option in numbers.pooled.options)


def _row(draft: _Draft, option: Option) -> Survival:
    pooled = draft.numbers.pooled
    entry, index = pooled.survival.options[option.id], CLASSES.index(option.class_id)
    instead, curve = draft.withheld.get((PFS, option.id)), draft.curves.get(option.id)
    if instead is not None:
        return _without_figures(option, "withheld", instead.reason, instead.sources)
    if curve is None:
        return _without_figures(option, entry.state, entry.reason, ())
    moves, outside = draft.moves.get(option.class_id, ()), draft.outside[index]
    known = tuple(value.value is not None for value in draft.numbers.traits)
    return _of_known(pooled, known, option, curve, draft.decided.get(option.id), moves, outside)


@kept_beside(_DRAWN)
def _of_known(
    pooled: PooledEvidence,
    known: tuple[bool, ...],
    option: Option,
    curve: Curve,
    decided: FromDecision | None,
    moves: _OfClass,
    outside: tuple[str, ...],
) -> Survival:
    """The row of a patient of whom these traits are ``known``, (traits,)."""
    acting = pooled.used[pooled.family_index[PFS], CLASSES.index(option.class_id)].tolist()
    here = [(trait.id, acts) for trait, acts, is_known in zip(MODEL_TRAITS, acting, known, strict=True) if is_known]
    return _of_curve(pooled, option, curve, decided, moves, outside).with_texts(
        informed_traits=tuple(trait for trait, acts in here if acts),
        uninformed_traits=tuple(trait for trait, acts in here if not acts),
    )


@kept_beside(_DRAWN)
def _of_curve(
    pooled: PooledEvidence,
    option: Option,
    curve: Curve,
    decided: FromDecision | None,
    moves: _OfClass,
    outside: tuple[str, ...],
) -> Survival:
    """The row without which traits are known."""
    entry = pooled.survival.options[option.id]
    year = ONE_YEAR - 1
    certainty, reasons = rate_certainty(
        pooled.assumptions,
        Ground(
            n_studies=entry.n_studies,
            n_patients=entry.n_patients,
            credible=(float(curve.credible[year, 0]), float(curve.credible[year, 1])),
            prediction=(float(curve.prediction[year, 0]), float(curve.prediction[year, 1])),
            indirect=[f"outside the evidence ({reason})" for reason in outside],
            open_moves=[(trait.label, move.high - move.low) for trait, move in moves],
        ),
    )
    figures = _figures(curve, entry.end_of_follow_up)
    return Survival(
        option=option.id,
        endpoint="pfs",
        label=PFS_FAMILY.label,
        kind="computed",
        origin=STARTS[option.class_id],
        times=figures.times,
        median_months=figures.median_months,
        restricted_mean_months=figures.restricted_mean_months,
        curve=figures.curve,
        end_of_follow_up_months=entry.end_of_follow_up,
        from_decision=None if decided is None else _from_decision(decided),
        certainty=certainty,
        reasons=reasons,
        moves=tuple(move for _, move in moves) if option.kind == "class" else (),
        outside_evidence=outside,
        n_studies=entry.n_studies,
        n_patients=entry.n_patients,
        follow_up_months=entry.follow_up_months,
        sources=entry.sources,
    )


def _without_figures(option: Option, state: State, reason: str | None, sources: tuple[str, ...]) -> Survival:
    return Survival(
        option=option.id,
        endpoint="pfs",
        label=PFS_FAMILY.label,
        kind="computed",
        origin=STARTS[option.class_id],
        state=state,
        reason=reason,
        sources=sources,
    )


@lru_cache(maxsize=_DRAWN)
def _figures(curve: Curve, end: float) -> Clocked:
    return clocked(MONTHS, curve.mean, curve.credible, curve.prediction, end)


@lru_cache(maxsize=_DRAWN)
def _from_decision(found: FromDecision) -> Clocked:
    return clocked(found.months, found.mean, found.credible, found.prediction, found.end)


def sides_at_one_year(numbers: PatientNumbers, rows: Sequence[Survival]) -> dict[str, Side]:
    """Options with a computed share free of progression at one year, to be compared two by two.

    ``rows`` are those of `computed_survival`.
    """
    sides = _sides(numbers.pooled, alike_in_curves(numbers))
    return {row.option: sides[row.option] for row in rows if _followed_a_year(row)}


@kept_beside(KEPT)
def _sides(pooled: PooledEvidence, of: Alike) -> Mapping[str, Side]:
    """Of every option with a curve."""
    averages, curves = averages_alike(pooled, of, float(ONE_YEAR)), curves_alike(pooled, of)
    return {
        option.id: Side(
            averages[option.id], float(curves[option.id].mean[ONE_YEAR - 1]), CLASSES.index(option.class_id)
        )
        for option in pooled.options
        if option.id in curves
    }


def higher_at_one_year(numbers: PatientNumbers) -> Mapping[tuple[str, str], float]:
    """How likely the first of two options has the higher share free of progression at one year, of all with a curve."""
    return _higher(numbers.pooled, alike_in_curves(numbers))


@kept_beside(KEPT)
def _higher(pooled: PooledEvidence, of: Alike) -> Mapping[tuple[str, str], float]:
    covariance = pooled.effect_blocks[pooled.family_index[PFS]]
    return higher_of_pairs(_sides(pooled, of), covariance, pooled.assumptions["unanchored_sd"])


def survival_contrast(
    numbers: PatientNumbers, sides: Mapping[str, Side], rows: Sequence[Survival], options: tuple[str, str] = CLASSES
) -> Contrast | None:
    """Difference of two options in the share free of progression at one year; None where one has no number.

    ``sides`` are those of `sides_at_one_year`, ``rows`` those of `computed_survival`.
    """
    if not set(options) <= sides.keys():
        return None
    biased, unbiased = _differences(numbers.pooled, alike_in_curves(numbers), options)
    bias = numbers.pooled.assumptions["unanchored_sd"]
    return contrast_value(options, biased, unbiased, bias, [row for row in rows if row.option in options])


@kept_beside(KEPT)
def _differences(pooled: PooledEvidence, of: Alike, options: tuple[str, str]) -> tuple[Difference, ...]:
    """With the bias term, and without."""
    first, second = (_sides(pooled, of)[option] for option in options)
    covariance = pooled.effect_blocks[pooled.family_index[PFS]]
    return differences(first, second, covariance, (pooled.assumptions["unanchored_sd"], 0.0))


def _followed_a_year(row: Survival) -> bool:
    return any(time.month == ONE_YEAR for time in row.times)


def clocked(months: Array, mean: Array, credible: Array, prediction: Array, end: float) -> Clocked:
    """The figures of one curve, nothing past ``end``.

    Parameters
    ----------
    months
        After 0, (months,).
    mean, credible, prediction
        Share free of progression (months,) and ends of its intervals (months, 2) each.
    end
        Month at which follow-up ends.
    """
    inside = months <= end
    time = np.append(0.0, months[inside])
    sides = [np.append(1.0, values[inside]) for values in (mean, *credible.T, *prediction.T)]
    # every month of the first year and every third after it: between them a curve is nearly straight
    drawn = (time <= ONE_YEAR) | (time % 3.0 == 0.0) | (time == time[-1])
    points = tuple(
        SurvivalTime(month=month, mean=m, credible=(low, high), prediction=(next_low, next_high))
        for month, m, low, high, next_low, next_high in all_rounded(np.stack([time, *sides], axis=1)[drawn])
    )
    at_end = np.array(end)
    median = _duration(reaches(time, np.array(sides), at_end))
    restricted = _duration(restricted_mean(time, np.array(sides), at_end, WITHIN))
    return Clocked(
        times=tuple(point for point in points if point.month in LANDMARKS),
        median_months=median,
        restricted_mean_months=restricted,
        curve=points,
    )


def _duration(months: Array) -> Duration:
    """A time and the ends of its intervals, NaN where one is not reached."""
    value, low, high, next_low, next_high = (None if np.isnan(month) else month for month in months.tolist())
    return Duration(value=value, credible=(low, high), prediction=(next_low, next_high))


def survival_moves(
    numbers: PatientNumbers, curves: Mapping[str, Curve], withheld: Mapping[tuple[str, str], Withheld]
) -> SurvivalMoves:
    """What knowing each unknown trait would do to the share at one year of a class, by class, the largest first."""
    pooled = numbers.pooled
    unstable = pooled.assumptions["unstable_move"]
    moves = _moves_at_one_year(pooled, alike_in_curves(numbers))
    result: dict[str, tuple[tuple[ModelTrait, Move], ...]] = {}
    for option in CLASSES:
        found = [(trait, move) for trait, move in moves[option] if numbers.traits[trait.id].value is None]
        if option in curves and (PFS, option) not in withheld:
            lines = [(trait, move_line(move, trait.kind, unstable)) for trait, move in found]
            lines.sort(key=lambda line: (line[1].low - line[1].high, line[0].label))
            result[option] = tuple(lines)
    return result


@kept_beside(KEPT)
def _moves_at_one_year(pooled: PooledEvidence, of: Alike) -> Mapping[str, Sequence[tuple[ModelTrait, TraitMove]]]:
    """The same by every trait in which such patients vary, by class, in the order of the traits."""
    patients = patients_alike(pooled, of.values)
    result: dict[str, list[tuple[ModelTrait, TraitMove]]] = {option: [] for option in CLASSES}
    for index in (block.class_index for block in pooled.survival.blocks):
        option = CLASSES[index]
        share = shares_by_patient(pooled, of.setting, index, patients, (float(ONE_YEAR),)).get(option)
        if share is None:
            continue
        acting = pooled.used[pooled.family_index[PFS], index].tolist()
        traits = {trait.id: trait for trait, acts in zip(MODEL_TRAITS, acting, strict=True) if acts}
        for trait, ((low, high, *at),) in ends(list(traits), share, patients).items():
            if high - low >= SMALLEST_MOVE:
                result[option].append((traits[trait], TraitMove(PFS, option, low, high, *at)))
    return result


def survival_explanation(pooled: PooledEvidence) -> SurvivalExplanation:
    """Studies with their weights, trait effects with their contrasts, and what was left out."""
    return SurvivalExplanation(
        endpoint="pfs",
        studies=tuple(
            SurvivalStudy(
                **{
                    **line,
                    "products": tuple(line["products"]),
                    "points": tuple(
                        PrintedPoint(
                            month=point["month"],
                            share=point["pct"] / 100.0,
                            interval=_fractions(point["ci95"]),
                            interval_months=point["interval_months"] and tuple(point["interval_months"]),
                        )
                        for point in line["points"]
                    ),
                }
            )
            for line in pooled.survival.studies
        ),
        effects=effect_lines(pooled, PFS),
        left_out=pooled.survival.left_out,
        method=METHOD,
    )


def _fractions(ends_of: tuple[float | None, float | None] | None) -> tuple[float | None, float | None] | None:
    if ends_of is None:
        return None
    low, high = (None if end is None else end / 100.0 for end in ends_of)
    return low, high
