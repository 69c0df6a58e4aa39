"""Writing plain data to standard output, the same from every command."""

from __future__ import annotations

import json

import typer


def print_json(content: object) -> None:
    """Print plain data as indented JSON, names in their own letters."""
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
