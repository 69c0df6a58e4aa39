"""Published survival in words: what was printed, of whom, and how near that group is to the patient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bcma_decide.behind import PrintedPoint, TimeOrigin
from bcma_decide.comparison import Comparison
from bcma_decide.render.words.language import decimal, ngettext
from bcma_decide.render.words.language import gettext as _
from bcma_decide.render.words.published import Naming
from bcma_decide.render.words.sentences import named_sources
from bcma_decide.time_course import ENDPOINT_LABELS, Bounds, Comparator, Duration, Endpoint, Survival, SurvivalTime

SURVIVAL: Final[tuple[Endpoint, ...]] = ("pfs", "os")
HALF: Final = 0.5
SHORT: Final = 3
"""Rows of one option and endpoint that a face shows before it is asked for more."""


def title() -> str:
    """Heading over published survival, and the mark of each row."""
    return _("Published, not calculated for this patient")


def endpoint_name(endpoint: Endpoint) -> str:
    """What the time runs to: ``Overall survival``."""
    names: dict[Endpoint, str] = {
        "pfs": _("Progression-free survival"),
        "os": _("Overall survival"),
        "dor": _("Duration of response"),
    }
    return names[endpoint]


def rows_of(survival: Iterable[Survival], option: str, endpoint: Endpoint) -> tuple[Survival, ...]:
    """Published rows of one option and endpoint, the nearest first; the first `SHORT` of them are for a short view."""
    return tuple(row for row in survival if (row.kind, row.option, row.endpoint) == ("published", option, endpoint))


def by_option(comparison: Comparison) -> tuple[tuple[str, tuple[Survival, ...]], ...]:
    """Published rows by the label of their option, in the order of the comparison."""
    labels = {option.id: option.label for option in comparison.options}
    labels |= {option.id: option.label for option in comparison.published_options}
    rows = [row for row in comparison.survival if row.kind == "published"]
    options = dict.fromkeys(row.option for row in rows)
    return tuple((labels.get(each, each), tuple(row for row in rows if row.option == each)) for each in options)


def in_short(comparison: Comparison) -> tuple[tuple[str, tuple[Survival, ...]], ...]:
    """The nearest row of each kind of survival, for products and regimens.

    The duration of response stands in where there is neither progression-free nor overall survival.
    """
    classes = {option.label for option in comparison.options if option.kind == "class"}
    found = []
    for option, rows in by_option(comparison):
        first = {row.endpoint: row for row in reversed(rows)}
        survival = tuple(first[endpoint] for endpoint in SURVIVAL if endpoint in first)
        if option not in classes:
            found.append((option, survival or tuple(first.values())))
    return tuple(found)


def in_full(comparison: Comparison) -> tuple[tuple[str, tuple[Survival, ...]], ...]:
    """The `SHORT` nearest rows of each endpoint, for every option."""
    return tuple(
        (option, tuple(row for endpoint in ENDPOINT_LABELS for row in rows_of(rows, rows[0].option, endpoint)[:SHORT]))
        for option, rows in by_option(comparison)
    )


def left_out(comparison: Comparison, shown: int) -> str:
    """How many published rows are not among ``shown`` rows; empty where none."""
    n = sum(row.kind == "published" for row in comparison.survival) - shown
    return ngettext("{n} more published row.", "{n} more published rows.", n).format(n=n) if n else ""


def short_text(row: Survival, naming: Naming = named_sources) -> str:
    """A row in short: the median or the first shares, how near the group is, of how many, where it stands."""
    printed = median(row.median_months) if row.median_months else _figures(None, row.times[:2])
    followed = row.follow_up_months
    whom = (
        patients(row.n_patients),
        setting(row),
        "" if followed is None else _("followed for {months}").format(months=months(followed)),
    )
    parts = (f"{of_whom(row)}{printed}", nearness(row), ", ".join(part for part in whom if part), comparison(row))
    said = "; ".join(part for part in parts if part)
    cited = naming(row.sources)
    return f"{said} ({cited})" if cited else said


def abbreviation(endpoint: Endpoint) -> str:
    """The endpoint in the letters that everybody uses: ``PFS``."""
    letters: dict[Endpoint, str] = {"pfs": _("PFS"), "os": _("OS"), "dor": _("DoR")}
    return letters[endpoint]


def abbreviations() -> str:
    """What the letters stand for."""
    each = [f"{abbreviation(endpoint)}: {endpoint_name(endpoint)}" for endpoint in ENDPOINT_LABELS]
    return "; ".join(each) + "."


def nearness(row: Survival) -> str:
    """How near the group is to the patient: ``in common: extramedullary disease``, ``everybody in the study``."""
    parts = []
    if row.subgroup:
        parts.append(_("in common: {traits}").format(traits=", ".join(row.subgroup)))
    if row.not_settled:
        parts.append(_("if: {traits}").format(traits=", ".join(row.not_settled)))
    if not parts:
        parts.append(_("everybody in the study"))
    return "; ".join(parts)


def of_whom(row: Survival) -> str:
    """Before figures that are not the product's own: ``products of the class pooled: ``."""
    return _("products of the class pooled") + ": " if row.of_class else ""


