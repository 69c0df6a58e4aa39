"""Meta-regression of response on the characteristics of studies, one at a time and together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bcma_decide.errors import SynthesisError
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence_report.accounts import Accounts
from bcma_decide.workshop.evidence_report.moderators import Moderator, characteristics, traits
from bcma_decide.workshop.evidence_report.words import row_labels
from bcma_decide.workshop.meta_analysis.checks import FloatArray
from bcma_decide.workshop.meta_analysis.effect_sizes import effect_sizes
from bcma_decide.workshop.meta_analysis.meta_regression import Coefficient, MetaRegression, meta_regression
from bcma_decide.workshop.meta_analysis.moderators import INTERCEPT, moderators
from bcma_decide.workshop.meta_analysis.predictions import predict
from bcma_decide.workshop.plots.bubble import Bubble, FittedLine, bubble
from bcma_decide.workshop.plots.numbers import NOTHING, ends_text, number_text, p_text
from bcma_decide.workshop.plots.page import Drawing, Section, Table
from bcma_decide.workshop.plots.values import interval_text

__all__ = ["FEWEST", "OUTCOME", "Fits", "fit_all", "regression_section"]

OUTCOME: Final = "orr"
FEWEST: Final = 10
"""Rows asked for per moderator (Cochrane Handbook for Systematic Reviews of Interventions, section 10.11.4)."""
_PLACES: Final = 40
_CAUTION: Final = (
    "These are associations between studies, not effects inside patients: a study with more of some trait also "
    "differs in product, era, centre and everything else, and what holds between the averages of groups need not hold "
    "for the patients in them (ecological bias). They move no number of a patient's comparison, which takes trait "
    "effects from contrasts inside studies only."
)


@dataclass(frozen=True, eq=False)
class Fits:
    """The rows' labels, effects and variances, and every regression that could be fitted."""

    labels: tuple[str, ...]
    yi: FloatArray
    vi: FloatArray
    alone: tuple[tuple[Moderator, MetaRegression], ...]
    beside_class: dict[str, Coefficient]
    joint: MetaRegression
    too_few: tuple[Moderator, ...]


def fit_all(catalogue: Catalogue, accounts: Accounts, progress: Callable[[str], None] = lambda _: None) -> Fits:
    """Fit logit response by REML with Knapp and Hartung's test, each time on the rows that have all values.

    Each moderator alone, each trait beside the class, and class, design and targets together.
    """
    rows = accounts.selections[OUTCOME].rows
    labels = row_labels((catalogue.study(row.study), row.arm) for row in rows)
    effects = effect_sizes([row.events for row in rows], [row.n for row in rows], "logit")
    main = characteristics(catalogue, rows)
    enough: list[Moderator] = list(main)
    too_few: list[Moderator] = []
    for trait in traits(catalogue, rows):
        (enough if trait.known >= FEWEST else too_few).append(trait)

    def fit(*terms: Moderator) -> MetaRegression:
        progress(f"regression on {', '.join(term.label for term in terms)}")
        design = moderators(
            {term.label: term.values for term in terms},
            reference={term.label: term.reference for term in terms if term.reference is not None},
            studies=labels,
        )
        return meta_regression(effects.yi, effects.vi, design, method="REML", test="knapp_hartung")

    beside: dict[str, Coefficient] = {}
    for trait in enough[len(main) :]:
        try:
            beside[trait.id] = fit(main[0], trait).coefficients[-1]
        except SynthesisError:
            continue  # reported by one class only, so it has no place beside the class
    alone = tuple((term, fit(term)) for term in enough)
    return Fits(labels, effects.yi, effects.vi, alone, beside, fit(*main), tuple(too_few))


def regression_section(catalogue: Catalogue, accounts: Accounts, progress: Callable[[str], None]) -> Section:
    """Coefficients, what they explain, what was left out, and a bubble plot of every number."""
    fits = fit_all(catalogue, accounts, progress)
    said = (
        f"Response (logit) of {len(fits.labels)} rows on characteristics of their studies; random effects by REML, "
        "tests and intervals by Knapp and Hartung. An odds ratio above 1 goes with more response. A moderator needs "
        f"{FEWEST} rows that report it (Cochrane Handbook 10.11.4); rows without a value are left out and named below.",
        _CAUTION,
    )
    return Section(
        "Meta-regression of response",
        said,
        (_alone(fits), _joint(fits.joint), _joint_fit(fits.joint), _dropped(fits)),
        tuple(_bubbles(fits)),
    )


def _change(found: Coefficient) -> tuple[str, ...]:
    low, high = (float(np.exp(end)) for end in found.ci)
    ratio = f"{np.exp(found.estimate):.2f} ({interval_text('ratio', low, high)})"
    return (number_text(found.estimate, 3), ends_text(found.ci, 3), ratio, p_text(found.p))


