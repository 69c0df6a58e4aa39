"""``bcma-decide schema``: the shape of the JSON that ``compare --json`` prints."""

from __future__ import annotations

import typer

schema_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@schema_app.command()
def schema() -> None:
    """Print the JSON Schema of a comparison, for programs that read it."""
    from bcma_decide.comparison import schema_json

    typer.echo(schema_json(), nl=False)
