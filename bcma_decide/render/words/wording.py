"""Numbers as words, the same on every face: natural frequencies, intervals, differences, certainty, states.

Probabilities come in as fractions and leave as whole numbers of 100 patients. Nothing is ever printed as 0 or
100 of 100: below one half stands *fewer than 1*, above 99.5 *more than 99*.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Final

from bcma_decide.comparison import Contrast, Estimate, RiskDifference
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import ngettext, pointed
from bcma_decide.value import Interval
from bcma_decide.vocabulary import Certainty, State

MINUS: Final = "\N{MINUS SIGN}"

DESIGNS: Final = {"real_world": "practice", "interventional": "trial"}


def state_word(name: State) -> str:
    """Words for a state: ``too few studies``."""
    words: dict[State, str] = {
        "estimated": _("estimated"),
        "too_thin": _("too few studies"),
        "not_applicable": _("does not apply"),
        "no_evidence": _("not reported"),
        "withheld": _("number withheld"),
    }
    return words[name]


def certainty_words() -> dict[Certainty, str]:
    """What each level of certainty means, the lowest first."""
    return {
        "very low": _("the evidence is very uncertain"),
        "low": _("the true number may be clearly different"),
        "moderate": _("the true number is probably close"),
        "high": _("the true number is close"),
    }


def how_good() -> str:
    """The question that the guide's page of the validation answers; it stands on every face."""
    return _("How good are these numbers?")


def visible(text: str) -> str:
    """Text in one line without control, format or bidirectional characters: printed as it is read."""
    spaced = " ".join(text.split())
    if spaced.isprintable():  # none of these categories is in it: the usual case
        return spaced
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
        return _("fewer than 1")
    return _("more than 99") if whole(points) > 99 else str(whole(points))


def short_count(probability: float) -> str:
    """Return it in at most three signs, for the ends of an interval: ``84``, ``<1``, ``>99``."""
    points = 100 * probability
    return "<1" if points < 0.5 else ">99" if whole(points) > 99 else str(whole(points))


def of_100(probability: float) -> str:
    """Natural frequency: ``84 of 100``."""
    return _("{number} of 100").format(number=count(probability))


def interval(ends: Interval) -> str:
    """Both ends, of 100: ``70 to 88``."""
    low, high = ends
    return _("{low} to {high}").format(low=short_count(low), high=short_count(high))


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
    return _("{low} to {high}").format(low=signed(low), high=signed(high))


def difference(value: RiskDifference) -> str:
    """Return a difference with its interval: ``+12 (−3 to +27) of 100``."""
    return _("{number} ({interval}) of 100").format(number=signed(value.mean), interval=signed_interval(value.interval))


def percent(probability: float) -> str:
    """Return a probability that is not a number of patients: ``88 %``, ``<1 %``, ``>99 %``."""
    return f"{short_count(probability)} %"


def share(points: int) -> str:
    """Return a rounded share of the whole: ``34 %``, and ``<1 %`` for what was rounded away."""
    return f"{points} %" if points else "<1 %"


def probability_higher(probability: float, first: str) -> str:
    """Short form beside a difference: ``CAR-T higher: 88 %``."""
    return _("{option} higher: {percent}").format(option=first, percent=percent(probability))


def probability_phrase(probability: float, first: str, level: Certainty) -> str:
    """Return the short form with its usual word; very uncertain evidence gets the number only."""
    short = probability_higher(probability, first)
    return short if level == "very low" else f"{short} ({likelihood(probability)})"


def likelihood(probability: float) -> str:
    """Return the usual word for a probability, to stand beside its number and never alone."""
    for bound, word in (
        (0.95, _("very likely")),
        (0.67, _("likely")),
        (0.33, _("about as likely as not")),
        (0.05, _("unlikely")),
    ):
        if probability >= bound:
            return word
    return _("very unlikely")


def follow_up(months: float | None) -> str:
    """Length of follow-up: ``17 months``, or that it is not reported."""
    if months is None:
        return _("follow-up not reported")
    if months < 1:
        return _("under 1 month")
    return ngettext("{n} month", "{n} months", whole(months)).format(n=whole(months))


def odds_ratio(log_odds_ratio: float, ends: Interval) -> str:
    """Return an odds ratio with its interval: ``0.27 (0.15 to 0.49)``."""
    low, high = ends
    ends_text = _("{low} to {high}").format(low=odds_ratio_alone(low), high=odds_ratio_alone(high))
    return f"{odds_ratio_alone(log_odds_ratio)} ({ends_text})"


