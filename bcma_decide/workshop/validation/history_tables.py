"""What was tried and what became of it, as a section of the page."""

from __future__ import annotations

from bcma_decide.workshop.plots.page import Section, Table
from bcma_decide.workshop.validation.history import History, Tried, TriedOnContrasts, TriedOnTotals
from bcma_decide.workshop.validation.words import change, decimal, percent

_NONE = "–"
_OBTAINED = {"run": "this program", "design": "prototype"}


def history_section(history: History) -> Section:
    """Two tables, of arm totals and of contrasts, and what else was found."""
    said = (
        "Every variant of the model that was scored, kept or not. Gains are log score per row over the starting point "
        "of the variant; prototypes scored other selections of rows, so their numbers compare among themselves only. "
        "As many variants saw the same rows, the gains of those kept are optimistic.",
        *history.found,
    )
    totals = Table(
        "Variants scored on held-out arm totals",
        (
            "variant", "what changed", "outcome", "measured by", "rows", "mean error", "bias", "slope",
            "coverage of 50 / 80 / 95 %", "width of 95 %", "Winkler", "CRPS", "log score", "gain (se)", "remark",
        ),
        tuple(_total(each) for each in history.totals),
        large=True,
        words=True,
    )  # fmt: skip
    contrasts = Table(
        "Variants scored on held-out contrasts",
        (
            "variant", "what changed", "outcome", "measured by", "contrasts", "response: squared error",
            "response: log score", "toxicity: squared error", "toxicity: log score", "trait bands", "remark",
        ),
        tuple(_contrast(each) for each in history.contrasts),
        large=True,
        words=True,
    )  # fmt: skip
    return Section("What was tried", said, (totals, contrasts))


def _start(tried: Tried) -> tuple[str, ...]:
    rows = _NONE if tried.rows is None else str(tried.rows)
    return tried.variant, tried.changed or _NONE, tried.verdict, f"{_OBTAINED[tried.obtained]}, {tried.date}", rows


def _total(tried: TriedOnTotals) -> tuple[str, ...]:
    gain = _NONE if tried.gain is None else change(tried.gain, 1.0, 3)
    return (
        *_start(tried),
        _NONE if tried.mae is None else percent(tried.mae),
        _NONE if tried.bias is None else change(tried.bias),
        _number(tried.slope, 2),
        _NONE if tried.coverage is None else " / ".join(f"{100 * share:.0f}" for share in tried.coverage),
        _NONE if tried.width is None else percent(tried.width),
        _number(tried.winkler),
        _number(tried.crps),
        _number(tried.log_score),
        gain if tried.gain_se is None else f"{gain} ({tried.gain_se:.3f})",
        tried.note or _NONE,
    )


def _contrast(tried: TriedOnContrasts) -> tuple[str, ...]:
    return (
        *_start(tried),
        _number(tried.response_squared_error, 2),
        _number(tried.response_log_score),
        _number(tried.toxicity_squared_error, 2),
        _number(tried.toxicity_log_score),
        tried.bands or _NONE,
        tried.note or _NONE,
    )


def _number(value: float | None, digits: int = 3) -> str:
    return _NONE if value is None else decimal(value, digits)
