"""The command-line options of a profile, one per field of the table, for every command that takes a patient.

A command asks for them with a parameter ``options: dict[str, str]``::

    @app.command(cls=ProfileCommand)
    @with_profile_options
    def compare(profile: ProfileFile = None, example: ExampleName = None, *, options: dict[str, str]) -> None:
        patient = patient_from_sources(profile, example, options)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand

from bcma_decide.cli.help import ALL, HelpAll, write_help
from bcma_decide.errors import BcmaDecideError
from bcma_decide.patient.fields import FIELDS, ProfileField, definition_text
from bcma_decide.patient.names import ALIASES, LABS, nearest_name

if TYPE_CHECKING:
    from bcma_decide.pooled.definitions import Definitions

PARAMETER: Final = "options"
HELP_ALL: Final = "help_all"
_PANEL: Final = "The patient: {panel} (everything may be left out or 'unknown')"
_METAVAR: Final = {
    "whole": "N",
    "yes_no": "yes|no",
    "stage": "I|II|III",
    "quantity": "VALUE",
    "drugs": "DRUG,DRUG",
    "courses": "KIND:MONTHS",
}


def _example_names() -> list[str]:
    from bcma_decide.patient.files import example_names

    return list(example_names())


ProfileFile = Annotated[
    str | None,
    typer.Option(
        "--profile", "-p", metavar="FILE",
        help="Profile of the patient, YAML or JSON; - reads standard input.",
        rich_help_panel="Where the patient comes from",
    ),
]  # fmt: skip
ExampleName = Annotated[
    str | None,
    typer.Option(
        "--example", "-e", metavar="NAME", help="One of the shipped fictional patients.",
        autocompletion=_example_names, rich_help_panel="Where the patient comes from",
    ),
]  # fmt: skip


class ProfileCommand(TyperCommand):
    """A command whose full help adds the definitions of the evidence in use, read only when it is asked for."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  # types of the library inside typer
        """Write the help; in full with the definitions of the fields, or with short ones where no evidence is found."""
        if ctx.meta.get(ALL):
            definitions = _definitions()
            for parameter in self.params:
                if parameter.name in FIELDS:
                    parameter.help = _help(FIELDS[parameter.name], definitions)  # type: ignore[attr-defined]
        write_help(self, ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  # types of the library inside typer
        """Parse; of an option that does not exist, suggest only one that is close in meaning."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if hasattr(error, "possibilities"):  # the error of the library inside typer, which has no public name
                known = {name: parameter.opts[0] for parameter in self.params for name in parameter.opts}
                near = nearest_name(getattr(error, "option_name", ""), known)
                error.possibilities = [near] if near else []
            raise


def with_profile_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command one option per field; those used arrive in its parameter ``options``."""
    signature = inspect.signature(command, eval_str=True)
    if PARAMETER not in signature.parameters:
        raise TypeError(f"{command.__name__} has no parameter {PARAMETER!r}")

    @wraps(command)
    def with_options(**values: Any) -> Any:  # noqa: ANN401  # whatever the command takes and returns
        values.pop(HELP_ALL)
        given = {name: values.pop(name) for name in (*FIELDS, LABS)}
        return command(**values, **{PARAMETER: _as_text(given)})

    own = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for n, p in signature.parameters.items() if n != PARAMETER]
    help_all = inspect.Parameter(HELP_ALL, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=HelpAll)
    parameters = [*own, help_all, _labs_parameter(), *(_parameter(field) for field in FIELDS.values())]
    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {p.name: p.annotation for p in parameters}
    return with_options


def _parameter(field: ProfileField) -> inspect.Parameter:
    option = typer.Option(
        field.option,
        *(f"--{name}" for name in ALIASES.get(field.id, ())),
        metavar="|".join(name for name, _ in field.choices) or _METAVAR[field.kind],
        help=_help(field, None),
        rich_help_panel=_PANEL.format(panel=field.panel.lower()),
        show_default=False,
    )
    repeated = field.kind in ("drugs", "courses")
    kind = list[str] | None if repeated else str | None
    annotation: Any = Annotated[kind, option]
    return inspect.Parameter(field.id, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _labs_parameter() -> inspect.Parameter:
    option = typer.Option(
        f"--{LABS}",
        metavar="FILE",
        help="Pasted laboratory values, one a line: name, number, unit, in English or German; - reads standard input.",
        rich_help_panel="Where the patient comes from",
        show_default=False,
    )
    annotation: Any = Annotated[str | None, option]
    return inspect.Parameter(LABS, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _definitions() -> Definitions | None:
    from bcma_decide.pooled.definitions import shipped_definitions

    try:
        return shipped_definitions()
    except BcmaDecideError:
        return None


def _help(field: ProfileField, definitions: Definitions | None) -> str:
    example = f", as in {field.option} {_quoted(field.example)}" if field.example else ""
    meaning = definition_text(field, definitions)
    why = "" if field.findings_only else field.why  # the help is long enough; the template has every reason
    return " ".join(part for part in (f"{field.label}: {field.answer}{example}.", meaning, why) if part)


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text


def _as_text(given: Mapping[str, Any]) -> dict[str, str]:
    """Keep the options used, as text; one given several times is joined."""
    used = {name: value for name, value in given.items() if value not in (None, [])}
    return {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in used.items()}