def figures(row: Survival) -> str:
    """Median and landmarks: ``median 12.6 months (1.2 to 18.4), 83.4 % after 36 months (78.2 to 87.4)``."""
    return _figures(row.median_months, row.times)


def people(row: Survival) -> str:
    """Of whom: population, number of patients, setting, follow-up, and what the time is counted from."""
    followed = row.follow_up_months
    parts = (
        row.population,
        patients(row.n_patients),
        setting(row),
        "" if followed is None else _("followed for {months}").format(months=months(followed)),
        counted_from(row.origin),
    )
    return ", ".join(part for part in parts if part)


def patients(n: int | None) -> str:
    """How many: ``21 patients``, or that it is not reported."""
    if n is None:
        return _("number of patients not reported")
    return ngettext("{n} patient", "{n} patients", n).format(n=n)


def setting(row: Survival) -> str:
    """Trial or practice; empty where it is neither."""
    words = {"interventional": _("trial"), "real_world": _("practice")}
    return words[row.setting] if row.setting else ""


def counted_from(origin: TimeOrigin) -> str:
    """What the time is counted from; empty where it says nothing."""
    words: dict[TimeOrigin, str] = {
        "randomisation": _("from randomisation"),
        "apheresis": _("from apheresis"),
        "infusion": _("from the infusion"),
        "first_dose": _("from the first dose"),
    }
    return words.get(origin, "")


def comparison(row: Survival) -> str:
    """The randomised comparison group and the hazard ratio against it; empty where there is none."""
    beside = row.comparator
    if beside is None:
        return ""
    printed = _figures(beside.median_months, beside.times)
    counted = "" if beside.n_patients is None else patients(beside.n_patients)
    said = ", ".join(part for part in (printed, counted) if part)
    parts = (said, hazard_ratio(beside))
    return _("randomised against {label}: {figures}").format(
        label=beside.label, figures="; ".join(part for part in parts if part)
    )


def hazard_ratio(beside: Comparator) -> str:
    """``hazard ratio 0.71 (0.34 to 1.49)``; below 1 fewer events than in the comparison group."""
    if beside.hazard_ratio is None:
        return ""
    said = _("hazard ratio {value}").format(value=decimal(beside.hazard_ratio))
    return said + _interval(beside.hazard_ratio_interval, _("not printed"))


def row_text(row: Survival, naming: Naming = named_sources) -> str:
    """Everything of a row in one line, its sources last."""
    printed = f"{of_whom(row)}{figures(row)}"
    said = "; ".join(part for part in (printed, people(row), nearness(row), comparison(row), row.note) if part)
    cited = naming(row.sources)
    return f"{row.study}: {said} ({cited})" if cited else f"{row.study}: {said}"


def median(duration: Duration) -> str:
    """``median 12.6 months (1.2 to 18.4)``, ``median not reached (34.5 to not reached)``."""
    value = duration.value
    said = _("median not reached") if value is None else _("median {months}").format(months=months(value))
    return said + _interval(duration.credible, _("not reached"))


def months(value: float) -> str:
    """A printed time: ``12.6 months``."""
    # Only a printed 1 is singular: 1.4 months.
    return ngettext("{n} month", "{n} months", 1 if value == 1 else 2).format(n=decimal(value))


def printed_point(point: PrintedPoint) -> str:
    """A printed point of a curve; half of the patients is a median."""
    if point.share == HALF:
        return median(Duration(value=point.month, credible=point.interval_months))
    return landmark(SurvivalTime(month=point.month, mean=point.share, credible=point.interval))


def landmark(time: SurvivalTime) -> str:
    """``83.4 % after 36 months (78.2 to 87.4)``: the share without the event."""
    share = _("{percent} % after {n} months").format(percent=_points(time.mean), n=decimal(time.month))
    low, high = (None if end is None else 100 * end for end in time.credible or (None, None))
    return share + _interval((low, high), _("not printed"))


def _figures(middle: Duration | None, times: Iterable[SurvivalTime]) -> str:
    parts = [] if middle is None else [median(middle)]
    return ", ".join([*parts, *(landmark(time) for time in times)])


def _points(share: float) -> str:
    return decimal(round(100 * share, 1))


def _interval(ends: Bounds | None, open_end: str) -> str:
    """`` (1.2 to 18.4)`` with its space, ``open_end`` for an end that is not there; empty without any."""
    if ends is None or all(end is None for end in ends):
        return ""
    low, high = (open_end if end is None else decimal(round(end, 2)) for end in ends)
    said = _("{low} to {high}").format(low=low, high=high)
    return f" ({said})"
