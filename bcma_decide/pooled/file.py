"""Read and check the pooled file: everything the bedside knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from msgspec import json

from bcma_decide.comparison import Option, Reference
from bcma_decide.errors import EvidenceError, NoEvidenceError, Problem
from bcma_decide.pooled.definitions import Definitions
from bcma_decide.pooled.evidence import Block, Cell, Depth, Levels, PooledEvidence, Population
from bcma_decide.pooled.order_book import OrderBook
from bcma_decide.pooled.published_book import PublishedBook
from bcma_decide.pooled.rule_book import RuleBook
from bcma_decide.pooled.seal import POOLED_SCHEMA_VERSION, SETTINGS, seal_holds
from bcma_decide.pooled.studies import all_studies
from bcma_decide.pooled.survival_levels import SurvivalEvidence
from bcma_decide.pooled.way_book import WayBook
from bcma_decide.strict.files import UnreadableFile, read_bytes
from bcma_decide.vocabulary import (
    CLASSES,
    FAMILY_OF,
    MODEL_TRAIT_IDS,
    OUTCOMES,
    STAGE_IDS,
    STAGES,
    State,
)

SIZE_LIMIT: Final = 200_000_000
"""Bytes the file may have; a usual one has a few million."""


def read_pooled(path: Path) -> PooledEvidence:
    """Read the pooled file.

    Raises
    ------
    NoEvidenceError
        When it is missing, unreadable, of another schema version, or was changed by hand.
    """
    rebuild = "build it with: bcma-decide evidence build"
    try:
        content = read_bytes(path, SIZE_LIMIT).replace(b"\r\n", b"\n")
        content.decode()
    except UnreadableFile as error:
        problem = Problem("", error.reason, rebuild, str(path))
        raise NoEvidenceError("there is no pooled evidence to answer with", [problem]) from error
    except UnicodeDecodeError as error:
        raise NoEvidenceError(
            "the pooled evidence is not UTF-8 text", [Problem("", str(error), rebuild, str(path))]
        ) from error
    try:
        document = json.decode(content)
    except (ValueError, RecursionError) as error:
        raise NoEvidenceError(
            "the pooled evidence is not valid JSON", [Problem("", str(error), rebuild, str(path))]
        ) from error
    if not isinstance(document, dict) or document.get("schema_version") != POOLED_SCHEMA_VERSION:
        found = document.get("schema_version") if isinstance(document, dict) else None
        problem = Problem(
            "schema_version", f"{found!r}, this program reads {POOLED_SCHEMA_VERSION!r}", rebuild, str(path)
        )
        raise NoEvidenceError("the pooled evidence has another format", [problem])
    if not seal_holds(content):
        problem = Problem("pooled_hash", "does not match the content", rebuild, str(path))
        raise NoEvidenceError("the pooled evidence was changed after it was built", [problem])
    try:
        return pooled_from_document(document)
    except (KeyError, TypeError, ValueError, IndexError, EvidenceError) as error:
        raise NoEvidenceError(
            "the pooled evidence is incomplete", [Problem("", repr(error), rebuild, str(path))]
        ) from error


def pooled_from_document(document: Mapping[str, Any]) -> PooledEvidence:
    """Arrays from a parsed pooled file; raises KeyError, TypeError or ValueError where it is not as expected."""
    traits: Sequence[str] = document["traits"]["ids"]
    if tuple(traits) != MODEL_TRAIT_IDS:
        raise ValueError("the traits of the pooled evidence are not those of this program")
    options = tuple(Option(**option) for option in document["options"])
    families = list(document["families"])
    T, C, F = len(traits), len(CLASSES), len(families)
    effects = np.zeros((F, C, T))
    covariance = np.zeros((F, C * T, C * T))
    used = np.zeros((F, C, T), dtype=bool)
    depth = Depth(0.0, np.zeros((C, T)), np.zeros((C, T, C, T)))
    borrowed = np.zeros((F, C, T), dtype=bool)
    for f, family in enumerate(families):
        block = document["families"][family]
        position = [CLASSES.index(e["class_id"]) * T + traits.index(e["trait"]) for e in block["effects"]]
        effects[f].reshape(-1)[position] = [e["mean"] for e in block["effects"]]
        covariance[f][np.ix_(position, position)] = np.array(block["covariance"]).reshape(len(position), len(position))
        used[f].reshape(-1)[position] = True
        borrowed[f].reshape(-1)[position] = [e["borrowed"] for e in block["effects"]]
        if "depth" in block:
            depth = _depth(block["depth"], position, (C, T))

    cells: list[Cell] = []
    missing: dict[tuple[str, str], tuple[State, str]] = {}
    blocks, levels = _blocks(document["levels"])
    block_of = {(block.stage, block.class_index): index for index, block in enumerate(blocks)}
    without = {
        (product, family)
        for limit in document["published"]["limits"]
        if limit["when"] is None
        for product in limit["products"]
        for family in limit["families"]
    }
    for outcome in OUTCOMES:
        for option in options:
            entry = document["outcomes"][outcome][option.id]
            if entry["state"] != "estimated":
                missing[outcome, option.id] = (entry["state"], entry["reason"])
                continue
            cells.append(
                Cell(
                    outcome=outcome,
                    option=option.id,
                    class_index=CLASSES.index(option.class_id),
                    family=FAMILY_OF[outcome].id,
                    n_studies=entry["n_studies"],
                    n_patients=entry["n_patients"],
                    follow_up_months=entry["follow_up_months"],
                    sources=tuple(entry["sources"]),
                    stages=(stages := tuple(block_of[s, CLASSES.index(option.class_id)] for s in STAGES[outcome])),
                    members=_members(blocks[stages[0]], option, FAMILY_OF[outcome].id, without),
                    further_product=entry["further_product"],
                )
            )
    population = document["population"]
    return PooledEvidence(
        hash=document["evidence"]["hash"],
        date=document["evidence"]["date"],
        version=document["evidence"]["version"],
        options=options,
        cells=tuple(cells),
        blocks=blocks,
        levels=levels,
        missing=missing,
        family_index={family: f for f, family in enumerate(families)},
        effects=effects,
        effect_covariance=covariance,
        depth=depth,
        used=used,
        borrowed=borrowed,
        reference=np.array(document["traits"]["reference"]),
        population=Population(
            binary=np.array(population["binary"], dtype=bool),
            cut=np.array(population["cut"], dtype=float),
            location=np.array(population["location"], dtype=float),
            spread=np.array(population["spread"], dtype=float),
            correlation=np.array(population["correlation"]),
            points=np.array(population["points"]),
        ),
        age_range=np.array(document["traits"]["age_range"]),
        patients_with_trait=np.array(document["traits"]["patients_with_trait"], dtype=float),
        assumptions=document["assumptions"],
        definitions=Definitions.from_dict(document["definitions"]),
        rules=RuleBook.from_dict(document["rules"]),
        published=PublishedBook.from_dict(document["published"]),
        way=WayBook.from_dict(document["way"]),
        order=OrderBook.from_dict(document["order"]),
        survival=SurvivalEvidence.from_dict(document["survival"]),
        plain_codes=document["codes"],
        references=tuple(Reference(key=key, **source) for key, source in document["sources"].items()),
        studies=all_studies(document["provenance"]["outcomes"]),
        provenance=document["provenance"],
        not_known=tuple(document["not_known"]),
    )


def _blocks(plain: Mapping[str, Any]) -> tuple[tuple[Block, ...], dict[str, tuple[Levels, ...]]]:
    blocks: list[Block] = []
    levels: dict[str, list[Levels]] = {setting: [] for setting in SETTINGS}
    for stage in STAGE_IDS:
        for class_id, entry in plain[stage].items():
            products = tuple(entry["products"])
            blocks.append(
                Block(
                    stage=stage,
                    class_index=CLASSES.index(class_id),
                    products=products,
                    slope=np.array(entry["slope"], dtype=float),
                )
            )
            for setting in SETTINGS:
                level = entry["settings"][setting]
                weight = np.array(level["weight"], dtype=float)
                levels[setting].append(
                    Levels(
                        # rounded in the file; what a probability and its opposite add up to must be 1
                        weight=weight / weight.sum(),
                        tau=np.array(level["tau"], dtype=float),
                        mean=np.array(level["mean"], dtype=float),
                        covariance=np.array(level["covariance"], dtype=float),
                    )
                )
    return tuple(blocks), {setting: tuple(rows) for setting, rows in levels.items()}


def _depth(plain: Mapping[str, Any], position: Sequence[int], shape: tuple[int, int]) -> Depth:
    size = shape[0] * shape[1]
    deviation, covariance = np.zeros(size), np.zeros((size, size))
    deviation[position] = plain["deviation"]
    covariance[np.ix_(position, position)] = np.array(plain["covariance"]).reshape(len(position), len(position))
    return Depth(plain["share"], deviation.reshape(shape), covariance.reshape(*shape, *shape))


def _members(block: Block, option: Option, family: str, without: Collection[tuple[str, str]]) -> tuple[int, ...]:
    """Places of the products that an option is, or averages: of a class those that have a number for anybody.

    ``without``: products and families whose number is withheld from every patient.
    """
    if option.kind == "product":
        return (block.products.index(option.id),)
    return tuple(place for place, product in enumerate(block.products) if (product, family) not in without)
