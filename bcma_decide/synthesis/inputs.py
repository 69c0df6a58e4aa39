"""Read everything the fit needs from the evidence directory."""

from __future__ import annotations

from pathlib import Path

from bcma_decide.evidence.assumptions import load_assumptions, load_correlations, load_pooled_effects
from bcma_decide.evidence.catalogue import load_catalogue
from bcma_decide.evidence.definitions import load_definitions
from bcma_decide.synthesis.workshop import Inputs


def load_inputs(directory: Path) -> Inputs:
    """Catalogue, assumptions, correlations, pooled effects and definitions of one evidence directory.

    Raises
    ------
    EvidenceError
        When a file is missing or does not follow its schema.
    """
    return Inputs(
        catalogue=load_catalogue(directory),
        assumptions=load_assumptions(directory),
        correlations=load_correlations(directory),
        pooled_effects=load_pooled_effects(directory),
        definitions=load_definitions(directory).to_dict(),
    )
