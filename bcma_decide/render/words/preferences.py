"""What stated weights make of the evidence, in words: criteria, first ranks, values, where a weight would change it."""

from __future__ import annotations

from collections.abc import Sequence

from bcma_decide.comparison import Comparison
from bcma_decide.preference_shapes import OF_100, CriterionLine, PreferenceResult, Ranking, Turn
from bcma_decide.render.words import sentences, wording
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.language import pointed
from bcma_decide.value import Interval

_SELDOM = 0.01
"""First in fewer draws than that, the average of their weights is one of few."""
_NOWHERE = 0.005
"""A weight so near to nothing or to all is no weight that anybody states."""
_CLOSE = 10
"""Figures below it get a decimal place."""


def heading() -> str:
    """Title of what weights make of the numbers."""
    return _("With the stated weights")


def lead(result: PreferenceResult) -> str:
    """How the weights were stated, and what draws are."""
    said = {
        "points": _("Points were given to every change."),
        "ranges": _("Ranges of points were given: weights are drawn from them."),
        "order": _("An order of the changes was given: weights are drawn from all that keep it."),
        "open": _("Nothing was said of the weights: they are drawn from all there could be."),
    }[result.kind]
    drawn = _("Ranks are counted over {draws} draws of what the evidence leaves open; they change no number above.")
    return f"{said} {drawn.format(draws=result.draws)}"


def shown_rankings(result: PreferenceResult, *, products: bool) -> tuple[Ranking, ...]:
    """The ranking of the classes, and that of the products where they are shown."""
    return tuple(each for each in result.rankings if products or each.kind == "class")


def criterion_text(comparison: Comparison, line: CriterionLine, options: Sequence[str]) -> str:
    """One criterion: its change, its weight, and what the options have at it."""
    change = _("from {least} to {most} {unit}").format(
        least=_figure(line.least), most=_figure(line.most), unit=_unit(line)
    )
    parts = [change if line.range_given else _("{change}, the whole scale").format(change=change), _points(line)]
    weight = _("weight {share}").format(share=wording.percent(line.weight))
    if line.weight_interval is not None:
        low, high = line.weight_interval
        ends = _("{low} to {high}").format(low=wording.whole(100 * low), high=wording.whole(100 * high))
        weight = f"{weight} ({ends})"
    parts.append(weight)
    have = "; ".join(_measured(comparison, line, option) for option in options)
    return f"{line.label}: {', '.join(part for part in parts if part)}. {have}."


def _points(line: CriterionLine) -> str:
    if line.rank is not None:
        return _("rank {rank}").format(rank=line.rank)
    if line.points is None:
        return ""
    low, high = line.points
    if low == high:
        return _("{points} points").format(points=_figure(low))
    return _("{low} to {high} points").format(low=_figure(low), high=_figure(high))


def _measured(comparison: Comparison, line: CriterionLine, option: str) -> str:
    label = sentences.option_label(comparison, option)
    value = line.measured.get(option)
    if value is None:
        return _("{option}: no number").format(option=label)
    if value.kind == "by_nature":
        return _("{option}: does not occur").format(option=label)
    if value.interval is None:
        return f"{label}: {_figure(value.mean)}"
    low, high = value.interval
    ends = wording.interval((low / 100, high / 100))
    further = _("further product of the class") if value.further_product else ""
    return " ".join(part for part in (f"{label}: {wording.count(value.mean / 100)} ({ends})", further) if part)


def first_ranks(comparison: Comparison, ranking: Ranking) -> str:
    """How often each option is first: ``CAR-T ranks first in 62 of 100 draws, Bispecific in 38``."""
    if not ranking.options:
        return _("Fewer than two options have a number for every criterion: nothing is ranked.")
    named = [(sentences.option_label(comparison, each.option), each.ranks[0]) for each in ranking.options]
    (label, share), *others = named
    said = _("{option} ranks first in {share} draws").format(option=label, share=wording.of_100(share))
    rest = [_("{option} in {number}").format(option=label, number=wording.count(share)) for label, share in others]
    return ", ".join([said, *rest]) + "."


def value_text(comparison: Comparison, ranking: Ranking) -> str:
    """Values of the options with what is left open about them; of two, also their difference."""
    each = "; ".join(
        f"{sentences.option_label(comparison, one.option)}: {_value(one.value, one.value_interval)}"
        for one in ranking.options
    )
    said = _("Value from 0 to 100, where everything is at its more attractive end: {values}").format(values=each)
    if ranking.difference is None:
        return f"{said}."
    low, high = ranking.difference.interval
    number = wording.signed(ranking.difference.mean / 100)
    ends = wording.signed_interval((low / 100, high / 100))
    return _("{values}; difference {number} ({ends}).").format(values=said, number=number, ends=ends)


