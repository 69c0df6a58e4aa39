"""``bcma-decide serve``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date as Day  # noqa: N812  # a parameter is called date elsewhere in the command line
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from bcma_decide.cli.compare import EvidenceDirectory
from bcma_decide.cli.errors import report_errors
from bcma_decide.cli.output import say
from bcma_decide.errors import Problem, ServiceError, one_line

if TYPE_CHECKING:
    from bcma_decide.fhir.reading.reader import Reading
    from bcma_decide.pooled.evidence import PooledEvidence
    from bcma_decide.service.service import Reader

serve_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

EXTRA: Final = (
    "authlib",
    "cryptography",
    "fastapi",
    "h11",
    "httpcore",
    "httpx",
    "joserfc",
    "markdown_it",
    "prometheus_client",
    "pydantic_settings",
    "python_multipart",
    "uvicorn",
)
INSTALL: Final = 'pip install "bcma-decide[clinic]"'
DEPLOY: Final = Path(__file__).parents[1] / "service" / "deploy"
EXAMPLES: Final = {"containerfile": "Containerfile", "systemd": "bcma-decide.service", "config": "bcma-decide.toml"}

Host = Annotated[
    str | None, typer.Option("--host", metavar="ADDRESS", help="Where to listen; default 127.0.0.1, this machine only.")
]
Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="Port to listen on; default 8000, 0 takes a free one.")
]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", envvar="BCMA_DECIDE_CONFIG", help="Settings, as TOML."),
]
Audit = Annotated[
    str | None,
    typer.Option(
        "--audit", metavar="ADDRESS",
        help="Record every answer before it leaves: sqlite:///audit.db or postgresql://user@host/database. A password "
        "is better given as BCMA_DECIDE_AUDIT or in the file.",
    ),
]  # fmt: skip
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, max=64, metavar="N",
        help="Processes that answer, one for each core; default 1. They share sessions, used tokens and limits in a "
        "file in memory, or where store in the settings says (sqlite:///FILE, redis://HOST, rediss://HOST): "
        "there they outlive a restart.",
    ),
]  # fmt: skip
Print = Annotated[
    Literal["containerfile", "systemd", "config"] | None,
    typer.Option("--print", help="Print an example to start from, and leave."),
]


@serve_app.command()
@report_errors
def serve(
    host: Host = None,
    port: Port = None,
    config: Config = None,
    audit: Audit = None,
    workers: Workers = None,
    example: Print = None,
    evidence: EvidenceDirectory = None,
) -> None:
    """Answer other software over HTTP: REST and CDS Hooks. Without --audit nothing of a patient is written or logged.

    Without a configured issuer it is open and listens on this machine only; elsewhere it starts only when issuers say
    who may call. Settings come from the options, BCMA_DECIDE_* variables, the file; --print config lists them.

    Example: bcma-decide serve --port 8000, then POST /comparisons
    """
    if example is not None:
        say((DEPLOY / EXAMPLES[example]).read_text(encoding="utf-8"), nl=False)
        return
    _require_extra()
    from bcma_decide.service.audit.audit_address import shown
    from bcma_decide.service.run import run
    from bcma_decide.service.settings import read_settings

    given: dict[str, Any] = {"host": host, "port": port, "audit": audit, "workers": workers}
    settings = read_settings(config, **{name: value for name, value in given.items() if value is not None})
    recorded = None if settings.audit is None else shown(settings.audit.get_secret_value())

    def started(address: str, bound: int) -> None:
        shown = f"[{address}]" if ":" in address else address
        say(f"listening on http://{shown}:{bound}", err=True)
        if settings.open:
            say("open: anyone on this machine may call; for development only", err=True)
        if recorded is not None:
            say(f"audit: {one_line(recorded)}; it holds what is asked for patients", err=True)

    run(settings, partial(_loaded, evidence), started=started)


def _loaded(evidence: Path | None, aloud: bool) -> tuple[PooledEvidence, Reader]:
    """The evidence and what reads records with it, in the process that needs them; ``aloud``: warn if it is old."""
    from bcma_decide.cli.answer import warn_if_old
    from bcma_decide.comparing.compare import load_pooled

    pooled = load_pooled(evidence)
    if aloud:
        warn_if_old(pooled)
    return pooled, partial(_read, pooled)


def _read(pooled: PooledEvidence, bundle: Mapping[str, Any], on: Day, *, infer: bool = False) -> Reading:
    from bcma_decide.fhir.reading.reader import read_bundle

    return read_bundle(bundle, pooled.codes, pooled.definitions, on, infer=infer)


def _require_extra() -> None:
    """Say in one line what to install where a library of the extra is missing."""
    from importlib.util import find_spec

    absent = [name for name in EXTRA if find_spec(name) is None]
    if absent:
        problem = Problem("clinic", f"not installed: {', '.join(absent)}", f"install: {INSTALL}")
        raise ServiceError("the service cannot start", [problem])
