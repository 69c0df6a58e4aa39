"""``bcma-decide compare``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from datetime import date as Day  # noqa: N812  # a parameter is called date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from bcma_decide import spellings
from bcma_decide.cli import EPILOG
from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.fhir_out import STANDARD_OUTPUT, FhirOut, bundle_target, bundle_text
from bcma_decide.cli.output import say
from bcma_decide.cli.profile_options import ExampleName, patient_from_sources, with_profile_options
from bcma_decide.cli.records import FhirFile, Infer, patient_from_record
from bcma_decide.cli.sheets import (
    ForAudience,
    HtmlFile,
    Icons,
    InLanguage,
    Label,
    OnPaper,
    PdfFile,
    Rows,
    SheetCommand,
    Site,
    check_pdf,
    read_sheet,
    targets,
    write,
)
from bcma_decide.cli.views import (
    BASIS,
    RESULT,
    AsJson,
    Classes,
    Color,
    Explain,
    Findings,
    Full,
    Labels,
    Order,
    PairOfOptions,
    Plain,
    Practice,
    Products,
    Sources,
    read_pair,
    read_view,
    show,
)
from bcma_decide.errors import ProfileError, one_line, printable
from bcma_decide.patient.files import STANDARD_INPUT
from bcma_decide.vocabulary import DEFAULT_REGION, EXPLAINED, Design

T = TypeVar("T")

if TYPE_CHECKING:
    from bcma_decide.comparison import Comparison
    from bcma_decide.patient.stated_weights import Weights
    from bcma_decide.pooled.evidence import PooledEvidence
    from bcma_decide.render.sheet.sheet import Sheet
    from bcma_decide.render.terminal.console import Console

compare_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

ProfileArgument = Annotated[
    str | None,
    typer.Argument(metavar="PROFILE", help="YAML or JSON; - reads standard input."),
]
Setting = Annotated[
    str,
    typer.Option(
        "--setting", metavar="real-world|trial", help="Expect the results of ordinary care or of trials.",
        rich_help_panel=BASIS, autocompletion=lambda: ["real-world", "trial"],
    ),
]  # fmt: skip
CountedFrom = Annotated[
    Literal["infusion", "decision"],
    typer.Option(
        "--from", rich_help_panel=BASIS,
        help="Count response and survival from the infusion, or CAR-T from apheresis with those never infused.",
    ),
]  # fmt: skip
Region = Annotated[
    str,
    typer.Option(
        "--region", metavar="REGION", rich_help_panel=BASIS, autocompletion=lambda: ["US", "EU", "China"],
        help="Whose labels to judge: US, EU, China and others, or a country.",
    ),
]  # fmt: skip
Date = Annotated[
    str | None,
    typer.Option(
        "--date", metavar="YYYY-MM-DD", rich_help_panel=BASIS,
        help="As of which day, also 22.11.2026; default the date of the evidence.",
    ),
]  # fmt: skip
Ask = Annotated[
    bool,
    typer.Option(
        "--ask",
        metavar="",
        help="Ask eight questions on the terminal, then more by group.",
        rich_help_panel="Where the patient comes from",
    ),
]
WeightsFile = Annotated[
    str | None,
    typer.Option(
        "--weights", metavar="FILE", rich_help_panel=RESULT,
        help="How often each option ranks first. See: bcma-decide template --weights",
    ),
]  # fmt: skip
AskWeights = Annotated[
    bool,
    typer.Option("--ask-weights", metavar="", help="Ask for these weights on the terminal.", rich_help_panel=RESULT),
]
EvidenceDirectory = Annotated[
    Path | None,
    typer.Option(
        "--evidence", metavar="DIR", help="Another evidence directory, with its pooled.json.", rich_help_panel=BASIS
    ),
]


@compare_app.command(cls=SheetCommand, epilog=EPILOG)
@with_profile_options
@report_errors
def compare(
    profile: ProfileArgument = None,
    example: ExampleName = None,
    fhir: FhirFile = None,
    infer: Infer = False,
    ask: Ask = False,
    setting: Setting = "real-world",
    counted_from: CountedFrom = "infusion",
    region: Region = DEFAULT_REGION,
    date: Date = None,
    full: Full = False,
    findings: Findings = False,
    labels: Labels = False,
    practice: Practice = False,
    classes: Classes = False,
    explain: Explain = None,
    pair: PairOfOptions = None,
    order: Order = False,
    products: Products = False,
    sources: Sources = False,
    weights: WeightsFile = None,
    ask_weights: AskWeights = False,
    as_json: AsJson = False,
    plain: Plain = False,
    color: Color = "auto",
    html: HtmlFile = None,
    pdf: PdfFile = None,
    fhir_out: FhirOut = None,
    audience: ForAudience = None,
    paper: OnPaper = None,
    lang: InLanguage = None,
    rows: Rows = None,
    icons: Icons = None,
    label: Label = None,
    site: Site = None,
    evidence: EvidenceDirectory = None,
    *,
    options: dict[str, str],
) -> None:
    """Compare BCMA CAR-T with BCMAxCD3 bispecific antibodies for one patient.

    The answer fits on one screen. Anything may be unknown: it is averaged over, and what it could change is shown.

    Example: bcma-decide compare --age 71 --prior-lines 4 --ecog 1 --full

    From a record: bcma-decide compare --fhir bundle.json

    On paper: bcma-decide compare profile.yaml --pdf sheet.pdf --audience patient
    """
    from bcma_decide.comparing.compare import answer_question, load_pooled
    from bcma_decide.comparing.question import Question

    for outcome in explain or ():
        if outcome not in EXPLAINED:
            raise typer.BadParameter(
                f"{outcome!r} is not an outcome; one of {', '.join(EXPLAINED)}", param_hint="--explain"
            )
    day = read_day(date)
    design = read_design(setting)
    looks = {"--audience": audience, "--paper": paper, "--lang": lang, "--rows": rows, "--icons": icons,
             "--label": label, "--site": site}  # fmt: skip
    if html is None and pdf is None:
        _refuse_looks(looks)
    sheet = read_sheet(audience, paper, lang, rows, icons, label, site)
    files = targets({"html": html, "pdf": pdf}, _patient_name(profile or fhir, example), profile or fhir)
    printed = {"--json": as_json, "--plain": plain}
    bundle_file = bundle_target(fhir_out, printed, profile or fhir, files.values())
    asking = _asks(ask, profile, example, fhir, options)
    _check_weights(weights, profile or fhir, asking=ask_weights)
    if infer and fhir is None:
        raise typer.BadParameter("belongs to a record: give --fhir with it", param_hint="--infer")
    if "pdf" in files:
        check_pdf("use --html and print the page from a browser")
    pooled = load_pooled(evidence)
    two = read_pair(pair, pooled)
    if day is None:
        warn_if_old(pooled)
    record = None
    if asking:
        from bcma_decide.cli.ask import Left, ask_patient

        try:
            patient = ask_patient(definitions=pooled.definitions)
        except Left:
            raise typer.Exit(0) from None
    elif fhir is not None:
        record = patient_from_record(fhir, options, pooled, day, infer=infer)
        patient = record.patient
    else:
        patient = patient_from_sources(profile, example, options, pooled.definitions)
    stated = _weights(weights, pooled, asking=ask_weights)
    question = Question(
        patient=patient,
        setting=design,
        region=region,
        date=day,
        explain=tuple(explain or ()),
        clock=counted_from,
        order=order,
        pair=two,
        name=example,
        record=record.ledger if record else None,
        weights=stated,
    )
    comparison = answer_question(question, pooled)
    pages = _pages(comparison, sheet, files)
    bundle = ""
    if fhir_out is not None:
        bundle = bundle_text(comparison, pooled, now(), record, pages.get(files["pdf"]) if "pdf" in files else None)
    if bundle_file is not None:
        pages[bundle_file] = bundle.encode()
    for path, content in pages.items():
        write(path, content)
        say(one_line(f"wrote {path}"), err=True)
    if fhir_out == STANDARD_OUTPUT:
        sys.stdout.write(printable(bundle))
        return
    if as_json:
        from bcma_decide.comparison import result_json

        sys.stdout.write(printable(result_json(comparison)))
        return
    from bcma_decide.cli.paging import print_or_page

    view = read_view(
        {
            "classes": classes,
            "products": products,
            "findings": findings,
            "labels": labels,
            "practice": practice,
            "order": order,
            "weights": stated is not None,
            "sources": sources,
        },
        full=full,
        explain=explain,
        pair=pair is not None,
        plain=plain,
    )
    print_or_page(_console(color), lambda console: show(comparison, console, view))


def _asks(ask: bool, profile: str | None, example: str | None, fhir: str | None, options: dict[str, str]) -> bool:
    """Whether to ask for the patient; refuses two patients at once, none at all, and questions to no one."""
    if profile is not None and example is not None:
        raise typer.BadParameter("two patients: give either a PROFILE or --example", param_hint="--example")
    if fhir is not None and (profile is not None or example is not None):
        raise typer.BadParameter("two patients: give either --fhir or a PROFILE or --example", param_hint="--fhir")
    given = profile is not None or example is not None or fhir is not None or bool(options)
    if ask and given:
        raise typer.BadParameter("asks for the patient: give no other patient with it", param_hint="--ask")
    if given:
        return False
    if sys.stdin is None or not sys.stdin.isatty():
        raise typer.BadParameter(
            "no terminal to ask on"
            if ask
            else "no patient: give a PROFILE (- for standard input), --fhir FILE, --example NAME, options, or --ask",
            param_hint="--ask" if ask else "PROFILE",
        )
    return True


def _check_weights(file: str | None, patient: str | None, *, asking: bool) -> None:
    """Refuse weights from two places, from where the patient comes from, and questions to no one."""
    if asking and file is not None:
        raise typer.BadParameter("asks for weights: give no file with it", param_hint="--ask-weights")
    if file == STANDARD_INPUT and patient == STANDARD_INPUT:
        raise typer.BadParameter("the patient comes from standard input already", param_hint="--weights")
    if asking and (sys.stdin is None or not sys.stdin.isatty()):
        raise typer.BadParameter("no terminal to ask on", param_hint="--ask-weights")


def _weights(file: str | None, pooled: PooledEvidence, *, asking: bool) -> Weights | None:
    """The weights of a file, or of somebody who is asked; None where there are none."""
    if file is None and not asking:
        return None
    from bcma_decide.pooled.criteria import criteria_of

    if file is not None:
        from bcma_decide.patient.weights_files import read_weights

        return read_weights(file, criteria_of(pooled))
    from bcma_decide.cli.ask import Left
    from bcma_decide.cli.ask_weights import ask_weights

    try:
        return ask_weights(criteria_of(pooled))
    except Left:
        raise typer.Exit(0) from None


def read_day(text: str | None) -> Day | None:
    """Read a day of the calendar; anything else is a usage error."""
    return None if text is None else _asked(spellings.read_day, text, "--date")


def read_design(text: str) -> Design:
    """Read whose results to expect; anything else is a usage error."""
    return _asked(spellings.read_setting, text, "--setting")


def _asked(read: Callable[[str], T], text: str, option: str) -> T:
    try:
        return read(text)
    except ProfileError as error:
        (problem,) = error.problems
        raise typer.BadParameter(f"{problem.message}: {problem.fix}", param_hint=option) from None


def _console(color: str) -> Console:
    from bcma_decide.render.terminal.console import Console

    if color == "auto":
        return Console(highlight=False)
    return Console(highlight=False, force_terminal=color == "always", no_color=color == "never")


def today() -> Day:
    """The day on the clock of this machine; no comparison depends on it."""
    return Day.today()


def now() -> datetime:
    """The moment on that clock: when a FHIR Bundle says that it was made."""
    return datetime.now(UTC)


def warn_if_old(pooled: PooledEvidence) -> None:
    """Say so on standard error where the evidence is older today than it allows."""
    from bcma_decide.comparing.compare import evidence_stamp

    if evidence_stamp(pooled, today()).out_of_date:
        months = pooled.assumptions["evidence_months"]
        say(
            f"the evidence is of {pooled.date}, more than {months:g} months old; "
            "newer results, labels and rules are not in it",
            err=True,
        )


def _refuse_looks(looks: Mapping[str, object]) -> None:
    for option, value in looks.items():
        if value is not None and value != []:
            raise typer.BadParameter("belongs to a sheet: give --html or --pdf with it", param_hint=option)


def _patient_name(profile: str | None, example: str | None) -> str:
    """What a sheet is called that is given no name."""
    if example is not None:
        return example
    return "comparison" if profile in (None, STANDARD_INPUT) else Path(str(profile)).stem


def _pages(comparison: Comparison, sheet: Sheet, files: dict[str, Path]) -> dict[Path, bytes]:
    """Render every sheet before any is written: one that fails leaves none behind."""
    pages = {}
    if "html" in files:
        from bcma_decide.render.sheet.html import render_html

        pages[files["html"]] = render_html(comparison, sheet).encode()
    if "pdf" in files:
        from bcma_decide.render.sheet.pdf import render_pdf
        from bcma_decide.render.terminal.console import Console

        console = Console(stderr=True)
        with console.status("writing the PDF") if console.is_terminal else nullcontext():
            pages[files["pdf"]] = render_pdf(comparison, sheet)
    return pages
