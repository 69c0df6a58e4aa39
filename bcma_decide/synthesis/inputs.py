"""Read everything the fit needs from the evidence directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bcma_decide.errors import EvidenceError, Problem
from bcma_decide.evidence.assumptions import Assumptions, PooledEffects, TraitCorrelations
from bcma_decide.evidence.catalogue import load_catalogue
from bcma_decide.evidence.definitions import load_definitions
from bcma_decide.evidence.files import read_yaml
from bcma_decide.synthesis.workshop import Inputs

Shape = TypeVar("Shape", bound=BaseModel)


def read_checked(path: Path, shape: type[Shape]) -> Shape:
    """One YAML file in its strict shape.

    Raises
    ------
    EvidenceError
        With every field that does not fit.
    """
    try:
        return shape.model_validate_json(json.dumps(read_yaml(path)))
    except ValidationError as error:
        problems = [Problem(".".join(map(str, item["loc"])), item["msg"], file=path.name) for item in error.errors()]
        raise EvidenceError(f"{path.name} does not follow its schema", problems) from error


def load_inputs(directory: Path) -> Inputs:
    """Catalogue, assumptions, correlations, pooled effects and definitions of one evidence directory.

    Raises
    ------
    EvidenceError
        When a file is missing or does not follow its schema.
    """
    return Inputs(
        catalogue=load_catalogue(directory),
        assumptions=read_checked(directory / "assumptions.yaml", Assumptions),
        correlations=read_checked(directory / "trait_correlations.yaml", TraitCorrelations),
        pooled_effects=read_checked(directory / "pooled_effects.yaml", PooledEffects),
        definitions=load_definitions(directory).to_dict(),
    )
