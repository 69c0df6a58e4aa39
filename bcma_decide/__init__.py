"""bcma-decide: BCMA CAR-T and BCMAxCD3 bispecific antibodies side by side, for one patient with myeloma.

>>> from bcma_decide import Patient, compare
>>> comparison = compare(Patient(age=71, extramedullary_disease="yes"))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from bcma_decide.version import __version__

if TYPE_CHECKING:
    from bcma_decide.comparing.compare import compare, load_model, load_pooled
    from bcma_decide.comparison import Comparison
    from bcma_decide.errors import (
        BcmaDecideError,
        EvidenceError,
        NoEvidenceError,
        ProfileError,
        SynthesisError,
        WeightsError,
    )
    from bcma_decide.patient.profile import Patient
    from bcma_decide.patient.stated_weights import Weights

__all__ = [
    "BcmaDecideError",
    "Comparison",
    "EvidenceError",
    "NoEvidenceError",
    "Patient",
    "ProfileError",
    "SynthesisError",
    "Weights",
    "WeightsError",
    "__version__",
    "compare",
    "load_model",
    "load_pooled",
]

_HOMES = {
    "compare": "bcma_decide.comparing.compare",
    "load_model": "bcma_decide.comparing.compare",
    "load_pooled": "bcma_decide.comparing.compare",
    "Comparison": "bcma_decide.comparison",
    "Patient": "bcma_decide.patient.profile",
    "Weights": "bcma_decide.patient.stated_weights",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for, so that importing one part does not import all."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "bcma_decide.errors")), name)
