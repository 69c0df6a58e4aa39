"""Limits, published options and quoted survival together, as the pooled file carries them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bcma_decide.pooled.definitions import Definitions
from bcma_decide.workshop.evidence.catalogue import Catalogue
from bcma_decide.workshop.evidence.limits import load_limits
from bcma_decide.workshop.evidence.published_options import load_published_options
from bcma_decide.workshop.evidence.published_rows import figure_sources
from bcma_decide.workshop.evidence.quoted_survival import load_quoted_survival
from bcma_decide.workshop.evidence.rules import RuleFiles


def load_published(root: Path, catalogue: Catalogue, rules: RuleFiles, definitions: Definitions) -> dict[str, Any]:
    """Plain data for the pooled file.

    Raises
    ------
    EvidenceError
        When one of the three files cannot be used.
    """
    limits = load_limits(root, catalogue, rules, definitions)
    options = load_published_options(root, catalogue, rules)
    survival = load_quoted_survival(root, catalogue, definitions, options)
    classes = {product.id: product.class_id for product in rules.products.products}
    rows = [row for limit in limits for row in limit.rows] + [row for option in options for row in option.rows]
    return {
        "limits": [limit.bedside(catalogue) for limit in limits],
        "options": [option.bedside(catalogue, classes[option.product]) for option in options],
        "survival": survival.bedside(catalogue),
        "sources": figure_sources(rows, catalogue) | survival.sources(catalogue),
    }
