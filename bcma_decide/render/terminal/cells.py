"""What stands in the fields of the comparison table: a number with its intervals, a bar, a difference, or words."""

from __future__ import annotations

from rich.text import Text

from bcma_decide.comparison import Contrast, Estimate, Option
from bcma_decide.render.terminal.layout import FURTHER, INDENT, Lines
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import wording
from bcma_decide.time_course import Clock
from bcma_decide.value import Interval

_NONE = Text("")


def estimate_lines(page: TerminalPage, estimate: Estimate, mark: str, clock: Clock) -> Lines:
    """A number with its interval, the next centre, the number on the other clock, the certainty.

    Raises
    ------
    ValueError
        For an estimate without a number.
    """
    if estimate.mean is None or estimate.credible is None:
        raise ValueError("no number")
    own = (estimate.mean, estimate.credible)
    decided = None if estimate.from_decision is None else (estimate.from_decision.mean, estimate.from_decision.credible)
    style, title = (FURTHER, "further product\n") if estimate.further_product else ("", "")
    mean, credible = decided if clock == "decision" and decided else own
    ends = f"({wording.interval(credible)}){mark}"
    first = Text.assemble(title, (f"{wording.count(mean):>2}", style or "bold"), " ", page.ink.text(ends), style=style)
    prediction = wording.interval(estimate.prediction) if estimate.prediction else "not estimated"
    beyond = page.ink.text(prediction, style, indent=INDENT)
    certainty = page.ink.text(wording.certainty(estimate.certainty), style, indent=INDENT)
    if clock == "decision":
        return first, _counted(page, own if decided else None), beyond, certainty
    return first, beyond, _counted(page, decided), certainty


def _counted(page: TerminalPage, number: tuple[float, Interval] | None) -> Text:
    if number is None:
        return _NONE
    mean, credible = number
    return page.ink.text(f"{wording.count(mean):>2} ({wording.interval(credible)})")


def bar_lines(page: TerminalPage, estimate: Estimate, width: int, clock: Clock) -> Lines:
    """A bar as long as the number that is shown, and a line for its intervals; empty without a number."""
    if estimate.mean is None or estimate.credible is None or not wording.has_number(estimate):
        return _NONE, _NONE, _NONE, _NONE
    mean, credible, prediction = estimate.mean, estimate.credible, estimate.prediction
    if clock == "decision" and (decided := estimate.from_decision) is not None:
        mean, credible, prediction = decided.mean, decided.credible, None
    whiskers = page.ink.whiskers(credible, prediction, width)
    return bar(page, mean, width), Text(whiskers, style="cyan", no_wrap=True), _NONE, _NONE


def bar(page: TerminalPage, share: float, width: int) -> Text:
    """A bar as long as a share of 1."""
    return Text(page.ink.bar(share, width), style="cyan", no_wrap=True)


def difference_lines(page: TerminalPage, contrast: Contrast, first: Option, *, infusion_only: bool) -> Lines:
    """A difference with its interval, its direction and its certainty.

    ``infusion_only``: the numbers beside it are shown from the decision, the difference is not.
    """
    value = contrast.risk_difference
    number = wording.signed(value.mean)
    text = page.ink.text(f"{number} ({wording.signed_interval(value.interval)})")
    text.stylize("bold", 0, len(page.ink.plain(number)))
    higher = page.ink.text(wording.probability_higher(contrast.probability_first_higher, first.label))
    certainty = page.ink.text(wording.certainty(contrast.certainty))
    if infusion_only:
        return page.ink.text("from infusion only:"), text, higher, certainty
    return text, higher, _NONE, certainty


def words(page: TerminalPage, *lines: str) -> Lines:
    """Words in the place of a number."""
    return Text("\n").join(page.ink.text(line) for line in lines), _NONE, _NONE, _NONE