def odds_ratio_alone(log_value: float) -> str:
    """Return an odds ratio from its logarithm: ``0.27``."""
    value = math.exp(min(log_value, 700.0))
    if value < 0.01:
        return pointed("<0.01")
    if value > 99:
        return ">99"
    return pointed(f"{value:.2f}") if value < 9.95 else f"{value:.0f}"


def certainty(level: Certainty | None) -> str:
    """Return the level, or that it was not rated."""
    levels: dict[Certainty, str] = {
        "very low": _("very low"),
        "low": _("low"),
        "moderate": _("moderate"),
        "high": _("high"),
    }
    return levels[level] if level else _("not rated")


def certainty_phrase(level: Certainty | None) -> str:
    """Return the level and what it means: ``very low: the evidence is very uncertain``."""
    return f"{certainty(level)}: {certainty_words()[level]}" if level else certainty(level)


def state(estimate: Estimate) -> str:
    """Words for an estimate without a number: ``too few studies``."""
    if estimate.state == "estimated":
        return state_word("estimated") if has_number(estimate) else _("no number")
    return state_word(estimate.state)


def state_with_reason(estimate: Estimate) -> str:
    """Return the state with its reason: ``too few studies: one study of 12 patients``."""
    words, reason = state(estimate), (estimate.reason or "").rstrip(".")
    if reason.startswith(words):
        return reason
    return f"{words}: {reason}" if reason else words


def state_in_short(estimate: Estimate) -> str:
    """Return the state with what its reason adds, for a field without room: ``too few studies: 1 study, 12 patients``.

    A reason why something does not apply says that it does not.
    """
    words, reason = state(estimate), (estimate.reason or "").rstrip(".")
    if not reason:
        return words
    if estimate.state == "not_applicable":
        return reason
    detail = reason.partition(": ")[2] if reason.startswith(words) else reason
    return f"{words}: {detail}" if detail else reason


def has_number(estimate: Estimate) -> bool:
    """Whether there is a number with an interval to show; a number without one is not shown."""
    return estimate.state == "estimated" and estimate.mean is not None and estimate.credible is not None


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
    if estimate.mean is None or estimate.credible is None or estimate.state != "estimated":
        return no_number_sentence(option, state_with_reason(estimate))
    numbers = _("an average of {number} patients like this (95 % interval {interval})").format(
        number=of_100(estimate.mean), interval=interval(estimate.credible)
    )
    sentences: dict[Certainty | None, str] = {
        "high": _("With {option}, {numbers} {plain}."),
        "moderate": _("With {option}, {numbers} probably {plain}."),
        "low": _("With {option}, {numbers} may {plain}."),
    }
    uncertain = _("The evidence is very uncertain about how many {plain} with {option}: {numbers}.")
    return sentences.get(estimate.certainty, uncertain).format(option=option, numbers=numbers, plain=plain)


def no_number_sentence(option: str, words: str) -> str:
    """Return why an option has no number, as a sentence."""
    return _("With {option}: {state}.").format(option=option, state=words)


def contrast_sentence(contrast: Contrast, first: str, second: str, plain: str) -> str:
    """Return the difference as a sentence, as strong as its certainty allows."""
    value = contrast.risk_difference
    ends = _("95 % interval {interval} of 100").format(interval=signed_interval(value.interval))
    names = {"first": first, "second": second, "plain": plain, "ends": ends}
    if contrast.certainty == "very low":
        return _(
            "The evidence is very uncertain about how many more or fewer {plain} with {first} than with {second}: "
            "{number}, {ends}."
        ).format(number=signed(value.mean), **names)
    points = abs(whole(100 * value.mean))
    amount = str(points) if points else _("fewer than 1")
    templates: dict[tuple[Certainty, bool], str] = {
        ("high", True): _("Of 100 patients like this, {amount} more {plain} with {first} than with {second} ({ends})."),
        ("high", False): _(
            "Of 100 patients like this, {amount} fewer {plain} with {first} than with {second} ({ends})."
        ),
        ("moderate", True): _(
            "Of 100 patients like this, {amount} more probably {plain} with {first} than with {second} ({ends})."
        ),
        ("moderate", False): _(
            "Of 100 patients like this, {amount} fewer probably {plain} with {first} than with {second} ({ends})."
        ),
        ("low", True): _(
            "Of 100 patients like this, {amount} more may {plain} with {first} than with {second} ({ends})."
        ),
        ("low", False): _(
            "Of 100 patients like this, {amount} fewer may {plain} with {first} than with {second} ({ends})."
        ),
    }
    return templates[contrast.certainty, value.mean >= 0].format(amount=amount, **names)
