"""An analysis as tables of text, for the terminal and the page alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Final

import numpy as np

from bcma_decide.render.words.wording import MINUS
from bcma_decide.workshop.meta_analysis.cumulative import Cumulative
from bcma_decide.workshop.meta_analysis.egger_test import AsymmetryTest
from bcma_decide.workshop.meta_analysis.gosh import Gosh
from bcma_decide.workshop.meta_analysis.influence import Influence
from bcma_decide.workshop.meta_analysis.pooled import Pooled
from bcma_decide.workshop.meta_analysis.random_effects import Interval
from bcma_decide.workshop.meta_analysis.subset_fits import SubsetFits
from bcma_decide.workshop.own_table.analysis import Analysis
from bcma_decide.workshop.own_table.nested import Nested
from bcma_decide.workshop.own_table.regression import Expected, Regression
from bcma_decide.workshop.own_table.small_studies import SmallStudies
from bcma_decide.workshop.plots.axis import printed
from bcma_decide.workshop.plots.numbers import NOTHING, ends_text, number_text, p_text
from bcma_decide.workshop.plots.page import Table
from bcma_decide.workshop.plots.values import interval_text
from bcma_decide.workshop.synthesis.groups import Groups, StudyGroup
from bcma_decide.workshop.synthesis.studies import Scale

__all__ = ["diagnostic_tables", "result_tables"]

_Q_BY: Final = {"inverse variance": "", "likelihood ratio": " (likelihood ratio)"}
_TAU2_CI: Final = {"inverse variance": "Q-profile", "likelihood ratio": "profile likelihood"}
_INFLUENCE: Final = (
    "Leaving one study out, and influence: the pooled result and tau2 without it, its studentised residual, Cook's "
    "distance, DFFITS and hat value, and which of them lie beyond their cut-offs"
)


def result_tables(analysis: Analysis) -> Iterator[Table]:
    """The pooled result, groups, moderators, studies added one by one, subsets."""
    yield _summary(analysis)
    if analysis.groups is not None:
        yield _groups(analysis.groups, analysis.studies.scale, analysis.model.level)
    if analysis.regression is not None:
        yield _coefficients(analysis.regression, analysis.model.level)
        yield _moderators(analysis.regression)
        if analysis.regression.expected:
            yield _expected(analysis.regression.expected, analysis.studies.scale, analysis.model.level)
    if analysis.nested is not None:
        yield _levels(analysis.nested, analysis.model.level)
        yield _nested_coefficients(analysis.nested, analysis.model.level)
        if analysis.nested.expected:
            yield _expected(analysis.nested.expected, analysis.studies.scale, analysis.model.level)
    if analysis.cumulative is not None:
        yield _added(analysis, analysis.cumulative)
    if analysis.gosh is not None:
        yield _subsets(analysis.gosh, analysis.studies.scale)


def diagnostic_tables(analysis: Analysis) -> Iterator[Table]:
    """Influence of single studies, and whether small studies differ."""
    if analysis.influence is not None:
        yield _influence(analysis, analysis.influence)
    elif analysis.without is not None:
        yield Table(
            "Leaving one study out",
            ("Without", analysis.studies.scale.name),
            tuple(zip(analysis.studies.labels, _pooled_texts(analysis, analysis.without), strict=True)),
        )
    if analysis.small_studies is not None:
        yield _small_studies(analysis.small_studies)


def _level(level: float) -> str:
    return f"{100 * level:g}\N{NO-BREAK SPACE}%"


def _degrees(*counts: float | None) -> str:
    known = [number_text(count) for count in counts if count is not None]
    return f"{' and '.join(known)} {'degree' if known == ['1'] else 'degrees'} of freedom"


def _back(scale: Scale, ends: Interval | None) -> str:
    back = scale.back_interval(ends)
    return NOTHING if back is None else interval_text(scale.kind, *back)


def _estimate(scale: Scale, result: Pooled) -> str:
    return printed(scale.kind, float(scale.back(result.estimate)))


def _with_ends(value: float | None, ends: Interval | None) -> str:
    return number_text(value) if ends is None else f"{number_text(value)} ({ends_text(ends)})"


def _summary(analysis: Analysis) -> Table:
    result, scale, level = analysis.result, analysis.studies.scale, _level(analysis.model.level)
    rows = [
        ("Studies", str(result.k), ""),
        ("Pooled", _estimate(scale, result), number_text(result.estimate)),
        (f"{level} interval", _back(scale, result.ci), ends_text(result.ci)),
        (f"{level} prediction interval of a new study", _back(scale, result.prediction), ends_text(result.prediction)),
        ("Standard error", "", number_text(result.se)),
        ("tau2 between studies", "", number_text(result.tau2)),
        (f"{level} interval of tau2 ({_TAU2_CI[result.q_by]})", "", ends_text(result.tau2_ci)),
        ("I2, percent", "", _with_ends(result.i2, result.i2_ci)),
        ("H2", "", _with_ends(result.h2, result.h2_ci)),
        (
            f"Q{_Q_BY[result.q_by]} on {_degrees(result.q_df)}, p",
            "",
            f"{number_text(result.q)}, {p_text(result.q_p)}",
        ),
    ]
    if not scale.proportion and scale.measure != "rate":
        # Of a rate it would be the test of 50 %, which nobody asks.
        test = "z" if result.df is None else f"t on {_degrees(result.df)}"
        rows.insert(-1, (f"No effect: {test}, p", "", f"{number_text(result.statistic)}, {p_text(result.p)}"))
    if result.q_wald is not None:
        wald = result.q_wald
        rows.append((f"Q (Wald) on {_degrees(wald.df)}, p", "", f"{number_text(wald.q)}, {p_text(wald.p)}"))
    if result.average_rate is not None:
        rows[1] = ("Pooled: rate of the typical study", *rows[1][1:])
        rows.insert(2, ("Average rate over studies", printed("proportion", result.average_rate), ""))
    return Table("Pooled result", ("", scale.name, "analysis scale"), tuple(rows))


def _group(group: StudyGroup, scale: Scale) -> tuple[str, ...]:
    result = group.result
    if result is None:
        return (group.name, str(len(group.rows)), "not known", NOTHING, NOTHING, NOTHING)
    return (
        group.name,
        str(result.k),
        f"{_estimate(scale, result)} ({_back(scale, result.ci)})",
        _back(scale, result.prediction),
        number_text(result.tau2),
        NOTHING if result.i2 is None else f"{result.i2:.0f}",
    )


def _groups(groups: Groups, scale: Scale, level: float) -> Table:
    rows = [_group(group, scale) for group in groups.groups]
    caption = f"By {groups.by}"
    if groups.between is not None:
        caption += f": Q between {number_text(groups.between.q)} on {groups.between.df}, p {p_text(groups.between.p)}"
    if groups.between_common is not None:
        common = groups.between_common
        caption += f"; with one tau2 {number_text(common.statistic)} on {common.df1}, p {p_text(common.p)}"
    titles = (groups.by, "k", f"{scale.name} ({_level(level)} interval)", "new study", "tau2", "I2, percent")
    return Table(caption, titles, tuple(rows))


def _coefficients(regression: Regression, level: float) -> Table:
    permuted = {} if regression.permutation is None else regression.permutation.coefficients
    rows = [
        (
            each.name,
            number_text(each.estimate),
            number_text(each.se),
            ends_text(each.ci),
            p_text(each.p),
            *([p_text(permuted.get(each.name))] if permuted else []),
        )
        for each in regression.coefficients
    ]
    titles = ["Moderators, analysis scale", "coefficient", "standard error", f"{_level(level)} interval", "p"]
    return Table("Meta-regression", (*titles, *(["p, permuted"] if permuted else [])), tuple(rows))


def _moderators(regression: Regression) -> Table:
    against = _degrees(regression.df1, regression.df2)
    rows = [
        ("Studies used", str(len(regression.rows))),
        ("Left out", ", ".join(f"{row.study} (no {', '.join(row.missing)})" for row in regression.dropped) or "none"),
        (
            "All moderators, QM",
            f"{number_text(regression.statistic)} on {against}, p {p_text(regression.p)}",
        ),
        (
            "What they leave, QE",
            f"{number_text(regression.q)} on {_degrees(regression.q_df)}, p {p_text(regression.q_p)}",
        ),
        ("R2, percent", number_text(regression.r2)),
        ("tau2 left", number_text(regression.tau2)),
        ("I2 left, percent", number_text(regression.i2)),
    ]
    if regression.permutation is not None:
        made = f"{regression.permutation.permutations} deals" + (
            ", all there are" if regression.permutation.exact else ""
        )
        rows.append(("All moderators, permuted", f"p {p_text(regression.permutation.moderators)} ({made})"))
    return Table("What the moderators explain", ("", ""), tuple(rows))


def _place(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.10g}".replace("-", MINUS)


def _expected(expected: Sequence[Expected], scale: Scale, level: float) -> Table:
    rows = tuple(
        (
            ", ".join(f"{name} {_place(value)}" for name, value in each.at.items()),
            printed(scale.kind, float(scale.back(each.estimate))),
            _back(scale, each.ci),
            _back(scale, each.prediction),
        )
        for each in expected
    )
    return Table("Expected", ("At", scale.name, f"{_level(level)} interval", "new study"), rows)


def _levels(nested: Nested, level: float) -> Table:
    rows = (
        (
            f"between {nested.studies} studies ({nested.column})",
            _with_ends(nested.between, nested.between_ci),
            number_text(nested.i2[0]),
        ),
        ("between arms of a study", _with_ends(nested.within, nested.within_ci), number_text(nested.i2[1])),
    )
    variance = f"variance ({_level(level)} interval, profile likelihood)"
    return Table("Two levels", ("Spread", variance, "I2, percent"), rows)


def _nested_coefficients(nested: Nested, level: float) -> Table:
    robust = nested.robust or (None,) * len(nested.coefficients)
    rows = tuple(
        (
            each.name,
            number_text(each.estimate),
            f"{number_text(each.se)} ({ends_text(each.ci)})",
            NOTHING if sure is None else f"{number_text(sure.se)} ({ends_text(sure.ci)})",
            NOTHING if sure is None else p_text(sure.p),
        )
        for each, sure in zip(nested.coefficients, robust, strict=True)
    )
    errors = f"standard error ({_level(level)} interval)"
    caption = "Coefficients"
    if nested.moderators is not None:
        qm = nested.moderators
        against = _degrees(qm.df1, qm.df2)
        caption += f"; all moderators, QM {number_text(qm.statistic)} on {against}, p {p_text(qm.p)}"
    return Table(caption, ("Analysis scale", "estimate", errors, f"robust {errors}", "robust p"), rows)


def _added(analysis: Analysis, steps: Cumulative) -> Table:
    rows = zip(
        [f"+ {analysis.studies.labels[row]}" for row in steps.added.tolist()],
        map(str, steps.fits.k.tolist()),
        _pooled_texts(analysis, steps.fits),
        [number_text(value, 3) if isfinite(value) else NOTHING for value in steps.fits.tau2.tolist()],
        strict=True,
    )
    interval = f"{analysis.studies.scale.name} ({_level(analysis.model.level)} interval)"
    return Table(f"One study after another, by {analysis.options.order}", ("Added", "k", interval, "tau2"), tuple(rows))


def _subsets(subsets: Gosh, scale: Scale) -> Table:
    """How far the results of subsets lie apart, those of single studies left out as in the drawing."""
    several = subsets.fits.k > 1
    estimates, i2 = scale.back(subsets.fits.estimate[several]), subsets.fits.i2[several]
    rows = tuple(
        (
            name,
            printed(scale.kind, float(np.quantile(estimates, share))),
            number_text(float(np.quantile(i2, share)), 3),
        )
        for name, share in (("lowest", 0.0), ("lower quartile", 0.25), ("median", 0.5), ("upper quartile", 0.75),
                            ("highest", 1.0))
    )  # fmt: skip
    which = "every subset" if subsets.complete else "subsets drawn at random"
    caption = f"{which.capitalize()} of two or more studies ({int(several.sum())})"
    return Table(caption, ("", scale.name, "I2, percent"), rows)


def _pooled_texts(analysis: Analysis, fits: SubsetFits) -> list[str]:
    """Each pooled result with its interval; nothing where studies cannot be pooled."""
    scale = analysis.studies.scale
    columns = (scale.back(each).tolist() for each in (fits.estimate, fits.ci_low, fits.ci_high))
    return [
        f"{printed(scale.kind, middle)} ({interval_text(scale.kind, low, high)})" if isfinite(middle) else NOTHING
        for middle, low, high in zip(*columns, strict=True)
    ]


def _influence(analysis: Analysis, diagnostics: Influence) -> Table:
    without = analysis.without
    assert without is not None  # noqa: S101, RUF100  # made together
    rows = zip(
        analysis.studies.labels,
        _pooled_texts(analysis, without),
        [number_text(value, 3) for value in without.tau2.tolist()],
        [number_text(value, 3) for value in diagnostics.rstudent.tolist()],
        [number_text(value, 3) for value in diagnostics.cook_d.tolist()],
        [number_text(value, 3) for value in diagnostics.dffits.tolist()],
        [number_text(value, 3) for value in diagnostics.hat.tolist()],
        [", ".join(flags) or "none" for flags in diagnostics.flags],
        strict=True,
    )
    titles = (
        "Without",
        analysis.studies.scale.name,
        "tau2",
        "residual",
        "Cook",
        "DFFITS",
        "hat",
        "beyond",
    )
    return Table(_INFLUENCE, titles, tuple(rows))


def _small_studies(tests: SmallStudies) -> Table:
    rows = []
    for name, test in (("Egger, on the standard error", tests.egger), ("Peters, on the inverse size", tests.peters)):
        if test is not None:
            rows.append((name, _asymmetry(test), p_text(test.p)))
    if tests.begg is not None:
        rows.append(("Begg, rank correlation", f"Kendall's tau {number_text(tests.begg.tau, 3)}", p_text(tests.begg.p)))
    if tests.trim_and_fill is not None:
        filled = tests.trim_and_fill
        with_them = f"with them {number_text(filled.pooled.estimate)} on the analysis scale"
        text = f"{filled.missing} on the {filled.side}; {with_them}"
        rows.append(("Trim and fill, studies added", text, ""))
    if tests.henmi_copas is not None:
        copas = tests.henmi_copas
        rows.append(
            ("Henmi and Copas", f"{number_text(copas.estimate)} ({ends_text(copas.ci)}) on the analysis scale", "")
        )
    return Table("Do small studies differ?", ("Test", "result", "p"), tuple(rows))


def _asymmetry(test: AsymmetryTest) -> str:
    against = "normal" if test.df is None else f"t on {test.df:g}"
    return f"slope {number_text(test.slope)}, standard error {number_text(test.slope_se)} ({against})"