def _alone(fits: Fits) -> Table:
    rows = []
    for term, found in fits.alone:
        beside = fits.beside_class.get(term.id)
        for coefficient in found.coefficients:
            if coefficient.name == INTERCEPT:
                continue
            rows.append(
                (
                    _named(coefficient.name, (term,)),
                    str(found.k),
                    *_change(coefficient),
                    number_text(found.tau2, 3),
                    _percent(found.r2),
                    f"{number_text(found.q.q)} ({found.q.df})",
                    p_text(found.q.p),
                    _beside(term, beside),
                )
            )
    titles = (
        "One moderator at a time", "rows", "coefficient", "95 % interval", "odds ratio (95 % interval)", "p",
        "tau2 left", "R2, percent", "QE (df)", "p of QE", "odds ratio beside class",
    )  # fmt: skip
    return Table("Each moderator alone", titles, tuple(rows), large=True)


def _beside(term: Moderator, found: Coefficient | None) -> str:
    if term.reference is not None:
        return "see together"
    return "one class only" if found is None else f"{np.exp(found.estimate):.2f}, p {p_text(found.p)}"


def _named(name: str, terms: Iterable[Moderator]) -> str:
    """``Class: Bispecific against CAR-T`` for a level, the label for a number."""
    label, sign, level = name.partition("=")
    reference = next((term.reference for term in terms if term.label == label), None)
    return f"{label}: {level} against {reference}" if sign else name


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f}"


def _joint(found: MetaRegression) -> Table:
    references = {term.name: term.levels[0] for term in found.moderators.terms if not isinstance(term, str)}
    rows = []
    for coefficient in found.coefficients:
        label, sign, level = coefficient.name.partition("=")
        name = f"{label}: {level} against {references[label]}" if sign else "intercept (odds)"
        rows.append((name, *_change(coefficient)))
    titles = ("Together", "coefficient", "95 % interval", "odds ratio (95 % interval)", "p")
    return Table("Class, design and targets together", titles, tuple(rows))


def _joint_fit(found: MetaRegression) -> Table:
    test = found.moderator_test
    rows = (
        ("Rows used", str(found.k)),
        ("QM, all moderators", f"F {number_text(test.statistic)} on {test.df1} and {test.df2}, p {p_text(test.p)}"),
        ("QE, what they leave", f"{number_text(found.q.q)} (df {found.q.df}), p {p_text(found.q.p)}"),
        ("R2, percent", _percent(found.r2)),
        ("tau2 left", f"{number_text(found.tau2, 3)} ({ends_text(found.tau2_ci, 3)})"),
        ("I2 left, percent", _percent(found.i2)),
    )
    return Table("What class, design and targets explain", ("Quantity", "result"), rows)


def _dropped(fits: Fits) -> Table:
    rows: list[tuple[str, ...]] = [
        (
            term.label,
            str(found.k),
            str(len(found.moderators.dropped)),
            "; ".join(row.study for row in found.moderators.dropped) or "none",
        )
        for term, found in fits.alone
    ]
    rows += [
        (
            term.label,
            str(term.known),
            str(len(term.values) - term.known),
            f"not fitted: fewer than {FEWEST} rows report it",
        )
        for term in fits.too_few
    ]
    titles = ("Moderator", "rows that report it", "rows left out", "which")
    return Table("Rows left out of each regression", titles, tuple(rows), words=True, large=True)


def _bubbles(fits: Fits) -> Iterator[Drawing]:
    for term, found in fits.alone:
        if term.reference is not None:
            continue
        svg = bubble(
            _points(fits, term, found),
            _line(term, found),
            title=f"Response along {term.axis.lower()}",
            moderator=term.axis,
            measure="Response, percent",
            kind="logit",
        )
        yield Drawing(
            svg,
            f"Response by study along {term.axis.lower()}, {found.k} rows; areas are weights, the band is the interval "
            "of the mean, dashed lines enclose a next study. An association between studies, not between patients.",
        )


def _points(fits: Fits, term: Moderator, found: MetaRegression) -> Sequence[Bubble]:
    used = found.moderators.rows
    values = (float(value) * term.step for row in used if (value := term.values[row]) is not None)
    return [
        Bubble(fits.labels[row], x, float(fits.yi[row]), float(1 / (fits.vi[row] + found.tau2)))
        for row, x in zip(used, values, strict=True)
    ]


def _line(term: Moderator, found: MetaRegression) -> FittedLine:
    column = found.moderators.matrix[:, 1]
    places = np.linspace(column.min(), column.max(), _PLACES).tolist()
    predicted = predict(found, {term.label: places})
    beyond = [each.prediction for each in predicted if each.prediction is not None]
    return FittedLine(
        tuple(place * term.step for place in places),
        tuple(each.estimate for each in predicted),
        tuple(each.ci[0] for each in predicted),
        tuple(each.ci[1] for each in predicted),
        tuple(low for low, _ in beyond),
        tuple(high for _, high in beyond),
    )
