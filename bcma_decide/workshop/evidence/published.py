"""Limits and published options together, as the pooled file carries them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bcma_decide.pooled.definitions import Definitions
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.limits import load_limits
from bcma_decide.workshop.evidence.published_options import load_published_options
from bcma_decide.workshop.evidence.published_rows import figure_sources
from bcma_decide.workshop.evidence.rules import RuleFiles


def load_published(root: Path, catalogue: Catalogue, rules: RuleFiles, definitions: Definitions) -> dict[str, Any]:
    """Plain data for the pooled file.

    Raises
    ------
    EvidenceError
        When one of the two files cannot be used.
    """
    limits = load_limits(root, catalogue, rules, definitions)
    options = load_published_options(root, catalogue, rules)
    classes = {product.id: product.class_id for product in rules.products.products}
    rows = [row for limit in limits for row in limit.rows] + [row for option in options for row in option.rows]
    return {
        "limits": [limit.bedside(catalogue) for limit in limits],
        "options": [option.bedside(catalogue, classes[option.product]) for option in options],
        "sources": figure_sources(rows, catalogue),
    }
