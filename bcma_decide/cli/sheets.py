"""The printable sheets on the command line: their options, what is refused before any work, the writing of files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bcma_decide.cli.profile_options import ProfileCommand
from bcma_decide.errors import SheetError
from bcma_decide.render.sheet.sheet import PAPERS, ROWS, Paper, Sheet
from bcma_decide.render.words.language import AUDIENCES, SOURCE, Audience, languages

PANEL: Final = "The printable sheet"
BOTH: Final = "both"
UNNAMED: Final = ""
"""What an option with a file name holds when it is given without one."""

_WITH_FILE: Final = ("--html", "--pdf")
_PROFILES: Final = (".yaml", ".yml", ".json")


def _outcomes(incomplete: str) -> list[str]:
    """Complete the last outcome of a list with commas."""
    before = incomplete[: incomplete.rfind(",") + 1]
    return [before + outcome for outcome in ROWS if outcome not in before.split(",")]


def _languages(ctx: typer.Context) -> list[str]:
    """Complete the languages in which every sheet asked for exists."""
    asked = ctx.params.get("audience")
    wanted = audiences([asked] if isinstance(asked, str) else asked)
    return [code for code in languages(wanted[0]) if all(code in languages(each) for each in wanted)]


HtmlFile = Annotated[
    str | None,
    typer.Option(
        "--html", metavar="[FILE]", rich_help_panel=PANEL,
        help="The sheet as one HTML page; without FILE, named after the patient.",
    ),
]  # fmt: skip
PdfFile = Annotated[
    str | None,
    typer.Option(
        "--pdf", metavar="[FILE]", rich_help_panel=PANEL,
        help="The sheet as PDF, the result inside as JSON; needs the extra 'pdf'.",
    ),
]  # fmt: skip
ForAudience = Annotated[
    Audience | None,
    typer.Option("--audience", help="For whom the sheet is; default clinician.", rich_help_panel=PANEL),
]
ForAudiences = Annotated[
    list[str] | None,
    typer.Option(
        "--audience", metavar="clinician|patient|both", autocompletion=lambda: [*AUDIENCES, BOTH],
        help="For whom the sheets are; default clinician. Repeatable.", rich_help_panel=PANEL,
    ),
]  # fmt: skip
OnPaper = Annotated[
    Paper | None, typer.Option("--paper", help=f"Paper to print on; default {PAPERS[0]}.", rich_help_panel=PANEL)
]
InLanguage = Annotated[
    str | None,
    typer.Option(
        "--lang", metavar="CODE", autocompletion=_languages, rich_help_panel=PANEL,
        help=f"Language of the sheet; default {SOURCE}.",
    ),
]  # fmt: skip
Rows = Annotated[
    list[str] | None,
    typer.Option(
        "--rows", metavar="OUTCOME,OUTCOME", autocompletion=_outcomes, rich_help_panel=PANEL,
        help="Outcomes on the sheet instead of the usual ones. Repeatable.",
    ),
]  # fmt: skip
Icons = Annotated[
    list[str] | None,
    typer.Option(
        "--icons", metavar="OUTCOME,OUTCOME", autocompletion=_outcomes, rich_help_panel=PANEL,
        help="Outcomes drawn as 100 icons. Repeatable.",
    ),
]  # fmt: skip
Label = Annotated[
    str | None,
    typer.Option(
        "--label", metavar="TEXT", rich_help_panel=PANEL,
        help="Initials or a record number for the heading.",
    ),
]  # fmt: skip
Site = Annotated[
    str | None,
    typer.Option(
        "--site", metavar="TEXT", help="The clinic's own line in the heading of the sheet.", rich_help_panel=PANEL
    ),
]


class SheetCommand(ProfileCommand):
    """A command of one patient whose ``--html`` and ``--pdf`` may stand without a file name."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  # types of the library inside typer
        """Give an option without a file name an empty one, then parse as usual."""
        return super().parse_args(ctx, _named(args))


