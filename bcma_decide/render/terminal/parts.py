"""The parts of a comparison that may be asked for by themselves, in the order in which they are printed."""

from __future__ import annotations

from typing import Final, Literal, get_args

Part = Literal["classes", "products", "pair", "findings", "labels", "practice", "order", "weights", "sources"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)
