"""The console everything is shown on: what a file or a name holds is shown there, and steers nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import rich.console
from rich.segment import Segment

from bcma_decide.errors import printable


class Console(rich.console.Console):
    """Rich's console, with control characters of any text written out; its own colours and cursor stay."""

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:  # noqa: ANN401  # as the library has it
        """Render as usual, with every text as :func:`printable` writes it."""
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else printable(segment.text)
            yield segment if text is segment.text else Segment(text, segment.style)
