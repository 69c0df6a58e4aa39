"""An analysis as one self-contained page."""

from __future__ import annotations

from typing import Final

from bcma_decide.version import __version__
from bcma_decide.workshop.own_table.analysis import Analysis
from bcma_decide.workshop.own_table.beside import Beside
from bcma_decide.workshop.own_table.figures import drawings
from bcma_decide.workshop.own_table.findings import findings_lines, findings_tables
from bcma_decide.workshop.own_table.methods import methods_of
from bcma_decide.workshop.own_table.selection_flow import flow_drawing
from bcma_decide.workshop.own_table.tables import diagnostic_tables, result_tables
from bcma_decide.workshop.plots.page import Drawing, ReportPage, Section, render_page

__all__ = ["SCOPE", "page_of"]

SCOPE: Final = "A meta-analysis of the table given, as it stands: what is not in the table is not in the result."

_CAPTIONS: Final = {
    "forest": "Squares are studies, sized by weight (without weights, by patients if they are known), with their own "
    "intervals; diamonds are pooled results.",
    "funnel": "Effects by their standard errors. Rings are studies that trim and fill adds.",
    "bubble": "Studies along the moderator, sized by weight; the band is the interval of the mean.",
    "baujat": "How much each study adds to heterogeneity, and how far it moves the pooled result.",
    "leave-one-out": "The pooled result without each study in turn.",
    "cumulative": "The pooled result as studies are added.",
    "flow": "Records and reports from the search to the studies included, after the flow diagram of PRISMA 2020.",
    "gosh": "The pooled result and I2 of subsets of the studies.",
}
_FIRST: Final = ("forest", "bubble", "cumulative")
"""Drawings of results; the others examine them."""


def page_of(analysis: Analysis, title: str, beside: Beside) -> str:
    """Write the page: results with their drawings, diagnostics with theirs, findings, selection, methods."""
    model, drawn = analysis.model, dict(drawings(analysis, title, beside.layout))
    small = analysis.small_studies
    first = tuple(Drawing(drawn[name], _CAPTIONS[name], name) for name in _FIRST if name in drawn)
    others = tuple(Drawing(svg, _CAPTIONS[name], name) for name, svg in drawn.items() if name not in _FIRST)
    measure = analysis.studies.scale.measure
    settings = f"Measure {measure}, method {model.method}, test {model.test}, {100 * model.level:g} % intervals."
    sections = [
        Section("Result", (settings, *analysis.remarks), tuple(result_tables(analysis)), first),
        Section("How far it holds", () if small is None else small.remarks, tuple(diagnostic_tables(analysis)), others),
    ]
    if beside.findings is not None:
        row, limits = findings_tables(beside.findings)
        sections.insert(1, Section("Summary of findings", findings_lines(beside.findings), (row, limits)))
    if beside.flow is not None:
        drawing = Drawing(flow_drawing(beside.flow, f"{title}: selection of studies"), _CAPTIONS["flow"], "flow")
        sections.insert(0, Section("Selection of studies", beside.flow_remarks(analysis), drawings=(drawing,)))
    sections.append(Section("Methods", (methods_of(analysis),)))
    return render_page(ReportPage(title, tuple(sections), lead=(SCOPE,), foot=(f"bcma-decide {__version__}",)))
