"""Time on the clinician's sheet: rows below the share at one year, fans, the way from the decision, what is quoted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bcma_decide.comparison import Comparison, Option
from bcma_decide.render.sheet import citing
from bcma_decide.render.sheet.fan_chart import Fan, fan_chart, last_month
from bcma_decide.render.sheet.figures import Look
from bcma_decide.render.sheet.first_months import first_months
from bcma_decide.render.words import arrange, quoted, rule_view, survival, wording
from bcma_decide.render.words import way as way_words
from bcma_decide.render.words.language import decimal
from bcma_decide.render.words.language import gettext as _
from bcma_decide.time_course import ENDPOINT_LABELS, Endpoint, Survival, WayToTreatment

if TYPE_CHECKING:
    from markupsafe import Markup

SHORT: Final[tuple[Endpoint, ...]] = ("pfs", "os")
"""What stands in one line of what is published; all of it follows row by row."""


@dataclass(frozen=True)
class TimeLine:
    """A line below the rows of a time window, with a text for each option."""

    label: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class FanView:
    """The fan of one option, or why there is none."""

    option: Option
    look: Look
    picture: Markup | None
    text: str
    """Whose line is dashed and how long the studies were followed; without a picture the reason."""


@dataclass(frozen=True)
class WayView:
    """The way of one option from the decision: the first months as a drawing and in words."""

    option: Option
    look: Look
    picture: Markup | None
    lines: tuple[str, ...]
    """Who is infused and where patients are after some months, for patients like this one; or why that is not known."""
    published: tuple[str, ...]
    """Weeks and counts as published, not calculated for this patient."""
    assumptions: tuple[str, ...]


@dataclass(frozen=True)
class PublishedTimes:
    """Published survival of one option: in short, and row by row."""

    name: str
    short: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """By what the time runs to, every row in full, the nearest group first."""


def time_lines(comparison: Comparison, options: Sequence[Option]) -> tuple[TimeLine, ...]:
    """The other months, median, mean within two years and follow-up; none where no option has a number."""
    rows = [survival.computed(comparison, option) for option in options]
    if not any(row and survival.figures(row) for row in rows):
        return ()
    lines = zip(*(survival.lines(row, comparison.clock) for row in rows), strict=True)
    return tuple(TimeLine(line[0].name, tuple(each.text for each in line)) for line in lines)


def published_line(comparison: Comparison, options: Sequence[Option]) -> tuple[str, ...]:
    """Of each class the published time without progression of the nearest group, product by product."""
    texts = tuple(_nearest(comparison, option) for option in options)
    return texts if any(texts) else ()


def _nearest(comparison: Comparison, option: Option) -> str:
    found: dict[str, list[str]] = {}
    for name, each in _shown_options(comparison, option):
        rows = quoted.rows_of(comparison.survival, each, "pfs")
        if rows:
            found.setdefault(_short(rows[0]), []).append(name)
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in found.items())


def _shown_options(comparison: Comparison, option: Option) -> tuple[tuple[str, str], ...]:
    """Label and id of a class's products, and of its regimens that are published only."""
    products = [(each.label, each.id) for each in comparison.options if each.kind == "product"]
    classes: dict[str, str] = {each.id: each.class_id for each in comparison.options}
    beside = [(each.label, each.id) for each in comparison.published_options]
    classes |= {each.id: each.class_id for each in comparison.published_options}
    return tuple((label, name) for label, name in [*products, *beside] if classes[name] == option.class_id)


def _short(row: Survival) -> str:
    """A row in short: figures, group, number of patients."""
    group = _("if {traits}").format(traits=", ".join(row.not_settled)) if row.not_settled else ", ".join(row.subgroup)
    pooled = _("products pooled") if row.of_class else ""
    counted = "" if row.n_patients is None else _("n {n}").format(n=row.n_patients)
    return ", ".join(part for part in (quoted.figures(row), group or _("all patients"), pooled, counted) if part)


def fans(comparison: Comparison, options: Sequence[Option], looks: Iterable[Look]) -> tuple[FanView, ...]:
    """The fans of options side by side, over the same months; between two, the line of the other is dashed in each."""
    drawn = {option.id: _fan(comparison, option) for option in options}
    last = last_month(fan for fan in drawn.values() if fan)
    pair = len(options) == 2
    result = []
    for place, (option, look) in enumerate(zip(options, looks, strict=False)):
        fan, row = drawn[option.id], survival.computed(comparison, option)
        other = drawn[options[1 - place].id] if pair else None
        if fan is None or row is None:
            result.append(FanView(option, look, None, survival.without_figures(row)))
            continue
        picture = fan_chart(fan, look, fan_title(comparison, row, option), last, other)
        dashed = _("dashed: {option}").format(option=other.name) if other else ""
        result.append(FanView(option, look, picture, dashed))
    return tuple(result)


