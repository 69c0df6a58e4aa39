"""What stands at one row and column of the first screen: a number, a quoted figure, or why there is neither."""

from __future__ import annotations

from bcma_decide.comparison import Comparison
from bcma_decide.render.words import clock, quoted, survival, wording
from bcma_decide.render.words.language import decimal
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.screen_shapes import CELL, INFUSED, LABEL, START, SUBGROUP, Cell, Column
from bcma_decide.time_course import Survival
from bcma_decide.value import Interval
from bcma_decide.vocabulary import CLASSES, PFS, State


def cell_at(comparison: Comparison, row: str, column: Column) -> Cell:
    """What stands at a row, by its id, and a column."""
    if row == LABEL:
        return Cell("none", column.label_word)
    if row == SUBGROUP:
        return _subgroup_cell(comparison, column)
    if row in (INFUSED, START):
        return _way_cell(comparison, row, column)
    if column.kind == "published":
        return _published_cell(comparison, row, column)
    if row == PFS:
        return _survival_cell(comparison, column)
    return _outcome_cell(comparison, row, column)


def _outcome_cell(comparison: Comparison, row: str, column: Column) -> Cell:
    outcome = next((outcome for outcome in comparison.outcomes if outcome.id == row), None)
    found = outcome.estimates.get(column.option) if outcome else None
    if found is None:
        return _without("no_evidence", "")
    estimate = clock.shown(found, comparison.clock)
    if wording.has_number(estimate) and estimate.mean is not None and estimate.credible is not None:
        return _computed(estimate.mean, estimate.credible, further=estimate.further_product)
    if estimate.state == "withheld":
        rates = [f.rate for f in estimate.published if f.outcome == row and f.rate is not None]
        why = estimate.reason or ""
        return _quoted(rates[0], why) if rates else Cell("withheld", _("withheld"), why=why)
    return _without(estimate.state, wording.state_in_short(estimate))


def _survival_cell(comparison: Comparison, column: Column) -> Cell:
    row = next(
        (each for each in comparison.survival if (each.kind, each.option) == ("computed", column.option)),
        None,
    )
    if row is None:
        return _without("no_evidence", "")
    figures = survival.figures(row, comparison.clock)
    at = figures.at(survival.MAIN) if figures else None
    if at is not None and at.credible is not None and at.credible[0] is not None and at.credible[1] is not None:
        return _computed(at.mean, (at.credible[0], at.credible[1]))
    if row.state == "withheld":
        return Cell("withheld", _("withheld"), why=row.reason or "")
    return _without(row.state, row.reason or survival.past())


def _published_cell(comparison: Comparison, row: str, column: Column) -> Cell:
    option = next(each for each in comparison.published_options if each.id == column.option)
    if row == PFS:
        shares = [(each.share, each.month) for each in option.figures if each.outcome == PFS and each.share is not None]
        if not shares:
            return _without("no_evidence", "")
        share, month = shares[0]
        at = "" if month in (None, survival.MAIN) else _(" {n}mo").format(n=f"{month:g}")
        return Cell("published", f"[{wording.short_count(share)}]{at}")
    rates = [figure.rate for figure in option.figures if figure.outcome == row and figure.rate is not None]
    return _quoted(rates[0], "") if rates else _without("no_evidence", "")


def _subgroup_cell(comparison: Comparison, column: Column) -> Cell:
    row = subgroup_row(comparison, column)
    median = row.median_months if row else None
    if row is None or median is None:
        return Cell("none", "-")
    value = ">" + decimal(row.follow_up_months) if median.value is None and row.follow_up_months else None
    text = decimal(median.value) if median.value is not None else value or _("not reached")
    return Cell("published", f"[{text}]", why=", ".join(row.subgroup))


def subgroup_row(comparison: Comparison, column: Column) -> Survival | None:
    """The nearest published row of a subgroup this patient belongs to, of the product itself and with a median."""
    for row in quoted.rows_of(comparison.survival, column.option, "pfs"):
        if row.subgroup and not row.not_settled and not row.of_class and row.median_months is not None:
            return row
    return None


def _way_cell(comparison: Comparison, row: str, column: Column) -> Cell:
    way = next((each for each in comparison.ways if each.option == column.option), None)
    if column.class_id != CLASSES[0]:
        return Cell("none", "-" if row == INFUSED else _("days"))
    if way is None:
        return _without("no_evidence", "")
    if row == INFUSED:
        share = way.infused
        if share is None or share.credible is None:
            return _without("no_evidence", way.reason or "")
        return _computed(share.mean, share.credible)
    if not way.weeks:
        return _without("no_evidence", "")
    ends = sorted(round(7 * weeks.median) for weeks in way.weeks)
    days = str(ends[0]) if ends[0] == ends[-1] else f"{ends[0]}-{ends[-1]}"
    return Cell("published", _("[{n}] d").format(n=days))


def _computed(mean: float, credible: Interval, *, further: bool = False) -> Cell:
    low, high = (wording.short_count(end) for end in credible)
    number, interval = wording.short_count(mean), f"{low}-{high}"
    mark = "*" if further else ""
    text = f"{number} ({interval}){mark}"
    if len(text) > CELL:
        text = text.replace(" ", "")
    return Cell("computed", text, number, interval, mean, *credible, why=_("class's value") if further else "")


def _quoted(rate: float, why: str) -> Cell:
    return Cell("published", f"[{wording.short_count(rate) if rate else 0}]", why=why)


def _without(state: State, why: str) -> Cell:
    if state == "not_applicable":
        return Cell("none", "-", why=why)
    return Cell("not_known", _("not known"), why=why)
