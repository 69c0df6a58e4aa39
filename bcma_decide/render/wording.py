"""Numbers as words, the same on every face: natural frequencies, intervals, differences, certainty, states.

Probabilities come in as fractions and leave as whole numbers of 100 patients. Nothing is ever printed as 0 or
100 of 100: below one half stands *fewer than 1*, above 99.5 *more than 99*.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Final, Literal

from bcma_decide.comparison import Certainty, Contrast, Estimate, Interval, RiskDifference, State

MINUS: Final = "\N{MINUS SIGN}"

STATE_WORDS: Final[dict[State, str]] = {
    "estimated": "estimated",
    "too_thin": "too few studies",
    "not_applicable": "does not apply",
    "no_evidence": "not reported",
}

DESIGNS: Final = {"real_world": "practice", "interventional": "trial"}

CERTAINTY_WORDS: Final[dict[Certainty, str]] = {
    "very low": "the evidence is very uncertain",
    "low": "the true number may be clearly different",
    "moderate": "the true number is probably close",
    "high": "the true number is close",
}

# How strongly a sentence may speak (GRADE guidelines 26); at very low it says that the evidence is uncertain.
_VERB: Final[dict[Certainty, str]] = {"high": "", "moderate": "probably ", "low": "may "}


def visible(text: str) -> str:
    """Text in one line without control, format or bidirectional characters: printed as it is read."""
    spaced = " ".join(text.split())
    return "".join(sign for sign in spaced if unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co"})


def whole(value: float) -> int:
    """Round to the nearest whole number, halves away from zero: the one rounding of every printed count."""
    steadied = round(value, 9)  # 28.499999999999996 is 28.5 that went through a multiplication
    return int(math.copysign(math.floor(abs(steadied) + 0.5), steadied))


def parts_of_100(shares: Sequence[float]) -> tuple[int, ...]:
    """Whole numbers that sum to 100 and stay within one of their exact share (largest remainder).

    Parameters
    ----------
    shares
        Non-negative shares in any unit; they are scaled to sum to 100. Ties go to the earlier part.
    """
    total = math.fsum(shares)
    if not shares or total <= 0:
        raise ValueError("shares must hold at least one positive number")
    exact = [100 * share / total for share in shares]
    parts = [math.floor(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[: 100 - sum(parts)]:
        parts[index] += 1
    return tuple(parts)


def count(probability: float) -> str:
    """Return the number alone, for beneath a heading *of 100*: ``84``, ``fewer than 1``, ``more than 99``."""
    points = 100 * probability
    if points < 0.5:
        return "fewer than 1"
    return "more than 99" if whole(points) > 99 else str(whole(points))


def short_count(probability: float) -> str:
    """Return it in at most three signs, for the ends of an interval: ``84``, ``<1``, ``>99``."""
    return {"fewer than 1": "<1", "more than 99": ">99"}.get(count(probability), count(probability))


def of_100(probability: float) -> str:
    """Natural frequency: ``84 of 100``."""
    return f"{count(probability)} of 100"


def interval(ends: Interval) -> str:
    """Both ends, of 100: ``70 to 88``."""
    low, high = ends
    return f"{short_count(low)} to {short_count(high)}"


def signed(fraction: float) -> str:
    """Return a difference of 100 with its sign: ``+12``, ``−3``; below one half ``+<1`` or ``−<1``."""
    if fraction == 0:
        return "±0"
    sign = "+" if fraction > 0 else MINUS
    points = abs(whole(100 * fraction))
    return f"{sign}{points}" if points else f"{sign}<1"


def signed_interval(ends: Interval) -> str:
    """Both ends of a difference, of 100: ``−3 to +27``."""
    low, high = ends
    return f"{signed(low)} to {signed(high)}"


def difference(value: RiskDifference) -> str:
    """Return a difference with its interval: ``+12 (−3 to +27) of 100``."""
    return f"{signed(value.median)} ({signed_interval(value.interval)}) of 100"


def percent(probability: float) -> str:
    """Return a probability that is not a number of patients: ``88 %``, ``<1 %``, ``>99 %``."""
    return f"{short_count(probability)} %"


def share(points: int) -> str:
    """Return a rounded share of the whole: ``34 %``, and ``<1 %`` for what was rounded away."""
    return f"{points} %" if points else "<1 %"


def probability_higher(probability: float, first: str) -> str:
    """Short form beside a difference: ``CAR-T higher: 88 %``."""
    return f"{first} higher: {percent(probability)}"


def probability_phrase(probability: float, first: str, level: Certainty) -> str:
    """Return the short form with its usual word; very uncertain evidence gets the number only."""
    short = probability_higher(probability, first)
    return short if level == "very low" else f"{short} ({likelihood(probability)})"


def likelihood(probability: float) -> str:
    """Return the usual word for a probability, to stand beside its number and never alone."""
    for bound, word in (
        (0.95, "very likely"),
        (0.67, "likely"),
        (0.33, "about as likely as not"),
        (0.05, "unlikely"),
    ):
        if probability >= bound:
            return word
    return "very unlikely"


def follow_up(months: float | None) -> str:
    """Length of follow-up: ``17 months``, or that it is not reported."""
    if months is None:
        return "follow-up not reported"
    if months < 1:
        return "under 1 month"
    return "1 month" if whole(months) == 1 else f"{whole(months)} months"


def odds_ratio(log_odds_ratio: float, ends: Interval) -> str:
    """Return an odds ratio with its interval: ``0.27 (0.15 to 0.49)``."""
    low, high = ends
    return f"{odds_ratio_alone(log_odds_ratio)} ({odds_ratio_alone(low)} to {odds_ratio_alone(high)})"


def odds_ratio_alone(log_value: float) -> str:
    """Return an odds ratio from its logarithm: ``0.27``."""
    value = math.exp(min(log_value, 700.0))
    if value < 0.01:
        return "<0.01"
    if value > 99:
        return ">99"
    return f"{value:.2f}" if value < 9.95 else f"{value:.0f}"


def certainty(level: Certainty | None) -> str:
    """Return the level, or that it was not rated."""
    return level or "not rated"


def certainty_phrase(level: Certainty | None) -> str:
    """Return the level and what it means: ``very low: the evidence is very uncertain``."""
    return f"{level}: {CERTAINTY_WORDS[level]}" if level else "not rated"


def state(estimate: Estimate) -> str:
    """Words for an estimate without a number: ``too few studies``."""
    if estimate.state == "estimated":
        return "estimated" if has_number(estimate) else "no number"
    return STATE_WORDS[estimate.state]


def state_with_reason(estimate: Estimate) -> str:
    """Return the state with its reason: ``too few studies: one study of 12 patients``."""
    words, reason = state(estimate), estimate.reason or ""
    if reason.startswith(words):
        return reason
    return f"{words}: {reason}" if reason else words


def has_number(estimate: Estimate) -> bool:
    """Whether there is a number with an interval to show; a number without one is not shown."""
    return estimate.state == "estimated" and estimate.median is not None and estimate.credible is not None


def estimate_sentence(estimate: Estimate, option: str, plain: str) -> str:
    """One option's number as a sentence, as strong as its certainty allows.

    Parameters
    ----------
    estimate
        The number and its certainty.
    option
        Name of the option as it is read after *with*.
    plain
        The outcome as a verb: *respond*, *have severe cytokine release syndrome*.
    """
    if estimate.median is None or estimate.credible is None or estimate.state != "estimated":
        return f"With {option}: {state_with_reason(estimate)}."
    numbers = f"{of_100(estimate.median)} patients like this (95 % interval {interval(estimate.credible)})"
    if estimate.certainty is None or estimate.certainty == "very low":
        return f"The evidence is very uncertain about how many {plain} with {option}: about {numbers}."
    return f"With {option}, {numbers} {_VERB[estimate.certainty]}{plain}."


def contrast_sentence(contrast: Contrast, first: str, second: str, plain: str) -> str:
    """Return the difference as a sentence, as strong as its certainty allows."""
    value = contrast.risk_difference
    ends = f"95 % interval {signed_interval(value.interval)} of 100"
    if contrast.certainty == "very low":
        return (
            f"The evidence is very uncertain about how many more or fewer {plain} with {first} than with "
            f"{second}: {signed(value.median)}, {ends}."
        )
    points = abs(whole(100 * value.median))
    word: Literal["more", "fewer"] = "more" if value.median >= 0 else "fewer"
    amount = str(points) if points else "fewer than 1"
    return (
        f"Of 100 patients like this, {amount} {word} {_VERB[contrast.certainty]}{plain} with {first} than "
        f"with {second} ({ends})."
    )
