"""``bcma-decide compare``: its options; what it does stands in ``answer``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.fhir_out import FhirOut
from bcma_decide.cli.profile_options import ExampleName, with_profile_options
from bcma_decide.cli.record_options import FhirFile, Infer
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
)
from bcma_decide.cli.table import EPILOG
from bcma_decide.cli.view_options import (
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
)
from bcma_decide.vocabulary import DEFAULT_REGION

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
    asked = locals()  # one field for each parameter
    from bcma_decide.cli.answer import Asked, answer

    answer(Asked(**asked))
