"""Read everything the fit needs from the evidence directory."""

from __future__ import annotations

from pathlib import Path

from bcma_decide.workshop.evidence.assumptions import load_assumptions, load_correlations, load_pooled_effects
from bcma_decide.workshop.evidence.catalogue import load_catalogue
from bcma_decide.workshop.evidence.codes import load_codes
from bcma_decide.workshop.evidence.definitions import load_definitions
from bcma_decide.workshop.evidence.order import load_order
from bcma_decide.workshop.evidence.published import load_published
from bcma_decide.workshop.evidence.rules import load_rules
from bcma_decide.workshop.evidence.way_to_infusion import load_way
from bcma_decide.workshop.patient_model.preparation import Inputs


def load_inputs(directory: Path) -> Inputs:
    """Everything in one evidence directory, checked.

    Raises
    ------
    EvidenceError
        When a file is missing or does not follow its schema.
    """
    catalogue = load_catalogue(directory)
    definitions = load_definitions(directory)
    rules = load_rules(directory, definitions)
    return Inputs(
        catalogue=catalogue,
        assumptions=load_assumptions(directory),
        correlations=load_correlations(directory),
        pooled_effects=load_pooled_effects(directory),
        definitions=definitions.to_dict(),
        rules=rules.bedside(),
        published=load_published(directory, catalogue, rules, definitions),
        way=load_way(directory, catalogue),
        order=load_order(directory, catalogue, rules),
        codes=load_codes(directory, definitions).bedside(),
    )
