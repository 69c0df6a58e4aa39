"""``bcma-decide score``: one published score for one patient, with what it is good for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.output import print_json, say
from bcma_decide.cli.profile_options import (
    ExampleName,
    ProfileCommand,
    ProfileFile,
    with_profile_options,
)
from bcma_decide.cli.profiles import EvidenceDirectory
from bcma_decide.cli.table import EPILOG

if TYPE_CHECKING:
    from bcma_decide.pooled.definitions import Definitions
    from bcma_decide.pooled.evidence import PooledEvidence

score_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def _names(definitions: Definitions) -> list[str]:
    return [score.about.id.replace("_", "-") for score in definitions.scores.every()]


def _shipped_names() -> list[str]:
    from bcma_decide.pooled.definitions import shipped_definitions

    return _names(shipped_definitions())


Name = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="Its id, as in the list; without it, the list.", autocompletion=_shipped_names),
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON instead of text.")]


@score_app.command(cls=ProfileCommand, epilog=EPILOG)
@with_profile_options
@report_errors
def score(
    name: Name = None,
    profile: ProfileFile = None,
    example: ExampleName = None,
    as_json: AsJson = False,
    evidence: EvidenceDirectory = None,
    *,
    options: dict[str, str],
) -> None:
    """Work out a published score for one patient: points, interval for what is missing, category if it cannot change.

    Without a patient it prints the definition, for whom the score was made and where it stops.

    Example: bcma-decide score car-hematotox --platelets "71 10^9/L" --neutrophils "1.1 10^9/L" --crp "64 mg/L"
    """
    from bcma_decide.comparing.compare import load_pooled

    pooled = load_pooled(evidence)
    if name is None:
        _list(pooled, as_json)
        return
    found = pooled.definitions.scores.find(name)
    if found is None:
        from bcma_decide.errors import closest

        ids = _names(pooled.definitions)
        hint = closest(name.replace("_", "-"), ids) or f"one of {', '.join(ids)}"
        raise typer.BadParameter(f"{name!r} is not a score; {hint}", param_hint="NAME")
    from bcma_decide.cli.sources import patient_from_sources
    from bcma_decide.facts.score_lines import score_line
    from bcma_decide.facts.traits import derive

    if profile is not None and example is not None:
        raise typer.BadParameter("two patients: give either --profile or --example", param_hint="--example")
    patient = patient_from_sources(profile, example, options, pooled.definitions)
    facts = derive(patient, pooled.definitions).facts
    line = score_line(found, facts)
    if as_json:
        say(line.model_dump_json(indent=2))
        return
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.render.terminal.score import render_score

    render_score(line, pooled.definitions.scores.sources, Console(highlight=False))


def _list(pooled: PooledEvidence, as_json: bool) -> None:
    rows = [each.about for each in pooled.definitions.scores.every()]
    if as_json:
        print_json([{"id": about.id, "name": about.name, "purpose": about.purpose} for about in rows])
        return
    from bcma_decide.render.terminal.console import Console
    from bcma_decide.render.terminal.page import TerminalPage

    page = TerminalPage(Console(highlight=False))
    page.items([(about.id.replace("_", "-"), f"{about.name}: {about.purpose}") for about in rows])
