"""``bcma-decide meta``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.meta_output import (
    OUTPUT,
    BiasColumns,
    CsvFile,
    FindingsShown,
    FlowFile,
    HtmlPage,
    MethodsShown,
    Output,
    PdfPage,
    PngFolder,
    ShownColumns,
    Sides,
    SortBy,
    StudyDesign,
    SvgFolder,
    Title,
    beside_of,
    layout_options,
    selection_of,
)
from bcma_decide.errors import Problem, SynthesisError

if TYPE_CHECKING:
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.workshop.meta_analysis.continuity import Correction
    from bcma_decide.workshop.own_table.analysis import Analysis
    from bcma_decide.workshop.own_table.beside import Beside
    from bcma_decide.workshop.plots.page import Table

meta_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Measure = Literal[
    "logit", "raw", "arcsine", "freeman-tukey", "log", "rate", "generic", "OR", "RR", "RD", "IRR", "HR", "MD"
]
Method = Literal[
    "EE", "DL", "DLIT", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM", "GLMM",
    "UM.FS", "UM.RS", "CM.EL", "CM.AL", "MH", "PETO",
]  # fmt: skip
TestName = Literal["z", "t", "knha", "knha-floored", "kenward-roger"]
PredictionName = Literal["k-2", "k-1", "normal"]
Corrected = Literal["only0", "all", "if0all", "none"]

MODEL: Final = "How it is pooled"
CELLS: Final = "Empty cells"
PARTS: Final = "What else is worked out"


@meta_app.command()
@report_errors
def meta(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV with a header: study, and events and n; or yi and vi (or sei); or events1, n1, events2, n2; "
            "or hr (or, rr, md ...) with lower and upper, or p; or events and time, of one group or two. "
            "Separated by comma, semicolon or tab; decimal commas and signs of thousands where they have one reading.",
        ),
    ],
    measure: Annotated[
        Measure | None,
        typer.Option(
            "--measure",
            rich_help_panel=MODEL,
            help="Scale of single proportions; rate for events per person-time; generic for effects as they are; "
            "OR, RR, RD of two groups, IRR of two with person-time; HR and MD, and each of these, as estimates with "
            "limits or p-values. Default: what the columns are for, of single arms logit, of two groups OR.",
        ),
    ] = None,
    input_level: Annotated[
        float | None,
        typer.Option(
            "--input-level",
            min=0.5,
            max=0.9999,
            rich_help_panel=MODEL,
            help="Level of the intervals given with estimates, where no column level says it. Default 0.95.",
        ),
    ] = None,
    method: Annotated[
        Method | None,
        typer.Option(
            "--method",
            rich_help_panel=MODEL,
            help="Estimator of the variance between studies; EE assumes none; GLMM is the binomial-normal model; "
            "MH (Mantel-Haenszel) and PETO sum the tables of two groups. Odds ratios of two groups from their exact "
            "counts: UM.FS is logistic regression with a level of each study's own and a random odds ratio, UM.RS has "
            "random levels too; CM.EL takes the events of both groups together as given (hypergeometric-normal), CM.AL "
            "nearly so, for rare events. Default REML, and GLMM where the outcome of single arms is rare (or nearly "
            "always there).",
        ),
    ] = None,
    test: Annotated[
        TestName,
        typer.Option(
            "--test",
            rich_help_panel=MODEL,
            help="Interval of the mean: normal, t, Knapp and Hartung's, or Kenward and Roger's (REML).",
        ),
    ] = "z",
    level: Annotated[
        float, typer.Option("--level", min=0.5, max=0.9999, rich_help_panel=MODEL, help="Level of all intervals.")
    ] = 0.95,
    prediction: Annotated[
        PredictionName,
        typer.Option("--prediction", rich_help_panel=MODEL, help="Degrees of freedom of the prediction interval."),
    ] = "k-2",
    correction: Annotated[
        str | None,
        typer.Option(
            "--correction",
            metavar="AMOUNT",
            rich_help_panel=CELLS,
            help="Added to the cells of studies with an empty one, by weighted methods: 0.5 (default), another number, "
            "0 for nothing (such studies are left out), or treatment-arm, which shares one patient out by the sizes "
            "of the two groups.",
        ),
    ] = None,
    to: Annotated[
        Corrected | None,
        typer.Option(
            "--to",
            rich_help_panel=CELLS,
            help="Where it is added: only0, studies with an empty cell (default); all studies; if0all, all studies if "
            "one has an empty cell; none.",
        ),
    ] = None,
    drop_double_zero: Annotated[
        bool | None,
        typer.Option(
            "--drop-double-zero/--keep-double-zero",
            rich_help_panel=CELLS,
            help="Leave out, or keep, studies in which nobody, or everybody, had the event in both groups. Default: "
            "left out for OR and RR, of which they tell nothing; kept for RD.",
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="NAME=COLUMN",
            rich_help_panel=MODEL,
            help="Which column holds events, n, yi, ... where it has another name; may be repeated.",
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="COLUMN", rich_help_panel=PARTS, help="Pool groups apart, and test.")
    ] = None,
    mods: Annotated[
        str | None,
        typer.Option(
            "--mods",
            metavar="A,B",
            rich_help_panel=PARTS,
            help="Regress on columns: numbers as they are, texts as factors; a:b is an interaction, a*b the "
            "columns and their interaction.",
        ),
    ] = None,
    factor: Annotated[
        str | None,
        typer.Option(
            "--factor",
            metavar="A,B",
            rich_help_panel=PARTS,
            help="Columns of --mods whose numbers are names of groups, as a year or a dose level.",
        ),
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(
            "--reference",
            metavar="A=LEVEL",
            rich_help_panel=PARTS,
            help="Level of a factor that the others are compared with (default the first in order); may be repeated.",
        ),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at",
            metavar="A=1,B=x",
            rich_help_panel=PARTS,
            help="Expected effect at these values of --mods; may be repeated.",
        ),
    ] = None,
    permutations: Annotated[
        int,
        typer.Option("--permutations", min=0, rich_help_panel=PARTS, help="Deals of a permutation test of --mods."),
    ] = 0,
    nested: Annotated[
        str | None,
        typer.Option(
            "--nested",
            metavar="COLUMN",
            rich_help_panel=PARTS,
            help="Rows are arms: the column names the study of each. Two levels of spread, robust standard errors.",
        ),
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(
            "--order", metavar="COLUMN", rich_help_panel=PARTS, help="Add studies one by one by a column, as the year."
        ),
    ] = None,
    subsets: Annotated[
        bool, typer.Option("--gosh", rich_help_panel=PARTS, help="Pool every subset of studies, or a sample of them.")
    ] = False,
    diagnostics: Annotated[
        bool,
        typer.Option("--diagnostics", rich_help_panel=OUTPUT, help="Also print influence and small-study tests."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", rich_help_panel=OUTPUT, help="Print everything as JSON.")] = False,
    methods: MethodsShown = False,
    findings: FindingsShown = False,
    design: StudyDesign = None,
    sort: SortBy = "file",
    show: ShownColumns = None,
    rob: BiasColumns = None,
    favours: Sides = None,
    flow: FlowFile = None,
    svg: SvgFolder = None,
    png: PngFolder = None,
    html: HtmlPage = None,
    pdf: PdfPage = None,
    csv: CsvFile = None,
    title: Title = None,
) -> None:
    """Pool a table of studies: mean, heterogeneity, groups, meta-regression, diagnostics, forest plot.

    Examples: bcma-decide meta trials.csv --by design --html report.html

    bcma-decide meta deaths.csv --method GLMM --mods year --json

    bcma-decide meta two-groups.csv --measure OR --method MH

    bcma-decide meta trials.csv --sort effect --show dose,year --rob selection,outcome --findings --pdf report.pdf

    bcma-decide meta two-groups.csv --method UM.FS
    """
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.workshop.meta_analysis.study_table import read_table
    from bcma_decide.workshop.own_table.analysis import AnalysisOptions, analyse
    from bcma_decide.workshop.own_table.empty_cells import EmptyCells, checked_empty_cells
    from bcma_decide.workshop.own_table.fitting import fitting
    from bcma_decide.workshop.own_table.model_terms import Terms
    from bcma_decide.workshop.own_table.reading import read_studies
    from bcma_decide.workshop.synthesis.model import PoolingMethod, usual_model

    output = Output(svg=svg, png=png, html=html, pdf=pdf, csv=csv)
    output.check()
    layout = layout_options(sort, show, rob, favours)
    selection = selection_of(flow)
    renamed = _renamed_columns(column or [])
    terms = Terms(_listed(mods), _listed(factor), _references(reference or []))
    used = {by, order, nested, sort, *terms.columns, *renamed.values()}
    table = read_table(file, renamed, texts=[name for name in (*layout.show, *layout.rob) if name not in used])
    scale = measure or fitting(table)
    empty = EmptyCells(_correction(correction, to), drop_double_zero)
    checked_empty_cells(empty, scale, method)
    studies = read_studies(table, scale, apart=nested is None, input_level=input_level, empty=empty)
    how = PoolingMethod(method or "REML", test, level, prediction)
    # A correction is asked for: then so is a method that needs one.
    if method is None and nested is None and empty.correction is None:
        usual, why = usual_model(studies, test)
        how = PoolingMethod(usual, test, level, prediction, why)
    options = AnalysisOptions(
        model=how,
        by=by,
        terms=terms,
        order=order,
        permutations=permutations,
        gosh=subsets,
        nested=nested,
        at=tuple(_place(each) for each in at or ()),
        diagnostics=diagnostics or as_json or output.drawn,
    )
    with Console(stderr=True).status("reading") as status:
        analysis = analyse(table, studies, options, progress=status.update)
        beside = beside_of(table, analysis, layout, title or file.stem, selection, findings=findings, design=design)
        output.write(analysis, title or file.stem, beside, progress=status.update)
    if as_json:
        from bcma_decide.cli.output import print_json
        from bcma_decide.workshop.own_table.document import as_document

        print_json(as_document(analysis, beside))
        return
    _print(analysis, title or file.stem, beside, diagnostics=diagnostics, methods=methods)


def _renamed_columns(pairs: list[str]) -> dict[str, str]:
    """``NAME=COLUMN`` pairs; raises SynthesisError for another form or an unknown name."""
    from bcma_decide.workshop.meta_analysis.study_table import NAMES

    renamed = {}
    for pair in pairs:
        name, sign, column = pair.partition("=")
        if not sign or name not in NAMES or not column:
            fix = f"write NAME=COLUMN, NAME one of {', '.join(NAMES)}"
            raise SynthesisError("this option cannot be used", [Problem("--column", f"is {pair!r}", fix)])
        renamed[name] = column
    return renamed


def _listed(names: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(",")) if names else ()


def _references(pairs: list[str]) -> dict[str, str]:
    """``A=LEVEL`` pairs; raises SynthesisError for another form, or a factor with two levels."""
    references: dict[str, str] = {}
    for pair in pairs:
        name, sign, level = (part.strip() for part in pair.partition("="))
        if not (name and sign and level) or name in references:
            fix = "name one level of a factor" if name in references else "write FACTOR=LEVEL"
            raise SynthesisError("this option cannot be used", [Problem("--reference", f"is {pair!r}", fix)])
        references[name] = level
    return references


def _correction(amount: str | None, to: Corrected | None) -> Correction | None:
    """What is added to empty cells; ``None`` where nothing is asked."""
    from bcma_decide.workshop.meta_analysis.continuity import HALF_A_PATIENT, Correction

    if amount is None and to is None:
        return None
    where = to or HALF_A_PATIENT.to
    if amount == "treatment-arm":
        return Correction(to=where, by_size=True)
    try:
        return Correction(HALF_A_PATIENT.amount if amount is None else float(amount), where)
    except (ValueError, SynthesisError):
        problem = Problem("--correction", f"is {amount!r}", "write a number, 0 or more, or treatment-arm")
        raise SynthesisError("this option cannot be used", [problem]) from None


def _place(text: str) -> dict[str, str]:
    """``A=1,B=x`` as values by moderator; raises SynthesisError for another form."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(name.strip() and sign and value.strip() for name, sign, value in pairs):
        problem = Problem("--at", f"is {text!r}", "write MODERATOR=VALUE, with commas between")
        raise SynthesisError("this option cannot be used", [problem])
    return {name.strip(): value.strip() for name, _, value in pairs}


