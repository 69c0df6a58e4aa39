"""The inputs that are asked first: those that move the numbers most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LEADING: Final = (
    "age",
    "prior_lines",
    "refractory_to",
    "prior_bcma",
    "extramedullary_disease",
    "high_risk_cytogenetics",
    "platelets",
    "ferritin",
)
"""In the order in which a patient is presented. A test works out from the model that no other eight move more; the
refractory drugs stand for triple-class refractory disease, which follows from them and which labels ask for by drug."""

FOLLOW_UP: Final[Mapping[str, str]] = {"prior_bcma": "prior_bcma_courses"}
"""What is asked next where one of them is answered with yes: the kind and the months that labels and findings need."""
