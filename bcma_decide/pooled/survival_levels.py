"""Levels and slopes of the survival curves, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bcma_decide.pooled.seal import SETTINGS
from bcma_decide.vocabulary import CLASSES, State

Array = NDArray[np.float64]


class CurveLevels(Struct, frozen=True):
    """Joint levels and slopes of a class's products in one setting.

    ``weight``, ``tau`` (nodes,), ``mean`` (nodes, 2 products: levels, then slopes), ``covariance`` (nodes, 2 products,
    2 products).
    """

    weight: Array
    tau: Array
    mean: Array
    covariance: Array


class CurveBlock(Struct, frozen=True):
    """One class: its offered products, levels and slopes by setting.

    ``slope`` (2 products, traits): derivative of levels and slopes in the trait effects.
    """

    class_index: int
    products: tuple[str, ...]
    slope: Array
    levels: Mapping[str, CurveLevels]


class CurveEntry(Struct, frozen=True):
    """What is behind one option's curve, or why there is none."""

    state: State
    reason: str | None
    n_studies: int = 0
    n_patients: int = 0
    follow_up_months: float | None = None
    end_of_follow_up: float = 0.0
    sources: tuple[str, ...] = ()


class SurvivalEvidence(Struct, frozen=True):
    """Everything about progression-free survival.

    ``study_slope_sd``: how far studies differ in slope. ``options``: by id. ``studies``: plain lines, ``left_out``:
    sentences.
    """

    study_slope_sd: float
    blocks: tuple[CurveBlock, ...]
    options: Mapping[str, CurveEntry]
    studies: tuple[Mapping[str, Any], ...]
    left_out: tuple[str, ...]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> SurvivalEvidence:
        """Build from plain data, as it stands in the pooled file."""
        return cls(
            study_slope_sd=float(plain["study_slope_sd"]),
            blocks=tuple(_block(class_id, entry) for class_id, entry in plain["levels"].items()),
            options={
                option: CurveEntry(**{**entry, "sources": tuple(entry.get("sources", ()))})
                for option, entry in plain["options"].items()
            },
            studies=tuple(plain["studies"]),
            left_out=tuple(plain["left_out"]),
        )

    def members(self, block: CurveBlock, option: str) -> Sequence[int]:
        """Places of the products that an option is, or averages: those with a curve of their own."""
        if option in CLASSES:
            return [p for p, product in enumerate(block.products) if self.options[product].state == "estimated"]
        return [block.products.index(option)]


def _block(class_id: str, entry: Mapping[str, Any]) -> CurveBlock:
    levels: dict[str, CurveLevels] = {}
    for setting in SETTINGS:
        plain = {name: np.array(values, dtype=float) for name, values in entry["settings"][setting].items()}
        # rounded in the file; what a share and its opposite add up to must be 1
        levels[setting] = CurveLevels(
            plain["weight"] / plain["weight"].sum(), plain["tau"], plain["mean"], plain["covariance"]
        )
    slope = np.array(entry["slope"], dtype=float)
    return CurveBlock(CLASSES.index(class_id), tuple(entry["products"]), slope, levels)
