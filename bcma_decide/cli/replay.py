"""``bcma-decide replay``: repeat recorded answers of the service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bcma_decide.cli.compare import EvidenceDirectory
from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.output import say
from bcma_decide.errors import EXIT_DIFFERS, EXIT_NOT_REPEATABLE, one_line
from bcma_decide.version import __version__

if TYPE_CHECKING:
    from bcma_decide.pooled.evidence import PooledEvidence
    from bcma_decide.service.audit.audit import Audit
    from bcma_decide.service.audit.replay import Replay, Verdict

replay_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

EXITS: Final[dict[Verdict, int]] = {
    "same": 0,
    "differs": EXIT_DIFFERS,
    "changed": EXIT_DIFFERS,
    "not repeatable": EXIT_NOT_REPEATABLE,
}
EPILOG: Final = (
    f"Exit codes: 0 the same bytes, 2 usage, 3 no such record or audit, 4 no usable evidence, {EXIT_DIFFERS} other "
    f"bytes or a changed request, {EXIT_NOT_REPEATABLE} cannot be repeated here: other program or evidence."
)

RecordId = Annotated[
    str | None, typer.Argument(metavar="ID", help="Id of the record, as the header Audit-Id of the answer has it.")
]
Address = Annotated[
    str | None,
    typer.Option("--audit", metavar="ADDRESS", envvar="BCMA_DECIDE_AUDIT", help="The audit, as serve was given it."),
]
All = Annotated[bool, typer.Option("--all", metavar="", help="Repeat every record, and print those that differ.")]
List = Annotated[bool, typer.Option("--list", metavar="", help="List the records, newest first; repeat none.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="FILE", help="Write the repeated comparison as JSON; it holds the patient's values."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print what was found as JSON.")]


@replay_app.command(epilog=EPILOG)
@report_errors
def replay(
    record_id: RecordId = None,
    audit: Address = None,
    every: All = False,
    listed: List = False,
    output: Output = None,
    as_json: AsJson = False,
    evidence: EvidenceDirectory = None,
) -> None:
    """Repeat a recorded answer of the service and compare the bytes. Nothing of a patient is printed.

    The stored request goes through this program and evidence again. What cannot be repeated here says which version or
    evidence it needs.

    Example: bcma-decide replay 019ac2f0-5d3c-7a41-9c52-0d1f6f3f8a77 --audit sqlite:///audit.db
    """
    if (record_id is not None) + every + listed != 1:
        raise typer.BadParameter("give the ID of a record, or --all, or --list", param_hint="ID")
    if output is not None and record_id is None:
        raise typer.BadParameter("belongs to one record: give its ID", param_hint="--output")
    if audit is None:
        message = "which audit? give its address, as in --audit sqlite:///audit.db, or set BCMA_DECIDE_AUDIT"
        raise typer.BadParameter(message, param_hint="--audit")
    from bcma_decide.service.audit.audit_address import open_audit

    store = open_audit(audit, write=False)
    try:
        if listed:
            _list(store, as_json)
            return
        from bcma_decide.comparing.compare import load_pooled

        pooled = load_pooled(evidence)
        code = _all(store, pooled, as_json) if record_id is None else _one(store, pooled, record_id, output, as_json)
    finally:
        store.close()
    raise typer.Exit(code)


def _one(store: Audit, pooled: PooledEvidence, record_id: str, output: Path | None, as_json: bool) -> int:
    from bcma_decide.service.audit.replay import replay as repeat

    found = repeat(store.find(record_id), pooled)
    if output is not None and found.document:
        from bcma_decide.cli.sheets import write

        write(output, found.document.encode())
    said = _plain(found) | {"version_here": __version__, "evidence_here": pooled.hash}
    if as_json:
        from bcma_decide.cli.output import print_json

        print_json(said)
    else:
        for name, value in said.items():
            if value:
                say(f"{name.replace('_', ' '):<15}{value}")
    if output is not None:
        say(one_line(f"wrote {output}") if found.document else one_line(f"nothing to write to {output}"), err=True)
    return EXITS[found.verdict]


def _all(store: Audit, pooled: PooledEvidence, as_json: bool) -> int:
    """Repeat every record; the worst verdict decides the exit code."""
    from bcma_decide.service.audit.replay import replay as repeat

    counts: Counter[Verdict] = Counter()
    others: list[dict[str, Any]] = []
    with _progress(store.count()) as advance:
        for record in store.newest_first():
            found = repeat(record, pooled)
            counts[found.verdict] += 1
            if as_json and found.verdict != "same":
                others.append(_plain(found))
            elif found.verdict != "same":
                say(f"{record.id}  {record.recorded}  {found.verdict}: {found.reason}")
            advance()
    if as_json:
        from bcma_decide.cli.output import print_json

        print_json({"counts": {verdict: counts[verdict] for verdict in EXITS}, "not_same": others})
    else:
        say(", ".join(f"{counts[verdict]} {verdict}" for verdict in EXITS))
    if counts["differs"] + counts["changed"]:
        return EXIT_DIFFERS
    return EXIT_NOT_REPEATABLE if counts["not repeatable"] else 0


def _list(store: Audit, as_json: bool) -> None:
    rows = (
        {"id": each.id, "time": each.recorded, "face": each.face, "issuer": each.issuer,
         "version": each.software_version, "evidence": each.evidence_hash, "result": each.output_hash}
        for each in store.newest_first()
    )  # fmt: skip
    if as_json:
        from bcma_decide.cli.output import print_json

        print_json(list(rows))
        return
    for row in rows:
        short = row | {"evidence": row["evidence"][:12], "result": row["result"][:12], "issuer": row["issuer"] or "-"}
        say("  ".join(short.values()))


def _plain(found: Replay) -> dict[str, Any]:
    """What was found as plain data, without the request."""
    record = found.record
    return {
        "id": record.id,
        "time": record.recorded,
        "face": record.face,
        "issuer": record.issuer,
        "version": record.software_version,
        "schema": record.schema_version,
        "evidence": record.evidence_hash,
        "request": record.request_hash,
        "result": record.output_hash,
        "repeated": found.output_hash,
        "verdict": found.verdict,
        "reason": found.reason,
    }


@contextmanager
def _progress(total: int) -> Iterator[Any]:
    """A bar on a terminal, nothing elsewhere; gives the function that moves it on."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress

    from bcma_decide.render.terminal.console import Console

    console = Console(stderr=True, highlight=False)
    with Progress(
        BarColumn(), MofNCompleteColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        bar = progress.add_task("", total=total)
        yield lambda: progress.advance(bar)
