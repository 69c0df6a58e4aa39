"""What ``compare`` does once its options are read: the patient, the comparison, and where it goes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from datetime import date as Day  # noqa: N812  # an option is called date
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from bcma_decide import spellings
from bcma_decide.cli.errors import Misuse
from bcma_decide.cli.output import say
from bcma_decide.cli.views import read_pair, read_view, show
from bcma_decide.errors import ProfileError, one_line, printable
from bcma_decide.patient.files import STANDARD_INPUT
from bcma_decide.vocabulary import DEFAULT_REGION, EXPLAINED, Design

if TYPE_CHECKING:
    from pathlib import Path

    from bcma_decide.cli.records import FromRecord
    from bcma_decide.comparison import Comparison
    from bcma_decide.patient.stated_weights import Weights
    from bcma_decide.pooled.evidence import PooledEvidence
    from bcma_decide.render.sheet.sheet import Paper, Sheet
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.render.words.language import Audience
    from bcma_decide.time_course import Clock

T = TypeVar("T")


class Asked(NamedTuple):
    """What ``compare`` was called with, by the names of its parameters; ``options`` are the fields of the patient."""

    options: Mapping[str, str]
    profile: str | None = None
    example: str | None = None
    fhir: str | None = None
    infer: bool = False
    ask: bool = False
    setting: str = "real-world"
    counted_from: Clock = "infusion"
    region: str = DEFAULT_REGION
    date: str | None = None
    full: bool = False
    findings: bool = False
    labels: bool = False
    practice: bool = False
    classes: bool = False
    explain: Sequence[str] | None = None
    pair: str | None = None
    order: bool = False
    products: bool = False
    sources: bool = False
    weights: str | None = None
    ask_weights: bool = False
    as_json: bool = False
    plain: bool = False
    color: str = "auto"
    html: str | None = None
    pdf: str | None = None
    fhir_out: str | None = None
    audience: Audience | None = None
    paper: Paper | None = None
    lang: str | None = None
    rows: Sequence[str] | None = None
    icons: Sequence[str] | None = None
    label: str | None = None
    site: str | None = None
    evidence: Path | None = None


def answer(asked: Asked) -> None:
    """Compare as asked, and print or write the answer.

    Raises
    ------
    Misuse
        When options cannot be used, or not together: before anything is written.
    BcmaDecideError
        When the patient, the evidence or a file cannot be used.
    """
    from bcma_decide.comparing.compare import answer_question, load_pooled
    from bcma_decide.comparing.question import Question

    for outcome in asked.explain or ():
        if outcome not in EXPLAINED:
            raise Misuse(f"{outcome!r} is not an outcome; one of {', '.join(EXPLAINED)}", "--explain")
    day = read_day(asked.date)
    design = read_design(asked.setting)
    drawn = _drawn(asked)
    asking = _asks(asked.ask, asked.profile, asked.example, asked.fhir, asked.options)
    _check_weights(asked.weights, asked.profile or asked.fhir, asking=asked.ask_weights)
    if asked.infer and asked.fhir is None:
        raise Misuse("belongs to a record: give --fhir with it", "--infer")
    if drawn is not None and "pdf" in drawn.files:
        from bcma_decide.cli.sheets import check_pdf

        check_pdf("use --html and print the page from a browser")
    pooled = load_pooled(asked.evidence)
    two = read_pair(asked.pair, pooled)
    if day is None:
        warn_if_old(pooled)
    record = None
    if asking:
        from bcma_decide.cli.ask import Left, ask_patient

        try:
            patient = ask_patient(definitions=pooled.definitions)
        except Left:
            sys.exit(0)
    elif asked.fhir is not None:
        from bcma_decide.cli.records import patient_from_record

        record = patient_from_record(asked.fhir, asked.options, pooled, day, infer=asked.infer)
        patient = record.patient
    else:
        from bcma_decide.cli.sources import patient_from_sources

        patient = patient_from_sources(asked.profile, asked.example, asked.options, pooled.definitions)
    stated = _weights(asked.weights, pooled, asking=asked.ask_weights)
    question = Question(
        patient=patient,
        setting=design,
        region=asked.region,
        date=day,
        explain=tuple(asked.explain or ()),
        clock=asked.counted_from,
        order=asked.order,
        pair=two,
        name=asked.example,
        record=record.ledger if record else None,
        weights=stated,
    )
    comparison = answer_question(question, pooled)
    if drawn is not None and _write_files(drawn, asked, comparison, pooled, record):
        return
    if asked.as_json:
        from bcma_decide.comparison import result_json

        sys.stdout.write(printable(result_json(comparison)))
        return
    from bcma_decide.cli.paging import print_or_page

    view = read_view(
        {
            "classes": asked.classes,
            "products": asked.products,
            "findings": asked.findings,
            "labels": asked.labels,
            "practice": asked.practice,
            "order": asked.order,
            "weights": stated is not None,
            "sources": asked.sources,
        },
        full=asked.full,
        explain=asked.explain,
        pair=asked.pair is not None,
        plain=asked.plain,
    )
    print_or_page(_console(asked.color), lambda console: show(comparison, console, view))


class Drawn(NamedTuple):
    """What is written into files: sheets as asked for, and a FHIR Bundle (None where it is printed, or not asked)."""

    sheet: Sheet | None
    files: dict[str, Path]
    bundle: Path | None


def _drawn(asked: Asked) -> Drawn | None:
    """What is to be written, refused before any work where it cannot be; None where nothing but the answer is."""
    looks = {"--audience": asked.audience, "--paper": asked.paper, "--lang": asked.lang, "--rows": asked.rows,
             "--icons": asked.icons, "--label": asked.label, "--site": asked.site}  # fmt: skip
    on_paper = asked.html is not None or asked.pdf is not None
    if not on_paper:
        _refuse_looks(looks)
    if not on_paper and asked.fhir_out is None:
        return None
    from bcma_decide.cli.fhir_out import bundle_target
    from bcma_decide.cli.sheets import read_sheet, targets

    source = asked.profile or asked.fhir
    sheet = None
    if on_paper:
        sheet = read_sheet(asked.audience, asked.paper, asked.lang, asked.rows, asked.icons, asked.label, asked.site)
    files = targets({"html": asked.html, "pdf": asked.pdf}, _patient_name(source, asked.example), source)
    printed = {"--json": asked.as_json, "--plain": asked.plain}
    return Drawn(sheet, files, bundle_target(asked.fhir_out, printed, source, files.values()))


def _write_files(
    drawn: Drawn, asked: Asked, comparison: Comparison, pooled: PooledEvidence, record: FromRecord | None
) -> bool:
    """Write what was asked for; return whether the Bundle is all that is printed."""
    from bcma_decide.cli.fhir_out import STANDARD_OUTPUT, bundle_text
    from bcma_decide.cli.sheets import write

    pages = _pages(comparison, drawn.sheet, drawn.files) if drawn.sheet else {}
    bundle = ""
    if asked.fhir_out is not None:
        pdf = pages.get(drawn.files["pdf"]) if "pdf" in drawn.files else None
        bundle = bundle_text(comparison, pooled, now(), record, pdf)
    if drawn.bundle is not None:
        pages[drawn.bundle] = bundle.encode()
    for path, content in pages.items():
        write(path, content)
        say(one_line(f"wrote {path}"), err=True)
    if asked.fhir_out == STANDARD_OUTPUT:
        sys.stdout.write(printable(bundle))
        return True
    return False


def _asks(ask: bool, profile: str | None, example: str | None, fhir: str | None, options: Mapping[str, str]) -> bool:
    """Whether to ask for the patient; refuses two patients at once, none at all, and questions to no one."""
    if profile is not None and example is not None:
        raise Misuse("two patients: give either a PROFILE or --example", "--example")
    if fhir is not None and (profile is not None or example is not None):
        raise Misuse("two patients: give either --fhir or a PROFILE or --example", "--fhir")
    given = profile is not None or example is not None or fhir is not None or bool(options)
    if ask and given:
        raise Misuse("asks for the patient: give no other patient with it", "--ask")
    if given:
        return False
    if sys.stdin is None or not sys.stdin.isatty():
        raise Misuse(
            "no terminal to ask on"
            if ask
            else "no patient: give a PROFILE (- for standard input), --fhir FILE, --example NAME, options, or --ask",
            "--ask" if ask else "PROFILE",
        )
    return True


def _check_weights(file: str | None, patient: str | None, *, asking: bool) -> None:
    """Refuse weights from two places, from where the patient comes from, and questions to no one."""
    if asking and file is not None:
        raise Misuse("asks for weights: give no file with it", "--ask-weights")
    if file == STANDARD_INPUT and patient == STANDARD_INPUT:
        raise Misuse("the patient comes from standard input already", "--weights")
    if asking and (sys.stdin is None or not sys.stdin.isatty()):
        raise Misuse("no terminal to ask on", "--ask-weights")


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
        sys.exit(0)


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
        raise Misuse(f"{problem.message}: {problem.fix}", option) from None


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
            raise Misuse("belongs to a sheet: give --html or --pdf with it", option)


def _patient_name(profile: str | None, example: str | None) -> str:
    """What a sheet is called that is given no name."""
    if example is not None:
        return example
    from pathlib import Path

    return "comparison" if profile in (None, STANDARD_INPUT) else Path(str(profile)).stem


def _pages(comparison: Comparison, sheet: Sheet, files: dict[str, Path]) -> dict[Path, bytes]:
    """Render every sheet before any is written: one that fails leaves none behind."""
    pages = {}
    if "html" in files:
        from bcma_decide.render.sheet.html import render_html

        pages[files["html"]] = render_html(comparison, sheet).encode()
    if "pdf" in files:
        from contextlib import nullcontext

        from bcma_decide.render.sheet.pdf import render_pdf
        from bcma_decide.render.terminal.console import Console

        console = Console(stderr=True)
        with console.status("writing the PDF") if console.is_terminal else nullcontext():
            pages[files["pdf"]] = render_pdf(comparison, sheet)
    return pages
