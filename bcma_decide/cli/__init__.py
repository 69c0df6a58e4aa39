"""The command line: one short file per group of commands, loaded only when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from bcma_decide.cli.streams import flushed, open_streams, settle_size
from bcma_decide.errors import printable
from bcma_decide.version import __version__

EPILOG: Final = (
    "Exit codes: 0 ok, 2 usage, 3 invalid input, 4 no usable evidence. "
    "To inform, not to direct; not for urgent decisions; not a medical device."
)

COMMANDS: Final = {
    "compare": ("bcma_decide.cli.compare", "Compare BCMA CAR-T with BCMAxCD3 bispecific antibodies for one patient."),
    "batch": ("bcma_decide.cli.batch", "Write the sheets of every profile or record in a folder."),
    "cohort": ("bcma_decide.cli.cohort", "Answer for every patient of a table or an export of FHIR."),
    "score": ("bcma_decide.cli.score", "Work out a published score for one patient, or list the scores."),
    "template": ("bcma_decide.cli.profiles", "Write an empty, commented profile file."),
    "examples": ("bcma_decide.cli.profiles", "List the shipped example patients, or write their sheets."),
    "rules": (
        "bcma_decide.cli.rules",
        "List, show and check the rules and labels behind the findings.",
    ),
    "schema": ("bcma_decide.cli.schema", "Print the JSON Schema of a comparison."),
    "serve": ("bcma_decide.cli.serve", "Answer over HTTP: a web page, REST, CDS Hooks, SMART launches."),
    "replay": ("bcma_decide.cli.replay", "Repeat a recorded answer of the service and compare the bytes."),
    "meta": ("bcma_decide.cli.meta", "Pool a table of studies of your own: a meta-analysis with its diagnostics."),
    "evidence": ("bcma_decide.cli.evidence", "Look at, check, pool and build the evidence."),
    "reports": ("bcma_decide.cli.reports", "Write everything in reports/: sheets, pictures, evidence, schema."),
    "guide": ("bcma_decide.cli.guide", "Read the guide: answers, the mathematics, the service, words."),
}
"""Where each command lives, and its one-line help, so that listing them loads none of them."""


@contextmanager
def _shown() -> Iterator[None]:
    """Usage errors repeat what was given: without its control characters."""
    try:
        yield
    except Exception as error:
        if hasattr(error, "format_message"):  # the error of the library inside typer, which has no public name
            error.message = printable(str(getattr(error, "message", "")))  # type: ignore[attr-defined]
        raise


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are used, and whose errors show what was given, not obey it."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as the library has it
        """Parse what stands before a command."""
        with _shown():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  # as the library has it
        """Parse what stands behind a command, and run it."""
        with _shown():
            return super().invoke(ctx)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - the library's own types
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """Import and build one command."""
        if cmd_name not in COMMANDS:
            return None
        module, summary = COMMANDS[cmd_name]
        command = get_command(getattr(import_module(module), f"{cmd_name}_app"))
        command.name = cmd_name
        command.short_help = summary
        return command


app = typer.Typer(
    name="bcma-decide",
    cls=LazyGroup,
    no_args_is_help=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)

FIRST_STEPS: Final = """\
bcma-decide puts BCMA CAR-T cells and BCMAxCD3 bispecific antibodies side by side for one patient.

  bcma-decide compare --example fit-58        a shipped example patient
  bcma-decide compare --age 71 --prior-lines 4 --extramedullary-disease yes
  bcma-decide compare --ask                   eight questions, then the answer
  bcma-decide template > profile.yaml         a profile file to fill in: bcma-decide compare profile.yaml
  bcma-decide guide                           how to read an answer, the mathematics, what words mean
  bcma-decide --help                          everything else
"""


def _version(value: bool) -> None:
    if value:
        typer.echo(f"bcma-decide {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def main_callback(
    ctx: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", metavar="", callback=_version, is_eager=True, help="Print the version and leave."),
    ] = False,
) -> None:
    """BCMA CAR-T and BCMAxCD3 bispecific antibodies, side by side, for one patient with myeloma."""
    del version
    if ctx.invoked_subcommand is None:
        typer.echo(FIRST_STEPS, nl=False)


def main() -> None:
    """Entry point of the ``bcma-decide`` command."""
    open_streams()
    settle_size()
    with flushed():
        app()