def _fan(comparison: Comparison, option: Option) -> Fan | None:
    row = survival.computed(comparison, option)
    if row is None or survival.figures(row, comparison.clock) is None:
        return None
    points, end = row.curve, row.end_of_follow_up_months
    if comparison.clock == "decision" and row.from_decision is not None:
        points, end = row.from_decision.curve, None
    return Fan(option.label, points, points[-1].month if end is None else end)


def fan_title(comparison: Comparison, row: Survival, option: Option) -> str:
    """The numbers of a fan in words."""
    found = survival.figures(row, comparison.clock)
    if found is None:
        return f"{option.label}: {survival.without_figures(row)}"
    shares = (
        _("{n} months {number} ({interval})").format(
            n=decimal(time.month), number=wording.count(time.mean), interval=wording.interval(ends)
        )
        for time in found.times
        if (ends := survival.whole_interval(time.credible))
    )
    median = f"{survival.median_title()} {survival.duration(found.median, found.reach)}"
    parts = (", ".join(shares), median, survival.followed(found.reach))
    return _("{option}, without progression, of 100: {numbers}").format(option=option.label, numbers="; ".join(parts))


def ways(comparison: Comparison, options: Sequence[Option], looks: Iterable[Look]) -> tuple[WayView, ...]:
    """The way of each option from the decision; empty where none is known."""
    by_option = {way.option: way for way in comparison.ways}
    found = [(option, look, by_option.get(option.id)) for option, look in zip(options, looks, strict=False)]
    if not any(way and (way.states or way.infused) for _option, _look, way in found):
        return ()
    return tuple(_way(comparison, option, look, way) for option, look, way in found if way)


def _way(comparison: Comparison, option: Option, look: Look, way: WayToTreatment) -> WayView:
    naming = citing.naming(comparison)
    title = way_words.bar_title(option.label, way.states, no_wait=way.infused is None) if way.states else ""
    picture = first_months(way.states, look, title) if way.states else None
    quoted_sources = [*(weeks.sources for weeks in way.weeks), *(count.sources for count in way.published)]
    published = tuple(
        f"{line} ({cited})" if (cited := naming(sources)) else line
        for line, sources in zip(way_words.quoted_lines(way), quoted_sources, strict=True)
    )
    lines = way_words.computed_lines(way)
    return WayView(option, look, picture, lines, published, way.assumptions)


def waits(comparison: Comparison, options: Sequence[Option]) -> tuple[rule_view.PracticeLine, ...]:
    """From apheresis to infusion in weeks, as published, in one line; none where nothing was."""
    by_option = {way.option: way for way in comparison.ways}
    texts = tuple(
        "; ".join(way_words.weeks_in_short(each) for each in way.weeks) if (way := by_option.get(option.id)) else ""
        for option in options
    )
    if not any(texts):
        return ()
    return (
        rule_view.PracticeLine(_("Apheresis to infusion"), tuple(text or _("no cells are taken") for text in texts)),
    )


def published_times(comparison: Comparison) -> tuple[PublishedTimes, ...]:
    """Published survival by product, classes in their order: the nearest row of each endpoint, and every row."""
    naming = citing.naming(comparison)
    result = []
    for option in arrange.class_options(comparison):
        for name, each in _shown_options(comparison, option):
            rows = {endpoint: quoted.rows_of(comparison.survival, each, endpoint) for endpoint in ENDPOINT_LABELS}
            if any(rows.values()):
                result.append(
                    PublishedTimes(
                        name,
                        "; ".join(
                            f"{quoted.endpoint_name(endpoint)} {_short(found[0])} ({naming(found[0].sources)})"
                            for endpoint, found in rows.items()
                            if found and endpoint in SHORT
                        ),
                        tuple(
                            (quoted.endpoint_name(endpoint), tuple(quoted.row_text(row, naming) for row in found))
                            for endpoint, found in rows.items()
                            if found
                        ),
                    )
                )
    return tuple(result)


def studies_of(comparison: Comparison, options: Iterable[Option]) -> frozenset[str]:
    """Ids of the studies behind the computed rows of these options; a source's key begins with that of its study."""
    rows = (survival.computed(comparison, option) for option in options)
    return frozenset(key.partition(":")[0] for row in rows if row and survival.figures(row) for key in row.sources)
