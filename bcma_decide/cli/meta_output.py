"""Where the result of ``bcma-decide meta`` goes and how its figures look: the options, and the writing of files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from bcma_decide.cli.output import say
from bcma_decide.errors import Problem, SynthesisError, one_line

if TYPE_CHECKING:
    from bcma_decide.workshop.meta_analysis.study_table import StudyTable
    from bcma_decide.workshop.own_table.analysis import Analysis
    from bcma_decide.workshop.own_table.beside import Beside
    from bcma_decide.workshop.own_table.layout import LayoutOptions
    from bcma_decide.workshop.own_table.selection_flow import SelectionFlow

OUTPUT: Final = "Where it goes"
FIGURES: Final = "How figures look"

MethodsShown = Annotated[
    bool,
    typer.Option(
        "--methods", rich_help_panel=OUTPUT,
        help="Also print a paragraph for the methods of a paper: what was done, by which estimators and versions.",
    ),
]  # fmt: skip
FindingsShown = Annotated[
    bool,
    typer.Option(
        "--findings", rich_help_panel=OUTPUT,
        help="Also give a row of a summary of findings (GRADE): absolute effect, certainty by stated rules, and what "
        "is left to the reviewer.",
    ),
]  # fmt: skip
StudyDesign = Annotated[
    Literal["randomised", "observational"] | None,
    typer.Option(
        "--design", rich_help_panel=OUTPUT,
        help="Of the studies, for --findings: the certainty of randomised ones starts at high, of others at low.",
    ),
]  # fmt: skip
SortBy = Annotated[
    str,
    typer.Option(
        "--sort", metavar="effect|weight|size|file|COLUMN", rich_help_panel=FIGURES,
        help="Order of studies: smallest effect first, largest weight or size first, as in the file, or by a column.",
    ),
]  # fmt: skip
ShownColumns = Annotated[
    str | None,
    typer.Option(
        "--show", metavar="A,B", rich_help_panel=FIGURES,
        help="Columns printed beside the studies as they stand in the file, as dose,year.",
    ),
]  # fmt: skip
BiasColumns = Annotated[
    str | None,
    typer.Option(
        "--rob", metavar="A,B", rich_help_panel=FIGURES,
        help="Columns of risk of bias, a domain each: low, some, high, unclear (or +, !, -, ?), or empty.",
    ),
]  # fmt: skip
Sides = Annotated[
    str | None,
    typer.Option(
        "--favours", metavar="LEFT,RIGHT", rich_help_panel=FIGURES,
        help="Whom the sides of the line of no effect favour, as 'CAR-T,bispecific': left (lower), then right.",
    ),
]  # fmt: skip
FlowFile = Annotated[
    Path | None,
    typer.Option(
        "--flow", metavar="FILE", rich_help_panel=FIGURES,
        help="YAML with the counts of the selection of studies: a flow chart after PRISMA 2020 (see: guide own-table).",
    ),
]  # fmt: skip
SvgFolder = Annotated[
    Path | None,
    typer.Option("--svg", metavar="DIR", rich_help_panel=OUTPUT, help="Write each drawing to this folder, as SVG."),
]
PngFolder = Annotated[
    Path | None,
    typer.Option(
        "--png", metavar="DIR", rich_help_panel=OUTPUT,
        help="Write each drawing to this folder, as PNG; needs the extra 'pdf'.",
    ),
]  # fmt: skip
HtmlPage = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", rich_help_panel=OUTPUT, help="Write one page with everything."),
]
PdfPage = Annotated[
    Path | None,
    typer.Option(
        "--pdf", metavar="FILE", rich_help_panel=OUTPUT,
        help="Write the same page as PDF, drawings as lines and letters; needs the extra 'pdf'.",
    ),
]  # fmt: skip
CsvFile = Annotated[
    Path | None,
    typer.Option(
        "--csv", metavar="FILE", rich_help_panel=OUTPUT,
        help="Write studies with effects, intervals and weights, and pooled results, as a table of values.",
    ),
]  # fmt: skip
Title = Annotated[
    str | None,
    typer.Option("--title", rich_help_panel=OUTPUT, help="Heading of drawings; default the file's name."),
]


def layout_options(sort: str, show: str | None, rob: str | None, favours: str | None) -> LayoutOptions:
    """Options of figures as the workshop takes them; raises SynthesisError for sides that are not two names."""
    from bcma_decide.workshop.own_table.layout import LayoutOptions

    sides = None
    if favours is not None:
        left, *others = (name.strip() for name in favours.split(","))
        if len(others) != 1 or not (left and others[0]):
            problem = Problem("--favours", f"is {favours!r}", "write two names with a comma between, LEFT,RIGHT")
            raise SynthesisError("this option cannot be used", [problem])
        sides = (left, others[0])
    return LayoutOptions(sort.strip(), _columns(show, "--show"), _columns(rob, "--rob"), sides)


def _columns(names: str | None, option: str) -> tuple[str, ...]:
    columns = () if names is None else tuple(name.strip() for name in names.split(","))
    if not all(columns):
        problem = Problem(option, f"is {names!r}", "write names of columns with commas between, A,B")
        raise SynthesisError("this option cannot be used", [problem])
    return columns


def selection_of(flow: Path | None) -> SelectionFlow | None:
    """The counts of a selection, if there is a file of them; raises SynthesisError where they do not add up."""
    if flow is None:
        return None
    from bcma_decide.workshop.own_table.selection_flow import read_flow

    return read_flow(flow)


def beside_of(
    table: StudyTable,
    analysis: Analysis,
    layout: LayoutOptions,
    title: str,
    flow: SelectionFlow | None,
    *,
    findings: bool,
    design: Literal["randomised", "observational"] | None,
) -> Beside:
    """What stands beside the analysis.

    Raises
    ------
    SynthesisError
        For a column or an order that is not there, or a design without findings.
    """
    from bcma_decide.workshop.own_table.beside import Beside
    from bcma_decide.workshop.own_table.layout import layout_of

    laid_out = layout_of(table, analysis, layout)
    if not findings:
        if design is not None:
            problem = Problem("--design", "is for the certainty", "add --findings, or leave it out")
            raise SynthesisError("this option cannot be used", [problem])
        return Beside(laid_out, flow=flow)
    from bcma_decide.pooled.location import evidence_directory
    from bcma_decide.workshop.own_table.certainty import load_limits
    from bcma_decide.workshop.own_table.findings import findings_of

    limits = load_limits(evidence_directory())
    return Beside(laid_out, findings_of(analysis, laid_out, title, limits, design), flow)


@dataclass(frozen=True)
class Output:
    """The files and folders that were asked for."""

    svg: Path | None
    png: Path | None
    html: Path | None
    pdf: Path | None
    csv: Path | None

    @property
    def drawn(self) -> bool:
        """Whether anything shows every drawing."""
        return any(each is not None for each in (self.svg, self.png, self.html, self.pdf))

    def check(self) -> None:
        """Refuse before any work what cannot be written; raises SheetError."""
        if self.pdf is not None or self.png is not None:
            from bcma_decide.workshop.plots.printing import require_printing

            require_printing(pixels=self.png is not None)

    def write(self, analysis: Analysis, title: str, beside: Beside, progress: Callable[[str], None]) -> None:
        """Write everything, and say what was written; raises SynthesisError where a path cannot be written to."""
        if self.svg is not None or self.png is not None:
            from bcma_decide.workshop.own_table.figures import drawings

            drawn = dict(drawings(analysis, title, beside.layout))
            if beside.flow is not None:
                from bcma_decide.workshop.own_table.selection_flow import flow_drawing

                drawn["flow"] = flow_drawing(beside.flow, f"{title}: selection of studies")
            if self.svg is not None:
                _write_all(self.svg, "svg", {name: svg.encode() for name, svg in drawn.items()}, "--svg")
            if self.png is not None:
                from bcma_decide.workshop.plots.printing import png_of_drawing

                progress("printing")
                _write_all(self.png, "png", {name: png_of_drawing(svg) for name, svg in drawn.items()}, "--png")
        if self.html is not None or self.pdf is not None:
            from bcma_decide.workshop.own_table.report import page_of

            page = page_of(analysis, title, beside)
            if self.html is not None:
                _write(self.html, page.encode())
            if self.pdf is not None:
                from bcma_decide.workshop.plots.printing import pdf_of_page

                progress("printing")
                _write(self.pdf, pdf_of_page(page))
        if self.csv is not None:
            from bcma_decide.workshop.own_table.spreadsheet import csv_of

            _write(self.csv, csv_of(analysis, beside.layout).encode())


def _write_all(folder: Path, ending: str, files: dict[str, bytes], option: str) -> None:
    from bcma_decide.cli.sheets import check_inside

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = Problem(option, error.strerror or "cannot be made", "name a folder", str(folder))
        raise SynthesisError("the drawings cannot be written", [problem]) from None
    for name, content in files.items():
        path = folder / f"{name}.{ending}"
        check_inside(path, folder)
        _write(path, content)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        problem = Problem("", error.strerror or "cannot be written", "check the path", str(path))
        raise SynthesisError("the result cannot be written", [problem]) from None
    say(one_line(f"wrote {path}"), err=True)
