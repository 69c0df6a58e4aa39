"""The first screen of the terminal as a picture (SVG), for a README."""

from __future__ import annotations

import io
import re
from typing import Final

from rich.terminal_theme import TerminalTheme

from bcma_decide.comparison import Comparison
from bcma_decide.render.terminal.console import Console
from bcma_decide.render.terminal.first_screen import render_first_screen

_BACKGROUND: Final = (255, 255, 255)
_INK: Final = (26, 26, 26)
_BLUE: Final = (0, 114, 178)
_GREY: Final = (89, 89, 89)

# Only ink, grey and one blue are ever used; all stand at 5:1 or more on white.
_THEME: Final = TerminalTheme(_BACKGROUND, _INK, [_INK, _INK, _INK, _INK, _BLUE, _INK, _BLUE, _GREY])


def terminal_picture(comparison: Comparison, width: int = 80) -> str:
    """Draw what `render_first_screen` prints; same comparison, same bytes, nothing loaded from elsewhere.

    Parameters
    ----------
    comparison
        What to draw.
    width
        Width of the console in characters.
    """
    console = Console(
        file=io.StringIO(),
        width=width,
        record=True,
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        legacy_windows=False,
        _environ={},
    )
    render_first_screen(comparison, console)
    svg = console.export_svg(title=comparison.software.name, theme=_THEME, unique_id="bcma-decide")
    svg = re.sub(r"\s*@font-face \{.*?\n    \}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", "font-family: DejaVu Sans Mono, Menlo, Consolas, monospace")
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"
