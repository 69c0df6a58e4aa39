"""An analysis as drawings: forest, funnel, bubble, Baujat, GOSH, leaving one out, adding one by one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bcma_decide.workshop.meta_analysis.pooled import Pooled
from bcma_decide.workshop.meta_analysis.subset_fits import SubsetFits
from bcma_decide.workshop.own_table.analysis import Analysis
from bcma_decide.workshop.own_table.layout import ForestLayout
from bcma_decide.workshop.plots.axis import printed
from bcma_decide.workshop.plots.baujat import BaujatPoint, baujat
from bcma_decide.workshop.plots.bubble import Bubble, FittedLine, bubble
from bcma_decide.workshop.plots.forest import forest
from bcma_decide.workshop.plots.funnel import FunnelPoint, funnel
from bcma_decide.workshop.plots.gosh import gosh
from bcma_decide.workshop.plots.values import Forest, ForestGroup, ForestLine, PooledLine
from bcma_decide.workshop.synthesis.lines import between_line, heterogeneity_line
from bcma_decide.workshop.synthesis.studies import Scale

__all__ = ["drawings", "forest_of"]


def drawings(analysis: Analysis, title: str, layout: ForestLayout) -> Iterator[tuple[str, str]]:
    """Every drawing the analysis allows: what its file is called, and its SVG."""
    yield "forest", forest(forest_of(analysis, title, layout))
    yield "funnel", _funnel(analysis, title)
    if (drawn := _bubble(analysis, title)) is not None:
        yield "bubble", drawn
    if analysis.baujat is not None:
        points = zip(
            analysis.studies.labels, analysis.baujat.contribution.tolist(), analysis.baujat.influence.tolist(),
            strict=True,
        )  # fmt: skip
        yield "baujat", baujat([BaujatPoint(*point) for point in points], title=f"{title}: Baujat plot")
    if analysis.without is not None:
        labels = [f"without {label}" for label in analysis.studies.labels]
        left_out = _steps(analysis, f"{title}: leaving one study out", labels, analysis.without, layout.order)
        yield "leave-one-out", forest(replace(left_out, favours=layout.favours))
    if analysis.cumulative is not None:
        labels = [f"+ {analysis.studies.labels[row]}" for row in analysis.cumulative.added.tolist()]
        fits, every = analysis.cumulative.fits, range(analysis.studies.k)
        steps = _steps(analysis, f"{title}: by {analysis.options.order}, one after another", labels, fits, every)
        yield "cumulative", forest(replace(steps, favours=layout.favours))
    if analysis.gosh is not None:
        scale, fits = analysis.studies.scale, analysis.gosh.fits
        several = fits.k > 1
        yield "gosh", gosh(
            fits.estimate[several], fits.i2[several], title=f"{title}: every subset of studies", measure=scale.name,
            kind=scale.analysis_kind,
        )  # fmt: skip


def forest_of(analysis: Analysis, title: str, layout: ForestLayout) -> Forest:
    """The studies with their own intervals, the pooled results of groups and of all."""
    studies, level = analysis.studies, analysis.model.level
    estimate, low, high = (values.tolist() for values in studies.with_intervals(level))
    weights = analysis.result.weights or (None,) * studies.k
    counted = studies.events is not None and studies.total is not None

    def line(row: int) -> ForestLine:
        events = int(studies.events[row]) if studies.events is not None and counted else None
        total = int(studies.total[row]) if studies.total is not None and counted else None
        own = (estimate[row], low[row], high[row], weights[row], events, total)
        return ForestLine(studies.labels[row], *own, layout.cells[row], layout.bias[row])

    overall = _pooled(f"All studies ({_method(analysis.result)})", analysis.result, studies.scale)
    if analysis.groups is None:
        groups: tuple[ForestGroup, ...] = (ForestGroup("", tuple(map(line, layout.order))),)
    else:
        groups = tuple(
            ForestGroup(
                f"{analysis.groups.by}: {group.name}",
                tuple(map(line, layout.ranked(group.rows))),
                _pooled(group.name, group.result, studies.scale) if group.result and len(group.rows) > 1 else None,
            )
            for group in analysis.groups.groups
            if group.rows
        )
    between = "" if analysis.groups is None else between_line(analysis.groups.by, analysis.groups.between)
    return Forest(
        title, studies.scale.name, studies.scale.kind, groups, overall, studies.scale.no_effect, level,
        columns=layout.columns, domains=layout.domains, favours=layout.favours, notes=(between,) if between else (),
    )  # fmt: skip


def _method(result: Pooled) -> str:
    return "GLMM, typical study" if result.method == "GLMM" else result.method


def _pooled(label: str, result: Pooled, scale: Scale) -> PooledLine:
    low, high = scale.back_interval(result.ci) or result.ci
    note = heterogeneity_line(result)
    if result.method == "GLMM" and result.average_rate is not None:
        note += f", average rate over studies {printed('proportion', result.average_rate)} %"
    return PooledLine(
        label, float(scale.back(result.estimate)), low, high, scale.back_interval(result.prediction), note.lstrip(", ")
    )


def _steps(analysis: Analysis, title: str, labels: Sequence[str], fits: SubsetFits, order: Iterable[int]) -> Forest:
    """Pooled results of subsets, each as a row of its own."""
    scale = analysis.studies.scale
    columns = (scale.back(each).tolist() for each in (fits.estimate, fits.ci_low, fits.ci_high))
    ends = list(zip(*columns, strict=True))
    rows = tuple(ForestLine(labels[row], *ends[row]) for row in order if all(map(math.isfinite, ends[row])))
    overall = _pooled("All studies", analysis.result, scale)
    return Forest(
        title, scale.name, scale.kind, (ForestGroup("", rows),), overall, scale.no_effect, analysis.model.level
    )


def _funnel(analysis: Analysis, title: str) -> str:
    studies, tests = analysis.studies, analysis.small_studies
    points = [
        FunnelPoint(label, y, v**0.5)
        for label, y, v in zip(studies.labels, studies.yi.tolist(), studies.vi.tolist(), strict=True)
    ]
    added = tests.trim_and_fill if tests is not None else None
    if added is not None:
        filled = zip(added.filled_yi.tolist(), added.filled_vi.tolist(), strict=True)
        points += [FunnelPoint(f"added {n}", y, v**0.5, filled=True) for n, (y, v) in enumerate(filled, start=1)]
    no_effect = studies.scale.no_effect
    return funnel(
        points, analysis.result.estimate, title=f"{title}: funnel plot", measure=studies.scale.name,
        kind=studies.scale.analysis_kind, level=analysis.model.level,
        reference=None if no_effect is None else 0.0, remarks=tests.remarks if tests is not None else (),
    )  # fmt: skip


def _bubble(analysis: Analysis, title: str) -> str | None:
    """Along the one numeric moderator there is; none otherwise."""
    regression = analysis.regression
    if regression is None or regression.line is None or regression.values is None:
        return None
    studies, line = analysis.studies.of(regression.rows), regression.line
    # With the tau2 the moderator leaves: the weights that drew the line.
    weights = 1 / (studies.vi + regression.tau2)
    points = [
        Bubble(*point)
        for point in zip(studies.labels, regression.values, studies.yi.tolist(), weights.tolist(), strict=True)
    ]
    fitted = FittedLine(
        line.x,
        line.fitted,
        tuple(low for low, _ in line.ci),
        tuple(high for _, high in line.ci),
        tuple(low for low, _ in line.prediction or ()),
        tuple(high for _, high in line.prediction or ()),
    )
    moderator = analysis.options.terms.mods[0]
    return bubble(
        points, fitted, title=f"{title} along {moderator}", moderator=moderator, measure=studies.scale.name,
        kind=studies.scale.analysis_kind, level=analysis.model.level,
    )  # fmt: skip