def _named(arguments: Sequence[str]) -> list[str]:
    """Put an empty name after each ``--html`` or ``--pdf`` that is last or followed by an option."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    found: list[str] = []
    for position, argument in enumerate(arguments):
        found.append(argument)
        following = arguments[position + 1] if position + 1 < end else "--"
        if position < end and argument in _WITH_FILE and following.startswith("-") and following != "-":
            found.append(UNNAMED)
    return found


def audiences(asked: Iterable[str] | None) -> tuple[Audience, ...]:
    """Read a repeatable ``--audience``, in the order of the audiences."""
    wanted = split(asked) or AUDIENCES[:1]
    check_known(wanted, (*AUDIENCES, BOTH), "--audience")
    return tuple(each for each in AUDIENCES if each in wanted or BOTH in wanted)


def split(lists: Iterable[str] | None) -> tuple[str, ...]:
    """The entries of a repeatable list with commas, each once."""
    parts = (part.strip() for text in lists or () for part in text.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def check_known(asked: Iterable[str], known: Sequence[str], option: str) -> None:
    """Refuse an entry that is not one of those known, as a usage error."""
    for each in asked:
        if each not in known:
            raise typer.BadParameter(f"{each!r} is not one of {', '.join(known)}", param_hint=option)


def read_sheet(
    audience: Audience | None = None,
    paper: Paper | None = None,
    lang: str | None = None,
    rows: Iterable[str] | None = None,
    icons: Iterable[str] | None = None,
    label: str | None = None,
    site: str | None = None,
) -> Sheet:
    """Build the sheet asked for; raises SheetError."""
    return Sheet(
        audience=audience or AUDIENCES[0],
        language=lang or SOURCE,
        paper=paper or PAPERS[0],
        rows=split(rows),
        icons=split(icons),
        label=label or "",
        site=site or "",
    )


def targets(files: Mapping[str, str | None], patient: str, profile: str | None) -> dict[str, Path]:
    """Where each kind of sheet goes, refused before any work where it cannot be written.

    Parameters
    ----------
    files
        ``html`` and ``pdf`` with the name given, empty for none given; None where the kind is not wanted.
    patient
        What an unnamed file is called.
    profile
        The file the patient comes from; never written over.

    Raises
    ------
    SheetError
        When a file cannot be written.
    """
    found: dict[str, Path] = {}
    for kind, name in files.items():
        if name is None:
            continue
        path = Path(name or f"{patient}.{kind}")
        if name == "-" or path.suffix.lower() in _PROFILES or (profile and path.resolve() == Path(profile).resolve()):
            raise typer.BadParameter(
                f"{path} is where a patient comes from, not where a sheet goes; "
                f"put the profile first: compare {path} --{kind}",
                param_hint=f"--{kind}",
            )
        check_target(path)
        if path.resolve() in {other.resolve() for other in found.values()}:
            raise typer.BadParameter(f"{path} is the name of another sheet already", param_hint=f"--{kind}")
        found[kind] = path
    return found


def check_target(path: Path) -> None:
    """Refuse a file that cannot be written; raises SheetError."""
    try:
        folder = path.resolve().parent
        if not folder.is_dir():
            raise _refusal(path, f"there is no folder {folder}; make it first")
        if path.exists() and not path.is_file():
            raise _refusal(path, "it is not a file; name a file")
        for place in (folder, path):
            if place.exists() and not os.access(place, os.W_OK):
                raise _refusal(path, f"{place} is read-only; name another")
    except OSError as error:
        raise _refusal(path, error.strerror or str(error)) from None


def check_pdf(otherwise: str) -> None:
    """Refuse a PDF where parts for it are not installed; ``otherwise`` goes on without. Raises SheetError."""
    from bcma_decide.render.sheet.pdf import missing

    if needed := missing():
        raise SheetError(f"a PDF cannot be written: parts are not installed; install: {needed}; or {otherwise}")


def make_folder(path: Path) -> None:
    """Make a folder where there is none; raises SheetError where that fails or it is read-only."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SheetError(f"{path}: cannot be made a folder: {error.strerror}") from None
    if not os.access(path, os.W_OK):
        raise SheetError(f"{path}: cannot be written: it is read-only; name another")


def check_inside(path: Path, folder: Path) -> None:
    """Refuse a link in a folder of results that leads out of it: nobody named where it leads. Raises SheetError."""
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a link to itself
        inside = False
    if not inside:
        raise _refusal(path, "it is a link that leads out of the folder; remove it")


def write(path: Path, content: bytes, *, inside: Path | None = None) -> None:
    """Write a file whole or not at all; raises SheetError.

    A link is followed where its own name was given. Of files whose names the program makes up ``inside`` is the folder,
    and a link there may not lead out of it.
    """
    from secrets import token_hex

    if inside is not None:
        check_inside(path, inside)
    try:
        target = path.resolve()
        part = target.with_name(f".bcma-decide-{token_hex(8)}.part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as stream:
                stream.write(content)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except RuntimeError:  # a link to itself
        raise _refusal(path, "it is a link to itself") from None
    except OSError as error:
        raise _refusal(path, error.strerror or str(error)) from None


def _refusal(path: Path, reason: str) -> SheetError:
    return SheetError(f"{path}: cannot be written: {reason}")
