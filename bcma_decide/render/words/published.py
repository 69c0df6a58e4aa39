"""Published figures as they stand, in words: instead of a number that is withheld, and of regimens not computed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import product

from bcma_decide.comparison import Comparison, Estimate, Option, Outcome, PublishedFigure, PublishedOption
from bcma_decide.render.words import arrange, sentences, wording
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.sentences import named_sources
from bcma_decide.vocabulary import THRESHOLDS

Naming = Callable[[Sequence[str]], str]
"""How a face names sources by their keys."""


def title() -> str:
    """Heading over regimens that are shown beside the numbers, not among them."""
    return _("Published, not calculated for this patient")


def counts(figure: PublishedFigure) -> str:
    """Events of patients with their share: ``6 of 13 (46 %)``; the share alone where only that is published."""
    if figure.events is None or figure.n is None:
        return "" if figure.rate is None else _percent(figure.rate)
    counted = _("{events} of {n}").format(events=figure.events, n=figure.n)
    return f"{counted} ({_percent(figure.events / figure.n)})"


def _percent(rate: float) -> str:
    """A share that was seen: none and all may be printed as what they are."""
    return f"{wording.whole(100 * rate)} %" if rate in (0.0, 1.0) else wording.percent(rate)


def figure_text(figure: PublishedFigure, naming: Naming = named_sources) -> str:
    """One figure with its outcome, its counts and where it stands: ``Response, in practice: 6 of 13 (46 %); ...``."""
    label = THRESHOLDS[figure.outcome].label if figure.outcome in THRESHOLDS else ""
    said = (figure.text if label.lower() in figure.text.lower() else f"{label}, {figure.text}").rstrip(".")
    counted = counts(figure)
    if counted and not re.search(rf"(?<![\d.]){re.escape(counted.partition(' (')[0])}", said):
        said = f"{said}: {counted}"
    return "; ".join(part for part in (said, naming(figure.sources)) if part)


def stated(estimate: Estimate, naming: Naming = named_sources) -> str:
    """The state in words with its reason, and where it is known from that a number is withheld."""
    said = wording.state_with_reason(estimate)
    if estimate.state != "withheld":
        return said
    shown = {key for figure in estimate.published for key in figure.sources}
    grounds = naming([key for key in estimate.sources if key not in shown])
    return f"{said} ({grounds})" if grounds else said


def without_number(estimate: Estimate, naming: Naming = named_sources) -> str:
    """The state in words with its reason; where the number is withheld, also what was published, with its sources."""
    said = stated(estimate, naming)
    if estimate.state != "withheld":
        return said
    if not estimate.published:
        return _("{reason}. No published figure was seen").format(reason=said)
    figures = ". ".join(figure_text(each, naming) for each in estimate.published)
    return _("{reason}. Published: {figures}").format(reason=said, figures=figures)


def field_notes(estimate: Estimate, comparison: Comparison, naming: Naming = named_sources) -> tuple[str, ...]:
    """Remarks on a field of a table: why it holds no number and what was published, or what its number is not."""
    if estimate.state == "withheld":
        return (without_number(estimate, naming),)
    return sentences.estimate_notes(estimate, comparison)


def withheld_lines(
    outcomes: Iterable[Outcome], options: Iterable[Option], naming: Naming = named_sources
) -> tuple[str, ...]:
    """Which numbers are withheld, why, and what was published: once where several rows or options share it."""
    rows: dict[tuple[str, str], list[str]] = {}
    for outcome, option in product(outcomes, options):
        estimate = arrange.estimate_of(outcome, option)
        if estimate.state == "withheld":
            rows.setdefault((without_number(estimate, naming), option.label), []).append(outcome.label)
    whom: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (text, label), where in rows.items():
        whom.setdefault((text, tuple(where)), []).append(label)
    return tuple(f"{', '.join(labels)}: {', '.join(where)}: {text}" for (text, where), labels in whom.items())


def option_sentence(estimate: Estimate, option: Option, outcome: Outcome) -> str:
    """An option's number as a sentence; without one, why, and what was published instead."""
    if wording.has_number(estimate):
        return wording.estimate_sentence(estimate, sentences.after_with(estimate, option), outcome.plain)
    return wording.no_number_sentence(option.long_label, without_number(estimate))


def short_figures(estimate: Estimate, outcome: str) -> tuple[str, ...]:
    """Counts that were published for the very outcome of a row, for a field without room for more."""
    return tuple(filter(None, (counts(each) for each in estimate.published if each.outcome == outcome)))


def option_text(option: PublishedOption, naming: Naming = named_sources) -> str:
    """A published regimen in one line: study, figures, note and sources."""
    figures = "; ".join(figure_text(each, lambda _sources: "") for each in option.figures)
    cited = naming(tuple(dict.fromkeys([*option.sources, *(key for each in option.figures for key in each.sources)])))
    said = ". ".join(part.rstrip(".") for part in (option.study, figures, option.note) if part)
    return f"{said} ({cited})" if cited else f"{said}."


def option_lines(comparison: Comparison) -> tuple[str, ...]:
    """Every published regimen in one line, for faces without room to set them out."""
    return tuple(f"{heading(option)}. {option_text(option)}" for option in comparison.published_options)


def heading(option: PublishedOption) -> str:
    """What a published regimen is called."""
    return option.label if option.long_label == option.label else f"{option.label}: {option.long_label}"