def _print(analysis: Analysis, title: str, beside: Beside, *, diagnostics: bool, methods: bool) -> None:
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.workshop.own_table.figures import forest_of
    from bcma_decide.workshop.own_table.tables import diagnostic_tables, result_tables
    from bcma_decide.workshop.plots.terminal_forest import write_forest

    console = Console(highlight=False)
    write_forest(forest_of(analysis, title, beside.layout), console)
    for table in (*result_tables(analysis), *(diagnostic_tables(analysis) if diagnostics else ())):
        console.print()
        _print_table(table, console)
    said = [*analysis.remarks]
    if beside.flow is not None:
        from bcma_decide.workshop.own_table.selection_flow import flow_words

        said += [f"Selection of studies. {flow_words(beside.flow)}", *beside.flow_remarks(analysis)]
    if diagnostics and analysis.small_studies is not None:
        said += analysis.small_studies.remarks
    if beside.findings is not None:
        from bcma_decide.workshop.own_table.findings import findings_lines, findings_tables

        console.print()
        _print_table(findings_tables(beside.findings)[0], console)
        said += findings_lines(beside.findings)
    if methods:
        from bcma_decide.workshop.own_table.methods import methods_of

        said.append(f"Methods. {methods_of(analysis)}")
    for remark in said:
        console.print()
        console.print(remark, markup=False)


def _print_table(table: Table, console: Console) -> None:
    from rich.table import Table as Grid
    from rich.text import Text

    caption = Text(table.caption, style="bold")
    grid = Grid(box=None, pad_edge=False, show_header=any(table.titles), title=caption, title_justify="left")
    for number, name in enumerate(table.titles):
        grid.add_column(Text(name), justify="right" if number and not table.words else "left", overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(str(cell)) for cell in row))
    console.print(grid)
