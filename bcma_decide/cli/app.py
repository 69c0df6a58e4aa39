"""The command line as its library sees it: one group, whose commands are loaded when they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from bcma_decide.cli.stand_ins import stood_in, with_class
from bcma_decide.cli.table import COMMANDS, EPILOG
from bcma_decide.errors import printable
from bcma_decide.version import __version__


@contextmanager
def _shown() -> Iterator[None]:
    """Usage errors repeat what was given: without its control characters."""
    try:
        yield
    except Exception as error:
        if hasattr(error, "format_message"):  # the error of the library inside typer, which has no public name
            error.message = printable(str(getattr(error, "message", "")))  # type: ignore[attr-defined]
        raise


class _GivenOption(TyperOption):
    """An option that the library checks only where it was given: its checks load a library of their own."""

    def process_value(self, ctx: Any, value: Any) -> Any:  # noqa: ANN401
        """Check and convert what was given; a default is of its type as it is written."""
        return _processed(self, super().process_value, ctx, value)


class _GivenArgument(TyperArgument):
    """An argument of that kind."""

    def process_value(self, ctx: Any, value: Any) -> Any:  # noqa: ANN401
        """Check and convert what was given; a default is of its type as it is written."""
        return _processed(self, super().process_value, ctx, value)


def _processed(
    parameter: TyperOption | TyperArgument,
    process: Callable[[Any, Any], Any],
    ctx: Any,  # noqa: ANN401
    value: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    source = ctx.get_parameter_source(parameter.name)
    if parameter.required or (value is not None and (source is None or source.name != "DEFAULT")):
        return process(ctx, value)
    if value is None and (parameter.multiple or parameter.nargs == -1):
        value = ()
    return value if parameter.callback is None else parameter.callback(ctx, parameter, value)


def loaded(name: str, ctx: Any) -> Any:  # noqa: ANN401 - the library's own types
    """One command of the table, imported and built, to be called inside a context."""
    module, summary = COMMANDS[name]
    command = get_command(getattr(import_module(module), f"{name}_app"))
    command.name = name
    command.short_help = summary
    _check_what_is_given(command, ctx)
    return command


def _check_what_is_given(command: Any, above: Any) -> None:  # noqa: ANN401
    ctx = typer.Context(command, parent=above)
    _given(command.get_params(ctx))
    for each in getattr(command, "commands", {}).values():
        _check_what_is_given(each, ctx)


def _given(parameters: Sequence[Any]) -> Sequence[Any]:
    """The same parameters, as those that are checked only where they were given."""
    for parameter in parameters:
        if type(parameter) is TyperOption:
            parameter.__class__ = _GivenOption
        elif type(parameter) is TyperArgument:
            parameter.__class__ = _GivenArgument
    return parameters


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

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401
        """Options before a command, those for completion and help among them."""
        return _given(super().get_params(ctx))

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - the library's own types
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """A command as it is listed: its name and what it does in a line."""
        return TyperCommand(cmd_name, short_help=COMMANDS[cmd_name][1]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        """Import and build the command that is called."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and loaded(str(name), ctx), rest


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


HELP: Final = frozenset({"-h", "--help", "--help-all"})
UNUSED: Final = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
"""What the library loads to draw a help, and no help here is drawn with: more than half of its time."""


def run(words: Sequence[str]) -> None:
    """Run the command line."""
    if not HELP.isdisjoint(words):
        with stood_in({module: with_class(module, name) for module, name in UNUSED.items()}):
            import_module("typer.rich_utils")
    app()