def turning_texts(comparison: Comparison, result: PreferenceResult, ranking: Ranking) -> tuple[str, ...]:
    """Which weight would change the first rank, by the averages; one sentence that none would."""
    if ranking.first is None or not ranking.turnings:
        return ()
    lines = {line.criterion: line for line in result.criteria}
    texts = []
    for each in ranking.turnings:
        line = lines[each.criterion]
        if each.above is not None and each.above.weight < 1 - _NOWHERE:
            text = _("Would change if the weight of {criterion} rose above {share} (now {now}): then {option}.")
            texts.append(_turn(comparison, text, line, each.above))
        if each.below is not None and each.below.weight > _NOWHERE:
            text = _("Would change if the weight of {criterion} fell below {share} (now {now}): then {option}.")
            texts.append(_turn(comparison, text, line, each.below))
    label = sentences.option_label(comparison, ranking.first)
    start = _("By the averages {option} has the highest value; the other weights keep their proportions.")
    if not texts:
        texts.append(_("No change of one weight alone would change that."))
    return (start.format(option=label), *texts)


def _turn(comparison: Comparison, text: str, line: CriterionLine, turn: Turn) -> str:
    share, now = wording.percent(turn.weight), wording.percent(line.weight)
    if share == now:
        share, now = _tenths(turn.weight), _tenths(line.weight)
    return text.format(
        criterion=line.label,
        share=share,
        now=now,
        option=sentences.option_label(comparison, turn.option),
    )


def central_texts(comparison: Comparison, result: PreferenceResult, ranking: Ranking) -> tuple[str, ...]:
    """What weights favour each option that is not seldom first, and how often it is first with just these.

    Empty where points or their ranges were given: the weights are then near what was given, whichever option is first.
    """
    if result.kind in ("points", "ranges"):
        return ()
    labels = {line.criterion: line.label for line in result.criteria}
    return tuple(
        _("Where {option} is first, weights are on average: {weights}; with just these it is first in {share}.").format(
            option=sentences.option_label(comparison, each.option),
            weights=", ".join(f"{labels[key]} {wording.percent(share)}" for key, share in each.central_weights.items()),
            share=wording.of_100(each.confidence or 0.0),
        )
        for each in ranking.options
        if each.central_weights is not None and each.ranks[0] >= _SELDOM
    )


def not_ranked_texts(comparison: Comparison, ranking: Ranking) -> tuple[str, ...]:
    """Which options are not ranked, and what they lack."""
    return tuple(
        _("Not ranked, and no number filled in: {option} ({reasons}).").format(
            option=sentences.option_label(comparison, each.option), reasons="; ".join(each.reasons)
        )
        for each in ranking.not_ranked
    )


def certainty_text(ranking: Ranking) -> str:
    """The lowest certainty of the numbers behind a ranking; empty where it rests on facts alone."""
    if ranking.certainty is None:
        return ""
    return _("Lowest certainty of the numbers behind it: {level}.").format(level=wording.certainty(ranking.certainty))


def ranking_texts(comparison: Comparison, result: PreferenceResult, ranking: Ranking) -> tuple[str, ...]:
    """Everything about one ranking but its first sentence, one sentence each."""
    if not ranking.options:
        return not_ranked_texts(comparison, ranking)
    texts = (
        value_text(comparison, ranking),
        *turning_texts(comparison, result, ranking),
        *central_texts(comparison, result, ranking),
        *not_ranked_texts(comparison, ranking),
        certainty_text(ranking),
    )
    return tuple(text for text in texts if text)


def ranking_options(ranking: Ranking) -> tuple[str, ...]:
    """Every option a ranking speaks of, ranked or not."""
    return (*(each.option for each in ranking.options), *(each.option for each in ranking.not_ranked))


def _unit(line: CriterionLine) -> str:
    return _("of 100") if line.unit == OF_100 else line.unit


def _figure(value: float) -> str:
    """A figure of a criterion's own scale, at most one decimal place."""
    return pointed(f"{value:.1f}".removesuffix(".0")) if abs(value) < _CLOSE else str(wording.whole(value))


def _tenths(weight: float) -> str:
    """A weight with one decimal place, for two that are alike in whole numbers."""
    return pointed(f"{100 * weight:.1f} %")


def _value(value: float, ends: Interval) -> str:
    low, high = ends
    inside = _("{low} to {high}").format(low=wording.whole(low), high=wording.whole(high))
    return f"{wording.whole(value)} ({inside})"
