"""What stands in the fields of the comparison table: a number with its intervals, a bar, a difference, or words."""

from __future__ import annotations

from rich.text import Text

from bcma_decide.comparison import Contrast, Estimate, Option
from bcma_decide.render.terminal.layout import FURTHER, INDENT, Lines
from bcma_decide.render.terminal.page import TerminalPage
from bcma_decide.render.words import wording
from bcma_decide.render.words.clock import Both, Counted, clock_words

_NONE = Text("")


def estimate_lines(page: TerminalPage, estimate: Estimate, both: Both, mark: str) -> Lines:
    """A number with its interval, the next centre, the number on the other clock, the certainty."""
    first, other = both
    style, title = (FURTHER, "further product\n") if estimate.further_product else ("", "")
    number, ends = wording.count(first.mean), f"({wording.interval(first.credible)}){mark}"
    headline = Text.assemble(title, (f"{number:>2}", style or "bold"), " ", page.ink.text(ends), style=style)
    prediction = wording.interval(first.prediction) if first.prediction else "not estimated"
    return (
        headline,
        page.ink.text(prediction, style, indent=INDENT),
        _NONE if other is None else _counted(page, other),
        page.ink.text(wording.certainty(estimate.certainty), style, indent=INDENT),
    )


def _counted(page: TerminalPage, value: Counted) -> Text:
    return page.ink.text(f"{wording.count(value.mean):>2} ({wording.interval(value.credible)})")


def bar_lines(page: TerminalPage, both: Both | None, width: int) -> Lines:
    """A bar as long as the number that is shown, and a line for its intervals; empty without a number."""
    if both is None:
        return _NONE, _NONE, _NONE, _NONE
    first, _ = both
    whiskers = page.ink.whiskers(first.credible, first.prediction, width)
    return bar(page, first.mean, width), Text(whiskers, style="cyan", no_wrap=True), _NONE, _NONE


def bar(page: TerminalPage, share: float, width: int) -> Text:
    """A bar as long as a share of 1."""
    return Text(page.ink.bar(share, width), style="cyan", no_wrap=True)


def difference_lines(page: TerminalPage, contrast: Contrast, first: Option, *, from_infusion: bool) -> Lines:
    """A difference with its interval, its direction and its certainty.

    ``from_infusion``: whether that has to be said, since the numbers beside it are shown from the decision.
    """
    value = contrast.risk_difference
    number = wording.signed(value.mean)
    text = page.ink.text(f"{number} ({wording.signed_interval(value.interval)})")
    text.stylize("bold", 0, len(page.ink.plain(number)))
    return (
        Text.assemble(clock_words("infusion"), "\n", text) if from_infusion else text,
        page.ink.text(wording.probability_higher(contrast.probability_first_higher, first.label)),
        _NONE,
        page.ink.text(wording.certainty(contrast.certainty)),
    )


def words(page: TerminalPage, *lines: str) -> Lines:
    """Words in the place of a number."""
    return Text("\n").join(page.ink.text(line) for line in lines), _NONE, _NONE, _NONE
