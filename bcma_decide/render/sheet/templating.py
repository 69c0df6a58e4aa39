"""Templates as all pages use them: escaped, strict about what is missing, text printed in one line as it is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcma_decide.render.words.wording import visible

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(*folders: Path, extensions: tuple[str, ...] = ()) -> Environment:
    """Templates of these folders, the first that has a name before the next."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
        extensions=extensions,
    )


def _printable(value: Any) -> Any:  # noqa: ANN401  # jinja passes whatever an expression gives
    """Plain text in one line; what is markup already as it stands."""
    return visible(value) if type(value) is str else value
